"""Absorb float functions between an integer and a quantizer into integer thresholds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, ModuleOp, StringAttr, i64
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from irc.dialects import bnn
from irc.dialects.dense import element_range, is_exact
from irc.passes.analysis.ranges import RangeAnalysis, Reachable
from irc.passes.analysis.threshold_search import (
    Chain,
    Steps,
    find_ambiguous,
    find_levels,
    tabulate,
)
from irc.passes.rewriting import erase_dead, functions_of
from irc.passes.streamline.streamline_linear import FLOAT32_BITS, UNIT_ROUNDOFF

Array = npt.NDArray[Any]

MARGIN = "bnn.margin"
"""On a threshold: `"exact"`, or pairs [channel, accumulator] that float32 rounding may decide."""

MAX_LISTED = 64


def margin_of(op: bnn.ThresholdOp) -> list[tuple[int, int]] | None:
    """The ambiguous pairs (channel, accumulator) that the search recorded; `None` if it did not.

    An empty list means: exact for any evaluation order.
    """
    match op.attributes.get(MARGIN):
        case StringAttr():
            return []
        case ArrayAttr() as pairs:
            numbers = [a.value.data for a in pairs.data if isinstance(a, IntegerAttr)]
            return list(zip(numbers[::2], numbers[1::2], strict=True))
        case _:
            return None


@dataclass
class Match:
    """A quantizer, the float functions before it in order, and the integer they start from."""

    quantizer: bnn.QuantizeOp
    functions: list[bnn.EwiseOp]
    source: SSAValue


def match_chain(quantizer: bnn.QuantizeOp) -> Match | None:
    """Walk from a quantizer up to the cast of an exact value; `None` where floats come first."""
    functions: list[bnn.EwiseOp] = []
    value = quantizer.input
    while isinstance(value.owner, bnn.EwiseOp):
        functions.append(value.owner)
        value = value.owner.input
    if not isinstance(value.owner, bnn.CastOp):
        return None
    return Match(quantizer, functions[::-1], value.owner.input)


def fold(match: Match, analysis: RangeAnalysis) -> None:
    """Replace the quantizer by thresholds on the integer.

    Where the slope falls and the integer is a sum that nothing else reads, the weight row is
    negated, so that every threshold is `acc >= t`.
    """
    source, quantizer = match.source, match.quantizer
    reachable = analysis.of(source)
    assert reachable is not None
    chain = Chain(match.functions, quantizer, _sum_error(source, reachable))
    full = reachable.expanded(max(chain.channels, reachable.channels))
    direction = chain.direction()
    if direction is None:
        steps = tabulate(chain, full)
        at = steps.at
    else:
        levels = find_levels(chain, full, direction)
        at = levels.at
        flipped = _flip_rows(source, levels.falling) if bool(levels.falling.any()) else None
        if flipped is not None:
            fell = levels.falling
            levels, source = levels.flipped(fell, full), flipped
            steps = levels.steps(full.flipped(fell))
        else:
            steps = levels.steps(full)
    ambiguous = find_ambiguous(chain, full, at)
    element_type = bnn.frame_type(quantizer.output).element_type
    steps, element_type = _as_bipolar(steps, element_type)
    op = _threshold(source, steps, element_type)
    op.location = quantizer.location
    op.attributes[MARGIN] = _margin_attribute(ambiguous)
    Rewriter.insert_op(op, InsertPoint.before(quantizer))
    _replace_quantizer(quantizer, op)


def _sum_error(source: SSAValue, reachable: Reachable) -> float:
    """How far a float32 sum can be from the integer: nothing while 24 bits hold every sum."""
    if not isinstance(source.owner, bnn.LinearOp):
        return 0.0
    largest = int(max(np.abs(reachable.low).max(), np.abs(reachable.high).max()))
    if largest <= 1 << FLOAT32_BITS:
        return 0.0
    return source.owner.weights.shape[1] * UNIT_ROUNDOFF * largest


def _flip_rows(source: SSAValue, rows: Array) -> SSAValue | None:
    """Negate rows of the weights that make `source`: `−(W·x)[m] = (−W[m])·x`.

    `None` where something else reads the sums, or where a negated weight leaves its type.
    """
    linear = source.owner
    if not isinstance(linear, bnn.LinearOp):
        return None
    readers = {use.operation for use in source.uses}
    casts = [op for op in readers if isinstance(op, bnn.CastOp)]
    if len(casts) != len(readers) or len(casts) != 1 or not _feeds_one_quantizer(casts[0]):
        return None
    weights = linear.weights.numpy().astype(np.int64)
    mask = np.broadcast_to(rows, (len(weights),))
    negated = np.where(mask[:, None], -weights, weights)
    low, high = element_range(linear.weights.element_type)
    if int(negated.min(initial=0)) < low or int(negated.max(initial=0)) > high:
        return None
    low, high = element_range(bnn.frame_type(linear.output).element_type)
    element_type = bnn.smallest_int(min(low, -high), max(high, -low))
    flipped = bnn.LinearOp(
        linear.input, bnn.DenseAttr.from_numpy(negated, linear.weights.element_type), element_type
    )
    flipped.location = linear.location
    Rewriter.insert_op(flipped, InsertPoint.before(linear))
    return flipped.output


def _feeds_one_quantizer(op: Operation) -> bool:
    while True:
        readers = [use.operation for use in op.results[0].uses]
        if len(readers) != 1:
            return False
        op = readers[0]
        if isinstance(op, bnn.QuantizeOp):
            return True
        if not isinstance(op, bnn.EwiseOp):
            return False


def _as_bipolar(steps: Steps, element_type: Attribute) -> tuple[Steps, Attribute]:
    """A ternary sign that never gives 0 is bipolar: both its thresholds are the same."""
    is_sign_without_zero = (
        not isinstance(element_type, bnn.BipolarType)
        and steps.bias == -1
        and steps.at.shape[1] == 2
        and bool((steps.at[:, 0] == steps.at[:, 1]).all())
        and bool((steps.steps == 1).all())
    )
    if not is_sign_without_zero:
        return steps, element_type
    return Steps(steps.at[:, :1], steps.steps[:, :1], 0), bnn.bipolar


def _threshold(source: SSAValue, steps: Steps, element_type: Attribute) -> bnn.ThresholdOp:
    at, step = steps.at, steps.steps
    alike = len(at) > 1 and bool((at == at[:1]).all()) and bool((step == step[:1]).all())
    if alike:
        at, step = at[:1], step[:1]
    rising = bool((step == 1).all())
    return bnn.ThresholdOp(
        source,
        bnn.DenseAttr.from_integers(at),
        element_type,
        steps.bias,
        None if rising else bnn.DenseAttr.from_integers(step),
    )


def _margin_attribute(ambiguous: list[tuple[int, int]]) -> Attribute:
    if not ambiguous:
        return StringAttr("exact")
    listed = ambiguous[:MAX_LISTED]
    return ArrayAttr([IntegerAttr(number, i64) for pair in listed for number in pair])


def _replace_quantizer(quantizer: bnn.QuantizeOp, op: bnn.ThresholdOp) -> None:
    """Let every reader use the thresholds; they may have narrowed ternary to bipolar."""
    for use in list(quantizer.output.uses):
        use.operation.operands[use.index] = op.output
    quantizer.detach()
    quantizer.erase()


@dataclass(frozen=True)
class FoldThresholds(ModulePass):
    """Turn cast, float functions and quantizer into exact integer thresholds, with a margin."""

    name = "fold-thresholds"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions_of(op):
            self._fold_function(function)

    def _fold_function(self, function: FuncOp) -> None:
        analysis = RangeAnalysis()
        for op in list(function.body.block.ops):
            if isinstance(op, bnn.QuantizeOp):
                match = match_chain(op)
                if match is not None and is_exact(bnn.frame_type(match.source).element_type):
                    fold(match, analysis)
        erase_dead(function)
