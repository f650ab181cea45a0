"""C for going over a frame: from window to window, and from tap to tap within one."""

from __future__ import annotations

from collections.abc import Sequence

from irc.backends.c.unit import Moving, Unit
from irc.dialects.packed_spatial import Windows


class Taps:
    """Loops over the taps of a window, as text for a function that takes the extents.

    With `joined`, taps next to each other on the last axis are one run of elements: `run` says how
    many, and the loops go from run to run.
    """

    def __init__(self, windows: Windows, pixel: int, *, joined: bool) -> None:
        """`pixel` is the number of elements (or words) of a pixel."""
        self.run = pixel
        axes = list(range(len(windows.kernel)))
        strides = [
            step * dilation * pixel
            for step, dilation in zip(windows.pixel_strides, windows.dilations, strict=True)
        ]
        if joined:
            # What follows without a gap is one run.
            while axes and strides[axes[-1]] == self.run:
                self.run *= windows.kernel[axes.pop()]
        looped = [axis for axis in axes if windows.kernel[axis] > 1]
        self.parameters = [f"size_t n{axis}, size_t s{axis}" for axis in looped]
        self.arguments = [f"{windows.kernel[axis]}u, {strides[axis]}u" for axis in looped]
        self._looped = looped

    def around(self, body: str) -> str:
        """`body` inside the loops; it finds a tap at `offset`."""
        lines: list[str] = []
        for depth, axis in enumerate(self._looped):
            opening = f"for (size_t k{axis} = 0; k{axis} < n{axis}; ++k{axis}) {{"
            lines.append("    " * depth + opening)
        depth = len(self._looped)
        lines += ["    " * depth + line if line else "" for line in body.split("\n")]
        lines += ["    " * level + "}" for level in reversed(range(depth))]
        return "\n".join(lines)

    def at(self, pointer: str, index: str = "") -> str:
        """A pointer to a tap, or element `index` of it."""
        terms = [f"k{axis} * s{axis}" for axis in self._looped]
        if index:
            return f"{pointer}[{' + '.join([*terms, index])}]"
        return " + ".join([pointer, *terms])


def call_windows(
    unit: Unit,
    windows: Windows,
    pixel: int,
    source: str,
    calls: Sequence[tuple[str, Sequence[str | Moving]]],
) -> None:
    """Add calls for every window, in order: each a function and its arguments.

    `Moving` arguments advance from window to window; the argument `"$x"` is the first element of
    the window in `source`, whose pixels have `pixel` elements.
    """
    counts = windows.counts
    looped = [axis for axis, count in enumerate(counts) if count > 1]
    names = {axis: "row" if len(looped) == 1 else f"row{axis}" for axis in looped}
    origin = f"({source})" if "&" in source else source
    steps = [
        f"{names[a]} * {windows.pixel_strides[a] * windows.strides[a] * pixel}u" for a in looped
    ]
    first = " + ".join([origin, *steps]) if looped else source
    lines: list[str] = []
    for axis in looped:
        name = names[axis]
        opening = f"for (size_t {name} = 0; {name} < {counts[axis]}u; ++{name}) {{"
        lines.append("    " * len(lines) + opening)
    indent = "    " * len(looped)
    if len(looped) > 1:
        lines.append(f"{indent}const size_t row = {_row(looped, counts, names)};")
    row = "row" if looped else "0"
    for function, arguments in calls:
        texts = [a.at(row) if isinstance(a, Moving) else a for a in arguments]
        lines.append(f"{indent}{function}({', '.join(texts)});".replace("$x", first))
    lines += ["    " * depth + "}" for depth in reversed(range(len(looped)))]
    unit.calls += lines


def _row(looped: Sequence[int], counts: Sequence[int], names: dict[int, str]) -> str:
    """The number of a window: `(row0 * 3u + row1) * 4u + row2`."""
    text = names[looped[0]]
    for axis in looped[1:]:
        inner = f"({text})" if " " in text else text
        text = f"{inner} * {counts[axis]}u + {names[axis]}"
    return text
