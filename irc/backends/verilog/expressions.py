"""Verilog expressions for `comb` operations.

Every operand of an operator has the width of its result, and every change of width is a
concatenation or a select, whose operands Verilog sizes by themselves. So no expression here depends
on the width of what it is assigned to, whichever way expressions are nested.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.dialects import comb

DECIMAL_WIDTH = 32
"""Constants of at most this many bits print in decimal, wider ones in hexadecimal."""

SHIFT_AMOUNT_WIDTH = 32
"""Verilator has no shifts by amounts of more bits than this."""

_ASSOCIATIVE: dict[type[comb.VariadicCombOperation], str] = {
    comb.AddOp: "+",
    comb.MulOp: "*",
    comb.AndOp: "&",
    comb.OrOp: "|",
    comb.XorOp: "^",
}

_BINARY: dict[type[comb.BinCombOperation], str] = {
    comb.SubOp: "-",
    comb.DivUOp: "/",
    comb.ModUOp: "%",
    comb.DivSOp: "/",
    comb.ModSOp: "%",
    comb.ShlOp: "<<",
    comb.ShrUOp: ">>",
    comb.ShrSOp: ">>>",
}

_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=", "<", "<=", ">", ">=")
_SIGNED_PREDICATES = range(2, 6)


@dataclass(frozen=True, slots=True)
class Expr:
    """A piece of Verilog: `operator` is empty for what never needs parentheses.

    A complement needs none either: it binds tighter than any operator with two operands.

    `signed_text`, where there is one, is a shorter spelling of `$signed(text)`.
    """

    text: str
    operator: str = ""
    signed_text: str = ""

    @property
    def atom(self) -> str:
        """The text as an operand of anything."""
        return self.text if self.operator in ("", "~") else f"({self.text})"

    @property
    def as_index(self) -> str:
        """The text as an index.

        Indices are self-determined, but Icarus Verilog computes them in more bits: the carry of a
        sum that should wrap around would point behind the end. A concatenation keeps the width.
        """
        return f"{{{self.text}}}" if self.operator else self.text

    @property
    def as_signed(self) -> str:
        """The text as a signed operand."""
        return self.signed_text or f"$signed({self.text})"


def constant(value: int, width: int) -> Expr:
    """A sized literal of the unsigned `value`."""
    if width == 1:
        return Expr(f"1'b{value}")
    if width <= DECIMAL_WIDTH:
        sign_bit = 1 << (width - 1)
        negative = f"-{width}'sd{2 * sign_bit - value}"
        signed = negative if value & sign_bit else f"{width}'sd{value}"
        return Expr(f"{width}'d{value}", signed_text=signed)
    return Expr(f"{width}'h{value:x}")


def index(name: str, high: int, low: int, width: int) -> Expr:
    """Bits `high` to `low` of the signal `name` of `width` bits."""
    if width == high - low + 1:
        return Expr(name)
    return Expr(f"{name}[{high}]" if high == low else f"{name}[{high}:{low}]")


def concat(parts: Sequence[Expr]) -> Expr:
    """The parts side by side, most significant first."""
    return Expr("{" + ", ".join(part.text for part in parts) + "}")


def replicate(part: Expr, count: int) -> Expr:
    """`count` copies side by side."""
    return Expr(f"{{{count}{{{part.text}}}}}")


def zero_extend(part: Expr, extra: int) -> Expr:
    """`part` with `extra` zeros above."""
    return concat([constant(0, extra), part]) if extra else part


def invert(operand: Expr) -> Expr:
    """Bitwise complement."""
    return Expr(f"~{operand.atom}", "~")


def associative(op_type: type[comb.VariadicCombOperation], operands: Sequence[Expr]) -> Expr:
    """An n-ary operation; operands with the same operator need no parentheses."""
    if len(operands) == 1:
        return operands[0]
    operator = _ASSOCIATIVE[op_type]
    texts = [expr.text if expr.operator == operator else expr.atom for expr in operands]
    return Expr(f" {operator} ".join(texts), operator)


def binary(op_type: type[comb.BinCombOperation], lhs: Expr, rhs: Expr) -> Expr:
    """A binary operation; signed ones are shielded from unsigned surroundings."""
    operator = _BINARY[op_type]
    if op_type is comb.ShrSOp:
        return Expr(f"$unsigned({lhs.as_signed} {operator} {rhs.atom})")
    if op_type in (comb.DivSOp, comb.ModSOp):
        return Expr(f"$unsigned({lhs.as_signed} {operator} {rhs.as_signed})")
    return Expr(f"{lhs.atom} {operator} {rhs.atom}", operator)


def compare(predicate: int, lhs: Expr, rhs: Expr) -> Expr:
    """A comparison; `predicate` counts as in `comb.icmp`."""
    operator = _COMPARISONS[predicate]
    if predicate in _SIGNED_PREDICATES:
        return Expr(f"{lhs.as_signed} {operator} {rhs.as_signed}", operator)
    return Expr(f"{lhs.atom} {operator} {rhs.atom}", operator)


def reduce_and(operand: Expr) -> Expr:
    """Whether all bits are 1."""
    return Expr(f"&{operand.atom}", "&1")


def reduce_or(operand: Expr) -> Expr:
    """Whether any bit is 1."""
    return Expr(f"|{operand.atom}", "|1")


def mux(cond: Expr, if_true: Expr, if_false: Expr) -> Expr:
    """`if_true` where `cond` is 1."""
    return Expr(f"{cond.atom} ? {if_true.atom} : {if_false.atom}", "?")


def declaration(kind: str, width: int, name: str) -> str:
    """`wire [7:0] name`; scalars have no range."""
    return f"{kind} {name}" if width == 1 else f"{kind} [{width - 1}:0] {name}"
