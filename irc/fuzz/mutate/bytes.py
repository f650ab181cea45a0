"""Damage to bytes, whatever they stand for."""

from __future__ import annotations

from irc.fuzz.networks.choices import Choices

MAX_EDITS = 4
MAX_RUN = 64
"""Bytes that one edit touches, but for a cut."""

_VALUES = (0x00, 0xFF, 0x7F, 0x80, 0x01, 0x20, 0x0A, 0x22, 0x5C)
_NUMBERS = (
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    b"\xff\xff\xff\xff\x07",
    b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
    bytes(8),
    b"\x00\x00\xc0\x7f",
    b"\x00\x00\x80\x7f",
)
"""The largest and smallest numbers as protobuf writes them, and floats that are none."""

_EDITS = ("bit", "byte", "delete", "repeat", "number", "move", "cut", "insert")


def mutate_bytes(choices: Choices, data: bytes) -> bytes:
    """The same with one to `MAX_EDITS` edits."""
    for _ in range(choices.integer(1, MAX_EDITS)):
        data = _edit(choices, data)
    return data


def _edit(choices: Choices, data: bytes) -> bytes:
    if not data:
        return bytes([choices.pick(_VALUES)])
    at = choices.integer(0, len(data) - 1)
    end = min(len(data), at + choices.integer(1, MAX_RUN))
    match choices.pick(_EDITS):
        case "bit":
            changed = data[at] ^ (1 << choices.integer(0, 7))
            return data[:at] + bytes([changed]) + data[at + 1 :]
        case "byte":
            return data[:at] + bytes([choices.pick(_VALUES)]) + data[at + 1 :]
        case "delete":
            return data[:at] + data[end:]
        case "repeat":
            return data[:at] + data[at:end] * choices.integer(2, 40) + data[end:]
        case "number":
            return data[:at] + choices.pick(_NUMBERS) + data[at + 1 :]
        case "move":
            to = choices.integer(0, len(data) - 1)
            rest = data[:at] + data[end:]
            return rest[:to] + data[at:end] + rest[to:]
        case "cut":
            return data[:at]
        case _:
            noise = bytes(choices.integer(0, 255) for _ in range(choices.integer(1, 8)))
            return data[:at] + noise + data[at:]
