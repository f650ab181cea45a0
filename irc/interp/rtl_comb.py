"""The meaning of combinational operations, as Python expressions on unsigned integers.

Two-state. What `comb` leaves undefined is 0 here: division by zero, and an array index beyond the
end.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import comb, hw
from xdsl.dialects.builtin import IntegerType
from xdsl.ir import Attribute, Operation, SSAValue

from irc.dialects import rtl

PREDICATES = ("==", "!=", "<", "<=", ">", ">=", "<", "<=", ">", ">=")
SIGNED_PREDICATES = range(2, 6)


def width_of_type(value_type: Attribute) -> int:
    """Bits of an integer, an array of them, or a clock (1)."""
    match value_type:
        case IntegerType():
            return value_type.width.data
        case hw.ArrayType():
            return len(value_type) * width_of_type(value_type.get_element_type())
        case _:
            return 1


def width(value: SSAValue) -> int:
    """Bits of a value."""
    return width_of_type(value.type)


def mask(bits: int) -> int:
    """A number of `bits` ones."""
    return (1 << bits) - 1


def signed(text: str, bits: int) -> str:
    """An expression for the two's complement value of an unsigned one."""
    sign = 1 << (bits - 1)
    return f"(({text} ^ {sign}) - {sign})"


def divide(dividend: int, divisor: int) -> int:
    """The quotient, rounded toward zero."""
    if divisor == 0:
        return 0
    quotient = abs(dividend) // abs(divisor)
    return quotient if (dividend < 0) == (divisor < 0) else -quotient


def remainder(dividend: int, divisor: int) -> int:
    """What `divide` leaves; it has the sign of the dividend."""
    return dividend - divisor * divide(dividend, divisor) if divisor else 0


HELPERS = {"divide": divide, "remainder": remainder}
"""Names that the expressions use."""

_JOINED: dict[type[Operation], str] = {
    comb.AddOp: " + ",
    comb.MulOp: " * ",
    comb.AndOp: " & ",
    comb.OrOp: " | ",
    comb.XorOp: " ^ ",
}


def expression(op: Operation, args: Sequence[str]) -> str | None:
    """The result of `op`, given names of its operands; None if `op` is not combinational."""
    bits = width(op.results[0]) if op.results else 0
    match op:
        case hw.ConstantOp():
            return str(op.value.value.data & mask(bits))
        case comb.AddOp() | comb.MulOp():
            return f"({_JOINED[type(op)].join(args)}) & {mask(bits)}"
        case comb.AndOp() | comb.OrOp() | comb.XorOp():
            return _JOINED[type(op)].join(args)
        case comb.BinCombOperation():
            return _binary(op, args[0], args[1], bits)
        case comb.ICmpOp():
            return _compare(op, args[0], args[1])
        case comb.ExtractOp():
            return f"({args[0]} >> {op.low_bit.value.data}) & {mask(bits)}"
        case comb.ConcatOp() | hw.ArrayCreateOp():
            return _concat(op.inputs, args)
        case comb.ReplicateOp():
            step = width(op.input)
            return f"{args[0]} * {sum(1 << low for low in range(0, bits, step))}"
        case comb.MuxOp():
            return f"{args[1]} if {args[0]} else {args[2]}"
        case hw.ArrayGetOp():
            return f"({args[0]} >> {args[1]} * {bits}) & {mask(bits)}"
        case rtl.PopcountOp():
            return f"{args[0]}.bit_count()"
        case rtl.WireOp() | hw.BitcastOp():
            return args[0]
        case _:
            return None


def _binary(op: comb.BinCombOperation, lhs: str, rhs: str, bits: int) -> str:
    ones = mask(bits)
    match op:
        case comb.SubOp():
            return f"({lhs} - {rhs}) & {ones}"
        case comb.DivUOp():
            return f"{lhs} // {rhs} if {rhs} else 0"
        case comb.ModUOp():
            return f"{lhs} % {rhs} if {rhs} else 0"
        case comb.DivSOp():
            return f"divide({signed(lhs, bits)}, {signed(rhs, bits)}) & {ones}"
        case comb.ModSOp():
            return f"remainder({signed(lhs, bits)}, {signed(rhs, bits)}) & {ones}"
        case comb.ShlOp():
            return f"({lhs} << {rhs}) & {ones} if {rhs} < {bits} else 0"
        case comb.ShrUOp():
            return f"{lhs} >> {rhs} if {rhs} < {bits} else 0"
        case _:
            return f"({signed(lhs, bits)} >> min({rhs}, {bits})) & {ones}"


def _compare(op: comb.ICmpOp, lhs: str, rhs: str) -> str:
    predicate = op.predicate.value.data
    if predicate in SIGNED_PREDICATES:
        bits = width(op.lhs)
        lhs, rhs = signed(lhs, bits), signed(rhs, bits)
    return f"int({lhs} {PREDICATES[predicate]} {rhs})"


def _concat(inputs: Sequence[SSAValue], args: Sequence[str]) -> str:
    parts: list[str] = []
    low = 0
    for value, arg in zip(reversed(inputs), reversed(args), strict=True):
        parts.append(f"{arg} << {low}" if low else arg)
        low += width(value)
    return " | ".join(parts)
