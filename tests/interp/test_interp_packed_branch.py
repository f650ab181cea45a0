"""The packed interpreter on sums, moves of bits that end in mid-word, floats, depthwise kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import irc
from irc.dialects.dense import DenseAttr, bipolar, uint
from irc.dialects.packed_types import WORD_WIDTHS, to_planes

Array = npt.NDArray[Any]


def run(body: str, frames: Array, kind: str, shape: str, result: str) -> Array:
    """What a function gives that packs frames [N, shape] to %1 and leaves an array in %9."""
    size = int(np.prod([int(dim) for dim in shape.split("x")]))
    length = int(np.prod([int(dim) for dim in result.split("x")[:-1]]))
    array = f"!packed.array<{length}x{result.split('x')[-1]}>"
    module = irc.parse(f"""
        func.func @net(%x: tensor<{shape}x{kind}>) -> tensor<{result}> {{
          %0 = packed.input %x : tensor<{shape}x{kind}> -> !packed.array<{size}x{kind}>
          {body.replace("$array", f"!packed.array<{size}x{kind}>").replace("$result", array)}
          %10 = packed.output %9 : {array} -> tensor<{result}>
          func.return %10 : tensor<{result}>
        }}""")
    return irc.evaluate(module, frames)[0]


@pytest.mark.parametrize("word", WORD_WIDTHS)
def test_bits_and_arrays_add_with_multipliers(word: int) -> None:
    frames = np.random.default_rng(1).integers(-2, 2, (5, 2, 11))
    body = f"""
        %1 = packed.pack "p" %0 : $array -> !packed.bits<2x11xsi2, {word}>
        %9 = packed.add "a" %0, %1 multipliers <tensor<2x1xsi4>, [-3, 5]> {{accumulator = si16}}
          : $array, !packed.bits<2x11xsi2, {word}> -> $result"""
    got = run(body, frames, "si2", "2x11", "2x11xsi5")
    assert np.array_equal(got, 2 * frames)


def test_thresholds_of_a_sum_go_by_channels() -> None:
    frames = np.arange(6).reshape(1, 2, 3)
    body = """
        %9 = packed.add "a" %0, %0 at <tensor<3x1xui4>, [0, 3, 9]> bias 0 {accumulator = si16}
          : $array, $array -> $result"""
    got = run(body, frames, "ui3", "2x3", "2x3xui1")
    assert got.tolist() == [[[1, 0, 0], [1, 1, 1]]]


@pytest.mark.parametrize("word", WORD_WIDTHS)
def test_bits_in_mid_word_are_cut_and_joined(word: int) -> None:
    frames = np.random.default_rng(2).integers(0, 4, (4, 3, 21))
    bits = f"!packed.bits<3x21xui2, {word}>"
    part = f"!packed.bits<3x10xui2, {word}>"
    # Elements 7 to 16 of each row behind the whole row; the sum with 0 takes them out of bits.
    body = f"""
        %1 = packed.pack "p" %0 : $array -> {bits}
        %2 = packed.slice "s" %1 shape [3 : i64, 21 : i64] offsets [0 : i64, 7 : i64]
          sizes [3 : i64, 10 : i64] strides [1 : i64, 1 : i64] : {bits} -> {part}
        %3 = packed.concat "c" %1, %2 parts 3 : {bits}, {part} -> !packed.bits<3x31xui2, {word}>
        %9 = packed.add "a" %3, %3 multipliers <tensor<2x1xui1>, [1, 0]> {{accumulator = si16}}
          : !packed.bits<3x31xui2, {word}>, !packed.bits<3x31xui2, {word}> -> $result"""
    got = run(body, frames, "ui2", "3x21", "3x31xui2")
    assert np.array_equal(got, np.concatenate([frames, frames[:, :, 7:17]], axis=2))


def test_rows_of_bits_are_repeated_whole() -> None:
    frames = np.array([[[1, 0, 1], [0, 1, 1]]])
    bits = "!packed.bits<2x3xui1, 8>"
    body = f"""
        %1 = packed.pack "p" %0 : $array -> {bits}
        %2 = packed.upsample "u" %1 shape [2 : i64, 3 : i64] factors [2 : i64, 1 : i64]
          : {bits} -> !packed.bits<4x3xui1, 8>
        %9 = packed.add "a" %2, %2 {{accumulator = si16}}
          : !packed.bits<4x3xui1, 8>, !packed.bits<4x3xui1, 8> -> $result"""
    got = run(body, frames, "ui1", "2x3", "4x3xui2")
    assert got.tolist() == [[[2, 0, 2], [2, 0, 2], [0, 2, 2], [0, 2, 2]]]


def test_floats_round_and_clip_and_nan_is_the_least() -> None:
    frames = np.array([[0.5, 1.5, -7.0, 99.0, np.nan, np.inf, -np.inf, 2.4]], np.float32)
    body = """
        %9 = packed.float_quantize "q" %0 ["mul"] of [#bnn.dense<tensor<2xf32>, [1.0, 2.0]>]
          rounding "half_even" min -3 max 5 : $array -> $result"""
    got = run(body, frames, "f32", "8", "8xsi4")
    assert got.tolist() == [[0, 3, -3, 5, -3, 5, -3, 5]]


@pytest.mark.parametrize("word", WORD_WIDTHS)
@pytest.mark.parametrize("depth", [3, 4])
def test_channels_are_counted_side_by_side(word: int, depth: int) -> None:
    generator = np.random.default_rng(3)
    frames = 2 * generator.integers(0, 2, (6, 9, 13)) - 1
    weights = 2 * generator.integers(0, 2, (9, 13)) - 1
    frames[0] = -weights
    words = DenseAttr.from_numpy(to_planes(weights, bipolar, word), uint(word))
    bits = f"!packed.bits<9x13x!bnn.bipolar, {word}>"
    kernel = str(words).removeprefix("#bnn.dense")
    body = f"""
        %1 = packed.pack "p" %0 : $array -> {bits}
        %9 = packed.channel_dense "d" %1, {kernel} depth {depth}
          {{accumulator = si16, weight_type = !bnn.bipolar}} : {bits} -> $result"""
    arguments = (body, frames, "!bnn.bipolar", "9x13", "13xsi5")
    if depth == 3:
        with pytest.raises(Exception, match="3 bits do not count up to 9"):
            run(*arguments)
    else:
        assert np.array_equal(run(*arguments), (frames * weights).sum(axis=1))
