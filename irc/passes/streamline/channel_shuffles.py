"""Reshapes and transposes that only change the order of elements, as the order that they make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.ir import Operation, SSAValue

from irc.dialects import bnn

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Shuffle:
    """`y[…, c] = source[…, order[c]]`, the channels in `groups` columns read row by row."""

    source: SSAValue
    groups: int

    @property
    def order(self) -> Array:
        """Which channel of the source each channel is."""
        channels = bnn.frame_type(self.source).get_shape()[-1]
        return _order(channels, self.groups)

    def of(self, value: SSAValue) -> tuple[list[Operation], SSAValue]:
        """The operations that do the same to another value."""
        *space, channels = bnn.frame_type(value).get_shape()
        rank = len(space)
        parted = bnn.ReshapeOp(value, (*space, self.groups, channels // self.groups))
        turned = bnn.TransposeOp(parted.output, (*range(rank), rank + 1, rank))
        joined = bnn.ReshapeOp(turned.output, (*space, channels))
        return [parted, turned, joined], joined.output


def match_shuffle(value: SSAValue) -> Shuffle | None:
    """See the end of some reshapes and transposes as a shuffle of channels, as in ShuffleNet."""
    shape = bnn.frame_type(value).get_shape()
    if not shape or shape[-1] < 2:
        return None
    chain: list[Operation] = []
    found: Shuffle | None = None
    source = value
    while isinstance(op := source.owner, bnn.ReshapeOp | bnn.TransposeOp):
        chain.append(op)
        source = op.input
        if bnn.frame_type(source).get_shape() == shape and _transposes(chain):
            groups = _groups(order_of(source, chain[::-1]).reshape(-1, shape[-1]))
            found = found if groups is None else Shuffle(source, groups)
    return found


def match_first_axis(value: SSAValue) -> Shuffle | None:
    """See `value` as a shuffle of channels behind which these become the first axis."""
    channels, *space = bnn.frame_type(value).get_shape()
    chain: list[Operation] = []
    source = value
    while isinstance(op := source.owner, bnn.ReshapeOp | bnn.TransposeOp):
        chain.append(op)
        source = op.input
        if bnn.frame_type(source).get_shape() == (*space, channels) and channels > 1:
            places = np.moveaxis(order_of(source, chain[::-1]), 0, -1)
            if (groups := _groups(places.reshape(-1, channels))) is not None:
                return Shuffle(source, groups)
    return None


def order_of(source: SSAValue, chain: list[Operation]) -> Array:
    """Which element of the flattened source each element is behind reshapes and transposes."""
    shape = bnn.frame_type(source).get_shape()
    places = np.arange(int(np.prod(shape))).reshape(shape)
    for op in chain:
        if isinstance(op, bnn.TransposeOp):
            places = places.transpose(op.axes)
        else:
            places = places.reshape(bnn.frame_type(op.results[0]).get_shape())
    return places


def _transposes(chain: list[Operation]) -> bool:
    return any(isinstance(op, bnn.TransposeOp) for op in chain)


def _order(channels: int, groups: int) -> Array:
    """The channels [groups, C / groups], column by column."""
    return np.arange(channels).reshape(groups, -1).T.reshape(-1)


def _groups(places: Array) -> int | None:
    """The groups of a shuffle with these places [pixels, C]; `None` if it is none."""
    pixels, channels = len(places), int(places.shape[1])
    order: Array = places[0]
    expected = np.arange(pixels)[:, None] * channels + order
    if not np.array_equal(places, expected):
        return None
    # Behind channel 0 comes the first of the next group.
    size = int(order[1])
    if size < 2 or channels % size or not np.array_equal(order, _order(channels, channels // size)):
        return None
    return channels // size
