"""How a window unit is folded: as its layer wants it, and as little as keeps up with it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from xdsl.dialects.builtin import IntegerAttr, TensorType, i64
from xdsl.ir import Attribute
from xdsl.rewriter import Rewriter

from irc.dialects import dataflow
from irc.dialects.bnn_spatial import window_counts
from irc.dialects.dataflow import FoldedNode, Folding, StreamType
from irc.dialects.integer_lists import integers
from irc.dialects.window_parallel import pixel_choices, tap_choices


@dataclass(frozen=True)
class WindowFolding:
    """`lanes` channels of each of `taps` elements of `mmv` windows in a beat, from input beats of
    `pixels` elements in space; the channels are read in `groups` parts."""

    lanes: int
    groups: int
    taps: tuple[int, ...]
    mmv: int
    pixels: int
    cycles: int
    """Cycles a frame of the window unit."""


def lanes_for(channels: int, wanted: int) -> int:
    """The fewest lanes that divide the channels and are as many as wanted; all if none are."""
    return next(lanes for lanes in dataflow.divisors(channels) if lanes >= min(wanted, channels))


def window_before(node: FoldedNode) -> dataflow.WindowOp | None:
    """The unit that lays out windows for a layer, if there is one."""
    source = node.operands[0].owner
    return source if isinstance(source, dataflow.WindowOp) else None


def group_channels(window: dataflow.WindowOp, node: FoldedNode, folding: Folding) -> int:
    """The channels that are read together: of one group of the layer, or of those of its groups
    that it works on at once."""
    channels = dataflow.stream_type(window.input).channels
    if not isinstance(node, dataflow.MvuOp):
        return channels // window.groups
    return channels // node.groups * max(1, folding.pe // node.group_rows)


def window_folding(window: dataflow.WindowOp, node: FoldedNode, folding: Folding) -> WindowFolding:
    """How the windows before a layer are laid out under a folding of the layer.

    As many channels as the layer takes inputs; several elements of a window at once only where
    the layer would wait otherwise, and several pixels only where several windows are wanted.
    """
    source = dataflow.stream_type(window.input)
    together = group_channels(window, node, folding)
    several_groups = isinstance(node, dataflow.MvuOp) and folding.pe > node.group_rows
    lanes = together if several_groups else lanes_for(together, folding.simd)
    budget = node.folded_cycles(folding)
    windows = math.prod(
        window_counts(window.space, window.kernel, window.strides, window.dilations)
    )
    all_beats = windows * math.prod(window.kernel) * source.channels // lanes // folding.mmv
    choices = tap_choices(window.kernel) if lanes == together else tap_choices(window.kernel)[:1]
    taps = next((t for t in choices if all_beats // math.prod(t) <= budget), choices[-1])
    pixels = 1
    if folding.mmv > 1 and lanes == source.channels:
        possible = pixel_choices(window.space[-1], window.strides[-1] * folding.mmv)
        taken = source.elements // lanes
        pixels = next((p for p in possible if taken // p <= budget), possible[-1])
    cycles = max(source.elements // (lanes * pixels), all_beats // math.prod(taps))
    groups = source.channels // together
    return WindowFolding(lanes, groups, taps, folding.mmv, pixels, cycles)


def fit_window(window: dataflow.WindowOp, node: FoldedNode) -> None:
    """Fold the window unit before a layer as the layer is folded."""
    chosen = window_folding(window, node, node.folding)
    optional: dict[str, Attribute | None] = {
        "groups": None if chosen.groups == 1 else IntegerAttr(chosen.groups, i64),
        "taps": None if max(chosen.taps) == 1 else integers(chosen.taps),
        "mmv": None if chosen.mmv == 1 else IntegerAttr(chosen.mmv, i64),
        "pixels": None if chosen.pixels == 1 else IntegerAttr(chosen.pixels, i64),
    }
    for key, value in optional.items():
        window.properties.pop(key, None)
        if value is not None:
            window.properties[key] = value
    source, output = dataflow.stream_type(window.input), window.output
    *outer, inner = window_counts(window.space, window.kernel, window.strides, window.dilations)
    elements = math.prod(window.kernel) * source.channels * chosen.mmv
    frame = TensorType(source.element_type, (*outer, inner // chosen.mmv, elements))
    lanes = chosen.lanes * math.prod(chosen.taps) * chosen.mmv
    hint = output.name_hint
    wanted = StreamType.of(frame, lanes)
    Rewriter.replace_value_with_new_type(output, wanted).name_hint = hint
