"""Models that are ONNX but that nobody can compile: the message names the node and the reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from irc_runner import COMMANDS, DECLARED, FAILURE, fails, run_irc
from model_files import initializer, network, node, node_named, poison, resized, save
from onnx import ModelProto, TensorProto, helper, numpy_helper

Change = Callable[[ModelProto], Any]


def input_shape(model: ModelProto) -> Any:
    """The shape of the model's input."""
    return model.graph.input[0].type.tensor_type.shape


def renamed(target: str, kind: str, inputs: int = 1, domain: str = "") -> Change:
    """Make a node another operator with fewer inputs."""

    def change(model: ModelProto) -> None:
        found = node_named(model, target)
        found.op_type, found.domain = kind, domain
        del found.input[inputs:]

    return change


def raw_bytes(model: ModelProto) -> None:
    initializer(model, "w1").dims[:] = [8, 7]


def cyclic(model: ModelProto) -> None:
    node_named(model, "centred").input[0] = "sign1"


def huge(model: ModelProto) -> None:
    initializer(model, "w1").dims[:] = [2**40, 2**40]


def negative(model: ModelProto) -> None:
    initializer(model, "w1").dims[:] = [-8, 6]


def negative_input(model: ModelProto) -> None:
    input_shape(model).dim[1].dim_value = -8


def huge_input(model: ModelProto) -> None:
    input_shape(model).dim[1].dim_value = 2**40


def same_node(model: ModelProto) -> None:
    model.graph.node.append(node_named(model, "fc1"))


def same_tensor(model: ModelProto) -> None:
    node_named(model, "fc2").output[0] = "norm"


def same_initializer(model: ModelProto) -> None:
    model.graph.initializer.append(initializer(model, "w1"))


def unknown_value(model: ModelProto) -> None:
    node_named(model, "fc1").input[1] = "weights"


def no_inputs(model: ModelProto) -> None:
    del model.graph.input[:]
    model.graph.initializer.append(numpy_helper.from_array(np.ones((1, 8), np.float32), "x"))


def two_inputs(model: ModelProto) -> None:
    model.graph.input.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, 4]))
    node_named(model, "y").input[1] = "z"


def no_outputs(model: ModelProto) -> None:
    del model.graph.output[:]


def dynamic_size(model: ModelProto) -> None:
    input_shape(model).dim[1].dim_param = "features"


def no_shape(model: ModelProto) -> None:
    model.graph.input[0].type.tensor_type.ClearField("shape")


def sequence(model: ModelProto) -> None:
    model.graph.input[0].CopyFrom(helper.make_tensor_sequence_value_info("x", 1, [1, 8]))


def strings(model: ModelProto) -> None:
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.STRING


def doubles(model: ModelProto) -> None:
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.DOUBLE


def no_columns(model: ModelProto) -> None:
    resized(model, "w1", (0, 6))
    input_shape(model).dim[1].dim_value = 0


def no_rows(model: ModelProto) -> None:
    resized(model, "w2", (6, 0))
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 0


def constant_output(model: ModelProto) -> None:
    node_named(model, "y").input[0] = "gamma"


def half(model: ModelProto) -> None:
    initializer(model, "half").CopyFrom(
        numpy_helper.from_array(np.array(np.nan, np.float32), "half")
    )


INVALID: dict[str, tuple[Change, str]] = {
    "weights whose bytes do not match": (
        raw_bytes,
        "initializer 'w1': shape [8, 7] of float needs 224 bytes, 192 given",
    ),
    "absurd weights": (huge, "initializer 'w1': shape [1099511627776, 1099511627776]"),
    "negative weights": (negative, "initializer 'w1': dimension -8 in shape [-8, 6] is negative"),
    "negative input": (negative_input, "input 'x': dimension -8 in shape [1, -8] is negative"),
    "absurd input": (huge_input, "input 'x': shape [1, 1099511627776] has"),
    "cycle": (cyclic, "the graph has a cycle: 'centred' -> 'bits' -> 'fc1' -> 'norm' -> 'sign1'"),
    "the same node twice": (same_node, "output 'fc1' is also an output of node 'fc1'"),
    "the same tensor twice": (same_tensor, "output 'norm' is also an output of node 'norm'"),
    "the same weights twice": (same_initializer, "initializer 'w1' is defined twice"),
    "a value that nothing makes": (
        unknown_value,
        "node 'fc1' (MatMul): input 'weights' is neither",
    ),
}
"""Files that no ONNX tool should take."""

UNSUPPORTED: dict[str, tuple[Change, str]] = {
    "NaN weights": (lambda m: poison(m, "w1", np.nan), "weights1 (BipolarQuant)#NaN or infinity"),
    "infinite weights": (lambda m: poison(m, "w2", np.inf), "weights2 (BipolarQuant)#NaN or inf"),
    "NaN gamma": (lambda m: poison(m, "gamma", np.nan), "norm (BatchNormalization)#NaN or inf"),
    "NaN beta": (lambda m: poison(m, "beta", np.nan), "norm (BatchNormalization)#NaN or inf"),
    "infinite mean": (lambda m: poison(m, "mean", np.inf), "norm (BatchNormalization)#NaN or inf"),
    "NaN scale": (half, "y (Mul)#NaN or infinity"),
    "negative variance": (
        lambda m: poison(m, "variance", -1),
        "norm (BatchNormalization)#sqrt(variance + epsilon) is NaN",
    ),
    "unsupported operator": (renamed("norm", "Hardmax"), "norm (Hardmax)#not supported"),
    "sizes that do not match": (
        lambda m: resized(m, "w1", (9, 6)),
        "fc1 (MatMul)#weights with 9 inputs for an activation of shape [8] a frame",
    ),
    "dynamic size": (dynamic_size, "#input 'x' has shape [1, ?]: only the first dimension"),
    "no shape": (no_shape, "#input 'x' is tensor<*xf32>; expected a tensor of known shape"),
    "sequence": (sequence, "#input 'x' is !onnx.seq<tensor<1x8xf32>>; expected a tensor"),
    "strings": (strings, "#input 'x' holds !onnx.string; expected float32 or integers"),
    "doubles": (doubles, "#input 'x' holds f64; expected float32 or integers"),
    "no inputs": (no_inputs, "#has no inputs: everything in it is a constant"),
    "two inputs": (two_inputs, "y (Mul)#both inputs are activations"),
    "constant output": (constant_output, "return (output)#the result is a constant"),
    "no columns": (no_columns, "#input 'x' has shape [1, 0], which holds no elements"),
    "no rows": (no_rows, "fc2 (MatMul)#its result holds no elements"),
}
"""Valid files that no target takes: the node, `#`, and words of the reason."""


@pytest.mark.parametrize("command", list(COMMANDS))
@pytest.mark.parametrize("case", list(INVALID))
def test_invalid_models(case: str, command: str):
    change, words = INVALID[case]
    save(Path("bad.onnx"), change)
    name, *rest = COMMANDS[command]
    message = fails(FAILURE, name, "bad.onnx", *rest, *DECLARED)
    assert message.startswith("error: bad.onnx: ")
    assert words in message


@pytest.mark.parametrize("command", ["compile", "verify"])
@pytest.mark.parametrize("case", list(UNSUPPORTED))
def test_unsupported_models(case: str, command: str):
    change, expected = UNSUPPORTED[case]
    node_text, reason = expected.split("#")
    save(Path("bad.onnx"), change)
    name, *rest = COMMANDS[command]
    message = fails(FAILURE, name, "bad.onnx", *rest, *DECLARED)
    where = node_text.split(" ")[0]
    assert message.startswith(f"error: bad.onnx: node '{where}'" if where else "error: bad.onnx: ")
    assert reason in message


@pytest.mark.parametrize("case", list(UNSUPPORTED))
def test_unsupported_models_are_checked_without_an_error(case: str):
    """`irc check` answers what it was asked: a table of obstacles, and exit code 1."""
    change, expected = UNSUPPORTED[case]
    node_text, reason = expected.split("#")
    save(Path("bad.onnx"), change)
    result = run_irc("check", "bad.onnx", *DECLARED)
    assert result.code == FAILURE
    assert result.err == ""
    assert node_text in result.text
    assert reason in result.text
    assert result.text.count("no: 1 obstacle ") == 3


def test_an_input_that_nothing_reads():
    def unused(model: ModelProto) -> None:
        model.graph.input.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, 4]))

    save(Path("bad.onnx"), unused)
    for command in ("compile", "verify"):
        name, *rest = COMMANDS[command]
        message = fails(FAILURE, name, "bad.onnx", *rest, *DECLARED)
        assert "has 2 inputs (x, z); networks with one are supported" in message
    assert "input 'z' is one of 2 inputs" in run_irc("check", "bad.onnx", *DECLARED).text


def test_a_model_without_outputs():
    save(Path("bad.onnx"), no_outputs)
    assert "model has no outputs" in run_irc("check", "bad.onnx", *DECLARED).text
    message = fails(FAILURE, "compile", "bad.onnx", "--target", "c", *DECLARED)
    assert message == "error: bad.onnx: the model has no outputs\n"


def test_every_obstacle_is_named():
    save(Path("bad.onnx"), renamed("norm", "Hardmax"), renamed("centred", "Hardmax"))
    result = run_irc("compile", "bad.onnx", "--target", "c", *DECLARED)
    first, second = result.err.splitlines()
    assert first.startswith("error: bad.onnx: node 'centred' (Hardmax): ")
    assert second.startswith("error: bad.onnx: node 'norm' (Hardmax): ")


def test_every_unknown_operator_is_named():
    odd = renamed("norm", "Gelu", 1, "com.acme")
    save(Path("bad.onnx"), odd, renamed("fc2", "MatMull", 2))
    text = run_irc("check", "bad.onnx").text
    assert text.count("no: 2 obstacles") == 3
    assert "norm (com.acme::Gelu) domain 'com.acme' is unknown" in text
    assert "fc2 (MatMull) no such operator in ONNX or QONNX; did you mean MatMul?" in text
    for command in ("compile", "verify", "run"):
        name, *rest = COMMANDS[command]
        message = fails(FAILURE, name, "bad.onnx", *rest)
        assert message.startswith("error: bad.onnx: 2 nodes with an unknown operator:\n")
        assert "\n  node 'norm' (com.acme::Gelu): domain 'com.acme' is unknown" in message
        assert "\n  node 'fc2' (MatMull): no such operator" in message


def test_an_opset_of_the_future():
    def future(model: ModelProto) -> None:
        model.opset_import[0].version = 999

    save(Path("bad.onnx"), future)
    assert "model opset 999 is not supported" in run_irc("check", "bad.onnx").text
    assert "bad.onnx: opset 999 is not supported" in fails(
        FAILURE, "run", "bad.onnx", "--data", "test.npz"
    )


def test_float_weights_are_traced_to_where_they_come_from():
    def floats(model: ModelProto) -> None:
        node_named(model, "fc1").input[1] = "w1"

    save(Path("bad.onnx"), floats)
    text = run_irc("check", "bad.onnx", *DECLARED).text
    assert "fc1 (bnn.linear) its weights are floats that no quantizer produced" in text
    assert "sign1 (bnn.quantize) works on the float sums of fc1" in text
    assert "binarize" in text


def test_a_model_with_nothing_in_it():
    model = network()
    del model.graph.node[:]
    model.graph.output[0].name = "x"
    Path("bad.onnx").write_bytes(model.SerializeToString())
    name, *rest = COMMANDS["verify"]
    assert (
        fails(FAILURE, name, "bad.onnx", *rest) == "error: bad.onnx: the model computes nothing\n"
    )
    assert "model computes nothing" in run_irc("check", "bad.onnx").text


def test_a_bad_constant_node():
    def constant(model: ModelProto) -> None:
        model.graph.node.insert(0, node("Constant", [], "c"))

    save(Path("bad.onnx"), constant)
    message = fails(FAILURE, "check", "bad.onnx")
    assert "node 'c' (Constant): expected exactly one attribute" in message
