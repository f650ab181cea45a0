"""`MatMulInteger`, `ConvInteger`, `QLinearMatMul` and `QLinearConv` with scales and zero points."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from lift_models import Net, assert_lifts_exactly, frames_for, refusal
from onnx import TensorProto

RNG = np.random.default_rng(9)


def quantized_input(net: Net, zero: int, dtype: Any = np.uint8) -> str:
    return net.add("QuantizeLinear", "x", net.const(1.0), net.const(zero, dtype))


@pytest.mark.parametrize("zero", [0, 7, 128])
@pytest.mark.parametrize("column_zeros", [False, True])
def test_matmul_integer(zero: int, column_zeros: bool) -> None:
    net = Net((1, 9))
    value = quantized_input(net, zero)
    kernel = net.const(RNG.integers(-128, 128, (9, 4)), np.int8)
    kernel_zero = net.const([3, -2, 0, 127] if column_zeros else 5, np.int8)
    value = net.add("MatMulInteger", value, kernel, net.const(zero, np.uint8), kernel_zero)
    value = net.add("Add", value, net.const([100, -100, 7, 0], np.int32))
    value = net.add("Mul", net.add("Cast", value, to=TensorProto.FLOAT), net.const(0.125))
    value = net.add("MatMul", net.add("Sign", value), net.const(RNG.integers(-3, 4, (4, 2))))
    assert_lifts_exactly(net.model(value), "int9", frames_for("int9", (9,), 200))


def test_integers_as_the_input() -> None:
    net = Net((1, 9), dtype=TensorProto.UINT8)
    kernel = net.const(RNG.integers(-128, 128, (9, 4)), np.int8)
    value = net.add("MatMulInteger", "x", kernel)
    assert_lifts_exactly(
        net.model(value, TensorProto.INT32), "uint8", frames_for("uint8", (9,), 100)
    )


@pytest.mark.parametrize("zero", [0, 7])
def test_conv_integer(zero: int) -> None:
    net = Net((1, 2, 5, 5))
    value = quantized_input(net, zero)
    kernel = net.const(RNG.integers(0, 256, (3, 2, 3, 3)), np.uint8)
    zeros = net.const(zero, np.uint8), net.const(128, np.uint8)
    value = net.add("ConvInteger", value, kernel, *zeros, pads=[1, 1, 1, 1])
    value = net.add("Sign", net.add("Cast", value, to=TensorProto.FLOAT))
    assert_lifts_exactly(net.model(value), "int9", frames_for("int9", (2, 5, 5)))


@pytest.mark.parametrize("per_column", [False, True])
def test_qlinear_matmul(per_column: bool) -> None:
    net = Net((1, 9))
    value = quantized_input(net, 3)
    scale = net.const([0.5, 0.25, 1.0, 0.125] if per_column else 0.3)
    kernel_zero = net.const([0, 3, 0, 0] if per_column else 0, np.int8)
    value = net.add(
        "QLinearMatMul",
        *(value, net.const(0.25), net.const(3, np.uint8)),
        *(net.const(RNG.integers(-128, 128, (9, 4)), np.int8), scale, kernel_zero),
        *(net.const(8.0), net.const(131, np.uint8)),
    )
    value = net.add("DequantizeLinear", value, net.const(8.0), net.const(131, np.uint8))
    value = net.add("MatMul", value, net.const(RNG.integers(-3, 4, (4, 2))))
    assert_lifts_exactly(net.model(value), "int9", frames_for("int9", (9,), 300))


@pytest.mark.parametrize("dtype", [np.int8, np.uint8])
def test_qlinear_conv(dtype: Any) -> None:
    net = Net((1, 2, 5, 5))
    value = quantized_input(net, 3, dtype)
    for channels in (2, 4):
        value = net.add(
            "QLinearConv",
            *(value, net.const(0.25), net.const(3, dtype)),
            net.const(RNG.integers(-128, 128, (4, channels, 3, 3)), np.int8),
            *(net.const([0.5, 0.25, 1.0, 0.125]), net.const([0] * 4, np.int8)),
            *(net.const(40.0), net.const(3, dtype)),
            net.const(RNG.integers(-2000, 2000, 4), np.int32),
            pads=[1, 1, 1, 1],
        )
    kind = TensorProto.INT8 if dtype == np.int8 else TensorProto.UINT8
    assert_lifts_exactly(net.model(value, kind), "int9", frames_for("int9", (2, 5, 5), 100))


def test_dynamic_quantization_is_refused_with_the_way_round() -> None:
    net = Net((1, 9))
    value = net.add("DynamicQuantizeLinear", "x", outputs=3)
    kernel = net.const(RNG.integers(-128, 128, (9, 4)), np.int8)
    value = net.add("MatMulInteger", value, kernel, f"{value}_2")
    message = refusal(net.model(value, TensorProto.INT32))
    assert "(DynamicQuantizeLinear): the scale follows from each activation" in message
    assert "quantize_static" in message
    assert "MatMulInteger" not in message
