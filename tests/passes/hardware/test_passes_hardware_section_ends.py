"""Several values leave the hardware, or enter it, in the one stream that there is at either end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from dag_nets import Growing
from hardware_nets import CONTEXT, Array, linear, named, random_values, threshold, to_dataflow
from hardware_projects import HardwareProject
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from xdsl.dialects.builtin import FunctionType, ModuleOp, TensorType, f32
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from irc.dialects import bnn, dataflow
from irc.interp.dataflow_host import hardware_inputs, hardware_outputs, host_outputs
from irc.interp.run import run_module
from irc.passes.hardware.fold_layers import FoldLayers
from irc.passes.hardware.hardware_section import hardware_obstacles, hardware_section
from irc.passes.hardware.insert_fifos import InsertFifos
from irc.passes.hardware.insert_width_converters import InsertWidthConverters

Build = Callable[[Block], Sequence[SSAValue]]
RNG = np.random.default_rng(5)
WEIGHTS = random_values(RNG, bnn.sint(3), (6, 12))
IMAGE = TensorType[Attribute](bnn.uint(3), (2, 3, 2))
FLOATS = TensorType[Attribute](f32, (2, 3, 2))


def add(block: Block, op: Operation) -> SSAValue:
    op.location = named(f"n{len(block.ops)}")
    block.add_op(op)
    return op.results[0]


def network(build: Build, frame: TensorType[Attribute]) -> ModuleOp:
    block = Block(arg_types=[frame])
    results = build(block)
    block.add_op(ReturnOp(*results))
    types = FunctionType.from_lists([frame], [value.type for value in results])
    module = ModuleOp([FuncOp("net", types, Region(block))])
    module.verify()
    return module


def dense(block: Block, value: SSAValue) -> SSAValue:
    return add(block, linear(WEIGHTS, bnn.sint(3))(value))


def flat(block: Block, value: SSAValue) -> SSAValue:
    return add(block, bnn.ReshapeOp(value, (12,)))


def logits_and_signs(block: Block) -> list[SSAValue]:
    """Sums, as integers and as floats, and their signs: of different types and shapes."""
    sums = dense(block, flat(block, block.args[0]))
    signs = add(block, threshold(np.array([[0]]), bnn.bipolar)(sums))
    few = add(block, threshold(np.array([[1, 5, 9]]), bnn.uint(2))(block.args[0]))
    return [add(block, bnn.CastOp(sums)), signs, sums, few]


def one_type(block: Block) -> list[SSAValue]:
    """The first result is read by what makes the second."""
    first = add(block, threshold(np.array([[4]]), bnn.bipolar)(flat(block, block.args[0])))
    second = add(block, threshold(np.array([[2]]), bnn.bipolar)(flat(block, block.args[0])))
    return [second, first, first]


def summed_on_the_host(block: Block) -> list[SSAValue]:
    """Two sums whose scales are in no ratio, added in floats behind the hardware."""
    x = flat(block, block.args[0])
    low, high = (add(block, linear(w, bnn.sint(3))(x)) for w in (WEIGHTS, WEIGHTS[::-1].copy()))
    scaled: list[SSAValue] = []
    for value, scale in ((low, 0.3), (high, 0.7)):
        real = add(block, bnn.CastOp(value))
        scaled.append(add(block, bnn.EwiseOp("mul", real, bnn.DenseAttr.from_floats(scale))))
    low, high = scaled
    return [add(block, bnn.AddOp(low, high, f32))]


def other_order(block: Block) -> list[SSAValue]:
    """The input as it is and transposed: both orders enter the hardware."""
    turned = add(block, bnn.TransposeOp(block.args[0], (2, 0, 1)))
    few = add(block, threshold(np.array([[3]]), bnn.uint(2))(flat(block, turned)))
    more = add(block, threshold(np.array([[1, 5]]), bnn.uint(2))(flat(block, block.args[0])))
    return [dense(block, add(block, bnn.AddOp(few, more, bnn.uint(3))))]


def two_quantizers(block: Block) -> list[SSAValue]:
    """Floats quantized on the host, to bits and to integers."""
    signs = add(block, bnn.QuantizeOp("bipolar", block.args[0], bnn.bipolar))
    codes = add(block, bnn.QuantizeOp("half_even", block.args[0], bnn.sint(4), -8, 7))
    largest = add(block, bnn.MaxPoolOp(codes, (1, 1), (1, 1), (1, 1), bnn.sint(4)))
    return [dense(block, flat(block, value)) for value in (signs, codes, largest)]


NETWORKS: dict[str, tuple[Build, TensorType[Attribute]]] = {
    "logits_and_signs": (logits_and_signs, IMAGE),
    "one_type": (one_type, IMAGE),
    "summed_on_the_host": (summed_on_the_host, IMAGE),
    "other_order": (other_order, IMAGE),
    "two_quantizers": (two_quantizers, FLOATS),
}


def inputs_of(frame: TensorType[Attribute], frames: int = 6) -> Array:
    rng = np.random.default_rng(frames)
    if frame.element_type == f32:
        return (6 * rng.standard_normal((frames, *frame.get_shape()))).astype(np.float32)
    return random_values(rng, frame.element_type, (frames, *frame.get_shape()))


def lowered(module: ModuleOp, inputs: Array) -> None:
    """Lower, and see that neither the whole nor the two halves of it compute anything else."""
    expected = run_module(module, [inputs])
    types = [value.type for value in _returned(module)]
    to_dataflow(module)
    for module_pass in (FoldLayers(), InsertWidthConverters(), InsertFifos()):
        module_pass.apply(CONTEXT, module)
        module.verify()
    assert [value.type for value in _returned(module)] == types
    frames = hardware_outputs(module, [inputs])
    for found in (run_module(module, [inputs]), host_outputs(module, [inputs], frames)):
        for given_, wanted in zip(found, expected, strict=True):
            assert np.array_equal(given_, wanted)
    assert len(hardware_inputs(module, [inputs])) == len(inputs)


def _returned(module: ModuleOp) -> Sequence[SSAValue]:
    (function,) = module.ops
    assert isinstance(function, FuncOp)
    (last,) = (op for op in function.body.block.ops if isinstance(op, ReturnOp))
    return last.operands


@pytest.mark.parametrize("name", NETWORKS)
def test_the_host_takes_the_stream_apart(name: str) -> None:
    build, frame = NETWORKS[name]
    module = network(build, frame)
    (function,) = module.ops
    assert isinstance(function, FuncOp)
    assert hardware_obstacles(function) == []
    lowered(module, inputs_of(frame))


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_simulation_gives_what_the_interpreter_gives(name: str, tmp_path: Path) -> None:
    build, frame = NETWORKS[name]
    module, inputs = network(build, frame), inputs_of(frame)
    lowered(module, inputs)
    HardwareProject(tmp_path / "net", module, inputs).check_frames("verilator")


def test_one_result_is_neither_joined_nor_cut() -> None:
    module = network(lambda block: [dense(block, flat(block, block.args[0]))], IMAGE)
    assert [type(unit) for unit in to_dataflow(module).units] == [dataflow.MvuOp]


@st.composite
def forests(draw: st.DrawFn) -> tuple[ModuleOp, Array]:
    """Random layers on an image; whatever nothing reads is returned."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    shape = (draw(st.integers(1, 5)), draw(st.integers(1, 5)), draw(st.sampled_from([1, 2, 3])))
    kind = draw(st.sampled_from([bnn.bipolar, bnn.uint(2), bnn.sint(3)]))
    net = Growing(draw, rng, TensorType(kind, shape))
    for _ in range(draw(st.integers(1, 6))):
        net.grow()
    leaves = [value for value in net.values if not list(value.uses)]
    net.block.add_op(ReturnOp(*leaves))
    types = FunctionType.from_lists([net.block.args[0].type], [value.type for value in leaves])
    function = FuncOp("net", types, Region(net.block))
    assume(hardware_section(function).ops)
    module = ModuleOp([function])
    module.verify()
    return module, random_values(rng, kind, (3, *shape))


@given(forests())
@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
def test_any_number_of_results(sample: tuple[ModuleOp, Array]) -> None:
    lowered(*sample)
