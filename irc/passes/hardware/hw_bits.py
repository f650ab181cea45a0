"""Slices, concatenations and widenings, simplified as they are built."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import comb
from xdsl.dialects.builtin import IntegerAttr, IntegerType, i32
from xdsl.ir import SSAValue

from irc.passes.hardware.hw_core import HwCore, constant_of


class HwBits(HwCore):
    """Operations that move bits and compute nothing."""

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
        return self.shared(
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
        """The parts side by side, most significant first.

        Neighbouring constants merge, and so do neighbouring slices of one value.
        """
        merged: list[SSAValue] = []
        for part in parts:
            union = self._merge(merged[-1], part) if merged else None
            if union is None:
                merged.append(part)
            else:
                merged[-1] = union
        if len(merged) == 1:
            return merged[0]
        total_type = IntegerType(sum(map(self.width, merged)))
        return self.shared(
            comb.ConcatOp, tuple(map(id, merged)), lambda: comb.ConcatOp(merged, total_type)
        )

    def _merge(self, high: SSAValue, low: SSAValue) -> SSAValue | None:
        """Two neighbours in a concatenation as one value, where that is simpler."""
        width = self.width(low)
        high_constant, low_constant = constant_of(high), constant_of(low)
        if high_constant is not None and low_constant is not None:
            return self.const((high_constant << width) | low_constant, self.width(high) + width)
        upper, lower = high.owner, low.owner
        if (
            isinstance(upper, comb.ExtractOp)
            and isinstance(lower, comb.ExtractOp)
            and upper.input is lower.input
            and upper.low_bit.value.data == lower.low_bit.value.data + width
        ):
            return self.extract(lower.input, lower.low_bit.value.data, self.width(high) + width)
        return None

    def replicate(self, value: SSAValue, count: int) -> SSAValue:
        """`count` copies side by side."""
        if count == 1:
            return value
        width = self.width(value)
        if constant_of(value) is not None:
            return self.concat(*[value] * count)
        result = IntegerType(width * count)
        return self.shared(
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

    def joined(self, slices: Sequence[SSAValue]) -> SSAValue | None:
        """The value of which these are all the slices, least significant first, or None."""
        source: SSAValue | None = None
        low = 0
        for value in slices:
            owner = value.owner
            if not isinstance(owner, comb.ExtractOp) or owner.low_bit.value.data != low:
                return None
            if source is not None and owner.input is not source:
                return None
            source = owner.input
            low += self.width(value)
        return source if source is not None and self.width(source) == low else None
