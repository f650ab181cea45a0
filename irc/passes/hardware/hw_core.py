"""What all building of combinational logic rests on: insertion, sharing, constants."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from xdsl.dialects import hw
from xdsl.dialects.builtin import IntegerType, LocationAttr
from xdsl.ir import Attribute, Block, Operation, SSAValue

from irc.dialects import rtl

Value: TypeAlias = SSAValue | int
"""A signal, or a constant that takes its width from its surroundings."""


def constant_of(value: SSAValue) -> int | None:
    """The value of an `hw.constant` as an unsigned number, or None for anything else."""
    owner = value.owner
    if isinstance(owner, hw.ConstantOp):
        return owner.value.value.data & ((1 << rtl.width_of(value)) - 1)
    return None


def signed(number: int, width: int) -> int:
    """The two's complement value of an unsigned number."""
    return number - (1 << width) if number >> (width - 1) else number


class HwCore:
    """Appends operations to a block; equal pure operations are built once."""

    def __init__(self, block: Block, location: LocationAttr | None = None) -> None:
        self.block = block
        self.location = location
        self._shared: dict[tuple[object, ...], SSAValue] = {}

    def insert(self, op: Operation) -> None:
        """Append an operation to the block."""
        if self.location is not None:
            op.location = self.location
        self.block.add_op(op)

    def shared(
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

    def align(self, *values: Value) -> list[SSAValue]:
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
        return self.shared(
            hw.ConstantOp,
            (value, width),
            lambda: hw.ConstantOp(signed(value, width), width),
        )
