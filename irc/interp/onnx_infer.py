"""Types of the values of a module at the `onnx` level, by ONNX's own shape inference."""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, NodeProto, shape_inference
from xdsl.dialects.builtin import DYNAMIC_INDEX, ModuleOp, TensorType
from xdsl.ir import Attribute
from xdsl.rewriter import Rewriter

from irc.dialects.onnx_op import OnnxOp
from irc.dialects.onnx_proto import type_from_proto
from irc.dialects.onnx_schema import QONNX_DOMAINS, RUNTIME_DOMAIN
from irc.dialects.onnx_structure import ConstantOp
from irc.dialects.onnx_to_proto import ToProto, entry_function
from irc.dialects.onnx_types import UnknownType, none, ranked, unranked
from irc.errors import IrcError
from irc.interp.onnx_ceil_pools import state_ceil_pools
from irc.interp.onnx_propagation import propagates_little

OLDEST_OPSET = 7
"""Many operators have no shape inference before; what they do to shapes has not changed."""

MAX_SHAPE_ELEMENTS = 1024
"""Constants up to this size keep their values, since they may be shapes, axes or pads."""


def infer_types(module: ModuleOp) -> bool:
    """Refine the types of all values in place; returns whether any changed.

    Weights are left out of what ONNX sees, so that the cost does not depend on them. QONNX
    operators keep shape and type of their first input. Types that inference contradicts are
    replaced by what it found. Raises `IrcError` where the graph's own types do not fit together.
    """
    writer = ToProto(keep_constant=_may_be_shape, write_node=_stand_in)
    proto = writer.model(module)
    for output in proto.graph.output:
        output.ClearField("type")
    for opset in proto.opset_import:
        if not opset.domain:
            opset.version = max(opset.version, OLDEST_OPSET)
    inferred = _infer(proto)
    # What follows a pool is known only once the pool is.
    while state_ceil_pools(proto, inferred):
        inferred = _infer(proto)
    changed = False
    for value, name in writer.names.items():
        found = inferred.get(name)
        if found is None or value.type == none or isinstance(value.owner, ConstantOp):
            continue
        merged = merge_types(found, value.type)
        if merged != value.type:
            Rewriter.replace_value_with_new_type(value, merged)
            changed = True
    if changed:
        entry_function(module).update_function_type()
    return changed


def _may_be_shape(constant: ConstantOp) -> bool:
    return constant.value is not None and constant.value.size <= MAX_SHAPE_ELEMENTS


def _stand_in(op: OnnxOp, node: NodeProto) -> None:
    """What ONNX's inference is shown for a node that it does not understand, or not fully.

    QONNX operators are the identity as far as types go, and so is arithmetic that broadcasts by
    the attributes of opsets before 7. ONNX Runtime's own are standard ones with scales and zero
    points. The axes of a slice are understood in order only.
    """
    if op.domain in QONNX_DOMAINS or op.has_attr("broadcast"):
        node.op_type, node.domain = "Identity", ""
        del node.input[1:], node.attribute[:]
    elif op.domain == RUNTIME_DOMAIN:
        _as_standard(op, node)
    elif op.op_type == "Slice" and op.has_attr("axes") and op.has_attr("starts"):
        lists = {a.name: a.ints for a in node.attribute}
        order = np.argsort(lists["axes"], kind="stable").tolist()
        for numbers in lists.values():
            if len(numbers) == len(order):
                numbers[:] = [numbers[index] for index in order]


_STANDARD_FORMS = {
    "QLinearAdd": ("Add", (0, 3)),
    "QLinearMul": ("Mul", (0, 3)),
    "QLinearSigmoid": ("Identity", (0,)),
    "QLinearLeakyRelu": ("Identity", (0,)),
    "QLinearSoftmax": ("Identity", (0,)),
    "QLinearAveragePool": ("AveragePool", (0,)),
    "QLinearGlobalAveragePool": ("GlobalAveragePool", (0,)),
    "QGemm": ("Gemm", (0, 3)),
}
"""Standard operators of the same shapes, and the inputs that are tensors."""

_SHAPING = (
    *("auto_pad", "axis", "ceil_mode", "count_include_pad", "kernel_shape", "pads", "strides"),
    *("transA", "transB"),
)


def _as_standard(op: OnnxOp, node: NodeProto) -> None:
    """One of ONNX Runtime's own operators without what does not matter to shapes."""
    node.domain = ""
    if op.op_type in ("QuantizeLinear", "DequantizeLinear"):
        return
    inputs = list(node.input)
    if op.op_type == "QLinearConcat":
        node.op_type, tensors = "Concat", inputs[2::3]
    else:
        node.op_type, places = _STANDARD_FORMS[op.op_type]
        tensors = [inputs[place] for place in places]
    node.input[:] = tensors
    is_identity = node.op_type == "Identity"
    kept = [a for a in node.attribute if a.name in _SHAPING and not is_identity]
    del node.attribute[:]
    node.attribute.extend(kept)


def _infer(proto: ModelProto) -> dict[str, Attribute]:
    try:
        result = shape_inference.infer_shapes(proto, data_prop=propagates_little(proto.graph))
    except shape_inference.InferenceError as error:
        raise IrcError(f"shapes do not fit together: {str(error).strip()}") from None
    graph = result.graph
    return {
        entry.name: type_from_proto(entry.type)
        for entry in (*graph.value_info, *graph.output)
        if entry.HasField("type")
    }


def merge_types(preferred: Attribute, other: Attribute) -> Attribute:
    """The most that two descriptions of one value say; `preferred` wins a contradiction."""
    if isinstance(preferred, UnknownType):
        return other
    theirs = ranked(other)
    if theirs is None:
        return preferred
    if (without_rank := unranked(preferred)) is not None:
        return TensorType(without_rank.element_type, theirs.get_shape())
    ours = ranked(preferred)
    if ours is None or ours.get_num_dims() != theirs.get_num_dims():
        return preferred
    shape = [
        their_dim if dim == DYNAMIC_INDEX else dim
        for dim, their_dim in zip(ours.get_shape(), theirs.get_shape(), strict=True)
    ]
    return TensorType(ours.element_type, shape)
