"""Every way in which an ONNX file can be wrong ends in one message that says where and what."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from irc.errors import IrcError, UnsupportedError
from irc.frontend.import_onnx import import_model

node = helper.make_node


def net(nodes: Sequence[NodeProto] | None = None, opset: int = 17) -> ModelProto:
    """`y = x + w` for four floats, or other nodes in its place."""
    graph = helper.make_graph(
        nodes or [node("Add", ["x", "w"], ["y"], name="add")],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4])],
        [numpy_helper.from_array(np.array([1, 2, 3, 4], np.float32), "w")],
    )
    imports = [helper.make_opsetid("", opset), helper.make_opsetid("own", 1)]
    return helper.make_model(graph, opset_imports=imports, ir_version=8)


def failure(source: Any) -> str:
    with pytest.raises(IrcError) as caught:
        import_model(source)
    return str(caught.value)


# Files


def test_a_missing_file(tmp_path: Path):
    assert failure(tmp_path / "net.onnx") == f"{tmp_path}/net.onnx: no such file"


def test_a_directory(tmp_path: Path):
    assert failure(tmp_path) == f"{tmp_path}: is a directory; give the .onnx file itself"


def test_an_empty_file(tmp_path: Path):
    path = tmp_path / "net.onnx"
    path.touch()
    assert failure(path) == f"{path}: the file is empty"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission(tmp_path: Path):
    path = tmp_path / "net.onnx"
    path.write_bytes(b"x")
    path.chmod(0)
    assert failure(path) == f"{path}: cannot be read: Permission denied"


def test_a_path_that_no_file_can_have():
    assert failure("net\0.onnx").startswith("net\0.onnx: cannot be read")


@pytest.mark.parametrize("keep", [1, 40, -1, -30])
def test_a_file_cut_short(tmp_path: Path, keep: int):
    path = tmp_path / "net.onnx"
    path.write_bytes(net().SerializeToString()[:keep])
    assert failure(path).startswith(f"{path}: not an ONNX model, or cut short")


@pytest.mark.parametrize(
    "content", [b"module {}\n", b"\x89PNG\r\n\x1a\n" + bytes(64), b"\0" * 100, b"PK\x03\x04zip"]
)
def test_a_file_that_is_not_onnx(tmp_path: Path, content: bytes):
    path = tmp_path / "net.onnx"
    path.write_bytes(content)
    assert failure(path).startswith(f"{path}: not an ONNX model")


# Graphs


def test_a_cycle_is_named():
    cyclic = net([node("Add", ["x", "b"], ["a"], name="one"), node("Neg", ["a"], ["b"], name="two"),
                  node("Neg", ["b"], ["y"], name="three")])  # fmt: skip
    assert failure(cyclic) == "model: the graph has a cycle: 'one' -> 'two' -> 'one'"


def test_a_node_that_reads_itself():
    cyclic = net([node("Add", ["x", "y"], ["y"], name="one")])
    assert failure(cyclic) == "model: the graph has a cycle: 'one' -> 'one'"


def test_a_missing_value_with_a_hint():
    message = failure(net([node("Add", ["x", "weight"], ["y"]), node("Neg", ["x"], ["weights"])]))
    assert message == (
        "model: node 'Add_0' (Add): input 'weight' is neither a graph input, an initializer nor "
        "the output of a node; did you mean 'weights'?"
    )


def test_a_missing_value_inside_a_subgraph():
    branch = helper.make_graph(
        [node("Neg", ["nowhere"], ["b"])], "branch", [], [helper.make_empty_tensor_value_info("b")]
    )
    message = failure(net([node("If", ["x"], ["y"], then_branch=branch, else_branch=branch)]))
    assert "node 'If_0' (If): input 'nowhere' is neither" in message


def test_a_missing_output():
    source = net()
    source.graph.output.add(name="z")
    assert failure(source) == "model: graph output 'z' is computed by no node"


def test_values_defined_twice():
    twice = net([node("Neg", ["x"], ["y"], name="a"), node("Abs", ["x"], ["y"], name="b")])
    assert failure(twice) == ("model: node 'b' (Abs): output 'y' is also an output of node 'a'")
    assert failure(net([node("Neg", ["x"], ["x"])])) == (
        "model: node 'Neg_0' (Neg): output 'x' is also a graph input"
    )
    assert failure(net([node("Neg", ["x"], ["w"])])) == (
        "model: node 'Neg_0' (Neg): output 'w' is also an initializer"
    )


def test_initializers_and_inputs_defined_twice_or_unnamed():
    source = net()
    source.graph.initializer.add().CopyFrom(source.graph.initializer[0])
    assert failure(source) == "model: initializer 'w' is defined twice"
    source.graph.initializer[1].name = ""
    assert failure(source) == "model: an initializer has no name"
    source = net()
    source.graph.input.add(name="x")
    assert failure(source) == "model: graph input 'x' is declared twice"


# Operators


def test_all_unknown_operators_are_listed_at_once():
    source = net(
        [
            node("MatMull", ["x", "w"], ["a"], name="fc"),
            node("Gelu", ["a"], ["b"], domain="com.microsoft"),
            node("Frobnicate", ["b"], ["c"], domain="own"),
            node("LayerNormalization", ["c", "w"], ["d"]),
            node("Quant", ["d", "w", "w", "w"], ["y"]),
        ],
        opset=16,
    )
    assert failure(source).splitlines() == [
        "model: 5 nodes with an unknown operator:",
        "  node 'fc' (MatMull): no such operator in ONNX or QONNX; did you mean MatMul?",
        "  node 'Gelu_1' (com.microsoft::Gelu): one of ONNX Runtime's own operators that irc "
        "lacks; give irc the model before ONNX Runtime optimized it, or quantize it in QDQ format",
        "  node 'Frobnicate_2' (own::Frobnicate): no such operator in ONNX or QONNX",
        "  node 'LayerNormalization_3' (LayerNormalization): does not exist in opset 16, "
        "which the model declares",
        "  node 'Quant_4' (Quant): domain '' is unknown; the operator exists in 'onnx.brevitas' "
        "or 'qonnx.custom_op.general' or 'finn.custom_op.general'",
    ]


def test_a_domain_without_an_opset():
    source = net([node("Normalizer", ["x"], ["y"], domain="ai.onnx.ml")])
    assert "the model imports no opset of domain 'ai.onnx.ml'" in failure(source)


@pytest.mark.parametrize("opset", [0, -3, 999])
def test_opsets_that_do_not_exist(opset: int):
    with pytest.raises(UnsupportedError, match=f"model: opset {opset} is not supported"):
        import_model(net(opset=opset))


def test_wrong_numbers_of_inputs_and_unknown_attributes():
    assert failure(net([node("Add", ["x"], ["y"], name="a")])) == (
        "model: node 'a' (Add): 1 inputs, expected 2"
    )
    assert failure(net([node("Relu", ["x"], ["y", "z"])])) == (
        "model: node 'Relu_0' (Relu): 2 outputs, expected 1"
    )
    assert failure(net([node("Transpose", ["x"], ["y"], axes=[0])])) == (
        "model: node 'Transpose_0' (Transpose): no attribute 'axes'; known: perm"
    )


# Attributes and constants


def edited(change: Callable[[TensorProto], None]) -> str:
    """The failure after a change to the one initializer."""
    source = net()
    change(source.graph.initializer[0])
    return failure(source)


def test_negative_and_absurd_dimensions():
    def negative(weight: TensorProto) -> None:
        weight.dims[0] = -4

    def absurd(weight: TensorProto) -> None:
        weight.dims[:] = [2**40, 2**40]

    assert edited(negative) == ("model: initializer 'w': dimension -4 in shape [-4] is negative")
    assert "2^31 are accepted" in edited(absurd)


def test_data_that_do_not_fit_the_shape():
    def raw(weight: TensorProto) -> None:
        weight.dims[0] = 5

    def typed(weight: TensorProto) -> None:
        weight.ClearField("raw_data")
        weight.float_data.extend([1.0, 2.0])

    def nothing(weight: TensorProto) -> None:
        weight.ClearField("raw_data")

    def strings(weight: TensorProto) -> None:
        weight.ClearField("raw_data")
        weight.data_type = TensorProto.STRING

    assert edited(raw) == ("model: initializer 'w': shape [5] of float needs 20 bytes, 16 given")
    assert edited(typed) == "model: initializer 'w': shape [4] needs 4 values, 2 given"
    assert edited(nothing) == "model: initializer 'w': shape [4] needs 4 values, 0 given"
    assert edited(strings) == "model: initializer 'w': shape [4] needs 4 strings, 0 given"


def test_element_types_that_do_not_exist_and_segments():
    def unknown(weight: TensorProto) -> None:
        weight.data_type = 77

    def undefined(weight: TensorProto) -> None:
        weight.data_type = 0

    def segment(weight: TensorProto) -> None:
        weight.segment.begin = 1

    assert edited(unknown) == "model: initializer 'w': element type 77 is not one of ONNX's"
    assert edited(undefined) == "model: initializer 'w': element type 0 is not one of ONNX's"
    assert edited(segment) == "model: initializer 'w': tensors in segments are not supported"


def test_input_dimensions():
    source = net()
    source.graph.input[0].type.tensor_type.shape.dim[0].dim_value = -1
    assert failure(source) == "model: input 'x': dimension -1 in shape [-1, 4] is negative"
    source.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 2**40
    assert "model: input 'x': shape [1099511627776, 4] has" in failure(source)


def test_names_that_are_not_text():
    data = net([node("Neg", ["x"], ["yyyy"]), node("Neg", ["yyyy"], ["y"])]).SerializeToString()
    assert failure(data.replace(b"yyyy", b"y\xffyy")) == (
        r"model: the name b'y\xffyy' is not UTF-8 text; the file is damaged"
    )


def test_attributes_without_a_value():
    source = net([node("Transpose", ["x"], ["y"], name="t")])
    source.graph.node[0].attribute.add(name="perm")
    assert failure(source) == (
        "model: node 't' (Transpose): attribute 'perm': has no value that can be represented"
    )
    source.graph.node[0].attribute[0].type = onnx.AttributeProto.INTS
    source.graph.node[0].attribute[0].ref_attr_name = "outer"
    assert failure(source) == (
        "model: node 't' (Transpose): attribute 'perm': refers to 'outer' outside of a function"
    )


def test_constant_nodes_without_a_value():
    assert failure(net([node("Constant", [], ["y"], name="c")])) == (
        "model: node 'c' (Constant): expected exactly one attribute and one output"
    )
    strange = net([node("Constant", [], ["y"], name="c", value_complex=1)])
    assert failure(strange) == (
        "model: node 'c' (Constant): attribute 'value_complex': is no form of a constant"
    )


def test_shapes_that_contradict_each_other_do_not_stop_the_import():
    source = net([node("MatMul", ["x", "v"], ["y"])])
    source.graph.initializer.append(numpy_helper.from_array(np.ones((3, 2), np.float32), "v"))
    import_model(source)


# External data


def with_external(folder: Path, entries: dict[str, str]) -> Path:
    """The model with its one weight in another file."""
    source = net()
    weight = source.graph.initializer[0]
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    for key, text in entries.items():
        weight.external_data.add(key=key, value=text)
    folder.mkdir(exist_ok=True)
    path = folder / "net.onnx"
    path.write_bytes(source.SerializeToString())
    return path


DATA = np.array([1, 2, 3, 4], np.float32).tobytes()


def test_missing_external_data(tmp_path: Path):
    path = with_external(tmp_path, {"location": "w.bin"})
    assert failure(path) == (
        f"{path}: initializer 'w': external data file 'w.bin' is missing; "
        f"it belongs beside the model, as {tmp_path}/w.bin"
    )


@pytest.mark.parametrize(
    "location", ["/etc/passwd", "../w.bin", "a/../../w.bin", "..\\w.bin", "C:\\w.bin", "\\w.bin"]
)
def test_external_data_outside_the_folder(tmp_path: Path, location: str):
    (tmp_path / "w.bin").write_bytes(DATA)
    path = with_external(tmp_path / "model", {"location": location})
    assert f"external data {location!r} lie outside the model's folder" in failure(path)


@pytest.mark.parametrize("linked", ["file", "folder"])
def test_external_data_outside_by_a_link(tmp_path: Path, linked: str):
    (tmp_path / "w.bin").write_bytes(DATA)
    location = "w.bin" if linked == "file" else "sub/w.bin"
    path = with_external(tmp_path / "model", {"location": location})
    if linked == "file":
        (tmp_path / "model" / "w.bin").symlink_to(tmp_path / "w.bin")
    else:
        (tmp_path / "model" / "sub").symlink_to(tmp_path)
    assert "lie outside the model's folder, by a symbolic link" in failure(path)


def test_external_data_in_a_loop_of_links(tmp_path: Path):
    path = with_external(tmp_path, {"location": "w.bin"})
    (tmp_path / "w.bin").symlink_to("w.bin")
    assert "external data 'w.bin'" in failure(path)


def test_external_data_too_short(tmp_path: Path):
    path = with_external(tmp_path, {"location": "w.bin"})
    (tmp_path / "w.bin").write_bytes(DATA[:10])
    assert failure(path).endswith("external data 'w.bin' has 10 bytes, but 16 are needed")
    path = with_external(tmp_path, {"location": "w.bin", "offset": "8"})
    (tmp_path / "w.bin").write_bytes(DATA)
    assert failure(path).endswith("external data 'w.bin' has 16 bytes, but 24 are needed")


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"location": "w.bin", "offset": "-4"}, "offset '-4' is not a number of bytes"),
        ({"location": "w.bin", "length": "x"}, "length 'x' is not a number of bytes"),
        ({"location": "w.bin", "length": "12"}, "shape [4] needs 16 bytes, but 12 are declared"),
        ({"location": ""}, "external data name no file"),
        ({}, "external data name no file"),
    ],
)
def test_external_data_with_strange_entries(tmp_path: Path, entries: dict[str, str], message: str):
    path = with_external(tmp_path, entries)
    (tmp_path / "w.bin").write_bytes(DATA)
    assert message in failure(path)


def test_external_data_that_are_no_plain_file(tmp_path: Path):
    path = with_external(tmp_path, {"location": "w.bin"})
    (tmp_path / "w.bin").mkdir()
    assert "external data 'w.bin' cannot be read: Is a directory" in failure(path)


def test_external_data_of_a_model_in_memory(tmp_path: Path):
    path = with_external(tmp_path, {"location": "w.bin"})
    assert "the model was not read from a file" in failure(path.read_bytes())


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**6), st.binary(max_size=4), st.integers(0, 4))
def test_damaged_files_import_or_say_what_is_wrong(place: int, inserted: bytes, removed: int):
    data = net().SerializeToString()
    place %= len(data)
    damaged = data[:place] + inserted + data[place + removed :]
    try:
        module = import_model(damaged)
    except IrcError:
        return
    module.verify()
