"""Normalization and bounded functions in the forms that they have had over the opsets."""

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
)
from lift_nodes import assert_same_floats, lifted_only, normal_frames, refused
from onnx import TensorProto

from irc.interp.run import run_module

RNG = np.random.default_rng(5)

FRAMES = normal_frames(3, 2, 4)


def normalized(opset: int, shape: tuple[int, ...] = (1, 3, 2, 4), **attributes: Any) -> Net:
    net = Net(shape, opset)
    channels = shape[1]
    rng = np.random.default_rng(opset)
    constants = [rng.normal(size=channels) for _ in range(3)]
    constants.append(rng.uniform(0.5, 2, channels))
    net.add("BatchNormalization", "x", *map(net.const, constants), **attributes)
    return net


FORMS: list[tuple[int, dict[str, Any]]] = [
    (1, {"is_test": 1, "consumed_inputs": [0, 0, 0, 1, 1]}),
    (1, {"is_test": 1, "spatial": 1, "consumed_inputs": [0, 0, 0, 1, 1]}),
    (6, {"is_test": 1, "momentum": 0.5}),
    (7, {"epsilon": 0.01}),
    (7, {"spatial": 1}),
    (8, {}),
    (9, {"momentum": 0.3}),
    (13, {"epsilon": 0.1}),
    (14, {"training_mode": 0}),
    (15, {}),
    (17, {"training_mode": 0, "epsilon": 1e-3}),
]


@pytest.mark.parametrize(("opset", "attributes"), FORMS)
def test_batch_normalization(opset: int, attributes: dict[str, Any]) -> None:
    net = normalized(opset, **attributes)
    x = FRAMES.astype(np.float64)
    inputs = [
        np.asarray(c.float_data or np.frombuffer(c.raw_data, "<f4")) for c in net.initializers
    ]
    gamma, beta, mean, variance = (c.reshape(-1, 1, 1).astype(np.float64) for c in inputs)
    epsilon = attributes.get("epsilon", 1e-5)
    expected = (x - mean) / np.sqrt(variance + epsilon) * gamma + beta
    (found,) = run_module(lifted_only(net.model("n0")), [FRAMES])
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    if opset >= 7:
        assert_same_floats(net.model("n0"), FRAMES)


@pytest.mark.parametrize("spatial", [0, 1])
def test_batch_normalization_of_features(spatial: int) -> None:
    net = normalized(8, (1, 5), spatial=spatial)
    assert_same_floats(net.model("n0"), normal_frames(5))


@pytest.mark.parametrize(
    ("opset", "attributes", "message"),
    [
        (6, {}, "training mode; export the model for inference"),
        (14, {"training_mode": 1}, "training mode"),
        (8, {"spatial": 0}, "spatial = 0: each pixel has statistics of its own"),
    ],
)
def test_forms_that_are_refused(opset: int, attributes: dict[str, Any], message: str) -> None:
    shape = (1, 3, 2, 4)
    net = normalized(opset, shape, **attributes)
    assert message in refused(net.model("n0"))


def test_statistics_that_are_used() -> None:
    net = Net((1, 3, 2, 4), 15)
    constants = [net.const(np.ones(3)) for _ in range(4)]
    net.add("BatchNormalization", "x", *constants, outputs=3, training_mode=1)
    assert "training mode" in refused(net.model("n0_1"))


def quantized(net: Net, value: str) -> str:
    """A sign, and a sum of it."""
    value = net.add("Sign", value)
    return net.add("MatMul", value, net.const(RNG.integers(-3, 4, (4, 2))))


@pytest.mark.parametrize("opset", [9, 14, 15])
def test_batch_normalization_becomes_thresholds(opset: int) -> None:
    net = Net((1, 4), opset)
    value = net.add("MatMul", "x", net.const(RNG.choice([-1.0, 1.0], (4, 4))))
    constants = [RNG.normal(size=4) for _ in range(3)] + [RNG.uniform(0.5, 2, 4)]
    value = net.add("BatchNormalization", value, *map(net.const, constants))
    model = net.model(quantized(net, value))
    assert_lifts_within_margin(model, "int4", frames_for("int4", (4,), 300))


SLOPES = {
    "one": [0.25],
    "scalar": 0.25,
    "channels": [[[0.25]], [[-0.5]], [[2.0]]],
    "with batch": [[[[0.25]], [[-0.5]], [[2.0]]]],
    "columns": [0.5, 0.25, 2.0, -1.0],
    "pixels": RNG.normal(size=(3, 2, 4)),
}


@pytest.mark.parametrize("opset", [7, 9, 16])
@pytest.mark.parametrize("slope", list(SLOPES))
def test_prelu(slope: str, opset: int) -> None:
    net = Net((1, 3, 2, 4), opset)
    assert_same_floats(net.model(net.add("PRelu", "x", net.const(SLOPES[slope]))), FRAMES)


@pytest.mark.parametrize("slopes", [[0.25, 0.5, 2.0, 0.0], [-0.25, 0.5, -1.0, 1.0]])
def test_prelu_becomes_thresholds(slopes: list[float]) -> None:
    net = Net((1, 4))
    value = net.add("MatMul", "x", net.const(RNG.choice([-1.0, 1.0], (4, 4))))
    value = net.add("PRelu", value, net.const(slopes))
    value = net.add("Sub", value, net.const([0.5, -0.5, 1.5, 0.25]))
    assert_lifts_exactly(net.model(quantized(net, value)), "int4", frames_for("int4", (4,), 300))


@pytest.mark.parametrize("opset", [1, 6, 11, 12, 13])
@pytest.mark.parametrize("bounds", [(-0.5, 0.75), (None, 0.5), (0.0, None), (None, None)])
def test_clip(opset: int, bounds: tuple[float | None, float | None]) -> None:
    net = Net((1, 3, 2, 4), opset)
    if opset < 11:
        names = {"min": bounds[0], "max": bounds[1]}
        given = {name: bound for name, bound in names.items() if bound is not None}
        more: dict[str, Any] = {"consumed_inputs": [0]} if opset < 6 else {}
        net.add("Clip", "x", **given, **more)
    else:
        operands = ["" if bound is None else net.const(bound) for bound in bounds]
        net.add("Clip", "x", *operands)
    (found,) = run_module(lifted_only(net.model("n0")), [FRAMES])
    low, high = (b if b is not None else s * np.inf for b, s in zip(bounds, (-1, 1), strict=True))
    np.testing.assert_array_equal(found, np.clip(FRAMES, np.float32(low), np.float32(high)))


def test_bounds_of_one_element_and_bounds_that_cross() -> None:
    net = Net((1, 3, 2, 4))
    value = net.add("Clip", "x", net.const([-0.5]), net.const(0.5))
    with_scalar = Net((1, 3, 2, 4))
    with_scalar.add("Clip", "x", with_scalar.const(-0.5), with_scalar.const(0.5))
    one, other = (run_module(lifted_only(n.model(value)), [FRAMES])[0] for n in (net, with_scalar))
    np.testing.assert_array_equal(one, other)
    net = Net((1, 3, 2, 4))
    assert_same_floats(net.model(net.add("Clip", "x", net.const(1), net.const(-1))), FRAMES)


def test_clip_with_one_bound_a_channel() -> None:
    net = Net((1, 3, 2, 4))
    net.add("Clip", "x", net.const([[[0.5]], [[0.25]], [[1]]]))
    assert "the bound 'min' has shape [3, 1, 1]" in refused(net.model("n0"))


@pytest.mark.parametrize("opset", [1, 6, 22])
@pytest.mark.parametrize("attributes", [{}, {"alpha": 0.5, "beta": 0.25}, {"alpha": -0.25}])
def test_hard_sigmoid(opset: int, attributes: dict[str, float]) -> None:
    net = Net((1, 4), opset)
    values: dict[str, Any] = dict(attributes)
    net.add("HardSigmoid", "x", **values)
    frames = every_integer("int8", 4).astype(np.float32) / np.float32(16)
    (found,) = run_module(lifted_only(net.model("n0")), [frames])
    alpha, beta = attributes.get("alpha", 0.2), attributes.get("beta", 0.5)
    np.testing.assert_allclose(found, np.clip(alpha * frames + beta, 0, 1), atol=1e-6)


@pytest.mark.parametrize("op_type", ["LayerNormalization", "InstanceNormalization", "Elu", "LRN"])
def test_what_has_no_thresholds(op_type: str) -> None:
    net = Net((1, 3, 2, 4))
    constants = {
        "LayerNormalization": [net.const(np.ones(4)), net.const(np.zeros(4))],
        "InstanceNormalization": [net.const(np.ones(3)), net.const(np.zeros(3))],
    }
    more: dict[str, Any] = {"size": 3} if op_type == "LRN" else {}
    message = refused(net.model(net.add(op_type, "x", *constants.get(op_type, []), **more)))
    assert "use Relu" in message or "train with BatchNormalization instead" in message


@pytest.mark.parametrize("opset", [1, 6])
def test_arithmetic_that_broadcasts_by_an_attribute(opset: int) -> None:
    """Before opset 7, `axis` says which axes a smaller second operand has."""
    channels = np.array([1.5, -2.25, 3.0], np.float32)
    net = Net((1, 3, 3, 3), opset)
    value = net.add("Add", "x", net.const(channels), broadcast=1, axis=1)
    value = net.add("Mul", value, net.const([[2, 3, 4], [5, 6, 7], [8, 9, 10]]), broadcast=1)
    value = net.add("Relu", value)
    frames = normal_frames(3, 3, 3)
    (found,) = run_module(lifted_only(net.model(value)), [frames])
    expected = (frames + channels[:, None, None]) * np.arange(2, 11, dtype=np.float32).reshape(3, 3)
    np.testing.assert_array_equal(found, np.maximum(expected, 0))


def test_float_casts_are_nothing() -> None:
    net = Net((1, 4))
    assert_same_floats(net.model(net.add("Cast", "x", to=TensorProto.FLOAT)), normal_frames(4))
