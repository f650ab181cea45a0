"""Cast, element-wise float functions and a quantizer, seen as one function of an integer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from irc.dialects import bnn
from irc.errors import IrcError
from irc.interp.ewise import apply_ewise, count_thresholds, quantize

Array = npt.NDArray[Any]

_RISING = {"relu", "sqrt", "floor", "ceil", "round", "sign", "add", "sub", "max", "min"}
_FALLING = {"neg", "rsub"}
_NEARLY_RISING = {"sigmoid", "tanh", "exp", "log", "erf", "softplus", "softsign"}
"""Rising as real functions; in float32 they may fall by a rounding error."""

_APPROXIMATED = {"sigmoid", "tanh", "exp", "log", "erf", "softplus", "softsign", "pow"}
_APPROXIMATION_ULPS = np.float32(8)
"""How far the mathematics libraries of two runtimes may be apart (most promise 4 or fewer; ONNX
Runtime's tanh is off by 5.2)."""

_SIGMOID_ERROR = np.float32(2.0**-21)
"""ONNX Runtime's sigmoid is accurate near 1 only (off by 1.7e-7), and 0 below −18."""

_SIGN_PRESERVING = {"tanh", "erf", "softsign"}
_NEVER_NEGATIVE = {"sigmoid", "exp", "softplus"}


@dataclass(frozen=True)
class Link:
    """One function of a chain; its constants are float32 vectors over channels, [C] or [1]."""

    op: bnn.EwiseOp
    constant: Array | None
    constant_error: Array | None
    result_error: Array | None

    @staticmethod
    def of(op: bnn.EwiseOp) -> Link:
        """Raises `IrcError` where a constant differs between pixels."""
        errors = (op.constant, op.constant_error, op.result_error)
        return Link(op, *(_channel_constant(op, attribute) for attribute in errors))

    @property
    def arrays(self) -> tuple[Array | None, ...]:
        """The constant and the two errors."""
        return self.constant, self.constant_error, self.result_error

    @property
    def fn(self) -> str:
        """The function's name."""
        return self.op.fn.data

    @property
    def is_approximated(self) -> bool:
        """Whether mathematics libraries differ in the last bits. A square is a product to them."""
        is_square = self.constant is not None and bool((self.constant == 2).all())
        return self.fn in _APPROXIMATED and not (self.fn == "pow" and is_square)

    @property
    def is_reproducible(self) -> bool:
        """Whether every runtime computes the same bits: no error stated, nothing approximated."""
        return (
            not self.is_approximated and self.constant_error is None and self.result_error is None
        )

    def channel(self, index: int) -> Link:
        """The link for one channel alone."""
        return self.part(index, index + 1)

    def part(self, start: int, stop: int) -> Link:
        """The link for the channels from `start` up to `stop`."""
        some = (a if a is None or len(a) == 1 else a[start:stop] for a in self.arrays)
        return Link(self.op, *some)

    def apply(self, x: Array) -> Array:
        """The function of x, of shape [C, n]."""
        return apply_ewise(self.fn, x, None if self.constant is None else self.constant[:, None])

    def interval(self, low: Array, high: Array) -> tuple[Array, Array]:
        """All that the function can give for an argument between `low` and `high`: [C, n] each.

        Rounding is monotone, so that the ends of an interval go to the ends of the next, widened
        by the errors that the operation states. NaN where anything is possible.
        """
        constants = [self.constant]
        if self.constant is not None and self.constant_error is not None:
            constants = [self.constant - self.constant_error, self.constant + self.constant_error]
        arguments = [low, high]
        straddles = (low < 0) & (high > 0)
        if self.fn in ("abs", "pow", "prelu"):
            # Their extremes can be at 0, inside of the interval.
            arguments.append(np.where(straddles, np.float32(0), low))
        ends = [
            apply_ewise(self.fn, x, None if c is None else c[:, None])
            for x in arguments
            for c in constants
        ]
        least, most = np.minimum.reduce(ends), np.maximum.reduce(ends)
        if self.fn in ("reciprocal", "rdiv"):
            least, most = (np.where(straddles, np.float32(np.nan), x) for x in (least, most))
        # An operation on the same operands rounds alike: what is stated is all that may differ.
        with np.errstate(all="ignore"):
            if self.is_approximated:
                error = _SIGMOID_ERROR if self.fn == "sigmoid" else np.float32(0)
                least = least - _APPROXIMATION_ULPS * np.spacing(np.abs(least)) - error
                most = most + _APPROXIMATION_ULPS * np.spacing(np.abs(most)) + error
                if self.fn in _SIGN_PRESERVING:
                    least = np.where(low >= 0, np.maximum(least, 0), least)
                    most = np.where(high <= 0, np.minimum(most, 0), most)
                elif self.fn in _NEVER_NEGATIVE:
                    least = np.maximum(least, 0)
            if self.result_error is not None:
                least = least - self.result_error[:, None]
                most = most + self.result_error[:, None]
        return least.astype(np.float32), most.astype(np.float32)


def _channel_constant(op: bnn.EwiseOp, attribute: bnn.DenseAttr | None) -> Array | None:
    if attribute is None:
        return None
    values = attribute.numpy()
    if values.size == 1 or (values.ndim and values.size == values.shape[-1]):
        return values.reshape(-1)
    raise IrcError(
        f"a constant of shape {list(values.shape)} differs between pixels, so that no threshold "
        "per channel equals it; only constants per channel can be absorbed",
        op.location,
    )


def floats_of(links: Sequence[Link], integers: Array) -> Array:
    """The float32 results of the functions for integers [C, n].

    Raises `IrcError` at the operation that gives NaN or infinity.
    """
    x = integers.astype(np.float32)
    for link in links:
        x = link.apply(x)
        if not np.isfinite(x).all():
            raise IrcError(
                f"function '{link.fn}' gives NaN or infinity for a value that can occur",
                link.op.location,
            )
    return x


def float_bounds(links: Sequence[Link], integers: Array) -> tuple[Array, Array]:
    """Smallest and largest float that the functions can give, in any order of evaluation.

    `integers` and the results are [C, n]; NaN stands for anything at all. Interval arithmetic:
    operations in a fixed order are reproducible to the bit, but behind the first that states an
    error, or that runtimes approximate, everything may be off.
    """
    low = high = integers.astype(np.float32)
    certain = True
    for link in links:
        certain = certain and link.is_reproducible
        if certain:
            low = high = link.apply(low)
        else:
            low, high = link.interval(low, high)
    return low, high


def direction_of(links: Sequence[Link]) -> Array | None:
    """+1 where the functions never fall, −1 where they never rise, [1] or one a channel; `None` if
    unknown. Of the real functions: see `Chain.wobbles` for those that float32 does not obey."""
    sign = np.ones(1, np.int64)
    for link in links:
        if link.fn in _FALLING:
            sign = -sign
        elif link.fn in ("mul", "div") and link.constant is not None:
            sign = sign * np.where(link.constant < 0, -1, 1)
        elif link.fn == "prelu" and link.constant is not None:
            if bool((link.constant < 0).any()):
                return None
        elif link.fn not in _RISING | _NEARLY_RISING:
            return None
    return sign


class Chain:
    """Cast, element-wise functions and quantizer, seen as one function of an integer."""

    def __init__(self, functions: Sequence[bnn.EwiseOp], quantizer: bnn.Quantizer) -> None:
        """Raises `IrcError` where a constant differs between pixels."""
        self.links = [Link.of(op) for op in functions]
        self.quantizer = quantizer
        is_counted = isinstance(quantizer, bnn.FloatThresholdOp)
        self.thresholds = quantizer.thresholds.numpy() if is_counted else None

    def channel(self, index: int) -> Chain:
        """The chain for one channel alone."""
        return self.part(index, index + 1)

    def part(self, start: int, stop: int) -> Chain:
        """The chain for the channels from `start` up to `stop`."""
        some = Chain((), self.quantizer)
        some.links = [link.part(start, stop) for link in self.links]
        if self.thresholds is not None and len(self.thresholds) > 1:
            some.thresholds = self.thresholds[start:stop]
        return some

    @property
    def channels(self) -> int:
        """How many channels differ: the longest constant, 1 where all are scalars."""
        constants = [a for link in self.links for a in link.arrays] + [self.thresholds]
        return max((len(a) for a in constants if a is not None), default=1)

    @property
    def wobbles(self) -> bool:
        """Whether float32 may leave the direction of the real functions by a rounding error."""
        return any(link.fn in _NEARLY_RISING for link in self.links)

    @property
    def is_reproducible(self) -> bool:
        """Whether every runtime computes the same bits, whatever its order of evaluation."""
        return all(link.is_reproducible for link in self.links)

    def direction(self) -> Array | None:
        """Per channel +1 where the chain never falls, −1 where it never rises; `None` if unknown.

        IEEE rounding is monotone, so what holds for the real functions holds for the float ones,
        those apart that `wobbles` tells of.
        """
        sign = direction_of(self.links)
        return None if sign is None else np.broadcast_to(sign, (self.channels,))

    def codes(self, integers: Array) -> Array:
        """Quantized results for integers of shape [C, n], int64; bipolar ones as bits 0 and 1.

        Raises `IrcError` at the operation that gives NaN or infinity.
        """
        return self._quantize(floats_of(self.links, integers))

    def code_bounds(self, integers: Array) -> tuple[Array, Array]:
        """Smallest and largest result that any order of evaluation can give; integers [C, n]."""
        return self._quantize_bounds(*float_bounds(self.links, integers))

    def bounds_from(self, low: Array, high: Array) -> tuple[Array, Array]:
        """The same where the functions begin with floats from `low` to `high` [C, n]."""
        for link in self.links:
            low, high = link.interval(low, high)
        return self._quantize_bounds(low, high)

    def _quantize_bounds(self, low: Array, high: Array) -> tuple[Array, Array]:
        unknown = np.isnan(low) | np.isnan(high)
        infinity = np.float32(np.inf)
        return (
            self._quantize(np.where(unknown, -infinity, low)),
            self._quantize(np.where(unknown, infinity, high)),
        )

    def _quantize(self, x: Array) -> Array:
        if isinstance(self.quantizer, bnn.FloatThresholdOp):
            assert self.thresholds is not None
            return count_thresholds(x, self.thresholds)
        low, high = self.quantizer.bounds
        codes = quantize(self.quantizer.rounding.data, x, low, high)
        return (codes > 0).astype(np.int64) if self.quantizer.rounding.data in bnn.SIGNS else codes
