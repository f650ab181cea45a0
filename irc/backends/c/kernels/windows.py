"""C for going over a frame: from window to window, and from tap to tap within one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from irc.backends.c.unit import Call, Moving, Unit, WindowCalls, advanced
from irc.dialects.packed_windows import Windows

_PLACE = re.compile(r"\$\w+")
"""What stands for a place in the arguments of `WindowCalls`."""


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


class BorderTaps:
    """The same where windows reach into a border: taps outside of the frame are a pixel of its own.

    The function takes where the window begins, `o0`, `o1`…, and the pixel `border`. All else is
    written out: there are too many extents to pass.
    """

    def __init__(self, windows: Windows, pixel: int) -> None:
        self.run = pixel
        axes = range(len(windows.space))
        self.parameters = [f"size_t o{axis}" for axis in axes]
        self.arguments = [f"$o{axis}" for axis in axes]
        self._openings = [
            f"for (size_t k{axis} = 0; k{axis} < {windows.kernel[axis]}u; ++k{axis}) {{\n"
            f"    const size_t p{axis} = o{axis} + k{axis} * {windows.dilations[axis]}u;"
            for axis in axes
        ]
        inside: list[str] = []
        terms: list[str] = []
        for axis in axes:
            before, size = windows.before[axis], windows.space[axis]
            # That an unsigned number is at least 0 goes without saying, and compilers say so.
            inside += [f"p{axis} >= {before}u"] if before else []
            inside.append(f"p{axis} < {before + size}u")
            position = f"(p{axis} - {before}u)" if before else f"p{axis}"
            terms.append(f"{position} * {windows.pixel_strides[axis] * pixel}u")
        self.is_inside = " && ".join(inside)
        self.offset = " + ".join(terms)

    def around(self, body: str) -> str:
        """`body` inside the loops; where `is_inside` holds, the tap lies at `offset`."""
        lines: list[str] = []
        for depth, opening in enumerate(self._openings):
            lines += ["    " * depth + line for line in opening.split("\n")]
        depth = len(self._openings)
        lines += ["    " * depth + line if line else "" for line in body.split("\n")]
        lines += ["    " * level + "}" for level in reversed(range(depth))]
        return "\n".join(lines)


@dataclass(frozen=True)
class Pool:
    """Windows over the rows of a kernel, with what is called before and after those of one."""

    windows: Windows
    before: Call
    after: Call
    """Called for each row, when it is there."""


def call_windows(unit: Unit, work: WindowCalls, pool: Pool | None = None) -> None:
    """Add calls for every window, in order.

    With a pool, the windows are those that its windows consist of, in their order, and `Moving`
    arguments advance from one of these to the next.
    """
    windows = work.windows
    outer = windows if pool is None else pool.windows
    rows = _Loops("row", outer.counts)
    taps = _Loops("tap", () if pool is None else outer.kernel)
    at: list[list[tuple[str, int]]] = []
    for axis in range(len(windows.space)):
        terms = rows.term(axis, 1 if pool is None else outer.strides[axis])
        at.append(terms if pool is None else terms + taps.term(axis, outer.dilations[axis]))
    places = {f"$o{a}": _sum(at[a], windows.strides[a]) or "0u" for a in range(len(at))}
    places |= {f"$p{a}": _sum(terms, 1) or "0u" for a, terms in enumerate(at)}
    steps = [
        _sum(terms, stride * step * work.pixel)
        for terms, stride, step in zip(at, windows.strides, windows.pixel_strides, strict=True)
    ]
    places["$x"] = advanced(work.source, " + ".join(filter(None, steps)) or 0)

    def text(call: Call) -> str:
        function, arguments = call
        given = [
            a.at(rows.number)
            if isinstance(a, Moving)
            else _PLACE.sub(lambda place: places[place[0]], a)
            for a in arguments
        ]
        return f"{function}({', '.join(given)});"

    inner = [text(call) for call in work.calls]
    if pool is not None:
        inner = [text(pool.before), *taps.around([*inner, text(pool.after)])]
    if len(rows.looped) > 1:
        inner.insert(0, f"const size_t row = {rows.numbering};")
    unit.calls += rows.around(inner)


class _Loops:
    """A loop for each axis that has more than one step."""

    def __init__(self, name: str, counts: Sequence[int]) -> None:
        self.counts = counts
        self.looped = [axis for axis, count in enumerate(counts) if count > 1]
        alone = len(self.looped) == 1
        self.names = {axis: name if alone else f"{name}{axis}" for axis in self.looped}
        self.number = name if self.looped else "0"

    def term(self, axis: int, factor: int) -> list[tuple[str, int]]:
        """The loop variable and a factor; nothing where it would always be 0."""
        return [(self.names[axis], factor)] if axis in self.names else []

    @property
    def numbering(self) -> str:
        """The number of a step: `(row0 * 3u + row1) * 4u + row2`."""
        text = self.names[self.looped[0]]
        for axis in self.looped[1:]:
            inner = f"({text})" if " " in text else text
            text = f"{inner} * {self.counts[axis]}u + {self.names[axis]}"
        return text

    def around(self, lines: list[str]) -> list[str]:
        """The lines inside the loops."""
        for axis in reversed(self.looped):
            name = self.names[axis]
            opening = f"for (size_t {name} = 0; {name} < {self.counts[axis]}u; ++{name}) {{"
            lines = [opening, *(f"    {line}" for line in lines), "}"]
        return lines


def _sum(terms: Sequence[tuple[str, int]], factor: int) -> str:
    """The sum of loop variables, each times its count and a factor."""
    products = ((name, count * factor) for name, count in terms)
    return " + ".join(name if times == 1 else f"{name} * {times}u" for name, times in products)
