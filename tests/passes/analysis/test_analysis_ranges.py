"""Every integer that a network computes is one that the range analysis expects."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from drawn_networks import random_networks
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.interpreter import Interpreter, PythonValues
from xdsl.ir import Block, Operation, Region

from irc.dialects import bnn
from irc.fuzz.networks.random_network import RandomNetwork
from irc.interp.run import entry_function, make_interpreter
from irc.passes.analysis import ranges
from irc.passes.analysis.ranges import RangeAnalysis, Reachable, linear_range


class RangeChecker(Interpreter.Listener):
    """Asserts that every exact result lies in its reachable set; counts how many it saw."""

    def __init__(self) -> None:
        self.analysis = RangeAnalysis()
        self.seen = 0

    def did_interpret_op(self, op: Operation, results: PythonValues) -> None:
        for value, array in zip(op.results, results, strict=True):
            reachable = self.analysis.of(value)
            if reachable is None:
                continue
            self.seen += 1
            assert (array >= reachable.low).all()
            assert (array <= reachable.high).all()
            assert ((array - reachable.low) % reachable.step == 0).all()


@settings(max_examples=40, deadline=None)
@given(random_networks())
def test_networks_stay_in_range(network: RandomNetwork) -> None:
    module = network.lowered("bnn")
    checker = RangeChecker()
    interpreter = make_interpreter(module)
    interpreter.listeners = (checker,)
    interpreter.call_op(entry_function(module).sym_name.data, (network.frames,))
    assert checker.seen


@given(st.data())
def test_sums_of_small_vectors_fill_their_range(data: st.DataObject) -> None:
    columns = data.draw(st.integers(1, 4))
    weights = data.draw(hnp.arrays(np.int64, (1, columns), elements=st.integers(-4, 4)))
    lows = data.draw(hnp.arrays(np.int64, columns, elements=st.integers(-5, 5)))
    counts = data.draw(hnp.arrays(np.int64, columns, elements=st.integers(0, 3)))
    steps = data.draw(hnp.arrays(np.int64, columns, elements=st.integers(1, 3)))
    source = Reachable(lows, lows + counts * steps, steps)
    inputs = np.array(list(np.ndindex(*(counts + 1)))) * steps + lows
    sums = inputs @ weights[0]
    found = linear_range(bnn.DenseAttr.from_integers(weights), source)
    assert found.low[0] == sums.min()
    assert found.high[0] == sums.max()
    assert not ((sums - sums.min()) % found.step[0]).any()


def test_bipolar_weights_and_blocks_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    signs = 2 * rng.integers(0, 2, (7, 12)) - 1
    expected = linear_range(
        bnn.DenseAttr.from_numpy(signs, bnn.bipolar), Reachable.uniform(-3, 5, 2)
    )
    monkeypatch.setattr(ranges, "ROWS_AT_ONCE", 20)
    blocks = linear_range(bnn.DenseAttr.from_numpy(signs, bnn.sint(2)), Reachable.uniform(-3, 5, 2))
    for name in ("low", "high", "step"):
        np.testing.assert_array_equal(getattr(blocks, name), getattr(expected, name))


def test_constant_channels_do_not_spoil_the_step() -> None:
    merged = Reachable(np.array([-3, 1]), np.array([3, 1]), np.array([2, 1])).merged()
    assert (merged.low, merged.high, merged.step) == (-3, 3, 2)


def threshold(at: Any, steps: Any, bias: int, element_type: Any, source: Any) -> bnn.ThresholdOp:
    block = Block(arg_types=[TensorType(source, [1])])
    return bnn.ThresholdOp(
        block.args[0],
        bnn.DenseAttr.from_integers(at),
        element_type,
        bias,
        None if steps is None else bnn.DenseAttr.from_integers(steps),
    )


@given(st.data())
def test_codes_of_thresholds_are_those_that_occur(data: st.DataObject) -> None:
    count = data.draw(st.integers(0, 4))
    at = data.draw(hnp.arrays(np.int64, (1, count), elements=st.integers(-6, 6)))
    steps = data.draw(hnp.arrays(np.int64, (1, count), elements=st.integers(-2, 2)))
    low = data.draw(st.integers(-6, 5))
    step = data.draw(st.integers(1, 3))
    integers = np.arange(low, low + data.draw(st.integers(0, 5)) * step + 1, step)
    op = threshold(at, steps, 0, bnn.sint(8), bnn.sint(8))
    source = Reachable.uniform(int(integers[0]), int(integers[-1]), step)
    codes = ((integers[:, None] >= at) * steps).sum(axis=1)
    found = ranges.threshold_range(op, source)
    assert found.low[0] == codes.min()
    assert found.high[0] == codes.max()
    assert not ((codes - codes[0]) % found.step[0]).any()


def test_deep_networks_are_no_recursion() -> None:
    block = Block(arg_types=[TensorType(bnn.bipolar, [3])])
    weights = bnn.DenseAttr.from_numpy(np.ones((3, 3)), bnn.bipolar)
    zero = bnn.DenseAttr.from_integers(np.zeros((1, 1), np.int64))
    value = block.args[0]
    for _ in range(3000):
        linear = bnn.LinearOp(value, weights, bnn.sint(3))
        sign = bnn.ThresholdOp(linear.output, zero, bnn.bipolar)
        block.add_ops([linear, sign])
        value = sign.output
    block.add_op(ReturnOp(value))
    ModuleOp([FuncOp("f", ([block.args[0].type], [value.type]), Region(block))])
    reachable = RangeAnalysis().of(value)
    assert reachable is not None
    assert (reachable.low, reachable.high, reachable.step) == (-1, 1, 2)
