"""Frames as beats of a stream, and beats as the bytes of AXI4-Stream TDATA.

TDATA holds lane 0 in its least significant bits and every element at its own width: bipolar as
its bit, integers in two's complement. It is padded to whole bytes with zeros, and given here as
bytes, byte 0 being bits 7 to 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from irc.dialects.dataflow_stream import StreamType
from irc.dialects.dense import BipolarType, element_range

Array = npt.NDArray[Any]


def to_lanes(frames: Array, stream: StreamType) -> Array:
    """Values [N, *frame shape] as [N, beats, lanes]."""
    return frames.reshape(len(frames), stream.beats, stream.lanes)


def from_lanes(beats: Array, stream: StreamType) -> Array:
    """Values [N, beats, lanes] as [N, *frame shape]."""
    return beats.reshape(len(beats), *stream.shape)


def frames_to_beats(frames: Array, stream: StreamType) -> npt.NDArray[np.uint8]:
    """Values [N, *frame shape] as TDATA, uint8 [N, beats, bytes]."""
    lanes = to_lanes(frames, stream)
    width = stream.element_width
    codes = lanes > 0 if isinstance(stream.element_type, BipolarType) else lanes.astype(np.int64)
    shifts = np.arange(width, dtype=np.int64)
    bits = (codes.astype(np.int64)[..., None] >> shifts & 1).astype(np.uint8)
    return np.packbits(bits.reshape(*lanes.shape[:2], -1), axis=-1, bitorder="little")


def beats_to_frames(beats: npt.NDArray[np.uint8], stream: StreamType) -> Array:
    """TDATA, uint8 [N, beats, bytes], as values [N, *frame shape]; padding bits are ignored.

    Bipolar values are int8 ±1, integers int64.
    """
    bits = np.unpackbits(beats, axis=-1, count=stream.beat_width, bitorder="little")
    lanes = bits.reshape(*beats.shape[:2], stream.lanes, stream.element_width).astype(np.int64)
    if isinstance(stream.element_type, BipolarType):
        return from_lanes((2 * lanes[..., 0] - 1).astype(np.int8), stream)
    powers = np.left_shift(np.int64(1), np.arange(stream.element_width, dtype=np.int64))
    if element_range(stream.element_type)[0] < 0:
        powers[-1] = -powers[-1]
    return from_lanes(lanes @ powers, stream)
