"""How far every decision of a quantizer stays from float32 rounding.

Between an integer accumulator and its quantizer, a chain of float functions gives a value that the
quantizer compares with a border between two codes. The two reachable integers next to a threshold
give the values nearest to that border. Their distance from it in real arithmetic, divided by what
float32 may be off there, is the headroom: above 1, no rounding of any operation in the chain, in
whatever order a runtime evaluates what the model leaves open, decides otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from irc.interp.ewise import apply_ewise
from irc.passes.analysis.chain import Chain
from irc.passes.analysis.ranges import Reachable
from irc.passes.analysis.threshold_search import Steps

Array = npt.NDArray[Any]

_EXACT = {"neg", "relu", "abs", "max", "min", "sign", "floor", "ceil", "round"}
"""Functions whose result is a float32 where their operands are."""


@dataclass(frozen=True)
class Decisions:
    """Of each threshold t: arrays [C, T], sorted by t in each channel.

    `real` says which are decisions at all: between two reachable integers, t − step and t. `place`
    is where between them real arithmetic decides: 0 at the lower, 1 at the upper, 0.5 the safest.
    `distance` is how far the value of one of the two lies from the border in front of the
    quantizer, and `error` what float32 may be off there; of the two, the one with less headroom.
    """

    at: Array
    real: Array
    place: Array
    distance: Array
    error: Array

    @property
    def headroom(self) -> Array:
        """`distance / error`; infinite where float32 is not off at all."""
        return _ratio(self.distance, self.error)


def decisions_of(chain: Chain, steps: Steps, full: Reachable) -> Decisions:
    """The decisions that `steps` take, which the search found for a chain over `full`.

    `full` has an entry a channel.
    """
    shape = (len(full.low), steps.at.shape[1])
    order = np.argsort(np.broadcast_to(steps.at, shape), axis=1, kind="stable")
    at = np.take_along_axis(np.broadcast_to(steps.at, shape), order, axis=1)
    step = np.take_along_axis(np.broadcast_to(steps.steps, shape), order, axis=1)
    after = steps.bias + np.cumsum(step, axis=1)
    low, high = full.low[:, None], full.high[:, None]
    real = (at > low) & (at <= high) & (step != 0)
    # What is no decision is looked at all the same, within what is reachable.
    upper = np.clip(at, low, high)
    integers = np.stack([np.maximum(upper - full.step[:, None], low), upper])
    values, errors = _evaluated(chain, integers)
    # A step of more than one crosses several borders; the first and the last are the nearest.
    rising = step > 0
    first = np.where(rising, after - step + 1, after - step)
    last = np.where(rising, after, after + 1)
    spans = np.stack([_distances(chain, values, level) for level in (first, last)])
    distance = spans.min(axis=0)
    side = np.argmin(_ratio(distance, errors), axis=0)[None]
    below, above = spans[0, 0], spans[0, 1]
    inside = real & (below + above > 0)
    return Decisions(
        at,
        real,
        np.where(inside, _ratio(below, below + above), 0.5),
        np.where(real, np.take_along_axis(distance, side, axis=0)[0], np.inf),
        np.where(real, np.take_along_axis(errors, side, axis=0)[0], 0.0),
    )


def _ratio(numerator: Array, denominator: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(denominator == 0, np.inf, numerator / denominator)


def _evaluated(chain: Chain, integers: Array) -> tuple[Array, Array]:
    """The chain's values in real arithmetic at integers [S, C, T], and how far float32 may be off.

    The operations give their results correctly rounded, but for what they state themselves. An
    interval that is widened by a unit in the last place after each therefore holds the real value
    and whatever float32 makes of it; where a result needs no rounding, there is none.
    """
    sides, channels, columns = integers.shape
    x = np.moveaxis(integers, 0, 1).reshape(channels, sides * columns)
    # Twice the digits of float32: the difference from real numbers is far below what counts here.
    real = x.astype(np.float64)
    low = high = x.astype(np.float32)
    for link in chain.links:
        constant = None if link.constant is None else link.constant[:, None]
        real = apply_ewise(link.fn, real, constant)
        low, high = link.interval(low, high)
        if link.fn not in _EXACT:
            is_exact = (low == high) & (low.astype(np.float64) == real)
            low = np.where(is_exact, low, np.nextafter(low, np.float32(-np.inf)))
            high = np.where(is_exact, high, np.nextafter(high, np.float32(np.inf)))
    error = np.maximum(np.abs(high - real), np.abs(real - low))
    error = np.where(np.isnan(error), np.inf, error)
    shape = (channels, sides, columns)
    return np.moveaxis(real.reshape(shape), 1, 0), np.moveaxis(error.reshape(shape), 1, 0)


def _distances(chain: Chain, values: Array, level: Array) -> Array:
    """How far `values` [2, C, T] are from where the quantizer begins to give `level` [C, T]."""
    border = _border(chain, level, values.min(axis=0), values.max(axis=0))
    return np.abs(values - border)


def _border(chain: Chain, level: Array, low: Array, high: Array) -> Array:
    """The float from which on the quantizer gives `level` or more, between `low` and `high`.

    A quantizer never falls, whatever the functions before it do.
    """
    quantizer = Chain((), chain.quantizer)
    below = _key(np.nextafter(low.astype(np.float32), np.float32(-np.inf)))
    above = _key(np.nextafter(high.astype(np.float32), np.float32(np.inf)))
    while bool((above - below > 1).any()):
        middle = (below + above) // 2
        values = _float(middle)
        reached = quantizer.bounds_from(values, values)[0] >= level
        above, below = np.where(reached, middle, above), np.where(reached, below, middle)
    return _float(above).astype(np.float64)


def _key(values: Array) -> Array:
    """Integers [C, T] in the order of float32 numbers, neighbours next to each other."""
    bits = np.ascontiguousarray(values).view(np.int32).astype(np.int64)
    return np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)


def _float(keys: Array) -> Array:
    """The float32 numbers of such integers."""
    bits = np.where(keys < 0, -keys | 0x80000000, keys)
    return bits.astype(np.uint32).view(np.float32)
