"""Exact thresholds for a chain of float functions between an integer and a quantizer.

Such a chain is a function of one integer a channel. It is evaluated in float32, operation by
operation, as the ONNX model is; where it is monotone the places at which the quantized result
changes are found by bisection over the reachable integers, elsewhere by tabulation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from irc.dialects import bnn
from irc.errors import IrcError
from irc.interp.ewise import apply_ewise, quantize
from irc.passes.analysis.ranges import Reachable

Array = npt.NDArray[Any]

MAX_TABLE = 1 << 24
"""Most integers that are tabulated for one channel of a chain that is not monotone."""

_RISING = {
    "relu", "sigmoid", "tanh", "exp", "log", "sqrt", "floor", "ceil", "round", "sign", "erf",
    "softplus", "softsign", "add", "sub", "max", "min",
}  # fmt: skip
_FALLING = {"neg", "rsub"}


class Chain:
    """Cast, element-wise functions and quantizer, seen as one function of an integer."""

    def __init__(
        self,
        functions: Sequence[bnn.EwiseOp],
        quantizer: bnn.QuantizeOp,
        sum_error: float = 0.0,
    ) -> None:
        """`sum_error` bounds how far a float32 sum may be from the exact integer."""
        self.functions = list(functions)
        self.quantizer = quantizer
        self.sum_error = np.float32(sum_error)
        self.constants = [_channel_constant(op, op.constant) for op in self.functions]

    @property
    def channels(self) -> int:
        """How many channels differ: the longest constant, 1 where all are scalars."""
        return max((len(c) for c in self.constants if c is not None), default=1)

    def direction(self) -> Array | None:
        """Per channel +1 where the chain never falls, −1 where it never rises; `None` if unknown.

        Rounding is monotone, so what holds for the real functions holds for the float ones.
        """
        sign = np.ones(self.channels, np.int64)
        for op, constant in zip(self.functions, self.constants, strict=True):
            fn = op.fn.data
            if fn in _FALLING:
                sign = -sign
            elif fn in ("mul", "div") and constant is not None:
                sign = sign * np.where(constant < 0, -1, 1)
            elif fn == "prelu" and constant is not None and bool((constant >= 0).all()):
                continue
            elif fn not in _RISING:
                return None
        return sign

    def codes(self, integers: Array) -> Array:
        """Quantized results for integers of shape [C, n]; bipolar ones as bits 0 and 1.

        Raises `IrcError` at the operation that gives NaN or infinity.
        """
        x = integers.astype(np.float32)
        for op, constant in zip(self.functions, self.constants, strict=True):
            x = apply_ewise(op.fn.data, x, None if constant is None else constant[:, None])
            if not np.isfinite(x).all():
                raise IrcError(
                    f"function '{op.fn.data}' gives NaN or infinity for a value that can occur",
                    op.location,
                )
        return self._quantize(x)

    def _quantize(self, x: Array) -> Array:
        low, high = self.quantizer.bounds
        codes = quantize(self.quantizer.rounding.data, x, low, high)
        return codes > 0 if self.quantizer.rounding.data == "bipolar" else codes

    def is_ambiguous(self, integers: Array) -> Array:
        """Whether rounding in another order could change the result; integers are [C, n].

        Interval arithmetic: every operation is IEEE and fixed in order, hence exact to
        reproduce, except that a constant or result may be off by its stated error, and that
        transcendental functions may be off by a few units in the last place.
        """
        exact = integers.astype(np.float32)
        low, high = exact - self.sum_error, exact + self.sum_error
        for op, constant in zip(self.functions, self.constants, strict=True):
            low, high = _interval(op, constant, low, high)
        return self._quantize(low) != self._quantize(high)


def _channel_constant(op: bnn.EwiseOp, attribute: bnn.DenseAttr | None) -> Array | None:
    """A constant as a vector over channels, [C] or [1]; errors where it varies elsewhere."""
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


_TRANSCENDENTAL = {"sigmoid", "tanh", "exp", "log", "erf", "softplus", "pow"}
_TRANSCENDENTAL_ULPS = 8


def _interval(
    op: bnn.EwiseOp, constant: Array | None, low: Array, high: Array
) -> tuple[Array, Array]:
    fn = op.fn.data
    if constant is None:
        ends = [apply_ewise(fn, low), apply_ewise(fn, high)]
        if fn == "abs":
            ends.append(np.where((low < 0) & (high > 0), np.float32(0), ends[0]))
    else:
        error = _channel_constant(op, op.constant_error)
        slack = np.zeros(1, np.float32) if error is None else error
        ends = [
            apply_ewise(fn, x, c[:, None])
            for x in (low, high)
            for c in ((constant,) if error is None else (constant - slack, constant + slack))
        ]
    least, most = np.minimum.reduce(ends), np.maximum.reduce(ends)
    # Results of unequal arguments may round away from each other.
    spread = (least != most).astype(np.int64)
    if fn in _TRANSCENDENTAL:
        spread = spread + _TRANSCENDENTAL_ULPS
    least = least - spread * np.spacing(np.abs(least))
    most = most + spread * np.spacing(np.abs(most))
    error = _channel_constant(op, op.result_error)
    if error is not None:
        least, most = least - error[:, None], most + error[:, None]
    return least.astype(np.float32), most.astype(np.float32)


@dataclass(frozen=True)
class Steps:
    """A function from integers to codes: `code(x) = bias + Σ_i steps[c, i]·[x >= at[c, i]]`.

    `at` and `steps` are int64 of shape [C, T]. A threshold that is never reached is one step
    above the largest reachable integer.
    """

    at: Array
    steps: Array
    bias: int


@dataclass(frozen=True)
class Levels:
    """A monotone function to codes: a rising channel c is at level `bottom + 1 + i` or above
    where `x >= at[c, i]`, a falling one where `x < at[c, i]`.

    `at` is int64 [C, L], `falling` a mask over channels.
    """

    at: Array
    falling: Array
    bottom: int

    def flipped(self, where: Array, full: Reachable) -> Levels:
        """The function of −x in the channels of the mask `where`: `x < t` iff `−x >= s − t`.

        s is the step between reachable integers, of which `t − s` is the largest below t.
        """
        mirrored = full.step[:, None] - self.at
        return Levels(
            np.where(where[:, None], mirrored, self.at), self.falling ^ where, self.bottom
        )

    def steps(self, full: Reachable) -> Steps:
        """As steps; `full` is what is reachable, with an entry a channel."""
        steps = np.broadcast_to(np.where(self.falling, -1, 1)[:, None], self.at.shape)
        if not bool(self.falling.any()):
            return _trimmed(Steps(self.at, steps, self.bottom), full)
        # A falling channel starts at the top: one step at the very bottom of its range lifts it.
        lift = np.where(self.falling, self.at.shape[1], 0)[:, None]
        at = np.concatenate([full.low[:, None], self.at], axis=1)
        return _trimmed(Steps(at, np.concatenate([lift, steps], axis=1), self.bottom), full)


def find_levels(chain: Chain, full: Reachable, direction: Array) -> Levels:
    """Bisect a monotone chain, all channels and levels at once.

    `full` has an entry a channel, as has `direction` (see `Chain.direction`). The cost is one
    evaluation of the chain per bit of the largest range.
    """
    first = chain.codes(full.low[:, None]).astype(np.int64)
    last = chain.codes(full.high[:, None]).astype(np.int64)
    bottom = int(np.minimum(first, last).min())
    top = int(np.maximum(first, last).max())
    levels = np.arange(bottom + 1, top + 1)
    falling = np.broadcast_to(direction < 0, full.low.shape)
    below = np.full((len(full.low), len(levels)), -1, np.int64)
    count = ((full.high - full.low) // full.step)[:, None] + 1
    above = np.broadcast_to(count, below.shape).copy()
    while bool((above - below > 1).any()):
        middle = (below + above) // 2
        # A finished search may point outside; what it reads there is not used.
        inside = np.clip(middle, 0, count - 1)
        codes = chain.codes(full.low[:, None] + inside * full.step[:, None])
        changed = np.where(falling[:, None], codes < levels, codes >= levels)
        unfinished = above - below > 1
        above = np.where(unfinished & changed, middle, above)
        below = np.where(unfinished & ~changed, middle, below)
    return Levels(full.low[:, None] + above * full.step[:, None], falling, bottom)


def tabulate(chain: Chain, full: Reachable) -> Steps:
    """Every reachable integer, channel by channel: a step wherever the result changes."""
    found: list[tuple[Array, Array]] = []
    for channel in range(len(full.low)):
        low, high, step = (int(a[channel]) for a in (full.low, full.high, full.step))
        if (high - low) // step >= MAX_TABLE:
            raise IrcError(
                f"channel {channel} of a function that is not monotone has "
                f"{(high - low) // step + 1} possible inputs; at most {MAX_TABLE} are tabulated",
                chain.quantizer.location,
            )
        integers = np.arange(low, high + 1, step)
        codes = _one_channel(chain, channel).codes(integers[None, :])[0].astype(np.int64)
        jumps = np.diff(codes, prepend=0)
        where = np.flatnonzero(jumps)
        found.append((integers[where], jumps[where]))
    width = max(len(at) for at, _ in found)
    at = np.tile((full.high + full.step)[:, None], (1, width))
    steps = np.zeros_like(at)
    for channel, (where, jumps) in enumerate(found):
        at[channel, : len(where)] = where
        steps[channel, : len(jumps)] = jumps
    return _trimmed(Steps(at, steps, 0), full)


def _one_channel(chain: Chain, channel: int) -> Chain:
    one = Chain(chain.functions, chain.quantizer)
    one.constants = [
        c if c is None or len(c) == 1 else c[channel : channel + 1] for c in chain.constants
    ]
    return one


def _trimmed(found: Steps, full: Reachable) -> Steps:
    """Without the columns that no channel reaches or that every channel always has."""
    never = (found.at > full.high[:, None]) | (found.steps == 0)
    always = (found.at <= full.low[:, None]) & (found.steps == found.steps[:1])
    constant = always.all(axis=0)
    keep = ~(never.all(axis=0) | constant)
    bias = found.bias + int(found.steps[0, constant].sum()) if found.at.size else found.bias
    return Steps(found.at[:, keep], found.steps[:, keep], bias)


def find_ambiguous(chain: Chain, full: Reachable, at: Array) -> list[tuple[int, int]]:
    """Pairs (channel, integer) whose result another order of float32 rounding could change.

    Starts at the two reachable integers on either side of every change, `at` of shape [C, T],
    and walks outwards for as long as the answer is in doubt. An empty list means: exact for any
    evaluation order.
    """
    if not chain.functions and not chain.sum_error:
        return []
    low, high, step = (a[:, None] for a in (full.low, full.high, full.step))
    doubtful: set[tuple[int, int]] = set()
    for side in (-1, 1):
        integers = at - step if side < 0 else at
        open_ = (integers >= low) & (integers <= high)
        while bool(open_.any()):
            ambiguous = chain.is_ambiguous(np.clip(integers, low, high)) & open_
            doubtful.update((int(c), int(integers[c, i])) for c, i in np.argwhere(ambiguous))
            integers = integers + side * step
            open_ = ambiguous & (integers >= low) & (integers <= high)
    return sorted(doubtful)
