"""Give every reader of a float function a copy of its own."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import Float32Type, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from irc.dialects import bnn
from irc.passes.rewriting import functions_of

_CHEAP = (bnn.CastOp, bnn.EwiseOp)
"""What is copied; sums never are. Copies cost nothing in the end: thresholds absorb them."""


@dataclass(frozen=True)
class SplitChains(ModulePass):
    """Copy casts and float functions, so that each has one reader; x + x becomes 2·x.

    The other passes then move, absorb and change what leads to one reader without a thought for
    the others. Every copy leads to a reader that is no function, so that there are as many as such
    readers, at most, of each function.
    """

    name = "split-chains"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        split_chains(op)


def split_chains(module: ModuleOp) -> bool:
    """Returns whether anything changed."""
    changed = False
    for function in functions_of(module):
        changed |= _split_function(function)
    return changed


def _split_function(function: FuncOp) -> bool:
    changed = False
    # Last first: the functions that read a function have their readers by then.
    for op in reversed(list(function.body.block.ops)):
        if isinstance(op, bnn.AddOp) and op.lhs is op.rhs:
            changed |= _double(op)
        elif isinstance(op, _CHEAP):
            changed |= _split(op)
    return changed


def _double(op: bnn.AddOp) -> bool:
    """`x + x = 2·x`, to the bit."""
    if not isinstance(bnn.frame_type(op.output).element_type, Float32Type):
        return False
    twice = bnn.EwiseOp("mul", op.lhs, bnn.DenseAttr.from_floats(2.0))
    twice.location = op.location
    Rewriter.replace_op(op, twice)
    _split(twice)
    return True


def _split(op: Operation) -> bool:
    uses = list(op.results[0].uses)
    for use in uses[1:]:
        copy = op.clone()
        copy.location = op.location
        Rewriter.insert_op(copy, InsertPoint.after(op))
        use.operation.operands[use.index] = copy.results[0]
    return len(uses) > 1
