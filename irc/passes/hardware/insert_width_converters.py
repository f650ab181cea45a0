"""Put width converters where a unit takes another number of lanes than the one before gives."""

from __future__ import annotations

import math
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from irc.dialects import dataflow
from irc.passes.rewriting import functions_of

LanedNode = dataflow.FoldedNode | dataflow.SpatialNode | dataflow.BranchNode


@dataclass(frozen=True)
class InsertWidthConverters(ModulePass):
    """Convert by one step where the lanes divide, otherwise by way of their least common multiple.

    That one divides the frame whenever both do: lanes that divide n have a least common multiple
    that divides n.
    """

    name = "insert-width-converters"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions_of(op):
            for unit in list(function.body.block.ops):
                if isinstance(unit, LanedNode):
                    _convert_inputs(unit)


def _convert_inputs(unit: LanedNode) -> None:
    for index, operand in enumerate(unit.operands):
        value = operand
        for lanes in conversion_steps(dataflow.stream_type(value).lanes, unit.input_lanes()):
            value = _insert_converter(value, lanes, unit)
        unit.operands[index] = value


def conversion_steps(have: int, want: int) -> list[int]:
    """The lanes after each converter on the way from `have` to `want`."""
    if have == want:
        return []
    if have % want == 0 or want % have == 0:
        return [want]
    return [math.lcm(have, want), want]


def _insert_converter(value: SSAValue, lanes: int, unit: LanedNode) -> SSAValue:
    converter = dataflow.WidthConverterOp(value, lanes)
    converter.location = unit.location
    Rewriter.insert_op(converter, InsertPoint.before(unit))
    return converter.output
