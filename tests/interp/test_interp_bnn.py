"""The meaning of every bnn operation, against its definition."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from xdsl.context import Context
from xdsl.dialects.builtin import Builtin
from xdsl.dialects.func import Func
from xdsl.parser import Parser

from irc.dialects import bnn
from irc.interp.bnn import apply_thresholds, exact_matmul
from irc.interp.ewise import apply_ewise, quantize
from irc.interp.run import run_module

Array = npt.NDArray[Any]


def run(operation: str, frames: Array) -> Array:
    """The operation `%y = … %x : source -> result` on frames."""
    context = Context()
    for dialect in (Builtin, Func, bnn.Bnn):
        context.load_dialect(dialect)
    types = operation.rsplit(":", 1)[1]
    source, result = (text.strip() for text in types.split("->"))
    module = Parser(
        context,
        f"func.func @f(%x: {source}) -> {result} {{\n %y = {operation}\n"
        f" func.return %y : {result}\n}}",
    ).parse_module()
    module.verify()
    (found,) = run_module(module, [frames])
    return found


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.int32, np.int64])
@given(data=st.data())
def test_exact_matmul_equals_integers_without_limit(dtype: Any, data: st.DataObject) -> None:
    rows, columns, frames = (data.draw(st.integers(1, 5)) for _ in range(3))
    info = np.iinfo(dtype)
    # Products of two numbers below 2^29, and five of them, still are int64.
    elements = st.integers(max(info.min, -(2**29)), min(info.max, 2**29))
    x = data.draw(hnp.arrays(dtype, (frames, columns), elements=elements))
    weights = data.draw(hnp.arrays(dtype, (rows, columns), elements=elements))
    exact = x.astype(object) @ weights.astype(object).T
    assert (exact_matmul(x, weights) == exact).all()
    # Whatever axes are in front, they are frames and positions.
    assert (exact_matmul(x[:, None, None], weights) == exact[:, None, None]).all()


def test_exact_matmul_where_float32_would_round() -> None:
    x = np.full((1, 1 << 10), -128, np.int8)
    weights = np.full((1, 1 << 10), -128, np.int8)
    weights[0, 0] = 127
    assert exact_matmul(x, weights).tolist() == [[1023 * 128 * 128 - 127 * 128]]


@given(st.data())
def test_thresholds_are_the_sum_of_their_definition(data: st.DataObject) -> None:
    channels, count = data.draw(st.integers(1, 4)), data.draw(st.integers(0, 4))
    rows = data.draw(st.sampled_from((1, channels)))
    elements = st.integers(-5, 5)
    x = data.draw(hnp.arrays(np.int64, (3, 2, channels), elements=elements))
    at = data.draw(hnp.arrays(np.int64, (rows, count), elements=elements))
    steps = data.draw(st.none() | hnp.arrays(np.int64, (rows, count), elements=elements))
    codes = apply_thresholds(x, at, steps, 7)
    for place in np.ndindex(*x.shape):
        row = place[-1] if rows > 1 else 0
        expected = 7 + sum(
            1 if steps is None else int(steps[row, i])
            for i in range(count)
            if x[place] >= at[row, i]
        )
        assert codes[place] == expected


def test_argmax_ties_go_to_the_lowest_index() -> None:
    frames = np.array([[1, 3, 3, 0], [2, 2, 2, 2], [0, 0, 1, 1]])
    found = run("bnn.argmax %x : tensor<4xsi8> -> tensor<ui2>", frames)
    assert found.tolist() == [1, 0, 2]
    kept = run("bnn.argmax %x : tensor<4xsi8> -> tensor<1xui2>", frames)
    assert kept.tolist() == [[1], [0], [2]]


def test_bipolar_codes_are_bits() -> None:
    found = run(
        "bnn.threshold %x at <tensor<1x1xsi8>, [3]> bias 0 "
        ": tensor<2xsi8> -> tensor<2x!bnn.bipolar>",
        np.array([[2, 3]]),
    )
    assert found.dtype == np.int8
    assert found.tolist() == [[-1, 1]]


def test_a_float_sum_has_scaled_weights_and_offsets() -> None:
    found = run(
        "bnn.linear %x, <tensor<2x2x!bnn.bipolar>, [1, -1, 1, 1]>"
        " scales <tensor<2xf32>, [0.5, -2.0]> offsets <tensor<2xf32>, [10.0, 20.0]>"
        " : tensor<2xf32> -> tensor<2xf32>",
        np.array([[3, 1]], np.float32),
    )
    assert found.tolist() == [[11.0, 12.0]]
    assert found.dtype == np.float32


def test_frames_of_higher_rank_keep_channels_last() -> None:
    frames = np.arange(12).reshape(1, 2, 3, 2)
    sums = run(
        "bnn.linear %x, <tensor<1x2xsi2>, [1, -1]> : tensor<2x3x2xsi8> -> tensor<2x3x1xsi9>", frames
    )
    assert sums.tolist() == [[[[-1]] * 3] * 2]
    turned = run("bnn.transpose %x perm [2, 0, 1] : tensor<2x3x2xsi8> -> tensor<2x2x3xsi8>", frames)
    assert turned[0].tolist() == frames[0].transpose(2, 0, 1).tolist()


HALVES = np.array([-2.5, -1.5, -0.5, -0.0, 0.0, 0.5, 1.5, 2.5], np.float32)


@pytest.mark.parametrize(
    ("rounding", "expected"),
    [
        ("half_even", [-2, -2, 0, 0, 0, 0, 2, 2]),
        ("half_up", [-3, -2, -1, 0, 0, 1, 2, 3]),
        ("half_down", [-2, -1, 0, 0, 0, 0, 1, 2]),
        ("floor", [-3, -2, -1, 0, 0, 0, 1, 2]),
        ("ceil", [-2, -1, 0, 0, 0, 1, 2, 3]),
        ("up", [-3, -2, -1, 0, 0, 1, 2, 3]),
        ("down", [-2, -1, 0, 0, 0, 0, 1, 2]),
        ("bipolar", [-1, -1, -1, 1, 1, 1, 1, 1]),
        ("positive", [-1, -1, -1, -1, -1, 1, 1, 1]),
        ("sign", [-1, -1, -1, 0, 0, 1, 1, 1]),
    ],
)
def test_ties(rounding: str, expected: list[int]) -> None:
    assert quantize(rounding, HALVES, -8, 7).tolist() == expected


LARGE = np.array([-1e30, -9, 9, 1e30], np.float32)


def test_quantize_clips() -> None:
    assert quantize("half_even", LARGE, -8, 7).tolist() == [-8, -8, 7, 7]


FUNCTIONS: dict[str, tuple[float | None, list[float]]] = {
    "add": (0.5, [-1.5, 0.5, 4.5]),
    "sub": (0.5, [-2.5, -0.5, 3.5]),
    "rsub": (0.5, [2.5, 0.5, -3.5]),
    "mul": (-2, [4, 0, -8]),
    "div": (4, [-0.5, 0, 1]),
    "rdiv": (1, [-0.5, np.inf, 0.25]),
    "max": (1, [1, 1, 4]),
    "min": (1, [-2, 0, 1]),
    "pow": (2, [4, 0, 16]),
    "prelu": (0.25, [-0.5, 0, 4]),
    "neg": (None, [2, 0, -4]),
    "relu": (None, [0, 0, 4]),
    "abs": (None, [2, 0, 4]),
    "floor": (None, [-2, 0, 4]),
    "ceil": (None, [-2, 0, 4]),
    "round": (None, [-2, 0, 4]),
    "sign": (None, [-1, 0, 1]),
    "sqrt": (None, [np.nan, 0, 2]),
    "reciprocal": (None, [-0.5, np.inf, 0.25]),
    "softsign": (None, [-2 / 3, 0, 0.8]),
    "sigmoid": (None, [1 / (1 + np.e**2), 0.5, 1 / (1 + np.e**-4)]),
    "tanh": (None, [np.tanh(-2), 0, np.tanh(4)]),
    "exp": (None, [np.exp(-2), 1, np.exp(4)]),
    "log": (None, [np.nan, -np.inf, np.log(4)]),
    "erf": (None, [-0.9953222650189527, 0, 0.9999999845827421]),
    "softplus": (None, [np.log1p(np.exp(-2)), np.log(2), np.log1p(np.exp(4))]),
}


def test_every_function_is_tested() -> None:
    assert set(FUNCTIONS) == set(bnn.BINARY_FUNCTIONS) | set(bnn.UNARY_FUNCTIONS)


@pytest.mark.parametrize("fn", FUNCTIONS)
def test_functions(fn: str) -> None:
    constant, expected = FUNCTIONS[fn]
    x = np.array([-2, 0, 4], np.float32)
    found = apply_ewise(fn, x, None if constant is None else np.array(constant))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.array(expected, np.float32), rtol=1e-6)
