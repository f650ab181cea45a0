"""What networks end in: best classes, probabilities; and normalizations, in every form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from lift_models import Net, assert_lifts_exactly, frames_for, lowered, refusal
from onnx import TensorProto

from irc.dialects import bnn
from irc.interp.onnx_reference import OnnxReference
from irc.interp.run import run_module
from irc.passes.streamline.declare_inputs import InputDeclaration

RNG = np.random.default_rng(13)


def image_logits(net: Net) -> str:
    return net.add("Conv", "x", net.const(RNG.integers(-2, 3, (4, 2, 1, 1))))


@pytest.mark.parametrize("keepdims", [0, 1])
@pytest.mark.parametrize("axis", [1, 2, 3, -1])
def test_argmax_along_any_axis_of_a_frame(axis: int, keepdims: int) -> None:
    net = Net((1, 2, 3, 5))
    value = net.add("ArgMax", image_logits(net), axis=axis, keepdims=keepdims)
    model = net.model(value, TensorProto.INT64)
    # Two bits: ties abound.
    assert_lifts_exactly(model, "int2", frames_for("int2", (2, 3, 5), 100))


@pytest.mark.parametrize("opset", [9, 10, 13])
def test_the_index_of_the_one_largest(opset: int) -> None:
    net = Net((1, 6), opset)
    logits = net.add("MatMul", "x", net.const(RNG.integers(-2, 3, (6, 5))))
    if opset < 10:
        value = net.add("TopK", logits, outputs=2, axis=1, k=1)
    else:
        value = net.add("TopK", logits, net.const([1], np.int64), outputs=2, axis=-1)
    model = net.model(f"{value}_1", TensorProto.INT64)
    assert_lifts_exactly(model, "int2", frames_for("int2", (6,), 100))


def test_more_than_one_is_refused() -> None:
    net = Net((1, 6))
    value = net.add("TopK", "x", net.const([3], np.int64), outputs=2)
    assert "k = 3, largest = 1; only the one" in refusal(net.model(f"{value}_1", TensorProto.INT64))


def test_the_largest_value_is_refused() -> None:
    net = Net((1, 6))
    value = net.add("TopK", "x", net.const([1], np.int64), outputs=2)
    assert "only its index is supported" in refusal(net.model(value))


@pytest.mark.parametrize("op_type", ["Softmax", "LogSoftmax"])
@pytest.mark.parametrize("opset", [11, 13])
def test_probabilities_stay_at_the_end(op_type: str, opset: int) -> None:
    net = Net((1, 6), opset)
    value = net.add("MatMul", "x", net.const(RNG.integers(-2, 3, (6, 5)) / 4))
    model = net.model(net.add(op_type, value, axis=1))
    frames = frames_for("int4", (6,), 100)
    module = lowered(model, "int4")
    floats = InputDeclaration.parse("int4").to_float(frames)
    (expected,) = OnnxReference(model).run_frames(floats).values()
    (found,) = run_module(module, [frames])
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    assert (found.argmax(axis=1) == expected.argmax(axis=1)).all()
    (linear,) = (op for op in module.walk() if isinstance(op, bnn.LinearOp))
    assert str(bnn.frame_type(linear.output).element_type).startswith("si")


def test_probabilities_of_pixels() -> None:
    net = Net((1, 2, 3, 5))
    model = net.model(net.add("Softmax", image_logits(net), axis=1))
    frames = frames_for("int4", (2, 3, 5), 10)
    (expected,) = OnnxReference(model).run_frames(frames.astype(np.float32)).values()
    (found,) = run_module(lowered(model, "int4"), [frames])
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)


def batch_norm(opset: int, outputs: int = 1, **attributes: Any) -> Net:
    net = Net((1, 6), opset)
    value = net.add("MatMul", "x", net.const(RNG.choice([-1.0, 1.0], (6, 5))))
    # A variance of 1 - epsilon in float32, so that nothing is rounded.
    statistics = (
        [2.0, -1, 0.5, 0, 4],
        [1.0, 0, -3, 2, 0.5],
        [0.0, 2, 1, -1, 0],
        [1.0, 4, 0.25, 1, 1],
    )
    parameters = (net.const(numbers) for numbers in statistics)
    value = net.add(
        "BatchNormalization", value, *parameters, outputs=outputs, epsilon=0.0, **attributes
    )
    net.add("Sign", value)
    return net


@pytest.mark.parametrize(
    ("opset", "attributes"),
    [
        (7, {}),
        (7, {"spatial": 1, "momentum": 0.5}),
        (7, {"spatial": 0}),
        (9, {}),
        (14, {"training_mode": 0}),
        (15, {}),
    ],
)
def test_batch_normalization_of_every_opset(opset: int, attributes: dict[str, Any]) -> None:
    net = batch_norm(max(opset, 9) if "spatial" not in attributes else 7, **attributes)
    if "spatial" in attributes or opset < 9:
        # Sign came with opset 9: the normalized values are the result.
        net.nodes.pop()
        lowered(net.model("n1"), "bipolar")
        return
    module = lowered(net.model("n2"), "bipolar")
    frames = frames_for("bipolar", (6,), 200)
    (expected,) = OnnxReference(net.model("n2")).run_frames(frames.astype(np.float32)).values()
    assert (run_module(module, [frames])[0] == expected).mean() > 0.99


def test_training_is_refused() -> None:
    net = batch_norm(15, 3, training_mode=1)
    assert "training mode; export the model for inference" in refusal(net.model("n2"), "bipolar")


def test_statistics_of_every_pixel_are_refused() -> None:
    net = Net((1, 2, 3, 3), 7)
    parameters = [net.const(np.ones((2, 3, 3))) for _ in range(4)]
    value = net.add("BatchNormalization", "x", *parameters, spatial=0)
    assert "spatial = 0: each pixel has statistics of its own" in refusal(net.model(value))


def test_normalization_by_the_frame_itself_is_refused_with_the_way_round() -> None:
    net = Net((1, 2, 3, 3))
    value = net.add("InstanceNormalization", "x", net.const([1, 1]), net.const([0, 0]))
    message = refusal(net.model(value))
    assert "(InstanceNormalization): normalizes each frame by its own statistics" in message
    assert "train with BatchNormalization" in message
