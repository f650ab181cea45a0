"""Products of signs: `y = scale·A − offset` for every input, and A within its stated range."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute

from irc.dialects import bnn
from irc.dialects.dense import BipolarType, element_range, element_width
from irc.interp.rtl import HwSimulator
from irc.passes.hardware.hw_builder import CLOCK_RESET, HwBuilder, Port
from irc.passes.hardware.units.counting import count_matches
from irc.passes.hardware.units.numbers import bits_for, fit
from irc.passes.hardware.units.products import Products, TernaryPlanes, XnorPlanes, products_for

Array = npt.NDArray[Any]

WIDE = 16
PE = 2

INPUTS = [bnn.bipolar, bnn.uint(1), bnn.uint(2), bnn.sint(1), bnn.sint(2), bnn.sint(3)]


def made(weights: Array, kind: Attribute, inputs: Attribute, simd: int, luts: int) -> Products:
    attribute = bnn.DenseAttr.from_numpy(weights, kind)
    return products_for("planes", attribute, inputs, PE, simd, luts)


def simulator(products: Products) -> HwSimulator:
    """What both rows add in a cycle, from a beat and a word of the memory."""
    width = element_width(products.input_type) * products.simd
    bits = products.rom_bits().shape[1]
    ports = [Port.input("x", width), Port.input("w", bits), Port.output("y", PE * WIDE)]
    b = HwBuilder("products", [*CLOCK_RESET, *ports], public=True)
    beat = products.arranged(b, b.input("x"))
    rows = products.emit_rows(b, [beat] * PE, b.input("w"))
    sums = [b.add(b.const(0, WIDE), *(fit(b, n, WIDE) for n in row)) for row in rows]
    b.output("y", b.concat(*reversed(sums)))
    return HwSimulator(ModuleOp([b.finish()]), "products")


def number(bits: Array) -> int:
    return int("".join(map(str, bits[::-1].tolist())), 2)


def codes(values: Array, kind: Attribute) -> int:
    """Elements as the bits of a beat."""
    if isinstance(kind, BipolarType):
        return number((values > 0).astype(int))
    width = element_width(kind)
    return sum((int(v) & ((1 << width) - 1)) << width * lane for lane, v in enumerate(values))


def frames(kind: Attribute, columns: int) -> Array:
    """All inputs, or a share of them where they are many."""
    low, high = element_range(kind)
    values = [-1, 1] if isinstance(kind, BipolarType) else range(low, high + 1)
    every = np.array(list(itertools.product(values, repeat=columns)))
    return every[:: max(1, len(every) // 24)]


def ends(kind: Attribute, columns: int) -> Array:
    """Elements of codes of all zeros, all ones, and the ends of the range."""
    low, high = element_range(kind)
    values = sorted({low, high, -1 if low < 0 else 0})
    return np.array(list(itertools.product(values, repeat=columns)))


def check(products: Products, weights: Array, inputs: Array) -> list[int]:
    """Every row's A for every input is what it should be; returns them."""
    circuit = simulator(products)
    return [a for x in inputs for a in check_one(circuit, products, weights, x)]


def check_one(circuit: HwSimulator, products: Products, weights: Array, x: Array) -> list[int]:
    simd, folds = products.simd, weights.shape[1] // products.simd
    words = products.rom_bits().reshape(-1, folds, products.rom_bits().shape[1])
    offsets = np.broadcast_to(products.offsets(), (len(weights),))
    found: list[int] = []
    for neuron, of_neuron in enumerate(words):
        totals = np.zeros(PE, np.int64)
        for fold, word in enumerate(of_neuron):
            part = x[fold * simd : (fold + 1) * simd]
            signals = {"aresetn": 1, "x": codes(part, products.input_type), "w": number(word)}
            given = circuit.step(signals)["y"]
            for row in range(PE):
                value = given >> row * WIDE & (1 << WIDE) - 1
                totals[row] += value - (1 << WIDE if value >> WIDE - 1 else 0)
        for row in range(PE):
            y = int(weights[neuron * PE + row] @ x)
            assert products.scale * totals[row] == y + offsets[neuron * PE + row]
        found += totals.tolist()
    return found


@pytest.mark.parametrize("inputs", INPUTS, ids=str)
def test_signs_and_planes_of_any_input(inputs: Attribute) -> None:
    """Folds of one, two and four lanes; digits of counts, and a further bit in some."""
    rng = np.random.default_rng(3)
    for simd, lut_inputs in ((1, 6), (2, 6), (4, 4), (4, 6)):
        weights = 2 * rng.integers(0, 2, (2 * PE, 4)) - 1
        products = made(weights, bnn.bipolar, inputs, simd, lut_inputs)
        assert type(products) is XnorPlanes
        given = check(products, weights, frames(inputs, 4))
        low, high = products.range()
        assert low <= min(given) <= max(given) <= high
    # Weights of one sign meet inputs that give the least and the most: the range is no wider.
    weights = np.array([[1, 1, 1], [-1, -1, -1]])
    products = made(weights, bnn.bipolar, inputs, 3, 6)
    low, high = element_range(inputs)
    given = check(products, weights, ends(inputs, 3))
    assert products.range() == (min(given), max(given))
    counts = (
        [1] if isinstance(inputs, BipolarType) else [1 << j for j in range(element_width(inputs))]
    )
    if low < 0 and not isinstance(inputs, BipolarType):
        counts[-1] *= -1
    assert products.offsets().tolist() == (
        [3] if isinstance(inputs, BipolarType) else [0, 3 * sum(counts)]
    )


@pytest.mark.parametrize("inputs", INPUTS, ids=str)
def test_ternary_weights_and_planes_of_any_input(inputs: Attribute) -> None:
    rng = np.random.default_rng(4)
    for simd in (1, 3):
        weights = rng.integers(-1, 2, (2 * PE, 3))
        weights[0], weights[1] = (1, -1, 0), (0, 0, 0)
        products = made(weights, bnn.sint(2), inputs, simd, 6)
        assert type(products) is TernaryPlanes
        check(products, weights, frames(inputs, 3))
    weights = np.array([[1, 1, -1], [0, -1, 0]])
    products = made(weights, bnn.sint(2), inputs, 3, 6)
    given = check(products, weights, frames(inputs, 3))
    low, high = products.range()
    assert low <= min(given) <= max(given) <= high
    counts = (
        [1] if isinstance(inputs, BipolarType) else [1 << j for j in range(element_width(inputs))]
    )
    if element_range(inputs)[0] < 0 and not isinstance(inputs, BipolarType):
        counts[-1] *= -1
    # The three weights of the first row count; with 1 and −1 both ends are reached.
    assert (low, high) == (
        3 * sum(c for c in counts if c < 0),
        3 * sum(c for c in counts if c > 0),
    )


def test_what_any_weights_may_give() -> None:
    """A reloadable unit is as wide as the worst weights of the type need."""
    few = np.ones((2, 3), np.int64)
    signs = made(few, bnn.bipolar, bnn.uint(2), 3, 6)
    assert not signs.has_fixed_offset
    assert made(few, bnn.bipolar, bnn.bipolar, 3, 6).has_fixed_offset
    assert signs.of_any_weights().offsets().tolist() == [9, 0]
    attribute = bnn.DenseAttr.from_numpy(few, bnn.sint(2))
    ternary = products_for("planes", attribute, bnn.bipolar, PE, 3, ternary=True)
    assert not ternary.has_fixed_offset
    assert ternary.of_any_weights().range() == (0, 3)
    assert ternary.of_any_weights().offsets().tolist() == [3, 0, 3]
    assert ternary.scale == 2
    planes = products_for("planes", attribute, bnn.uint(2), PE, 3, ternary=True)
    assert planes.of_any_weights().offsets().tolist() == [9, 0, 0]
    assert products_for("planes", attribute, bnn.uint(2), PE, 3, ternary=True).scale == 1


def test_offsets_are_exact_in_long_rows() -> None:
    """More signs than a byte counts."""
    weights = -np.ones((2, 300), np.int64)
    assert made(weights, bnn.bipolar, bnn.bipolar, 300, 6).offsets().tolist() == [300]
    assert made(weights, bnn.bipolar, bnn.uint(2), 300, 6).offsets().tolist() == [900, 900]


def test_only_a_single_plane_of_signs_leaves_a_carry() -> None:
    """A fold of an even number of bits then has two addends; a whole row, and planes that count
    more or negatively, one."""
    weights = np.ones((2, 8), np.int64)

    def addends(inputs: Attribute, simd: int) -> list[tuple[int, int]]:
        """The ranges of what a row adds, in signals as wide as these need."""
        products = made(weights, bnn.bipolar, inputs, simd, 6)
        b = HwBuilder("p", [*CLOCK_RESET, Port.input("x", 99), Port.input("w", 99)], public=True)
        width = element_width(inputs) * simd
        beat = products.arranged(b, b.extract(b.input("x"), 0, width))
        word = b.extract(b.input("w"), 0, products.rom_bits().shape[1])
        first, second = products.emit_rows(b, [beat] * PE, word)
        for number in (*first, *second):
            assert b.width(number.value) == bits_for(number.low, number.high)
        ranges = [(number.low, number.high) for number in first]
        assert ranges == [(number.low, number.high) for number in second]
        return ranges

    assert addends(bnn.bipolar, 4) == addends(bnn.uint(1), 4) == [(0, 3), (0, 1)]
    assert addends(bnn.bipolar, 1) == [(0, 1)]
    assert addends(bnn.bipolar, 8) == [(0, 8)]
    assert addends(bnn.uint(2), 4) == [(0, 12)]
    assert addends(bnn.sint(1), 4) == [(-4, 0)]
    assert addends(bnn.sint(2), 4) == [(-8, 4)]


def test_long_rows_are_several_chains() -> None:
    """Parities build on each other within 63 bits; behind these a new chain begins."""
    rng = np.random.default_rng(5)
    for columns in (64, 70, 130):
        weights = 2 * rng.integers(0, 2, (PE, columns)) - 1
        products = made(weights, bnn.bipolar, bnn.bipolar, columns, 6)
        inputs = 2 * rng.integers(0, 2, (6, columns)) - 1
        check(products, weights, np.concatenate([inputs, weights, -weights]))


def test_a_row_alone_counts_as_it_does_among_others() -> None:
    weights = np.ones((2, 4), np.int64)
    products = made(weights, bnn.bipolar, bnn.uint(2), 4, 6)
    b = HwBuilder("p", [*CLOCK_RESET, Port.input("x", 8), Port.output("y", 4)], public=True)
    beat = products.arranged(b, b.input("x"))
    ones = b.const(0, 4)
    number = products.emit(b, beat, ones)
    b.output("y", number.value)
    circuit = HwSimulator(ModuleOp([b.finish()]), "p")
    assert circuit.step({"aresetn": 1, "x": 0b11_10_01_00})["y"] == 6
    assert (number.low, number.high) == (0, 12)


def test_counts_are_complete_unless_a_carry_is_asked_for() -> None:
    b = HwBuilder("p", [*CLOCK_RESET, Port.input("x", 4)], public=True)
    matching = b.slices(b.input("x"), 1)
    digits, further = count_matches(b, matching, 6)
    assert (len(digits), further) == (3, None)
    digits, further = count_matches(b, matching, 6, complete=False)
    assert len(digits) == 2
    assert further is not None
