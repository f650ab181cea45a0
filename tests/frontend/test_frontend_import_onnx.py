"""What ONNX files of all ages become at the `onnx` level."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper
from xdsl.dialects.builtin import ModuleOp

from irc.dialects import onnx as dialect
from irc.dialects.onnx_to_proto import argument_names, entry_function, result_names
from irc.dialects.onnx_types import none
from irc.frontend.export_onnx import export_model
from irc.frontend.import_onnx import import_model
from irc.interp.onnx_reference import OnnxReference

F = TensorProto.FLOAT


def tensor(name: str, *shape: int | str, kind: int = F):
    """A declared value."""
    return helper.make_tensor_value_info(name, kind, shape)


def graph(
    nodes: Sequence[NodeProto], weights: dict[str, Any] | None = None, **changes: Any
) -> GraphProto:
    """A graph from `x` [1, 4] to `y`, with weights as initializers."""
    inputs = changes.get("inputs", [tensor("x", 1, 4)])
    outputs = changes.get("outputs", [helper.make_empty_tensor_value_info("y")])
    initializers = [numpy_helper.from_array(np.asarray(w), n) for n, w in (weights or {}).items()]
    return helper.make_graph(nodes, "net", inputs, outputs, initializers)


def model(graph: GraphProto, opset: int = 17, ir_version: int = 8, **others: int) -> ModelProto:
    """A model of one opset, with further opsets by domain."""
    imports = [helper.make_opsetid("", opset)]
    imports += [helper.make_opsetid(domain, version) for domain, version in others.items()]
    return helper.make_model(graph, opset_imports=imports, ir_version=ir_version)


def nodes_of(module: ModuleOp) -> list[dialect.OnnxOp]:
    """All nodes of the main graph but constants."""
    return [
        op
        for op in entry_function(module).body.block.ops
        if isinstance(op, dialect.OnnxOp) and not isinstance(op, dialect.ConstantOp)
    ]


def constants_of(module: ModuleOp) -> dict[str, Any]:
    """Values of the constants of the main graph by name."""
    ops = entry_function(module).body.block.ops
    return {op.label: op.numpy() for op in ops if isinstance(op, dialect.ConstantOp)}


W = np.array([1, 2, 3, 4], np.float32)
X = np.array([[-1.5, 0.0, 0.5, 2.0]], np.float32)


def answer(source: ModuleOp | ModelProto, **inputs: Any) -> Any:
    """What ONNX Runtime answers for the first output."""
    results = OnnxReference(source).run(inputs or {"x": X})
    return next(iter(results.values()))


def test_initializers_listed_as_inputs_become_constants():
    node = helper.make_node("Add", ["x", "w"], ["y"])
    old = model(
        graph(
            [node],
            {"w": W},
            inputs=[tensor("x", 1, 4), tensor("w", 4)],
        ),
        opset=9,
        ir_version=3,
    )
    module = import_model(old)
    module.verify()
    assert argument_names(entry_function(module)) == ["x"]
    assert constants_of(module)["w"].tolist() == [1, 2, 3, 4]
    assert answer(module).tolist() == [[-0.5, 2, 3.5, 6]]


def test_names_of_nodes_inputs_outputs_and_the_graph_are_kept():
    nodes = [
        helper.make_node("Relu", ["x"], ["a"], name="first"),
        helper.make_node("Relu", ["a"], ["/weird name:0"]),
    ]
    source = graph(nodes, outputs=[tensor("/weird name:0", 1, 4)])
    source.name = "torch-jit-export"
    module = import_model(model(source))
    function = entry_function(module)
    assert function.sym_name.data == "torch_jit_export"
    assert [op.label for op in nodes_of(module)] == ["first", "Relu_1"]
    assert result_names(function) == ["/weird name:0"]
    exported = export_model(module)
    assert exported.graph.name == "torch-jit-export"
    assert exported.graph.output[0].name == "/weird name:0"
    assert [node.name for node in exported.graph.node] == ["first", "Relu_1"]


def test_types_come_from_shape_inference():
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["a"]),
        helper.make_node("BipolarQuant", ["a", "one"], ["b"], domain="onnx.brevitas"),
        helper.make_node("Transpose", ["b"], ["y"]),
    ]
    weights = {"w": np.zeros((4, 3), np.float32), "one": np.float32(1)}
    source = model(graph(nodes, weights), **{"onnx.brevitas": 1})
    module = import_model(source)
    shapes = [str(op.results[0].type) for op in nodes_of(module)]
    assert shapes == ["tensor<1x3xf32>", "tensor<1x3xf32>", "tensor<3x1xf32>"]
    assert "unknown" in str(nodes_of(import_model(source, infer=False))[0].results[0].type)


def test_dynamic_dimensions_keep_their_names():
    source = graph(
        [helper.make_node("Relu", ["x"], ["y"])],
        inputs=[tensor("x", "N", 4)],
        outputs=[tensor("y", "N", 4)],
    )
    module = import_model(model(source))
    assert 'onnx.dims = ["N", ""]' in str(module)
    assert export_model(module).graph.input[0].type.tensor_type.shape.dim[0].dim_param == "N"


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [
        ({"value_int": 3}, np.int64(3)),
        ({"value_ints": [1, 2]}, np.array([1, 2], np.int64)),
        ({"value_float": 0.5}, np.float32(0.5)),
        ({"value_floats": [0.5, 1]}, np.array([0.5, 1], np.float32)),
        ({"value_string": b"a"}, np.array("a", object)),
        ({"value_strings": [b"a", b"b"]}, np.array(["a", "b"], object)),
        ({"value": numpy_helper.from_array(np.array([[1]], np.int8))}, np.array([[1]], np.int8)),
    ],
)
def test_every_form_of_constant_becomes_a_tensor(attribute: dict[str, Any], expected: Any):
    node = helper.make_node("Constant", [], ["y"], name="c", **attribute)
    module = import_model(model(graph([node])))
    (value,) = constants_of(module).values()
    assert value.dtype == np.asarray(expected).dtype
    assert np.array_equal(value, expected)


def test_typed_fields_hold_the_same_values_as_raw_data():
    arrays: dict[str, Any] = {
        "f": np.array([1, 2], np.float32),
        "d": np.array([1, 2], np.float64),
        "i": np.array([1, -2], np.int64),
        "b": np.array([True, False]),
        "h": np.array([1, -0.5], np.float16),
        "s": np.array([1, -2], np.int8),
        "u": np.array([1, 2**63], np.uint64),
        "c": np.array([1 + 2j, 3], np.complex64),
    }
    source = graph([helper.make_node("Relu", ["x"], ["y"])])
    for name, array in arrays.items():
        kind = helper.np_dtype_to_tensor_dtype(array.dtype)
        source.initializer.append(helper.make_tensor(name, kind, array.shape, array))
    source.initializer.append(helper.make_tensor("q", TensorProto.INT4, [3], [1, -2, 7]))
    held = constants_of(import_model(model(source)))
    for name, array in arrays.items():
        assert held[name].dtype == array.dtype
        assert np.array_equal(held[name], array)
    assert held["q"].astype(int).tolist() == [1, -2, 7]


def test_omitted_inputs_and_outputs_keep_their_places():
    nodes = [
        helper.make_node("Clip", ["x", "", "high"], ["a"]),
        helper.make_node("Dropout", ["a", ""], ["y", ""]),
    ]
    module = import_model(model(graph(nodes, {"high": np.float32(1)})))
    clip, dropout = nodes_of(module)
    assert clip.input("min") is None
    assert clip.input("max") is not None
    assert len(dropout.operands) == len(dropout.results) == 1
    exported = export_model(module).graph.node
    assert list(exported[0].input) == ["x", "", "high"]
    assert answer(module).tolist() == [[-1.5, 0, 0.5, 1]]


def test_an_omitted_output_in_the_middle_has_no_type():
    node = helper.make_node("LSTM", ["x", "w", "r"], ["", "", "y"], hidden_size=2)
    weights = {"w": np.ones((1, 8, 4), np.float32), "r": np.ones((1, 8, 2), np.float32)}
    source = model(graph([node], weights, inputs=[tensor("x", 1, 1, 4)]))
    module = import_model(source)
    assert [value.type == none for value in nodes_of(module)[0].results] == [True, True, False]
    assert np.array_equal(answer(module, x=X[None]), answer(source, x=X[None]))


def if_model() -> ModelProto:
    """`y = x + w` where the sum of x is positive, else `x`; the branches capture both."""
    then = helper.make_graph(
        [helper.make_node("Add", ["x", "w"], ["then_y"])], "then", [], [tensor("then_y", 1, 4)]
    )
    otherwise = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["else_y"])], "else", [], [tensor("else_y", 1, 4)]
    )
    nodes = [
        helper.make_node("ReduceSum", ["x"], ["sum"], keepdims=0),
        helper.make_node("Greater", ["sum", "zero"], ["positive"]),
        helper.make_node("If", ["positive"], ["y"], then_branch=then, else_branch=otherwise),
    ]
    return model(graph(nodes, {"w": W, "zero": np.float32(0)}))


@pytest.mark.parametrize("sign", [1, -1])
def test_subgraphs_become_regions_that_capture(sign: int):
    source = if_model()
    module = import_model(source)
    module.verify()
    branch = nodes_of(module)[-1]
    assert branch.spec.regions == ("else_branch", "then_branch")
    assert [len(list(region.block.ops)) for region in branch.regions] == [2, 2]
    assert np.array_equal(answer(module, x=sign * X), answer(source, x=sign * X))


def test_loops_with_carried_values_answer_the_same():
    body = helper.make_graph(
        [
            helper.make_node("Add", ["carried", "x"], ["next"]),
            helper.make_node("Identity", ["going"], ["still"]),
        ],
        "body",
        [tensor("i", kind=7), tensor("going", kind=9), tensor("carried", 1, 4)],
        [tensor("still", kind=9), tensor("next", 1, 4)],
    )
    nodes = [helper.make_node("Loop", ["n", "", "x"], ["y"], body=body)]
    source = model(graph(nodes, {"n": np.int64(3)}))
    assert np.array_equal(answer(import_model(source)), 4 * X)


def test_outputs_that_are_inputs_constants_or_given_twice():
    node = helper.make_node("Relu", ["x"], ["y"])
    source = graph([node], {"w": np.array([7], np.float32)})
    for name in ("x", "w"):
        source.output.append(helper.make_empty_tensor_value_info(name))
    module = import_model(model(source))
    function = entry_function(module)
    terminator = function.get_return_op()
    assert terminator is not None
    # Twice under two names, as a pass may leave it.
    terminator.operands[1] = terminator.operands[0]
    function.update_function_type()
    results = OnnxReference(module).run({"x": X})
    assert list(results) == ["y", "x", "w"]
    assert np.array_equal(results["x"], results["y"])
    assert results["w"].tolist() == [7]


def test_nodes_out_of_order_are_sorted():
    nodes = [
        helper.make_node("Relu", ["b"], ["y"], name="last"),
        helper.make_node("Neg", ["x"], ["a"], name="first"),
        helper.make_node("Floor", ["a"], ["b"], name="middle"),
    ]
    module = import_model(model(graph(nodes)))
    assert [op.label for op in nodes_of(module)] == ["first", "middle", "last"]


def test_local_functions_are_inlined():
    double = helper.make_function(
        "own", "Double", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])],
        [helper.make_opsetid("", 17)],
    )  # fmt: skip
    nodes = [
        helper.make_node("Double", ["x"], ["t"], domain="own"),
        helper.make_node("Add", ["t", "w"], ["y"]),
    ]
    source = model(graph(nodes, {"w": np.array([1, 1, 1, 1], np.float32)}), own=1)
    source.functions.append(double)
    before = source.SerializeToString()
    module = import_model(source)
    assert [op.op_type for op in nodes_of(module)] == ["Add", "Add"]
    assert answer(module).tolist() == (2 * X + 1).tolist()
    assert source.SerializeToString() == before


@pytest.mark.parametrize("nested", [False, True])
def test_external_data_beside_the_file(tmp_path: Path, nested: bool):
    weights = np.arange(400, dtype=np.float32).reshape(4, 100)
    source = model(graph([helper.make_node("MatMul", ["x", "w"], ["y"])], {"w": weights}), opset=21)
    path = tmp_path / "net.onnx"
    location = "data/net.bin" if nested else "net.onnx.data"
    (tmp_path / "data").mkdir()
    save_model: Any = getattr(onnx, "save_model")  # noqa: B009
    save_model(source, path, save_as_external_data=True, location=location, size_threshold=0)
    module = import_model(path)
    assert np.array_equal(constants_of(module)["w"], weights)
    assert np.array_equal(answer(module), X @ weights)


def test_external_data_at_an_offset_and_through_a_link_to_the_folder(tmp_path: Path):
    real = tmp_path / "real"
    real.mkdir()
    (real / "w.bin").write_bytes(b"\0" * 64 + W.tobytes() + b"rest")
    node = helper.make_node("Add", ["x", "w"], ["y"])
    source = model(graph([node], {"w": np.array([0, 0, 0, 0], np.float32)}))
    weight = source.graph.initializer[0]
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    for key, text in {"location": "w.bin", "offset": "64", "length": "16"}.items():
        weight.external_data.add(key=key, value=text)
    (real / "net.onnx").write_bytes(source.SerializeToString())
    (tmp_path / "link").symlink_to(real)
    module = import_model(tmp_path / "link" / "net.onnx")
    assert constants_of(module)["w"].tolist() == [1, 2, 3, 4]


def test_old_attribute_forms_of_clip_and_unsqueeze_import():
    nodes = [
        helper.make_node("Clip", ["x"], ["a"], min=0.0, max=1.0),
        helper.make_node("Unsqueeze", ["a"], ["y"], axes=[0]),
    ]
    module = import_model(model(graph(nodes), opset=9, ir_version=4))
    module.verify()
    assert nodes_of(module)[0].attr("max") == 1.0
    assert answer(module).tolist() == [[[0, 0, 0.5, 1]]]


def test_model_metadata_are_kept():
    source = model(graph([helper.make_node("Relu", ["x"], ["y"])]))
    source.producer_name, source.model_version, source.doc_string = "me", 3, "what it does"
    source.metadata_props.add(key="author", value="somebody")
    exported = export_model(import_model(source))
    assert (exported.producer_name, exported.model_version) == ("me", 3)
    assert exported.doc_string == "what it does"
    assert exported.metadata_props[0].value == "somebody"


def test_a_message_in_memory_is_left_alone_and_bytes_are_accepted():
    node = helper.make_node("Add", ["x", "w"], ["y"])
    source = model(graph([node], {"w": W}))
    before = source.SerializeToString()
    first = import_model(source)
    assert source.SerializeToString() == before
    assert import_model(before).is_structurally_equivalent(first)


def test_domain_ai_onnx_is_the_empty_domain():
    source = model(graph([helper.make_node("Relu", ["x"], ["y"])]))
    source.graph.node[0].domain = "ai.onnx"
    source.opset_import[0].domain = "ai.onnx"
    module = import_model(source)
    assert nodes_of(module)[0].domain == ""
    assert np.array_equal(answer(module), np.maximum(X, 0))


def test_nan_weights_import():
    node = helper.make_node("Add", ["x", "w"], ["y"])
    weights = {"w": np.array([1, np.nan, 3, np.inf], np.float32)}
    module = import_model(model(graph([node], weights)))
    ((op, count),) = dialect.find_nonfinite(module)
    assert (op.label, count) == ("w", 2)
