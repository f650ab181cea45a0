"""Which operations of hardware modules do nothing but compute their results.

xDSL's `comb`, `hw` and `seq` say nothing of effects, so that its own `cse` and `dce` leave them
alone.
"""

from __future__ import annotations

from xdsl.dialects import comb, hw, seq
from xdsl.ir import Operation
from xdsl.traits import is_side_effect_free

from irc.dialects import rtl

_COMBINATIONAL = tuple(op for op in comb.Comb.operations)
_VALUES = (hw.ConstantOp, hw.ArrayCreateOp, hw.ArrayGetOp, hw.BitcastOp, seq.ConstClockOp)
_STATE = (seq.CompRegOp, rtl.RomOp)
"""Registers and memories that nothing but their operands writes: equal ones always hold the same,
and without readers nobody misses them."""


def only_computes(op: Operation) -> bool:
    """Whether an operation can be merged with an equal one, and goes where nobody reads it."""
    if op.get_attr_or_prop("inner_sym") is not None:
        # A name that others refer to: bindings, probes, constraints.
        return False
    return isinstance(op, _COMBINATIONAL + _VALUES + _STATE) or is_side_effect_free(op)
