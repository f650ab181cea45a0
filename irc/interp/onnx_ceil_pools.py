"""The shapes of pools with `ceil_mode`, which ONNX's inference gets wrong before opset 22.

A last window that would begin in the border behind the frame is left out, as PyTorch, ONNX
Runtime and the text of opset 22 have it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from onnx import ModelProto, NodeProto, helper
from xdsl.dialects.builtin import DYNAMIC_INDEX
from xdsl.ir import Attribute

from irc.dialects.onnx_proto import type_from_proto
from irc.dialects.onnx_types import ranked

_POOLS = ("MaxPool", "AveragePool", "LpPool")


def state_ceil_pools(proto: ModelProto, inferred: Mapping[str, Attribute]) -> bool:
    """Rewrite pools whose inferred shape is wrong to such as have the right one without
    `ceil_mode`; returns whether there were any. `inferred` holds the types of values by name."""
    inputs = {entry.name: type_from_proto(entry.type) for entry in proto.graph.input}
    changed = False
    for node in proto.graph.node:
        if node.op_type not in _POOLS or node.domain:
            continue
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        if not attributes.get("ceil_mode") or attributes.get("auto_pad", b"NOTSET") != b"NOTSET":
            continue
        source = inferred.get(node.input[0]) or inputs.get(node.input[0])
        result = inferred.get(node.output[0])
        if source is None or result is None:
            continue
        kind, found = ranked(source), ranked(result)
        if kind is None or found is None or DYNAMIC_INDEX in kind.get_shape()[2:]:
            continue
        changed |= _state(node, attributes, kind.get_shape()[2:], found.get_shape()[2:])
    return changed


def _state(
    node: NodeProto,
    attributes: Mapping[str, Any],
    space: tuple[int, ...],
    found: tuple[int, ...],
) -> bool:
    rank = len(space)
    kernel = _ints(attributes.get("kernel_shape"), [1] * rank)
    strides = _ints(attributes.get("strides"), [1] * rank)
    dilations = _ints(attributes.get("dilations"), [1] * rank)
    pads = _ints(attributes.get("pads"), [0] * 2 * rank)
    if {len(kernel), len(strides), len(dilations), len(pads) // 2} != {rank}:
        return False
    counts: list[int] = []
    for axis, size in enumerate(space):
        extent = dilations[axis] * (kernel[axis] - 1) + 1
        before, after = pads[axis], pads[axis + rank]
        count = -(-(size + before + after - extent) // strides[axis]) + 1
        if (count - 1) * strides[axis] >= size + before:
            count -= 1
        counts.append(count)
        needed = (count - 1) * strides[axis] + extent - size - before
        pads[axis + rank] = max(after, needed)
    if tuple(counts) == found or min(counts) < 1:
        return False
    kept = [a for a in node.attribute if a.name not in ("ceil_mode", "pads")]
    del node.attribute[:]
    node.attribute.extend([*kept, helper.make_attribute("pads", pads)])
    return True


def _ints(value: Sequence[int] | None, default: list[int]) -> list[int]:
    return default if value is None else [int(number) for number in value]
