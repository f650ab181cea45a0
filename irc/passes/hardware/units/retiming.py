"""Registers in the midst of combinational logic, so that a path is cut into parts of equal depth.

Logic is built once, as if it were to fit between two registers, and then built again with
registers: every operation goes to the stage that its depth says, and a value that a later stage
reads passes through a register a stage. Operations that only name bits of others are repeated in
the stage that reads them, so that a register holds a value once, whoever reads it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from xdsl.ir import Operation, SSAValue

from irc.passes.hardware.hw_builder import HwBuilder, Port
from irc.passes.hardware.hw_core import Value, constant_of
from irc.passes.hardware.logic_depth import WIRING, Depth, LogicDepth, latest
from irc.passes.hardware.units.numbers import Number, total

COUNTED_AT_ONCE = 6
"""Ones that are counted in one piece: one level of tables with six inputs, two with four."""

Logic = Callable[[HwBuilder, Sequence[SSAValue]], list[list[Number]]]
"""What builds numbers from signals, purely combinational."""


class _Pieces(HwBuilder):
    """Builds sums so that they can be cut: long ones are trees of sums of two."""

    def add(self, *values: Value) -> SSAValue:
        level = self.align(*values)
        while len(level) > 2:
            pairs = [level[i : i + 2] for i in range(0, len(level), 2)]
            level = [super(_Pieces, self).add(*pair) for pair in pairs]
        return super().add(*level)

    def popcount(self, value: SSAValue) -> SSAValue:
        width = self.width(value)
        if width <= COUNTED_AT_ONCE or constant_of(value) is not None:
            return super().popcount(value)
        # As even as can be.
        pieces = -(-width // COUNTED_AT_ONCE)
        ends = [width * i // pieces for i in range(pieces + 1)]
        counts = [
            Number(super(_Pieces, self).popcount(self.extract(value, low, end - low)), 0, end - low)
            for low, end in pairwise(ends)
        ]
        while len(counts) > 1:
            pairs = [counts[i : i + 2] for i in range(0, len(counts), 2)]
            counts = [total(self, pair) for pair in pairs]
        return counts[0].value


@dataclass
class Retimed:
    """Logic from signals of some widths, to be built with registers in it."""

    widths: Sequence[int]
    logic: Logic
    lut_inputs: int
    constants: Sequence[int | None] = ()
    """The values of signals that are constants."""
    starts: Sequence[Depth] = ()
    """When signals are there, where not at once."""
    numbers: list[list[Number]] = field(init=False)
    _plan: _Pieces = field(init=False)
    _inputs: list[SSAValue] = field(init=False)
    _depths: LogicDepth = field(init=False)

    def __post_init__(self) -> None:
        names = [f"x{index}" for index in range(len(self.widths))]
        ports = [Port.input(name, width) for name, width in zip(names, self.widths, strict=True)]
        self._plan = _Pieces("plan", ports)
        self._inputs = [
            self._plan.input(name) if constant is None else self._plan.const(constant, width)
            for name, width, constant in zip(
                names, self.widths, self.constants or [None] * len(names), strict=True
            )
        ]
        self.numbers = self.logic(self._plan, self._inputs)
        self._depths = LogicDepth(
            self.lut_inputs, dict(zip(self._inputs, self.starts, strict=False))
        )
        for op in self._plan.block.ops:
            for result in op.results:
                self._depths.of(result)

    @property
    def depth(self) -> Depth:
        """The longest path."""
        return latest(self._depths.of(x.value) for row in self.numbers for x in row)

    def stage(self, value: SSAValue, stages: int) -> int:
        """The stage, from 0, of an operation's result."""
        share = self.depth.length / stages
        return max(0, math.ceil(self._depths.of(value).length / share - 1e-6) - 1) if share else 0

    def longest(self, stages: int) -> Depth:
        """The longest path between two registers, of `stages`."""
        ends = self._ends(stages)
        return latest(
            Depth(
                end.levels - start.levels,
                max(0, end.carries - start.carries),
                end.memories if index == 0 else 0,
            )
            for index, (start, end) in enumerate(pairwise([Depth(), *ends]))
        )

    def _ends(self, stages: int) -> list[Depth]:
        """The depth at which each stage ends."""
        found = [Depth()] * stages
        for op in self._plan.block.ops:
            for result in op.results:
                at = self.stage(result, stages)
                found[at] = latest([found[at], self._depths.of(result)])
        for at in range(1, stages):
            found[at] = latest(found[at - 1 : at + 1])
        return found

    def build(
        self, b: HwBuilder, signals: Sequence[SSAValue], stages: int, enable: SSAValue
    ) -> list[list[Number]]:
        """The numbers in a builder, `stages` registers after the signals, all under one enable.

        The last register is left to the caller, who has names for what it holds.
        """
        return _Copy(self, b, dict(zip(self._inputs, signals, strict=True)), stages, enable).all()


@dataclass
class _Copy:
    """The logic once more, stage by stage."""

    source: Retimed
    b: HwBuilder
    signals: dict[SSAValue, SSAValue]
    stages: int
    enable: SSAValue
    _built: dict[tuple[SSAValue, int], SSAValue] = field(
        default_factory=dict[tuple[SSAValue, int], SSAValue]
    )

    def all(self) -> list[list[Number]]:
        """The numbers in the last stage."""
        return [
            [Number(self.at(x.value, self.stages - 1), x.low, x.high) for x in row]
            for row in self.source.numbers
        ]

    def at(self, value: SSAValue, stage: int) -> SSAValue:
        """A value in a stage, no earlier than its own."""
        constant = constant_of(value)
        if constant is not None:
            return self.b.const(constant, self.b.width(value))
        if (value, stage) not in self._built:
            self._built[value, stage] = self._at(value, stage)
        return self._built[value, stage]

    def _at(self, value: SSAValue, stage: int) -> SSAValue:
        op = value.owner
        own = 0 if value in self.signals else self.source.stage(value, self.stages)
        if value not in self.signals and (isinstance(op, WIRING) or own == stage):
            assert isinstance(op, Operation)
            return self._again(op, stage)
        if own == stage:
            return self.signals[value]
        return self.b.delay(f"stage{stage}", self.at(value, stage - 1), None, self.enable)

    def _again(self, op: Operation, stage: int) -> SSAValue:
        mapped = {operand: self.at(operand, stage) for operand in op.operands}
        copy = op.clone(value_mapper=dict(mapped))
        self.b.insert(copy)
        return copy.results[0]


__all__ = ["Logic", "Retimed"]
