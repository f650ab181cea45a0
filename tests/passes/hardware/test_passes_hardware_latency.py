"""The first latency that is promised is that of the hardware, of whole designs, to the cycle."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hardware_nets import CONTEXT, Hardware, linear, network, random_values, threshold, to_dataflow
from spatial_nets import conv, max_pool
from xdsl.dialects.builtin import ModuleOp, TensorType

from irc.dialects import bnn
from irc.flow.hardware_estimate import first_latency
from irc.interp.dataflow_cycles import simulate_cycles
from irc.passes.hardware.design import design_of
from irc.passes.hardware.fold_layers import FoldLayers
from irc.passes.hardware.insert_fifos import InsertFifos
from irc.passes.hardware.insert_width_converters import InsertWidthConverters


def dense() -> ModuleOp:
    """Three layers, the first behind a threshold on pixels."""
    rng = np.random.default_rng(1)
    layers = [threshold(np.array([[100]]), bnn.bipolar)]
    for rows, columns in ((12, 24), (8, 12)):
        layers.append(linear(random_values(rng, bnn.bipolar, (rows, columns)), bnn.bipolar))
        layers.append(threshold(np.zeros((rows, 1), np.int64), bnn.bipolar))
    layers.append(linear(random_values(rng, bnn.bipolar, (4, 8)), bnn.bipolar))
    return network(TensorType(bnn.uint(8), (24,)), layers)


def spatial() -> ModuleOp:
    """A convolution, a pool, and another."""
    rng = np.random.default_rng(2)
    layers = [
        conv(random_values(rng, bnn.bipolar, (4, 3, 3, 2)), bnn.bipolar),
        threshold(np.zeros((4, 1), np.int64), bnn.bipolar),
        max_pool((2, 2), (2, 2)),
        conv(random_values(rng, bnn.bipolar, (2, 2, 2, 4)), bnn.bipolar),
    ]
    return network(TensorType(bnn.bipolar, (8, 8, 2)), layers)


@pytest.mark.parametrize("make", [dense, spatial])
@pytest.mark.parametrize(
    "options",
    [{}, {"device": "up5k", "goal": "smallest"}, {"device": "ecp5-25k", "goal": "fastest"}],
)
def test_latency_and_interval_are_those_of_the_hardware(
    make: Callable[[], ModuleOp], options: dict[str, str]
) -> None:
    module = make()
    rng = np.random.default_rng(3)
    (argument,) = next(iter(module.ops)).regions[0].block.args
    frame = bnn.frame_type(argument)
    inputs = random_values(rng, frame.element_type, (4, *frame.get_shape()))
    to_dataflow(module)
    FoldLayers(**options).apply(CONTEXT, module)  # pyright: ignore[reportArgumentType]
    InsertWidthConverters().apply(CONTEXT, module)
    InsertFifos().apply(CONTEXT, module)
    design = design_of(module)
    latency = first_latency(design)
    interval = simulate_cycles(design.units, design.source.beats, 8).interval
    played = Hardware(module).play(inputs)
    assert played.frame_ends[0] - 1 == latency
    assert interval == design.cycles()
    report = simulate_cycles(design.units, design.source.beats, len(inputs))
    assert [end - 1 for end in played.frame_ends] == report.nodes[-1].last
