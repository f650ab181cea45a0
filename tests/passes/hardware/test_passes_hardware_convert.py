"""From bnn to dataflow: what becomes hardware, what stays on the host, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hardware_nets import CONTEXT, Hardware, Layer, linear, named, network, threshold, to_dataflow
from xdsl.dialects.builtin import TensorType, f32
from xdsl.ir import Operation, SSAValue

from irc.dialects import bnn, dataflow
from irc.errors import UnsupportedError
from irc.interp.dataflow_host import hardware_inputs, host_outputs
from irc.interp.run import run_module
from irc.passes.hardware.convert_bnn_to_dataflow import ConvertBnnToDataflow
from irc.passes.hardware.convert_dataflow_to_hw import ConvertDataflowToHw, layer_modules
from irc.passes.layer_names import UniqueNames, verilog_identifier

WEIGHTS = np.array([[1, -1, 1, -1], [1, 1, -1, -1]])
SQUARE = np.where(np.eye(4) > 0, 1, -1)


def cast(value: SSAValue) -> Operation:
    return bnn.CastOp(value)


def quantize(value: SSAValue) -> Operation:
    op = bnn.QuantizeOp("bipolar", value, bnn.bipolar)
    op.location = named("Sign_3")
    return op


def test_host_computes_what_is_float_at_both_ends() -> None:
    layers: list[Layer] = [
        quantize,
        linear(SQUARE, bnn.bipolar, "fc1"),
        threshold(np.array([[0]]), bnn.bipolar),
        linear(WEIGHTS, bnn.bipolar, "fc2"),
        cast,
        lambda value: bnn.EwiseOp("mul", value, bnn.DenseAttr.from_floats([0.5])),
        lambda value: bnn.ArgmaxOp(value, bnn.uint(1), keep_axis=True),
    ]
    module = network(TensorType(f32, (4,)), layers)
    x = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)
    (expected,) = run_module(module, [x])
    design = to_dataflow(module)
    assert [unit.name for unit in design.units] == ["dataflow.mvu", "dataflow.mvu"]
    assert np.array_equal(run_module(module, [x])[0], expected)
    entering = hardware_inputs(module, [x])
    assert np.array_equal(entering, np.where(x >= 0, 1, -1))
    hardware = Hardware(module)
    played = hardware.values(hardware.play(entering))
    assert np.array_equal(host_outputs(module, [x], played)[0], expected)


def test_thresholds_are_fused_only_where_nothing_else_reads_the_sums() -> None:
    module = network(
        TensorType(bnn.bipolar, (4,)),
        [linear(WEIGHTS, bnn.bipolar, "fc"), threshold(np.array([[0], [1]]), bnn.bipolar)],
    )
    (unit,) = to_dataflow(module).units
    assert isinstance(unit, dataflow.MvuOp)
    assert unit.thresholds is not None
    assert unit.layer_name == "fc"
    assert unit.location == named("fc")


def test_names_are_unique_and_fit_between_quotes() -> None:
    layers = [linear(SQUARE, bnn.bipolar, name) for name in ("fc", "fc", 'a "b"\nc', "")]
    design = to_dataflow(network(TensorType(bnn.bipolar, (4,)), layers))
    assert [layer.layer_name for layer in design.layers] == ["fc", "fc_2", "a b c", "mvu"]
    names = UniqueNames()
    assert [names.unique(n) for n in ("x", "x_2", "x", "x")] == ["x", "x_2", "x_3", "x_4"]
    assert verilog_identifier("/features.0/Conv") == "features_0_Conv"
    assert verilog_identifier("74") == "n74"
    assert verilog_identifier("é") == "n"


def test_every_layer_names_its_module() -> None:
    # The third is the first again, and is computed by its module.
    weights = {"/a.b": SQUARE, "a/b": np.flip(SQUARE, 0), "a_b_2": SQUARE, "74": WEIGHTS}
    layers = [
        layer
        for name, rows in weights.items()
        for layer in (linear(rows, bnn.sint(4), name), threshold(np.array([[0]]), bnn.bipolar))
    ]
    module = network(TensorType(bnn.bipolar, (4,)), layers)
    to_dataflow(module)
    ConvertDataflowToHw().apply(CONTEXT, module)
    assert layer_modules(module) == {
        "/a.b": "net_a_b",
        "a/b": "net_a_b_2",
        "a_b_2": "net_a_b",
        "74": "net_n74",
    }


def test_every_obstacle_is_named() -> None:
    def transpose(value: SSAValue) -> Operation:
        op = bnn.TransposeOp(value, (1, 0))
        op.location = named("Transpose_5")
        return op

    layers = [
        threshold(np.array([[0]]), bnn.bipolar),
        transpose,
        cast,
        quantize,
        linear(np.array([[1, -1]]), bnn.bipolar, "fc"),
    ]
    module = network(TensorType(bnn.sint(4), (2, 4)), layers)
    with pytest.raises(UnsupportedError) as raised:
        ConvertBnnToDataflow().apply(CONTEXT, module)
    assert str(raised.value) == (
        "node 'Transpose_5' (bnn.transpose): transposing by [1, 0] reorders a stream, "
        "which hardware has no unit for\n"
        "'bnn.cast': floating-point arithmetic between exact layers has no hardware\n"
        "node 'Sign_3' (bnn.quantize): floating-point arithmetic between exact layers "
        "has no hardware"
    )


def test_a_function_without_exact_layers_is_refused() -> None:
    module = network(TensorType(bnn.uint(8), (4,)), [cast])
    with pytest.raises(UnsupportedError, match="nothing to put in hardware"):
        ConvertBnnToDataflow().apply(CONTEXT, module)


def test_moving_axes_of_extent_one_is_a_reshape() -> None:
    module = network(
        TensorType(bnn.sint(4), (1, 4)),
        [
            threshold(np.array([[0]]), bnn.bipolar),
            lambda value: bnn.TransposeOp(value, (1, 0)),
            threshold(np.array([[1]]), bnn.uint(1)),
        ],
    )
    x = np.arange(-8, 8).reshape(4, 1, 4)
    (expected,) = run_module(module, [x])
    to_dataflow(module)
    assert np.array_equal(run_module(module, [x])[0], expected)
