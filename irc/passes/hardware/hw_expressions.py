"""Combinational expressions on SSA values, with constant folding and sharing.

The part of `HwBuilder` that knows nothing of ports, registers and memories.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import TypeAlias

from xdsl.dialects import comb, hw
from xdsl.dialects.builtin import IntegerAttr, IntegerType, LocationAttr, i32
from xdsl.ir import Attribute, Block, Operation, SSAValue

from irc.dialects import rtl

Value: TypeAlias = SSAValue | int
"""A signal, or a constant that takes its width from its surroundings."""

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


def constant_of(value: SSAValue) -> int | None:
    """The value of an `hw.constant` as an unsigned number, or None for anything else."""
    owner = value.owner
    if isinstance(owner, hw.ConstantOp):
        return owner.value.value.data & ((1 << rtl.width_of(value)) - 1)
    return None


def _signed(number: int, width: int) -> int:
    return number - (1 << width) if number >> (width - 1) else number


class HwExpressions:
    """Builds `comb` operations at the end of a block.

    Every method returns a value; widths are those of the operands unless stated otherwise.
    Operands of different widths raise `ValueError`.
    """

    def __init__(self, block: Block, location: LocationAttr | None = None) -> None:
        self.block = block
        self.location = location
        self._shared: dict[tuple[object, ...], SSAValue] = {}

    # Plumbing

    def insert(self, op: Operation) -> None:
        """Append an operation to the block."""
        if self.location is not None:
            op.location = self.location
        self.block.add_op(op)

    def _build(
        self, op_type: type[Operation], key: tuple[object, ...], make: Callable[[], Operation]
    ) -> SSAValue:
        """The result of an equal operation built before, or of a new one."""
        full_key = (op_type, *key)
        if full_key not in self._shared:
            op = make()
            self.insert(op)
            self._shared[full_key] = op.results[0]
        return self._shared[full_key]

    @staticmethod
    def width(value: SSAValue) -> int:
        """Bits of a value."""
        return rtl.width_of(value)

    def as_value(self, value: Value, width: int) -> SSAValue:
        """A constant as a signal of `width` bits; a signal must have that width already."""
        if isinstance(value, int):
            return self.const(value, width)
        if self.width(value) != width:
            raise ValueError(f"expected {width} bits, got {value.type} ({value})")
        return value

    def of_type(self, value: Value, value_type: Attribute) -> SSAValue:
        """Like `as_value`, for the type of a port, which may be a clock."""
        match value, value_type:
            case SSAValue(), _ if value.type == value_type:
                return value
            case int(), IntegerType():
                return self.const(value, value_type.width.data)
            case _:
                raise ValueError(f"expected {value_type}, got {value}")

    def _align(self, *values: Value) -> list[SSAValue]:
        """Bring operands to one width: that of the first signal among them."""
        signal = next((value for value in values if isinstance(value, SSAValue)), None)
        if signal is None:
            raise ValueError("an operation on constants only has no width: use const()")
        return [self.as_value(value, self.width(signal)) for value in values]

    def named(self, name: str, value: SSAValue) -> SSAValue:
        """Suggest a name for a value in the printed text; returns the value."""
        if constant_of(value) is None and value.name_hint is None:
            value.name_hint = name
        return value

    def const(self, value: int, width: int) -> SSAValue:
        """A constant; negative numbers are two's complement. Raises where it does not fit."""
        if not -(1 << (width - 1)) <= value < 1 << width:
            raise ValueError(f"{value} does not fit {width} bits")
        value &= (1 << width) - 1
        return self._build(
            hw.ConstantOp,
            (value, width),
            lambda: hw.ConstantOp(_signed(value, width), width),
        )

    # Arithmetic and logic

    def _variadic(
        self,
        op_type: type[comb.VariadicCombOperation],
        function: Callable[[int, int], int],
        identity: int,
        values: Sequence[Value],
    ) -> SSAValue:
        """Fold the constants of an associative, commutative operation into one."""
        operands = self._align(*values)
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
        return self._build(op_type, tuple(map(id, signals)), lambda: op_type(signals))

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
        lhs, rhs = self._align(a, b)
        width = self.width(lhs)
        left, right = constant_of(lhs), constant_of(rhs)
        if left is not None and right is not None:
            return self.const((left - right) & ((1 << width) - 1), width)
        if right == 0:
            return lhs
        return self._build(comb.SubOp, (id(lhs), id(rhs)), lambda: comb.SubOp(lhs, rhs))

    def _shift(self, op_type: type[comb.BinCombOperation], a: Value, b: Value) -> SSAValue:
        lhs, rhs = self._align(a, b)
        if constant_of(rhs) == 0:
            return lhs
        return self._build(op_type, (id(lhs), id(rhs)), lambda: op_type(lhs, rhs))

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
        lhs, rhs = self._align(a, b)
        if constant_of(lhs) is not None:
            lhs, rhs, predicate = rhs, lhs, _SWAPPED.get(predicate, predicate)
        left, right, width = constant_of(lhs), constant_of(rhs), self.width(lhs)
        is_signed = predicate[0] == "s"
        if right is not None:
            right = _signed(right, width) if is_signed else right
            low = -(1 << (width - 1)) if is_signed else 0
            high = low + (1 << width) - 1
            # Where both ends of the range compare alike, all between do: not so for eq and ne.
            holds = _PREDICATES[predicate[-2:]]
            if left is not None:
                left = _signed(left, width) if is_signed else left
                return self.const(int(holds(left, right)), 1)
            if predicate not in ("eq", "ne") and holds(low, right) == holds(high, right):
                return self.const(int(holds(low, right)), 1)
        if width == 1 and predicate in ("eq", "ne") and right is not None:
            return lhs if (right == 1) == (predicate == "eq") else self.not_(lhs)
        return self._build(
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
        true_value, false_value = self._align(if_true, if_false)
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
        return self._build(
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
        # hw.array_create lists the highest index first.
        array = self._build(
            hw.ArrayCreateOp,
            tuple(map(id, values)),
            lambda: hw.ArrayCreateOp(*reversed(values)),
        )
        return self._build(
            hw.ArrayGetOp, (id(array), id(index)), lambda: hw.ArrayGetOp(array, index)
        )

    # Bits

    def extract(self, value: SSAValue, low: int, width: int) -> SSAValue:
        """Bits `low` to `low + width - 1`."""
        total = self.width(value)
        if low < 0 or width < 1 or low + width > total:
            raise ValueError(f"bits {low} to {low + width - 1} lie outside {value.type}")
        if width == total:
            return value
        constant = constant_of(value)
        if constant is not None:
            return self.const((constant >> low) & ((1 << width) - 1), width)
        owner = value.owner
        if isinstance(owner, comb.ExtractOp):
            return self.extract(owner.input, owner.low_bit.value.data + low, width)
        if isinstance(owner, comb.ConcatOp):
            start = 0
            for part in reversed(owner.inputs):
                end = start + self.width(part)
                if start <= low and low + width <= end:
                    return self.extract(part, low - start, width)
                start = end
        attr = IntegerAttr(low, i32)
        result_type = IntegerType(width)
        return self._build(
            comb.ExtractOp,
            (id(value), low, width),
            lambda: comb.ExtractOp(value, attr, result_type),
        )

    def bit(self, value: SSAValue, index: int) -> SSAValue:
        """One bit; negative indices count from the top."""
        return self.extract(value, index % self.width(value), 1)

    def slices(self, value: SSAValue, width: int) -> list[SSAValue]:
        """The value cut into pieces of `width` bits, least significant first."""
        return [self.extract(value, low, width) for low in range(0, self.width(value), width)]

    def concat(self, *parts: SSAValue) -> SSAValue:
        """The parts side by side, most significant first; neighbouring constants merge."""
        merged: list[SSAValue] = []
        for part in parts:
            constant = constant_of(part)
            previous = constant_of(merged[-1]) if merged else None
            if constant is not None and previous is not None:
                width = self.width(part)
                total = self.width(merged[-1]) + width
                merged[-1] = self.const((previous << width) | constant, total)
            else:
                merged.append(part)
        if len(merged) == 1:
            return merged[0]
        total_type = IntegerType(sum(map(self.width, merged)))
        return self._build(
            comb.ConcatOp, tuple(map(id, merged)), lambda: comb.ConcatOp(merged, total_type)
        )

    def replicate(self, value: SSAValue, count: int) -> SSAValue:
        """`count` copies side by side."""
        if count == 1:
            return value
        width = self.width(value)
        if constant_of(value) is not None:
            return self.concat(*[value] * count)
        result = IntegerType(width * count)
        return self._build(
            comb.ReplicateOp, (id(value), count), lambda: comb.ReplicateOp(value, result)
        )

    def zext(self, value: SSAValue, width: int) -> SSAValue:
        """Widen with zeros to `width` bits."""
        extra = width - self.width(value)
        if extra < 0:
            raise ValueError(f"cannot widen {value.type} to {width} bits")
        return value if extra == 0 else self.concat(self.const(0, extra), value)

    def sext(self, value: SSAValue, width: int) -> SSAValue:
        """Widen with the sign to `width` bits."""
        extra = width - self.width(value)
        if extra < 0:
            raise ValueError(f"cannot widen {value.type} to {width} bits")
        if extra == 0:
            return value
        return self.concat(self.replicate(self.bit(value, -1), extra), value)

    def trunc(self, value: SSAValue, width: int) -> SSAValue:
        """The `width` least significant bits."""
        return self.extract(value, 0, width)

    def popcount(self, value: SSAValue) -> SSAValue:
        """How many bits are 1, in ceil(log2(width + 1)) bits."""
        constant = constant_of(value)
        if constant is not None:
            return self.const(constant.bit_count(), rtl.popcount_width(self.width(value)))
        return self._build(rtl.PopcountOp, (id(value),), lambda: rtl.PopcountOp(value))
