"""A schedule of every beat of a design: when streams offer them, and when they are taken."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from xdsl.ir import Operation, SSAValue

from irc.dialects import dataflow
from irc.dialects.dataflow_plumbing import REGISTER_FIFO_BITS
from irc.interp.buffer_schedules import BufferSchedule, RowsSchedule, buffer_schedule
from irc.interp.unit_schedules import Times, in_turn, unit_schedule
from irc.passes.hardware.design import Design

SMALLEST_DEPTH = 2

READY_CHAIN = 8
"""Units that may pass `tready` on from one to the next in a cycle: about a look-up table each, so
that as many are no slower than the sums of a matrix-vector unit."""


@dataclass(eq=False)
class Stream:
    """From a unit by way of others that hold their beats to the unit that takes them.

    A FIFO stands at the start: what holds its beats can wait, so that nothing is gained behind it.
    """

    value: SSAValue
    buffers: list[BufferSchedule]
    reader: Operation
    index: int
    """Which operand of the reader it is."""

    depth: int = 0
    """Beats of the FIFO; none with 0."""

    in_ram: bool = False
    offered: Times = field(init=False)
    taken: Times = field(init=False)
    _stages: list[Times] = field(init=False)
    """From when on beats can be taken by each buffer and then by the reader."""

    @property
    def can_wait(self) -> bool:
        """Whether what gives the beats holds them at no cost: the host, or a FIFO that is there."""
        return isinstance(self.value.owner, dataflow.ToStreamOp | dataflow.FifoOp)

    def at_reader(self, offered: Times) -> Times:
        """From when on the reader can take the beats that are offered so."""
        latency = 0 if not self.depth else 2 if self.in_ram else 1
        self.offered = offered
        self._stages = [offered + latency]
        for buffer in self.buffers:
            self._stages.append(buffer.offers(self._stages[-1]))
        return self._stages[-1]

    def settle(self, taken: Times) -> None:
        """Where the reader takes its beats at `taken`, find when the stream's own are taken."""
        stages = self._stages[:-1]
        for buffer, times in zip(reversed(self.buffers), reversed(stages), strict=True):
            taken = buffer.takes(times, taken)
        self.taken = taken

    def left(self) -> Times:
        """When the beats leave the unit that gives them."""
        return self.offered if self.depth else self.taken

    def fit(self, start: int) -> bool:
        """Make the FIFO as deep as the beats from number `start` on need; whether it changed.

        In a FIFO made of a RAM, the last beat is in the RAM's output register.
        """
        before = self.depth, self.in_ram
        leaves = self.taken
        if self.in_ram:
            leaves = np.maximum(self.offered + 1, np.concatenate([[0], leaves[:-1]]))
        numbers = np.arange(start, len(self.offered))
        waiting = numbers - np.searchsorted(leaves, self.offered[start:], side="left")
        needed = int(np.max(waiting)) + 1 + self.in_ram
        self.depth = max(SMALLEST_DEPTH, needed)
        bits = self.depth * dataflow.stream_type(self.value).beat_width
        self.in_ram |= self.depth > SMALLEST_DEPTH and bits > REGISTER_FIFO_BITS
        return before != (self.depth, self.in_ram)


class Timetable:
    """A schedule of `frames` frames through all streams of a design.

    The host spreads the beats of a frame over the interval of the slowest unit.
    """

    def __init__(self, design: Design, frames: int) -> None:
        self.design = design
        self.frames = frames
        self.interval = design.cycles()
        self.streams: dict[SSAValue, Stream] = {}
        self._inputs: dict[tuple[Operation, int], Stream] = {}
        self._buffers: dict[Operation, BufferSchedule | None] = {
            op: buffer_schedule(op, self.interval) for op in design.units
        }
        self._units = [op for op in design.units if self._buffers[op] is None]
        self._schedules = {op: unit_schedule(op) for op in self._units}
        self._taken: dict[Operation, list[Times]] = {}
        for op in (design.entry, *self._units):
            for value in op.results:
                stream = self._stream(value)
                self.streams[value] = stream
                self._inputs[stream.reader, stream.index] = stream

    def _stream(self, value: SSAValue) -> Stream:
        """The stream that starts with a value, up to the unit that takes its beats."""
        buffers: list[BufferSchedule] = []
        end = value
        while True:
            (use,) = end.uses
            buffer = self._buffers.get(use.operation)
            if buffer is not None:
                buffers.append(buffer)
            elif not isinstance(use.operation, dataflow.ReshapeOp):
                return Stream(value, buffers, use.operation, use.index)
            end = use.operation.results[0]

    def run(self) -> None:
        """Schedule all beats with the FIFOs as they are."""
        beats = self.design.source.beats
        entry = self.streams[self.design.entry.output]
        offered = {entry: np.arange(self.frames * beats, dtype=np.int64) * self.interval // beats}
        for op in self._units:
            streams = [self._inputs[op, index] for index in range(len(op.operands))]
            given = [stream.at_reader(offered[stream]) for stream in streams]
            self._taken[op], results = self._schedules[op].run(given)
            offered |= {
                self.streams[value]: times for value, times in zip(op.results, results, strict=True)
            }
        leave = self._inputs[self.design.exit, 0]
        self._taken[self.design.exit] = [in_turn(leave.at_reader(offered[leave]))]
        for op in reversed((*self._units, self.design.exit)):
            taken = self._taken[op]
            if isinstance(op, dataflow.ForkOp):
                # A beat stays until the last reader has it.
                taken = [np.maximum.reduce([self.streams[v].left() for v in op.outputs])]
            for index, times in enumerate(taken):
                self._inputs[op, index].settle(times)

    def is_held_up(self, stream: Stream) -> bool:
        """Whether a beat is not taken in time for the unit that gives the stream to go on."""
        free = self._needed_by(stream)
        return bool(np.any(stream.taken[: len(free)] > free))

    def _needed_by(self, stream: Stream) -> Times:
        """When at the latest each beat must be taken, but for the last one."""
        op = stream.value.owner
        assert isinstance(op, Operation)
        next_beats = stream.offered[1:] - 1
        if isinstance(op, dataflow.WidthConverterOp):
            # The beats that it gathers come into the register in which the one before waits.
            return np.minimum(next_beats, self._taken[op][0][op.ratio :: op.ratio])
        if isinstance(op, dataflow.ForkOp):
            source = self._inputs[op, 0]
            if not (source.depth or source.buffers or source.can_wait):
                return np.minimum(next_beats, self._needed_by(source))
        return next_beats

    def is_settled(self) -> bool:
        """Whether every buffer had room for the beats when they were scheduled to come."""
        return all(buffer.settled for s in self.streams.values() for buffer in s.buffers)

    def long_chains(self, limit: int | None = None) -> list[Stream]:
        """Streams that need a FIFO lest more than `limit` units, by default `READY_CHAIN`, pass
        `tready` on in a cycle: the unit that gives the beats, and those behind it up to a FIFO or a
        buffer of rows, whose `tready` comes from registers."""
        most = READY_CHAIN if limit is None else limit
        found: list[Stream] = []
        behind: dict[Operation, int] = {self.design.exit: 0}
        for op in reversed(self._units):
            chains = [0]
            for value in op.results:
                stream = self.streams[value]
                chain = behind[stream.reader]
                for buffer in reversed(stream.buffers):
                    chain = 0 if isinstance(buffer, RowsSchedule) else chain + 1
                if chain >= most and not (stream.depth or stream.can_wait):
                    found.append(stream)
                chains.append(0 if stream.depth or stream in found else chain)
            behind[op] = 0 if isinstance(op, dataflow.FifoOp) else 1 + max(chains)
        return found

    def is_steady(self) -> bool:
        """Whether the last frame goes like the one before it, an interval later."""
        for stream in self.streams.values():
            for times in (stream.offered, stream.taken):
                last, before = times.reshape(self.frames, -1)[:-3:-1]
                if not np.array_equal(last, before + self.interval):
                    return False
        return True
