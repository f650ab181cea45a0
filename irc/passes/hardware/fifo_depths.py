"""How deep FIFOs must be so that no unit ever slows the slowest one down, and none is stuck.

If there is *one* schedule in which every beat has a place to wait, a design that moves each beat
as early as it can is as fast: beats that come earlier make nothing later. The schedule here is an
even one: the host spreads the beats of a frame over the interval, units give what they have as
soon as they can, windows are read at an even pace, and what holds its beats at no cost waits for
its reader. In steady state, the beats that have been offered on a stream and not been taken are
what its FIFO must hold.

Where many units in a row need none, the smallest FIFO ends the path of `tready` through them.
"""

from __future__ import annotations

from xdsl.ir import SSAValue

from irc.dialects import dataflow
from irc.passes.hardware.design import Design
from irc.passes.hardware.stream_schedule import SMALLEST_DEPTH, Stream, Timetable

FIRST_FRAMES, MOST_FRAMES = 4, 32
"""How many frames are scheduled: twice as many until the last goes like the one before it."""

MOST_ROUNDS = 50
"""A FIFO delays what passes it, so that others may need another depth: rounds until none does."""


def fifo_depths(design: Design, ready_chain: int | None = None) -> dict[SSAValue, int]:
    """The streams on which the design needs FIFOs, and how many beats they hold; no more than
    `ready_chain` units in a row go without, by default `READY_CHAIN` of `stream_schedule`."""
    frames = FIRST_FRAMES
    timetable = Timetable(design, frames)
    _fit(timetable, ready_chain)
    while not timetable.is_steady() and frames < MOST_FRAMES:
        frames *= 2
        timetable = Timetable(design, frames)
        _fit(timetable, ready_chain)
    return {value: stream.depth for value, stream in timetable.streams.items() if stream.depth}


def _fit(timetable: Timetable, ready_chain: int | None) -> None:
    """Schedule with deeper and deeper FIFOs until they are deep enough."""
    streams = [stream for stream in timetable.streams.values() if not stream.can_wait]
    for _ in range(MOST_ROUNDS):
        timetable.run()
        short = [s for s in streams if s.depth or timetable.is_held_up(s)]
        # What a fork holds up goes on by itself once there are FIFOs behind the fork.
        before = [s for s in short if not isinstance(s.reader, dataflow.ForkOp) or s.depth]
        changed = [s for s in before if _deepen(s, timetable.frames)]
        changed = changed or [s for s in short if _deepen(s, timetable.frames)]
        if not changed and timetable.is_settled():
            chains = timetable.long_chains(ready_chain)
            if not chains:
                return
            for stream in chains:
                stream.depth = SMALLEST_DEPTH


def _deepen(stream: Stream, frames: int) -> bool:
    """Fit a FIFO to the last frame: those before it may still be filling the design."""
    beats = len(stream.offered)
    return stream.fit(beats - beats // frames)
