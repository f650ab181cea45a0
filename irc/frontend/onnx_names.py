"""Names of an ONNX graph where the IR keeps them: symbols, hints, argument attributes."""

from __future__ import annotations

import re
from collections.abc import Iterable

from onnx import ValueInfoProto
from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, StringAttr
from xdsl.ir import Attribute

from irc.dialects.onnx_attributes import to_attribute
from irc.dialects.onnx_proto import dim_params
from irc.dialects.onnx_to_proto import DIMS, NAME


def symbol_name(name: str) -> str:
    """A function name that needs no quotes."""
    cleaned = re.sub(r"\W", "_", name, flags=re.ASCII)
    if not cleaned or cleaned[0].isdigit():
        return f"graph_{cleaned}" if cleaned else "main"
    return cleaned


def value_hint(name: str) -> str | None:
    """A name hint close to an ONNX value name; plain numbers get a letter."""
    cleaned = re.sub(r"[^\w$.-]", "_", name, flags=re.ASCII)
    # A number behind a line is no part of a hint, of which then nothing would be left.
    if not re.sub(r"_\d+$", "", cleaned):
        return None
    return cleaned if not cleaned[0].isdigit() else f"v{cleaned}"


def port_attributes(values: Iterable[ValueInfoProto]) -> ArrayAttr[DictionaryAttr] | None:
    """Argument or result attributes of graph inputs or outputs: names, and names of dimensions."""
    entries = [_value_attributes(value) for value in values]
    # The textual form has no way to write an empty list.
    return ArrayAttr(entries) if entries else None


def _value_attributes(value: ValueInfoProto) -> DictionaryAttr:
    attributes: dict[str, Attribute] = {NAME: StringAttr(value.name)}
    names = dim_params(value.type)
    if names:
        attributes[DIMS] = to_attribute(names)
    return DictionaryAttr(attributes)
