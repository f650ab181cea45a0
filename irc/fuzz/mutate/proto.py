"""Damage to protobuf messages that leaves them decodable: fields cleared, set, doubled, moved.

What there is to change follows from the message itself, so that everything that ONNX can say is
reached; values that have a meaning in ONNX are in `onnx_values`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from irc.fuzz.mutate.onnx_values import FLOATS, INTEGERS, MAX_COPIES, TEXTS, texts_for
from irc.fuzz.networks.choices import Choices

Site = tuple[Message, Any]
"""A message and one of its fields."""

_INTEGER_TYPES = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1),
}


def messages_in(message: Message) -> Iterator[Message]:
    """A message and all those inside, outermost first."""
    waiting = [message]
    while waiting:
        found = waiting.pop()
        yield found
        for field, value in found.ListFields():
            if field.message_type is not None:
                waiting.extend(value if field.is_repeated else [value])


def set_sites(message: Message) -> list[Site]:
    """Fields that say something, anywhere in a message."""
    return [(found, field) for found in messages_in(message) for field, _ in found.ListFields()]


def mutate_message(choices: Choices, message: Message) -> None:
    """One edit somewhere in a message."""
    kind = choices.pick(("set", "set", "set", "clear", "add", "splice"))
    if kind == "add":
        _add_field(choices, message)
        return
    sites = set_sites(message)
    if not sites:
        return
    owner, field = choices.pick(sites)
    if kind == "clear":
        owner.ClearField(field.name)
    elif kind == "splice" and field.message_type is not None:
        _splice(choices, message, owner, field)
    elif field.is_repeated:
        _edit_repeated(choices, owner, field)
    elif field.message_type is None:
        setattr(owner, field.name, _scalar(choices, message, field, getattr(owner, field.name)))


def _add_field(choices: Choices, message: Message) -> None:
    """Say something that a message leaves open."""
    owner = choices.pick(list(messages_in(message)))
    field = choices.pick(list(owner.DESCRIPTOR.fields))
    if field.is_repeated:
        values = getattr(owner, field.name)
        if field.message_type is not None:
            values.add()
        else:
            values.append(_scalar(choices, message, field, None))
    elif field.message_type is not None:
        getattr(owner, field.name).SetInParent()
    else:
        setattr(owner, field.name, _scalar(choices, message, field, None))


def _edit_repeated(choices: Choices, owner: Message, field: Any) -> None:
    values = getattr(owner, field.name)
    at = choices.integer(0, len(values) - 1)
    match choices.pick(("delete", "repeat", "swap", "value", "value")):
        case "delete":
            del values[at]
        case "repeat":
            copies = choices.pick((1, 1, 2, MAX_COPIES))
            if field.message_type is not None:
                # Messages are large, and each is a node or a tensor.
                values.extend([values[at]] * min(copies, 8))
            else:
                values.extend([values[at]] * copies)
        case "swap" if field.message_type is not None:
            to = choices.integer(0, len(values) - 1)
            other = type(values[at])()
            other.CopyFrom(values[at])
            values[at].CopyFrom(values[to])
            values[to].CopyFrom(other)
        case _ if field.message_type is None:
            values[at] = _scalar(choices, owner, field, values[at])
        case _:
            mutate_message(choices, values[at])


def _splice(choices: Choices, message: Message, owner: Message, field: Any) -> None:
    """Replace a message by another one of its type."""
    name = field.message_type.full_name
    alike = [found for found in messages_in(message) if found.DESCRIPTOR.full_name == name]
    copied = type(alike[0])()
    copied.CopyFrom(choices.pick(alike))
    if copied.ByteSize() > 1_000_000:
        return
    if field.is_repeated:
        values = getattr(owner, field.name)
        values[choices.integer(0, len(values) - 1)].CopyFrom(copied)
    else:
        getattr(owner, field.name).CopyFrom(copied)


def _scalar(choices: Choices, message: Message, field: Any, old: Any) -> Any:
    """A value that a field can hold, unusual or taken from elsewhere in the message."""
    if field.type in _INTEGER_TYPES:
        low, high = _INTEGER_TYPES[field.type]
        if isinstance(old, int) and choices.pick((True, False)):
            return max(low, min(high, old + choices.pick((1, -1))))
        return choices.pick([value for value in INTEGERS if low <= value <= high])
    if field.type == FieldDescriptor.TYPE_ENUM:
        # Others are refused by the message; what is out of range comes with damaged bytes.
        return choices.pick([value.number for value in field.enum_type.values])
    if field.type in (FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_DOUBLE):
        return choices.pick(FLOATS)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return _bytes(choices, old)
    known = texts_for(field.full_name)
    if known and choices.pick((True, True, False)):
        return choices.pick(known)
    if choices.pick((True, False)):
        used = [
            value
            for found in messages_in(message)
            for other, value in found.ListFields()
            if other.type == FieldDescriptor.TYPE_STRING and isinstance(value, str)
        ]
        if used:
            return choices.pick(used)
    return choices.pick(TEXTS)


def _bytes(choices: Choices, old: Any) -> bytes:
    data = old if isinstance(old, bytes) else b""
    match choices.pick(("cut", "double", "text", "ones", "flip")):
        case "cut":
            return data[: choices.integer(0, len(data))]
        case "double":
            return data + data
        case "text":
            return choices.pick(TEXTS).encode()
        case "ones":
            return b"\xff" * len(data)
        case _ if data:
            at = choices.integer(0, len(data) - 1)
            return data[:at] + bytes([data[at] ^ 0x80]) + data[at + 1 :]
        case _:
            return b"\x80\xfe"
