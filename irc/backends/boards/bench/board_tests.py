"""cocotb tests of a board's top module; started by ../simulate.py.

Everything goes through the pins: bits of the UART, or of SPI, at the core's real clock.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cocotb
import host
import loading
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, Timer

PROJECT = Path(os.environ["BOARD_PROJECT"])
MANIFEST: dict[str, Any] = json.loads((PROJECT / "manifest.json").read_text())
BOARD: dict[str, Any] = json.loads((PROJECT / "board/board.json").read_text())
CLOCK_PS = round(1e6 / BOARD["clock"] / 2) * 2
UART = BOARD["bridge"] == "uart"

PAUSE_PS = (CLOCK_PS << BOARD["timeout_bits"]) * 5 // 4
"""After this long without a byte a message is given up."""

WEIGHTS: dict[str, Any] | None = BOARD["weights"]
"""What streams of weights must be, where there are any."""

DIRECT_BYTES = 4_000
"""About how many bytes of frames a test sends: some seconds."""


def vectors(name: str, side: str) -> list[bytes]:
    """Frames of the core's own test vectors."""
    layout = MANIFEST[side]
    return host.read_hex(PROJECT / "tb" / name, layout["beats"], layout["bits"])


STIMULUS, EXPECTED = vectors("stimulus.hex", "input"), vectors("expected.hex", "output")
MOST_STREAM = 10_000
"""Bytes of the longest stream of weights that is loaded bit by bit."""
COUNT = max(2, min(len(STIMULUS), DIRECT_BYTES // BOARD["frame_bytes"]))


class Line:
    """The host's side of the UART or of SPI; decodes what the board says."""

    def __init__(self, dut: Any, bit_ps: float) -> None:
        self.dut = dut
        self.bit_ps = bit_ps
        self.decoder = host.Decoder(max(BOARD["result_bytes"], 16))
        self.messages: list[tuple[int, int, bytes]] = []
        self.deaf = False

    def heard(self, byte: int) -> None:
        """A byte from the board."""
        if not self.deaf:
            self.messages += self.decoder.feed(bytes([byte]))

    async def send(self, data: bytes, gap: Callable[[], float] = lambda: 0.0) -> None:
        """Send bytes, with pauses of `gap()` bits between them."""
        raise NotImplementedError

    async def idle(self) -> None:
        """Let some time pass in which the board can speak."""
        raise NotImplementedError

    async def expect(self, count: int, bytes_to_come: int) -> list[tuple[int, int, bytes]]:
        """The next messages; fails where they do not come."""
        limit = 200 + 4 * bytes_to_come + MANIFEST["cycles"] * CLOCK_PS // int(self.bit_ps * 10) * 8
        for _ in range(limit):
            if len(self.messages) >= count:
                break
            await self.idle()
        assert len(self.messages) >= count, f"{len(self.messages)} of {count} messages came"
        taken, self.messages = self.messages[:count], self.messages[count:]
        return taken


class UartLine(Line):
    """Port rx is driven, port tx is read."""

    def __init__(self, dut: Any, bit_ps: float) -> None:
        super().__init__(dut, bit_ps)
        cocotb.start_soon(self._listen())

    async def _listen(self) -> None:
        nominal = 1e12 / BOARD["baud"]
        while True:
            await FallingEdge(self.dut.tx)
            await Timer(round(1.5 * nominal), unit="ps")
            byte = 0
            for index in range(8):
                byte |= int(self.dut.tx.value) << index
                await Timer(round(nominal), unit="ps")
            assert self.dut.tx.value == 1, "the board sent a byte without a stop bit"
            self.heard(byte)

    async def send_bits(self, bits: list[int]) -> None:
        """Levels, one bit time each."""
        for bit in bits:
            self.dut.rx.value = bit
            await Timer(round(self.bit_ps), unit="ps")

    async def send(self, data: bytes, gap: Callable[[], float] = lambda: 0.0) -> None:
        for byte in data:
            await self.send_bits([0, *(byte >> index & 1 for index in range(8)), 1])
            pause = gap()
            if pause:
                await Timer(round(pause * self.bit_ps), unit="ps")

    async def idle(self) -> None:
        await Timer(round(10 * self.bit_ps), unit="ps")


class SpiLine(Line):
    """Mode 0: both sides sample at the rising edge of sck; the board gives a byte whenever the host
    sends one, 0 where it has nothing to say."""

    async def _byte(self, byte: int) -> None:
        half, heard = round(self.bit_ps / 2), 0
        for index in reversed(range(8)):
            self.dut.mosi.value = byte >> index & 1
            await Timer(half, unit="ps")
            self.dut.sck.value = 1
            heard = heard << 1 | int(self.dut.miso.value)
            await Timer(half, unit="ps")
            self.dut.sck.value = 0
        self.heard(heard)

    async def send(self, data: bytes, gap: Callable[[], float] = lambda: 0.0) -> None:
        self.dut.cs.value = 0
        await Timer(round(self.bit_ps), unit="ps")
        for byte in data:
            await self._byte(byte)
            pause = gap()
            if pause:
                await Timer(round(pause * self.bit_ps), unit="ps")
        await Timer(round(self.bit_ps), unit="ps")
        self.dut.cs.value = 1
        await Timer(round(4 * self.bit_ps), unit="ps")

    async def idle(self) -> None:
        await self.send(bytes(1))


async def start(dut: Any, speed: float = 1.0) -> Any:
    """Clock, reset by the lock of the PLL, and a line whose bits are `speed` times too long."""
    Clock(dut.clk, CLOCK_PS, unit="ps").start()
    dut.button.value = int(BOARD["button_at_rest"])
    line = (UartLine if UART else SpiLine)(dut, BOARD["bit_ps"] * speed)
    await Timer(CLOCK_PS * BOARD["reset_clocks"], unit="ps")
    if WEIGHTS is not None and WEIGHTS["must_load"]:
        assert await load(line, loading.read_stream(PROJECT / "tb/weights.hex"))
    return line


def say(text: str) -> None:
    """A line that simulate.py shows."""
    cocotb.log.info("bench: %s", text)


async def exchange(
    line: Any,
    indices: list[int],
    gap: Callable[[], float] = lambda: 0.0,
    expected: list[bytes] = EXPECTED,
) -> None:
    """Send frames, one after another as the window allows, and check every result."""
    waiting: list[int] = []
    for index in indices:
        await line.send(host.encode(host.FRAME, index & 0xFF, STIMULUS[index]), gap)
        waiting.append(index)
        if len(waiting) == host.WINDOW:
            await check_result(line, waiting.pop(0), expected)
    for index in waiting:
        await check_result(line, index, expected)


async def check_result(line: Any, index: int, expected: list[bytes]) -> None:
    """The next message is the result of this frame."""
    [(kind, sequence, payload)] = await line.expect(1, BOARD["result_bytes"] + 7)
    assert kind == host.RESULT, f"frame {index}: {chr(kind)} {payload.hex()} instead of a result"
    assert sequence == index & 0xFF, f"frame {index}: result of {sequence}"
    assert payload == expected[index], (
        f"frame {index}: got {payload.hex()}, expected {expected[index].hex()}"
    )


async def expect_fault(line: Any, code: int) -> None:
    """The next message is this fault."""
    [(kind, _, payload)] = await line.expect(1, 8)
    assert kind == host.ERROR, f"{chr(kind)} {payload.hex()} instead of a fault"
    assert payload[0] == code, f"{host.FAULTS.get(payload[0])} instead of {host.FAULTS[code]}"


@cocotb.test()
async def who_is_there(dut: Any) -> None:
    """The bridge names its version, its identity, and the bytes of a frame and a result."""
    line = await start(dut)
    await line.send(host.encode(host.IDENTIFY, 77))
    [(kind, sequence, payload)] = await line.expect(1, 16)
    assert (kind, sequence) == (host.IDENTITY, 77)
    assert payload[0] == host.VERSION
    assert int.from_bytes(payload[1:5], "little") == BOARD["identity"]
    assert int.from_bytes(payload[5:7], "little") == BOARD["frame_bytes"]
    assert int.from_bytes(payload[7:9], "little") == BOARD["result_bytes"]


@cocotb.test()
async def back_to_back(dut: Any) -> None:
    """Frames without a gap between bytes or messages."""
    line = await start(dut)
    await exchange(line, list(range(COUNT)))
    say(f"back to back: {COUNT} frames")


@cocotb.test()
async def random_gaps(dut: Any) -> None:
    """Pauses between bytes; on a UART also a line that is 2 % too slow, then too fast."""
    rng = random.Random(cocotb.RANDOM_SEED)
    for speed in (1.02, 0.98) if UART else (1.0, 1.0):
        line = await start(dut, speed)
        await exchange(line, [0, 1], lambda: rng.random() * 4 * (rng.random() < 0.2))
        line.deaf = True
    say("random gaps: 4 frames")


@cocotb.test()
async def damaged_messages(dut: Any) -> None:
    """Whatever is wrong with a message, it is told, and the next one is answered."""
    rng = random.Random(cocotb.RANDOM_SEED)
    line = await start(dut)
    good = host.encode(host.FRAME, 9, STIMULUS[0])
    flipped = bytearray(good)
    flipped[rng.randrange(5, len(good))] ^= 1 << rng.randrange(8)
    await line.send(bytes(flipped))
    await expect_fault(line, 3)
    await exchange(line, [1])

    await line.send(bytes([good[0], good[1], good[2], good[3] ^ 0x10]))
    await expect_fault(line, 2)
    await exchange(line, [0])

    # A byte is lost; the next message follows at once and its first byte is taken for the last.
    lost = rng.randrange(5, len(good) - 2)
    await line.send(good[:lost] + good[lost + 1 :] + host.encode(host.FRAME, 1, STIMULUS[1]))
    await expect_fault(line, 3)
    await Timer(PAUSE_PS, unit="ps")
    line.messages.clear()
    await exchange(line, [1])

    await line.send(good[: rng.randrange(5, len(good))])
    await Timer(PAUSE_PS, unit="ps")
    await expect_fault(line, 4)
    await exchange(line, [0, 1])

    noise = bytes(rng.randrange(256) for _ in range(30))
    await line.send(noise)
    await Timer(PAUSE_PS, unit="ps")
    await line.idle()
    line.messages.clear()
    await exchange(line, [1, 0])
    say("damaged messages: 5 kinds, 8 frames answered")


@cocotb.test(skip=not UART)
async def framing_error(dut: Any) -> None:
    """A byte without a stop bit ends its message; a break on the line does no harm."""
    line = await start(dut)
    good = host.encode(host.FRAME, 3, STIMULUS[0])
    await line.send(good[:9])
    await line.send_bits([0, *[1, 0] * 4, 0])
    await line.send_bits([1] * 3)
    await expect_fault(line, 1)
    await exchange(line, [0])
    await line.send_bits([0] * 40)
    await line.send_bits([1] * 12)
    await Timer(round(line.bit_ps * 100), unit="ps")
    assert not line.messages, "a break outside of a message is no fault"
    await exchange(line, [1])


@cocotb.test(skip=not BOARD["button"])
async def button(dut: Any) -> None:
    """The button resets everything; what was under way is forgotten."""
    line = await start(dut)
    good = host.encode(host.FRAME, 5, STIMULUS[0])
    await line.send(good[: len(good) // 2])
    dut.button.value = 1 - BOARD["button_at_rest"]
    await Timer(10 * CLOCK_PS, unit="ps")
    dut.button.value = BOARD["button_at_rest"]
    await Timer(CLOCK_PS * BOARD["reset_clocks"], unit="ps")
    await exchange(line, [0, 1])
    assert not line.messages


async def ask(line: Any, kind: int, number: int, payload: bytes = b"") -> tuple[int, int]:
    """Send a message about weights; flags and number of the answer."""
    await line.send(host.encode(kind, number, payload))
    [(found, sequence, data)] = await line.expect(1, 9)
    assert (found, sequence, len(data)) == (loading.LOADING, number, 2), data.hex()
    return data[0], data[1]


async def load(line: Any, stream: bytes, most: int = loading.MOST_WEIGHTS) -> bool:
    """Load weights as the host does, a message twice now and then; whether they were taken."""
    _, last = await ask(line, loading.STATUS, 200)
    for kind, number, piece in loading.messages(stream, last, most):
        flags, taken = await ask(line, kind, number, piece)
        assert taken == number
        assert bool(flags & loading.OPEN) == (kind == loading.WEIGHTS)
        if number % 3 == 0:
            assert (await ask(line, kind, number, piece))[1] == number
    for question in range(100):
        flags, _ = await ask(line, loading.STATUS, question)
        if not flags & loading.BUSY:
            return not flags & loading.ERROR
    raise AssertionError("the network is not done with the weights")


@cocotb.test(skip=WEIGHTS is None or WEIGHTS["bytes"] > MOST_STREAM)
async def reload_weights(dut: Any) -> None:
    """Other weights answer as they should; a damaged stream, one for another shape and one that
    stops are told; the own weights come back."""
    assert WEIGHTS is not None
    tb = PROJECT / "tb"
    own, other = (loading.read_stream(tb / name) for name in ("weights.hex", "other_weights.hex"))
    other_expected = vectors("other_expected.hex", "output")
    assert loading.what_is_wrong(own, WEIGHTS) is None
    line = await start(dut)
    # In many messages, whose answers are lost now and then.
    assert await load(line, other, min(loading.MOST_WEIGHTS, max(3, len(other) // 40)))
    await exchange(line, [0, 1], expected=other_expected)
    assert not await load(line, bytes([other[0] ^ 1, *other[1:]])), "another shape was taken"
    await exchange(line, [1], expected=other_expected)
    damaged = bytes([*other[:-3], other[-3] ^ 4, *other[-2:]])
    assert not await load(line, damaged), "a damaged stream was taken"
    _, last = await ask(line, loading.STATUS, 3)
    kind, number, piece = next(loading.messages(own, last, min(5, len(own) // 2)))
    flags, _ = await ask(line, kind, number, piece)
    assert flags & loading.OPEN
    flags, _ = await ask(line, loading.LAST_WEIGHTS, (number + 1) & 0xFF, b"\0")
    assert not flags & loading.OPEN
    broken = host.encode(loading.WEIGHTS, 77, own[:5])
    await line.send(broken[:-1] + bytes([broken[-1] ^ 1]))
    await expect_fault(line, 3)
    await line.send(host.encode(loading.WEIGHTS, 78)[:5])
    await expect_fault(line, 2)
    await Timer(PAUSE_PS, unit="ps")
    line.messages.clear()
    assert await load(line, own)
    await exchange(line, [0, 1])
    say(f"weights: {len(own)} bytes, 3 streams taken and 2 told")
