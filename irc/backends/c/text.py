"""Putting C text together: templates, types, literals, arrays."""

from __future__ import annotations

import math
import re
from textwrap import dedent
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import Float32Type
from xdsl.ir import Attribute

from irc.dialects.packed_types import container_width, is_signed, region_name

Array = npt.NDArray[Any]

LINE = 96
"""How long the lines of generated code get, where they can be broken."""

_PLACE = re.compile(r"\$(\w+)")
_ALONE = re.compile(r"^([ \t]*)\$(\w+)[ \t]*$")


def fill(template: str, **parts: str) -> str:
    """`template`, dedented, with each `$name` replaced by its part.

    A place that is alone on its line takes a part of several lines at its indentation, and
    vanishes with an empty part. Names without a part stay.
    """
    lines: list[str] = []
    for line in dedent(template).strip("\n").split("\n"):
        alone = _ALONE.match(line)
        if alone and alone[2] in parts:
            inner = parts[alone[2]]
            lines += [f"{alone[1]}{part}" if part else "" for part in inner.split("\n") if inner]
        else:
            lines.append(_PLACE.sub(lambda place: parts.get(place[1], place[0]), line))
    return "\n".join(lines)


def wrapped(text: str) -> str:
    """`text` with long lines broken after commas, or before additions where there is no comma.

    What follows is indented by four more.
    """
    lines: list[str] = []
    for line in text.split("\n"):
        indent = " " * (len(line) - len(line.lstrip()) + 4)
        while len(line) > LINE:
            comma = line.rfind(", ", len(indent), LINE) + 1
            at = comma or line.rfind(" + ", len(indent), LINE)
            if at <= 0:
                break
            lines.append(line[:at])
            line = indent + line[at + 1 :]
        lines.append(line)
    return "\n".join(lines)


def c_type(element_type: Attribute) -> str:
    """The C type that stores an element: `uint8_t`, `int16_t`, `float` and so on."""
    return region_c_type(region_name(element_type))


def region_c_type(region: str) -> str:
    """The C type of an arena region: `uint32_t` for `u32`."""
    if region == "f32":
        return "float"
    return f"{'int' if region[0] == 'i' else 'uint'}{region[1:]}_t"


def word_type(word: int) -> str:
    """The C type of a word of so many bits."""
    return f"uint{word}_t"


def work_type(word: int) -> str:
    """An unsigned type for computing with words: narrow ones would turn into signed `int`."""
    return "unsigned" if word <= 16 else word_type(word)


def literals(values: Array, element_type: Attribute) -> list[str]:
    """One C literal for each value, exact and of a type that holds it."""
    flat = np.ascontiguousarray(values).reshape(-1)
    if isinstance(element_type, Float32Type):
        return [float_literal(float(value)) for value in flat]
    if is_signed(element_type):
        return [integer_literal(value) for value in flat.tolist()]
    if container_width(element_type) == 8:
        return [str(value) for value in flat.tolist()]
    return [f"{value}u" for value in flat.tolist()]


def word_literals(words: Array) -> list[str]:
    """Words in hexadecimal, with all their digits; `words` is unsigned."""
    digits = 2 * words.dtype.itemsize
    text = words.astype(words.dtype.newbyteorder(">")).tobytes().hex()
    return [f"0x{text[at : at + digits]}u" for at in range(0, len(text), digits)]


def integer_literal(value: int) -> str:
    """A signed integer; the least 64-bit one has no literal of its own in C."""
    return "(-9223372036854775807 - 1)" if value == -(1 << 63) else str(value)


def float_literal(value: float) -> str:
    """A float32 in hexadecimal (C99), which no compiler may round; needs math.h for infinity."""
    if math.isinf(value):
        return "INFINITY" if value > 0 else "-INFINITY"
    mantissa, exponent = value.hex().split("p")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}p{exponent}f"


def array_definition(declaration: str, items: list[str]) -> str:
    """`declaration = { … };` with the items in lines of even length."""
    width = max(len(item) for item in items) + 2
    per_line = max(1, (LINE - 4) // width)
    lines = ("    " + ", ".join(items[at : at + per_line]) for at in range(0, len(items), per_line))
    return f"{declaration} = {{\n" + ",\n".join(lines) + "\n};"
