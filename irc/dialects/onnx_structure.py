"""Operations that hold an ONNX graph together: constants, omitted inputs, ends of regions."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from xdsl.dialects.builtin import IntegerType, LocationAttr, ModuleOp
from xdsl.ir import Operation, OpTraits, SSAValue, TypeAttribute
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import IsTerminator, Pure
from xdsl.utils.exceptions import VerifyException

from irc.dialects.onnx_op import OnnxOp
from irc.dialects.onnx_tensor import Array, SparseTensorAttr, TensorAttr
from irc.dialects.onnx_types import StringType, none


class ConstantOp(OnnxOp):
    """A constant tensor: an initializer (its name is the location) or a `Constant` node.

    The other forms of `Constant` (`value_int`, `value_floats`, …) are turned into `value` at
    import; only `sparse_value` stays. Printed as `onnx.Constant #onnx.tensor<…>`.
    """

    name = "onnx.Constant"

    @classmethod
    def from_tensor(cls, value: TensorAttr, location: LocationAttr | None = None) -> ConstantOp:
        """A constant of `value.type`."""
        return ConstantOp.create(
            result_types=[value.type], properties={"value": value}, location=location
        )

    @classmethod
    def from_numpy(cls, value: Any, location: LocationAttr | None = None) -> ConstantOp:
        """A constant of the array's own dtype and shape."""
        return cls.from_tensor(TensorAttr.from_numpy(value), location)

    @property
    def value(self) -> TensorAttr | None:
        """The tensor; None for a sparse constant."""
        value = self.properties.get("value")
        return value if isinstance(value, TensorAttr) else None

    def numpy(self) -> Array:
        """The values (read-only); sparse constants are densified."""
        if (value := self.value) is not None:
            return value.numpy()
        sparse = self.properties["sparse_value"]
        assert isinstance(sparse, SparseTensorAttr)
        values, indices = sparse.values.numpy(), sparse.indices.numpy()
        array = np.zeros(sparse.type.get_shape(), values.dtype)
        if indices.ndim == 1:
            array.reshape(-1)[indices] = values
        else:
            array[tuple(indices.T)] = values
        return array

    def verify_(self) -> None:
        super().verify_()
        given = self.properties.get("value", self.properties.get("sparse_value"))
        if len(self.properties) != 1 or not isinstance(given, TensorAttr | SparseTensorAttr):
            raise VerifyException("a constant needs either `value` or `sparse_value`")
        if self.results[0].type != given.type:
            raise VerifyException(f"value is {given.type}, result is {self.results[0].type}")

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        for value in self.properties.values():
            printer.print_attribute(value)
        printer.print_op_attributes(self.attributes)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        position = parser.pos
        value = parser.parse_attribute()
        if not isinstance(value, TensorAttr | SparseTensorAttr):
            parser.raise_error("expected #onnx.tensor<…> or #onnx.sparse_tensor<…>", position)
        name = "value" if isinstance(value, TensorAttr) else "sparse_value"
        return cls.create(
            result_types=[value.type],
            properties={name: value},
            attributes=parser.parse_optional_attr_dict(),
        )


class NoValueOp(Operation):
    """Stands for an optional input that a node omits; its result has type `none`."""

    name = "onnx.NoValue"
    traits: ClassVar[OpTraits] = OpTraits(lambda: (Pure(),))

    @staticmethod
    def new() -> NoValueOp:
        """The operation with its one result."""
        return NoValueOp.create(result_types=[none])

    def verify_(self) -> None:
        if self.operands or self.result_types != (none,):
            raise VerifyException("onnx.NoValue takes nothing and gives one value of type none")

    def print(self, printer: Printer) -> None:
        printer.print_op_attributes(self.attributes)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        return cls.create(result_types=[none], attributes=parser.parse_optional_attr_dict())


class YieldOp(Operation):
    """Ends the region of an If, Loop, Scan or SequenceMap and names its outputs."""

    name = "onnx.Yield"
    traits: ClassVar[OpTraits] = OpTraits(lambda: (IsTerminator(),))

    def verify_(self) -> None:
        if self.results:
            raise VerifyException("onnx.Yield has no results")

    def print(self, printer: Printer) -> None:
        printer.print_operands(self.operands)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_list(self.operand_types, printer.print_attribute)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        operands = parser.parse_op_args_list()
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        position = parser.pos
        types: list[TypeAttribute] = []
        if operands:
            types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
        return cls.create(
            operands=parser.resolve_operands(operands, types, position), attributes=attributes
        )


def constant_value(value: SSAValue | None) -> Array | None:
    """The array that a value is known to hold at compile time: a constant's; else None."""
    if value is None or not isinstance(value.owner, ConstantOp):
        return None
    return value.owner.numpy()


def find_nonfinite(module: ModuleOp) -> list[tuple[ConstantOp, int]]:
    """Float constants that hold NaN or infinity, with how many elements of each do."""
    found: list[tuple[ConstantOp, int]] = []
    for op in module.walk():
        if not isinstance(op, ConstantOp) or op.value is None:
            continue
        if isinstance(op.value.element_type, IntegerType | StringType):
            continue
        bad = int(np.count_nonzero(~np.isfinite(op.numpy())))
        if bad:
            found.append((op, bad))
    return found
