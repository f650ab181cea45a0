"""From a network with branches to units with streams between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from dag_nets import added, dag_samples
from hardware_nets import (
    CONTEXT,
    Sample,
    linear,
    named,
    random_foldings,
    random_values,
    threshold,
    to_dataflow,
)
from hypothesis import HealthCheck, given, settings
from xdsl.dialects.builtin import FunctionType, ModuleOp, TensorType, f32
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Operation, Region, SSAValue

from irc.dialects import bnn, dataflow
from irc.errors import UnsupportedError
from irc.interp.dataflow_host import hardware_inputs, hardware_outputs, host_outputs
from irc.interp.run import run_module
from irc.passes.hardware.convert_bnn_to_dataflow import ConvertBnnToDataflow
from irc.passes.hardware.design import design_of
from irc.passes.hardware.fold_layers import FoldLayers
from irc.passes.hardware.folding_search import refold
from irc.passes.hardware.hardware_section import hardware_obstacles
from irc.passes.hardware.insert_fifos import InsertFifos
from irc.passes.hardware.insert_width_converters import InsertWidthConverters
from irc.passes.hardware.lanes import fewest_cycles, folded_cycles, spread_lanes

quietly = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
VECTOR = TensorType(bnn.bipolar, (4,))
SQUARE = np.array([[1, -1, 1, 1], [1, 1, -1, 1], [-1, 1, 1, 1], [1, 1, 1, -1]])


def network(build: Callable[[Block], Sequence[SSAValue]], inputs: int = 1) -> FuncOp:
    """A function on vectors; `build` adds its operations and says what it returns."""
    block = Block(arg_types=[VECTOR] * inputs)
    results = build(block)
    block.add_op(ReturnOp(*results))
    types = FunctionType.from_lists([VECTOR] * inputs, [value.type for value in results])
    function = FuncOp("net", types, Region(block))
    ModuleOp([function]).verify()
    return function


def add(block: Block, op: Operation, name: str) -> SSAValue:
    op.location = named(name)
    block.add_op(op)
    return op.results[0]


def dense(block: Block, value: SSAValue, name: str) -> SSAValue:
    return add(block, linear(SQUARE, bnn.bipolar)(value), name)


def signs(block: Block, value: SSAValue, name: str) -> SSAValue:
    return add(block, threshold(np.array([[0]]), bnn.bipolar)(value), name)


def reasons(function: FuncOp) -> list[str]:
    return [str(obstacle) for obstacle in hardware_obstacles(function)]


@given(dag_samples())
@settings(quietly, max_examples=40)
def test_every_pass_keeps_what_the_network_computes(sample: Sample) -> None:
    module = sample.module
    (expected,) = run_module(module, [sample.inputs])
    design = to_dataflow(module)
    assert np.array_equal(run_module(module, [sample.inputs])[0], expected)
    foldings = random_foldings(np.random.default_rng(sample.seed), design)
    for layer, folding in zip(design.layers, foldings, strict=True):
        refold(layer, folding)
    spread_lanes(design)
    for module_pass in (InsertWidthConverters(), InsertFifos()):
        module_pass.apply(CONTEXT, module)
        module.verify()
        assert np.array_equal(run_module(module, [sample.inputs])[0], expected)
    assert isinstance(hardware_inputs(module, [sample.inputs]), np.ndarray)
    frames = hardware_outputs(module, [sample.inputs])
    assert np.array_equal(host_outputs(module, [sample.inputs], frames)[0], expected)


@given(dag_samples())
@settings(quietly, max_examples=40)
def test_nothing_is_slower_than_the_slowest_layer(sample: Sample) -> None:
    """Lanes are enough for sums, slices and the like, but for those whose channels are few."""
    module = sample.module
    design = to_dataflow(module)
    target = max((folded_cycles(layer, layer.folding) for layer in design.layers), default=1)
    target = max(1, target // 3, *map(fewest_cycles, design.units))
    FoldLayers(target_cycles=target if len(design.layers) < 2 else None).apply(CONTEXT, module)
    module.verify()
    slowest = max(folded_cycles(layer, layer.folding) for layer in design.layers)
    for unit in design_of(module).units:
        if isinstance(unit, dataflow.BranchNode) and unit.lanes != unit.lane_choices()[-1]:
            assert unit.cycles() <= slowest


def test_a_stream_that_is_read_once_has_no_fork() -> None:
    function = network(
        lambda block: [dense(block, signs(block, dense(block, block.args[0], "a"), "s"), "b")]
    )
    module = function.parent_op()
    assert isinstance(module, ModuleOp)
    assert [type(unit) for unit in to_dataflow(module).units] == [dataflow.MvuOp] * 2


def test_a_value_plus_itself_is_one_fork_and_one_sum() -> None:
    def build(block: Block) -> list[SSAValue]:
        x = dense(block, block.args[0], "a")
        return [add(block, added(x, x), "twice")]

    module = network(build).parent_op()
    assert isinstance(module, ModuleOp)
    rng = np.random.default_rng(1)
    inputs = random_values(rng, bnn.bipolar, (5, 4))
    _, fork, total = to_dataflow(module).units
    assert isinstance(fork, dataflow.ForkOp)
    assert tuple(total.operands) == tuple(fork.outputs)
    assert np.array_equal(run_module(module, [inputs])[0], 2 * (inputs @ SQUARE.T))


def test_thresholds_are_fused_only_where_they_alone_read_the_sums() -> None:
    def build(block: Block) -> list[SSAValue]:
        x = dense(block, block.args[0], "a")
        return [add(block, added(x, signs(block, x, "s")), "sum")]

    module = network(build).parent_op()
    assert isinstance(module, ModuleOp)
    kinds = [type(unit) for unit in to_dataflow(module).units]
    assert kinds == [dataflow.MvuOp, dataflow.ForkOp, dataflow.ThresholdOp, dataflow.AddOp]


def test_two_inputs_are_refused() -> None:
    def build(block: Block) -> list[SSAValue]:
        first, second = (dense(block, value, f"fc{i}") for i, value in enumerate(block.args))
        return [add(block, added(first, second), "sum")]

    assert reasons(network(build, inputs=2)) == [
        "node 'fc1' (bnn.linear): it reads a second input: hardware has one"
    ]


def test_floats_between_exact_layers_are_named_each() -> None:
    def build(block: Block) -> list[SSAValue]:
        x = dense(block, block.args[0], "a")
        real = add(block, bnn.CastOp(x), "cast")
        block.add_op(other := bnn.CastOp(block.args[0]))
        total = add(block, bnn.AddOp(real, other.output, f32), "residual")
        back = add(block, bnn.QuantizeOp("bipolar", total, bnn.bipolar), "sign")
        return [dense(block, back, "b")]

    text = "floating-point arithmetic between exact layers has no hardware"
    assert reasons(network(build)) == [
        f"node 'cast' (bnn.cast): {text}",
        f"node 'residual' (bnn.add): {text}",
        f"node 'sign' (bnn.quantize): {text}",
    ]


def test_floats_that_go_around_all_layers_stay_on_the_host() -> None:
    """A residual sum in floats behind the last layer is the host's."""

    def build(block: Block) -> list[SSAValue]:
        block.add_op(around := bnn.CastOp(block.args[0]))
        block.add_op(sums := bnn.CastOp(dense(block, block.args[0], "a")))
        return [add(block, bnn.AddOp(around.output, sums.output, f32), "sum")]

    module = network(build).parent_op()
    assert isinstance(module, ModuleOp)
    inputs = random_values(np.random.default_rng(2), bnn.bipolar, (5, 4))
    (expected,) = run_module(module, [inputs])
    (unit,) = to_dataflow(module).units
    assert isinstance(unit, dataflow.MvuOp)
    frames = hardware_outputs(module, [inputs])
    assert np.array_equal(host_outputs(module, [inputs], frames)[0], expected)


def test_channels_cannot_be_upsampled() -> None:
    def build(block: Block) -> list[SSAValue]:
        grid = add(block, bnn.ReshapeOp(block.args[0], (2, 2)), "grid")
        wide = add(block, bnn.UpsampleOp(grid, (1, 2)), "wide")
        return [signs(block, wide, "s")]

    function = network(build)
    with pytest.raises(UnsupportedError, match=r"node 'wide' .* not along channels"):
        ConvertBnnToDataflow().apply(CONTEXT, ModuleOp([function.clone()]))
