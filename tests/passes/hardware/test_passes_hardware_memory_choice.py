"""Where weights lie on a device, where nobody has said it."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hardware_nets import CONTEXT, fold, linear, network, random_values, to_dataflow
from xdsl.dialects.builtin import ModuleOp, TensorType

from irc.devices import DeviceFigures, figures_of
from irc.dialects import bnn
from irc.dialects.dataflow import Folding
from irc.passes.hardware import fold_layers
from irc.passes.hardware.design import Design, design_of
from irc.passes.hardware.fold_layers import FoldLayers
from irc.passes.hardware.folding_search import refold
from irc.passes.hardware.memory_choice import STYLES, choose_memories
from irc.passes.hardware.resource_model.estimate import estimate_design

SHAPES = (
    ((128, 256), Folding(2, 128)),
    ((128, 128), Folding(4, 8)),
    ((32, 128), Folding(1, 64)),
)
"""Rows and columns, and how they are folded: shallow and wide, deep and narrow, in between."""


def chain() -> ModuleOp:
    """A layer of each shape."""
    rng = np.random.default_rng(3)
    layers = [
        linear(random_values(rng, bnn.sint(2), shape), bnn.sint(2), f"fc{index}")
        for index, (shape, _) in enumerate(SHAPES)
    ]
    module = network(TensorType(bnn.bipolar, (SHAPES[0][0][1],)), layers)
    to_dataflow(module)
    fold(module, [folding for _, folding in SHAPES], fifos=False)
    return module


def larger_share(design: Design, device: DeviceFigures) -> float:
    """Of the device's look-up tables and block RAMs."""
    _, taken = estimate_design(design, device.family)
    return max(taken.luts / device.luts, taken.block_rams / device.block_rams)


@pytest.mark.parametrize("name", ["up5k", "hx8k", "ecp5-25k", "xc7"])
def test_as_much_of_the_device_is_left_as_can_be(name: str) -> None:
    """As every way to place three memories says, nearly: prices see no choice between prices."""
    device = figures_of(name)
    design = design_of(chain())
    layers = design.layers
    choose_memories(design, device)
    found = larger_share(design, device)
    shares: list[float] = []
    for styles in product(STYLES, repeat=len(layers)):
        for layer, style in zip(layers, styles, strict=True):
            refold(layer, replace(layer.folding, memory=style))
        shares.append(larger_share(design, device))
    assert found <= 1.1 * min(shares)
    assert max(shares) > 1.1 * min(shares)


def test_what_is_said_stays() -> None:
    design = design_of(chain())
    first = design.layers[0]
    refold(first, replace(first.folding, memory="distributed"))
    choose_memories(design, figures_of("up5k"))
    assert first.folding.memory == "distributed"


def test_weights_go_where_a_device_has_room() -> None:
    """Of the same family, a device of many block RAMs and few tables, and the other way round."""
    chosen: list[list[str]] = []
    device = figures_of("up5k")
    for luts, block_rams in ((4_000, 1000), (400_000, 30)):
        design = design_of(chain())
        choose_memories(design, replace(device, luts=luts, block_rams=block_rams))
        chosen.append([layer.folding.memory for layer in design.layers])
    assert "distributed" not in chosen[0]
    assert set(chosen[1]) == {"distributed"}


def test_layers_are_folded_with_it_for_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a goal; without a device, nothing is chosen."""
    asked: list[str] = []

    def choose(design: Design, device: DeviceFigures) -> None:
        asked.append(device.name)

    monkeypatch.setattr(fold_layers, "choose_memories", choose)
    for device in (None, "xc7"):
        FoldLayers(target_cycles=4096, device=device).apply(CONTEXT, chain())
    assert asked == ["xc7"]
