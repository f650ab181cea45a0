"""Designs whose weights are loaded at run time, simulated with their configuration stream."""

from __future__ import annotations

import random
from typing import Any, TypeGuard

import numpy as np
import numpy.typing as npt
from hardware_nets import CONTEXT, Hardware, fold, random_values, to_dataflow
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from irc.backends.verilog.printer import print_design
from irc.dialects import bnn
from irc.dialects.dataflow import Folding
from irc.dialects.dense import DenseAttr
from irc.interp.rtl import HwSimulator
from irc.passes.analysis.ranges import RangeAnalysis
from irc.passes.hardware.make_reloadable import MakeReloadable, weight_kind
from irc.passes.hardware.units.loader import LoadableMemory, design_memories
from irc.passes.hardware.units.reload_stream import design_stream
from irc.passes.rewriting import functions_of
from irc.passes.streamline.narrow_accumulators import fit_sums

Array = npt.NDArray[Any]


def retrained(module: ModuleOp, seed: int) -> ModuleOp:
    """A network of the same layers and types, all weights and thresholds of which are others."""
    rng = np.random.default_rng(seed)
    other = module.clone()
    for op in other.walk():
        if _is_weighted(op):
            values = random_values(rng, op.weights.element_type, op.weights.shape)
            op.properties["weights"] = DenseAttr.from_numpy(values, op.weights.element_type)
        if isinstance(op, bnn.ThresholdOp) and op.steps is None:
            at = np.sort(rng.integers(-20, 21, op.thresholds.shape), axis=1)
            op.properties["thresholds"] = DenseAttr.from_integers(at)
    for function in functions_of(other):
        fit_sums(function, RangeAnalysis())
    return other


def _is_weighted(op: Operation) -> TypeGuard[bnn.LinearOp | bnn.ConvOp]:
    return isinstance(op, bnn.LinearOp | bnn.ConvOp)


class Reloadable(Hardware):
    """Hardware of a network that takes the weights of others."""

    @property
    def memories(self) -> list[LoadableMemory]:
        """What the configuration stream fills."""
        return design_memories(self.module, self.top)

    @property
    def stream(self) -> bytes:
        """What loads the weights of this network."""
        return design_stream(self.module, self.top)

    @property
    def text(self) -> dict[str, str]:
        """The Verilog, without the contents of memories."""
        return {file.name: file.text for file in print_design(self.module)}


def weight_kinds(module: ModuleOp) -> tuple[str, ...]:
    """What weights the layers of a network take."""
    return tuple(weight_kind(op.weights) for op in module.walk() if _is_weighted(op))


def reloadable(
    module: ModuleOp, kinds: tuple[str, ...], foldings: list[Folding], *, fifos: bool
) -> Reloadable:
    """The hardware of a network, made reloadable and folded in place."""
    MakeReloadable(True, kinds).apply(CONTEXT, module)
    to_dataflow(module)
    fold(module, foldings, fifos=fifos)
    return Reloadable(module)


def load(
    simulator: HwSimulator, stream: bytes, *, stall: float = 0.0, seed: int = 0, last: bool = True
) -> int:
    """Send a configuration stream, until the design is idle again; returns `cfg_error`.

    Without `last`, the stream is left open after its last byte.
    """
    rng = random.Random(seed)
    position, offered, cycles = 0, False, 0
    while True:
        offered = offered or (position < len(stream) and rng.random() >= stall)
        signals = {"aresetn": 1, "m_axis_tready": 1, "s_axis_cfg_tvalid": int(offered)}
        if offered:
            signals["s_axis_cfg_tdata"] = stream[position]
            signals["s_axis_cfg_tlast"] = int(last and position == len(stream) - 1)
        outputs = simulator.step(signals)
        busy = outputs["cfg_busy"]
        assert not (outputs["s_axis_tready"] and busy), "a frame may begin while loading"
        if offered and outputs["s_axis_cfg_tready"]:
            position, offered = position + 1, False
        if position == len(stream) and (not last or not busy):
            return outputs["cfg_error"]
        cycles += 1
        assert cycles < 50 * len(stream) + 1000, "loading does not end"
