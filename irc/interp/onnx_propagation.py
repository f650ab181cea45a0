"""How much ONNX's propagation of shape values would unfold, known before it does."""

from __future__ import annotations

import math

from onnx import GraphProto

MAX_VALUES = 1 << 16
"""Elements of one propagated vector: shapes have as many as a tensor has dimensions."""


def propagates_little(graph: GraphProto) -> bool:
    """Whether no vector of shape arithmetic grows beyond `MAX_VALUES`.

    `shape_inference.infer_shapes(data_prop=True)` joins what `Concat` joins, whatever its size: a
    vector that is joined with itself forty times would take all memory.
    """
    sizes = {
        tensor.name: math.prod(tensor.dims) if len(tensor.dims) < 2 else 0
        for tensor in graph.initializer
    }
    for node in graph.node:
        given = [sizes.get(name, 1) for name in node.input]
        size = sum(given) if node.op_type == "Concat" else max(given, default=1)
        if size > MAX_VALUES and node.op_type == "Concat":
            return False
        for name in node.output:
            sizes[name] = min(size, MAX_VALUES)
    return True
