"""cocotb tests of one AXI4-Stream design; started by ../run.py.

Two ways of moving beats: cocotb drives and checks every clock cycle (`Stream`), for the protocol;
or the HDL source and sink do, and cocotb waits for the end (`run_batch`), for many frames.

cocotb acts at falling clock edges and looks at the signals once they have settled, so that what it
sees is what the next rising edge acts on, in every simulator.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, ReadOnly, RisingEdge

MANIFEST: dict[str, Any] = json.loads(Path(os.environ["BENCH_MANIFEST"]).read_text())
IN_BEATS: int = MANIFEST["input"]["beats"]
OUT_BEATS: int = MANIFEST["output"]["beats"]
MODEL_CYCLES: int | None = MANIFEST["cycles"]
FRAMES: int = MANIFEST["frames"]
CAPTURE = os.environ.get("BENCH_CAPTURE")
RELOAD: dict[str, Any] | None = MANIFEST.get("reload")
"""Of designs whose weights are loaded at run time."""

DIRECT_CYCLES = 60_000
"""About how many clock cycles a test spends that cocotb drives by itself: some seconds."""

CYCLES_TOLERANCE = 0.02
"""How far the measured cycles a frame may lie from the model's."""

STALL_UNITS = 256
"""The HDL source and sink take stall rates in these fractions."""


def read_beats(name: str, per_frame: int) -> list[list[int]]:
    """Frames of beats from a hex file in the folder that the simulation runs in."""
    beats = [int(line, 16) for line in Path(name).read_text().split()]
    return [beats[i : i + per_frame] for i in range(0, len(beats), per_frame)]


def read_bytes(name: str) -> list[int]:
    """A configuration stream from a hex file."""
    return [int(line, 16) for line in Path(name).read_text().split()]


def cycles_a_frame() -> int:
    """The model's cycles a frame, or what moving the beats takes at least."""
    return max(MODEL_CYCLES or 0, IN_BEATS, OUT_BEATS)


def direct_frames() -> int:
    """How many frames fit a test that cocotb drives."""
    return max(1, min(6, FRAMES, DIRECT_CYCLES // (3 * cycles_a_frame())))


def patience() -> int:
    """Cycles without an output beat after which the design counts as stuck.

    A frame may be under way in every layer at once.
    """
    return (20 + 2 * len(MANIFEST["layers"])) * cycles_a_frame() + 10_000


async def start(dut: Any, cycles: int = 4) -> None:
    """Start the clock and reset the design; leaves it in reset, at a falling edge."""
    Clock(dut.aclk, 10, unit="ns").start()
    await FallingEdge(dut.aclk)
    await hold_reset(dut, cycles)
    if RELOAD is not None and RELOAD["must_load"]:
        dut.aresetn.value = 1
        error = await load(dut, read_bytes("weights.hex"), 0.0, random.Random(0))
        assert not error, "cfg_error after a whole configuration stream"
        await hold_reset(dut, cycles)


async def hold_reset(dut: Any, cycles: int = 4) -> None:
    """Put everything at rest and the design into reset for some cycles."""
    dut.aresetn.value = 0
    dut.enable.value = 0
    dut.batch.value = 0
    dut.py_tvalid.value = 0
    dut.py_tready.value = 0
    if RELOAD is not None:
        dut.cfg_tvalid.value = 0
    for _ in range(cycles):
        await FallingEdge(dut.aclk)


async def load(dut: Any, data: list[int], stall: float, rng: random.Random) -> bool:
    """Send a configuration stream, `stall` being the chance of a gap before a byte, and wait until
    the design is done with it; returns `cfg_error`."""
    cycles = 0
    for position, byte in enumerate(data):
        await FallingEdge(dut.aclk)
        while rng.random() < stall:
            dut.cfg_tvalid.value = 0
            await FallingEdge(dut.aclk)
        dut.cfg_tvalid.value = 1
        dut.cfg_tdata.value = byte
        dut.cfg_tlast.value = int(position == len(data) - 1)
        await ReadOnly()
        while not dut.cfg_tready.value:
            await FallingEdge(dut.aclk)
            await ReadOnly()
            cycles += 1
            assert cycles < patience(), f"stuck: {position} of {len(data)} bytes were taken"
    await FallingEdge(dut.aclk)
    dut.cfg_tvalid.value = 0
    await ReadOnly()
    while dut.cfg_busy.value:
        await FallingEdge(dut.aclk)
        await ReadOnly()
        cycles += 1
        assert cycles < patience(), "cfg_busy stays after the last byte"
    error = bool(dut.cfg_error.value)
    await FallingEdge(dut.aclk)
    return error


@dataclass
class Stream:
    """Drives both sides of the design, one clock cycle a `step`, and checks the protocol.

    `source_stall` and `sink_stall` are the chances that a beat is not offered, or not taken, in a
    cycle.
    """

    dut: Any
    source_stall: float
    sink_stall: float
    random: random.Random
    to_send: Iterator[tuple[int, bool]]
    received: list[tuple[int, bool]] = field(default_factory=list[tuple[int, bool]])
    sent: int = 0
    cycle: int = 0
    _offer: tuple[int, bool] | None = None
    _held: tuple[int, bool] | None = None

    async def step(self, *, aresetn: int = 1, quiet: bool = False) -> None:
        """One clock cycle; `quiet` demands that the design neither takes nor gives a beat."""
        dut = self.dut
        await FallingEdge(dut.aclk)
        dut.aresetn.value = aresetn
        if self._offer is None and self.random.random() >= self.source_stall:
            self._offer = next(self.to_send, None)
        dut.py_tvalid.value = int(self._offer is not None)
        if self._offer is not None:
            dut.py_tdata.value, dut.py_tlast.value = self._offer[0], int(self._offer[1])
        dut.py_tready.value = int(self.random.random() >= self.sink_stall)
        await ReadOnly()
        self.cycle += 1
        if quiet:
            assert not dut.s_axis_tready.value, f"cycle {self.cycle}: TREADY in or after reset"
            assert not dut.m_axis_tvalid.value, f"cycle {self.cycle}: TVALID in or after reset"
            return
        if self._offer is not None and dut.s_axis_tready.value:
            self._offer = None
            self.sent += 1
        self._observe(bool(dut.m_axis_tvalid.value))

    async def reset(self, beats: list[tuple[int, bool]]) -> None:
        """Reset while `beats` are offered, and check that none is taken until one cycle after."""
        await FallingEdge(self.dut.aclk)
        self.dut.aresetn.value = 0
        await FallingEdge(self.dut.aclk)
        self._offer = self._held = None
        self.to_send = iter(beats)
        self.received.clear()
        for _ in range(3):
            await self.step(aresetn=0, quiet=True)
        await self.step(aresetn=1, quiet=True)

    def _observe(self, valid: bool) -> None:
        dut = self.dut
        beat: tuple[int, bool] | None = None
        if valid:
            beat = (dut.m_axis_tdata.value.to_unsigned(), bool(dut.m_axis_tlast.value))
        if self._held is not None:
            assert valid, f"cycle {self.cycle}: TVALID fell before the beat was taken"
            assert beat == self._held, f"cycle {self.cycle}: TDATA or TLAST changed while waiting"
        self._held = beat
        if beat is not None and dut.py_tready.value:
            self.received.append(beat)
            self._held = None


def beats_of(frames: list[list[int]]) -> list[tuple[int, bool]]:
    """Beats with TLAST on the last beat of each frame."""
    return [(beat, i == len(frame) - 1) for frame in frames for i, beat in enumerate(frame)]


async def expect_frames(stream: Stream, frames: list[list[int]]) -> None:
    """Compare every output beat, and make sure that no beat comes after the last."""
    expected = beats_of(frames)
    limit = stream.cycle + patience() + 60 * len(frames) * cycles_a_frame()
    while len(stream.received) < len(expected):
        before = len(stream.received)
        await stream.step()
        if len(stream.received) > before:
            assert stream.received[before] == expected[before], (
                f"output frame {before // OUT_BEATS}, beat {before % OUT_BEATS}: got "
                f"{describe(stream.received[before])}, expected {describe(expected[before])}"
            )
        assert stream.cycle < limit, (
            f"stuck: {len(stream.received)} of {len(expected)} output beats came"
        )
    for _ in range(16):
        await stream.step()
    assert stream.received == expected, "a beat came after the last frame"
    await FallingEdge(stream.dut.aclk)


def describe(beat: tuple[int, bool]) -> str:
    """A beat in words."""
    return f"TDATA {beat[0]:#x}, TLAST {int(beat[1])}"


async def run_batch(dut: Any, frames: int, source_stall: float, sink_stall: float) -> float:
    """Play stimulus.hex from HDL; returns the cycles a frame over the second half."""
    await start(dut)
    dut.aresetn.value = 1
    dut.batch.value = 1
    dut.compare.value = int(CAPTURE is None)
    dut.capture.value = int(CAPTURE is not None)
    dut.source_stall.value = round(source_stall * STALL_UNITS)
    dut.sink_stall.value = round(sink_stall * STALL_UNITS)
    dut.seed.value = cocotb.RANDOM_SEED & 0xFFFF_FFFF
    dut.frames.value = frames
    dut.patience.value = patience()
    await FallingEdge(dut.aclk)
    dut.enable.value = 1
    await RisingEdge(dut.finished)
    await FallingEdge(dut.aclk)
    taken = dut.frames_taken.value.to_unsigned()
    assert not dut.mismatches.value.to_unsigned(), (
        f"{dut.mismatches.value.to_unsigned()} output beats differ from expected.hex; first: line "
        f"{dut.first_mismatch.value.to_unsigned() + 1}"
    )
    assert taken == frames, f"stuck: {taken} of {frames} frames came"
    assert not dut.violations.value.to_unsigned(), "AXI4-Stream protocol violated (see axis_sink.v)"
    assert not dut.surplus.value.to_unsigned(), "beats came after the last frame"
    cycles = dut.last_cycle.value.to_unsigned() - dut.half_cycle.value.to_unsigned()
    dut.enable.value = 0
    await FallingEdge(dut.aclk)
    await FallingEdge(dut.aclk)
    return cycles / (frames - frames // 2)


def say(text: str) -> None:
    """A line that run.py shows."""
    cocotb.log.info("bench: %s", text)


@cocotb.test(skip=CAPTURE is not None)
async def full_rate(dut: Any) -> None:
    """Frames back to back without stalls: every beat right, as fast as the model says."""
    frames = min(FRAMES, 32)
    measured = await run_batch(dut, frames, 0, 0)
    say(f"full rate: {frames} frames, {measured:g} cycles a frame (model: {MODEL_CYCLES})")
    if MODEL_CYCLES is not None and frames >= 4:
        allowed = max(2.0, CYCLES_TOLERANCE * MODEL_CYCLES)
        assert abs(measured - MODEL_CYCLES) <= allowed, (
            f"{measured:g} cycles a frame measured, the model says {MODEL_CYCLES}"
        )


@cocotb.test(skip=CAPTURE is not None)
async def random_stalls(dut: Any) -> None:
    """Stalls on both sides, driven cycle by cycle, with the AXI4-Stream protocol checked."""
    count = direct_frames()
    stimulus = read_beats("stimulus.hex", IN_BEATS)[:count]
    expected = read_beats("expected.hex", OUT_BEATS)[:count]
    rng = random.Random(cocotb.RANDOM_SEED)
    await start(dut)
    stream = Stream(dut, 0.0, 1.0, rng, iter(()))
    await stream.reset(beats_of(stimulus))
    while not dut.m_axis_tvalid.value:
        await stream.step()
        assert stream.cycle < patience(), "TVALID waits for TREADY"
    for source_stall, sink_stall in ((0.4, 0.0), (0.0, 0.6), (0.3, 0.3)):
        stream = Stream(dut, source_stall, sink_stall, rng, iter(()))
        await stream.reset(beats_of(stimulus))
        await expect_frames(stream, expected)
        say(f"random stalls: {count} frames, source {source_stall:.0%}, sink {sink_stall:.0%}")


@cocotb.test(skip=CAPTURE is not None)
async def reset_in_mid_frame(dut: Any) -> None:
    """A reset at any moment drops what is under way; the next frames come out clean."""
    count = min(2, FRAMES)
    stimulus = read_beats("stimulus.hex", IN_BEATS)[:count]
    expected = read_beats("expected.hex", OUT_BEATS)[:count]
    rng = random.Random(cocotb.RANDOM_SEED)
    await start(dut)
    stream = Stream(dut, 0.1, 0.3, rng, iter(()))
    await stream.reset(beats_of(stimulus * 3))
    moments = [IN_BEATS // 2, IN_BEATS + 1, rng.randrange(1, 2 * IN_BEATS + 1)]
    for moment in moments[: max(1, direct_frames())]:
        goal = stream.sent + max(1, moment)
        limit = stream.cycle + patience()
        while stream.sent < goal:
            await stream.step()
            assert stream.cycle < limit, f"stuck before {moment} input beats were taken"
        await stream.reset(beats_of(stimulus))
        await expect_frames(stream, expected)
        say(f"reset after {moment} input beats, then {count} clean frames")
        await stream.reset(beats_of(stimulus * 3))
    await FallingEdge(dut.aclk)


@cocotb.test(skip=CAPTURE is not None)
async def batch_with_stalls(dut: Any) -> None:
    """Every vector through the HDL source and sink, with stalls on both sides."""
    source_stall, sink_stall = 0.25, 0.25
    await run_batch(dut, FRAMES, source_stall, sink_stall)
    say(f"batch: {FRAMES} frames, source stalls {source_stall:.0%}, sink {sink_stall:.0%}")


async def expect_refusal(dut: Any, why: str) -> None:
    """Offer a frame for a while and check that it is not taken."""
    await FallingEdge(dut.aclk)
    dut.py_tvalid.value = 1
    for _ in range(20):
        await ReadOnly()
        assert dut.cfg_error.value, f"cfg_error is 0 {why}"
        assert not dut.s_axis_tready.value, f"a frame is taken {why}"
        await FallingEdge(dut.aclk)
    dut.py_tvalid.value = 0


@cocotb.test(skip=CAPTURE is not None or RELOAD is None)
async def reload_weights(dut: Any) -> None:
    """Other weights are loaded under way, streams of a wrong length flagged, the own ones loaded
    again; a reset leaves the weights as they are."""
    count = min(2, direct_frames())
    stimulus = read_beats("stimulus.hex", IN_BEATS)[:count]
    expected = read_beats("expected.hex", OUT_BEATS)[:count]
    other_expected = read_beats("other_expected.hex", OUT_BEATS)[:count]
    own, other = read_bytes("weights.hex"), read_bytes("other_weights.hex")
    rng = random.Random(cocotb.RANDOM_SEED)
    await start(dut)
    stream = Stream(dut, 0.0, 0.2, rng, iter(()))
    # A frame that has begun ends with the weights that it began with.
    under_way = IN_BEATS >= 4
    frames = [stimulus[0], *stimulus] if under_way else stimulus[:1]
    await stream.reset(beats_of(frames))
    while stream.sent < (IN_BEATS + 1) // 2:
        await stream.step()
    loading = cocotb.start_soon(load(dut, other, 0.2, rng))
    await expect_frames(stream, [expected[0], *other_expected] if under_way else expected[:1])
    assert not await loading, "cfg_error after a whole configuration stream"
    await stream.reset(beats_of(stimulus))
    await expect_frames(stream, other_expected)
    say(f"other weights: {len(other)} bytes while a frame was under way, {count} frames, reset")
    dut.py_tready.value = 1
    assert await load(dut, [*other, 0], 0.0, rng), "cfg_error is 0 after one byte too many"
    await expect_refusal(dut, "after one byte too many")
    if len(other) > 1:
        assert await load(dut, other[: min(len(other) - 1, 100)], 0.0, rng), (
            "cfg_error is 0 after too short a stream"
        )
        await expect_refusal(dut, "after too short a stream")
    await hold_reset(dut)
    dut.aresetn.value = 1
    await FallingEdge(dut.aclk)
    await expect_refusal(dut, "after too short a stream and a reset")
    assert not await load(dut, own, 0.0, rng), "cfg_error after a whole configuration stream"
    stream = Stream(dut, 0.3, 0.3, rng, iter(()))
    await stream.reset(beats_of(stimulus))
    await expect_frames(stream, expected)
    say(f"own weights again: {len(own)} bytes, {count} frames")


@cocotb.test(skip=CAPTURE is None)
async def capture(dut: Any) -> None:
    """Play any stimulus.hex and write captured.hex; see `run.py --capture`."""
    frames = int(os.environ["BENCH_FRAMES"])
    stall = float(os.environ["BENCH_STALL"])
    measured = await run_batch(dut, frames, stall, stall)
    say(f"captured {frames} frames, {measured:g} cycles a frame")
