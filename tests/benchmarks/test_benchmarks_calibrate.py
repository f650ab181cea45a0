"""The resource models agree with fresh runs of Yosys, and the fit of their coefficients is one."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.context import Context
from xdsl.dialects import seq

from irc.dialects import rtl
from irc.dialects.dataflow import Folding
from irc.passes.hardware.convert_dataflow_to_hw import ConvertDataflowToHw
from irc.passes.hardware.design import design_of
from irc.passes.hardware.resource_model.coefficients import coefficients, weighted
from irc.passes.hardware.resource_model.unit_structure import structure_of

SMALL = (
    "xnor64x64_4_16",
    "sums64x64_4_8",
    "logic16x16",
    "window8x4_4",
    "pool8x16_4_bnnbipolar",
    "convert8_1_bnnbipolar",
    "fifo8x64",
    "fifo32x20",
    "add32_16_ui2",
    "concat16_4_bnnbipolar",
    "slice16_4_bnnbipolar",
    "upsample16_4_bnnbipolar",
    "threshold8_1_one",
    "distributed64x64_4_8",
)
"""Units of the designed set that are synthesised in seconds."""


def part_of_calibration(name: str) -> Any:
    """A module of the benchmark."""
    folder = str(Path(__file__).parents[2] / "benchmarks")
    sys.path.insert(0, folder)
    try:
        return importlib.import_module(f"calibration.{name}")
    finally:
        sys.path.remove(folder)


@pytest.fixture(scope="module")
def calibration() -> Any:
    return part_of_calibration("samples")


FAMILIES = [pytest.param(family, marks=pytest.mark.slow) for family in ("ice40", "ecp5", "xc7")]


def estimated_luts(sample: Any, family: str) -> float:
    """What the coefficients that are shipped say of a sample."""
    return sample.parts.ram_luts + weighted(coefficients(family)["luts"], sample.parts.luts)


@pytest.mark.parametrize("family", FAMILIES)
def test_small_units_take_what_is_estimated(
    family: str, calibration: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Block RAMs exactly; look-up tables within a quarter of all, and no unit far off."""
    monkeypatch.chdir(tmp_path)
    units = [unit for unit in calibration.designed_units() if unit.name in SMALL]
    assert len(units) == len(SMALL)
    estimated = actual = 0.0
    for sample in calibration.batch_samples(units, family):
        luts = estimated_luts(sample, family)
        assert sample.parts.block_rams == sample.used.block_rams, sample.name
        assert abs(luts - sample.used.luts) <= max(25, 0.4 * sample.used.luts), sample.name
        estimated, actual = estimated + luts, actual + sample.used.luts
    assert abs(estimated / actual - 1) <= 0.25


@pytest.mark.parametrize("family", FAMILIES)
def test_an_unrolled_layer_takes_what_is_estimated(
    family: str, calibration: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shape that no coefficient was fitted to, whose groups of columns do not come out even."""
    monkeypatch.chdir(tmp_path)
    layer = part_of_calibration("units").mvu("constant", 20, 26, Folding(20, 26, "logic"))
    (sample,) = calibration.batch_samples([layer], family)
    assert sample.kind == "unrolled"
    assert sample.used.block_rams == sample.parts.block_rams == 0
    assert estimated_luts(sample, family) == pytest.approx(sample.used.luts, rel=0.25)


COUNTED = {
    *("fork", "concat", "slice", "upsample", "widen", "narrow", "register_fifo", "ram_fifo"),
    *("threshold", "window", "pad", "pool"),
}
"""Kinds of units of which every register is counted."""

STAGED = ("xnor64x64_2_32", "xnor64x64_4_64", "xnor64x64_64_1", "sums64x64_4_8", "w2t_by1_planes")
"""Matrix-vector units without stages in the midst of a sum, of which this holds, too."""


def test_structures_count_the_registers_that_are_emitted(calibration: Any) -> None:
    seen: set[str] = set()
    for unit in calibration.designed_units():
        if unit.weights and unit.name not in STAGED:
            continue
        module = unit.module.clone()
        structures = [structure_of(op, "ice40") for op in design_of(module).units]
        ConvertDataflowToHw().apply(Context(), module)
        names = calibration.instance_names(calibration.top_of(module, unit.name))
        for structure, name in zip(structures, names, strict=True):
            if structure.kind not in {*COUNTED, "mvu"}:
                continue
            seen.add(structure.kind)
            bits = sum(
                rtl.width_of(op.data)
                for op in calibration.top_of(module, name).body.walk()
                if isinstance(op, seq.CompRegOp)
            )
            assert structure.registers == bits, unit.name
    assert seen == {*COUNTED, "mvu"}


@given(st.integers(0, 2**32))
@settings(deadline=None, max_examples=50)
def test_the_fit_is_the_best_that_is_not_negative(seed: int) -> None:
    """The Karush-Kuhn-Tucker conditions: no gradient where a coefficient is positive, none that
    would help where it is 0; and exact coefficients are found again."""
    fitting = part_of_calibration("fitting")
    rng = np.random.default_rng(seed)
    matrix = rng.random((12, 4))
    wanted = rng.standard_normal(12)
    x = fitting.non_negative(matrix, wanted)
    assert (x >= 0).all()
    gradient = matrix.T @ (matrix @ x - wanted)
    assert (np.abs(gradient[x > 1e-9]) < 1e-4).all()
    assert (gradient[x <= 1e-9] > -1e-4).all()
    known = rng.integers(0, 3, 4).astype(float)
    assert np.allclose(fitting.non_negative(matrix, matrix @ known), known, atol=1e-3)
