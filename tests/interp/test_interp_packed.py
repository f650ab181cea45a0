"""The packed interpreter computes on words, bit by bit as the kernels' identities say."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from xdsl.dialects.builtin import IntegerType, ModuleOp
from xdsl.ir import Attribute

import irc
from irc.dialects.dense import DenseAttr, bipolar, element_range, sint, uint
from irc.dialects.packed_types import WORD_WIDTHS, pack_words, to_planes

Array = npt.NDArray[Any]

K, M, FRAMES = 45, 6, 5


def values(kind: Attribute, shape: tuple[int, ...], seed: int) -> Array:
    """Random values of an exact type, in the interpreters' NumPy types."""
    generator = np.random.default_rng(seed)
    if kind == bipolar:
        return (2 * generator.integers(0, 2, shape) - 1).astype(np.int8)
    return generator.integers(*element_range(kind), shape, np.int64, endpoint=True)


def network(op: str, kind: Attribute, bits: str, accumulator: IntegerType) -> ModuleOp:
    """One dense kernel that stores its sums."""
    source = f"!packed.array<{K}x{kind}>"
    pack = f'%1 = packed.pack "pack" %0 : {source} -> {bits}' if bits else ""
    operand, source = ("%1", bits) if bits else ("%0", source)
    return irc.parse(f"""
        func.func @net(%x: tensor<{K}x{kind}>) -> tensor<{M}xsi22> {{
          %0 = packed.input %x : tensor<{K}x{kind}> -> !packed.array<{K}x{kind}>
          {pack}
          %2 = {op.replace("$x", operand).replace("$acc", f"accumulator = {accumulator}")}
            : {source} -> !packed.array<{M}xsi22>
          %3 = packed.output %2 : !packed.array<{M}xsi22> -> tensor<{M}xsi22>
          func.return %3 : tensor<{M}xsi22>
        }}""")


def text(constant: DenseAttr) -> str:
    """A constant as it stands in an op."""
    return str(constant).removeprefix("#bnn.dense")


@pytest.mark.parametrize("word", WORD_WIDTHS)
def test_xnor_is_the_dot_product_of_signs(word: int) -> None:
    weights = values(bipolar, (M, K), 1)
    words = DenseAttr.from_numpy(pack_words(weights > 0, word), uint(word))
    op = f'packed.xnor_dense "fc" $x, {text(words)} {{$acc, popcount = "swar"}}'
    module = network(op, bipolar, f"!packed.bits<1x{K}x!bnn.bipolar, {word}>", sint(16))
    frames = values(bipolar, (FRAMES, K), 2)
    assert np.array_equal(irc.evaluate(module, frames)[0], frames.astype(int) @ weights.T)


TYPES = [bipolar, uint(1), uint(2), sint(2), sint(3)]


PAIRS = [(kind, weights) for kind in TYPES for weights in TYPES if not kind == weights == bipolar]


@pytest.mark.parametrize(("kind", "weight_type"), PAIRS, ids=str)
def test_planes_are_the_dot_product(kind: Attribute, weight_type: Attribute) -> None:
    weights = values(weight_type, (M, K), 3)
    words = DenseAttr.from_numpy(to_planes(weights, weight_type, 32), uint(32))
    offsets = DenseAttr.from_integers(-weights.astype(int).sum(axis=1))
    more = f", offsets = {offsets}" if kind == bipolar else ""
    op = (
        f'packed.plane_dense "fc" $x, {text(words)} '
        f'{{$acc, weight_type = {weight_type}, popcount = "swar"{more}}}'
    )
    module = network(op, kind, f"!packed.bits<1x{K}x{kind}, 32>", sint(32))
    frames = values(kind, (FRAMES, K), 4)
    assert np.array_equal(irc.evaluate(module, frames)[0], frames.astype(int) @ weights.T)


def test_signs_add_or_subtract() -> None:
    weights = values(bipolar, (M, K), 5)
    words = DenseAttr.from_numpy(pack_words(weights > 0, 16), uint(16))
    op = f'packed.sign_dense "fc" $x, {text(words)} {{$acc, size = {K} : i64}}'
    frames = values(uint(8), (FRAMES, K), 6)
    got = irc.evaluate(network(op, uint(8), "", sint(32)), frames)[0]
    assert np.array_equal(got, frames @ weights.astype(int).T)


def test_a_sum_wraps_in_an_accumulator_that_is_too_narrow() -> None:
    weights = DenseAttr.from_numpy(np.full((M, K), 127), sint(8))
    op = f'packed.int_dense "fc" $x, {text(weights)} {{$acc}}'
    frames = np.full((1, K), 255)
    wide = irc.evaluate(network(op, uint(8), "", sint(32)), frames)[0]
    assert wide[0, 0] == 127 * 255 * K
    narrow = irc.evaluate(network(op, uint(8), "", sint(16)), frames)[0]
    assert narrow[0, 0] == np.int64(127 * 255 * K).astype(np.int16)


def test_argmax_takes_the_first_of_equals() -> None:
    module = irc.parse("""
        func.func @net(%x: tensor<2x3xsi4>) -> tensor<2xui2> {
          %0 = packed.input %x : tensor<2x3xsi4> -> !packed.array<6xsi4>
          %1 = packed.argmax "best" %0 : !packed.array<6xsi4> -> !packed.array<2xui2>
          %2 = packed.output %1 : !packed.array<2xui2> -> tensor<2xui2>
          func.return %2 : tensor<2xui2>
        }""")
    frames = np.array([[[1, 5, 5], [-8, -8, -8]], [[7, 0, 7], [-1, -2, 0]]])
    assert irc.evaluate(module, frames)[0].tolist() == [[1, 0], [0, 2]]
