"""From an ONNX file to a module at the `onnx` level."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto
from onnx import inliner as onnx_inliner
from xdsl.dialects import func
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    DictionaryAttr,
    IntegerAttr,
    ModuleOp,
    StringAttr,
    i64,
)
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.utils.exceptions import VerifyException

from irc.dialects.onnx_op import DOMAIN, OPSETS, node_location, op_class
from irc.dialects.onnx_proto import (
    ProtoError,
    check_dims,
    sparse_from_proto,
    tensor_from_proto,
    type_from_proto,
)
from irc.dialects.onnx_proto_attributes import attribute_from_proto
from irc.dialects.onnx_schema import DOMAINS_WITHOUT_SCHEMAS, op_specs
from irc.dialects.onnx_structure import ConstantOp, NoValueOp, YieldOp
from irc.dialects.onnx_tensor import SparseTensorAttr, TensorAttr
from irc.dialects.onnx_to_proto import GRAPH_NAME
from irc.dialects.onnx_types import none, ranked, unknown
from irc.errors import IrcError
from irc.frontend.onnx_check import (
    check_functions,
    check_operators,
    check_text,
    node_names,
    opset_versions,
    sort_nodes,
)
from irc.frontend.onnx_constants import plain_constant
from irc.frontend.onnx_files import Source, is_external, read_external, read_model
from irc.frontend.onnx_names import port_attributes, symbol_name, value_hint
from irc.interp.onnx_infer import infer_types


def import_model(
    source: str | os.PathLike[str] | bytes | ModelProto, *, infer: bool = True
) -> ModuleOp:
    """The module for an ONNX file, its bytes, or a message in memory.

    Initializers, listed as inputs or not, and `Constant` nodes become `onnx.Constant`; local
    functions are inlined; node names become locations, documentation strings are dropped.
    With `infer`, types of intermediate values come from ONNX's shape inference, otherwise from
    the file alone. A message is not changed.

    Raises `IrcError` for whatever is wrong with the file, and names it.
    """
    model, origin = read_model(source)
    owned = model is not source
    check_text(model, origin.name)
    opsets = opset_versions(model, origin.name)
    if model.functions:
        model, owned = _inline(model, origin), True
    check_operators(model, opsets, origin.name)
    module = _Importer(origin, owned).module(model, opsets)
    if infer:
        try:
            infer_types(module)
        except IrcError as error:
            raise IrcError(f"{origin.name}: {error}") from None
    return module


def _inline(model: ModelProto, origin: Source) -> ModelProto:
    """The model without local functions; weights stay out of the inliner, which copies all."""
    check_functions(model, origin.name)
    weights = list(model.graph.initializer)
    bare = ModelProto()
    bare.CopyFrom(model)
    del bare.graph.initializer[:]
    try:
        inlined = onnx_inliner.inline_local_functions(bare)
    except Exception as error:
        raise IrcError(f"{origin.name}: local functions cannot be inlined: {error}") from None
    inlined.graph.initializer.extend(weights)
    return inlined


@dataclass
class _Scope:
    """Values by ONNX name, here and in enclosing graphs, and types that the file declares."""

    values: dict[str, SSAValue]
    declared: dict[str, Attribute] = field(default_factory=dict[str, Attribute])

    def define(self, name: str, value: SSAValue) -> None:
        self.values[name] = value
        value.name_hint = value_hint(name)


class _Importer:
    def __init__(self, origin: Source, owned: bool) -> None:
        self.origin = origin
        self.owned = owned
        self.no_value: NoValueOp | None = None
        self.entry = Block()

    def module(self, model: ModelProto, opsets: Mapping[str, int]) -> ModuleOp:
        function = self._main(model.graph)
        attributes: dict[str, Attribute] = {
            "onnx.ir_version": IntegerAttr(model.ir_version, i64),
            OPSETS: DictionaryAttr({d: IntegerAttr(v, i64) for d, v in opsets.items()}),
        }
        for name in ("producer_name", "producer_version", "domain", "doc_string"):
            text: str = getattr(model, name)
            if text:
                attributes[f"onnx.{name}"] = StringAttr(text)
        if model.model_version:
            attributes["onnx.model_version"] = IntegerAttr(model.model_version, i64)
        if model.metadata_props:
            attributes["onnx.metadata"] = DictionaryAttr(
                {entry.key: StringAttr(entry.value) for entry in model.metadata_props}
            )
        return ModuleOp([function], attributes)

    def _main(self, graph: GraphProto) -> func.FuncOp:
        constants = {tensor.name for tensor in graph.initializer}
        constants.update(sparse.values.name for sparse in graph.sparse_initializer)
        inputs = [value for value in graph.input if value.name not in constants]
        types = [self._input_type(value) for value in inputs]
        block = self.entry = Block(arg_types=types)
        scope = _Scope({})
        for value, argument in zip(inputs, block.args, strict=True):
            scope.define(value.name, argument)
        results = self._fill(graph, block, scope)
        block.add_op(func.ReturnOp(*results))
        function = func.FuncOp(
            symbol_name(graph.name),
            (types, [value.type for value in results]),
            Region(block),
            arg_attrs=port_attributes(inputs),
            res_attrs=port_attributes(graph.output),
        )
        if function.sym_name.data != graph.name:
            function.attributes[GRAPH_NAME] = StringAttr(graph.name)
        return function

    def _input_type(self, value: ValueInfoProto) -> Attribute:
        kind = type_from_proto(value.type)
        if (tensor := ranked(kind)) is not None:
            try:
                check_dims([d for d in tensor.get_shape() if d != DYNAMIC_INDEX])
            except ProtoError as error:
                raise IrcError(f"{self.origin.name}: input '{value.name}': {error}") from None
        return kind

    def _fill(self, graph: GraphProto, block: Block, scope: _Scope) -> list[SSAValue]:
        """Add all of a graph to a block whose arguments are defined; returns its outputs."""
        order = sort_nodes(graph, scope.values, self.origin.name)
        for entry in (*graph.value_info, *graph.output):
            scope.declared[entry.name] = type_from_proto(entry.type)
        for tensor in graph.initializer:
            self._initializer(tensor, block, scope)
        for sparse in graph.sparse_initializer:
            with self._blame(f"initializer '{sparse.values.name}'"):
                value = sparse_from_proto(sparse)
            self._sparse_constant(value, sparse.values.name, block, scope)
        names = node_names(graph.node)
        for index in order:
            self._node(graph.node[index], names[index], block, scope)
        return [scope.values[value.name] for value in graph.output]

    def _initializer(self, tensor: TensorProto, block: Block, scope: _Scope) -> None:
        with self._blame(f"initializer '{tensor.name}'"):
            attribute = self._tensor(tensor)
        if self.owned:
            # What was copied into the module need not be held twice.
            tensor.ClearField("raw_data")
        self._constant(attribute, tensor.name, tensor.name, block, scope)

    def _tensor(self, tensor: TensorProto) -> TensorAttr:
        external = read_external(tensor, self.origin) if is_external(tensor) else None
        return tensor_from_proto(tensor, external)

    def _constant(
        self, value: TensorAttr, label: str, name: str, block: Block, scope: _Scope
    ) -> None:
        op = ConstantOp.from_tensor(value, node_location(label))
        block.add_op(op)
        scope.define(name, op.results[0])

    def _sparse_constant(
        self, value: SparseTensorAttr, name: str, block: Block, scope: _Scope
    ) -> None:
        op = ConstantOp.create(
            result_types=[value.type],
            properties={"sparse_value": value},
            location=node_location(name),
        )
        block.add_op(op)
        scope.define(name, op.results[0])

    def _node(self, node: NodeProto, name: str, block: Block, scope: _Scope) -> None:
        if node.op_type == "Constant" and self._constant_node(node, name, block, scope):
            return
        cls = op_class(node.op_type)
        regions: dict[str, Region] = {}
        properties: dict[str, Attribute] = {}
        where = f"node '{name}' ({node.op_type})"
        for attribute in node.attribute:
            with self._blame(f"{where}: attribute '{attribute.name}'"):
                if attribute.type == AttributeProto.GRAPH:
                    regions[attribute.name] = self._region(attribute.g, scope)
                else:
                    properties[attribute.name] = self._attribute(attribute)
        op = cls.create(
            operands=self._operands(node, scope),
            result_types=self._result_types(node, scope),
            properties=properties,
            attributes=self._domain(node),
            location=node_location(name),
            # A graph attribute that the node does not give is a region without a block.
            regions=[
                regions.get(region) or Region() for region in op_specs()[node.op_type].regions
            ],
        )
        try:
            op.verify_()
        except VerifyException as error:
            raise IrcError(f"{self.origin.name}: {where}: {error}") from None
        block.add_op(op)
        for output, result in zip(node.output, op.results, strict=False):
            if output:
                scope.define(output, result)

    def _domain(self, node: NodeProto) -> dict[str, Attribute]:
        return {DOMAIN: StringAttr(node.domain)} if node.domain in DOMAINS_WITHOUT_SCHEMAS else {}

    def _attribute(self, attribute: AttributeProto) -> Attribute:
        if attribute.type == AttributeProto.TENSOR:
            return self._tensor(attribute.t)
        if attribute.ref_attr_name:
            raise ProtoError(f"refers to '{attribute.ref_attr_name}' outside of a function")
        return attribute_from_proto(attribute)

    def _operands(self, node: NodeProto, scope: _Scope) -> list[SSAValue]:
        inputs = list(node.input)
        while inputs and not inputs[-1]:
            inputs.pop()
        return [scope.values[name] if name else self._omitted() for name in inputs]

    def _omitted(self) -> SSAValue:
        """The value for an omitted input, defined once, at the top of the main graph."""
        if self.no_value is None:
            self.no_value = NoValueOp.new()
            self.no_value.results[0].name_hint = "none"
            _insert_first(self.entry, self.no_value)
        return self.no_value.results[0]

    def _result_types(self, node: NodeProto, scope: _Scope) -> list[Attribute]:
        outputs = list(node.output)
        while outputs and not outputs[-1]:
            outputs.pop()
        return [scope.declared.get(name, unknown) if name else none for name in outputs]

    def _region(self, graph: GraphProto, outer: _Scope) -> Region:
        block = Block(arg_types=[type_from_proto(value.type) for value in graph.input])
        scope = _Scope(dict(outer.values))
        for value, argument in zip(graph.input, block.args, strict=True):
            scope.define(value.name, argument)
        results = self._fill(graph, block, scope)
        block.add_op(YieldOp.create(operands=results))
        return Region(block)

    def _constant_node(self, node: NodeProto, name: str, block: Block, scope: _Scope) -> bool:
        """Whether a `Constant` node has been added; every form but a sparse one as a tensor."""
        if len(node.attribute) != 1 or len(node.output) != 1:
            raise IrcError(
                f"{self.origin.name}: node '{name}' (Constant): expected exactly one attribute "
                "and one output"
            )
        attribute = node.attribute[0]
        with self._blame(f"node '{name}' (Constant): attribute '{attribute.name}'"):
            value = self._attribute(attribute)
            if isinstance(value, SparseTensorAttr):
                self._sparse_constant(value, node.output[0], block, scope)
                return True
            if not isinstance(value, TensorAttr):
                value = plain_constant(attribute)
        self._constant(value, name, node.output[0], block, scope)
        return True

    def _blame(self, what: str) -> _Blame:
        return _Blame(f"{self.origin.name}: {what}")


@dataclass
class _Blame:
    """Turns a `ProtoError` inside into an `IrcError` that says where."""

    where: str

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ProtoError):
            raise IrcError(f"{self.where}: {error}") from None


def _insert_first(block: Block, op: Operation) -> None:
    first = block.first_op
    if first is None:
        block.add_op(op)
    else:
        block.insert_op_before(op, first)
