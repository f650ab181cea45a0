"""The hardware of a layer whose weights are constants in logic: a vector in every cycle.

What groups of columns add to a row is computed once for all rows with the same weights there, and
rows add that up in counters as wide as a look-up table; `irc.dialects.unrolled_layer` says how, and
which part works in which stage. A single threshold is compared without the sum being made.

Counters are modules of their own: across their borders no synthesiser takes them apart again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects import hw
from xdsl.ir import SSAValue

from irc.dialects import dataflow
from irc.dialects.dense import BipolarType, element_range
from irc.dialects.unrolled_layer import LEVELS_A_STAGE
from irc.passes.hardware.hw_builder import HwBuilder
from irc.passes.hardware.units.lookup_logic import at_least, count_ordered
from irc.passes.hardware.units.numbers import Number, fit, scaled, times
from irc.passes.hardware.units.pipeline import INPUT, output_register, unit_builder
from irc.passes.hardware.units.products import plane_weights
from irc.passes.hardware.units.thresholds import with_bias
from irc.passes.hardware.units.unrolled_counters import CounterPipeline
from irc.passes.hardware.units.unrolled_matrix import RowSums, row_sums

Array = npt.NDArray[Any]


def unrolled_modules(op: dataflow.MvuOp, name: str) -> list[hw.HWModuleOp]:
    """The module of a layer with `memory = logic`, first, and those of its counters."""
    source, result = dataflow.stream_type(op.input), dataflow.stream_type(op.output)
    b = unit_builder(name, source.beat_width, result.beat_width, op.location)
    arriving = b.input(f"{INPUT}_tvalid")
    present = [b.reg(f"valid{stage}", 1) for stage in range(1, op.latency())]
    end = output_register(b, present[-1].value if present else arriving)
    enable = end.enable if present else end.free
    b.output(f"{INPUT}_tready", enable)
    for register in present:
        register.set_next(arriving, enable)
        arriving = register.value
    lanes = b.slices(b.input(f"{INPUT}_tdata"), source.element_width)
    pipeline = CounterPipeline(b, name, enable)
    bipolar = isinstance(source.element_type, BipolarType)
    counts = [1] if bipolar else plane_weights(source.element_type)
    weights = op.weights.numpy().astype(np.int64)
    results: list[SSAValue] = []
    for vector in range(op.mmv):
        for group in range(op.groups):
            first = group * op.group_rows
            rows = weights[first : first + op.group_rows]
            inputs = [lanes[lane] for lane in _lanes(op, vector, group)]
            prefix = f"v{vector}_g{group}_" if op.mmv * op.groups > 1 else ""
            sums = row_sums(pipeline, op.unrolled_shape, prefix, rows, counts, inputs)
            made: dict[tuple[bytes, ...], SSAValue] = {}
            for index, row_sum in enumerate(sums):
                # Rows that are alike share all.
                key = rows[index].tobytes(), *_constants(op, first + index)
                if key not in made:
                    made[key] = _Result(op, pipeline, row_sum, first + index).emit()
                results.append(made[key])
    end.store(results)
    return [b.finish(), *pipeline.modules.values()]


def _lanes(op: dataflow.MvuOp, vector: int, group: int) -> Iterator[int]:
    """The lanes of a beat that hold the elements of a group of a vector, in order."""
    for place in range(op.columns):
        before, channel = divmod(place, op.channels)
        element = (before * op.groups + group) * op.channels + channel
        if op.is_interleaved:
            yield element * op.mmv + vector
        else:
            yield vector * op.groups * op.columns + element


def _constants(op: dataflow.MvuOp, row: int) -> Iterator[bytes]:
    """What a row's results depend on besides its weights."""
    for table in (op.thresholds, op.steps):
        if table is not None:
            yield table.numpy()[row % table.shape[0]].tobytes()


class _Result:
    """An element of the output beat: `y = scale · A − offset` of a row's sum A, or its code."""

    def __init__(
        self, op: dataflow.MvuOp, pipeline: CounterPipeline, sums: RowSums, row: int
    ) -> None:
        self.op, self.pipeline, self.sums, self.row = op, pipeline, sums, row
        source = dataflow.stream_type(op.input).element_type
        weights = op.weights.numpy()[row].astype(np.int64)
        # A bipolar input is 2·b − 1.
        bipolar = isinstance(source, BipolarType)
        self.scale, self.offset = (2, int(weights.sum())) if bipolar else (1, 0)
        ends = (0, 1) if bipolar else element_range(source)
        products = np.stack([weights * ends[0], weights * ends[1]])
        self.low, self.high = int(products.min(0).sum()), int(products.max(0).sum())

    @property
    def b(self) -> HwBuilder:
        """The builder of the unit."""
        return self.pipeline.b

    def emit(self) -> SSAValue:
        """The element, one stage before the output register."""
        width = dataflow.stream_type(self.op.output).element_width
        if self.op.thresholds is None:
            number = Number(self._number(), 0, self.high - self.sums.base)
            value = fit(self.b, scaled(self.b, number, self.scale), width)
            constant = self.scale * self.sums.base - self.offset
            return self.b.add(value, self.b.const(constant & ((1 << width) - 1), width))
        return fit(self.b, self._code(self.op.thresholds.numpy()), width)

    def _number(self) -> SSAValue:
        return self.sums.number(max(1, (self.high - self.sums.base).bit_length()))

    def _code(self, thresholds: Array) -> Number:
        """`bias + Σ_i steps[i] · [y >= thresholds[i]]`, with `y >= t` as
        `A >= ceil((t + offset) / scale)`."""
        b, op = self.b, self.op
        own = self.row % len(thresholds)
        steps = [1] * thresholds.shape[1]
        if op.steps is not None:
            steps = [int(step) for step in op.steps.numpy()[own]]
        ordered = sorted(zip(thresholds[own].tolist(), steps, strict=True))
        at = [-(-(t + self.offset) // self.scale) for t, _ in ordered]
        steps = [step for _, step in ordered]
        bias = op.bias + sum(step for t, step in zip(at, steps, strict=True) if t <= self.low)
        by_step: dict[int, list[SSAValue]] = {}
        for t, step in zip(at, steps, strict=True):
            if self.low < t <= self.high:
                by_step.setdefault(step, []).append(self._reached(t))
        terms = [
            times(b, Number(count_ordered(b, bits), 0, len(bits)), step)
            for step, bits in by_step.items()
            if step
        ]
        return with_bias(b, terms, bias)

    def _reached(self, threshold: int) -> SSAValue:
        shape = self.op.unrolled_shape
        if shape.compares_at_once:
            return self.sums.reached(threshold)
        later = shape.sum_level + LEVELS_A_STAGE
        number = self.pipeline.held(self._number(), shape.sum_level, later)
        return at_least(self.b, self.b.slices(number, 1), threshold - self.sums.base)
