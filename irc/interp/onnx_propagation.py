"""How much ONNX's propagation of shape values would unfold, known before it does."""

from __future__ import annotations

import math

from onnx import GraphProto, TensorProto

MAX_VALUES = 1 << 16
"""Elements of one propagated vector: shapes have as many as a tensor has dimensions."""


def propagates_little(graph: GraphProto) -> bool:
    """Whether no vector of shape arithmetic grows beyond `MAX_VALUES`.

    `shape_inference.infer_shapes(data_prop=True)` joins what `Concat` joins, whatever its size: a
    vector that is joined with itself forty times would take all memory. It does so in subgraphs
    as well, and keeps what it finds under one name for all graphs, as here.
    """
    return _fits(graph, {})


_SHAPED = {"ConstantOfShape": 0, "Expand": 1, "Tile": 1}
"""Operators that fill a shape, and which of their inputs gives it."""


def _filled(shape: TensorProto | None) -> int:
    """The elements of a tensor of a shape that the graph holds; 1 where it is computed."""
    if shape is None or math.prod(shape.dims) > 8 or shape.data_type != TensorProto.INT64:
        return 1
    values = shape.int64_data or [
        int.from_bytes(shape.raw_data[start : start + 8], "little", signed=True)
        for start in range(0, len(shape.raw_data), 8)
    ]
    return math.prod(max(value, 1) for value in values)


def _fits(graph: GraphProto, sizes: dict[str, int]) -> bool:
    """The same for a graph within others, of whose values the sizes are known; adds its own."""
    for value in graph.input:
        # ONNX takes a vector of a known size for that many values, if unknown ones.
        dims = value.type.tensor_type.shape.dim
        if len(dims) == 1:
            sizes[value.name] = max(sizes.get(value.name, 1), dims[0].dim_value)
    sizes.update(
        (tensor.name, math.prod(tensor.dims) if len(tensor.dims) < 2 else 0)
        for tensor in graph.initializer
    )
    shapes = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        given = [sizes.get(name, 1) for name in node.input]
        size = sum(given) if node.op_type == "Concat" else max(given, default=1)
        if node.op_type == "Constant":
            shapes.update(
                (name, a.t) for a in node.attribute for name in node.output if a.name == "value"
            )
        elif node.op_type in _SHAPED and len(node.input) > _SHAPED[node.op_type]:
            size = max(size, _filled(shapes.get(node.input[_SHAPED[node.op_type]])))
        for inner in (attribute.g for attribute in node.attribute if attribute.HasField("g")):
            # Any input of the node may be what the subgraph gets.
            sizes.update((value.name, size) for value in inner.input)
            if not _fits(inner, sizes):
                return False
        if size > MAX_VALUES and node.op_type == "Concat":
            return False
        for name in node.output:
            sizes[name] = min(size, MAX_VALUES)
    return True
