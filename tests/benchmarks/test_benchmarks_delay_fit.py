"""The fit of delays finds those that made the clocks."""

from __future__ import annotations

import importlib
import sys
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from irc.passes.hardware.delays import Delays, delays_of
from irc.passes.hardware.logic_depth import Depth


@pytest.fixture
def delay_fit(repo_root: Path) -> Any:
    """The module beside the script."""
    folder = str(repo_root / "benchmarks")
    sys.path.insert(0, folder)
    try:
        return importlib.import_module("delay_fit")
    finally:
        sys.path.remove(folder)


def designs(delay_fit: Any, truth: Delays, memories: int) -> list[Any]:
    """Forty designs of three paths each, as slow as the longest."""
    rng = np.random.default_rng(5)
    found: list[Any] = []
    for index in range(40):
        paths = [
            Depth(*map(int, rng.integers((1, 0, 0), (12, 20, memories + 1)))) for _ in range(3)
        ]
        found.append(delay_fit.Clocked(str(index), max(map(truth.of, paths)), paths))
    return found


def test_delays_are_found_whatever_they_are_thought_to_be_first(delay_fit: Any) -> None:
    truth = Delays(ends=2.0, level=1.5, carry=0.2, memory=4.0)
    for start in ("up5k", "ecp5-25k"):
        fitted = delay_fit.fit(designs(delay_fit, truth, 1), delays_of(start))
        assert astuple(fitted) == pytest.approx(astuple(truth), rel=0.03)


def test_what_no_design_tells_stays(delay_fit: Any) -> None:
    truth = Delays(ends=2.0, level=1.5, carry=0.2, memory=4.0)
    fitted = delay_fit.fit(designs(delay_fit, truth, 0), delays_of("ecp5-25k"))
    assert fitted.memory == delays_of("ecp5-25k").memory
    assert fitted.level == pytest.approx(1.5, rel=0.03)
