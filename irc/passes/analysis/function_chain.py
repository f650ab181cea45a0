"""Element-wise float functions that lead to a value, and what they begin with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.ir import SSAValue

from irc.dialects import bnn


def functions_to(value: SSAValue) -> tuple[list[bnn.EwiseOp], SSAValue]:
    """The element-wise functions that lead to `value`, in program order, and what the first of
    them reads: `value` itself where there are none."""
    functions: list[bnn.EwiseOp] = []
    while isinstance(value.owner, bnn.EwiseOp):
        functions.append(value.owner)
        value = value.owner.input
    return functions[::-1], value


@dataclass(frozen=True)
class ExactChain:
    """Element-wise functions, in program order, of the cast of an exact value."""

    cast: bnn.CastOp
    functions: list[bnn.EwiseOp]

    @property
    def source(self) -> SSAValue:
        """The exact value."""
        return self.cast.input


def exact_chain(value: SSAValue) -> ExactChain | None:
    """See a float value as such a chain; `None` where it begins with anything but a cast."""
    functions, start = functions_to(value)
    return ExactChain(start.owner, functions) if isinstance(start.owner, bnn.CastOp) else None


def functions_behind(value: SSAValue, functions: Sequence[bnn.EwiseOp]) -> list[bnn.EwiseOp]:
    """New operations that apply the same functions, in the order given, to another value."""
    new_ops: list[bnn.EwiseOp] = []
    for op in functions:
        properties = (op.constant, op.constant_error, op.result_error)
        new_ops.append(bnn.EwiseOp(op.fn.data, value, *properties))
        new_ops[-1].location = op.location
        value = new_ops[-1].output
    return new_ops
