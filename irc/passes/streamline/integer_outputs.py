"""Return integer results as integers, where the model only casts them to float."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import FunctionType, ModuleOp
from xdsl.dialects.func import ReturnOp
from xdsl.passes import ModulePass

from irc.dialects import bnn
from irc.passes.rewriting import erase_dead, functions_of


@dataclass(frozen=True)
class IntegerOutputs(ModulePass):
    """Return x instead of cast(x): the same numbers, without floating point."""

    name = "integer-outputs"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions_of(op):
            terminator = function.body.block.last_op
            assert isinstance(terminator, ReturnOp)
            for index, value in enumerate(terminator.arguments):
                if isinstance(value.owner, bnn.CastOp):
                    terminator.operands[index] = value.owner.input
            function.function_type = FunctionType.from_lists(
                list(function.function_type.inputs), [v.type for v in terminator.arguments]
            )
            erase_dead(function)
