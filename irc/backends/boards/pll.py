"""Settings of the PLLs in iCE40, ECP5 and Gowin, for a wanted frequency. All are in MHz."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from irc.errors import UsageError

MAX_ERROR = 0.005
"""How far the clock may lie from the one that was asked for, as a fraction."""


@dataclass(frozen=True)
class Range:
    """What the datasheet allows, both ends included."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


ICE40_INPUT, ICE40_PFD = Range(10, 133), Range(10, 133)
ICE40_VCO, ICE40_OUTPUT = Range(533, 1066), Range(16, 275)
"""Lattice FPGA-DS-02008 (iCE40 UltraPlus), sysCLOCK PLL timing."""

ECP5_INPUT, ECP5_PFD = Range(8, 400), Range(10, 400)
ECP5_VCO, ECP5_OUTPUT = Range(400, 800), Range(3.125, 400)
"""Lattice FPGA-DS-02012 (ECP5), sysCLOCK PLL timing."""

_ECP5_VCO_MIDDLE = 600.0

GOWIN_ODIV = (2, 4, 8, *range(16, 129, 16))


@dataclass(frozen=True)
class GowinRanges:
    """Of the PLL of a device."""

    pfd: Range
    vco: Range
    output: Range


GOWIN_RANGES = {
    "gw1nr-9c": GowinRanges(Range(3, 400), Range(400, 1200), Range(3.125, 600)),
    "gw2a-18c": GowinRanges(Range(3, 500), Range(500, 1250), Range(3.90625, 625)),
}
"""Gowin DS117E (GW1NR, C6/I5) and DS226E (GW2AR, C8/I7), PLL switching characteristics; the input
has the range of the phase detector."""


@dataclass(frozen=True)
class Ice40Pll:
    """SB_PLL40 with FEEDBACK_PATH "SIMPLE".

    pfd = reference / (divr + 1), vco = pfd · (divf + 1), output = vco / 2^divq.
    """

    reference: float
    divr: int
    divf: int
    divq: int

    @property
    def pfd(self) -> float:
        """At the phase detector."""
        return self.reference / (self.divr + 1)

    @property
    def vco(self) -> float:
        """Of the oscillator."""
        return self.pfd * (self.divf + 1)

    @property
    def output(self) -> float:
        """Of the clock."""
        return self.vco / (1 << self.divq)

    @property
    def filter_range(self) -> int:
        """The loop filter for this phase detector: Lattice's table, as in icepll."""
        limits = (17, 26, 44, 66, 101)
        return 1 + sum(self.pfd >= limit for limit in limits)


@dataclass(frozen=True)
class Ecp5Pll:
    """EHXPLLL with feedback from CLKOP; the clock is CLKOS where `os_div` is given, else CLKOP.

    pfd = reference / i_div, vco = pfd · fb_div · op_div, CLKOP = vco / op_div,
    CLKOS = vco / os_div.
    """

    reference: float
    i_div: int
    fb_div: int
    op_div: int
    os_div: int | None

    @property
    def pfd(self) -> float:
        """At the phase detector."""
        return self.reference / self.i_div

    @property
    def vco(self) -> float:
        """Of the oscillator."""
        return self.pfd * self.fb_div * self.op_div

    @property
    def output(self) -> float:
        """Of the clock."""
        return self.vco / (self.os_div or self.op_div)


@dataclass(frozen=True)
class GowinPll:
    """rPLL with internal feedback; its parameters are one less than `i_div` and `fb_div`.

    pfd = reference / i_div, output = pfd · fb_div, vco = output · o_div.
    """

    reference: float
    i_div: int
    fb_div: int
    o_div: int

    @property
    def pfd(self) -> float:
        """At the phase detector."""
        return self.reference / self.i_div

    @property
    def vco(self) -> float:
        """Of the oscillator."""
        return self.output * self.o_div

    @property
    def output(self) -> float:
        """Of the clock."""
        return self.pfd * self.fb_div


def ice40_pll(reference: float, wanted: float) -> Ice40Pll:
    """The settings that come nearest; of equals the highest phase detector.

    Raises `UsageError` outside of the datasheet's ranges.
    """
    _check("iCE40", reference, wanted, ICE40_INPUT, ICE40_OUTPUT)
    candidates = [
        pll
        for divr in range(16)
        for divf in range(128)
        for divq in range(1, 7)
        if (pll := Ice40Pll(reference, divr, divf, divq)).pfd in ICE40_PFD
        and pll.vco in ICE40_VCO
        and pll.output in ICE40_OUTPUT
    ]
    best = min(candidates, key=lambda pll: (abs(pll.output - wanted), pll.divr))
    return _near_enough(best, wanted)


def ecp5_pll(reference: float, wanted: float) -> Ecp5Pll:
    """The settings that come nearest; of equals those without CLKOS, then those whose oscillator is
    nearest to the middle of its range. Raises `UsageError` outside of the datasheet's ranges."""
    _check("ECP5", reference, wanted, ECP5_INPUT, ECP5_OUTPUT)

    def cost(pll: Ecp5Pll) -> tuple[float, bool, float, int]:
        error = round(abs(pll.output - wanted), 9)
        return error, pll.os_div is not None, abs(pll.vco - _ECP5_VCO_MIDDLE), pll.i_div

    return _near_enough(min(_ecp5_candidates(reference, wanted), key=cost), wanted)


def gowin_pll(device: str, reference: float, wanted: float) -> GowinPll:
    """The settings of a device that come nearest; of equals the highest phase detector, then the
    slowest oscillator. Raises `UsageError` outside of the datasheet's ranges."""
    ranges = GOWIN_RANGES[device]
    _check(device, reference, wanted, ranges.pfd, ranges.output)
    candidates = [
        pll
        for i_div in range(1, 65)
        if reference / i_div in ranges.pfd
        # The multiples on both sides of what is wanted.
        for fb_div in {int(wanted * i_div / reference), int(wanted * i_div / reference) + 1}
        for o_div in GOWIN_ODIV
        if (pll := GowinPll(reference, i_div, fb_div, o_div)).vco in ranges.vco
        and 1 <= fb_div <= 64
        and pll.output in ranges.output
    ]
    if not candidates:
        made = f"the PLL of {device} makes none of {reference:g} MHz"
        raise UsageError(f"clock of {wanted:g} MHz: {made}")
    best = min(candidates, key=lambda pll: (abs(pll.output - wanted), pll.i_div, pll.o_div))
    return _near_enough(best, wanted)


def _ecp5_candidates(reference: float, wanted: float) -> Iterator[Ecp5Pll]:
    for i_div in range(1, 129):
        pfd = reference / i_div
        if pfd not in ECP5_PFD:
            continue
        for fb_div in range(1, 81):
            if pfd * fb_div not in ECP5_OUTPUT:
                continue
            for op_div in range(1, 129):
                vco = pfd * fb_div * op_div
                if vco not in ECP5_VCO:
                    continue
                yield Ecp5Pll(reference, i_div, fb_div, op_div, None)
                os_div = round(vco / wanted)
                if 1 <= os_div <= 128 and vco / os_div in ECP5_OUTPUT:
                    yield Ecp5Pll(reference, i_div, fb_div, op_div, os_div)


def _check(family: str, reference: float, wanted: float, inputs: Range, outputs: Range) -> None:
    for what, value, allowed in (("input", reference, inputs), ("clock", wanted, outputs)):
        if value not in allowed:
            raise UsageError(
                f"{what} of {value:g} MHz: the PLL of {family} takes {allowed.low:g} to "
                f"{allowed.high:g} MHz"
            )


_Pll = TypeVar("_Pll", Ice40Pll, Ecp5Pll, GowinPll)


def _near_enough(pll: _Pll, wanted: float) -> _Pll:
    if abs(pll.output - wanted) > MAX_ERROR * wanted:
        raise UsageError(
            f"clock of {wanted:g} MHz: the PLL makes {pll.output:.4g} MHz of {pll.reference:g} MHz "
            "at best; ask for that"
        )
    return pll
