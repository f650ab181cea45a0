"""Single operations of the `onnx` dialect on NumPy: ONNX's reference implementation, and ours
for QONNX's operators.

Whole models run in `irc.interp.onnx_reference`; this is for constants.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from onnx import GraphProto, TypeProto
from onnx.reference import ReferenceEvaluator

from irc.dialects.onnx_op import OnnxOp, opset_of
from irc.dialects.onnx_proto import type_to_proto
from irc.dialects.onnx_proto_attributes import attribute_to_proto
from irc.dialects.onnx_schema import QONNX_DOMAINS
from irc.dialects.onnx_structure import ConstantOp
from irc.dialects.onnx_tensor import Array
from irc.errors import IrcError, UnsupportedError
from irc.interp import qonnx


def evaluate(op: OnnxOp, inputs: Sequence[Array | None]) -> list[Any]:
    """The results of one operation, without regions, on given inputs (None where omitted).

    Results are arrays, except for sequence and optional types. The opset is the module's.
    Raises `UnsupportedError` where ONNX has no reference implementation, and `IrcError`, with
    the node's name, where it fails on these inputs.
    """
    if isinstance(op, ConstantOp):
        return [op.numpy()]
    try:
        with np.errstate(all="ignore"):
            if op.domain in QONNX_DOMAINS:
                return [_evaluate_qonnx(op, inputs)]
            return _evaluate_standard(op, inputs)
    except IrcError as error:
        raise type(error)(f"{_where(op)}: {error}", op.location) from None


def _where(op: OnnxOp) -> str:
    return f"node '{op.label}' ({op.op_type})"


def _evaluate_standard(op: OnnxOp, inputs: Sequence[Array | None]) -> list[Any]:
    if op.regions:
        raise UnsupportedError("has subgraphs, which single operations cannot evaluate")
    domain = op.domain
    opset = opset_of(op, domain)
    if opset is None:
        raise IrcError(f"the module records no opset of domain {domain!r}")
    # A graph, since for single nodes the evaluator takes the newest opset.
    graph = GraphProto()
    node = graph.node.add(op_type=op.op_type, domain=domain)
    node.attribute.extend(attribute_to_proto(n, v) for n, v in op.properties.items())
    feeds: dict[str, Array] = {}
    for index, (array, operand) in enumerate(zip(inputs, op.operands, strict=True)):
        name = f"i{index}" if array is not None else ""
        node.input.append(name)
        if array is not None:
            feeds[name] = array
            graph.input.add(name=name).type.CopyFrom(type_to_proto(operand.type) or TypeProto())
    for index in range(len(op.results)):
        node.output.append(f"o{index}")
        graph.output.add(name=f"o{index}")
    try:
        evaluator = ReferenceEvaluator(graph, opsets={"": opset, domain: opset})
    except Exception as error:
        raise UnsupportedError(f"has no reference implementation: {_first_line(error)}") from None
    try:
        return list(cast(Any, evaluator).run(None, feeds))
    except Exception as error:
        raise IrcError(f"cannot be evaluated: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__


def _evaluate_qonnx(op: OnnxOp, inputs: Sequence[Array | None]) -> Array:
    arrays = [x for x in inputs if x is not None]
    if len(arrays) != len(inputs):
        raise IrcError("QONNX operators have no optional inputs")
    return qonnx.apply(op.op_type, arrays, {name: op.attr(name) for name in op.properties})
