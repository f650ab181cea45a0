"""The table of coefficients: what a family's synthesis makes of a look-up table of each part.

`coefficients.json` is written by `benchmarks/calibrate.py`, never by hand. A part that no unit was
fitted to has the coefficient 1: it takes what its structure says.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("coefficients.json")

UNCALIBRATED = {"gowin": "ecp5"}
"""Families that the table may lack, and whose coefficients stand for theirs: look-up tables of four
inputs with carries, and memories of the same shapes. Counts are then less exact."""

Coefficients = Mapping[str, Mapping[str, float]]
"""By resource, `luts` or `flipflops`, and part; registers are a part for each kind of unit."""


@cache
def coefficients(family: str) -> Coefficients:
    """Those of a family, or of the one that stands for it."""
    families = json.loads(TABLE.read_text(encoding="utf-8"))["families"]
    return families[family if family in families else UNCALIBRATED[family]]


def weighted(table: Mapping[str, float], counts: Mapping[str, float]) -> float:
    """The sum of counts by part, each times its coefficient."""
    return sum(table.get(part, 1) * count for part, count in counts.items())
