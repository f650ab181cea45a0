"""Remove channels that are constant, that nobody reads, or that are like another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr, TensorType
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from irc.counters import count
from irc.dialects import bnn
from irc.dialects.dense import DenseAttr
from irc.passes.analysis.margin import Ambiguity
from irc.passes.analysis.network_cost import NetworkCost
from irc.passes.analysis.ranges import RangeAnalysis
from irc.passes.analysis.redundant_channels import (
    ChannelPath,
    RedundantChannels,
    has_spare_channels,
    redundant_channels,
    useful_size,
    why_no_path,
)
from irc.passes.layer_names import layer_name
from irc.passes.rewriting import functions_of
from irc.passes.streamline.fold_thresholds import MARGIN, margin_attribute, margin_of
from irc.passes.streamline.step_functions import spread
from irc.rejections import recorder, reject

Array = npt.NDArray[Any]

COUNTERS = (
    "channels pruned that nobody reads",
    "channels pruned that are constant",
    "duplicate channels merged",
)

REMOVED = "bnn.removed"
"""Attribute of a layer: which of its channels went, in words."""


@dataclass(frozen=True)
class RemoveRedundantChannels(ModulePass):
    """Shrink layers by channels that a network does not miss.

    What is constant is folded into the thresholds of the next layer, `Σ w·x + w'·v >= t` being
    `Σ w·x >= t − w'·v`; what is doubled into its weights, `w·x + w'·x = (w + w')·x`, where these
    stay as narrow. A layer keeps so many channels that no folding gets slower or larger, since an
    awkward number has few divisors; `any-size` lets it shrink to any number. With `keep-all`
    nothing goes, as networks need it whose weights are to be replaced by others.
    """

    name = "remove-redundant-channels"

    any_size: bool = False
    """Whether a layer may get any number of channels, though it be a prime."""

    keep_all: bool = False
    """Whether every channel stays."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.keep_all:
            return
        for function in functions_of(op):
            before = NetworkCost.of(function)
            while self._shrink(function):
                pass
            function.update_function_type()
            before.count_savings(NetworkCost.of(function))

    def _shrink(self, function: FuncOp) -> bool:
        """Shrink one layer, the last that can be; whether there was one."""
        analysis = RangeAnalysis()
        for op in reversed(list(function.body.block.ops)):
            if not isinstance(op, bnn.ThresholdOp):
                continue
            path = ChannelPath.from_threshold(op)
            if path is None:
                if recorder() is not None and has_spare_channels(op, analysis):
                    reject(op, self.name, f"channels could go, but {why_no_path(op)}")
                continue
            margin = spread(margin_of(path.threshold) or [], path.threshold, path.channels)
            found = redundant_channels(path, analysis, {entry.channel for entry in margin})
            size = max(1, path.channels - found.count)
            if not self.any_size:
                size = useful_size(path.channels, found.count)
            if size < path.channels:
                _remove(path, _some(found, path.channels - size))
                return True
            if found.count:
                reject(op, self.name, _odd_size(path.channels, found.count))
        return False


def _odd_size(channels: int, count: int) -> str:
    return (
        f"{count} of its {channels} channels could go, but {channels} fold better than any number "
        f"from {channels - count} on; remove-redundant-channels{{any-size=true}} lets them go"
    )


def removed_channels(module: ModuleOp) -> dict[str, str]:
    """What went of each layer, by its name."""
    return {
        layer_name(op, op.name): words.data
        for op in module.walk()
        if isinstance(words := op.attributes.get(REMOVED), StringAttr)
    }


def _some(found: RedundantChannels, count: int) -> RedundantChannels:
    """As many of them: those first that cost nobody anything."""
    unread = found.unread[:count]
    constants = dict(list(found.constants.items())[: count - len(unread)])
    left = count - len(unread) - len(constants)
    return RedundantChannels(constants, unread, dict(list(found.doubles.items())[:left]))


def _remove(path: ChannelPath, found: RedundantChannels) -> None:
    read = path.read_weights().copy()
    for channel, first in found.doubles.items():
        read[:, :, first] += read[:, :, channel]
    if found.constants and path.follower is not None:
        values = np.array(list(found.constants.values()))
        added = read[:, :, list(found.constants)].sum(axis=1, dtype=np.int64) @ values
        if added.any():
            _lower_thresholds(path.follower, added)
    gone = {*found.unread, *found.constants, *found.doubles}
    channels = path.channels
    kept = [channel for channel in range(channels) if channel not in gone]
    _keep_weights(path, read[:, :, kept])
    _keep_rows(path, channels, kept)
    words = {"unread": found.unread, "constant": found.constants, "doubled": found.doubles}
    parts = [f"{len(which)} {word}" for word, which in words.items() if which]
    for kind, which in zip(COUNTERS, words.values(), strict=True):
        if which:
            count(kind, len(which))
    before = path.maker.attributes.get(REMOVED)
    earlier = [before.data] if isinstance(before, StringAttr) else []
    text = f"{len(gone)} of {channels} channels: {', '.join(parts)}"
    path.maker.attributes[REMOVED] = StringAttr("; ".join([*earlier, text]))


def _lower_thresholds(op: bnn.ThresholdOp, added: Array) -> None:
    """Let thresholds ask the same of a sum that lacks `added` [C]."""
    channels = len(added)
    margin = margin_of(op)
    if margin is not None:
        entries = [
            Ambiguity(c, first - int(added[c]), last - int(added[c]))
            for c, first, last in spread(margin, op, channels)
        ]
        op.attributes[MARGIN] = margin_attribute(entries)
    at = op.thresholds.numpy().astype(np.int64) - added[:, None]
    if op.steps is not None and op.steps.shape[0] != channels:
        steps = np.repeat(op.steps.numpy(), channels, axis=0)
        op.properties["steps"] = DenseAttr.from_integers(steps)
    op.properties["thresholds"] = DenseAttr.from_integers(at)


def _keep_weights(path: ChannelPath, read: Array) -> None:
    """Give the reader weights [M, places, kept]."""
    old = path.reader.weights
    channels = old.shape[-1] // path.channels * read.shape[2]
    values = read.reshape(*old.shape[:-1], channels)
    path.reader.properties["weights"] = DenseAttr.from_numpy(values, old.element_type)


def _keep_rows(path: ChannelPath, channels: int, kept: Sequence[int]) -> None:
    """Keep some channels of what makes, quantizes and moves them."""
    maker, threshold = path.maker, path.threshold
    weights = maker.weights.numpy()[list(kept)]
    maker.properties["weights"] = DenseAttr.from_numpy(weights, maker.weights.element_type)
    margin = margin_of(threshold)
    if margin is not None and threshold.thresholds.shape[0] > 1:
        entries = [Ambiguity(kept.index(c), first, last) for c, first, last in margin if c in kept]
        threshold.attributes[MARGIN] = margin_attribute(entries)
    for name in ("thresholds", "steps"):
        table = threshold.properties.get(name)
        if isinstance(table, DenseAttr) and table.shape[0] > 1:
            rows = table.numpy()[list(kept)]
            threshold.properties[name] = DenseAttr.from_numpy(rows, table.element_type)
    values: list[SSAValue] = [maker.output, threshold.output, *(op.output for op in path.between)]
    for value in values:
        frame = bnn.frame_type(value)
        *lead, last = frame.get_shape()
        shape = [*lead, last // channels * len(kept)]
        Rewriter.replace_value_with_new_type(value, TensorType(frame.element_type, shape))
