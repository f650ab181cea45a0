"""Small files that ask for much: shapes of 2^64 elements, constants that unfold, zip bombs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hostile_graphs import changed, rewired, sparse
from model_files import initializer, node_named
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

HUGE = 2**62
LARGE = 10**11
"""Elements of a tensor that no machine here holds, but whose shape is a legal one."""


def shaped(name: str, *dims: int) -> Callable[[ModelProto], None]:
    """Let weights claim another shape."""

    def change(model: ModelProto) -> None:
        tensor = initializer(model, name)
        del tensor.dims[:]
        tensor.dims.extend(dims)

    return change


def sized(name: str, raw: bytes) -> Callable[[ModelProto], None]:
    """Give weights other bytes."""
    return lambda model: setattr(initializer(model, name), "raw_data", raw)


def input_shape(*dims: int) -> Callable[[ModelProto], None]:
    """Let the input claim another shape."""

    def change(model: ModelProto) -> None:
        shape = model.graph.input[0].type.tensor_type.shape
        del shape.dim[:]
        for dim in dims:
            shape.dim.add().dim_value = dim

    return change


def unfolding(op_type: str, inputs: Sequence[Any], **attributes: Any) -> bytes:
    """The network with a constant that a node makes of small ones: its bias is added to `fc1`."""

    def change(model: ModelProto) -> None:
        names: list[str] = []
        for index, value in enumerate(inputs):
            if isinstance(value, str):
                names.append(value)
                continue
            names.append(f"part{index}")
            model.graph.initializer.append(numpy_helper.from_array(np.asarray(value), names[-1]))
        made = helper.make_node(op_type, names, ["unfolded"], name="unfolded", **attributes)
        used = helper.make_node("ReduceSum", ["unfolded"], ["sum"], name="sum", keepdims=0)
        model.graph.node.insert(0, used)
        model.graph.node.insert(0, made)
        model.graph.node.append(helper.make_node("Add", ["fc1", "sum"], ["biased"], name="biased"))
        node_named(model, "norm").input[0] = "biased"

    return changed(change)


def doubled(times: int, op_type: str = "Concat", **attributes: Any) -> bytes:
    """A constant of one element, joined with itself again and again."""

    def change(model: ModelProto) -> None:
        nodes: list[NodeProto] = []
        value = "start"
        model.graph.initializer.append(numpy_helper.from_array(np.ones(1, np.float32), value))
        for index in range(times):
            nodes.append(
                helper.make_node(
                    op_type, [value, value], [f"d{index}"], name=f"d{index}", **attributes
                )
            )
            value = f"d{index}"
        for node in reversed(nodes):
            model.graph.node.insert(0, node)
        model.graph.node.append(helper.make_node("ReduceSum", [value], ["sum"], name="sum"))
        model.graph.node.append(helper.make_node("Add", ["fc1", "sum"], ["biased"], name="biased"))
        node_named(model, "norm").input[0] = "biased"

    return changed(change)


def layer(op_type: str, weights: Sequence[int], **attributes: Any) -> bytes:
    """A network of one layer with absurd attributes: input [1, 1, 8, 8]."""
    ones = numpy_helper.from_array(np.ones(tuple(weights), np.float32), "w")
    inputs = ["x"] if op_type.endswith("Pool") else ["x", "w"]
    node = helper.make_node(op_type, inputs, ["y"], name="layer", **attributes)
    graph = helper.make_graph(
        [node],
        "absurd",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [ones],
    )
    imports = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=imports, ir_version=8).SerializeToString()


def integers(*values: int) -> Any:
    """Int64."""
    return np.array(values, np.int64)


ONE = np.ones(1, np.float32)

SPARSE: dict[str, tuple[bytes, str]] = {
    case: (changed(lambda m, at=at, dims=dims: sparse(m, at, dims)), message)
    for case, at, dims, message in (
        ("2^30 elements", [0], [2**30], "has 1073741824 elements; at most 16777216"),
        ("0 of 2^30 elements", [], [0, 2**30], "has 0 elements; at most 16777216"),
        ("behind the last", [48], [8, 6], r"outside its shape \[8, 6\]"),
        ("before the first", [-1], [8, 6], r"outside its shape \[8, 6\]"),
        ("behind the last column", [[7, 6]], [8, 6], r"outside its shape \[8, 6\]"),
        ("before the first row", [[-1, 5]], [8, 6], r"outside its shape \[8, 6\]"),
        ("too many dimensions", [[1, 2, 3]], [8, 6], r"indices of shape \[1, 3\] do not make"),
        ("more than there are", [0, 1, 2], [2], "with N at most 2"),
    )
}
"""Sparse weights that do not fit their shape, and what is said of them."""

SIZES: dict[str, bytes] = {
    "product of 2^64": changed(shaped("w1", 2**32, 2**32)),
    "product that wraps to 48": changed(shaped("w1", 2**63 - 1, 2, 3, 16)),
    "product that wraps to 0": changed(shaped("w1", 2**32, 2**32, 1)),
    "2^63-1 weights": changed(shaped("w1", 2**63 - 1)),
    "2^40 weights, no bytes": changed(shaped("w1", 2**20, 2**20), sized("w1", b"")),
    "0 of 2^62 weights": changed(shaped("w1", 0, 2**62), sized("w1", b"")),
    "-1 rows": changed(shaped("w1", -1, 6)),
    "-8 times -6": changed(shaped("w1", -8, -6)),
    "-2^63 rows": changed(shaped("w1", -(2**63), 6)),
    "100,000 dimensions": changed(shaped("w1", *[1] * 100_000)),
    "70 dimensions": changed(shaped("w1", *[1] * 68, 8, 6)),
    "fewer bytes than weights": changed(sized("w1", bytes(10))),
    "more bytes than weights": changed(sized("w1", bytes(10_000))),
    "no bytes": changed(sized("w1", b"")),
    "input of 2^64": changed(input_shape(1, 2**32, 2**32)),
    "input of -8": changed(input_shape(1, -8)),
    "input of 10^11": changed(input_shape(1, LARGE)),
    "input of 2^31": changed(input_shape(1, 2**31)),
    "input of 100,000 dimensions": changed(input_shape(*[1] * 100_000)),
    "batch of 2^62": changed(input_shape(HUGE, 8)),
    "batch of 0": changed(input_shape(0, 8)),
    "ConstantOfShape of 10^11": unfolding("ConstantOfShape", [integers(LARGE)]),
    "ConstantOfShape of 2^64": unfolding("ConstantOfShape", [integers(2**32, 2**32)]),
    "ConstantOfShape of -1": unfolding("ConstantOfShape", [integers(-1)]),
    "ConstantOfShape of 70 dimensions": unfolding("ConstantOfShape", [integers(*[2] * 70)]),
    "Expand to 10^11": unfolding("Expand", [ONE, integers(LARGE)]),
    "Expand to 2^64": unfolding("Expand", [ONE, integers(2**32, 2**32)]),
    "Expand to -3": unfolding("Expand", [ONE, integers(-3)]),
    "Tile 10^11 times": unfolding("Tile", [ONE, integers(LARGE)]),
    "Tile -1 times": unfolding("Tile", [ONE, integers(-1)]),
    "Tile 2^62 times": unfolding("Tile", [ONE, integers(HUGE)]),
    "Pad by 10^11": unfolding("Pad", [ONE, integers(0, LARGE)]),
    "Pad by 2^62 twice": unfolding("Pad", [ONE, integers(HUGE, HUGE)]),
    "Pad by -100": unfolding("Pad", [ONE, integers(-100, -100)]),
    "Range to 10^12": unfolding("Range", [np.int64(0), np.int64(10**12), np.int64(1)]),
    "Range by 0": unfolding("Range", [np.int64(0), np.int64(10), np.int64(0)]),
    "Range by 1e-30": unfolding("Range", [np.float32(0), np.float32(1), np.float32(1e-30)]),
    "Range of NaN": unfolding("Range", [np.float32(0), np.float32("nan"), np.float32(1)]),
    "Range to infinity": unfolding("Range", [np.float32(0), np.float32("inf"), np.float32(1)]),
    "Resize to 10^11": unfolding(
        "Resize", [np.ones((1, 1, 1, 1), np.float32), "", "", integers(1, 1, 10**6, 10**5)]
    ),
    "Resize by 1e30": unfolding(
        "Resize",
        [np.ones((1, 1, 1, 1), np.float32), "", np.array([1, 1, 1e30, 1e30], np.float32)],
    ),
    "Resize by NaN": unfolding(
        "Resize",
        [np.ones((1, 1, 1, 1), np.float32), "", np.array([1, 1, np.nan, -1], np.float32)],
    ),
    "OneHot of 10^11": unfolding(
        "OneHot", [integers(0), integers(LARGE), np.array([0, 1], np.float32)]
    ),
    "OneHot of -5": unfolding("OneHot", [integers(0), integers(-5), np.array([0, 1], np.float32)]),
    "EyeLike of 10^6": unfolding("EyeLike", ["unmade"]),
    "RandomNormal of 10^11": unfolding("RandomNormal", [], shape=[LARGE]),
    "RandomUniform of -1": unfolding("RandomUniform", [], shape=[-1]),
    "Reshape to 10^11": unfolding("Reshape", [ONE, integers(LARGE)]),
    "Reshape to -1, -1": unfolding("Reshape", [ONE, integers(-1, -1)]),
    "Gather at 2^62": unfolding("Gather", [ONE, integers(HUGE)]),
    "Gather at -2^63": unfolding("Gather", [ONE, integers(-(2**63))]),
    "Slice by 0": unfolding("Slice", [ONE, integers(0), integers(1), integers(0), integers(0)]),
    "Slice of axis 2^40": unfolding("Slice", [ONE, integers(0), integers(1), integers(2**40)]),
    "Unsqueeze at 10^9": unfolding("Unsqueeze", [ONE, integers(10**9)]),
    "Split in 2^40": unfolding("Split", [ONE, integers(2**40)], axis=0),
    "Shift by 2^63": unfolding(
        "BitShift", [np.array([1], np.uint64), np.array([2**63], np.uint64)], direction="LEFT"
    ),
    "Cast to type 99": unfolding("Cast", [ONE], to=99),
    "TopK of 10^12": unfolding("TopK", [ONE, integers(10**12)]),
    "CumSum of axis 2^31": unfolding("CumSum", [ONE, np.array(2**31 - 1, np.int32)]),
    "MatMul of 10^10": unfolding(
        "MatMul", [np.ones((100_000, 1), np.float32), np.ones((1, 100_000), np.float32)]
    ),
    "broadcast to 10^10": unfolding(
        "Add", [np.ones((100_000, 1), np.float32), np.ones((1, 100_000), np.float32)]
    ),
    "a constant doubled 40 times": doubled(40, axis=0),
    "a constant doubled 400 times": doubled(400, axis=0),
    "an outer product 40 times": doubled(40, "Einsum", equation="i,j->ij"),
    "kernel of 10^9": layer("Conv", (1, 1, 1, 1), kernel_shape=[10**9, 10**9]),
    "pads of 10^9": layer("Conv", (1, 1, 1, 1), pads=[10**9] * 4),
    "pads of 2^62": layer("Conv", (1, 1, 1, 1), pads=[HUGE] * 4),
    "pads of -10": layer("Conv", (1, 1, 1, 1), pads=[-10] * 4),
    "stride 0": layer("Conv", (1, 1, 3, 3), strides=[0, 0]),
    "stride -1": layer("Conv", (1, 1, 3, 3), strides=[-1, -1]),
    "stride 2^62": layer("Conv", (1, 1, 3, 3), strides=[HUGE, HUGE]),
    "dilation 10^18": layer("Conv", (1, 1, 3, 3), dilations=[10**18, 10**18]),
    "dilation 0": layer("Conv", (1, 1, 3, 3), dilations=[0, 0]),
    "group 0": layer("Conv", (1, 1, 3, 3), group=0),
    "group -1": layer("Conv", (1, 1, 3, 3), group=-1),
    "group 2^62": layer("Conv", (1, 1, 3, 3), group=HUGE),
    "pool of 10^9": layer("MaxPool", (1,), kernel_shape=[10**9, 10**9]),
    "pool of 0": layer("MaxPool", (1,), kernel_shape=[0, 0]),
    "pool of -1": layer("AveragePool", (1,), kernel_shape=[-1, 2]),
    "pool with pads of 10^9": layer(
        "MaxPool", (1,), kernel_shape=[2, 2], pads=[10**9] * 4, ceil_mode=1
    ),
    "pool without a kernel": layer("MaxPool", (1,)),
    "kernel of 40 dimensions": layer("Conv", [1] * 40),
    "pads of 3 numbers": layer("Conv", (1, 1, 3, 3), pads=[1, 1, 1]),
    "pads of 10,000 numbers": layer("Conv", (1, 1, 3, 3), pads=[0] * 10_000),
    "sparse weights of 2^30": SPARSE["2^30 elements"][0],
    "gamma of 10^11": changed(rewired("norm", 1, "unmade")),
}
"""What a file of this name asks for; a clean refusal, or an answer that takes little, is right."""
