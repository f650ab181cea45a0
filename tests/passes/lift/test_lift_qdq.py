"""`QuantizeLinear` and `DequantizeLinear`, alone and with `Clip`, as exporters write them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from lift_models import (
    Net,
    assert_lifts_exactly,
    assert_lifts_within_margin,
    every_integer,
    frames_for,
    refusal,
)
from onnx import TensorProto, helper
from xdsl.dialects.builtin import ModuleOp

from irc.dialects import bnn

RNG = np.random.default_rng(5)


def qdq(
    net: Net,
    value: str,
    scale: Any,
    zero: Any,
    dtype: Any = np.uint8,
    clip: tuple[int, int] | None = None,
    **attributes: Any,
) -> str:
    """QuantizeLinear, Clip where given, DequantizeLinear."""
    parameters = net.const(scale), net.const(zero, dtype)
    value = net.add("QuantizeLinear", value, *parameters, **attributes)
    if clip is not None:
        value = net.add("Clip", value, net.const(clip[0], dtype), net.const(clip[1], dtype))
    return net.add("DequantizeLinear", value, *parameters, **attributes)


def weights(net: Net, integers: Any, scale: Any, **attributes: Any) -> str:
    """DequantizeLinear of int8 weights."""
    values = net.const(integers, np.int8), net.const(scale)
    return net.add("DequantizeLinear", *values, **attributes)


def accumulator_types(module: ModuleOp) -> list[str]:
    kinds = (bnn.LinearOp, bnn.ConvOp)
    return [
        str(bnn.frame_type(op.input).element_type) for op in module.walk() if isinstance(op, kinds)
    ]


@pytest.mark.parametrize("opset", [10, 13, 19, 21])
@pytest.mark.parametrize("zero", [0, 3, 128])
def test_dense_layers_with_uint8_activations(opset: int, zero: int) -> None:
    net = Net((1, 12), opset)
    value = qdq(net, "x", 1 / 128, 128)
    value = net.add("MatMul", value, weights(net, RNG.integers(-127, 128, (12, 6)), 2**-6))
    value = qdq(net, net.add("Relu", value), 0.25, zero)
    value = net.add("MatMul", value, weights(net, RNG.integers(-127, 128, (6, 4)), 2**-5))
    module = assert_lifts_exactly(net.model(value), "int8*0.0078125", frames_for("int8", (12,)))
    assert accumulator_types(module)[1] == "ui8"


@pytest.mark.parametrize("zero", [0, 5, -7, 127])
@pytest.mark.parametrize("scale", [1.0, 2.0, 4.0, 0.1, 3.0])
def test_ties_round_to_even_before_the_zero_point(zero: int, scale: float) -> None:
    net = Net((1, 3))
    model = net.model(qdq(net, "x", scale, zero, np.int8))
    assert_lifts_exactly(model, "int12", every_integer("int12", 3))


@pytest.mark.parametrize(
    ("dtype", "bounds", "kind"),
    [(np.int8, (-8, 7), "si4"), (np.int8, (-1, 1), "si2"), (np.uint8, (0, 3), "ui2")],
)
def test_clip_of_integers_narrows_the_quantizer(
    dtype: Any, bounds: tuple[int, int], kind: str
) -> None:
    net = Net((1, 8))
    value = qdq(net, "x", 0.25, 0, dtype, bounds)
    value = net.add("MatMul", value, weights(net, RNG.integers(-7, 8, (8, 5)), 0.5))
    module = assert_lifts_exactly(net.model(value), "int8/32", frames_for("int8", (8,)))
    assert accumulator_types(module) == [kind]


def test_clip_of_integers_that_are_the_input() -> None:
    net = Net((1, 4), dtype=TensorProto.INT8)
    value = net.add("Clip", "x", net.const(-5, np.int8), net.const(9, np.int8))
    value = net.add("DequantizeLinear", value, net.const(0.5), net.const(2, np.int8))
    assert_lifts_exactly(net.model(value), "int8", every_integer("int8", 4))


def test_weights_that_the_model_quantizes_itself() -> None:
    # Brevitas exports float weights with their quantizer: four bits, narrow, one scale a channel.
    net = Net((1, 8))
    value = qdq(net, "x", 2**-7, 0, np.int8)
    floats = net.const(RNG.normal(0, 0.3, (8, 5)))
    scale = np.exp2(RNG.integers(-5, -2, 5))
    kernel = qdq(net, floats, scale, np.zeros(5), np.int8, (-7, 7), axis=1)
    value = net.add("MatMul", value, kernel)
    module = assert_lifts_exactly(net.model(value), "int8*0.0078125", frames_for("int8", (8,)))
    (linear,) = (op for op in module.walk() if isinstance(op, bnn.LinearOp))
    assert str(linear.weights.element_type) == "si4"


def test_one_zero_point_a_channel() -> None:
    net = Net((1, 6))
    value = qdq(net, "x", [0.5] * 6, [0, -3, 8, 127, -128, 5], np.int8, axis=1)
    value = net.add("MatMul", value, weights(net, RNG.integers(-7, 8, (6, 4)), 0.5))
    assert_lifts_exactly(net.model(value), "int8", frames_for("int8", (6,), 200))


def test_one_scale_a_channel_of_an_image() -> None:
    net = Net((1, 2, 6, 6))
    value = net.add("Conv", "x", weights(net, RNG.integers(-7, 8, (3, 2, 3, 3)), 0.5))
    value = qdq(net, value, [0.5, 1.0, 3.0], [0, -3, 8], np.int8, axis=1)
    assert_lifts_exactly(net.model(value), "int8", frames_for("int8", (2, 6, 6)))


def test_convolutions_with_borders_and_pools() -> None:
    net = Net((1, 2, 6, 6))
    value = qdq(net, "x", 2**-7, 0, np.int8)
    kernel = weights(net, RNG.integers(-127, 128, (4, 2, 3, 3)), np.exp2([-7, -6, -7, -8]), axis=0)
    bias = net.add(
        "DequantizeLinear", net.const(RNG.integers(-900, 900, 4), np.int32), net.const(2.0**-12)
    )
    value = net.add("Relu", net.add("Conv", value, kernel, bias, pads=[1, 1, 1, 1]))
    value = qdq(net, value, 2**-4, 11)
    value = net.add("MaxPool", value, kernel_shape=[2, 2], strides=[2, 2])
    value = qdq(net, value, 2**-4, 11)
    kernel = weights(net, RNG.integers(-127, 128, (3, 4, 3, 3)), 2**-6)
    value = net.add("Conv", value, kernel, pads=[1, 1, 1, 1])
    value = net.add("Flatten", qdq(net, value, 2.0, 131))
    value = net.add("MatMul", value, weights(net, RNG.integers(-127, 128, (27, 5)), 2**-9))
    model = net.model(value)
    module = assert_lifts_exactly(model, "int8*0.0078125", frames_for("int8", (2, 6, 6)))
    assert accumulator_types(module) == ["si8", "ui8", "ui8"]


def test_scales_that_are_no_powers_of_two() -> None:
    net = Net((1, 16))
    value = qdq(net, "x", 0.0078, 113)
    value = net.add("Gemm", value, weights(net, RNG.integers(-127, 128, (16, 8)), 0.0123))
    value = qdq(net, net.add("Relu", value), 0.031, 0)
    value = net.add("Gemm", value, weights(net, RNG.integers(-127, 128, (8, 4)), 0.0077))
    assert_lifts_within_margin(net.model(value), "uint8/255", frames_for("uint8", (16,), 256))


def test_four_bit_tensors() -> None:
    net = Net((1, 8), opset=21)
    four = [TensorProto.INT4, TensorProto.UINT4]
    zero = net.tensor(helper.make_tensor("", four[1], [], [3]))
    scale = net.const(0.5)
    value = net.add("QuantizeLinear", "x", scale, zero)
    value = net.add("DequantizeLinear", value, scale, zero)
    integers = RNG.integers(-8, 8, 8 * 5)
    kernel = net.tensor(helper.make_tensor("", four[0], [8, 5], integers))
    value = net.add("MatMul", value, net.add("DequantizeLinear", kernel, net.const(0.25)))
    module = assert_lifts_exactly(net.model(value), "int8/16", frames_for("int8", (8,)))
    assert accumulator_types(module) == ["ui4"]


def test_the_result_may_stay_quantized() -> None:
    net = Net((1, 4))
    value = net.add("QuantizeLinear", "x", net.const(0.5), net.const(9, np.uint8))
    model = net.model(value, TensorProto.UINT8)
    assert_lifts_exactly(model, "int8", every_integer("int8", 4))


def test_a_scale_at_run_time_is_refused_with_the_way_round() -> None:
    net = Net((1, 4))
    scale = net.add("ReduceMax", net.add("Abs", "x"), keepdims=0)
    value = net.add("QuantizeLinear", "x", scale, net.const(0, np.uint8))
    message = refusal(net.model(net.add("DequantizeLinear", value, net.const(1.0))))
    assert "(QuantizeLinear): the scale is computed at run time" in message
    assert "export with calibrated, constant scales" in message


def test_a_scale_of_zero_is_refused() -> None:
    net = Net((1, 4))
    message = refusal(net.model(qdq(net, "x", 0.0, 0)))
    assert "(QuantizeLinear): a scale must be positive float32 numbers, not [0.0]" in message


def test_one_scale_a_block_is_refused() -> None:
    net = Net((1, 4), opset=21)
    kernel = net.const(RNG.integers(-7, 8, (4, 4)), np.int8)
    scales = net.const(np.ones((2, 4)))
    kernel = net.add("DequantizeLinear", kernel, scales, axis=0, block_size=2)
    message = refusal(net.model(net.add("MatMul", "x", kernel)))
    assert "(DequantizeLinear): one scale a block" in message
