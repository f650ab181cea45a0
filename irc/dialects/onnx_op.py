"""What every operation of the `onnx` dialect that stands for a node has in common.

Operators carry no code of their own: their arities, attributes and regions come from the ONNX
schemas (`irc.dialects.onnx_schema`), and classes that nobody names are made on demand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, ClassVar, Self

from xdsl.dialects.builtin import (
    DictionaryAttr,
    IntegerAttr,
    LocationAttr,
    ModuleOp,
    NameLoc,
    NoneAttr,
    StringAttr,
)
from xdsl.ir import Attribute, Operation, OpTraits, Region, SSAValue
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from irc.dialects.locations import location_name
from irc.dialects.onnx_attributes import from_attribute, to_attribute
from irc.dialects.onnx_schema import OpSpec, op_specs, schema_at
from irc.dialects.onnx_types import none
from irc.errors import UnsupportedError

DOMAIN = "onnx.domain"
"""Discardable attribute: the operator set domain, where it is not the operator's usual one."""

OPSETS = "onnx.opset_imports"
"""Module attribute: a dictionary from domain to opset version."""

_KINDS = {int: "an integer", float: "a number", str: "text", list: "a list of integers"}
"""What attributes are called in errors."""

_MAX_SHOWN = 40
"""Characters of an attribute that an error shows."""

_MISSING: Any = object()
_CLASSES: dict[str, type[OnnxOp]] = {}


class OnnxOp(Operation):
    """One node of an ONNX graph.

    Operands are the node's inputs in ONNX's order, an omitted optional one being the result of
    `onnx.NoValue`. ONNX attributes are properties under their ONNX names; graph attributes are
    regions in the order of `spec.regions`. An omitted output that is not the last has type
    `none`. The node's name is the operation's location.
    """

    name = "onnx.op"
    op_type: ClassVar[str] = ""
    traits: ClassVar[OpTraits] = OpTraits(lambda: (Pure(),))

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.op_type = cls.name.partition(".")[2]
        _CLASSES[cls.op_type] = cls

    @classmethod
    def build(
        cls,
        inputs: Sequence[SSAValue | Operation | None],
        result_types: Sequence[Attribute],
        attributes: Mapping[str, Any] | None = None,
        *,
        domain: str | None = None,
        location: LocationAttr | None = None,
        regions: Sequence[Region] = (),
    ) -> Self:
        """A node from Python values (see `to_attribute`); attributes of None are left out.

        Inputs of None at the end are left out too; anywhere else give a `NoValueOp`.
        """
        operands = list(inputs)
        while operands and operands[-1] is None:
            operands.pop()
        values: list[SSAValue] = []
        for operand in operands:
            if operand is None:
                raise ValueError("an omitted input before a given one needs a NoValueOp")
            values.append(SSAValue.get(operand))
        return cls.create(
            operands=values,
            result_types=result_types,
            properties={
                name: to_attribute(value)
                for name, value in (attributes or {}).items()
                if value is not None
            },
            attributes={} if domain is None else {DOMAIN: StringAttr(domain)},
            location=location,
            regions=regions,
        )

    @property
    def spec(self) -> OpSpec:
        """What the schemas say of this operator."""
        return op_specs()[self.op_type]

    @property
    def domain(self) -> str:
        """Operator set domain: empty for standard ONNX."""
        explicit = self.attributes.get(DOMAIN)
        if isinstance(explicit, StringAttr):
            return explicit.data
        return self.spec.domains[0]

    @property
    def label(self) -> str:
        """The node's name, for messages; the operator's type where it has none."""
        return location_name(self.location) or self.op_type

    @property
    def inputs(self) -> list[SSAValue | None]:
        """Inputs by position, None for an omitted one."""
        return [None if value.type == none else value for value in self.operands]

    def input(self, which: int | str) -> SSAValue | None:
        """One input by position or by its formal name in the newest schema; None if omitted."""
        index = which if isinstance(which, int) else self.spec.inputs.index(which)
        inputs = self.operands
        if index >= len(inputs) or inputs[index].type == none:
            return None
        return inputs[index]

    def has_attr(self, name: str) -> bool:
        """Whether the node gives this ONNX attribute."""
        return name in self.properties

    def attr(self, name: str, default: Any = _MISSING) -> Any:
        """The ONNX attribute as a Python value: int, float, str, list, array or type.

        Where the node has none: `default` if given, else the schema's default at the module's
        opset, else None.
        """
        attribute = self.properties.get(name)
        if attribute is not None:
            return from_attribute(attribute)
        return self._schema_default(name) if default is _MISSING else default

    def int_attr(self, name: str, default: int) -> int:
        """An integer attribute; `UnsupportedError` if it is of another kind."""
        return self._typed(name, default, int)

    def float_attr(self, name: str, default: float) -> float:
        """A float attribute (float32 precision); `UnsupportedError` if it is of another kind."""
        return self._typed(name, default, float)

    def str_attr(self, name: str, default: str) -> str:
        """A string attribute; `UnsupportedError` if it is of another kind."""
        return self._typed(name, default, str)

    def ints_attr(self, name: str, default: Sequence[int] = ()) -> list[int]:
        """A list-of-integers attribute; `UnsupportedError` if it is of another kind."""
        return self._typed(name, list(default), list)

    def _typed(self, name: str, default: Any, kind: type[Any]) -> Any:
        value = self.attr(name, default)
        is_right = isinstance(value, kind)
        if is_right and kind is list:
            is_right = all(isinstance(item, int) for item in value)
        if not is_right:
            raise UnsupportedError(
                f"attribute '{name}' is {_shown(value)}; expected {_KINDS[kind]}", self.location
            )
        return value

    def _schema_default(self, name: str) -> Any:
        opset = opset_of(self, self.domain)
        schema = None if opset is None else schema_at(self.op_type, self.domain, opset)
        if schema is None or name not in schema.attributes:
            return None
        from onnx import helper

        default = schema.attributes[name].default_value
        if not default.name:
            return None
        value = helper.get_attribute_value(default)
        return value.decode() if isinstance(value, bytes) else value

    def verify_(self) -> None:
        spec = op_specs().get(self.op_type)
        if spec is None:
            raise VerifyException(f"ONNX has no operator {self.op_type}")
        if self.domain not in spec.domains:
            raise VerifyException(f"domain {self.domain!r} has no operator {self.op_type}")
        _verify_count("inputs", len(self.operands), spec.min_inputs, spec.max_inputs)
        _verify_count("outputs", len(self.results), spec.min_outputs, spec.max_outputs)
        for name in self.properties:
            if name not in spec.attributes:
                known = ", ".join(sorted(spec.attributes)) or "none"
                raise VerifyException(f"no attribute {name!r}; known: {known}")
        if len(self.regions) != len(spec.regions):
            raise VerifyException(f"{len(spec.regions)} regions expected: {spec.regions}")

    def print(self, printer: Printer) -> None:
        # Like the generic form without quotes, and with one dictionary: ONNX attribute names
        # never hold a dot, discardable ones always do.
        printer.print_operands(self.operands)
        printer.print_regions(self.regions)
        printer.print_op_attributes({**self.properties, **self.attributes})
        printer.print_string(" : ")
        printer.print_function_type(self.operand_types, self.result_types)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        return cls._parse_after_name(parser)

    @classmethod
    def _parse_after_name(cls, parser: Parser) -> Self:
        operands = parser.parse_op_args_list()
        regions = parser.parse_region_list()
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":", " before the type of an ONNX operation")
        position = parser.pos
        signature = parser.parse_function_type()
        return cls.create(
            operands=parser.resolve_operands(operands, signature.inputs.data, position),
            result_types=signature.outputs.data,
            properties={name: value for name, value in attributes.items() if "." not in name},
            attributes={name: value for name, value in attributes.items() if "." in name},
            regions=regions,
        )


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"


def _verify_count(what: str, count: int, low: int, high: int) -> None:
    if not low <= count <= high:
        expected = str(low) if low == high else f"{low} to {high}"
        raise VerifyException(f"{count} {what}, expected {expected}")


def opset_of(op: Operation, domain: str = "") -> int | None:
    """The opset version that the enclosing module records for a domain."""
    root: Operation | None = op
    while root is not None and not isinstance(root, ModuleOp):
        root = root.parent_op()
    imports = None if root is None else root.attributes.get(OPSETS)
    if not isinstance(imports, DictionaryAttr):
        return None
    version = imports.data.get(domain)
    return version.value.data if isinstance(version, IntegerAttr) else None


def node_location(name: str) -> NameLoc:
    """The location that carries a node's name."""
    return NameLoc(StringAttr(name), NoneAttr())


def op_class(op_type: str) -> type[OnnxOp]:
    """The class of an operator by its ONNX name; `KeyError` where no schema has it."""
    # The classes that passes name must exist first, or a second one would take their place.
    import_module("irc.dialects.onnx_ops")
    import_module("irc.dialects.onnx_structure")
    known = _CLASSES.get(op_type)
    if known is not None:
        return known
    spec = op_specs()[op_type]
    namespace: dict[str, Any] = {"name": f"onnx.{op_type}", "__module__": __name__}
    if spec.is_random or spec.regions:
        # Identical random nodes differ, and what a region holds decides for the others.
        namespace["traits"] = OpTraits(lambda: ())
    return type(f"{op_type}Op", (OnnxOp,), namespace)
