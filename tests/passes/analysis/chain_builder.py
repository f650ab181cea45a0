"""Small bnn functions for the tests of the analyses: an integer, float functions, a quantizer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st
from xdsl.dialects.builtin import IntegerType, ModuleOp, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from irc.dialects import bnn
from irc.dialects.dense import element_range

Array = npt.NDArray[Any]

Function = tuple[str, Array | None]


@dataclass(frozen=True)
class Case:
    """`weights[c] · x` of one integer x a channel (x itself without weights), then `functions`,
    then a quantizer."""

    source: IntegerType
    channels: int
    weights: Array | None
    functions: list[Function]
    rounding: str
    result: Attribute
    bounds: tuple[int | None, int | None]

    def build(self) -> ModuleOp:
        """As a bnn function."""
        inputs = 1 if self.weights is not None else self.channels
        block = Block(arg_types=[TensorType(self.source, [inputs])])
        ops: list[Operation] = []

        def last() -> SSAValue:
            return ops[-1].results[0] if ops else block.args[0]

        if self.weights is not None:
            weights = bnn.DenseAttr.from_integers(self.weights[:, None])
            ops.append(bnn.LinearOp(last(), weights, bnn.sint(20)))
        ops.append(bnn.CastOp(last()))
        for fn, constant in self.functions:
            dense = None if constant is None else bnn.DenseAttr.from_floats(constant)
            ops.append(bnn.EwiseOp(fn, last(), dense))
        ops.append(bnn.QuantizeOp(self.rounding, last(), self.result, *self.bounds))
        # What reads the result takes a bipolar value as well as a ternary one.
        ops.append(bnn.CastOp(last()))
        ops.append(ReturnOp(last()))
        block.add_ops(ops)
        types = ([block.args[0].type], [ops[-1].operands[0].type])
        return ModuleOp([FuncOp("f", types, Region(block))])

    def frames(self) -> Array:
        """Every integer of the source type."""
        low, high = element_range(self.source)
        integers = np.arange(low, high + 1)
        columns = 1 if self.weights is not None else self.channels
        return np.repeat(integers[:, None], columns, axis=1)


SAFE = (
    "add", "sub", "rsub", "mul", "div", "max", "min", "pow", "prelu", "neg", "relu", "abs",
    "sigmoid", "tanh", "exp", "floor", "ceil", "round", "sign", "erf", "softplus", "softsign",
)  # fmt: skip
"""Functions that are finite wherever their result is, `exp` apart."""

NICE = st.sampled_from((0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -0.25, 1.5, 3.0, -2.0))
UGLY = st.floats(-8, 8, width=32)

ROUNDINGS = ("half_even", "half_up", "half_down", "floor", "ceil", "up", "down")


@st.composite
def functions(draw: st.DrawFn, channels: int) -> list[Function]:
    """Up to five functions, their constants scalars or by channel."""
    chain: list[Function] = []
    for fn in draw(st.lists(st.sampled_from(SAFE), max_size=5)):
        if fn not in bnn.BINARY_FUNCTIONS:
            chain.append((fn, None))
            continue
        shape = draw(st.sampled_from(((), (channels,))))
        elements = st.just(2.0) if fn == "pow" else draw(st.sampled_from((NICE, UGLY)))
        if fn == "div":
            elements = elements.filter(lambda number: abs(number) > 1e-3)
        count = channels if shape else 1
        numbers = draw(st.lists(elements, min_size=count, max_size=count))
        chain.append((fn, np.array(numbers, np.float32).reshape(shape)))
    return chain


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Any chain between any small integer and any quantizer."""
    channels = draw(st.integers(1, 4))
    make = draw(st.sampled_from((bnn.uint, bnn.sint)))
    source = make(draw(st.integers(1, 8)))
    weights = None
    if draw(st.booleans()):
        weights = np.array(draw(st.lists(st.integers(-5, 5), min_size=channels, max_size=channels)))
    rounding = draw(st.sampled_from((*bnn.SIGNS, "sign", *ROUNDINGS)))
    bounds: tuple[int | None, int | None] = (None, None)
    if rounding in bnn.SIGNS:
        result: Attribute = bnn.bipolar
    elif rounding == "sign":
        result, bounds = bnn.sint(2), (-1, 1)
    else:
        width, signed = draw(st.integers(1, 8)), draw(st.booleans())
        result = bnn.sint(width) if signed else bnn.uint(width)
        low, high = element_range(result)
        if width > 1 and draw(st.booleans()):
            bounds = (low + 1, high) if signed else (low, high - 1)
    chain = draw(functions(channels))
    return Case(source, channels, weights, chain, rounding, result, bounds)
