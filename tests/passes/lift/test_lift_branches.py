"""Networks with branches, from ONNX to exact operations: every frame equals the reference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from lift_models import QONNX, Net, assert_lifts_exactly, frames_for
from onnx import TensorProto
from xdsl.dialects.func import ReturnOp
from xdsl.ir import Block

from irc.dialects import bnn

RNG = np.random.default_rng(7)


def quant(net: Net, value: str, scale: float = 0.5, bits: int = 3) -> str:
    constants = [net.const(c) for c in (scale, 0, bits)]
    return net.add("Quant", value, *constants, domain=QONNX, signed=1, narrow=0)


def conv(net: Net, value: str, inputs: int, outputs: int, **attributes: Any) -> str:
    weights = net.const(RNG.integers(-1, 2, (outputs, inputs, 3, 3)))
    return net.add("Conv", value, weights, pads=[1] * 4, **attributes)


def residual(net: Net) -> str:
    first = quant(net, conv(net, "x", 2, 3))
    second = quant(net, conv(net, first, 3, 3), 0.25, 4)
    return conv(net, quant(net, net.add("Add", first, second)), 3, 2)


def residual_of_sums(net: Net) -> str:
    """The sums themselves are added, and added to again."""
    total = conv(net, "x", 2, 3)
    for _ in range(2):
        total = net.add("Add", total, conv(net, quant(net, total), 3, 3))
    return conv(net, quant(net, total), 3, 2)


def difference(net: Net) -> str:
    first = quant(net, conv(net, "x", 2, 3))
    value = net.add("Sub", quant(net, conv(net, first, 3, 3)), first)
    return conv(net, quant(net, value, 1.0), 3, 2)


def padded_shortcut(net: Net) -> str:
    """Every other pixel, with channels of zeros on both sides: no weights in the shortcut."""
    first = quant(net, conv(net, "x", 2, 2))
    bounds = [net.const(numbers, np.int64) for numbers in ([0, 0], [8, 8], [2, 3], [2, 2])]
    short = net.add("Slice", first, *bounds)
    short = net.add("Pad", short, net.const([0, 1, 0, 0, 0, 1, 0, 0], np.int64))
    other = conv(net, first, 2, 4, strides=[2, 2])
    return conv(net, quant(net, net.add("Add", other, short)), 4, 2)


def dense_block(net: Net) -> str:
    value, channels = quant(net, conv(net, "x", 2, 2)), 2
    for scale in (0.25, 1.0):
        fresh = quant(net, conv(net, value, channels, 2), scale)
        value, channels = net.add("Concat", value, fresh, axis=1), channels + 2
    return conv(net, value, channels, 2)


def halves(net: Net) -> str:
    value = quant(net, conv(net, "x", 2, 4))
    first = net.add("Split", value, outputs=2, axis=1)
    other = quant(net, conv(net, f"{first}_1", 2, 2))
    return conv(net, net.add("Concat", other, first, axis=1), 4, 2)


def u_net(net: Net) -> str:
    """Down, up again by the nearest neighbour, and joined with what was there before."""
    first = quant(net, conv(net, "x", 2, 3), bits=2)
    small = net.add("MaxPool", first, kernel_shape=[2, 2], strides=[2, 2])
    small = quant(net, conv(net, small, 3, 4), bits=2)
    large = net.add("Resize", small, "", net.const([1, 1, 2, 2]))
    joined = net.add("Concat", large, first, axis=1)
    return conv(net, quant(net, conv(net, joined, 7, 3), bits=2), 3, 2)


def reflected_border(net: Net) -> str:
    value = quant(net, conv(net, "x", 2, 3))
    pads = net.const([0, 0, 1, 1, 0, 0, 1, 1], np.int64)
    value = net.add("Pad", value, pads, mode="reflect")
    return net.add("Conv", value, net.const(RNG.integers(-1, 2, (2, 3, 3, 3))))


def mean_of_branches(net: Net) -> str:
    first = quant(net, conv(net, "x", 2, 3))
    total = net.add("Add", first, quant(net, conv(net, first, 3, 3)))
    value = quant(net, net.add("ReduceMean", total, axes=[2, 3], keepdims=0))
    return net.add("MatMul", value, net.const(RNG.integers(-1, 2, (3, 2))))


NETWORKS: list[Callable[[Net], str]] = [
    residual,
    residual_of_sums,
    difference,
    padded_shortcut,
    dense_block,
    halves,
    u_net,
    reflected_border,
    mean_of_branches,
]


@pytest.mark.parametrize("build", NETWORKS, ids=lambda f: f.__name__)
def test_networks(build: Callable[[Net], str]) -> None:
    net = Net((1, 2, 8, 8))
    model = net.model(build(net))
    module = assert_lifts_exactly(model, "int4*0.5", frames_for("int4", (2, 8, 8), 24))
    for op in module.walk():
        if isinstance(op, bnn.TransposeOp):
            is_last = any(isinstance(use.operation, ReturnOp) for use in op.output.uses)
            assert is_last or isinstance(op.input.owner, Block), "a transpose is left inside"


@pytest.mark.parametrize("operator", ["difference", "nested", "and"])
def test_ternary_steps_of_a_sum(operator: str) -> None:
    """Ways to write a step function with comparisons; the sum behind it is of integers."""
    net = Net((1, 6))
    total = net.add("MatMul", "x", net.const(RNG.integers(-1, 2, (6, 4))))
    above = net.add("Greater", total, net.const([1, 2, 3, 4]))
    below = net.add("Less", total, net.const([-1, -2, -3, -4]))
    if operator == "nested":
        inner = net.add("Where", below, net.const(-1), net.const(0))
        value = net.add("Where", above, net.const(1), inner)
    elif operator == "and":
        neither = net.add("And", net.add("Not", above), net.add("Not", below))
        value = net.add("Cast", neither, to=TensorProto.FLOAT)
    else:
        floats = [net.add("Cast", flag, to=TensorProto.FLOAT) for flag in (above, below)]
        value = net.add("Sub", *floats)
    value = net.add("MatMul", value, net.const(RNG.integers(-1, 2, (4, 2))))
    assert_lifts_exactly(net.model(value), "int4", frames_for("int4", (6,), 100))
