"""Drives a simulated AXI4-Stream design with frames, as the HDL bench does."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from irc.errors import IrcError
from irc.interp.rtl import HwSimulator

Beats = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class AxisResult:
    """`beats`: TDATA `[frames, beats, bytes]`; `frame_ends`: the cycle of each frame's last beat,
    counted from the first cycle after reset."""

    beats: Beats
    frame_ends: list[int]

    @property
    def cycles_a_frame(self) -> float:
        """Mean distance of the last beats over the second half of the frames; takes two frames."""
        ends = self.frame_ends[len(self.frame_ends) // 2 - 1 :]
        return (ends[-1] - ends[0]) / (len(ends) - 1)


def run_axis(
    simulator: HwSimulator,
    frames: Beats,
    output_beats: int,
    output_bytes: int,
    *,
    source_stall: float = 0.0,
    sink_stall: float = 0.0,
    seed: int = 0,
    patience: int = 100_000,
) -> AxisResult:
    """Reset, then send frames `[n, beats, bytes]` and take as many frames of `output_beats` beats.

    Stalls are chances in each cycle. Raises `IrcError` where the protocol is broken or where no
    beat comes for `patience` cycles.
    """
    rng = random.Random(seed)
    source = _Source(frames)
    sink = _Sink(output_beats)
    simulator.reset()
    cycle = 0
    while len(sink.beats) < len(frames) * output_beats:
        if rng.random() >= source_stall:
            source.offer()
        ready = int(rng.random() >= sink_stall)
        outputs = simulator.step({"aresetn": 1, "m_axis_tready": ready, **source.signals()})
        if source.offered and outputs["s_axis_tready"]:
            if cycle == 0:
                raise IrcError("the design takes a beat in the cycle after reset")
            source.taken()
        sink.observe(cycle, outputs, bool(ready))
        if cycle - sink.last_cycle > patience:
            raise IrcError(
                f"stuck: {len(sink.beats)} of {len(frames) * output_beats} output beats came"
            )
        cycle += 1
    data = b"".join(beat.to_bytes(output_bytes, "little") for beat in sink.beats)
    beats = np.frombuffer(data, np.uint8).reshape(len(frames), output_beats, output_bytes)
    return AxisResult(beats, sink.frame_ends)


class _Source:
    """Offers beats one after another; an offered beat stays until it is taken."""

    def __init__(self, frames: Beats) -> None:
        _, self.beats_a_frame, size = frames.shape
        self.beats = [int.from_bytes(b.tobytes(), "little") for b in frames.reshape(-1, size)]
        self.position = 0
        self.offered = False

    def offer(self) -> None:
        self.offered = self.position < len(self.beats)

    def taken(self) -> None:
        self.offered = False
        self.position += 1

    def signals(self) -> dict[str, int]:
        if not self.offered:
            return {"s_axis_tvalid": 0}
        last = (self.position + 1) % self.beats_a_frame == 0
        return {
            "s_axis_tvalid": 1,
            "s_axis_tdata": self.beats[self.position],
            "s_axis_tlast": int(last),
        }


class _Sink:
    """Takes beats and checks that they keep to the protocol."""

    def __init__(self, beats_a_frame: int) -> None:
        self.beats_a_frame = beats_a_frame
        self.beats: list[int] = []
        self.frame_ends: list[int] = []
        self.last_cycle = 0
        self.held: tuple[int, int, int] | None = None

    def observe(self, cycle: int, outputs: dict[str, int], ready: bool) -> None:
        valid = outputs["m_axis_tvalid"]
        beat = (valid, outputs["m_axis_tdata"], outputs["m_axis_tlast"])
        if self.held is not None and beat != self.held:
            raise IrcError(f"cycle {cycle}: an output beat changed before it was taken")
        self.held = beat if valid and not ready else None
        if valid and ready:
            self._take(cycle, *beat[1:])

    def _take(self, cycle: int, data: int, last: int) -> None:
        expected = int((len(self.beats) + 1) % self.beats_a_frame == 0)
        if last != expected:
            raise IrcError(f"cycle {cycle}: TLAST is {last} on output beat {len(self.beats)}")
        self.beats.append(data)
        self.last_cycle = cycle
        if last:
            self.frame_ends.append(cycle)
