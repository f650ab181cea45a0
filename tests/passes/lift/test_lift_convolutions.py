"""Convolutions, pools and borders are lifted as ONNX Runtime runs them, or refused in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

from irc.api import evaluate, run_passes
from irc.errors import IrcError
from irc.frontend.import_onnx import import_model
from irc.interp.onnx_reference import OnnxReference

LIFT = "onnx-infer-shapes{batch=1},onnx-fold-constants,lift-onnx-to-bnn"


def node(op_type: str, *inputs: str, **attributes: Any) -> NodeProto:
    return helper.make_node(op_type, ["x", *inputs], ["y"], "the_node", **attributes)


def model_of(made: NodeProto, shape: tuple[int, ...], **constants: Any) -> Any:
    initializers = [numpy_helper.from_array(np.asarray(a), n) for n, a in constants.items()]
    graph = helper.make_graph(
        [made],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, *shape])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        initializers,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)


WEIGHTS = np.random.default_rng(0).integers(-3, 4, (4, 1, 3, 2)).astype(np.float32)

CASES = [
    node("Conv", "w", group=2),
    node("Conv", "w", group=2, strides=[2, 3], dilations=[2, 1], pads=[1, 0, 2, 1]),
    node("Conv", "w", group=2, auto_pad="SAME_UPPER", strides=[2, 2]),
    node("Conv", "w", group=2, auto_pad="SAME_LOWER", strides=[3, 1]),
    node("MaxPool", kernel_shape=[3, 2], strides=[2, 2], ceil_mode=1),
    node("MaxPool", kernel_shape=[3, 2], pads=[1, 0, 2, 1], dilations=[1, 2]),
    node("MaxPool", kernel_shape=[2, 3], auto_pad="SAME_LOWER"),
    node("AveragePool", kernel_shape=[2, 3], strides=[2, 2]),
    node("AveragePool", kernel_shape=[2, 2], pads=[1, 0, 0, 1], count_include_pad=1),
    node("AveragePool", kernel_shape=[7, 6], ceil_mode=1),
    node("GlobalAveragePool"),
    node("GlobalMaxPool"),
    node("Pad", "pads", "value"),
]


@pytest.mark.parametrize("made", CASES, ids=lambda n: n.op_type)
def test_lifted_is_the_node(made: NodeProto) -> None:
    shape = (2, 7, 6)
    pads = np.array([0, 0, 1, 2, 0, 0, 3, 0])
    model = model_of(made, shape, w=WEIGHTS, pads=pads, value=np.float32(-1))
    x = np.random.default_rng(1).integers(-9, 9, (5, *shape)).astype(np.float32)
    (expected,) = OnnxReference(model).run_frames(x).values()
    module = import_model(model)
    run_passes(module, LIFT)
    (found,) = evaluate(module, x)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (node("Pad", "pads", "nan"), "NaN"),
        (node("Conv", "w", group=2, auto_pad="SAME"), "auto_pad 'SAME' is not supported"),
    ],
)
def test_refusals_name_the_node(made: NodeProto, reason: str) -> None:
    model = model_of(
        made,
        (2, 7, 6),
        w=WEIGHTS,
        pads=np.array([0, 0, 1, 1, 0, 0, 1, 1]),
        nan=np.float32(np.nan),
    )
    with pytest.raises(IrcError) as failure:
        run_passes(import_model(model), LIFT)
    assert "'the_node'" in str(failure.value)
    assert reason in str(failure.value)
