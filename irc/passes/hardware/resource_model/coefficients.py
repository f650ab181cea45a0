"""The table of coefficients: what a family's synthesis makes of each feature of each kind of unit.

`coefficients.json` is written by `benchmarks/calibrate.py`, never by hand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("coefficients.json")

Coefficients = Mapping[str, Mapping[str, Mapping[str, float]]]
"""By kind of unit, resource (`luts`, `flipflops`) and feature."""


@cache
def coefficients(family: str) -> Coefficients:
    """Those of a family."""
    return json.loads(TABLE.read_text(encoding="utf-8"))["families"][family]
