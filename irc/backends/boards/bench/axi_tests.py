"""cocotb tests of the AXI wrapper with cocotbext-axi; started by ../simulate.py."""

from __future__ import annotations

import importlib
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cocotb
import host
import loading
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge, with_timeout

# Its annotations are partial.
axi: Any = importlib.import_module("cocotbext.axi")

PROJECT = Path(os.environ["BOARD_PROJECT"])
MANIFEST: dict[str, Any] = json.loads((PROJECT / "manifest.json").read_text())
BOARD: dict[str, Any] = json.loads((PROJECT / "board/board.json").read_text())

ID, VERSION, CONTROL, STATUS = 0x00, 0x04, 0x08, 0x0C
FRAMES_IN, FRAMES_OUT, CYCLES, FRAME_BYTES, RESULT_BYTES = 0x10, 0x14, 0x18, 0x1C, 0x20
STREAM, STREAM_ROOM, SHAPE = 0x24, 0x28, 0x2C
RUN, CLEAR, HOLD_RESET = 1, 2, 4
LOADING, STREAM_FAULT = 1 << 5, 1 << 6
LAST_BYTE = 1 << 8
BUSY, TKEEP_FAULT, TLAST_FAULT = 1, 8, 16

DIRECT_CYCLES = 40_000

WEIGHTS: dict[str, Any] | None = BOARD["weights"]
"""What streams of weights must be, where there are any."""

MOST_STREAM = 10_000
"""Bytes of the longest stream of weights that is loaded byte by byte."""


def vectors(name: str, side: str) -> list[bytes]:
    """Frames of the core's own test vectors."""
    layout = MANIFEST[side]
    return host.read_hex(PROJECT / "tb" / name, layout["beats"], layout["bits"])


STIMULUS, EXPECTED = vectors("stimulus.hex", "input"), vectors("expected.hex", "output")
CYCLES_A_FRAME = max(MANIFEST["cycles"], MANIFEST["input"]["beats"], MANIFEST["output"]["beats"])
COUNT = max(2, min(len(STIMULUS), DIRECT_CYCLES // CYCLES_A_FRAME))


def half_frame() -> bytes:
    """The beginning of a frame; nothing where frames have one beat."""
    return STIMULUS[0][: len(STIMULUS[0]) // 2 // BOARD["beat_bytes"] * BOARD["beat_bytes"]]


def pauses(rng: random.Random, chance: float) -> Iterator[bool]:
    """Stalls at random."""
    while True:
        yield rng.random() < chance


class Bench:
    """Masters for all three interfaces; every channel stalls with the chance `stall`."""

    def __init__(self, dut: Any, stall: float) -> None:
        rng = random.Random(cocotb.RANDOM_SEED)
        self.dut = dut
        reset = dut.aresetn
        Clock(dut.aclk, 10, unit="ns").start()
        reset.value = 0
        self.registers = axi.AxiLiteMaster(
            axi.AxiLiteBus.from_prefix(dut, "s_axi"), dut.aclk, reset, reset_active_level=False
        )
        self.source = axi.AxiStreamSource(
            axi.AxiStreamBus.from_prefix(dut, "s_axis"), dut.aclk, reset, reset_active_level=False
        )
        self.sink = axi.AxiStreamSink(
            axi.AxiStreamBus.from_prefix(dut, "m_axis"), dut.aclk, reset, reset_active_level=False
        )
        if stall:
            write, read = self.registers.write_if, self.registers.read_if
            channels = (
                *(write.aw_channel, write.w_channel, write.b_channel),
                *(read.ar_channel, read.r_channel, self.source, self.sink),
            )
            for channel in channels:
                channel.set_pause_generator(pauses(rng, stall))

    async def start(self) -> None:
        """Leave reset."""
        for _ in range(4):
            await RisingEdge(self.dut.aclk)
        self.dut.aresetn.value = 1
        for _ in range(4):
            await RisingEdge(self.dut.aclk)
        if WEIGHTS is not None and WEIGHTS["must_load"]:
            assert await self.load(loading.read_stream(PROJECT / "tb/weights.hex"))

    async def load(self, stream: bytes) -> bool:
        """Load weights as the driver does; whether they were taken."""
        sent = 0
        while sent < len(stream):
            room = await self.get(STREAM_ROOM)
            for byte in stream[sent : sent + room]:
                sent += 1
                await self.put(STREAM, byte | (LAST_BYTE if sent == len(stream) else 0))
        for _ in range(400 * CYCLES_A_FRAME + 10_000):
            if not await self.get(STATUS) & LOADING:
                return not await self.get(STATUS) & STREAM_FAULT
        raise AssertionError("the network is not done with the weights")

    async def get(self, address: int) -> int:
        """Read a register."""
        return int(await self.registers.read_dword(address))

    async def put(self, address: int, value: int) -> None:
        """Write a register."""
        await self.registers.write_dword(address, value)

    async def result(self) -> bytes:
        """The next result; TKEEP has to be all 1, TLAST at its end."""
        patience = 400 * CYCLES_A_FRAME + 10_000
        frame: Any = await with_timeout(self.sink.recv(compact=False), patience * 10, "ns")
        assert frame.tkeep is None or all(frame.tkeep), "TKEEP of a result is not all 1"
        return bytes(frame.tdata)


async def exchange(bench: Bench, count: int, expected: list[bytes] = EXPECTED) -> None:
    """Send frames back to back and check every result."""
    for frame in STIMULUS[:count]:
        await bench.source.send(axi.AxiStreamFrame(frame))
    for index in range(count):
        found = await bench.result()
        assert found == expected[index], (
            f"frame {index}: got {found.hex()}, expected {expected[index].hex()}"
        )


@cocotb.test()
async def frames_and_counters(dut: Any) -> None:
    """Frames at full rate: results, identity and counters; nothing is under way at the end."""
    bench = Bench(dut, 0)
    await bench.start()
    assert await bench.get(ID) == BOARD["identity"]
    assert await bench.get(VERSION) == host.VERSION
    assert await bench.get(FRAME_BYTES) == BOARD["frame_bytes"]
    assert await bench.get(RESULT_BYTES) == BOARD["result_bytes"]
    assert await bench.get(CYCLES) == 0
    await exchange(bench, COUNT)
    assert await bench.get(FRAMES_IN) == COUNT
    assert await bench.get(FRAMES_OUT) == COUNT
    assert await bench.get(STATUS) == 0
    cycles = await bench.get(CYCLES)
    assert cycles >= (COUNT - 1) * MANIFEST["cycles"]
    assert await bench.get(CYCLES) == cycles, "counts on with nothing under way"
    cocotb.log.info("bench: %d frames in %d cycles", COUNT, cycles)


@cocotb.test()
async def random_back_pressure(dut: Any) -> None:
    """Stalls on every channel, registers read and written while frames go through."""
    bench = Bench(dut, 0.4)
    await bench.start()
    under_way = cocotb.start_soon(exchange(bench, COUNT))
    reads = 0
    while not under_way.done():
        assert await bench.get(ID) == BOARD["identity"]
        await bench.put(CONTROL, RUN)
        assert await bench.get(FRAMES_OUT) <= COUNT
        reads += 2
    await under_way
    assert await bench.get(FRAMES_OUT) == COUNT
    assert not await bench.get(STATUS) & (TKEEP_FAULT | TLAST_FAULT)
    cocotb.log.info("bench: %d frames, %d reads at the same time", COUNT, reads)


@cocotb.test()
async def control(dut: Any) -> None:
    """Stop, clear and reset do what they say; writes of single bytes do nothing."""
    bench = Bench(dut, 0.2)
    await bench.start()
    assert await bench.get(CONTROL) == RUN
    await bench.registers.write(CONTROL, b"\0")
    await bench.put(ID, 0)
    assert await bench.get(CONTROL) == RUN
    assert await bench.get(ID) == BOARD["identity"]

    await bench.put(CONTROL, 0)
    await bench.source.send(axi.AxiStreamFrame(STIMULUS[0]))
    for _ in range(200):
        await RisingEdge(dut.aclk)
    assert await bench.get(FRAMES_IN) == 0
    assert not await bench.get(STATUS) & BUSY, "took input although it was stopped"
    await bench.put(CONTROL, RUN)
    assert await bench.result() == EXPECTED[0]
    assert await bench.get(FRAMES_OUT) == 1
    await bench.put(CONTROL, RUN | CLEAR)
    assert await bench.get(FRAMES_OUT) == 0
    assert await bench.get(CYCLES) == 0
    assert await bench.get(CONTROL) == RUN

    half = half_frame()
    if half:
        await bench.source.send(axi.AxiStreamFrame(half))
        await bench.source.wait()
        assert await bench.get(STATUS) & (BUSY | TLAST_FAULT) == BUSY | TLAST_FAULT
        await bench.put(CONTROL, HOLD_RESET)
        await bench.put(CONTROL, RUN)
        assert await bench.get(STATUS) == 0
    await exchange(bench, 2)
    assert await bench.get(FRAMES_OUT) == 2


@cocotb.test(skip=BOARD["beat_bytes"] == 1)
async def partial_beat(dut: Any) -> None:
    """A null byte in a beat is told."""
    bench = Bench(dut, 0)
    await bench.start()
    keep = [1] * len(STIMULUS[0])
    keep[-1] = 0
    await bench.source.send(axi.AxiStreamFrame(STIMULUS[0], tkeep=keep))
    await bench.result()
    assert await bench.get(STATUS) & TKEEP_FAULT
    await bench.put(CONTROL, RUN | CLEAR)
    assert await bench.get(STATUS) == 0


@cocotb.test(skip=WEIGHTS is None or WEIGHTS["bytes"] > MOST_STREAM)
async def reload_weights(dut: Any) -> None:
    """Other weights answer as they should; a damaged stream and one for another shape are told; a
    reset of the core in the middle loses the weights, not the way to load them."""
    assert WEIGHTS is not None
    tb = PROJECT / "tb"
    own, other = (loading.read_stream(tb / name) for name in ("weights.hex", "other_weights.hex"))
    other_expected = vectors("other_expected.hex", "output")
    bench = Bench(dut, 0.1)
    await bench.start()
    assert await bench.get(SHAPE) == WEIGHTS["shape"]
    assert await bench.load(other)
    await exchange(bench, 2, other_expected)
    assert not await bench.load(bytes([other[0] ^ 1, *other[1:]])), "another shape was taken"
    await exchange(bench, 2, other_expected)
    assert not await bench.load(bytes([*other[:-1], other[-1] ^ 1])), "damage was taken"
    for byte in own[: len(own) - 1]:
        await bench.put(STREAM, byte)
    await bench.put(CONTROL, HOLD_RESET)
    await bench.put(CONTROL, RUN | CLEAR)
    assert await bench.get(STATUS) & (LOADING | STREAM_FAULT) == STREAM_FAULT
    assert await bench.load(own)
    await exchange(bench, 2)
    cocotb.log.info("bench: weights of %d bytes, 3 streams taken and 3 told", len(own))


@cocotb.test(skip=WEIGHTS is None or WEIGHTS["bytes"] > MOST_STREAM)
async def stalled_weights(dut: Any) -> None:
    """A stream given up in the middle leaves no byte behind: a reset of the core empties what
    waits, and the next stream is taken."""
    own = loading.read_stream(PROJECT / "tb/weights.hex")
    bench = Bench(dut, 0.1)
    await bench.start()
    room = await bench.get(STREAM_ROOM)
    if half_frame():
        # A frame that has begun holds them back.
        await bench.source.send(axi.AxiStreamFrame(half_frame()))
        await bench.source.wait()
    part = own[: min(room, len(own) - 1)]
    for byte in part:
        await bench.put(STREAM, byte)
    assert await bench.get(STATUS) & LOADING
    if half_frame():
        assert await bench.get(STREAM_ROOM) < room, "a frame had begun, and weights were taken"
    await bench.put(CONTROL, HOLD_RESET)
    await bench.put(CONTROL, RUN)
    assert await bench.get(STREAM_ROOM) == room
    assert not await bench.get(STATUS) & (BUSY | LOADING)
    assert await bench.load(own)
    await exchange(bench, 2)
    cocotb.log.info("bench: %d bytes given up, %d taken", len(part), len(own))
