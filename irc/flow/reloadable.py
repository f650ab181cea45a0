"""What the folder of a reloadable design says about its configuration stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from irc.dialects import dataflow
from irc.dialects.dense import DenseAttr
from irc.flow.ladder import Ladder
from irc.flow.lowering import Options
from irc.interp.beats import frames_to_beats
from irc.interp.dataflow_host import hardware_outputs
from irc.passes.hardware.convert_dataflow_to_hw import ConvertDataflowToHw, layer_modules
from irc.passes.hardware.design import Design, design_of
from irc.passes.hardware.make_reloadable import weight_kind
from irc.passes.hardware.units.loader import LoadableMemory, design_memories
from irc.passes.hardware.units.reload_stream import OVERHEAD, design_shape, design_stream
from irc.passes.layer_names import verilog_identifier

Array = npt.NDArray[Any]

OTHER_SEED = 7
"""The other weights that the bench of a folder loads are the same in every run."""


def reloadable_passes(weights: tuple[str, ...] = ()) -> Options:
    """Options of passes for a design whose weights are loaded at run time; `weights` are the kinds
    of weights that an earlier design takes."""
    return {
        "remove-redundant-channels": {"keep_all": (True,)},
        "make-reloadable": {"enabled": (True,), **({"weights": weights} if weights else {})},
    }


def is_reloadable(design: Design) -> bool:
    """Whether a design takes other weights at run time."""
    return any(unit.is_reloadable for unit in loaded_units(design))


@dataclass(frozen=True)
class Reloading:
    """The configuration of a design: `own` is the stream of its own weights; `other` that of
    others, with which the hardware gives `expected` beats for the frames of its bench. `manifest`
    is what later commands need to know."""

    own: bytes
    other: bytes
    expected: npt.NDArray[np.uint8]
    manifest: Mapping[str, Any]


def reloading_of(ladder: Ladder, frames: Array) -> Reloading | None:
    """The configuration of a model's hardware; None where its weights are fixed."""
    module = ladder.dataflow
    design = design_of(module)
    if not is_reloadable(design):
        return None
    top = verilog_identifier(ladder.name)
    memories = design_memories(ladder.hw, top)
    other = module.clone()
    _shuffle(design_of(other))
    expected = frames_to_beats(hardware_outputs(other, [frames]), design.result)
    ConvertDataflowToHw().apply(Context(), other)
    return Reloading(
        design_stream(ladder.hw, top),
        design_stream(other, top),
        expected,
        {
            "bytes": OVERHEAD + sum(memory.bytes for memory in memories),
            "shape": design_shape(ladder.hw, top),
            "must_load": not all(memory.has_contents for memory in memories),
            "device": design.device,
            "clock": design.clock,
            "inputs": list(ladder.inputs),
            "weights": weight_kinds(ladder.bnn),
            "layers": [layer_shape(unit) for unit in loaded_units(design)],
            "memories": _memory_rows(ladder.hw, memories),
        },
    )


def weight_kinds(module: ModuleOp) -> list[str]:
    """What weights the layers of a network at level `bnn` take, in order."""
    from irc.dialects import bnn

    layers = [op for op in module.walk() if isinstance(op, bnn.LinearOp | bnn.ConvOp)]
    return [weight_kind(layer.weights) for layer in layers]


def layer_shape(unit: dataflow.MvuOp | dataflow.ThresholdOp) -> dict[str, str]:
    """What two networks must have in common in a layer, in words."""
    shape = {
        "name": unit.layer_name,
        "input": _frame(unit.input),
        "output": _frame(unit.output),
        "thresholds": _thresholds(unit),
        "folding": f"pe = {unit.pe}, memory = {unit.memory.data}",
    }
    if isinstance(unit, dataflow.MvuOp):
        rows, columns = unit.weights.shape
        shape["weights"] = f"{rows}×{columns} {weight_kind(unit.weights)}"
        shape["groups"] = str(unit.groups)
        shape["folding"] += f", simd = {unit.simd}, mmv = {unit.mmv}"
        shape["folding"] += f", products = {unit.product_style(unit.folding)}"
    return shape


def _frame(stream: SSAValue) -> str:
    """`28×28 of ui8`."""
    of = dataflow.stream_type(stream)
    return f"{'×'.join(map(str, of.shape))} of {str(of.element_type).removeprefix('!bnn.')}"


def _thresholds(unit: dataflow.MvuOp | dataflow.ThresholdOp) -> str:
    if unit.thresholds is None:
        return "none"
    channels, count = unit.thresholds.shape
    steps = "" if unit.steps is None else " with steps"
    return f"{count} for each of {channels} channels{steps}, from {unit.bias} on"


def loaded_units(design: Design) -> list[dataflow.MvuOp | dataflow.ThresholdOp]:
    """The units of a design that the configuration stream fills, in order."""
    return [
        unit
        for unit in design.units
        if isinstance(unit, dataflow.MvuOp | dataflow.ThresholdOp) and unit.is_reloadable
    ]


def _memory_rows(hardware: ModuleOp, memories: list[LoadableMemory]) -> list[dict[str, Any]]:
    layers = {module: layer for layer, module in layer_modules(hardware).items()}
    return [
        {
            "layer": layers.get(memory.module, ""),
            "memory": memory.name,
            "words": memory.depth,
            "bits": memory.width,
            "bytes": memory.bytes,
        }
        for memory in memories
    ]


def _shuffle(design: Design) -> None:
    """Give every layer its weights and thresholds in another order, so that they keep their types
    and every unit its meaning."""
    random = np.random.default_rng(OTHER_SEED)
    for unit in loaded_units(design):
        if isinstance(unit, dataflow.MvuOp):
            weights = random.permutation(unit.weights.numpy().reshape(-1))
            unit.properties["weights"] = DenseAttr.from_numpy(
                weights.reshape(unit.weights.shape), unit.weights.element_type
            )
        if unit.thresholds is not None:
            order = random.permutation(unit.thresholds.shape[0])
            for name in ("thresholds", "steps"):
                table = unit.properties.get(name)
                if isinstance(table, DenseAttr):
                    rows = table.numpy()[order]
                    unit.properties[name] = DenseAttr.from_numpy(rows, table.element_type)
