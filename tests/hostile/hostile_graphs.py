"""Graphs that are none: cycles, names that meet, subgraphs without end, functions that call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from model_files import QONNX, initializer, network, node_named
from onnx import (
    AttributeProto,
    FunctionProto,
    GraphProto,
    ModelProto,
    NodeProto,
    TensorProto,
    helper,
    numpy_helper,
)

Change = Callable[[ModelProto], Any]


def changed(*changes: Change) -> bytes:
    """The network with some changes made to it."""
    model = network()
    for change in changes:
        change(model)
    return model.SerializeToString()


def rewired(name: str, index: int, value: str) -> Change:
    """Let a node read another value."""

    def change(model: ModelProto) -> None:
        node_named(model, name).input[index] = value

    return change


def appended(*nodes: NodeProto) -> Change:
    """Put nodes behind the others."""
    return lambda model: model.graph.node.extend(nodes)


def output(name: str) -> Any:
    """A value that says nothing of its type."""
    return helper.make_empty_tensor_value_info(name)


def branch(nodes: Sequence[NodeProto], result: str) -> GraphProto:
    """A subgraph without inputs."""
    return helper.make_graph(nodes, "branch", [], [output(result)])


def nested_ifs(depth: int) -> NodeProto:
    """An If in an If in an If."""
    inner = helper.make_node("Identity", ["x"], ["deep0"], name="innermost")
    for level in range(1, depth):
        then = branch([inner], f"deep{level - 1}")
        inner = helper.make_node(
            "If", ["x"], [f"deep{level}"], name=f"if{level}", then_branch=then, else_branch=then
        )
        if inner.ByteSize() > 2_000_000:
            break
    return inner


def one_sided(depth: int) -> NodeProto:
    """Loops in each other, which need one subgraph each."""
    inner = helper.make_node("Identity", ["x"], ["deep0"], name="innermost")
    for level in range(1, depth):
        body = branch([inner], f"deep{level - 1}")
        inner = helper.make_node("Loop", ["", "x"], [f"deep{level}"], name=f"l{level}", body=body)
    return inner


def function(name: str, nodes: Sequence[NodeProto]) -> FunctionProto:
    """A local function of one value."""
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    return helper.make_function("local", name, ["a"], ["b"], nodes, imports)


def call(name: str, source: str, result: str) -> NodeProto:
    """A call of a local function."""
    return helper.make_node(name, [source], [result], domain="local", name=f"{name}_{result}")


def calling(*functions: FunctionProto, first: str = "f0") -> bytes:
    """The network, its input led through a local function."""

    def change(model: ModelProto) -> None:
        model.functions.extend(functions)
        model.opset_import.append(helper.make_opsetid("local", 1))
        model.graph.node.insert(0, call(first, "x", "called"))
        node_named(model, "centred").input[0] = "called"

    return changed(change)


def doubling(depth: int) -> list[FunctionProto]:
    """Functions of which each calls the next one twice: 2^depth nodes."""
    made = [function(f"f{depth}", [helper.make_node("Neg", ["a"], ["b"])])]
    for level in range(depth):
        nodes = [call(f"f{level + 1}", "a", "m"), call(f"f{level + 1}", "m", "b")]
        made.append(function(f"f{level}", nodes))
    return made


def opset(version: int, domain: str = "") -> Change:
    """Declare another version of an operator set."""

    def change(model: ModelProto) -> None:
        for entry in model.opset_import:
            if entry.domain == domain:
                entry.version = version

    return change


def attribute(name: str, node: str, **values: Any) -> Change:
    """Give a node an attribute, whatever its type says."""

    def change(model: ModelProto) -> None:
        found = node_named(model, node)
        for index, each in enumerate(found.attribute):
            if each.name == name:
                del found.attribute[index]
                break
        found.attribute.append(AttributeProto(name=name, **values))

    return change


def shared_scale(model: ModelProto) -> None:
    """Two hundred nodes that read each other's sums: 2^200 paths through one graph."""
    value = "x"
    for index in range(200):
        model.graph.node.insert(
            index, helper.make_node("Add", [value, value], [f"s{index}"], name=f"s{index}")
        )
        value = f"s{index}"
    node_named(model, "centred").input[0] = value


def many_inputs(model: ModelProto) -> None:
    names = ["one"] * 5_000
    model.graph.node.insert(0, helper.make_node("Sum", names, ["many"], name="many"))


def sparse(model: ModelProto, indices: Sequence[Any], dims: Sequence[int]) -> None:
    """Weights of which only some are given, by flat index or by one for each dimension."""
    tensor = model.graph.sparse_initializer.add()
    tensor.values.CopyFrom(numpy_helper.from_array(np.ones(len(indices), np.float32), "sparse"))
    tensor.indices.CopyFrom(numpy_helper.from_array(np.array(indices, np.int64), "at"))
    tensor.dims.extend(dims)


def joined(count: int, start: str, last: str) -> list[NodeProto]:
    """A vector joined with itself, `count` times."""
    names = [start, *(f"{last}{index}" for index in range(count - 1)), last]
    return [
        helper.make_node("Concat", [before] * 2, [after], name=after, axis=0)
        for before, after in pairwise(names)
    ]


def joined_within(outside: int, inside: int) -> Change:
    """A vector of shapes that grows partly before, partly in the branches of an `If`."""

    def change(model: ModelProto) -> None:
        model.graph.initializer.extend(
            [
                numpy_helper.from_array(np.ones(8, np.int64), "vector"),
                numpy_helper.from_array(np.array(True), "condition"),
            ]
        )
        grown = joined(outside, "vector", "outer")
        then = branch(joined(inside, "outer", "then"), "then")
        other = branch([helper.make_node("Neg", ["vector"], ["other"])], "other")
        chosen = helper.make_node(
            "If", ["condition"], ["shape"], "chosen", then_branch=then, else_branch=other
        )
        used = helper.make_node("Reshape", ["y", "shape"], ["y2"], name="used")
        model.graph.node.extend([*grown, chosen, used])
        model.graph.output[0].CopyFrom(output("y2"))

    return change


def joined_after_filling(op_type: str, inputs: list[str]) -> Change:
    """A vector of 2^22 elements that is filled, and joined with itself."""

    def change(model: ModelProto) -> None:
        model.graph.initializer.extend(
            [
                numpy_helper.from_array(np.array([1 << 22]), "many"),
                numpy_helper.from_array(np.array([1]), "single"),
            ]
        )
        filled = helper.make_node(op_type, inputs, ["filled"], name="filled")
        used = helper.make_node("Reshape", ["y", "grown"], ["y2"], name="used")
        model.graph.node.extend([filled, *joined(12, "filled", "grown"), used])
        model.graph.output[0].CopyFrom(output("y2"))

    return change


GRAPHS: dict[str, bytes] = {
    "node that reads itself": changed(rewired("fc1", 0, "fc1")),
    "cycle of two": changed(rewired("fc1", 0, "norm")),
    "cycle of all": changed(rewired("centred", 0, "y")),
    "cycle through a subgraph": changed(
        rewired("fc1", 0, "z"),
        appended(
            helper.make_node(
                "If",
                ["one"],
                ["z"],
                then_branch=branch([helper.make_node("Identity", ["norm"], ["q"])], "q"),
                else_branch=branch([helper.make_node("Identity", ["norm"], ["q"])], "q"),
            )
        ),
    ),
    "input named like an output": changed(lambda m: node_named(m, "y").output.append("x")),
    "output named twice": changed(lambda m: m.graph.output.add().CopyFrom(m.graph.output[0])),
    "input named twice": changed(lambda m: m.graph.input.add().CopyFrom(m.graph.input[0])),
    "node named twice": changed(lambda m: setattr(node_named(m, "fc2"), "name", "fc1")),
    "weights named like a value": changed(lambda m: setattr(m.graph.initializer[0], "name", "fc1")),
    "weights named like the input": changed(lambda m: setattr(m.graph.initializer[0], "name", "x")),
    "nameless weights": changed(lambda m: setattr(m.graph.initializer[0], "name", "")),
    "nameless input": changed(lambda m: setattr(m.graph.input[0], "name", "")),
    "nameless output": changed(lambda m: setattr(m.graph.output[0], "name", "")),
    "output that is the input": changed(lambda m: setattr(m.graph.output[0], "name", "x")),
    "node without outputs": changed(lambda m: node_named(m, "fc1").ClearField("output")),
    "node without inputs": changed(lambda m: node_named(m, "fc1").ClearField("input")),
    "empty outputs": changed(lambda m: node_named(m, "fc1").output.extend([""] * 50)),
    "5,000 inputs of a node": changed(many_inputs),
    "200 sums of sums": changed(shared_scale),
    "graph without nodes": changed(lambda m: m.graph.ClearField("node")),
    "graph without anything": changed(
        lambda m: m.ClearField("graph"), lambda m: m.graph.SetInParent()
    ),
    "Ifs, 8 deep": changed(appended(nested_ifs(8))),
    "Loops, 15 deep": changed(appended(one_sided(15))),
    "Loops, 30 deep": changed(appended(one_sided(30))),
    "vector joined 40 times in an If": changed(joined_within(1, 39)),
    "vector joined 34 times in an If, folded in part": changed(joined_within(1, 33)),
    "vector joined 12 times, and 28 times in an If": changed(joined_within(12, 28)),
    "filled vector joined 12 times": changed(joined_after_filling("ConstantOfShape", ["many"])),
    "expanded vector joined 12 times": changed(joined_after_filling("Expand", ["single", "many"])),
    "repeated vector joined 12 times": changed(joined_after_filling("Tile", ["single", "many"])),
    "subgraph that reads what comes later": changed(
        appended(
            helper.make_node(
                "If",
                ["one"],
                ["z"],
                then_branch=branch([], "later"),
                else_branch=branch([], "later"),
            ),
            helper.make_node("Neg", ["z"], ["later"], name="later"),
        )
    ),
    "function that calls itself": calling(function("f0", [call("f0", "a", "b")])),
    "functions that call each other": calling(
        function("f0", [call("f1", "a", "b")]), function("f1", [call("f0", "a", "b")])
    ),
    "functions of 2^40 nodes": calling(*doubling(40)),
    "functions of 2^20 nodes": calling(*doubling(20)),
    "function that is not there": calling(first="nowhere"),
    "function defined twice": calling(*doubling(1), *doubling(1)),
    "function without nodes": calling(function("f0", [])),
    "attribute of a function outside of one": changed(
        attribute("alpha", "y", ref_attr_name="alpha", type=AttributeProto.FLOAT)
    ),
    "opset 0": changed(opset(0)),
    "opset -1": changed(opset(-1)),
    "opset 2^63-1": changed(opset(2**63 - 1)),
    "opset -2^63": changed(opset(-(2**63))),
    "opset of QONNX 2^62": changed(opset(2**62, QONNX)),
    "IR version 2^63-1": changed(lambda m: setattr(m, "ir_version", 2**63 - 1)),
    "IR version -1": changed(lambda m: setattr(m, "ir_version", -1)),
    "attribute of an unknown type": changed(attribute("axis", "fc1", i=1)),
    "attribute of two types": changed(
        attribute("epsilon", "norm", f=1.0, i=3, s=b"x", type=AttributeProto.INT)
    ),
    "attribute that is a graph": changed(
        attribute("epsilon", "norm", g=GraphProto(name="g"), type=AttributeProto.GRAPH)
    ),
    "attribute given twice": changed(
        lambda m: node_named(m, "norm").attribute.extend(
            [helper.make_attribute("epsilon", 1.0), helper.make_attribute("epsilon", 2.0)]
        )
    ),
    "text where a number belongs": changed(
        attribute("epsilon", "norm", s=b"$(id)", type=AttributeProto.STRING)
    ),
    "momentum of 1e38": changed(attribute("epsilon", "norm", f=1e38, type=AttributeProto.FLOAT)),
    "epsilon NaN": changed(attribute("epsilon", "norm", f=float("nan"), type=AttributeProto.FLOAT)),
    "quantizer of 2^62 bits": changed(
        lambda m: m.graph.initializer.append(
            numpy_helper.from_array(np.array(2.0**62, np.float32), "bits_of_it")
        ),
        lambda m: node_named(m, "bits").CopyFrom(
            helper.make_node(
                "Quant", ["centred", "one", "half", "bits_of_it"], ["bits"], "bits", domain=QONNX
            )
        ),
    ),
    "unknown rounding": changed(
        lambda m: node_named(m, "bits").CopyFrom(
            helper.make_node(
                "Quant",
                ["centred", "one", "half", "one"],
                ["bits"],
                "bits",
                domain=QONNX,
                rounding_mode="`id`",
            )
        ),
    ),
    "operator of an unknown domain": changed(
        lambda m: setattr(node_named(m, "fc1"), "domain", "$(id)")
    ),
    "operator with a path for a name": changed(
        lambda m: setattr(node_named(m, "fc1"), "op_type", "../Conv")
    ),
    "operator of 100 kB": changed(
        lambda m: setattr(node_named(m, "fc1"), "op_type", "M" * 100_000)
    ),
    "sparse weights outside": changed(lambda m: sparse(m, [5, 10**12], [8])),
    "sparse weights before": changed(lambda m: sparse(m, [-1, 2], [8])),
    "sparse weights of 2^62": changed(lambda m: sparse(m, [0], [2**31, 2**31])),
    "string weights": changed(
        lambda m: initializer(m, "w1").CopyFrom(
            TensorProto(
                name="w1", data_type=TensorProto.STRING, dims=[2], string_data=[b"$(id)", b"\xff"]
            )
        )
    ),
    "complex weights": changed(
        lambda m: initializer(m, "w1").CopyFrom(
            numpy_helper.from_array(np.array([1j], np.complex64), "w1")
        )
    ),
    "undefined element type": changed(lambda m: setattr(initializer(m, "w1"), "data_type", 0)),
    "element type 99": changed(lambda m: setattr(initializer(m, "w1"), "data_type", 99)),
    "element type -1": changed(lambda m: setattr(initializer(m, "w1"), "data_type", -1)),
    "input of element type 77": changed(
        lambda m: setattr(m.graph.input[0].type.tensor_type, "elem_type", 77)
    ),
    "weights in segments": changed(lambda m: setattr(initializer(m, "w1").segment, "end", 2**60)),
    "weights in two fields": changed(lambda m: initializer(m, "w1").float_data.extend([1.0])),
    "metadata with the same key": changed(
        lambda m: m.metadata_props.add(key="a", value="1"),
        lambda m: m.metadata_props.add(key="a", value="2"),
    ),
}
"""Models whose graph is wrong, or wrong to look at; some may well compile."""
