"""PLL settings: those of the makers' calculators, and within the datasheets' ranges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irc.backends.boards.pll import (
    ECP5_OUTPUT,
    ECP5_PFD,
    ECP5_VCO,
    GOWIN_RANGES,
    ICE40_OUTPUT,
    ICE40_PFD,
    ICE40_VCO,
    MAX_ERROR,
    ecp5_pll,
    gowin_pll,
    ice40_pll,
)
from irc.errors import UsageError


@pytest.mark.parametrize(
    ("wanted", "divr", "divf", "divq"),
    [(24, 0, 63, 5), (30, 0, 79, 5), (48, 0, 63, 4), (60, 0, 79, 4), (100, 0, 66, 3)],
)
def test_ice40_settings_are_those_of_icepll_for_12_mhz(
    wanted: float, divr: int, divf: int, divq: int
):
    """What `icepll -i 12 -o WANTED` prints."""
    pll = ice40_pll(12, wanted)
    assert (pll.divr, pll.divf, pll.divq, pll.filter_range) == (divr, divf, divq, 1)


def test_the_loop_filter_follows_the_phase_detector():
    assert [ice40_pll(clock, clock * 2).filter_range for clock in (12, 20, 30, 50, 80, 110)] == [
        *range(1, 7)
    ]


@pytest.mark.parametrize(
    ("reference", "wanted", "settings"),
    [
        (12, 48, (1, 4, 12)),
        (12, 60, (1, 5, 10)),
        (20, 30, (2, 3, 20)),
        (100, 400, (1, 4, 1)),
        (25, 100, (1, 4, 6)),
    ],
)
def test_ecp5_settings_are_those_of_lattice_s_generator(
    reference: float, wanted: float, settings: tuple[int, int, int]
):
    """Rows of the table at the head of prjtrellis' ecppll, and what it makes of 25 MHz."""
    pll = ecp5_pll(reference, wanted)
    assert pll.output == wanted
    if wanted != 400:
        assert (pll.i_div, pll.fb_div, pll.op_div, pll.os_div) == (*settings, None)


@given(st.floats(12, 100), st.floats(16, 275))
def test_ice40_settings_keep_to_the_datasheet(reference: float, wanted: float):
    try:
        pll = ice40_pll(reference, wanted)
    except UsageError:
        return
    assert pll.pfd in ICE40_PFD
    assert pll.vco in ICE40_VCO
    assert pll.output in ICE40_OUTPUT
    made = reference * (pll.divf + 1) / (pll.divr + 1) / 2**pll.divq
    assert pll.output == pytest.approx(made, rel=1e-12)
    assert abs(made - wanted) <= MAX_ERROR * wanted
    assert (pll.divr < 16, pll.divf < 128, 1 <= pll.divq <= 6) == (True, True, True)


@pytest.mark.parametrize("wanted", [10, 24, 30, 33.3, 48, 62.5, 75, 90, 100, 120, 133, 150, 200])
def test_ecp5_settings_keep_to_the_datasheet(wanted: float):
    pll = ecp5_pll(25, wanted)
    assert pll.pfd in ECP5_PFD
    assert pll.vco in ECP5_VCO
    assert pll.output in ECP5_OUTPUT
    assert pll.pfd * pll.fb_div in ECP5_OUTPUT
    made = 25 / pll.i_div * pll.fb_div * pll.op_div / (pll.os_div or pll.op_div)
    assert pll.output == pytest.approx(made, rel=1e-12)
    assert abs(made - wanted) <= MAX_ERROR * wanted


@pytest.mark.parametrize(
    ("wanted", "settings"), [(54, (1, 2, 8)), (108, (1, 4, 4)), (81, (1, 3, 8))]
)
def test_gowin_settings_are_those_of_apicula(wanted: float, settings: tuple[int, int, int]):
    """What `gowin_pll -i 27 -o WANTED -d "GW1NR-9 C6/I5"` prints."""
    pll = gowin_pll("gw1nr-9c", 27, wanted)
    assert (pll.i_div, pll.fb_div, pll.o_div, pll.output) == (*settings, wanted)


@given(st.sampled_from(sorted(GOWIN_RANGES)), st.floats(4, 400), st.floats(4, 600))
def test_gowin_settings_keep_to_the_datasheet(device: str, reference: float, wanted: float):
    ranges = GOWIN_RANGES[device]
    try:
        pll = gowin_pll(device, reference, wanted)
    except UsageError:
        return
    assert pll.pfd in ranges.pfd
    assert pll.vco in ranges.vco
    assert pll.output in ranges.output
    assert pll.output == pytest.approx(reference / pll.i_div * pll.fb_div, rel=1e-12)
    assert abs(pll.output - wanted) <= MAX_ERROR * wanted
    assert (1 <= pll.i_div <= 64, 1 <= pll.fb_div <= 64) == (True, True)


def test_what_no_pll_makes_is_told():
    with pytest.raises(UsageError, match="clock of 8 MHz: the PLL of iCE40 takes 16 to 275 MHz"):
        ice40_pll(12, 8)
    with pytest.raises(UsageError, match="clock of 600 MHz: the PLL of gw1nr-9c makes none of 5"):
        gowin_pll("gw1nr-9c", 5, 600)
    with pytest.raises(UsageError, match="input of 5 MHz: the PLL of ECP5 takes 8 to 400 MHz"):
        ecp5_pll(5, 100)
    with pytest.raises(UsageError, match=r"clock of 16 MHz: .* makes 16.12 MHz of 12 MHz at best"):
        ice40_pll(12, 16)
