"""The bridge, clock by clock: frames in, results out, and every fault told and survived."""

from __future__ import annotations

import binascii
import random
from pathlib import Path

import numpy as np
import pytest
from bridge_system import (
    BEATS,
    IDENTITY,
    PAUSE,
    STREAMS,
    UartHost,
    message,
    result_of,
    system,
)
from hw_tools import require_icarus, write_files
from xdsl.dialects.builtin import ModuleOp

from irc.backends.verilog.lint import lint_icarus, lint_verilator, lint_yosys
from irc.backends.verilog.project import print_checked
from irc.errors import UsageError
from irc.interp.rtl import HwSimulator
from irc.passes.hardware.bridge.bridge import CoreStreams, bridge_modules
from irc.passes.hardware.bridge.protocol import (
    ERROR,
    FRAME,
    IDENTIFY,
    LAST_WEIGHTS,
    LOADING,
    RESULT,
    STATUS,
    SYNC,
    VERSION,
    WEIGHTS,
    WINDOW,
    Fault,
    Loading,
)
from irc.passes.hardware.bridge.protocol import (
    IDENTITY as IDENTITY_KIND,
)
from irc.passes.hardware.bridge.registers import register_modules
from irc.passes.hardware.bridge.spi import spi_port
from irc.passes.hardware.bridge.uart import Divider
from irc.passes.hardware.crc import crc_after
from irc.passes.hardware.hw_builder import CLOCK_RESET, HwBuilder, Port


@pytest.fixture(scope="module")
def module() -> ModuleOp:
    return system()


@pytest.fixture
def host(module: ModuleOp) -> UartHost:
    return UartHost(module)


def frame(seed: int) -> bytes:
    return np.random.default_rng(seed).bytes(BEATS)


def fault(found: list[tuple[int, int, bytes]]) -> Fault:
    [(kind, _, payload)] = found
    assert kind == ERROR
    return Fault(payload[0])


def test_the_crc_is_that_of_binascii():
    b = HwBuilder(
        "crc", [*CLOCK_RESET, Port.input("c", 16), Port.input("d", 8), Port.output("y", 16)]
    )
    b.output("y", crc_after(b, b.input("c"), b.input("d")))
    simulator = HwSimulator(ModuleOp([b.finish()]), "crc")
    rng = random.Random(0)
    for _ in range(200):
        crc, byte = rng.randrange(1 << 16), rng.randrange(256)
        found = simulator.step({"aresetn": 1, "c": crc, "d": byte})["y"]
        assert found == binascii.crc_hqx(bytes([byte]), crc)


def test_frames_back_to_back_are_answered_in_order(host: UartHost):
    frames = [frame(index) for index in range(3)]
    host.send(b"".join(message(FRAME, 40 + i, data) for i, data in enumerate(frames)))
    assert host.listen() == [(RESULT, 40 + i, result_of(data)) for i, data in enumerate(frames)]
    assert host.outputs["active"] == 1
    assert host.outputs["failed"] == 0


def test_it_says_who_it_is(host: UartHost):
    host.send(message(IDENTIFY, 200))
    payload = STREAMS.payload(IDENTITY).identity_bytes()
    assert host.listen() == [(IDENTITY_KIND, 200, payload)]
    assert payload == bytes([VERSION, 0x78, 0x56, 0x34, 0x12, BEATS, 0, 2, 0])


@pytest.mark.parametrize("position", [1, 3, 4, 5, 10, 16, 17, 18])
def test_a_flipped_bit_is_told_and_nothing_reaches_the_core(position: int, host: UartHost):
    data = bytearray(message(FRAME, 1, frame(0)))
    data[position] ^= 0x20
    host.send(bytes(data))
    host.wait(PAUSE)
    host.listen()
    assert host.outputs["failed"] == 1
    host.send(message(FRAME, 2, frame(1)))
    assert host.listen() == [(RESULT, 2, result_of(frame(1)))]
    assert host.outputs["failed"] == 0


def test_faults_have_their_codes(host: UartHost):
    good = message(FRAME, 1, frame(0))
    host.send(good[:-1] + bytes([good[-1] ^ 1]))
    assert fault(host.listen()) == Fault.CHECKSUM
    host.send(good[:3] + b"\xff")
    assert fault(host.listen()) == Fault.HEADER
    host.send(good[:1] + b"?")
    assert fault(host.listen()) == Fault.HEADER
    host.send(good[:8])
    host.levels([0] * 10 + [1] * 2)
    assert fault(host.listen()) == Fault.LINE
    host.send(good[:8])
    assert host.listen(1500) == []
    assert fault(host.listen(PAUSE)) == Fault.TIMEOUT
    host.send(good)
    assert host.listen() == [(RESULT, 1, result_of(frame(0)))]


def test_a_break_and_noise_between_messages_are_no_faults(host: UartHost):
    host.levels([0] * 30 + [1] * 3)
    host.send(bytes([0, 255, 7, 90]))
    host.levels([0], 2)
    assert host.listen() == []
    # A SYNC that is none, then the real one.
    host.send(b"\xa5" + message(FRAME, 3, frame(3)))
    assert host.listen() == [(RESULT, 3, result_of(frame(3)))]


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_lost_or_damaged_no_result_is_wrong(seed: int, module: ModuleOp):
    """Bytes are dropped, changed and added at random; every result belongs to the frame that it
    names, and after a pause the bridge answers again."""
    rng = random.Random(seed)
    host = UartHost(module, seed)
    frames = {number: frame(100 * seed + number) for number in range(5)}
    line = bytearray()
    for number, data in frames.items():
        sent = bytearray(message(FRAME, number, data))
        for _ in range(rng.randrange(3)):
            at = rng.randrange(len(sent))
            what = rng.randrange(3)
            if what == 0:
                del sent[at]
            elif what == 1:
                sent[at] = rng.randrange(256)
            else:
                sent.insert(at, rng.randrange(256))
        line += sent
    host.send(bytes(line))
    for kind, number, payload in host.listen(4000):
        if kind == RESULT:
            assert payload == result_of(frames[number])
    host.wait(PAUSE)
    host.listen()
    host.send(message(FRAME, 77, frames[2]))
    assert host.listen() == [(RESULT, 77, result_of(frames[2]))]


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_lost_or_damaged_every_weight_comes_once(seed: int):
    """Messages of weights are damaged, and sent again until they are answered; some are sent twice,
    as where an answer is lost. Frames go between them."""
    rng = random.Random(seed)
    host = UartHost(system(reloadable=True), seed)
    stream = rng.randbytes(130)
    number, sent = 0, 0
    while sent < len(stream):
        piece = stream[sent : sent + rng.choice([1, 2, 30, 127])]
        sent, number = sent + len(piece), number + 1
        kind = LAST_WEIGHTS if sent == len(stream) else WEIGHTS
        good = message(kind, number, piece)
        if rng.random() < 0.5:
            damaged = bytearray(good)
            damaged[rng.randrange(1, len(good))] ^= 1 << rng.randrange(8)
            host.send(bytes(damaged))
            host.wait(PAUSE)
            host.listen()
        for _ in range(rng.choice([1, 1, 2])):
            host.send(good)
            flags = Loading.OPEN if kind == WEIGHTS else 0
            assert host.listen() == [(LOADING, number, bytes([flags, number]))]
        data = frame(number)
        host.send(message(FRAME, number, data))
        assert host.listen() == [(RESULT, number, result_of(data))]
    assert host.loaded == stream
    assert host.ends == [len(stream)]
    host.send(message(STATUS, 200))
    assert host.listen() == [(LOADING, 200, bytes([0, number]))]


@pytest.mark.parametrize("length", [0, 128, 256])
def test_weights_of_a_wrong_length_are_refused(length: int):
    host = UartHost(system(reloadable=True))
    host.send(bytes([SYNC, WEIGHTS, 1]) + length.to_bytes(2, "little"))
    assert fault(host.listen()) == Fault.HEADER
    assert not host.loaded


def test_a_bridge_of_fixed_weights_knows_none(host: UartHost):
    for kind in (WEIGHTS, LAST_WEIGHTS, STATUS):
        host.send(bytes([SYNC, kind]))
        assert fault(host.listen()) == Fault.HEADER


def test_more_frames_than_the_bridge_holds_are_dropped_whole():
    """The buffer has 16 bytes for frames of 12: the second does not fit while the core is stuck."""
    host = UartHost(system(stuck=True))
    host.send(message(FRAME, 0, frame(0)))
    assert host.listen() == []
    host.send(message(FRAME, 1, frame(1)))
    assert fault(host.listen()) == Fault.BUSY
    assert WINDOW > 1


@pytest.mark.parametrize("speed", [7.84, 8.16])
def test_a_line_that_is_2_percent_off_is_understood(speed: float, module: ModuleOp):
    host = UartHost(module)
    bits = [1, 1]
    for byte in message(FRAME, 5, frame(5)):
        bits += [0, *(byte >> index & 1 for index in range(8)), 1]
    for clock in range(int(len(bits) * speed)):
        host.levels([bits[int(clock / speed)]], 1)
    assert host.listen() == [(RESULT, 5, result_of(frame(5)))]


def test_dividers_come_near_to_every_rate():
    for clock in (12e6, 24e6, 25e6, 48e6, 100e6, 125e6):
        for baud in (9600, 115_200, 921_600, 1_000_000, 2_000_000):
            assert abs(Divider.of(clock, baud).baud(clock) / baud - 1) < 1 / 500


def test_frames_that_no_message_carries_are_refused():
    with pytest.raises(UsageError, match="a frame of this network has 150,528 bytes; a message of"):
        CoreStreams(50176, 3, 1, 2).payload(0)


@pytest.mark.parametrize(
    "streams", [STREAMS, CoreStreams(1, 1, 1, 1, True), CoreStreams(3, 13, 5, 8)]
)
def test_everything_is_clean_in_every_tool(streams: CoreStreams, tmp_path: Path):
    for kind in ("spi", "registers"):
        if kind == "spi":
            top, modules = "b", bridge_modules("b", streams, 1, spi_port("b"), 12)
        else:
            top, modules = (
                "r",
                register_modules("r", streams, 1, 0xA5 if streams.reloadable else None),
            )
        folder = tmp_path / kind
        folder.mkdir()
        files = write_files(print_checked(ModuleOp(modules), top), folder)
        assert lint_verilator(files, top) == ""
        assert lint_yosys(files, top) == ""
        require_icarus()
        assert lint_icarus(files, top) == ""
