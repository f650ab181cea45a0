"""The caller's arrays in words and in macros: layout, range, scale and zero point."""

from __future__ import annotations

from xdsl.dialects.builtin import Float32Type

from irc.backends.c.ports import Port
from irc.dialects.dense import BipolarType, element_range
from irc.plain_text import one_line


def describe_port(port: Port) -> list[str]:
    """What the header says about an array, in a line or several."""
    shape = "x".join(map(str, port.shape)) or "one number"
    head = f"{port.name}: {port.c_type}, {shape}"
    if port.bits is not None:
        head += f" single bits in {port.size} words"
    elif port.classes is not None:
        head += f", the index of the largest of {port.classes} values, the lowest of equals"
    elif isinstance(port.element_type, BipolarType):
        head += ", each -1 or +1"
    elif not isinstance(port.element_type, Float32Type):
        low, high = element_range(port.element_type)
        head += f", from {low} to {high}"
    if port.model_name:
        head += f"; the model's {one_line(port.model_name)}"
    if port.declared and port.bits is None and port.zero_point is None:
        head += f"; the model's float input is {port.declared}"
    lines = [head]
    if len(port.shape) > 1 and port.bits is None:
        lines.append(f"    element {_indices(port.shape)} is {port.name}[{_place(port.shape)}]")
    return lines + [f"    {line}" for line in (*_bits(port), *_origin(port))]


def _indices(shape: tuple[int, ...]) -> str:
    return "".join(f"[{name}]" for name in _names(shape))


def _names(shape: tuple[int, ...]) -> list[str]:
    return [f"i{axis}" for axis in range(len(shape))]


def _place(shape: tuple[int, ...]) -> str:
    """`(i0 * 28 + i1) * 28 + i2`."""
    text, *rest = _names(shape)
    for name, size in zip(rest, shape[1:], strict=True):
        text = f"({text}) * {size} + {name}" if " " in text else f"{text} * {size} + {name}"
    return text


def _bits(port: Port) -> list[str]:
    """How bits lie in words."""
    layout = port.bits
    if layout is None:
        return []
    lines = [
        f"element e, counted in row-major order, is bit e % {layout.word} of "
        f"{port.name}[e / {layout.word}],"
        if layout.rows == 1
        else f"element c of row r is bit c % {layout.word} of "
        f"{port.name}[r * {layout.words} + c / {layout.word}],",
        "bit 0 being the least significant; bits beyond are 0",
    ]
    if layout.rows > 1:
        lines.insert(0, f"{layout.rows} rows of {layout.width} elements, in row-major order:")
    if isinstance(port.element_type, BipolarType):
        lines.append("a bit of 1 stands for +1, one of 0 for -1")
    return lines


def _origin(port: Port) -> list[str]:
    """What the integers or bits are made from."""
    declared = f", which as {port.declared} gives the model's" if port.declared else ""
    if port.threshold is not None:
        return [f"the bit is 1 where the input is at least {port.threshold}{declared}"]
    if port.zero_point is not None:
        sign = "+" if port.zero_point < 0 else "-"
        return [f"the input is {port.name} {sign} {abs(port.zero_point)}{declared}"]
    return []


def port_macros(stem: str, port: Port) -> list[str]:
    """`STEM_SIZE`, `STEM_RANK`, `STEM_SHAPE`, and what turns integers into the model's floats."""
    lines = [f"#define {stem}_SIZE {port.size}", f"#define {stem}_RANK {len(port.shape)}"]
    dims = ", ".join(map(str, port.shape)) or "1"
    lines.append(f"#define {stem}_SHAPE {{{dims}}}")
    scale = _scale(port)
    if scale:
        lines.append(f"#define {stem}_SCALE {scale}")
    if port.zero_point is not None:
        lines.append(f"#define {stem}_ZERO_POINT ({port.zero_point})")
    if port.threshold is not None:
        lines.append(f"#define {stem}_THRESHOLD {port.threshold}")
    return lines


def _scale(port: Port) -> str:
    """What the integers are multiplied with to give the model's floats, where it is declared."""
    kind, _, divisor = port.declared.partition("/")
    if kind and divisor.replace(".", "", 1).isdigit():
        return f"(1.0f / {float(divisor)}f)"
    kind, _, factor = port.declared.partition("*")
    if kind and factor.replace(".", "", 1).isdigit():
        return f"{float(factor)}f"
    return ""


__all__ = ["describe_port", "port_macros"]
