"""QONNX operators written out in standard ONNX ones, so that any ONNX runtime can run a model.

The expansions follow `irc.interp.qonnx` operation by operation in float32, so that both give
the same bits (apart from the sign of a zero).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from onnx import GraphProto, ModelProto, NodeProto, helper, numpy_helper, shape_inference

from irc.dialects.onnx_schema import QONNX_DOMAINS
from irc.errors import IrcError, UnsupportedError
from irc.interp import qonnx

Array = npt.NDArray[Any]

MIN_OPSET = 9
"""`Where` and `Sign` came with opset 9, and with it the first exports of QONNX."""


def expand_qonnx(model: ModelProto) -> ModelProto:
    """The model with every QONNX node replaced; the model itself where it has none.

    Quantizers of constants become constants. Works for opset 9 and newer; operands are taken
    to be float32. Raises `UnsupportedError`, with the node's name, for what has no expansion.
    """
    if not any(node.domain in QONNX_DOMAINS for node in _nodes(model.graph)):
        return model
    opset = max((e.version for e in model.opset_import if e.domain in ("", "ai.onnx")), default=1)
    if opset < MIN_OPSET:
        raise UnsupportedError(f"QONNX operators need opset {MIN_OPSET} or newer, not {opset}")
    expanded = ModelProto()
    expanded.CopyFrom(model)
    _expand_graph(expanded.graph, opset, {}, _lazy_ranks(model))
    kept = [entry for entry in model.opset_import if entry.domain not in QONNX_DOMAINS]
    del expanded.opset_import[:]
    expanded.opset_import.extend(kept)
    return expanded


def _nodes(graph: GraphProto) -> Iterator[NodeProto]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _nodes(attribute.g)


def _lazy_ranks(model: ModelProto) -> Callable[[], Mapping[str, int]]:
    """Ranks of values, found only when somebody asks (only `MultiThreshold` does)."""
    cache: list[dict[str, int]] = []

    def ranks() -> Mapping[str, int]:
        if not cache:
            cache.append(_ranks(model))
        return cache[0]

    return ranks


def _ranks(model: ModelProto) -> dict[str, int]:
    stripped = ModelProto()
    stripped.CopyFrom(model)
    for tensor in stripped.graph.initializer:
        if tensor.ByteSize() > 8192:
            tensor.ClearField("raw_data")
            tensor.ClearField("float_data")
    for node in stripped.graph.node:
        if node.domain in QONNX_DOMAINS:
            node.op_type, node.domain = "Identity", ""
            del node.input[1:], node.attribute[:]
    try:
        graph = shape_inference.infer_shapes(stripped, data_prop=True).graph
    except shape_inference.InferenceError:
        graph = stripped.graph
    return {
        value.name: len(value.type.tensor_type.shape.dim)
        for value in (*graph.input, *graph.value_info, *graph.output)
        if value.type.tensor_type.HasField("shape")
    }


def _expand_graph(
    graph: GraphProto,
    opset: int,
    outer: Mapping[str, Array],
    ranks: Callable[[], Mapping[str, int]],
) -> None:
    constants = dict(outer)
    wanted = {name for n in graph.node if n.domain in QONNX_DOMAINS for name in n.input}
    for tensor in graph.initializer:
        if tensor.name in wanted:
            constants[tensor.name] = numpy_helper.to_array(tensor)
    nodes = list(graph.node)
    del graph.node[:]
    for node in nodes:
        if node.domain in QONNX_DOMAINS:
            graph.node.extend(_Expansion(node, opset, constants, ranks).nodes())
            continue
        if node.op_type == "Constant" and node.output[0] in wanted:
            value = helper.get_attribute_value(node.attribute[0])
            if node.attribute[0].name == "value":
                constants[node.output[0]] = numpy_helper.to_array(value)
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _expand_graph(attribute.g, opset, constants, ranks)
        graph.node.append(node)


@dataclass
class _Expansion:
    """The standard nodes for one QONNX node."""

    node: NodeProto
    opset: int
    constants: dict[str, Array]
    ranks: Callable[[], Mapping[str, int]]
    _nodes: list[NodeProto] = field(default_factory=list[NodeProto])

    def nodes(self) -> list[NodeProto]:
        """The nodes, the last of which gives the output of the original."""
        node = self.node
        try:
            known = [self.constants.get(name) for name in node.input]
            if all(array is not None for array in known):
                result = self._fold(cast(list[Array], known))
                self.constants[node.output[0]] = result
                self._add_constant(node.output[0], result)
            else:
                self._identity(self._expand())
        except IrcError as error:
            name = node.name or node.output[0]
            raise type(error)(f"node '{name}' ({node.op_type}): {error}") from None
        return self._nodes

    def _expand(self) -> str:
        match self.node.op_type, len(self.node.input):
            case "Quant" | "IntQuant", 4:
                return self._quant()
            case "BipolarQuant", 2:
                return self._bipolar_quant()
            case "Trunc", 5 | 6:
                return self._trunc()
            case "MultiThreshold", 2:
                return self._multithreshold()
            case op_type, count:
                raise UnsupportedError(f"{op_type} with {count} inputs has no expansion")

    def _fold(self, inputs: list[Array]) -> Array:
        return qonnx.apply(self.node.op_type, inputs, self._attributes())

    def _attributes(self) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for attribute in self.node.attribute:
            value = helper.get_attribute_value(attribute)
            values[attribute.name] = value.decode() if isinstance(value, bytes) else value
        return values

    # Building blocks

    def _op(self, op_type: str, *inputs: str, **attributes: Any) -> str:
        output = f"{self.node.output[0]}/{op_type}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(op_type, inputs, [output], name=output, **attributes))
        return output

    def _identity(self, value: str) -> None:
        self._nodes.append(
            helper.make_node("Identity", [value], self.node.output, name=self.node.name)
        )

    def _add_constant(self, name: str, value: Array) -> str:
        tensor = numpy_helper.from_array(value)
        self._nodes.append(helper.make_node("Constant", [], [name], value=tensor))
        return name

    def _const(self, value: float | Array) -> str:
        array = np.asarray(value, np.float32)
        return self._add_constant(f"{self.node.output[0]}/c{len(self._nodes)}", array)

    def _axes_op(self, op_type: str, value: str, axes: list[int], **attributes: Any) -> str:
        """Unsqueeze or ReduceSum, whose axes became an input in opset 13."""
        if self.opset < 13:
            return self._op(op_type, value, axes=axes, **attributes)
        name = f"{self.node.output[0]}/axes{len(self._nodes)}"
        return self._op(
            op_type, value, self._add_constant(name, np.array(axes, np.int64)), **attributes
        )

    def _at_least(self, value: str, bound: str) -> str:
        if self.opset >= 12:
            return self._op("GreaterOrEqual", value, bound)
        return self._op("Not", self._op("Less", value, bound))

    def _binarized(self, value: str) -> str:
        positive = self._at_least(value, self._const(0))
        return self._op("Where", positive, self._const(1), self._const(-1))

    def _round_half_even(self, x: str) -> str:
        if self.opset >= 11:
            return self._op("Round", x)
        # floor(x), and one more if the rest is above a half, or is a half and floor(x) is odd.
        low = self._op("Floor", x)
        rest = self._op("Sub", x, low)
        half, two = self._const(0.5), self._const(2)
        pairs = self._op("Mul", self._op("Floor", self._op("Div", low, two)), two)
        odd = self._op("Greater", self._op("Sub", low, pairs), half)
        up = self._op(
            "Or",
            self._op("Greater", rest, half),
            self._op("And", odd, self._op("Not", self._op("Less", rest, half))),
        )
        return self._op("Add", low, self._op("Where", up, self._const(1), self._const(0)))

    def _rounded(self, mode: str, x: str) -> str:
        match mode.upper():
            case "ROUND" | "HALF_EVEN":
                return self._round_half_even(x)
            case "CEIL":
                return self._op("Ceil", x)
            case "FLOOR":
                return self._op("Floor", x)
            case _:
                qonnx.rounding(mode)
        size = self._op("Abs", x)
        match mode.upper():
            case "UP":
                size = self._op("Ceil", size)
            case "HALF_UP":
                size = self._op("Floor", self._op("Add", size, self._const(0.5)))
            case "HALF_DOWN":
                size = self._op("Ceil", self._op("Sub", size, self._const(0.5)))
            case _:
                size = self._op("Floor", size)
        return self._op("Mul", self._op("Sign", x), size)

    def _range(self, signed: bool, narrow: bool, bitwidth: str) -> tuple[str, str]:
        known = self.constants.get(bitwidth)
        if known is not None:
            low, high = qonnx.quant_range(signed, narrow, known.astype(np.float32))
            return self._const(low), self._const(high)
        one, two = self._const(1), self._const(2)
        if signed:
            half = self._op("Pow", two, self._op("Sub", bitwidth, one))
            return self._op("Sub", one if narrow else self._const(0), half), self._op(
                "Sub", half, one
            )
        whole = self._op("Pow", two, bitwidth)
        return self._const(0), self._op("Sub", whole, two if narrow else one)

    def _clamped(self, y: str, low: str, high: str) -> str:
        y = self._op("Where", self._op("Greater", y, high), high, y)
        return self._op("Where", self._op("Less", y, low), low, y)

    # Operators

    def _quant(self) -> str:
        x, scale, zeropt, bitwidth = self.node.input
        attributes = self._attributes()
        signed = bool(attributes.get("signed", 1))
        scaled = self._op("Add", self._op("Div", x, scale), zeropt)
        bits = self.constants.get(bitwidth)
        if signed and bits is not None and bool((bits == 1).all()):
            y = self._binarized(scaled)
        else:
            low, high = self._range(signed, bool(attributes.get("narrow", 1)), bitwidth)
            y = self._clamped(scaled, low, high)
            y = self._rounded(attributes.get("rounding_mode", "ROUND"), y)
            if signed and (bits is None or bool((bits == 1).any())):
                # Not `Equal`, which takes floats only since opset 11.
                several = self._op("Greater", bitwidth, self._const(1))
                y = self._op("Where", several, y, self._binarized(scaled))
        return self._op("Mul", self._op("Sub", y, zeropt), scale)

    def _bipolar_quant(self) -> str:
        x, scale = self.node.input
        return self._op("Mul", self._binarized(x), scale)

    def _trunc(self) -> str:
        x, scale, zeropt, in_bits = self.node.input[:4]
        attributes = self._attributes()
        mode = attributes.get("rounding_mode", "FLOOR")
        y = self._round_half_even(self._op("Add", self._op("Div", x, scale), zeropt))
        if len(self.node.input) == 5:
            out_bits = self.node.input[4]
            step = self._op("Pow", self._const(2), self._op("Sub", in_bits, out_bits))
            y = self._rounded(mode, self._op("Div", y, step))
            return self._op("Mul", self._op("Sub", y, zeropt), scale)
        out_scale, out_bits = self.node.input[4:]
        step = self._power_of_two(scale, out_scale)
        signed, narrow = bool(attributes.get("signed", 1)), bool(attributes.get("narrow", 0))
        low, high = self._range(signed, narrow, out_bits)
        y = self._clamped(self._op("Div", y, step), low, high)
        y = self._rounded(mode, y)
        return self._op("Mul", self._op("Sub", y, self._op("Div", zeropt, step)), out_scale)

    def _power_of_two(self, scale: str, out_scale: str) -> str:
        below, above = self.constants.get(scale), self.constants.get(out_scale)
        if below is not None and above is not None:
            return self._const(np.exp2(np.round(np.log2(above / below))))
        ratio = self._op("Log", self._op("Div", out_scale, scale))
        exponent = self._round_half_even(self._op("Div", ratio, self._const(np.log(2))))
        return self._op("Pow", self._const(2), exponent)

    def _multithreshold(self) -> str:
        x, thresholds = self.node.input
        attributes = self._attributes()
        layout = attributes.get("data_layout", "")
        rank = len(layout) or self.ranks().get(x)
        if rank is None:
            raise UnsupportedError(f"the rank of '{x}' is unknown; give a data_layout")
        axis = qonnx.channel_axis(layout, rank)
        columns = self._axes_op("Unsqueeze", x, [rank])
        rows = self._axes_op("Unsqueeze", thresholds, [a for a in range(rank) if a != axis])
        reached = self._op("Cast", self._at_least(columns, rows), to=1)
        count = self._axes_op("ReduceSum", reached, [rank], keepdims=0)
        scaled = self._op("Mul", self._const(attributes.get("out_scale", 1.0)), count)
        return self._op("Add", scaled, self._const(attributes.get("out_bias", 0.0)))
