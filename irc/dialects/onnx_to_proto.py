"""From a module at the `onnx` level to the ONNX message that it stands for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import cast

from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, ValueInfoProto
from xdsl.dialects import func
from xdsl.dialects.builtin import (
    ArrayAttr,
    DictionaryAttr,
    IntegerAttr,
    ModuleOp,
    StringAttr,
)
from xdsl.ir import Attribute, Block, Operation, SSAValue

from irc.dialects.control_flow import check_single_block
from irc.dialects.locations import location_name
from irc.dialects.onnx_attributes import from_attribute
from irc.dialects.onnx_op import OPSETS, OnnxOp
from irc.dialects.onnx_proto import (
    ProtoError,
    sparse_to_proto,
    tensor_to_proto,
    type_to_proto,
)
from irc.dialects.onnx_proto_attributes import attribute_to_proto
from irc.dialects.onnx_structure import ConstantOp, NoValueOp, YieldOp
from irc.dialects.onnx_tensor import SparseTensorAttr
from irc.dialects.onnx_types import data_type, none, ranked
from irc.errors import IrcError

NAME = "onnx.name"
"""Argument and result attribute: the name of a graph input or output."""

DIMS = "onnx.dims"
"""Argument and result attribute: names of dimensions, "" for those without one."""

GRAPH_NAME = "onnx.graph_name"
"""Function attribute: the graph's name, where it is no valid symbol."""

MIN_IR_VERSION = 4
"""The first version whose initializers need not be graph inputs."""

MAX_IR_VERSION = 10
"""What every ONNX Runtime since 1.20 reads; newer files are lowered to it."""

_NEEDS_IR_VERSION = {23: 11, 24: 12, 25: 13, 26: 13, 27: 14, 28: 14}
"""Element types that a newer version introduced."""


def entry_function(module: ModuleOp) -> func.FuncOp:
    """The one public function of a module; `IrcError` if there is none or more than one, or if it
    has control flow."""
    found = [op for op in module.ops if isinstance(op, func.FuncOp) and not op.is_declaration]
    public = [op for op in found if op.sym_visibility is None or op.sym_visibility.data == "public"]
    if len(public) != 1:
        raise IrcError(f"expected one public function in the module, found {len(public)}")
    check_single_block(public[0])
    return public[0]


def argument_names(function: func.FuncOp) -> list[str]:
    """Names of the graph inputs (`arg<i>` where an argument has none)."""
    return _names(function.arg_attrs, len(function.args), "arg")


def result_names(function: func.FuncOp) -> list[str]:
    """Names of the graph outputs (`result<i>` where a result has none)."""
    return _names(function.res_attrs, len(function.function_type.outputs.data), "result")


def _names(attributes: ArrayAttr[DictionaryAttr] | None, count: int, prefix: str) -> list[str]:
    entries = [] if attributes is None else [entry.data for entry in attributes]
    names: list[str] = []
    for index in range(count):
        name = entries[index].get(NAME) if index < len(entries) else None
        names.append(name.data if isinstance(name, StringAttr) else f"{prefix}{index}")
    return names


def _dim_names(attributes: ArrayAttr[DictionaryAttr] | None, index: int) -> list[str]:
    if attributes is None or index >= len(attributes):
        return []
    names = attributes.data[index].data.get(DIMS)
    return [] if names is None else cast(list[str], from_attribute(names))


@dataclass
class ToProto:
    """Writes one module.

    `names` holds the ONNX name of every value written so far. `keep_constant`, given a
    constant, decides whether its payload is written; a constant that is not becomes a graph input
    of the same type, which is all that shape inference needs of most weights. `write_node` may
    rewrite a node before it is added (None leaves it as it is).
    """

    keep_constant: Callable[[ConstantOp], bool] = lambda constant: True
    write_node: Callable[[OnnxOp, NodeProto], None] | None = None
    names: dict[SSAValue, str] = field(default_factory=dict[SSAValue, str])
    _used: set[str] = field(default_factory=set[str])
    _counters: dict[str, int] = field(default_factory=dict[str, int])
    _stripped: list[ConstantOp] = field(default_factory=list[ConstantOp])
    _newest: int = MIN_IR_VERSION

    def model(self, module: ModuleOp) -> ModelProto:
        """The whole model; `IrcError` where an operation is not of the onnx level."""
        function = entry_function(module)
        model = ModelProto()
        attributes = module.attributes
        for field_name in ("producer_name", "producer_version", "domain", "doc_string"):
            value = attributes.get(f"onnx.{field_name}")
            if isinstance(value, StringAttr):
                setattr(model, field_name, value.data)
        version = attributes.get("onnx.model_version")
        if isinstance(version, IntegerAttr):
            model.model_version = version.value.data
        opsets = attributes.get(OPSETS)
        if not isinstance(opsets, DictionaryAttr):
            raise IrcError(f"the module has no {OPSETS}: it is not at the onnx level")
        for domain, opset in opsets.data.items():
            assert isinstance(opset, IntegerAttr)
            model.opset_import.add(domain=domain, version=opset.value.data)
        metadata = attributes.get("onnx.metadata")
        if isinstance(metadata, DictionaryAttr):
            for key, text in metadata.data.items():
                model.metadata_props.add(key=key, value=cast(StringAttr, text).data)
        self._main_graph(function, model.graph)
        stated = attributes.get("onnx.ir_version")
        original = stated.value.data if isinstance(stated, IntegerAttr) else MAX_IR_VERSION
        model.ir_version = max(min(original, MAX_IR_VERSION), self._newest)
        return model

    def _main_graph(self, function: func.FuncOp, graph: GraphProto) -> None:
        graph_name = function.attributes.get(GRAPH_NAME, function.sym_name)
        graph.name = cast(StringAttr, graph_name).data
        inputs, outputs = argument_names(function), result_names(function)
        self._used.update(inputs, outputs)
        for index, argument in enumerate(function.args):
            self.names[argument] = inputs[index]
            entry = graph.input.add(name=inputs[index])
            self._put_type(entry, argument.type, _dim_names(function.arg_attrs, index))
        terminator = function.get_return_op()
        if terminator is None:
            raise IrcError("the function does not end in func.return")
        for value, name in zip(terminator.operands, outputs, strict=True):
            self.names.setdefault(value, name)
        self._block(function.body.block, graph)
        for index, (value, name) in enumerate(zip(terminator.operands, outputs, strict=True)):
            if self.names[value] != name:
                graph.node.add(
                    op_type="Identity", input=[self.names[value]], output=[name], name=name
                )
            entry = graph.output.add(name=name)
            self._put_type(entry, value.type, _dim_names(function.res_attrs, index))
        for constant in self._stripped:
            entry = graph.input.add(name=self.names[constant.results[0]])
            self._put_type(entry, constant.results[0].type)

    def _put_type(self, entry: ValueInfoProto, kind: Attribute, dims: Sequence[str] = ()) -> None:
        proto = type_to_proto(kind, dims)
        if proto is not None:
            entry.type.CopyFrom(proto)
        self._note_type(kind)

    def _note_type(self, kind: Attribute) -> None:
        if (tensor := ranked(kind)) is not None:
            needed = _NEEDS_IR_VERSION.get(data_type(tensor.element_type), MIN_IR_VERSION)
            self._newest = max(self._newest, needed)

    def _block(self, block: Block, graph: GraphProto) -> None:
        for op in block.ops:
            match op:
                case ConstantOp():
                    self._constant(op, graph)
                case NoValueOp():
                    self.names[op.results[0]] = ""
                case OnnxOp():
                    self._node(op, graph)
                case func.ReturnOp() | YieldOp():
                    pass
                case _:
                    raise IrcError(f"{op.name} is not an operation of the onnx level", op.location)

    def _constant(self, op: ConstantOp, graph: GraphProto) -> None:
        value = op.results[0]
        name = self._name(value, location_name(op.location))
        self._note_type(value.type)
        tensor = op.value
        if tensor is None:
            sparse = op.properties["sparse_value"]
            assert isinstance(sparse, SparseTensorAttr)
            node = graph.node.add(op_type="Constant", output=[name])
            node.attribute.add(
                name="sparse_value",
                type=AttributeProto.SPARSE_TENSOR,
                sparse_tensor=sparse_to_proto(sparse),
            )
        elif self.keep_constant(op):
            graph.initializer.append(tensor_to_proto(tensor, name))
        else:
            self._stripped.append(op)

    def _node(self, op: OnnxOp, graph: GraphProto) -> None:
        node = graph.node.add(op_type=op.op_type, domain=op.domain, name=location_name(op.location))
        node.input.extend(self._operands(op))
        for result in op.results:
            if result.type == none:
                self.names[result] = ""
                node.output.append("")
            else:
                self._note_type(result.type)
                node.output.append(self._name(result))
        try:
            node.attribute.extend(
                attribute_to_proto(name, value) for name, value in op.properties.items()
            )
        except ProtoError as error:
            raise IrcError(f"node '{op.label}' ({op.op_type}): {error}", op.location) from None
        for name, region in zip(op.spec.regions, op.regions, strict=True):
            if region.blocks:
                attribute = node.attribute.add(name=name, type=AttributeProto.GRAPH)
                self._subgraph(region.block, attribute.g, f"{op.label}.{name}")
        if self.write_node is not None:
            self.write_node(op, node)

    def _operands(self, op: Operation) -> Iterable[str]:
        return [self.names[value] for value in op.operands]

    def _subgraph(self, block: Block, graph: GraphProto, name: str) -> None:
        graph.name = name
        for argument in block.args:
            self._put_type(graph.input.add(name=self._name(argument)), argument.type)
        self._block(block, graph)
        terminator = block.last_op
        if not isinstance(terminator, YieldOp):
            raise IrcError(f"{name} does not end in onnx.Yield")
        local = {result for op in block.ops for result in op.results}
        given: set[str] = set()
        for value in terminator.operands:
            output = self.names[value]
            # A subgraph has to produce what it gives, and each output under its own name.
            if value not in local or output in given:
                output = self._fresh(f"{name}.out")
                graph.node.add(op_type="Identity", input=[self.names[value]], output=[output])
            given.add(output)
            self._put_type(graph.output.add(name=output), value.type)

    def _name(self, value: SSAValue, preferred: str = "") -> str:
        if value not in self.names:
            self.names[value] = self._fresh(preferred or value.name_hint or "v")
        return self.names[value]

    def _fresh(self, base: str) -> str:
        name = base
        while name in self._used:
            self._counters[base] = self._counters.get(base, 0) + 1
            name = f"{base}_{self._counters[base]}"
        self._used.add(name)
        return name


def module_to_proto(module: ModuleOp) -> ModelProto:
    """The model that a module at the `onnx` level stands for.

    IR version as recorded, but between 4 (initializers apart from inputs) and 10 (which ONNX
    Runtime has read for long), newer only where an element type needs it.
    """
    return ToProto().model(module)


__all__ = [
    "DIMS",
    "GRAPH_NAME",
    "NAME",
    "ToProto",
    "argument_names",
    "entry_function",
    "module_to_proto",
    "result_names",
]
