"""Where in the banks of a window's buffer a position along an axis lies.

Position p is in the banks of residue p modulo their number, at a word that its quotient tells. Both
are kept in registers that move by constant distances; there is no division.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.ir import SSAValue

from irc.dialects.rtl import address_width
from irc.dialects.window_parallel import ParallelGeometry
from irc.passes.hardware.hw_builder import HwBuilder
from irc.passes.hardware.units.window import around


@dataclass(frozen=True)
class Place:
    """A position along an axis: its residue, and the words of a bank before it."""

    phase: SSAValue
    base: SSAValue


@dataclass(frozen=True)
class Axis:
    """Residues and words along an axis: `unit` words for every `banks` positions, of `depth` in
    all, where positions go round; None where they do not."""

    banks: int
    unit: int
    width: int
    depth: int | None
    single: bool = False
    """Whether there is one position only."""

    @staticmethod
    def both(geometry: ParallelGeometry) -> tuple[Axis, Axis]:
        """Rows, which go round, and columns."""
        width = address_width(geometry.bank_words)
        rows = Axis(geometry.banks(0), geometry.row_words, width, geometry.bank_words)
        return rows, Axis(geometry.banks(1), geometry.chunks, width, None, geometry.size[1] == 1)

    def ahead(self, b: HwBuilder, base: SSAValue, words: SSAValue) -> SSAValue:
        """So many words on."""
        return b.add(base, words) if self.depth is None else around(b, base, words, self.depth)

    def words(self, positions: int) -> int:
        """The words before a position, whose residue is that of the first of them or follows."""
        # Beyond the end of a row only what restarts in its next one.
        return positions // self.banks * self.unit % (self.depth or 1 << self.width)

    def moved(self, b: HwBuilder, place: Place, distance: int) -> Place:
        """The place so much further."""
        if self.single:
            return place
        if self.banks == 1:
            words = b.const(self.words(distance), self.width)
            return Place(place.phase, self.ahead(b, place.base, words))
        width = b.width(place.phase)
        beyond = b.add(b.zext(place.phase, width + 1), distance % self.banks)
        over = b.uge(beyond, self.banks)
        phase = b.trunc(b.mux(over, b.sub(beyond, self.banks), beyond), width)
        here = b.const(self.words(distance), self.width)
        words = b.mux(over, b.const(self.words(distance + self.banks), self.width), here)
        return Place(phase, self.ahead(b, place.base, words))


class Position:
    """Registers that hold a place along an axis."""

    def __init__(self, b: HwBuilder, name: str, axis: Axis) -> None:
        single = axis.banks == 1
        self._phase = None if single else b.reg(f"{name}_phase", address_width(axis.banks))
        self._base = None if axis.single else b.reg(f"{name}_base", axis.width)
        phase = b.const(0, 1) if self._phase is None else self._phase.value
        base = b.const(0, axis.width) if self._base is None else self._base.value
        self.place = Place(phase, base)

    def go(
        self, b: HwBuilder, when: SSAValue, there: Place, restart: SSAValue | None = None
    ) -> None:
        """Move in cycles where `when` is 1; to the start where `restart` is, too."""
        for register, value in ((self._phase, there.phase), (self._base, there.base)):
            if register is not None:
                following = value if restart is None else b.mux(restart, 0, value)
                register.set_next(following, when)


def chosen(b: HwBuilder, table: Sequence[int], index: SSAValue, width: int) -> SSAValue:
    """A constant by its index."""
    value = b.const(table[0], width)
    for position, entry in enumerate(table[1:], 1):
        value = b.mux(b.eq(index, position), b.const(entry, width), value)
    return value


def chosen_twice(
    b: HwBuilder, table: list[list[int]], outer: SSAValue, inner: SSAValue, width: int
) -> SSAValue:
    """A constant by two indices."""
    value = chosen(b, table[0], inner, width)
    for position, line in enumerate(table[1:], 1):
        value = b.mux(b.eq(outer, position), chosen(b, line, inner, width), value)
    return value


def selected(b: HwBuilder, values: Sequence[SSAValue], index: SSAValue) -> SSAValue:
    """One of some values by its index."""
    return values[0] if len(values) == 1 else b.select(values, index)


def is_phase(b: HwBuilder, phase: SSAValue, value: int, banks: int) -> SSAValue:
    """Whether a residue has a value."""
    return b.const(1, 1) if banks == 1 else b.eq(phase, value)


def resized(b: HwBuilder, value: SSAValue, width: int) -> SSAValue:
    """A number that is known to fit, at another width."""
    have = b.width(value)
    return b.trunc(value, width) if have >= width else b.zext(value, width)
