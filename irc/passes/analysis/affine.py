"""Values that are an affine function of an exact one, and what float32 makes of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.ir import SSAValue

from irc.dialects import bnn
from irc.passes.analysis.function_chain import exact_chain
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
    """`scale · x + offset` of an exact x, both [1] or one number a channel [K], in float64.

    What float32 gives is never larger than `largest`, a whole multiple of the power of two
    `granule` (0 where that is unknown), and at most `error` away from the real number.
    """

    source: SSAValue
    reachable: Reachable
    scale: Array
    offset: Array
    largest: float
    granule: float
    error: float

    @staticmethod
    def of_exact(source: SSAValue, reachable: Reachable) -> Affine:
        """The cast of an exact value, as it is."""
        found = Affine(
            source, reachable, np.ones(1), np.zeros(1), float(reachable.largest), 1.0, 0.0
        )
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
            case "mul", c if c is not None:
                self._multiply(c, granule(c))
            case "div", c if c is not None and bool((c != 0).all()):
                is_power = bool((np.abs(np.frexp(c)[0]) == 0.5).all())
                self._multiply(1 / c, float((1 / np.abs(c)).min()) if is_power else 0.0)
            case _:
                return False
        self._round()
        return True

    def _multiply(self, factor: Array, unit: float) -> None:
        self.scale, self.offset = self.scale * factor, self.offset * factor
        most = float(np.abs(factor).max())
        self.largest *= most
        self.error *= most
        self.granule = 0.0 if unit == 0 or self.granule == 0 else self.granule * unit

    def scale_of(self, channels: Callable[[], Array]) -> float | None:
        """The scale that the channels of a mask [K] have in common; `None` if they have several."""
        if self.scale.size == 1:
            return float(self.scale[0])
        scales = self.scale[channels()]
        if not bool((scales == scales[:1]).all()):
            return None
        return float(scales[0]) if scales.size else 1.0

    def add_errors(self, constant: float, result: float, before: float) -> None:
        """What the last operation, on values of up to `before`, states beside its rounding.

        `constant` is how far its factor (else its addend, with `before` = 1) may be off, `result`
        how far the reference may be from what we compute.
        """
        error = constant * before + result
        if error:
            self.error += error
            self.largest += error
            self.granule = 0.0

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


def as_affine(value: SSAValue, analysis: RangeAnalysis, by_channel: bool = False) -> Affine | None:
    """See `value` as an affine function of an exact value, if it is one.

    Its scale is one number, or with `by_channel` possibly one a channel.
    """
    chain = exact_chain(value)
    if chain is None:
        return None
    reachable = analysis.of(chain.source)
    assert reachable is not None
    found = Affine.of_exact(chain.source, reachable)
    for op in chain.functions:
        before = found.largest if op.fn.data == "mul" else 1.0
        if op.constant_error and op.fn.data not in ("mul", "add"):
            return None
        constant = None
        if op.constant is not None:
            constant = op.constant.numpy().astype(np.float64)
            if constant.size != math.prod(constant.shape[-1:]):
                return None
            constant = constant.reshape(-1)
        if not found.apply(op.fn.data, constant):
            return None
        found.add_errors(_most(op.constant_error), _most(op.result_error), before)
    if bool((found.scale == found.scale[0]).all()):
        found.scale = found.scale[:1]
    return found if by_channel or found.scale.size == 1 else None


def _most(errors: bnn.DenseAttr | None) -> float:
    return 0.0 if errors is None else float(np.abs(errors.numpy()).max(initial=0))
