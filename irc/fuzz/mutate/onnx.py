"""Damage to ONNX models: to the message, to the graph that it describes, and to its bytes."""

from __future__ import annotations

import struct

from google.protobuf.message import DecodeError
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, helper

from irc.dialects.onnx_schema import op_specs
from irc.fuzz.mutate.bytes import mutate_bytes
from irc.fuzz.mutate.onnx_values import FLOATS, INTEGERS, TEXTS
from irc.fuzz.mutate.proto import mutate_message
from irc.fuzz.networks.choices import Choices

MAX_EDITS = 4

_GRAPH_EDITS = (
    "operator", "rewire", "attribute", "constant", "shape", "drop", "subgraph", "output", "opset",
)  # fmt: skip
_DEPTHS = (1, 2, 30)


def mutate_onnx(choices: Choices, data: bytes) -> bytes:
    """A model's file with a few edits, most of them of the message that it holds."""
    kind = choices.pick(("graph", "message", "graph", "message", "both", "bytes"))
    if kind == "bytes":
        return mutate_bytes(choices, data)
    model = ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError:
        return mutate_bytes(choices, data)
    for _ in range(choices.integer(1, MAX_EDITS)):
        if kind == "message" or (kind == "both" and choices.pick((False, True))):
            mutate_message(choices, model)
        elif model.graph.node:
            _edit_graph(choices, model)
    return model.SerializeToString(deterministic=True)


def _edit_graph(choices: Choices, model: ModelProto) -> None:
    """One edit that leaves something like a graph."""
    graph = model.graph
    node = choices.pick(graph.node)
    match choices.pick(_GRAPH_EDITS):
        case "operator":
            node.op_type = choices.pick(sorted(op_specs()))
        case "rewire":
            _rewire(choices, graph, node)
        case "attribute":
            _edit_attribute(choices, node)
        case "constant" if graph.initializer:
            _edit_constant(choices, choices.pick(graph.initializer))
        case "shape":
            _edit_shape(choices, graph)
        case "drop":
            _drop(graph, node)
        case "subgraph":
            _wrap(choices, graph, node)
        case "output":
            graph.output.add().CopyFrom(
                helper.make_tensor_value_info(choices.pick(_values(graph)), TensorProto.FLOAT, None)
            )
        case _:
            entry = choices.pick(model.opset_import) if model.opset_import else None
            if entry is not None:
                entry.version = choices.integer(1, 26)


def _values(graph: GraphProto) -> list[str]:
    names = [value.name for value in graph.input]
    names += [tensor.name for tensor in graph.initializer]
    return names + [name for node in graph.node for name in node.output] or ["x"]


def _rewire(choices: Choices, graph: GraphProto, node: NodeProto) -> None:
    """Let an input of a node be another value."""
    name = choices.pick(_values(graph))
    if not node.input or choices.integer(0, 4) == 4:
        node.input.append(name)
    else:
        node.input[choices.integer(0, len(node.input) - 1)] = name


def _edit_attribute(choices: Choices, node: NodeProto) -> None:
    spec = op_specs().get(node.op_type)
    known = sorted(spec.attributes) if spec is not None else []
    name = choices.pick([*known, *(a.name for a in node.attribute)] or ["axis"])
    for index, attribute in enumerate(node.attribute):
        if attribute.name == name:
            del node.attribute[index]
            break
    made = AttributeProto(name=name)
    match choices.pick(("int", "ints", "float", "string", "floats", "strings", "tensor", "none")):
        case "int":
            made.type, made.i = AttributeProto.INT, _i64(choices)
        case "ints":
            made.type = AttributeProto.INTS
            made.ints.extend(_i64(choices) for _ in range(choices.integer(0, 6)))
        case "float":
            made.type, made.f = AttributeProto.FLOAT, choices.pick(FLOATS)
        case "string":
            made.type, made.s = AttributeProto.STRING, choices.pick(TEXTS).encode()
        case "floats":
            made.type = AttributeProto.FLOATS
            made.floats.extend(choices.pick(FLOATS) for _ in range(choices.integer(0, 4)))
        case "strings":
            made.type = AttributeProto.STRINGS
            made.strings.extend(choices.pick(TEXTS).encode() for _ in range(choices.integer(0, 3)))
        case "tensor":
            made.type = AttributeProto.TENSOR
            made.t.CopyFrom(_tensor(choices))
        case _:
            return
    node.attribute.append(made)


def _i64(choices: Choices) -> int:
    if choices.pick((True, False)):
        return choices.integer(-3, 8)
    return choices.pick([value for value in INTEGERS if value < 2**63])


def _tensor(choices: Choices) -> TensorProto:
    dims = [choices.integer(0, 4) for _ in range(choices.integer(0, 3))]
    count = 1
    for dim in dims:
        count *= dim
    if choices.pick((True, False)):
        values = [float(choices.pick(FLOATS)) for _ in range(count)]
        return helper.make_tensor("t", TensorProto.FLOAT, dims, values)
    return helper.make_tensor("t", TensorProto.INT64, dims, [_i64(choices) for _ in range(count)])


def _edit_constant(choices: Choices, tensor: TensorProto) -> None:
    match choices.pick(("dims", "type", "value", "values", "external")):
        case "dims" if tensor.dims:
            at = choices.integer(0, len(tensor.dims) - 1)
            tensor.dims[at] = _i64(choices)
        case "type":
            tensor.data_type = choices.integer(0, 30)
        case "value" if tensor.raw_data:
            cell = choices.integer(0, len(tensor.raw_data) // 4)
            old, new = tensor.raw_data, struct.pack("<f", choices.pick(FLOATS))
            tensor.raw_data = old[: 4 * cell] + new + old[4 * cell + 4 :]
        case "external":
            tensor.data_location = TensorProto.EXTERNAL
            tensor.external_data.add(key="location", value=choices.pick(TEXTS))
        case _:
            name = tensor.name
            tensor.CopyFrom(_tensor(choices))
            tensor.name = name


def _edit_shape(choices: Choices, graph: GraphProto) -> None:
    value = choices.pick([*graph.input, *graph.output] or [graph.value_info.add()])
    shape = value.type.tensor_type.shape
    match choices.pick(("size", "name", "more", "fewer", "none", "type")):
        case "size" if shape.dim:
            choices.pick(shape.dim).dim_value = _i64(choices)
        case "name" if shape.dim:
            choices.pick(shape.dim).dim_param = choices.pick(TEXTS)
        case "more":
            shape.dim.add().dim_value = choices.integer(1, 5)
        case "fewer" if shape.dim:
            del shape.dim[choices.integer(0, len(shape.dim) - 1)]
        case "type":
            value.type.tensor_type.elem_type = choices.integer(0, 30)
        case _:
            value.type.tensor_type.ClearField("shape")


def _drop(graph: GraphProto, node: NodeProto) -> None:
    """Take a node out; whoever read it reads what it read."""
    if node.input and node.output:
        old, new = node.output[0], node.input[0]
        for other in graph.node:
            for index, name in enumerate(other.input):
                if name == old:
                    other.input[index] = new
    graph.node.remove(node)


def _wrap(choices: Choices, graph: GraphProto, node: NodeProto) -> None:
    """Put a node into the branches of an If, or of one inside another."""
    inner = NodeProto()
    inner.CopyFrom(node)
    kind = choices.pick(("If", "Loop", "Scan"))
    for _ in range(choices.pick(_DEPTHS)):
        outputs = [helper.make_empty_tensor_value_info(name) for name in inner.output]
        branch = helper.make_graph([inner], "branch", [], outputs)
        condition = choices.pick(_values(graph))
        if kind == "If":
            inner = helper.make_node(
                "If", [condition], list(inner.output), then_branch=branch, else_branch=branch
            )
        else:
            inner = helper.make_node(kind, [condition], list(inner.output), body=branch)
        if inner.ByteSize() > 500_000:
            break
    node.CopyFrom(inner)
