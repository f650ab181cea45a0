"""ONNX Runtime's own integer operators, as its quantizer writes them in QOperator format."""

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
from lift_nodes import count_ops
from onnx import TensorProto

from irc.errors import UnsupportedError
from irc.frontend.import_onnx import import_model

RNG = np.random.default_rng(5)
RUNTIME = "com.microsoft"
UINT8, INT8 = TensorProto.UINT8, TensorProto.INT8


def tensor(net: Net, name: str, scale: float, zero: int, dtype: Any = np.uint8) -> list[str]:
    """A quantized tensor as such operators take it."""
    return [name, net.const(scale), net.const(zero, dtype)]


def result(net: Net, scale: float, zero: int, dtype: Any = np.uint8) -> list[str]:
    return tensor(net, "", scale, zero, dtype)[1:]


def integers(shape: tuple[int, ...], code: int = UINT8) -> Net:
    return Net(shape, dtype=code)


@pytest.mark.parametrize("zero", [0, 3, 128])
def test_sum_of_two_branches_for_every_pair(zero: int) -> None:
    net = integers((1, 2))
    halves = [net.add("Gather", "x", net.const([i], np.int64), axis=1) for i in range(2)]
    sources = tensor(net, halves[0], 0.021, zero), tensor(net, halves[1], 0.05, 7)
    value = net.add("QLinearAdd", *sources[0], *sources[1], *result(net, 0.06, 5), domain=RUNTIME)
    pairs = np.stack(np.meshgrid(np.arange(256), np.arange(256)), -1).reshape(-1, 2)
    assert_lifts_within_margin(net.model(value, UINT8), "uint8", pairs)


def test_sum_rounds_behind_an_odd_zero_point() -> None:
    """Ties, of which half go the other way if the zero point is added after rounding."""
    net = integers((1, 2))
    halves = [net.add("Gather", "x", net.const([i], np.int64), axis=1) for i in range(2)]
    sources = tensor(net, halves[0], 0.5, 0), tensor(net, halves[1], 0.5, 0)
    value = net.add("QLinearAdd", *sources[0], *sources[1], *result(net, 1, 7), domain=RUNTIME)
    pairs = np.stack(np.meshgrid(np.arange(64), np.arange(64)), -1).reshape(-1, 2)
    assert_lifts_exactly(net.model(value, UINT8), "uint8", pairs)


@pytest.mark.parametrize("op_type", ["QLinearAdd", "QLinearMul"])
@pytest.mark.parametrize("first", [False, True])
def test_with_a_constant(op_type: str, first: bool) -> None:
    net = integers((1, 3))
    sources = [
        tensor(net, "x", 0.5, 3),
        tensor(net, net.const([[0, 255, 131]], np.uint8), 0.25, 128),
    ]
    if first:
        sources.reverse()
    value = net.add(op_type, *sources[0], *sources[1], *result(net, 2.0, 9), domain=RUNTIME)
    assert_lifts_exactly(net.model(value, UINT8), "uint8", every_integer("uint8", 3))


@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
@pytest.mark.parametrize("op_type", ["QLinearSigmoid", "QLinearLeakyRelu"])
def test_functions_of_one_tensor(op_type: str, dtype: Any) -> None:
    code, kind = (UINT8, "uint8") if dtype is np.uint8 else (INT8, "int8")
    net = integers((1, 2), code)
    slope: dict[str, Any] = {"alpha": 0.2} if op_type == "QLinearLeakyRelu" else {}
    parts = *tensor(net, "x", 0.037, 4, dtype), *result(net, 0.0041, -3 % 100, dtype)
    value = net.add(op_type, *parts, domain=RUNTIME, **slope)
    assert_lifts_within_margin(net.model(value, code), kind, every_integer(kind, 2))


def test_concat_brings_its_parts_to_one_scale() -> None:
    net = integers((1, 2, 3, 3))
    other = net.add("MaxPool", "x", kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    value = net.add(
        "QLinearConcat",
        *result(net, 0.5, 10),
        *(*tensor(net, "x", 0.5, 10), *tensor(net, other, 0.25, 0)),
        domain=RUNTIME,
        axis=1,
    )
    frames = frames_for("uint8", (2, 3, 3))
    assert_lifts_exactly(net.model(value, UINT8), "uint8", frames)


def test_global_average_pool_sums_integers() -> None:
    net = integers((1, 2, 4, 4))
    parts = *tensor(net, "x", 0.11, 128), *result(net, 0.05, 100)
    value = net.add("QLinearGlobalAveragePool", *parts, domain=RUNTIME)
    module = assert_lifts_exactly(
        net.model(value, UINT8), "uint8", frames_for("uint8", (2, 4, 4), 300)
    )
    assert count_ops(module, "bnn.sum_pool") == 1


def test_average_pool() -> None:
    net = integers((1, 2, 4, 4))
    parts = *tensor(net, "x", 0.5, 128), *result(net, 0.5, 128)
    window: dict[str, Any] = {"kernel_shape": [2, 2], "strides": [2, 2]}
    value = net.add("QLinearAveragePool", *parts, domain=RUNTIME, **window)
    assert_lifts_exactly(net.model(value, UINT8), "uint8", frames_for("uint8", (2, 4, 4), 300))


@pytest.mark.parametrize("transposed", [0, 1])
def test_gemm_with_a_bias(transposed: int) -> None:
    net = integers((1, 9))
    weights = RNG.integers(-128, 128, (9, 4))
    value = net.add(
        "QGemm",
        *tensor(net, "x", 0.25, 3),
        net.const(weights.T if transposed else weights, np.int8),
        *(net.const([0.5, 0.25, 1.0, 0.125]), net.const([0] * 4, np.int8)),
        net.const([1000, -1000, 5, 0], np.int32),
        *result(net, 8.0, 131),
        domain=RUNTIME,
        transB=transposed,
    )
    assert_lifts_exactly(net.model(value, UINT8), "uint8", frames_for("uint8", (9,), 300))


@pytest.mark.parametrize("op_type", ["MaxPool", "GlobalMaxPool", "Pad"])
def test_integers_are_pooled_and_padded_as_they_are(op_type: str) -> None:
    net = integers((1, 2, 5, 5), INT8)
    if op_type == "Pad":
        pads = net.const([0, 0, 1, 0, 0, 0, 2, 1], np.int64)
        value = net.add("Pad", "x", pads, net.const(-7, np.int8))
    elif op_type == "MaxPool":
        value = net.add("MaxPool", "x", kernel_shape=[2, 2], pads=[1, 0, 0, 1])
    else:
        # ONNX Runtime has none of integers.
        value = net.add("MaxPool", "x", kernel_shape=[5, 5])
    assert_lifts_exactly(net.model(value, INT8), "int8", frames_for("int8", (2, 5, 5)))


def test_contrib_quantizers_are_the_standard_ones() -> None:
    net = Net((1, 4))
    scale, zero = net.const(0.5), net.const(300, np.uint16)
    value = net.add("QuantizeLinear", "x", scale, zero, domain=RUNTIME)
    value = net.add("DequantizeLinear", value, scale, zero, domain=RUNTIME)
    assert_lifts_exactly(net.model(value), "int9", frames_for("int9", (4,), 200))


def test_gates_and_quantized_softmax_are_refused_with_a_way_round() -> None:
    net = integers((1, 4))
    parts = *tensor(net, "x", 0.5, 3), *tensor(net, "x", 0.5, 3), *result(net, 1.0, 3)
    value = net.add("QLinearMul", *parts, domain=RUNTIME)
    assert "both inputs are activations" in refusal(net.model(value, UINT8), "uint8")
    net = integers((1, 4))
    parts = *tensor(net, "x", 0.5, 3), *result(net, 1.0, 3)
    value = net.add("QLinearSoftmax", *parts, domain=RUNTIME)
    assert "leave Softmax out of quantization" in refusal(net.model(value, UINT8), "uint8")


def test_what_the_optimizer_writes_names_the_way_round() -> None:
    net = Net((1, 4))
    value = net.add("Gelu", "x", domain=RUNTIME)
    with pytest.raises(UnsupportedError) as caught:
        import_model(net.model(value))
    assert str(caught.value).endswith(
        "node 'gelu_n0' (com.microsoft::Gelu): one of ONNX Runtime's own operators that irc "
        "lacks; give irc the model before ONNX Runtime optimized it, or quantize it in QDQ format"
    )
