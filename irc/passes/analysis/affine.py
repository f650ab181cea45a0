"""Values that are an affine function of an exact one, and what float32 makes of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.ir import SSAValue

from irc.dialects import bnn
from irc.passes.analysis.ranges import RangeAnalysis, Reachable

Array = npt.NDArray[Any]

FLOAT32_BITS = 24
"""Integers of up to this many bits, times a power of two, are float32 numbers."""

UNIT_ROUNDOFF = 2.0**-FLOAT32_BITS

SMALLEST_FLOAT32 = 2.0**-149
"""The distance of float32 numbers near 0."""


def granule(values: Array) -> float:
    """The largest power of two of which every float in `values` is a whole multiple."""
    nonzero = values[values != 0]
    if nonzero.size == 0:
        return math.inf
    mantissas, exponents = np.frexp(nonzero)
    odd = (mantissas * 2.0**53).astype(np.int64)
    trailing = np.log2((odd & -odd).astype(np.float64)).astype(np.int64)
    return 2.0 ** int((exponents - 53 + trailing).min())


@dataclass
class Affine:
    """`scale · x + offset` of an exact x: a scalar scale, an offset [1] or [K], in float64.

    What float32 gives is never larger than `largest`, a whole multiple of the power of two
    `granule` (0 where that is unknown), and at most `error` away from the real number.
    """

    source: SSAValue
    reachable: Reachable
    scale: float
    offset: Array
    largest: float
    granule: float
    error: float

    @staticmethod
    def of_exact(source: SSAValue, reachable: Reachable) -> Affine:
        """The cast of an exact value, as it is."""
        found = Affine(source, reachable, 1.0, np.zeros(1), float(reachable.largest), 1.0, 0.0)
        found._round()
        return found

    def apply(self, fn: str, constant: Array | None) -> bool:
        """Let `fn` follow, in float32; false, and no longer of use, if that is not affine."""
        match fn, constant:
            case "neg", None:
                self.scale, self.offset = -self.scale, -self.offset
                return True
            case (("add" | "sub" | "rsub"), c) if c is not None:
                sign, addend = (-1 if fn == "rsub" else 1), (-c if fn == "sub" else c)
                self.scale, self.offset = sign * self.scale, sign * self.offset + addend
                self.largest += float(np.abs(c).max())
                self.granule = min(self.granule, granule(c))
            case "mul", c if c is not None and _is_scalar(c):
                self._multiply(float(c[0]), granule(c))
            case "div", c if c is not None and _is_scalar(c) and c[0] != 0:
                is_power = abs(math.frexp(float(c[0]))[0]) == 0.5
                self._multiply(1 / float(c[0]), 1 / abs(float(c[0])) if is_power else 0.0)
            case _:
                return False
        self._round()
        return True

    def _multiply(self, factor: float, unit: float) -> None:
        self.scale, self.offset = self.scale * factor, self.offset * factor
        self.largest *= abs(factor)
        self.error *= abs(factor)
        self.granule = 0.0 if unit == 0 or self.granule == 0 else self.granule * unit

    def _round(self) -> None:
        """The rounding of the last operation, unless its results are float32 numbers anyway."""
        is_exact = self.granule >= SMALLEST_FLOAT32 and (
            self.largest <= self.granule * 2.0**FLOAT32_BITS
        )
        if not is_exact:
            self.granule = 0.0
            rounding = UNIT_ROUNDOFF * self.largest + SMALLEST_FLOAT32
            self.error += rounding
            self.largest += rounding


def _is_scalar(constant: Array) -> bool:
    return bool((constant == constant[0]).all())


def as_affine(value: SSAValue, analysis: RangeAnalysis) -> Affine | None:
    """See `value` as an affine function of an exact value, if it is one with a scalar scale."""
    chain: list[bnn.EwiseOp] = []
    while isinstance(value.owner, bnn.EwiseOp):
        chain.append(value.owner)
        value = value.owner.input
    if not isinstance(value.owner, bnn.CastOp):
        return None
    source = value.owner.input
    reachable = analysis.of(source)
    assert reachable is not None
    found = Affine.of_exact(source, reachable)
    for op in reversed(chain):
        if op.constant_error or op.result_error:
            return None
        constant = None
        if op.constant is not None:
            constant = op.constant.numpy().astype(np.float64)
            if constant.size != math.prod(constant.shape[-1:]):
                return None
            constant = constant.reshape(-1)
        if not found.apply(op.fn.data, constant):
            return None
    return found
