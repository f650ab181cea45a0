"""Whole networks: integers from the first layer to the last, little lost where bits are many."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from float_networks import Net, conv_net, dense_net, digits, residual_net, save_digits
from onnx import ModelProto
from xdsl.dialects.builtin import Float32Type, ModuleOp

from irc.api import evaluate, load, run_passes
from irc.dialects import bnn
from irc.dialects.dense import is_exact
from irc.flow.ladder import Ladder
from irc.flow.quantize import QuantizeOptions, QuantizeReport, quantize_model
from irc.flow.verify import verify
from irc.interp.data_files import load_data
from irc.interp.run import entry_function
from irc.passes.quantize.activation_sites import Movement
from irc.passes.quantize.insert_quantizers import ActivationChoice
from irc.passes.quantize.quantize_weights import WeightChoice
from irc.printing import print_ir

Array = npt.NDArray[Any]

FLOATS = "onnx-to-float-bnn"
DECLARED = "x=uint8/255"


def net_with(build: Callable[[Net], None]) -> Callable[[], ModelProto]:
    """A classifier on what `build` appends to the input."""

    def model() -> ModelProto:
        net = Net(seed=3)
        build(net)
        return net.classify()

    return model


def signed_activations(net: Net) -> None:
    """Values of either sign between layers: a slope below 0, tanh, nothing at all."""
    net.conv("conv1", 6)
    net.norm("norm1")
    net.node("LeakyRelu", "leaky", [net.last], alpha=0.25)
    net.conv("conv2", 6)
    net.node("Tanh", "tanh", [net.last])
    net.conv("conv3", 6, stride=2)
    net.conv("conv4", 6)
    net.relu("relu4")


def averages(net: Net) -> None:
    """A padded max-pool, an average of some and an average of all."""
    net.block("conv1", 8)
    options = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}
    net.node("MaxPool", "pool", [net.last], **options)
    net.shape = (8, 7, 7)
    net.block("conv2", 24)
    net.node("AveragePool", "some", [net.last], kernel_shape=[2, 2], strides=[1, 1])
    net.shape = (24, 6, 6)
    net.conv("conv3", 32)
    net.relu("relu3")
    net.node("GlobalAveragePool", "all", [net.last])
    net.shape = (32, 1, 1)


def preprocessing(net: Net) -> None:
    """What many models do with pixels: centre and scale them; the border is 0 after that."""
    net.node("Sub", "centred", ["x", net.constant("mean", 0.1307)])
    net.node("Div", "scaled", [net.last, net.constant("deviation", 0.3081)])
    net.block("conv1", 8)
    net.max_pool("pool1")


NETWORKS: dict[str, Callable[[], ModelProto]] = {
    "dense": dense_net,
    "conv": conv_net,
    "signed": net_with(signed_activations),
    "averages": net_with(averages),
    "preprocessing": net_with(preprocessing),
    "residual": residual_net,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every network and the digits, in files."""
    path = tmp_path_factory.mktemp("floats")
    save_digits(path)
    for name, build in NETWORKS.items():
        (path / f"{name}.onnx").write_bytes(build().SerializeToString())
    return path


@cache
def quantized(
    folder: Path, name: str, weights: int, activations: int
) -> tuple[ModuleOp, QuantizeReport]:
    """The network with these bits, calibrated, and measured on other digits; not to be changed."""
    wanted = QuantizeOptions(
        WeightChoice(weights),
        ActivationChoice(activations),
        load_data(folder / "calib.npz"),
        load_data(folder / "test.npz"),
    )
    return quantize_model(Ladder(folder / f"{name}.onnx", (DECLARED,)), wanted)


@pytest.mark.parametrize("name", NETWORKS)
def test_eight_bits_lose_less_than_a_point(folder: Path, name: str) -> None:
    _, report = quantized(folder, name, 8, 8)
    assert report.frames == 200
    assert report.accuracy_before is not None
    assert report.accuracy_before > 0.5
    # Of 200 frames one is half a point.
    assert report.drop < 1.01
    assert report.same_class > 0.95


def test_four_bits_lose_little_of_a_trained_network(folder: Path) -> None:
    _, report = quantized(folder, "dense", 4, 4)
    assert report.accuracy_before is not None
    assert report.accuracy_before > 0.85
    assert report.drop <= 2


def test_binary_weights_lose_much_of_a_network_that_was_not_trained_for_them(folder: Path) -> None:
    _, report = quantized(folder, "dense", 1, 8)
    assert report.drop > 3


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(("weights", "activations"), [(8, 8), (4, 4), (1, 1)])
def test_everything_from_the_first_to_the_last_layer_is_an_integer(
    folder: Path, name: str, weights: int, activations: int
) -> None:
    module, report = quantized(folder, name, weights, activations)
    operations = list(entry_function(module).body.block.ops)
    last = max(i for i, op in enumerate(operations) if isinstance(op, bnn.LinearOp | bnn.ConvOp))
    for op in operations[: last + 1]:
        for value in op.results:
            assert is_exact(bnn.frame_type(value).element_type), f"{op.name} gives {value.type}"
    assert report.rounded_otherwise == 0


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("bits", [pytest.param(8, marks=pytest.mark.slow), 3])
def test_streamlining_changes_no_result_of_the_quantized_network(
    folder: Path, name: str, bits: int
) -> None:
    settings = f'bits={bits} data="{folder / "calib.npz"}"'
    module = load(folder / f"{name}.onnx")
    passes = (FLOATS, f"quantize-weights{{{settings}}}", f"quantize-activations{{{settings}}}")
    run_passes(module, ",".join(passes))
    images = digits()[0][:60].astype(np.float32) / np.float32(255)
    (before,) = evaluate(module, images)
    run_passes(module, "float-bnn-to-bnn")
    (after,) = evaluate(module, images)
    assert before.dtype == np.float32
    assert np.array_equal(before, after)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_level_below_agrees(folder: Path, name: str, tmp_path: Path) -> None:
    module, report = quantized(folder, name, 4, 4)
    path = tmp_path / "net.mlir"
    path.write_text(print_ir(module, locations=True), encoding="utf-8")
    result = verify(
        Ladder(path), load_data(folder / "test.npz"), ["bnn", "dataflow", "packed", "c"]
    )
    assert result.agrees
    assert {level.accuracy for level in result.levels} == {report.accuracy_after}


def test_a_float_input_is_quantized_at_the_entry(folder: Path) -> None:
    options = QuantizeOptions(WeightChoice(8), ActivationChoice(8), load_data(folder / "calib.npz"))
    module, report = quantize_model(Ladder(folder / "dense.onnx"), options)
    function = entry_function(module)
    argument = function.body.block.args[0]
    assert isinstance(bnn.frame_type(argument).element_type, Float32Type)
    assert any(isinstance(op, bnn.QuantizeOp) for op in function.body.block.ops)
    # The file holds bytes, and nobody said how the network's floats follow from them.
    assert any("--input x=uint8/255" in note for note in report.notes)


def test_exceptions_reach_their_layers_and_edges_keep_eight_bits(folder: Path) -> None:
    choice = WeightChoice(3, exceptions={"conv2": 5})
    activations = ActivationChoice(4, exceptions={"pointwise": 6})
    data = load_data(folder / "calib.npz")
    _, report = quantize_model(
        Ladder(folder / "conv.onnx", (DECLARED,)), QuantizeOptions(choice, activations, data)
    )
    rows = {layer.name: (layer.weights, layer.activations) for layer in report.layers}
    assert rows == {
        "conv1": ("si8", "ui8"),
        "conv2": ("si5", "ui4"),
        "depthwise": ("si3", "ui4"),
        "pointwise": ("si3", "ui6"),
        "fc": ("si8", "ui4"),
    }
    worst = min(report.layers, key=lambda layer: layer.weights_sqnr)
    assert worst.weights == "si3"
    assert all(np.isfinite([layer.output_sqnr for layer in report.layers]))


def test_residual_operands_share_a_step_up_to_a_power_of_two(folder: Path) -> None:
    data = f'data="{folder / "calib.npz"}"'
    module = load(folder / "residual.onnx")
    run_passes(module, f"{FLOATS},quantize-activations{{bits=4 {data}}}")
    additions = [op for op in module.walk() if isinstance(op, bnn.AddOp)]
    assert len(additions) == 2
    for op in additions:
        steps: list[float] = []
        for operand in op.operands:
            scale = operand.owner
            while isinstance(scale, Movement):
                scale = scale.input.owner
            assert isinstance(scale, bnn.EwiseOp)
            assert scale.fn.data == "mul"
            assert isinstance(scale.input.owner, bnn.CastOp)
            assert scale.constant is not None
            steps.append(float(scale.constant.numpy()))
        ratio = np.log2(steps[0] / steps[1])
        assert ratio == round(ratio)
