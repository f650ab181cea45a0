"""Counts of matches and of ones, bit by bit against sums; and what sums start from."""

from __future__ import annotations

import numpy as np
import pytest
from xdsl.dialects import hw
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from irc.interp.rtl import HwSimulator
from irc.passes.hardware.hw_builder import CLOCK_RESET, HwBuilder, Port
from irc.passes.hardware.units.counting import (
    LONGEST_CHAIN,
    chains,
    count_matches,
    count_ones,
    forms,
    forms_of,
    matching_forms,
)
from irc.passes.hardware.units.pipeline import counter
from irc.passes.hardware.units.starts import starts

ROWS = 3


def matches_module(bits: int, lut_inputs: int, complete: bool) -> hw.HWModuleOp:
    """Counts, for each of three rows, where x equals w, which comes in stored forms."""
    ports = [Port.input("x", bits), Port.input("w", bits * ROWS), Port.output("y", 16 * ROWS)]
    b = HwBuilder("matches", [*CLOCK_RESET, *ports], public=True)
    x = b.concat(*reversed(forms_of(b, b.slices(b.input("x"), 1))))
    matching = matching_forms(b, [x] * ROWS, b.input("w"), bits)
    digits, further = count_matches(b, matching, lut_inputs, complete=complete)
    assert further is None or not complete
    results: list[SSAValue] = []
    for row in range(ROWS):
        value = b.zext(b.concat(*(b.bit(digit, row) for digit in reversed(digits))), 16)
        carry = b.const(0, 16) if further is None else b.zext(b.bit(further, row), 16)
        results.append(b.add(value, carry))
    b.output("y", b.concat(*reversed(results)))
    return b.finish()


def word(bits: np.ndarray) -> int:
    """0/1 as a number, bit 0 first."""
    return int("".join(map(str, bits.reshape(-1)[::-1].tolist())), 2)


@pytest.mark.parametrize("complete", [False, True])
@pytest.mark.parametrize("lut_inputs", [4, 6])
@pytest.mark.parametrize("bits", [1, 2, 3, 5, 8, 13, 32, 63, 64, 100, 128])
def test_counts_of_matches(bits: int, lut_inputs: int, complete: bool) -> None:
    module = matches_module(bits, lut_inputs, complete)
    simulator = HwSimulator(ModuleOp([module]), "matches")
    rng = np.random.default_rng(bits)
    for density in (0.0, 0.1, 0.5, 0.9, 1.0):
        x = rng.integers(0, 2, bits)
        w = np.where(rng.random((ROWS, bits)) < density, x, 1 - x)
        stored = forms((1 - w).astype(np.uint8))
        outputs = simulator.step({"aresetn": 1, "x": word(x), "w": word(stored.T)})
        counts = [outputs["y"] >> 16 * row & 0xFFFF for row in range(ROWS)]
        assert counts == (w == x).sum(axis=1).tolist()


@pytest.mark.parametrize("lut_inputs", [4, 6])
def test_counts_of_ones_for_every_input(lut_inputs: int) -> None:
    for bits in range(1, 9):
        ports = [Port.input("x", bits), Port.output("y", 4)]
        b = HwBuilder("ones", [*CLOCK_RESET, *ports], public=True)
        digits = count_ones(b, b.slices(b.input("x"), 1), lut_inputs)
        b.output("y", b.zext(b.concat(*reversed(digits)), 4))
        simulator = HwSimulator(ModuleOp([b.finish()]), "ones")
        for x in range(1 << bits):
            assert simulator.step({"aresetn": 1, "x": x})["y"] == x.bit_count()


def test_chains_are_odd_and_cover_all_bits() -> None:
    for bits in range(1, 500):
        sizes = chains(bits)
        assert sum(sizes) == bits
        assert all(size % 2 and size <= LONGEST_CHAIN for size in sizes)


@pytest.mark.parametrize(
    ("folds", "rows", "steps"), [(3, 2, 2), (2, 8, 4), (3, 5, 4), (2, 4, 9), (4, 6, 6), (1, 4, 5)]
)
def test_starts_are_those_of_the_fold(folds: int, rows: int, steps: int) -> None:
    """Over many folds with pauses at random, and again after a reset."""
    width = 5
    rng = np.random.default_rng(folds)
    values = rng.integers(-16, 16, (folds, rows))
    ports = [Port.input("step", 1), Port.output("first", 1), Port.output("y", rows * width)]
    b = HwBuilder("starts", [*CLOCK_RESET, *ports], public=True)
    step = b.input("step")
    place = counter(b, "place", steps, step)
    first = b.eq(place.value, 0)
    fold = counter(b, "fold", folds, b.and_(step, first))
    early = (fold, b.const(1, 1))
    found = starts(b, values, width, steps, step=step, first=first, early=early)
    b.output("first", b.and_(step, first))
    b.output("y", b.concat(*reversed(found)))
    simulator = HwSimulator(ModuleOp([b.finish()]), "starts")
    for _ in range(2):
        for _ in range(2):
            simulator.step({"aresetn": 0, "step": 0})
        simulator.step({"aresetn": 1, "step": 0})
        seen = 0
        for _ in range(steps * folds * 6):
            outputs = simulator.step({"aresetn": 1, "step": int(rng.random() < 0.7)})
            if outputs["first"]:
                wanted = values[seen % folds] & 31
                assert outputs["y"] == sum(int(v) << width * i for i, v in enumerate(wanted))
                seen += 1
        assert seen > folds
