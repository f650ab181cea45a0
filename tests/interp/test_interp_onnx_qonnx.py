"""QONNX operators, in NumPy and expanded into ONNX, against QONNX's own functions."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import ModelProto, helper, numpy_helper

from irc.errors import UnsupportedError
from irc.frontend.import_onnx import import_model
from irc.interp import qonnx
from irc.interp.onnx import evaluate
from irc.interp.onnx_expand import expand_qonnx
from irc.interp.onnx_reference import OnnxReference

intquant: Any = importlib.import_module("qonnx.custom_op.general.intquant")
bipolar: Any = importlib.import_module("qonnx.custom_op.general.bipolar_quant")
trunc: Any = importlib.import_module("qonnx.custom_op.general.trunc")
multithreshold: Any = importlib.import_module("qonnx.custom_op.general.multithreshold")

F32 = np.float32
TIES = [0.5, 1.5, 2.5, 3.5, 0.25, 0.75, 0.49999997, 0.50000006, 1.4999999, 126.5, 127.5, 254.5]
EDGES = np.array(
    [0.0, -0.0, *TIES, *[-t for t in TIES], 1e-40, -1e-40, 1e9, -1e9, 3e38, -3e38, 8388607.5], F32
)
OPSETS = [9, 11, 13, 17]


def scalar(value: float) -> Any:
    return np.array(value, F32)


def expanded(
    op_type: str, x: Any, constants: dict[str, Any], opset: int, dynamic: bool, **attributes: Any
) -> Any:
    """What ONNX Runtime answers for one QONNX node after expansion.

    With `dynamic`, the other operands are inputs too, so that nothing is known of them.
    """
    values = {"x": x, **constants}
    node = helper.make_node(op_type, list(values), ["y"], domain="onnx.brevitas", **attributes)
    inputs = list(values) if dynamic else ["x"]
    graph = helper.make_graph(
        [node],
        "net",
        [helper.make_tensor_value_info(n, 1, np.shape(values[n])) for n in inputs],
        [helper.make_tensor_value_info("y", 1, x.shape)],
        [numpy_helper.from_array(v, n) for n, v in values.items() if n not in inputs],
    )
    imports = [helper.make_opsetid("", opset), helper.make_opsetid("onnx.brevitas", 1)]
    model = helper.make_model(graph, opset_imports=imports, ir_version=8)
    reference = OnnxReference(import_model(model))
    assert reference.engine == "onnxruntime"
    return reference.run({name: values[name] for name in inputs})["y"]


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("mode", list(qonnx.ROUNDING))
@pytest.mark.parametrize("dynamic", [False, True])
def test_quant_rounds_as_qonnx_does(mode: str, opset: int, dynamic: bool):
    for signed, narrow, bits in [(1, 0, 8), (1, 1, 8), (0, 0, 8), (0, 1, 3), (1, 1, 2), (1, 0, 1)]:
        operands = {"scale": scalar(1), "zeropt": scalar(0), "bitwidth": scalar(bits)}
        expected = intquant.int_quant(EDGES, *operands.values(), signed, narrow, mode)
        found = qonnx.quant(
            EDGES, *operands.values(), signed=bool(signed), narrow=bool(narrow), rounding_mode=mode
        )
        assert np.array_equal(found, expected), (signed, narrow, bits)
        attributes = {"signed": signed, "narrow": narrow, "rounding_mode": mode}
        answer = expanded("Quant", EDGES, operands, opset, dynamic, **attributes)
        assert np.array_equal(answer, expected), (signed, narrow, bits)


def test_quant_breaks_ties_to_even():
    x = np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5], F32)
    found = qonnx.quant(
        x, scalar(1), scalar(0), scalar(8), signed=True, narrow=False, rounding_mode="ROUND"
    )
    assert found.tolist() == [-2, -2, 0, 0, 2, 2]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-300, 300, width=32), min_size=3, max_size=24),
    st.sampled_from([0.1, 0.5, 1.0, 0.0078125, 3.7]),
    st.sampled_from([0.0, 1.0, -3.0, 0.5]),
    st.integers(1, 8),
    st.booleans(),
    st.booleans(),
    st.sampled_from([9, 17]),
)
def test_quant_with_any_scale_zero_point_and_width(
    values: list[float],
    scale: float,
    zeropt: float,
    bits: int,
    signed: bool,
    narrow: bool,
    opset: int,
):
    x = np.array(values, F32)
    operands = {"scale": scalar(scale), "zeropt": scalar(zeropt), "bitwidth": scalar(bits)}
    expected = intquant.int_quant(x, *operands.values(), signed, narrow, "ROUND")
    found = qonnx.quant(x, *operands.values(), signed=signed, narrow=narrow, rounding_mode="ROUND")
    assert np.array_equal(found, expected)
    attributes = {"signed": int(signed), "narrow": int(narrow), "rounding_mode": "ROUND"}
    assert np.array_equal(expanded("IntQuant", x, operands, opset, False, **attributes), expected)


@pytest.mark.parametrize("dynamic", [False, True])
def test_quant_per_channel(dynamic: bool):
    rng = np.random.default_rng(1)
    x = rng.normal(0, 20, (3, 4, 5)).astype(F32)
    operands = {
        "scale": rng.uniform(0.1, 1, (1, 4, 1)).astype(F32),
        "zeropt": np.array([0, 1, 2, -1], F32).reshape(1, 4, 1),
        "bitwidth": np.array([2, 3, 4, 8], F32).reshape(1, 4, 1),
    }
    attributes = {"signed": 1, "narrow": 0, "rounding_mode": "ROUND"}
    expected = qonnx.quant(x, *operands.values(), signed=True, narrow=False, rounding_mode="ROUND")
    for channel in range(4):
        alone = [operand[:, channel].reshape(()) for operand in operands.values()]
        theirs = intquant.int_quant(x[:, channel], *alone, True, False, "ROUND")
        assert np.array_equal(expected[:, channel], theirs)
    assert np.array_equal(expanded("Quant", x, operands, 17, dynamic, **attributes), expected)


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("dynamic", [False, True])
def test_bipolar_quant_maps_zero_to_plus_one(opset: int, dynamic: bool):
    expected = bipolar.binary_quant(EDGES, scalar(0.5))
    assert expected[0] == expected[1] == 0.5
    assert np.array_equal(qonnx.bipolar_quant(EDGES, scalar(0.5)), expected)
    answer = expanded("BipolarQuant", EDGES, {"scale": scalar(0.5)}, opset, dynamic)
    assert np.array_equal(answer, expected)


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("mode", list(qonnx.ROUNDING))
@pytest.mark.parametrize("dynamic", [False, True])
def test_trunc_of_both_versions(mode: str, opset: int, dynamic: bool):
    x = np.arange(-40, 40, dtype=F32) * F32(0.25)
    first = {"s": scalar(0.25), "z": scalar(0), "i": scalar(8), "o": scalar(6)}
    expected = trunc.trunc_v1(x, *first.values(), mode)
    assert np.array_equal(qonnx.trunc_v1(x, *first.values(), rounding_mode=mode), expected)
    answer = expanded("Trunc", x, first, opset, dynamic, rounding_mode=mode)
    assert np.array_equal(answer, expected)

    second = {"s": scalar(0.25), "z": scalar(2), "i": scalar(8), "t": scalar(1), "o": scalar(4)}
    for signed, narrow in [(1, 0), (1, 1), (0, 0), (0, 1)]:
        operands = list(second.values())
        expected = trunc.trunc_v2(x, *operands[:3], narrow, signed, operands[3], operands[4], mode)
        attributes = {"signed": signed, "narrow": narrow, "rounding_mode": mode}
        found = qonnx.apply("Trunc", [x, *operands], attributes)
        assert np.array_equal(found, expected), (signed, narrow)
        answer = expanded("Trunc", x, second, opset, dynamic, **attributes)
        assert np.array_equal(answer, expected), (signed, narrow)


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize(
    ("layout", "shape"),
    [
        ("", (2, 3)),
        ("", (2, 4, 3)),
        ("", (2, 3, 4, 5)),
        ("NCHW", (2, 3, 4, 5)),
        ("NHWC", (2, 4, 5, 3)),
        ("NC", (2, 3)),
        ("NWC", (2, 4, 3)),
    ],
)
def test_multithreshold_in_every_layout(layout: str, shape: tuple[int, ...], opset: int):
    rng = np.random.default_rng(len(shape))
    x = rng.integers(-5, 5, shape).astype(F32)
    op = multithreshold.MultiThreshold.__new__(multithreshold.MultiThreshold)
    for rows in (3, 1):
        thresholds = np.sort(rng.integers(-5, 5, (rows, 7)).astype(F32), axis=1)
        attributes: dict[str, Any] = {"out_scale": 0.3, "out_bias": -1.1, "data_layout": layout}
        context = {"x": x, "t": thresholds}
        op.onnx_node = helper.make_node(
            "MultiThreshold", ["x", "t"], ["y"], out_dtype="FLOAT32", **attributes
        )
        op.execute_node(context, None)
        found = qonnx.apply("MultiThreshold", [x, thresholds], attributes)
        assert np.array_equal(found, context["y"])
        for dynamic in (False, True):
            answer = expanded("MultiThreshold", x, {"t": thresholds}, opset, dynamic, **attributes)
            assert np.array_equal(answer, context["y"])


def quant_model(op_type: str, inputs: list[str], opset: int = 17, **attributes: Any) -> ModelProto:
    node = helper.make_node(op_type, inputs, ["y"], name="q", domain="onnx.brevitas", **attributes)
    graph = helper.make_graph(
        [node],
        "net",
        [helper.make_tensor_value_info(name, 1, None) for name in inputs],
        [helper.make_tensor_value_info("y", 1, None)],
    )
    imports = [helper.make_opsetid("", opset), helper.make_opsetid("onnx.brevitas", 1)]
    return helper.make_model(graph, opset_imports=imports)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            quant_model("Quant", ["x", "s", "z", "b"], rounding_mode="SOMEHOW"),
            r"node 'q' \(Quant\): rounding mode 'SOMEHOW' is unknown; known: ROUND",
        ),
        (
            quant_model("MultiThreshold", ["x", "t"]),
            r"node 'q' \(MultiThreshold\): the rank of 'x' is unknown; give a data_layout",
        ),
        (quant_model("Quant", ["x", "s", "z", "b"], opset=8), "need opset 9 or newer, not 8"),
        (quant_model("Quant", ["x"]), r"node 'q' \(Quant\): Quant with 1 inputs has no expansion"),
    ],
)
def test_what_cannot_be_expanded(model: ModelProto, message: str):
    with pytest.raises(UnsupportedError, match=message):
        expand_qonnx(model)


def test_models_without_qonnx_are_left_alone():
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "net", [], [])
    model = helper.make_model(graph)
    assert expand_qonnx(model) is model


def test_quantized_constants_become_constants_and_the_source_is_kept():
    model = quant_model("BipolarQuant", ["w", "s"])
    del model.graph.input[:]
    weights = np.array([-2, 0, 3], F32)
    model.graph.initializer.append(numpy_helper.from_array(weights, "w"))
    model.graph.initializer.append(numpy_helper.from_array(scalar(2), "s"))
    before = model.SerializeToString()
    (node,) = expand_qonnx(model).graph.node
    assert node.op_type == "Constant"
    assert numpy_helper.to_array(node.attribute[0].t).tolist() == [-2, 2, 2]
    assert model.SerializeToString() == before


def test_quantizers_inside_subgraphs_are_expanded():
    inner = quant_model("BipolarQuant", ["x", "s"]).graph
    del inner.input[:]
    graph = helper.make_graph(
        [helper.make_node("If", ["c"], ["z"], then_branch=inner, else_branch=inner)],
        "net",
        [helper.make_tensor_value_info(n, 1, [2]) for n in ("x", "s")]
        + [helper.make_tensor_value_info("c", 9, [])],
        [helper.make_tensor_value_info("z", 1, [2])],
    )
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("onnx.brevitas", 1)]
    model = helper.make_model(graph, opset_imports=imports, ir_version=8)
    x, s = np.array([-1, 0], F32), np.array([1, 3], F32)
    result = OnnxReference(import_model(model)).run({"x": x, "s": s, "c": np.array(True)})
    assert result["z"].tolist() == [-1, 3]


def test_single_operations_evaluate():
    model = quant_model("BipolarQuant", ["x", "s"])
    module = import_model(model)
    (op,) = [op for op in module.walk() if op.name == "onnx.BipolarQuant"]
    from irc.dialects.onnx import BipolarQuantOp

    assert isinstance(op, BipolarQuantOp)
    (result,) = evaluate(op, [np.array([-1, 0], F32), scalar(2)])
    assert result.tolist() == [-2, 2]
