"""Combinational expressions on SSA values, with constant folding and sharing.

The part of `HwBuilder` that knows nothing of ports, registers and memories.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

from xdsl.dialects import comb, hw
from xdsl.ir import SSAValue

from irc.dialects import rtl
from irc.passes.hardware.hw_bits import HwBits
from irc.passes.hardware.hw_core import Value, constant_of, signed

_PREDICATES: dict[str, Callable[[int, int], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
}

_SWAPPED = {
    "ult": "ugt",
    "ule": "uge",
    "ugt": "ult",
    "uge": "ule",
    "slt": "sgt",
    "sle": "sge",
    "sgt": "slt",
    "sge": "sle",
}
"""Predicates that say the same of exchanged operands; eq and ne stay."""


class HwExpressions(HwBits):
    """Arithmetic, logic, comparison and selection.

    Every method returns a value; widths are those of the operands unless stated otherwise.
    Operands of different widths raise `ValueError`.
    """

    # Arithmetic and logic

    def _variadic(
        self,
        op_type: type[comb.VariadicCombOperation],
        function: Callable[[int, int], int],
        identity: int,
        values: Sequence[Value],
    ) -> SSAValue:
        """Fold the constants of an associative, commutative operation into one."""
        operands = self.align(*values)
        width = self.width(operands[0])
        mask = (1 << width) - 1
        constants = [c for c in map(constant_of, operands) if c is not None]
        signals = [value for value in operands if constant_of(value) is None]
        constant = reduce(function, constants, identity) & mask
        absorbing = mask if op_type is comb.OrOp else 0
        absorbs = op_type in (comb.AndOp, comb.OrOp, comb.MulOp)
        if not signals or (absorbs and constant == absorbing):
            return self.const(constant, width)
        if constant != identity & mask:
            signals.append(self.const(constant, width))
        if len(signals) == 1:
            return signals[0]
        return self.shared(op_type, tuple(map(id, signals)), lambda: op_type(signals))

    def add(self, *values: Value) -> SSAValue:
        """The sum, modulo 2^width."""
        return self._variadic(comb.AddOp, lambda a, b: a + b, 0, values)

    def mul(self, *values: Value) -> SSAValue:
        """The product, modulo 2^width."""
        return self._variadic(comb.MulOp, lambda a, b: a * b, 1, values)

    def and_(self, *values: Value) -> SSAValue:
        """Bitwise and."""
        return self._variadic(comb.AndOp, lambda a, b: a & b, -1, values)

    def or_(self, *values: Value) -> SSAValue:
        """Bitwise or."""
        return self._variadic(comb.OrOp, lambda a, b: a | b, 0, values)

    def xor(self, *values: Value) -> SSAValue:
        """Bitwise exclusive or."""
        return self._variadic(comb.XorOp, lambda a, b: a ^ b, 0, values)

    def not_(self, value: SSAValue) -> SSAValue:
        """Bitwise complement; twice gives the value itself."""
        owner = value.owner
        if isinstance(owner, comb.XorOp) and len(owner.inputs) == 2:
            first, second = owner.inputs
            if constant_of(second) == (1 << self.width(value)) - 1:
                return first
        return self.xor(value, -1)

    def xnor(self, a: Value, b: Value) -> SSAValue:
        """Bitwise equality: `not (a xor b)`."""
        return self.not_(self.xor(a, b))

    def sub(self, a: Value, b: Value) -> SSAValue:
        """The difference `a - b`, modulo 2^width."""
        lhs, rhs = self.align(a, b)
        width = self.width(lhs)
        left, right = constant_of(lhs), constant_of(rhs)
        if left is not None and right is not None:
            return self.const((left - right) & ((1 << width) - 1), width)
        if right == 0:
            return lhs
        return self.shared(comb.SubOp, (id(lhs), id(rhs)), lambda: comb.SubOp(lhs, rhs))

    def _shift(self, op_type: type[comb.BinCombOperation], a: Value, b: Value) -> SSAValue:
        lhs, rhs = self.align(a, b)
        if constant_of(rhs) == 0:
            return lhs
        return self.shared(op_type, (id(lhs), id(rhs)), lambda: op_type(lhs, rhs))

    def shl(self, value: Value, amount: Value) -> SSAValue:
        """Shift left; the amount has the width of the value."""
        return self._shift(comb.ShlOp, value, amount)

    def shr(self, value: Value, amount: Value) -> SSAValue:
        """Shift right, filling with zeros."""
        return self._shift(comb.ShrUOp, value, amount)

    def sar(self, value: Value, amount: Value) -> SSAValue:
        """Shift right, filling with the sign."""
        return self._shift(comb.ShrSOp, value, amount)

    # Comparisons, one bit

    def _compare(self, predicate: str, a: Value, b: Value) -> SSAValue:
        lhs, rhs = self.align(a, b)
        if constant_of(lhs) is not None:
            lhs, rhs, predicate = rhs, lhs, _SWAPPED.get(predicate, predicate)
        left, right, width = constant_of(lhs), constant_of(rhs), self.width(lhs)
        is_signed = predicate[0] == "s"
        if right is not None:
            right = signed(right, width) if is_signed else right
            low = -(1 << (width - 1)) if is_signed else 0
            high = low + (1 << width) - 1
            # Where both ends of the range compare alike, all between do: not so for eq and ne.
            holds = _PREDICATES[predicate[-2:]]
            if left is not None:
                left = signed(left, width) if is_signed else left
                return self.const(int(holds(left, right)), 1)
            if predicate not in ("eq", "ne") and holds(low, right) == holds(high, right):
                return self.const(int(holds(low, right)), 1)
        if width == 1 and predicate in ("eq", "ne") and right is not None:
            return lhs if (right == 1) == (predicate == "eq") else self.not_(lhs)
        return self.shared(
            comb.ICmpOp,
            (predicate, id(lhs), id(rhs)),
            lambda: comb.ICmpOp(lhs, rhs, predicate),
        )

    def eq(self, a: Value, b: Value) -> SSAValue:
        """Whether the operands are equal."""
        return self._compare("eq", a, b)

    def ne(self, a: Value, b: Value) -> SSAValue:
        """Whether the operands differ."""
        return self._compare("ne", a, b)

    def ult(self, a: Value, b: Value) -> SSAValue:
        """Unsigned `a < b`."""
        return self._compare("ult", a, b)

    def ule(self, a: Value, b: Value) -> SSAValue:
        """Unsigned `a <= b`."""
        return self._compare("ule", a, b)

    def ugt(self, a: Value, b: Value) -> SSAValue:
        """Unsigned `a > b`."""
        return self._compare("ugt", a, b)

    def uge(self, a: Value, b: Value) -> SSAValue:
        """Unsigned `a >= b`."""
        return self._compare("uge", a, b)

    def slt(self, a: Value, b: Value) -> SSAValue:
        """Signed `a < b`."""
        return self._compare("slt", a, b)

    def sle(self, a: Value, b: Value) -> SSAValue:
        """Signed `a <= b`."""
        return self._compare("sle", a, b)

    def sgt(self, a: Value, b: Value) -> SSAValue:
        """Signed `a > b`."""
        return self._compare("sgt", a, b)

    def sge(self, a: Value, b: Value) -> SSAValue:
        """Signed `a >= b`."""
        return self._compare("sge", a, b)

    def all(self, value: SSAValue) -> SSAValue:
        """Whether every bit is 1."""
        return self.eq(value, -1)

    def any(self, value: SSAValue) -> SSAValue:
        """Whether any bit is 1."""
        return self.ne(value, 0)

    # Selection

    def mux(self, cond: SSAValue, if_true: Value, if_false: Value) -> SSAValue:
        """`if_true` where `cond` is 1."""
        true_value, false_value = self.align(if_true, if_false)
        condition = constant_of(cond)
        if condition is not None:
            return true_value if condition else false_value
        if true_value is false_value:
            return true_value
        if self.width(true_value) == 1:
            constants = constant_of(true_value), constant_of(false_value)
            if constants == (1, 0):
                return cond
            if constants == (0, 1):
                return self.not_(cond)
        return self.shared(
            comb.MuxOp,
            (id(cond), id(true_value), id(false_value)),
            lambda: comb.MuxOp(cond, true_value, false_value),
        )

    def select(self, values: Sequence[SSAValue], index: SSAValue) -> SSAValue:
        """`values[index]`; the index has ceil(log2(len(values))) bits.

        Unspecified where the index is beyond the last value.
        """
        if len(values) == 1:
            return values[0]
        position = constant_of(index)
        if position is not None and position < len(values):
            return values[position]
        whole = self.joined(values)
        if whole is not None:
            array_type = hw.ArrayType(values[0].type, len(values))
            array = self.shared(
                hw.BitcastOp, (id(whole), len(values)), lambda: hw.BitcastOp(whole, array_type)
            )
        else:
            # hw.array_create lists the highest index first.
            array = self.shared(
                hw.ArrayCreateOp,
                tuple(map(id, values)),
                lambda: hw.ArrayCreateOp(*reversed(values)),
            )
        return self.shared(
            hw.ArrayGetOp, (id(array), id(index)), lambda: hw.ArrayGetOp(array, index)
        )

    def popcount(self, value: SSAValue) -> SSAValue:
        """How many bits are 1, in ceil(log2(width + 1)) bits."""
        constant = constant_of(value)
        if constant is not None:
            return self.const(constant.bit_count(), rtl.popcount_width(self.width(value)))
        return self.shared(rtl.PopcountOp, (id(value),), lambda: rtl.PopcountOp(value))
