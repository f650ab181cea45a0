"""Types of the values of a module at the `onnx` level, by ONNX's own shape inference."""

from __future__ import annotations

from onnx import ModelProto, NodeProto, shape_inference
from xdsl.dialects.builtin import DYNAMIC_INDEX, ModuleOp, TensorType
from xdsl.ir import Attribute
from xdsl.rewriter import Rewriter

from irc.dialects.onnx_op import OnnxOp
from irc.dialects.onnx_proto import type_from_proto
from irc.dialects.onnx_schema import QONNX_DOMAINS
from irc.dialects.onnx_structure import ConstantOp
from irc.dialects.onnx_to_proto import ToProto, entry_function
from irc.dialects.onnx_types import UnknownType, none, ranked, unranked
from irc.errors import IrcError

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
    """QONNX operators are the identity as far as types go."""
    if op.domain in QONNX_DOMAINS:
        node.op_type, node.domain = "Identity", ""
        del node.input[1:], node.attribute[:]


def _infer(proto: ModelProto) -> dict[str, Attribute]:
    try:
        result = shape_inference.infer_shapes(proto, data_prop=True)
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
