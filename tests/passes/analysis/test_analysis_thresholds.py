"""Folded thresholds equal the float chain on every integer that can occur."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from chain_builder import Case, cases
from hypothesis import given, settings
from xdsl.context import Context

from irc.dialects import bnn, onnx
from irc.errors import IrcError
from irc.interp.ewise import apply_ewise
from irc.interp.run import run_module
from irc.passes.analysis.chain import Chain
from irc.passes.streamline.fold_thresholds import FoldThresholds, margin_of

Array = npt.NDArray[Any]


def folded(case: Case) -> tuple[bnn.ThresholdOp, Array]:
    """The one threshold that replaces the chain, and its results for every integer."""
    module = case.build()
    module.verify()
    FoldThresholds().apply(Context(), module)
    module.verify()
    (op,) = (op for op in module.walk() if isinstance(op, bnn.ThresholdOp))
    assert not any(isinstance(op, bnn.EwiseOp | bnn.QuantizeOp) for op in module.walk())
    (results,) = run_module(module, [case.frames()])
    return op, results


def is_finite(case: Case) -> bool:
    """Whether no function of the chain gives NaN or infinity."""
    x = case.frames().astype(np.float32)
    if case.weights is not None:
        x = (case.frames() * case.weights).astype(np.float32)
    for fn, constant in case.functions:
        x = apply_ewise(fn, x, constant)
        if not np.isfinite(x).all():
            return False
    return True


@settings(deadline=None, max_examples=300)
@given(cases())
def test_thresholds_equal_the_chain_everywhere(case: Case) -> None:
    if not is_finite(case):
        with pytest.raises(IrcError, match="gives NaN or infinity"):
            folded(case)
        return
    (expected,) = run_module(case.build(), [case.frames()])
    op, results = folded(case)
    np.testing.assert_array_equal(results, expected)
    assert margin_of(op) is not None


def _unknown(chain: Chain) -> None:
    """No direction: everything is tabulated."""


@settings(deadline=None, max_examples=50)
@given(cases())
def test_bisection_and_tabulation_agree(case: Case) -> None:
    if not is_finite(case):
        return
    _, expected = folded(case)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Chain, "direction", _unknown)
        _, tabulated = folded(case)
    np.testing.assert_array_equal(tabulated, expected)


def chain(
    functions: list[tuple[str, Any]],
    rounding: str,
    result: Any = bnn.bipolar,
    channels: int = 1,
    weights: Array | None = None,
    source: Any = None,
) -> Case:
    constants = [(fn, None if c is None else np.array(c, np.float32)) for fn, c in functions]
    low_high = (-1, 1) if rounding == "sign" else (None, None)
    return Case(source or bnn.sint(4), channels, weights, constants, rounding, result, low_high)


def test_ties_round_half_to_even() -> None:
    # 0.5, 1.5 and 2.5 are 1, 3 and 5 halves: they become 0, 2 and 2.
    op, results = folded(chain([("div", 2)], "half_even", bnn.sint(4)))
    codes = dict(zip(range(-8, 8), results[:, 0].astype(int).tolist(), strict=True))
    assert [codes[i] for i in (-5, -3, -1, 0, 1, 3, 5)] == [-2, -2, 0, 0, 0, 2, 2]
    assert margin_of(op) == []


def test_zero_is_positive_to_bipolar() -> None:
    op, results = folded(chain([], "bipolar"))
    assert results[:, 0].tolist() == [-1.0] * 8 + [1.0] * 8
    assert op.thresholds.numpy().tolist() == [[0]]


def test_sign_keeps_a_zero_that_occurs() -> None:
    op, results = folded(chain([], "sign", bnn.sint(2)))
    assert results[:, 0].tolist() == [-1.0] * 8 + [0.0] + [1.0] * 7
    assert bnn.frame_type(op.output).element_type == bnn.sint(2)


@pytest.mark.parametrize("functions", [[("mul", 2), ("sub", 1)], [("pow", 2), ("sub", 2)]])
def test_sign_without_a_zero_is_bipolar(functions: list[tuple[str, Any]]) -> None:
    op, _ = folded(chain(functions, "sign", bnn.sint(2)))
    assert bnn.frame_type(op.output).element_type == bnn.bipolar


def test_odd_sums_are_never_zero() -> None:
    # 3·x of odd x: the integers between are not reachable.
    case = chain([], "sign", bnn.sint(2), 2, np.array([3, -1]), bnn.bipolar)
    module = case.build()
    FoldThresholds().apply(Context(), module)
    (op,) = (op for op in module.walk() if isinstance(op, bnn.ThresholdOp))
    assert bnn.frame_type(op.output).element_type == bnn.bipolar


def test_a_falling_slope_negates_the_row_of_weights() -> None:
    functions = [("mul", [1.0, -1.0]), ("add", 3)]
    op, _ = folded(chain(functions, "bipolar", channels=2, weights=np.array([-2, 3])))
    assert op.steps is None
    assert op.thresholds.numpy().tolist() == [[-2], [-3]]
    linear = op.input.owner
    assert isinstance(linear, bnn.LinearOp)
    assert linear.weights.numpy().tolist() == [[-2], [-3]]


def test_a_falling_slope_without_weights_steps_down() -> None:
    op, _ = folded(chain([("neg", None)], "bipolar"))
    assert op.steps is not None
    assert op.thresholds.numpy().tolist() == [[1]]
    assert op.steps.numpy().tolist() == [[-1]]
    assert op.bias.value.data == 1


def test_zero_gamma_is_a_constant_channel() -> None:
    functions = [("mul", [0.0, 0.0, 1.0]), ("add", [0.5, -0.5, 0.0])]
    op, results = folded(chain(functions, "bipolar", channels=3))
    assert results[:, 0].tolist() == [1.0] * 16
    assert results[:, 1].tolist() == [-1.0] * 16
    assert op.thresholds.shape == (3, 1)


def test_the_node_that_gives_infinity_is_named() -> None:
    case = chain([("div", 0.0), ("relu", None)], "bipolar")
    module = case.build()
    for op in module.walk():
        op.location = onnx.node_location(op.name)
    with pytest.raises(IrcError, match="function 'div' gives NaN or infinity") as caught:
        FoldThresholds().apply(Context(), module)
    assert caught.value.location is not None
    assert onnx.location_name(caught.value.location) == "bnn.ewise"


def test_a_constant_by_pixel_is_refused() -> None:
    case = chain([("add", np.zeros((2, 1)))], "bipolar")
    module = case.build()
    with pytest.raises(IrcError, match=r"a constant of shape \[2, 1\] differs between pixels"):
        FoldThresholds().apply(Context(), module)


def test_a_huge_table_is_refused() -> None:
    case = chain([("abs", None)], "bipolar", source=bnn.sint(32))
    with pytest.raises(IrcError, match="4294967296 possible inputs; at most 16777216"):
        FoldThresholds().apply(Context(), case.build())


def test_a_wide_monotone_chain_is_bisected() -> None:
    module = chain([("sub", 123456.0)], "bipolar", source=bnn.sint(32)).build()
    FoldThresholds().apply(Context(), module)
    (op,) = (op for op in module.walk() if isinstance(op, bnn.ThresholdOp))
    assert op.thresholds.numpy().tolist() == [[123456]]
