"""Absorb float functions between an integer and a quantizer into integer thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.context import Context
from xdsl.dialects.builtin import LocationAttr, ModuleOp, StringAttr, TensorType
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from irc.counters import count
from irc.dialects import bnn
from irc.dialects.dense import element_range, is_exact
from irc.dialects.locations import fused_location
from irc.notices import remark
from irc.passes.analysis.chain import Chain
from irc.passes.analysis.function_chain import ExactChain, exact_chain
from irc.passes.analysis.margin import Ambiguity, find_ambiguous
from irc.passes.analysis.ranges import RangeAnalysis, Reachable
from irc.passes.analysis.threshold_search import Steps, find_levels, is_tabulated, tabulate
from irc.passes.analysis.why_not import why_no_exact_chain
from irc.passes.rewriting import erase_dead, functions_of
from irc.rejections import reject

Array = npt.NDArray[Any]

MARGIN = "bnn.margin"
"""On a threshold: `"exact"`, or rows [channel, first, last]: accumulators at which float32
rounding may decide."""


NEGATE_ROWS = "negate rows of weights"
"""What is rejected where a quantizer falls with its sums: its steps then fall, too."""


def margin_of(op: bnn.ThresholdOp) -> list[Ambiguity] | None:
    """The ambiguous accumulators that the search recorded; `None` if it did not.

    An empty list means: exact for any evaluation order.
    """
    match op.attributes.get(MARGIN):
        case StringAttr():
            return []
        case bnn.DenseAttr() as rows:
            return [Ambiguity(*row) for row in rows.numpy().tolist()]
        case _:
            return None


def fold(quantizer: bnn.Quantizer, found: ExactChain, analysis: RangeAnalysis) -> None:
    """Replace a quantizer of float functions of an integer by thresholds on the integer.

    Where the slope falls and the integer is a sum that nothing else reads, the weight row is
    negated, so that every threshold is `acc >= t`.
    """
    source = found.source
    reachable = analysis.of(source)
    assert reachable is not None
    chain = Chain(found.functions, quantizer)
    full = reachable.expanded(max(chain.channels, reachable.channels))
    ambiguous = find_ambiguous(chain, full)
    direction = chain.direction()
    if direction is None or is_tabulated(chain, full):
        steps = tabulate(chain, full)
    else:
        levels = find_levels(chain, full, direction)
        flipped = _flip_rows(source, levels.falling) if bool(levels.falling.any()) else None
        if flipped is not None:
            source, fell = flipped, levels.falling
            levels, full = levels.flipped(fell, full), full.flipped(fell)
            ambiguous = [
                Ambiguity(c, -last, -first) if fell[c] else Ambiguity(c, first, last)
                for c, first, last in ambiguous
            ]
        steps = levels.steps(full)
    replace_by_threshold(quantizer, source, steps, full, ambiguous)


def replace_by_threshold(
    quantizer: bnn.Quantizer,
    source: SSAValue,
    steps: Steps,
    full: Reachable,
    ambiguous: list[Ambiguity],
) -> None:
    """Let thresholds on `source`, of which `full` is reachable, take the quantizer's place."""
    element_type = bnn.frame_type(quantizer.output).element_type
    bits = steps.as_bits(full) if _may_become_bipolar(quantizer) else None
    if bits is not None:
        steps, element_type = bits, bnn.bipolar
    op = _threshold(source, steps, element_type)
    made = source.owner.location if isinstance(source.owner, Operation) else None
    functions = _functions_before(quantizer)
    op.location = fused_location(quantizer.location, *functions, without=made)
    op.attributes[MARGIN] = margin_attribute(ambiguous)
    Rewriter.insert_op(op, InsertPoint.before(quantizer))
    _replace_quantizer(quantizer, op)
    count("quantizers folded")
    if ambiguous:
        remark(_doubt(ambiguous), op.location)


def _doubt(ambiguous: Sequence[Ambiguity]) -> str:
    """What another runtime may decide otherwise: the first place, and how many more there are."""
    channel, first, last = ambiguous[0]
    reach = f"{first} to {last}" if last > first else str(first)
    more = f", and at {len(ambiguous) - 1} more places" if len(ambiguous) > 1 else ""
    return f"float32 rounding in another order could decide at {reach} in channel {channel}{more}"


def _functions_before(quantizer: bnn.Quantizer) -> list[LocationAttr]:
    """The locations of the functions of integers that end in a quantizer, first to last."""
    found: dict[Operation, None] = {}
    pending: list[SSAValue] = [quantizer.input]
    while pending:
        op = pending.pop().owner
        if isinstance(op, bnn.EwiseOp | bnn.CastOp | bnn.AddOp | bnn.ReshapeOp) and op not in found:
            found[op] = None
            pending += [v for v in op.operands if not is_exact(bnn.frame_type(v).element_type)]
    return [op.location for op in reversed(found)]


_TYPE_KEEPING = (
    bnn.MaxPoolOp,
    bnn.ReshapeOp,
    bnn.TransposeOp,
    bnn.SliceOp,
    bnn.UpsampleOp,
)
"""Operations whose result has the element type of their operand."""


def _may_become_bipolar(quantizer: bnn.Quantizer) -> bool:
    """Whether every reader of an integer, which may turn out never to be 0, takes a sign too."""
    if isinstance(bnn.frame_type(quantizer.output).element_type, bnn.BipolarType):
        return False
    takes_signs = (
        bnn.CastOp,
        bnn.LinearOp,
        bnn.ThresholdOp,
        bnn.ConvOp,
        bnn.SumPoolOp,
        bnn.AddOp,
    )
    return all(
        isinstance(op, takes_signs) or _is_plain_pad(op)
        for op in _readers(quantizer.output)
        if not isinstance(op, _TYPE_KEEPING)
    )


def _readers(value: SSAValue) -> list[Operation]:
    """All that read a value, also behind operations that keep its type."""
    found: list[Operation] = []
    pending = [value]
    while pending:
        for use in pending.pop().uses:
            found.append(use.operation)
            if isinstance(use.operation, _TYPE_KEEPING):
                pending.append(use.operation.output)
    return found


def _is_plain_pad(op: Operation) -> bool:
    """Whether a border goes around a value and the result may stay of an integer type, −1 in it."""
    return isinstance(op, bnn.PadOp) and _holds_signs(bnn.frame_type(op.output).element_type)


def _holds_signs(element_type: Attribute) -> bool:
    is_bipolar = isinstance(element_type, bnn.BipolarType)
    return not is_bipolar and element_range(element_type)[0] < 0


def _flip_rows(source: SSAValue, rows: Array) -> SSAValue | None:
    """Negate rows of the weights that make `source`: `−(W·x)[m] = (−W[m])·x`.

    `None` where something else reads the sums, or where a negated weight leaves its type.
    """
    op = source.owner
    if not isinstance(op, bnn.LinearOp | bnn.ConvOp):
        return None
    readers = {use.operation for use in source.uses}
    casts = [reader for reader in readers if isinstance(reader, bnn.CastOp)]
    if len(casts) != len(readers) or len(casts) != 1 or not _feeds_one_quantizer(casts[0]):
        reject(op, NEGATE_ROWS, "others read its sums than the one quantizer that falls with them")
        return None
    weights = op.weights.numpy().astype(np.int64)
    mask = np.broadcast_to(rows, (len(weights),))
    negated = np.where(mask.reshape(-1, *(1 for _ in weights.shape[1:])), -weights, weights)
    low, high = element_range(op.weights.element_type)
    if int(negated.min(initial=0)) < low or int(negated.max(initial=0)) > high:
        kind = op.weights.element_type
        reject(op, NEGATE_ROWS, f"not all weights can be negated and stay {kind}, {low} to {high}")
        return None
    low, high = element_range(bnn.frame_type(op.output).element_type)
    element_type = bnn.smallest_int(min(low, -high), max(high, -low))
    attribute = bnn.DenseAttr.from_numpy(negated, op.weights.element_type)
    flipped = type(op).create(
        operands=[op.input],
        result_types=[TensorType(element_type, bnn.frame_type(op.output).get_shape())],
        properties={**op.properties, "weights": attribute},
    )
    flipped.location = op.location
    Rewriter.insert_op(flipped, InsertPoint.before(op))
    return flipped.results[0]


def _feeds_one_quantizer(op: Operation) -> bool:
    while True:
        readers = [use.operation for use in op.results[0].uses]
        if len(readers) != 1:
            return False
        op = readers[0]
        if isinstance(op, bnn.Quantizer):
            return True
        if not isinstance(op, bnn.EwiseOp):
            return False


def _threshold(source: SSAValue, steps: Steps, element_type: Attribute) -> bnn.ThresholdOp:
    at, step = steps.at, steps.steps
    alike = len(at) > 1 and bool((at == at[:1]).all()) and bool((step == step[:1]).all())
    if alike:
        at, step = at[:1], step[:1]
    return threshold_of(source, Steps(at, step, steps.bias), element_type)


def threshold_of(source: SSAValue, steps: Steps, element_type: Attribute) -> bnn.ThresholdOp:
    """Thresholds on `source` with these steps, which go without saying where all are one."""
    rising = bool((steps.steps == 1).all())
    return bnn.ThresholdOp(
        source,
        bnn.DenseAttr.from_integers(steps.at),
        element_type,
        steps.bias,
        None if rising else bnn.DenseAttr.from_integers(steps.steps),
    )


def margin_attribute(ambiguous: list[Ambiguity]) -> Attribute:
    """What `margin_of` reads again."""
    return bnn.DenseAttr.from_integers(np.array(ambiguous)) if ambiguous else StringAttr("exact")


def _replace_quantizer(quantizer: bnn.Quantizer, op: bnn.ThresholdOp) -> None:
    """Let every reader use the thresholds; they may have narrowed ternary to bipolar."""
    element_type = bnn.frame_type(op.output).element_type
    if element_type != bnn.frame_type(quantizer.output).element_type:
        for reader in _readers(quantizer.output):
            if isinstance(reader, _TYPE_KEEPING):
                shape = bnn.frame_type(reader.output).get_shape()
                narrow = TensorType(element_type, shape)
                Rewriter.replace_value_with_new_type(reader.output, narrow)
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
            if isinstance(op, bnn.Quantizer):
                found = exact_chain(op.input)
                if found is None:
                    reject(op, self.name, lambda op=op: why_no_exact_chain(op.input))
                elif is_exact(bnn.frame_type(found.source).element_type):
                    fold(op, found, analysis)
        erase_dead(function)
