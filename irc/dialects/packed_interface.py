"""What the caller of generated C hands over, where that is not the model's input as declared:
attributes of the arguments of a `bnn` or `packed` function."""

from __future__ import annotations

from collections.abc import Mapping

from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, IntegerAttr, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute

FORM = "packed.form"
"""`bits`: words of single bits (`!packed.bits`) instead of an array."""

BITS = "bits"

THRESHOLD = "packed.threshold"
"""The bit is 1 where the declared input is at least this integer."""

ZERO_POINT = "packed.zero_point"
"""The declared input is the caller's integer less this one."""


def argument_attributes(function: FuncOp, index: int) -> Mapping[str, Attribute]:
    """The attributes of an argument."""
    return {} if function.arg_attrs is None else function.arg_attrs.data[index].data


def takes_bits(function: FuncOp, index: int) -> bool:
    """Whether the caller hands over words of bits."""
    return argument_attributes(function, index).get(FORM) == StringAttr(BITS)


def integer_attribute(function: FuncOp, index: int, name: str) -> int | None:
    """The value of `THRESHOLD` or `ZERO_POINT`, if an argument has it."""
    found = argument_attributes(function, index).get(name)
    return found.value.data if isinstance(found, IntegerAttr) else None


def annotate_argument(function: FuncOp, index: int, marks: Mapping[str, Attribute]) -> None:
    """Add attributes to an argument."""
    empty = [DictionaryAttr({})] * len(function.body.block.args)
    attributes = list(function.arg_attrs.data if function.arg_attrs is not None else empty)
    attributes[index] = DictionaryAttr({**attributes[index].data, **marks})
    function.arg_attrs = ArrayAttr(attributes)


__all__ = [
    "BITS",
    "FORM",
    "THRESHOLD",
    "ZERO_POINT",
    "annotate_argument",
    "argument_attributes",
    "integer_attribute",
    "takes_bits",
]
