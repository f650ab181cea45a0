"""Bit-planes and multipliers: the same sums, in the same cycles, whichever is chosen."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hardware_nets import (
    CONTEXT,
    Array,
    Hardware,
    fold,
    linear,
    network,
    random_values,
    threshold,
    to_dataflow,
)
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.ir import Attribute
from xdsl.utils.exceptions import VerifyException

from irc.dialects import bnn, dataflow
from irc.dialects.dataflow import Folding
from irc.dialects.dataflow_products import product_luts, smaller_products
from irc.dialects.dense import DenseAttr, element_range, element_width
from irc.errors import IrcError
from irc.interp.run import run_module
from irc.passes.hardware.set_folding import SetFolding
from irc.passes.hardware.units.products import Multipliers, TernaryPlanes, products_of

ROWS, COLUMNS = 3, 4
WEIGHTS = [bnn.bipolar, bnn.uint(1), bnn.sint(1), bnn.sint(2), bnn.uint(3), bnn.sint(4)]
INPUTS = [bnn.bipolar, bnn.uint(1), bnn.uint(2), bnn.sint(1), bnn.sint(3)]
ENCODINGS = [
    (weights, inputs, style)
    for weights in WEIGHTS
    for inputs in INPUTS
    for style in ("planes", "multiply")
    if style == "planes" or element_width(weights) * element_width(inputs) > 1
]
"""One bit times one bit needs no multiplier."""


def all_pairs(element_type: Attribute, others: Attribute) -> tuple[Array, Array]:
    """Weights [rows, K] and a frame [K] that meet in every pair of values, several at a time."""
    values = [
        [-1, 1] if t == bnn.bipolar else list(range(low, high + 1))
        for t, (low, high) in ((t, element_range(t)) for t in (element_type, others))
    ]
    pairs = np.array(list(product(*values)))
    return pairs[None, :, 0], pairs[:, 1]


def net(weights: Array, weight_type: Attribute, input_type: Attribute) -> ModuleOp:
    """A module of one layer, without thresholds."""
    frame = TensorType(input_type, (weights.shape[1],))
    return network(frame, [linear(weights, weight_type, "fc")])


@pytest.mark.parametrize(("weight_type", "input_type", "style"), ENCODINGS)
def test_both_styles_compute_every_pair_of_values(
    weight_type: Attribute, input_type: Attribute, style: str
) -> None:
    weights, frame = all_pairs(weight_type, input_type)
    rng = np.random.default_rng(5)
    frames = np.stack([frame, random_values(rng, input_type, frame.shape)])
    most = [d for d in dataflow.divisors(weights.shape[1]) if d <= 8][-1]
    for simd in {1, most}:
        module = net(weights, weight_type, input_type)
        (expected,) = run_module(module, [frames])
        (layer,) = to_dataflow(module).layers
        assert style in layer.product_choices()
        design = fold(module, [Folding(1, simd, products=style)])
        hardware = Hardware(module)
        played = hardware.play(frames)
        assert np.array_equal(hardware.values(played), expected)
        assert int(np.diff(played.frame_ends)[0]) == design.cycles() == weights.shape[1] // simd


@pytest.mark.parametrize("input_type", [bnn.bipolar, bnn.uint(2), bnn.sint(2)], ids=str)
def test_ternary_weights_are_a_mask_and_a_sign(input_type: Attribute) -> None:
    rng = np.random.default_rng(2)
    weights = rng.integers(-1, 2, (ROWS, COLUMNS * 3))
    module = network(
        TensorType(input_type, (COLUMNS * 3,)),
        [linear(weights, bnn.sint(2), "fc"), threshold(np.array([[0]] * ROWS), bnn.bipolar)],
    )
    frames = random_values(rng, input_type, (8, COLUMNS * 3))
    (expected,) = run_module(module, [frames])
    to_dataflow(module)
    (unit,) = fold(module, [Folding(ROWS, COLUMNS, products="planes")]).units
    assert isinstance(unit, dataflow.MvuOp)
    assert isinstance(products_of(unit), TernaryPlanes)
    hardware = Hardware(module)
    assert np.array_equal(hardware.values(hardware.play(frames)), expected)


def test_the_smaller_one_is_chosen() -> None:
    def weights(bits: int) -> DenseAttr:
        low, high = element_range(bnn.sint(bits))
        return DenseAttr.from_numpy(np.array([[low, high]]), bnn.sint(bits))

    assert smaller_products(weights(2), bnn.uint(2)) == "planes"
    assert smaller_products(weights(8), bnn.uint(8)) == "multiply"
    for bits, inputs in product(range(2, 9), range(1, 9)):
        attribute, input_type = weights(bits), bnn.uint(inputs)
        chosen = smaller_products(attribute, input_type)
        (other,) = {"planes", "multiply"} - {chosen}
        costs = [product_luts(style, attribute, input_type) for style in (chosen, other)]
        assert costs[0] <= costs[1]


def test_a_folding_file_overrides_the_choice(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    module = net(rng.integers(-2, 2, (ROWS, COLUMNS)), bnn.sint(2), bnn.uint(2))
    (unit,) = to_dataflow(module).units
    assert isinstance(unit, dataflow.MvuOp)
    assert unit.product_style(unit.folding) == "planes"
    cycles = unit.cycles()
    path = tmp_path / "net.fold"
    path.write_text('layer "fc" { products = multiply }', encoding="utf-8")
    SetFolding(str(path)).apply(CONTEXT, module)
    module.verify()
    assert isinstance(products_of(unit), Multipliers)
    assert unit.cycles() == cycles


def test_one_bit_by_one_bit_has_nothing_to_multiply(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    module = net(random_values(rng, bnn.bipolar, (ROWS, COLUMNS)), bnn.bipolar, bnn.bipolar)
    (layer,) = to_dataflow(module).layers
    path = tmp_path / "net.fold"
    path.write_text('layer "fc" { products = multiply }', encoding="utf-8")
    with pytest.raises(IrcError, match="unknown products 'multiply'; there are auto, planes"):
        SetFolding(str(path)).apply(CONTEXT, module)
    layer.set_folding(Folding(products="multiply"))
    with pytest.raises(VerifyException, match="products cannot be 'multiply' here"):
        layer.verify()
