"""Channels that a network would not miss: constant, doubled or unread ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.ir import SSAValue

from irc.dialects import bnn
from irc.dialects.dataflow_node import divisors
from irc.dialects.dense import BipolarType, DenseAttr, element_width, is_exact, smallest_int
from irc.passes.analysis.ranges import RangeAnalysis
from irc.rejections import named, shared

Array = npt.NDArray[Any]
WeightedSum = bnn.LinearOp | bnn.ConvOp


@dataclass(frozen=True)
class ChannelPath:
    """The channels that `maker` sums and `threshold` quantizes, and that `reader` alone reads,
    through operations that treat every channel alike."""

    maker: WeightedSum
    threshold: bnn.ThresholdOp
    between: tuple[bnn.MaxPoolOp | bnn.PadOp | bnn.ReshapeOp, ...]
    reader: WeightedSum

    @staticmethod
    def from_threshold(threshold: bnn.ThresholdOp) -> ChannelPath | None:
        """The path through a threshold, if it lies on one."""
        maker = threshold.input.owner
        if not isinstance(maker, WeightedSum) or not _is_plain(maker):
            return None
        if not threshold.input.has_one_use():
            return None
        channels, between = maker.weights.shape[0], list[Any]()
        value: SSAValue = threshold.output
        while value.has_one_use():
            (use,) = value.uses
            match use.operation:
                case bnn.LinearOp() | bnn.ConvOp() as reader if _is_plain(reader):
                    return ChannelPath(maker, threshold, tuple(between), reader)
                case bnn.MaxPoolOp() | bnn.PadOp() as op:
                    value = op.output
                case bnn.ReshapeOp() as op if _channels(op.output) % channels == 0:
                    value = op.output
                case _:
                    return None
            between.append(op)
        return None

    @property
    def channels(self) -> int:
        """How many channels there are."""
        return self.maker.weights.shape[0]

    @property
    def follower(self) -> bnn.ThresholdOp | None:
        """The threshold that alone reads what the reader sums."""
        uses = [use.operation for use in self.reader.output.uses]
        found = uses[0] if len(uses) == 1 else None
        return found if isinstance(found, bnn.ThresholdOp) else None

    def read_weights(self) -> Array:
        """The reader's weights [M, places, channels]."""
        weights = self.reader.weights.numpy()
        return weights.reshape(len(weights), -1, self.channels)


def has_spare_channels(threshold: bnn.ThresholdOp, analysis: RangeAnalysis) -> bool:
    """Whether some channels of a layer's threshold are constant or doubled, whoever reads them."""
    maker = threshold.input.owner
    if not isinstance(maker, WeightedSum) or not is_exact(maker.weights.element_type):
        return False
    reach = analysis.of(threshold.output)
    if reach is not None and bool((reach.low == reach.high).any()):
        return True
    rows = maker.weights.numpy().reshape(maker.weights.shape[0], -1)
    keys = [row.tobytes() for row in rows]
    if threshold.thresholds.shape[0] == len(rows):
        at = threshold.thresholds.numpy()
        keys = [key + row.tobytes() for key, row in zip(keys, at, strict=True)]
    return len(set(keys)) < len(keys)


def why_no_path(threshold: bnn.ThresholdOp) -> str:
    """Why the threshold of a layer lies on no path, in words."""
    maker = threshold.input.owner
    if not isinstance(maker, WeightedSum):
        return "its channels are no rows of weights"
    if not threshold.input.has_one_use():
        return f"the sum of {named(maker)} {shared(threshold.input, threshold)}"
    if not _is_plain(maker):
        return f"{named(maker)} works in groups, whose channels must stay as many"
    value: SSAValue = threshold.output
    while value.has_one_use():
        (use,) = value.uses
        reader = use.operation
        if not isinstance(reader, bnn.MaxPoolOp | bnn.PadOp | bnn.ReshapeOp):
            return f"its channels are read by {named(reader)}, which needs all of them"
        value = reader.output
    return f"its result {shared(value, threshold)}" if value.uses else "nothing reads it"


@dataclass(frozen=True)
class RedundantChannels:
    """Channels that can go: those with a value that never changes, those that nobody reads, and
    those that are like another, with that one."""

    constants: dict[int, int]
    unread: list[int]
    doubles: dict[int, int]

    @property
    def count(self) -> int:
        """How many can go."""
        return len(self.constants) + len(self.unread) + len(self.doubles)


def redundant_channels(
    path: ChannelPath, analysis: RangeAnalysis, doubtful: set[int]
) -> RedundantChannels:
    """What can go of the channels of a path, each by itself; one has to stay.

    A channel of which rounding in the model may decide is not constant, whatever is left of it.
    """
    reach = analysis.of(path.threshold.output)
    assert reach is not None
    reach = reach.expanded(path.channels)
    read = path.read_weights()
    borders = {op.pad_value for op in path.between if isinstance(op, bnn.PadOp)}
    unread = np.flatnonzero(~read.any(axis=(0, 1))).tolist()
    constants = {
        int(c): int(reach.low[c])
        for c in np.flatnonzero(reach.low == reach.high)
        if c not in unread
        and c not in doubtful
        and borders <= {float(reach.low[c])}
        and (path.follower is not None or not read[:, :, c].sum(axis=1, dtype=np.int64).any())
    }
    return RedundantChannels(constants, unread, _doubles(path, read, {*unread, *constants}))


def useful_size(channels: int, removable: int) -> int:
    """How many channels to keep, at least `channels - removable`: as few as lose nothing to
    folding. For each number of channels worked on at once before, as many at most must get
    through in no more steps: 64 shrink to 56 or 48, but not to 61, which is a prime."""
    fewest = max(1, channels - removable)
    return next(size for size in range(fewest, channels + 1) if _folds_as_well(size, channels))


def _folds_as_well(size: int, channels: int) -> bool:
    return all(
        any(width <= before and size // width <= channels // before for width in divisors(size))
        for before in divisors(channels)
    )


def _doubles(path: ChannelPath, read: Array, gone: set[int]) -> dict[int, int]:
    """Channels with equal weights and thresholds, by the first of each kind. The reader's weights
    for them are added up, which must fit the bits that weights have."""
    rows = path.maker.weights.numpy().reshape(path.channels, -1)
    tables = [
        table.numpy()
        for table in (path.threshold.thresholds, path.threshold.steps)
        if table is not None and table.shape[0] > 1
    ]
    firsts: dict[tuple[bytes, ...], int] = {}
    found: dict[int, int] = {}
    sums: dict[int, Array] = {}
    for channel in range(path.channels):
        if channel in gone:
            continue
        key = rows[channel].tobytes(), *(table[channel].tobytes() for table in tables)
        first = firsts.setdefault(key, channel)
        if first == channel:
            continue
        before = sums.get(first, read[:, :, first])
        total = before.astype(np.int64) + read[:, :, channel]
        if _fits(total, path.reader.weights):
            sums[first] = total
            found[channel] = first
    return found


def _fits(values: Array, weights: DenseAttr) -> bool:
    """Whether values can take the place of weights, of the same type."""
    if isinstance(weights.element_type, BipolarType):
        return False
    low, high = int(values.min(initial=0)), int(values.max(initial=0))
    needed = smallest_int(min(low, 0), high) if low < 0 else smallest_int(0, high)
    signed = low < 0 or weights.numpy().min(initial=0) < 0
    width = element_width(needed) + (1 if signed and low >= 0 else 0)
    return width <= element_width(weights.element_type)


def _is_plain(op: WeightedSum) -> bool:
    """Whether an operation is an exact sum in one group."""
    exact = is_exact(bnn.frame_type(op.output).element_type)
    return exact and (isinstance(op, bnn.LinearOp) or op.groups == 1)


def _channels(value: SSAValue) -> int:
    shape = bnn.frame_type(value).get_shape()
    return shape[-1] if shape else 1
