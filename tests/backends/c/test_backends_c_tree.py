"""Straight code counts bits, and looks sums up, as the bnn level says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_networks import (
    SANITIZE,
    check_kernels,
    conv,
    dense,
    linear,
    network,
    packed_of,
    signs,
    threshold,
)
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Region

from irc.backends.c.kernels.tree import CarrySave, tree_lines
from irc.dialects import bnn
from irc.dialects.dense import bipolar, sint, uint
from irc.dialects.packed_pairs import pair_words
from irc.passes.software.choose_kernels import block_words


def calculated(lines: list[str], total: str, x: list[int], w: list[int]) -> int:
    """What C computes: its expressions are Python's, but for 32 bits."""
    values: dict[str, Any] = {"x": x, "w": w}

    def value(expression: str) -> int:
        plain = re.sub(r"(\b0x[0-9A-F]+|\b\d+)u\b", r"\1", expression)
        plain = re.sub(r"\((\w+) \* (0x[0-9A-F]+)\)", r"((\1 * \2) & 0xFFFFFFFF)", plain)
        return int(eval(plain, {}, values)) & 0xFFFFFFFF

    for line in lines:
        found = re.fullmatch(r"const uint32_t (\w+) = (.*);", line)
        assert found is not None, line
        values[found[1]] = value(found[2])
    return value(total)


@given(levels=st.lists(st.integers(0, 3), min_size=1, max_size=30), data=st.data())
def test_a_tree_weighs_words_by_their_levels(levels: list[int], data: st.DataObject) -> None:
    size = len(levels)
    words = data.draw(st.lists(st.integers(0, 2**32 - 1), min_size=size, max_size=size))
    tree = CarrySave()
    for number, level in enumerate(levels):
        tree.add(level, tree.name(f"x[{number}]"))
    expected = sum(word.bit_count() << level for word, level in zip(words, levels, strict=True))
    total = tree.total(sum(1 << level for level in levels))
    assert calculated(tree.lines, total, words, []) == expected


@given(data=st.data(), words=st.integers(1, 62))
def test_a_tree_counts_ones(data: st.DataObject, words: int) -> None:
    word = st.one_of(st.integers(0, 2**32 - 1), st.sampled_from([0, 2**32 - 1]))
    x = data.draw(st.lists(word, min_size=words, max_size=words))
    w = data.draw(st.lists(word, min_size=words, max_size=words))
    lines, total = tree_lines(words, "x", "w")
    paired = [pair_words(np.array(row, np.uint32)).tolist() for row in (x, w)]
    ones = sum((a ^ b).bit_count() for a, b in zip(x, w, strict=True))
    assert calculated(lines, total, *paired) == ones


@pytest.mark.parametrize("words", [1, 31, 62])
def test_a_tree_counts_all_ones(words: int) -> None:
    lines, total = tree_lines(words, "x", "w")
    w = pair_words(np.full(words, 2**32 - 1, np.uint32)).tolist()
    assert calculated(lines, total, [0] * words, w) == 32 * words


@given(words=st.integers(1, 500), cap=st.integers(1, 62))
def test_blocks_are_pairs_and_take_no_more_code_than_allowed(words: int, cap: int) -> None:
    block = block_words(words, cap)
    rest = words % block
    assert block == words or block % 2 == 0
    assert block + rest <= max(cap, 3)


PLANES: list[tuple[Attribute, int]] = [
    (uint(2), 1),
    (sint(2), 1),
    (sint(3), 2),
    (uint(2), 3),
    (bipolar, 2),
    (bipolar, 4),
]
"""Types of activations, and bits of signed weights, 1 of bipolar ones."""


def multi_bit(columns: int, element: Attribute, bits: int) -> ModuleOp:
    """A dense layer by bit-planes with two thresholds."""
    random = np.random.default_rng(columns)
    low, high = (-(1 << bits >> 1), 1 << bits >> 1)
    values = random.integers(low, high, (35, columns))
    integers = bnn.DenseAttr.from_numpy(values, sint(max(bits, 2)))
    weights = signs(random, 35, columns) if bits == 1 else integers
    layers = [linear(weights), threshold(random, 35, 3 * columns, 2)]
    return network(TensorType(element, [columns]), layers)


def twice(columns: int) -> ModuleOp:
    """Two layers that read the same bits: the first must leave them as they were."""
    random = np.random.default_rng(columns)
    block = Block(arg_types=[TensorType(bipolar, [columns])])
    first = bnn.LinearOp(block.args[0], signs(random, 40, columns), sint(20))
    second = bnn.LinearOp(block.args[0], signs(random, 40, columns), sint(20))
    both = bnn.AddOp(first.output, second.output, sint(21))
    block.add_ops([first, second, both, ReturnOp(both.output)])
    types = (block.arg_types, [both.output.type])
    module = ModuleOp([FuncOp("net", types, Region(block))])
    module.verify()
    return module


WIDTHS = (1, 31, 32, 33, 64, 70, 96, 130, 784, 1000, 1024, 1152, 2304, 2500)


def networks() -> dict[str, tuple[ModuleOp, ModuleOp]]:
    """Networks by name, at level bnn and packed."""
    found: dict[str, tuple[ModuleOp, ModuleOp]] = {}
    for columns in WIDTHS:
        module = dense(columns, 33 + columns % 32)
        for unroll in (160, 1024):
            name = f"d{columns}_{unroll}"
            found[name] = module, packed_of(module, unroll=unroll, least_results=1)
    for columns in (33, 784, 1152):
        module = dense(columns, 33)
        found[f"b{columns}"] = module, packed_of(module, popcount="builtin", least_results=1)
    for columns in (1, 3, 4, 27, 60, 61, 64, 128):
        for high in (1, 3):
            module = dense(columns, 40, uint(8), high)
            found[f"l{columns}_{high}"] = module, packed_of(module)
    for columns in (70, 1152):
        module = dense(columns, 33 + columns % 32)
        for unroll in (160, 1024):
            low = packed_of(module, unroll=unroll, least_results=1, lanes=True)
            found[f"v{columns}_{unroll}"] = module, low
    for columns, unroll in ((5, 1024), (300, 512)):
        for number, (element, bits) in enumerate(PLANES):
            module = multi_bit(columns, element, bits)
            low = packed_of(module, unroll=unroll, least_results=1, lanes=True)
            found[f"vp{columns}_{number}"] = module, low
    found["vt"] = twice(100), packed_of(twice(100), lanes=True)
    found["vc"] = conv(5, 32, 42, 0.0), packed_of(conv(5, 32, 42, 0.0), lanes=True)
    for columns in (64, 100):
        found[f"t{columns}"] = twice(columns), packed_of(twice(columns))
    for columns, unroll in ((5, 1024), (100, 2048), (784, 512), (784, 2048)):
        for number, (element, bits) in enumerate(PLANES):
            module = multi_bit(columns, element, bits)
            name = f"p{columns}_{number}_{unroll}"
            found[name] = module, packed_of(module, unroll=unroll, least_results=1)
    for border in (-1.0, 0.0):
        module = conv(5, 32, 40, border)
        found[f"c{'z' if border == 0 else 'm'}"] = module, packed_of(module)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("flags", [["-O2"], ["-O1", *SANITIZE]], ids=["fast", "sanitized"])
def test_straight_code_equals_bnn(tmp_path: Path, flags: list[str]) -> None:
    cases = networks()
    if SANITIZE[0] in flags:
        # As compilers without vectors take lanes, for some.
        plain = [name for name in cases if name.startswith("v") and name.endswith(("0", "t"))]
        flags = [*flags, *(f"-D{name.upper()}_NO_VECTORS" for name in plain)]
    check_kernels(tmp_path, cases, flags)
