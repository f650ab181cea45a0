"""Equal rows are summed once, and nothing else changes, at any level below."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_streamline_redundant_channels import Net, rows, signs
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from irc.counters import collect
from irc.dialects import bnn
from irc.dialects.dense import DenseAttr
from irc.flow.lowering import lower_to
from irc.interp.run import run_module
from irc.loading import new_context
from irc.passes.streamline.share_equal_rows import ShareEqualRows, equal_rows

Array = npt.NDArray[Any]


def shared(module: ModuleOp, frames: Array) -> dict[str, int]:
    """What was saved; results at level bnn stay."""
    (expected,) = run_module(module, [frames])
    with collect() as counters:
        ShareEqualRows(1).apply(Context(), module)
    module.verify()
    np.testing.assert_array_equal(run_module(module, [frames])[0], expected)
    return dict(counters)


def test_rows_come_in_parts_of_the_same_order() -> None:
    matrix = np.array([[1, -1], [1, 1], [1, -1], [-1, 1], [1, -1], [-1, 1]])
    parts = equal_rows(DenseAttr.from_numpy(matrix, bnn.bipolar))
    assert parts == [[0, 3, 1], [2, 5], [4]]
    assert (matrix[parts[1]] == matrix[parts[0][:2]]).all()


def test_what_is_saved_is_counted() -> None:
    rng = np.random.default_rng(0)
    first = signs(rng, 6, 10)
    first[4], first[5] = first[1], first[1]
    net = Net((10,)).weigh(first).threshold(rng.integers(-4, 5, (6, 1)))
    module = net.weigh(signs(rng, 3, 6)).module()
    counters = shared(module, signs(rng, 30, 10))
    assert rows(module) == [4, 3]
    assert counters == {
        "equal rows of weights shared": 2,
        "channels saved": 2,
        "bits of weights saved": 20,
        "multiplications a frame saved": 20,
    }


@given(st.integers(0, 2**32 - 1))
@settings(
    deadline=None, max_examples=40, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
def test_no_result_changes_at_level_bnn(seed: int) -> None:
    module, frames = random_network(np.random.default_rng(seed))
    shared(module, frames)


@pytest.mark.parametrize("level", ["dataflow", "packed"])
@pytest.mark.parametrize("seed", range(3))
def test_no_result_changes_below(level: str, seed: int) -> None:
    module, frames = random_network(np.random.default_rng(seed))
    (expected,) = run_module(module, [frames])
    assert shared(module, frames)
    lower_to(new_context(), module, level)
    np.testing.assert_array_equal(run_module(module, [frames])[0], expected)


def random_network(rng: np.random.Generator) -> tuple[ModuleOp, Array]:
    """A convolution or a dense layer with rows that are alike, thresholds, and another layer."""
    channels, kinds, image = int(rng.integers(2, 9)), int(rng.integers(1, 4)), rng.random() < 0.5
    shape = (4, 4, 3) if image else (9,)
    weights = signs(rng, kinds, *((2, 2, 3) if image else (9,)))[rng.integers(0, kinds, channels)]
    weights[-1] = weights[0]
    net = Net(shape).weigh(weights)
    multi = rng.random() < 0.5
    levels = 3 if multi else 1
    at = np.sort(rng.integers(-9, 10, (1 if rng.random() < 0.2 else channels, levels)), axis=1)
    net.threshold(at, bnn.uint(2) if multi else bnn.bipolar)
    places = 9 if image else 1
    if image:
        net.add(bnn.ReshapeOp(net.value, (places * channels,)))
    return net.weigh(signs(rng, 2, places * channels)).module(), signs(rng, 20, *shape)
