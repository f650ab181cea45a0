"""Give every sum the narrowest type that its actual weights and inputs can fill."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.dialects.func import ReturnOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from irc.dialects import bnn
from irc.dialects.dense import is_exact
from irc.passes.analysis.ranges import RangeAnalysis, Reachable, conv_range, linear_range
from irc.passes.rewriting import functions_of


@dataclass(frozen=True)
class NarrowAccumulators(ModulePass):
    """Narrow the type of each linear operation to the sums that can occur, partial ones too.

    A product that has not been added yet counts as 0, so partial sums in any order lie within
    the sums of inputs whose intervals are extended to 0.
    """

    name = "narrow-accumulators"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions_of(op):
            analysis = RangeAnalysis()
            for linear in function.body.block.ops:
                if isinstance(linear, bnn.LinearOp | bnn.ConvOp | bnn.SumPoolOp):
                    _narrow(linear, analysis)
            function.update_function_type()


def _narrow(linear: bnn.LinearOp | bnn.ConvOp | bnn.SumPoolOp, analysis: RangeAnalysis) -> None:
    result = bnn.frame_type(linear.output)
    source = analysis.of(linear.input)
    if source is None or not is_exact(result.element_type):
        return
    values = _of_one_type(linear.output)
    readers = {use.operation for value in values for use in value.uses}
    if not all(isinstance(op, _ANY_WIDTH) or op.results[0] in values for op in readers):
        return
    sums = _sums(linear, source.with_zero())
    low, high = int(sums.low.min(initial=0)), int(sums.high.max(initial=0))
    element_type = bnn.smallest_int(low, high)
    if element_type == result.element_type:
        return
    for value in values:
        shape = bnn.frame_type(value).get_shape()
        Rewriter.replace_value_with_new_type(value, TensorType(element_type, shape))


def _of_one_type(value: SSAValue) -> list[SSAValue]:
    """The sums, and what only gives their elements other places or leaves some out."""
    found = [value]
    for known in found:
        found += [
            use.operation.output for use in known.uses if isinstance(use.operation, _TYPE_KEEPING)
        ]
    return found


def _sums(op: bnn.LinearOp | bnn.ConvOp | bnn.SumPoolOp, source: Reachable) -> Reachable:
    match op:
        case bnn.LinearOp():
            return linear_range(op.weights, source)
        case bnn.ConvOp():
            return conv_range(op, source)
        case _:
            return Reachable(source.low * op.window_size, source.high * op.window_size, source.step)


_TYPE_KEEPING = (bnn.MaxPoolOp, bnn.ReshapeOp, bnn.TransposeOp)

_ANY_WIDTH = (
    bnn.ThresholdOp,
    bnn.CastOp,
    bnn.ArgmaxOp,
    bnn.LinearOp,
    bnn.ConvOp,
    bnn.SumPoolOp,
    ReturnOp,
)
"""Readers whose result type does not follow from that of the sums."""
