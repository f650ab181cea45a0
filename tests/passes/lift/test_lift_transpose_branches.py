"""Networks with branches keep one transpose, at their input, and give what they gave."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lift_models import Net
from lift_nodes import assert_same_floats, count_ops
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block

from irc.dialects import bnn

CHANNELS = 4

FRAMES = np.random.default_rng(0).integers(-3, 4, (6, CHANNELS, 4, 6)).astype(np.float32)


class Branches:
    """A network on images [4, 4, 6] from a list of random choices."""

    def __init__(self, data: st.DataObject) -> None:
        self.data = data
        self.net = Net((1, CHANNELS, 4, 6))
        self.rng = np.random.default_rng(data.draw(st.integers(0, 99)))

    def conv(self, value: str, inputs: int = CHANNELS, kernel: int = 3) -> str:
        weights = self.rng.integers(-1, 2, (CHANNELS, inputs, kernel, kernel))
        border = kernel // 2
        return self.net.add("Conv", value, self.net.const(weights), pads=[border] * 4)

    def tail(self, value: str) -> str:
        """A function of each element, with a constant a channel."""
        constant = self.net.const(self.rng.integers(-2, 3, (CHANNELS, 1, 1)))
        value = self.net.add("Add", value, constant)
        return self.net.add("Clip", value, self.net.const(-4), self.net.const(4))

    def layer(self, value: str) -> str:
        kind = self.data.draw(st.sampled_from(["conv", "add", "concat", "split", "up", "slice"]))
        net = self.net
        match kind:
            case "conv":
                return self.tail(self.conv(value))
            case "add":
                left = self.tail(self.conv(value))
                right = value if self.data.draw(st.booleans()) else self.conv(value, kernel=1)
                return self.tail(net.add("Add", left, right))
            case "concat":
                both = [self.conv(value), self.data.draw(st.sampled_from([value, "x"]))]
                both = self.data.draw(st.permutations(both))
                return self.tail(self.conv(net.add("Concat", *both, axis=1), 2 * CHANNELS))
            case "split":
                first = net.add("Split", value, outputs=2, axis=1)
                other = net.add("Conv", f"{first}_1", net.const(np.ones((2, 2, 1, 1))))
                return self.tail(net.add("Concat", other, net.add("Neg", first), axis=1))
            case "up":
                factors = net.const([1, 1, 2, 2])
                large = net.add(
                    "Resize",
                    value,
                    "",
                    factors,
                    nearest_mode="floor",
                    coordinate_transformation_mode="asymmetric",
                )
                pooled = net.add("MaxPool", self.conv(large), kernel_shape=[2, 2], strides=[2, 2])
                return self.tail(pooled)
            case _:
                numbers = [net.const([n], np.int64) for n in (1, 5, 3)]
                part = net.add("Slice", value, *numbers)
                part = net.add("Tile", part, net.const([1, 1, 1, 3], np.int64))
                again = net.add("Slice", part, *(net.const([n], np.int64) for n in (0, 6, 3)))
                return self.tail(self.conv(again))


def kept_transposes(module: ModuleOp) -> list[bnn.TransposeOp]:
    return [op for op in module.walk() if isinstance(op, bnn.TransposeOp)]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.data())
def test_transposes_are_at_the_input_only(data: st.DataObject) -> None:
    branches = Branches(data)
    value = branches.conv("x")
    for _ in range(data.draw(st.integers(1, 4))):
        value = branches.layer(value)
    net = branches.net
    value = net.add("Flatten", net.add("MaxPool", value, kernel_shape=[2, 2], strides=[2, 2]))
    weights = branches.rng.integers(-1, 2, (CHANNELS * 2 * 3, 3))
    value = net.add("MatMul", value, net.const(weights))
    module = assert_same_floats(net.model(value), FRAMES)
    (transpose,) = kept_transposes(module)
    assert isinstance(transpose.input.owner, Block)
    assert count_ops(module, "bnn.conv") == sum(n.op_type == "Conv" for n in net.nodes)


@pytest.mark.parametrize("swapped", [False, True])
def test_lines_of_which_one_permutation_is_both(swapped: bool) -> None:
    """Along one axis in space, a permutation is its own inverse."""
    net = Net((1, 3, 8))
    rng = np.random.default_rng(0)
    value = net.add("Conv", "x", net.const(rng.integers(-1, 2, (3, 3, 3))), pads=[1, 1])
    both = ("x", value) if swapped else (value, "x")
    value = net.add("Relu", net.add("Add", *both))
    value = net.add("Conv", value, net.const(rng.integers(-1, 2, (2, 3, 1))))
    value = net.add("GlobalMaxPool", value)
    frames = rng.integers(-3, 4, (5, 3, 8)).astype(np.float32)
    module = assert_same_floats(net.model(value), frames)
    transposes = kept_transposes(module)
    assert isinstance(transposes[0].input.owner, Block)
    assert len(transposes) == 2, "one behind the input, and one before the result"


def test_rows_take_the_transpose_of_a_decoder() -> None:
    """A dense layer whose result is shaped into an image for a convolution."""
    net = Net((1, 5))
    rng = np.random.default_rng(0)
    value = net.add("MatMul", "x", net.const(rng.integers(-1, 2, (5, 24))))
    value = net.add("Add", value, net.const(rng.integers(-2, 3, 24)))
    value = net.add("Reshape", value, net.const([-1, 2, 3, 4], np.int64))
    value = net.add("Relu", value)
    value = net.add("Conv", value, net.const(rng.integers(-1, 2, (2, 2, 2, 2))))
    value = net.add("MatMul", net.add("Flatten", value), net.const(np.ones((12, 1))))
    frames = rng.integers(-3, 4, (20, 5)).astype(np.float32)
    assert not kept_transposes(assert_same_floats(net.model(value), frames))


def test_flattened_branches_that_are_added() -> None:
    net = Net((1, 2, 3, 4))
    rng = np.random.default_rng(0)
    flat = [
        net.add("Flatten", net.add("Conv", "x", net.const(rng.integers(-1, 2, (3, 2, 2, 2)))))
        for _ in range(2)
    ]
    value = net.add("Relu", net.add("Add", *flat))
    value = net.add("MatMul", value, net.const(rng.integers(-1, 2, (18, 2))))
    frames = rng.integers(-3, 4, (20, 2, 3, 4)).astype(np.float32)
    module = assert_same_floats(net.model(value), frames)
    assert len(kept_transposes(module)) == 1
    assert count_ops(module, "bnn.reshape") == 1


def test_a_value_with_many_readers_is_transposed_once() -> None:
    net = Net((1, 3, 4, 4))
    rng = np.random.default_rng(0)
    start = net.add("Div", "x", net.const(2))
    parts = [net.add("Conv", start, net.const(rng.integers(-1, 2, (2, 3, 1, 1)))) for _ in range(3)]
    value = net.add("Concat", *parts, start, axis=1)
    value = net.add("Conv", value, net.const(rng.integers(-1, 2, (2, 9, 4, 4))))
    value = net.add("MatMul", net.add("Flatten", value), net.const(np.ones((2, 1))))
    frames = rng.integers(-3, 4, (20, 3, 4, 4)).astype(np.float32)
    module = assert_same_floats(net.model(value), frames)
    assert len(kept_transposes(module)) == 1
    assert count_ops(module, "bnn.ewise") == 1
