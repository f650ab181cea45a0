"""The hardware of sums of two streams: `y = p[c] · a + q[c] · b`, a beat of each at once.

Without multipliers, and where these only shift and change signs, the sum is offered in the cycle
after the beats were taken. Other products have a cycle of their own, and where the multipliers of a
lane change from beat to beat, so has reading them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects import hw
from xdsl.ir import SSAValue

from irc.dialects import dataflow
from irc.dialects.dense import BipolarType, element_range
from irc.passes.hardware.hw_builder import HwBuilder
from irc.passes.hardware.units.numbers import Number, bits_for, fit, times
from irc.passes.hardware.units.pad import as_number
from irc.passes.hardware.units.pipeline import (
    INPUT,
    branch_builder,
    counter,
    output_register,
    stream_names,
)
from irc.passes.hardware.units.tables import ChannelTable

Array = npt.NDArray[Any]


def add_module(op: dataflow.AddOp, name: str) -> hw.HWModuleOp:
    """The module of a unit whose three streams have the same lanes."""
    result = dataflow.stream_type(op.output)
    widths = [dataflow.stream_type(value).beat_width for value in op.operands]
    b = branch_builder(name, widths, [result.beat_width], op.location)
    inputs = stream_names(INPUT, len(widths))
    both = b.named("both", b.and_(*(b.input(f"{prefix}_tvalid") for prefix in inputs)))
    stages = [b.reg(f"valid{stage}", 1) for stage in range(1, op.stages)]
    end = output_register(b, stages[-1].value if stages else both)
    enable = end.enable if stages else end.free
    takes = b.named("takes", b.and_(both, enable))
    for prefix in inputs:
        b.output(f"{prefix}_tready", takes)
    arriving = both
    for stage in stages:
        stage.set_next(arriving, enable)
        arriving = stage.value

    operands = [_Operand.of(op, index) for index in range(len(inputs))]
    beats = [b.input(f"{prefix}_tdata") for prefix in inputs]
    table, word = ChannelTable(op.lanes), None
    for operand in operands:
        operand.add_to(table)
    if op.channel_folds > 1:
        beats = [b.delay(f"beat{i}", beat, None, enable) for i, beat in enumerate(beats)]
        bits = table.rom_bits()
        if bits is not None:
            fold = counter(b, "fold", table.folds, takes)
            word = b.rom("multipliers", bits, fold.value, takes)
    sums: list[SSAValue] = []
    for lane in range(op.lanes):
        negative = [operand.is_negative(table, lane) for operand in operands]
        # One is subtracted, which costs no more than adding it.
        subtracts = [False, negative[1]] if negative[1] else [negative[0], False]
        terms = [
            operand.product(b, beat, table, word, lane, -1 if is_subtracted else 1)
            for operand, beat, is_subtracted in zip(operands, beats, subtracts, strict=True)
        ]
        if stages:
            terms = [_held(b, f"{i}_{lane}", x, enable) for i, x in enumerate(terms)]
        total = _sum(b, operands, terms, lane, subtracts)
        sums.append(fit(b, total, result.element_width))
    end.store(sums)
    return b.finish()


@dataclass(frozen=True)
class _Operand:
    """One of the streams, and what each of its elements is multiplied by."""

    field: str
    stream: dataflow.StreamType
    factors: Array
    """One for each channel or, where channels share it, for each lane."""
    lanes: int

    @staticmethod
    def of(op: dataflow.AddOp, index: int) -> _Operand:
        factors = np.ones(1, np.int64)
        if op.multipliers is not None:
            factors = op.multipliers.numpy()[index].astype(np.int64)
        if len(factors) == 1:
            factors = np.repeat(factors, op.lanes)
        stream = dataflow.stream_type(op.operands[index])
        return _Operand("pq"[index], stream, factors, op.lanes)

    @property
    def factor_range(self) -> tuple[int, int]:
        """The least and the largest factor."""
        return int(self.factors.min()), int(self.factors.max())

    @property
    def is_bipolar(self) -> bool:
        """Whether elements are ±1, as bits."""
        return isinstance(self.stream.element_type, BipolarType)

    def product_ends(self, lane: int) -> tuple[Array, Array]:
        """The least and the largest product for each factor that a lane sees."""
        low, high = element_range(self.stream.element_type)
        factors = self.factors[lane :: self.lanes]
        return np.minimum(factors * low, factors * high), np.maximum(factors * low, factors * high)

    def add_to(self, table: ChannelTable) -> None:
        """Put the factors into a table."""
        table.add(self.field, self.factors, bits_for(*self.factor_range))

    def is_negative(self, table: ChannelTable, lane: int) -> bool:
        """Whether integers in a lane have one factor, which is negative."""
        constant = table.constant(self.field, lane)
        return constant is not None and constant < 0 and not self.is_bipolar

    def product(
        self,
        b: HwBuilder,
        beat: SSAValue,
        table: ChannelTable,
        word: SSAValue | None,
        lane: int,
        sign: int,
    ) -> Number:
        """The product of the element in a lane, from the current word of the table, times `sign`,
        which is −1 only where the factor `is_negative`."""
        element = b.slices(beat, self.stream.element_width)[lane]
        constant = table.constant(self.field, lane)
        if constant is not None and not self.is_bipolar:
            return times(b, as_number(b, self.stream, element), sign * constant)
        if constant is not None:
            low, high = sorted((-constant, constant))
            value = b.const(constant, bits_for(low, high))
            return Number(b.mux(element, value, -constant), low, high)
        lows, highs = self.product_ends(lane)
        low, high = int(lows.min()), int(highs.max())
        width = bits_for(low, high)
        # The factors of all lanes have one width, and a sign where any of them has.
        signal = Number(table.signal(b, word, self.field, lane), *self.factor_range)
        factor = fit(b, signal, width)
        if self.is_bipolar:
            return Number(b.mux(element, factor, b.sub(0, factor)), low, high)
        x = fit(b, as_number(b, self.stream, element), width)
        return Number(b.mul(x, factor), low, high)


def _held(b: HwBuilder, name: str, number: Number, enable: SSAValue) -> Number:
    """A product in a register."""
    value = b.delay(f"product_{name}", number.value, None, enable)
    return Number(value, number.low, number.high)


def _sum(
    b: HwBuilder,
    operands: Sequence[_Operand],
    terms: Sequence[Number],
    lane: int,
    subtracts: Sequence[bool],
) -> Number:
    """The sum of the products in a lane, as wide as any channel there needs it."""
    lows, highs = zip(*(operand.product_ends(lane) for operand in operands), strict=True)
    low, high = int(np.sum(lows, axis=0).min()), int(np.sum(highs, axis=0).max())
    width = bits_for(low, high)
    first, second = (fit(b, term, width) for term in terms)
    match subtracts:
        case [False, False]:
            total = b.add(first, second)
        case [False, True]:
            total = b.sub(first, second)
        case _:
            total = b.sub(second, first)
    return Number(total, low, high)
