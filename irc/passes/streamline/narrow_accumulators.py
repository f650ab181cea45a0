"""Give every sum the narrowest type that its actual weights and inputs can fill."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from irc.dialects import bnn
from irc.dialects.dense import element_range, is_exact
from irc.passes.analysis.branch_ranges import weighted_sum
from irc.passes.analysis.ranges import RangeAnalysis, Reachable
from irc.passes.rewriting import functions_of

_Sum = bnn.LinearOp | bnn.ConvOp | bnn.SumPoolOp | bnn.AddOp
"""Operations whose results are sums, whose width the weights decide."""


@dataclass(frozen=True)
class NarrowAccumulators(ModulePass):
    """Narrow the type of each sum to the integers that can occur, partial ones too.

    A product that has not been added yet counts as 0, so partial sums in any order lie within
    the sums of inputs whose intervals are extended to 0.
    """

    name = "narrow-accumulators"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions_of(op):
            fit_sums(function, RangeAnalysis())


def fit_sums(function: FuncOp, analysis: RangeAnalysis) -> None:
    """Give every sum of a function the narrowest type that holds what the analysis says."""
    for summing in function.body.block.ops:
        if isinstance(summing, _Sum):
            _narrow(summing, analysis)
    function.update_function_type()


def _narrow(summing: _Sum, analysis: RangeAnalysis) -> None:
    old_type = bnn.frame_type(summing.output).element_type
    if not is_exact(old_type):
        return
    values = _of_one_type(summing.output)
    readers = {use.operation for value in values for use in value.uses}
    if not all(isinstance(op, (*_ANY_WIDTH, *_TYPE_KEEPING)) for op in readers):
        return
    low = high = 0
    for value in values:
        if isinstance(value.owner, _TYPE_KEEPING):
            continue
        bounds = _bounds(value, analysis)
        if bounds is None:
            return
        low, high = min(low, bounds[0]), max(high, bounds[1])
    element_type = bnn.smallest_int(low, high)
    if element_type == old_type:
        return
    for value in values:
        shape = bnn.frame_type(value).get_shape()
        Rewriter.replace_value_with_new_type(value, TensorType(element_type, shape))


def _of_one_type(value: SSAValue) -> list[SSAValue]:
    """The sums, what only gives their elements other places or leaves some out, and what such
    operations give places beside them."""
    found = [value]
    for known in found:
        tied = [use.operation for use in known.uses if isinstance(use.operation, _TYPE_KEEPING)]
        tied += [known.owner] if isinstance(known.owner, _TYPE_KEEPING) else []
        for op in tied:
            found += [other for other in (*op.operands, *op.results) if other not in found]
    return found


def _bounds(value: SSAValue, analysis: RangeAnalysis) -> tuple[int, int] | None:
    """What a type for `value` has to hold; `None` where the type follows from something else."""
    op = value.owner
    if isinstance(op, bnn.ThresholdOp):
        return element_range(bnn.frame_type(value).element_type)
    if not isinstance(op, _Sum):
        return None
    sources = [analysis.of(operand) for operand in op.operands]
    known = [source.with_zero() for source in sources if source is not None]
    if len(known) != len(sources):
        return None
    sums = _sums(op, known, analysis)
    return int(sums.low.min(initial=0)), int(sums.high.max(initial=0))


def _sums(op: _Sum, sources: list[Reachable], analysis: RangeAnalysis) -> Reachable:
    match op:
        case bnn.LinearOp() | bnn.ConvOp():
            return analysis.sums(op, sources[0])
        case bnn.AddOp():
            return weighted_sum(op, *sources)
        case _:
            low, high = sources[0].low, sources[0].high
            return Reachable(low * op.window_size, high * op.window_size, sources[0].step)


_TYPE_KEEPING = (
    bnn.MaxPoolOp,
    bnn.ReshapeOp,
    bnn.TransposeOp,
    bnn.ConcatOp,
    bnn.SliceOp,
    bnn.UpsampleOp,
)

_ANY_WIDTH = (
    bnn.ThresholdOp,
    bnn.CastOp,
    bnn.ArgmaxOp,
    bnn.LinearOp,
    bnn.ConvOp,
    bnn.SumPoolOp,
    bnn.AddOp,
    ReturnOp,
)
"""Readers whose result type does not follow from that of the sums."""
