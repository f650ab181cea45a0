"""Running whole models at the `onnx` level."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from irc.dialects import onnx as dialect
from irc.errors import IrcError, UnsupportedError
from irc.frontend.import_onnx import import_model
from irc.interp.onnx import evaluate
from irc.interp.onnx_reference import CHUNK, OnnxReference

F32 = np.float32


def linear(batch: int | str | None, reshape: list[int] | None = None, op: str = "MatMul"):
    """`y = x · w` for frames of four numbers, or another operator in its place."""
    nodes = [helper.make_node(op, ["x", "w"], ["y" if reshape is None else "a"], name="fc")]
    weights: dict[str, Any] = {"w": np.arange(12, dtype=F32).reshape(4, 3)}
    if reshape is not None:
        weights["shape"] = np.array(reshape, np.int64)
        nodes.append(helper.make_node("Reshape", ["a", "shape"], ["y"]))
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", 1, [batch, 4])],
        [helper.make_empty_tensor_value_info("y")],
        [numpy_helper.from_array(w, n) for n, w in weights.items()],
    )
    imports = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=imports, ir_version=8)


def expected(x: Any) -> Any:
    return x.reshape(-1, 4) @ np.arange(12, dtype=F32).reshape(4, 3)


@pytest.mark.parametrize("engine", ["onnxruntime", "reference"])
def test_both_engines_answer(engine: Any):
    reference = OnnxReference(linear(1), engine)
    assert reference.engine == engine
    x = np.array([[1, 2, 3, 4]], F32)
    assert np.array_equal(reference.run({"x": x})["y"], expected(x))


def test_inputs_are_described():
    (port,) = OnnxReference(linear("N")).inputs
    assert (port.name, port.dtype, port.shape) == ("x", np.dtype(F32), (-1, 4))


@pytest.mark.parametrize("batch", [1, "N", None])
@pytest.mark.parametrize("count", [1, 7, CHUNK + 3])
def test_frames_run_one_by_one_or_in_chunks(batch: int | str | None, count: int):
    x = np.arange(count * 4, dtype=F32).reshape(count, 2, 2) % 17
    results = OnnxReference(linear(batch)).run_frames(x)
    assert np.array_equal(results["y"], expected(x))


def test_frames_of_a_model_that_only_pretends_to_have_a_dynamic_batch():
    x = np.arange(20, dtype=F32).reshape(5, 4)
    with pytest.raises(IrcError, match="the model cannot be run"):
        OnnxReference(linear("N", [1, 3])).run({"x": x})
    results = OnnxReference(linear("N", [3, -1])).run_frames(x[:1])
    assert results["y"].shape == (1, 3, 1)


def test_results_without_a_batch_get_one():
    results = OnnxReference(linear(1, [3])).run_frames(np.ones((6, 4), F32))
    assert results["y"].shape == (6, 3)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "input 'x' is missing"),
        ({"z": np.zeros((1, 4), F32)}, "the model has no input 'z'; it has 'x'"),
        ({"x": np.zeros((1, 4))}, "input 'x': the model takes float32, not float64"),
        ({"x": np.zeros((1, 5), F32)}, r"input 'x': the model takes 1×4, not \(1, 5\)"),
        ({"x": np.zeros(4, F32)}, r"input 'x': the model takes 1×4, not \(4,\)"),
    ],
)
def test_wrong_inputs(inputs: dict[str, Any], message: str):
    with pytest.raises(IrcError, match=message):
        OnnxReference(linear(1)).run(inputs)


def test_wrong_frames():
    reference = OnnxReference(linear(1))
    with pytest.raises(IrcError, match=r"a frame has 5 values, the model takes 4 \(\(4,\)\)"):
        reference.run_frames(np.zeros((3, 5), F32))
    with pytest.raises(IrcError, match="there are no frames to run"):
        reference.run_frames(np.zeros((0, 4), F32))
    unsized = linear(1)
    unsized.graph.input[0].type.tensor_type.shape.dim[1].dim_param = "K"
    with pytest.raises(IrcError, match="cannot feed frames one by one"):
        OnnxReference(unsized).run_frames(np.zeros((2, 4), F32))


def test_a_fixed_batch_is_filled_up():
    x = np.arange(12, dtype=F32).reshape(3, 4)
    (result,) = OnnxReference(linear(2)).run_frames(x).values()
    assert np.array_equal(result, expected(x))


def test_a_plain_vector_is_a_frame():
    model = linear(1)
    del model.graph.input[0].type.tensor_type.shape.dim[0]
    x = np.arange(12, dtype=F32).reshape(3, 4)
    (result,) = OnnxReference(model).run_frames(x).values()
    assert np.array_equal(result, expected(x))


def test_without_onnxruntime_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(IrcError, match=r"pip install 'irc-bnn\[verify\]'"):
        OnnxReference(linear(1))
    OnnxReference(linear(1), "reference")


def test_what_onnxruntime_lacks_runs_on_the_reference_implementation():
    values = [helper.make_tensor_value_info(n, TensorProto.INT16, [2]) for n in ("a", "b", "y")]
    graph = helper.make_graph(
        [helper.make_node("Max", ["a", "b"], ["y"])], "net", values[:2], values[2:]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    reference = OnnxReference(import_model(model))
    assert reference.engine == "reference"
    a, b = np.array([1, 5], np.int16), np.array([3, 2], np.int16)
    assert reference.run({"a": a, "b": b})["y"].tolist() == [3, 5]


def test_a_model_that_no_engine_takes():
    broken = linear(1)
    broken.graph.node[0].op_type = "Frobnicate"
    with pytest.raises(IrcError, match="ONNX Runtime does not take the model"):
        OnnxReference(broken)


def first_node(model: ModelProto) -> dialect.OnnxOp:
    module = import_model(model)
    ops = [op for op in module.walk() if isinstance(op, dialect.OnnxOp)]
    return next(op for op in ops if not isinstance(op, dialect.ConstantOp))


def unsqueeze(opset: int) -> ModelProto:
    node = helper.make_node("Unsqueeze", ["x"], ["y"], axes=[0], name="un")
    graph = helper.make_graph(
        [node],
        "net",
        [helper.make_tensor_value_info("x", 1, [2])],
        [helper.make_empty_tensor_value_info("y")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])


def test_single_operations_follow_the_opset_of_the_module():
    op = first_node(unsqueeze(11))
    (result,) = evaluate(op, [np.ones(2, F32)])
    assert result.shape == (1, 2)


def test_single_operations_name_the_node_that_fails():
    op = first_node(linear(1))
    with pytest.raises(IrcError, match=r"node 'fc' \(MatMul\): cannot be evaluated"):
        evaluate(op, [np.ones((1, 5), F32), np.ones((4, 3), F32)])


def test_operations_with_subgraphs_are_refused():
    branch = helper.make_graph(
        [helper.make_node("Neg", ["x"], ["b"])], "b", [], [helper.make_empty_tensor_value_info("b")]
    )
    node = helper.make_node("If", ["c"], ["y"], name="if", then_branch=branch, else_branch=branch)
    graph = helper.make_graph(
        [node],
        "net",
        [helper.make_tensor_value_info("x", 1, [2]), helper.make_tensor_value_info("c", 9, [])],
        [helper.make_empty_tensor_value_info("y")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    with pytest.raises(UnsupportedError, match=r"node 'if' \(If\): has subgraphs"):
        evaluate(first_node(model), [np.array(True)])
