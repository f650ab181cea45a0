"""Random bnn functions as they come from the lift: floats between an exact input and quantizers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from drawn_networks import DrawnChoices
from hypothesis import strategies as st
from xdsl.dialects.builtin import ModuleOp, TensorType, f32
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from irc.dialects import bnn
from irc.dialects.dense import element_range
from irc.fuzz.networks.choices import Choices, Numbers
from irc.interp.bnn import to_element_type

Array = npt.NDArray[Any]

FRAMES = 12
MAX_WIDTH = 9

INPUTS: tuple[Attribute, ...] = (bnn.bipolar, bnn.uint(1), bnn.sint(3), bnn.uint(8))
FUNCTIONS = ("mul", "add", "sub", "rsub", "div", "max", "min", "prelu", "neg", "relu", "abs", "pow")
AFFINE = ("mul", "add", "sub", "rsub", "div", "neg")
QUANTIZERS = ("bipolar", "sign", "half_even", "floor", "up")


@dataclass(frozen=True)
class Network:
    """A function of one exact input, and frames for it."""

    module: ModuleOp
    frames: Array

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        # Hypothesis would print every field of every operation.
        printer.text(f"\n{self.module}\non {self.frames.tolist()}\n")


class Builder:
    """Appends operations to a function, drawn from `choices`."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        self.numbers = Numbers(choices.integer(0, 2**16), choices.pick((True, False)))
        self.ops: list[Operation] = []

    def add(self, op: Operation) -> SSAValue:
        """Append one operation; returns its result."""
        self.ops.append(op)
        return op.results[0]

    def function(self, value: SSAValue, fn: str, by_channel: bool) -> SSAValue:
        """One element-wise function."""
        if fn not in bnn.BINARY_FUNCTIONS:
            return self.add(bnn.EwiseOp(fn, value))
        channels = bnn.frame_type(value).get_shape()[-1]
        shape = (channels,) if by_channel else ()
        constant = self.numbers.nonzero(*shape) if fn == "div" else self.numbers.floats(*shape)
        if fn == "pow":
            constant = np.full((), 2.0)
        return self.add(bnn.EwiseOp(fn, value, bnn.DenseAttr.from_floats(constant)))

    def affine(self, value: SSAValue) -> SSAValue:
        """What a scale of weights or activations looks like after the lift."""
        for _ in range(self.choices.integer(0, 2)):
            value = self.function(value, self.choices.pick(AFFINE), by_channel=False)
        return value

    def chain(self, value: SSAValue) -> SSAValue:
        """Anything that stands before a quantizer."""
        for _ in range(self.choices.integer(0, 3)):
            by_channel = self.choices.pick((False, True))
            value = self.function(value, self.choices.pick(FUNCTIONS), by_channel)
        return value

    def quantizer(self, value: SSAValue) -> SSAValue:
        """An exact value, cast to floats again."""
        rounding = self.choices.pick(QUANTIZERS)
        match rounding:
            case "bipolar":
                code = self.add(bnn.QuantizeOp("bipolar", value, bnn.bipolar))
            case "sign":
                code = self.add(bnn.QuantizeOp("sign", value, bnn.sint(2), -1, 1))
            case _:
                width = self.choices.integer(1, 4)
                make = self.choices.pick((bnn.uint, bnn.sint))
                code = self.add(bnn.QuantizeOp(rounding, value, make(width)))
        return self.add(bnn.CastOp(code))

    def linear(self, value: SSAValue) -> SSAValue:
        """A sum of floats with exact weights, scaled and offset or not."""
        columns, rows = bnn.frame_type(value).get_shape()[-1], self.choices.integer(1, MAX_WIDTH)
        kind = self.choices.pick(("bipolar", "ternary", "integers"))
        if kind == "bipolar":
            weights = bnn.DenseAttr.from_numpy(self.numbers.signs(rows, columns), bnn.bipolar)
        else:
            limit = 1 if kind == "ternary" else 7
            weights = bnn.DenseAttr.from_integers(
                self.numbers.integers(-limit, limit, rows, columns)
            )
        scales, offsets = (
            bnn.DenseAttr.from_floats(make(rows)) if self.choices.pick((False, True)) else None
            for make in (self.numbers.nonzero, self.numbers.floats)
        )
        return self.add(bnn.LinearOp(value, weights, f32, scales, offsets))

    def reshape(self, value: SSAValue) -> SSAValue:
        """The same elements in other frames, the channels the same or not."""
        shape = bnn.frame_type(value).get_shape()
        size = int(np.prod(shape))
        options = [(size,), (1, size), (size, 1), shape]
        return self.add(bnn.ReshapeOp(value, self.choices.pick(options)))


@st.composite
def bnn_networks(draw: st.DrawFn) -> Network:
    """A function of one exact input, and frames for it."""
    builder = Builder(DrawnChoices(draw))
    choices = builder.choices
    element_type = choices.pick(INPUTS)
    width = choices.integer(1, MAX_WIDTH)
    shape = choices.pick(((width,), (2, width)))
    block = Block(arg_types=[TensorType(element_type, shape)])
    value = builder.affine(builder.add(bnn.CastOp(block.args[0])))
    for _ in range(choices.integer(0, 3)):
        value = builder.chain(builder.linear(value))
        value = builder.affine(builder.quantizer(value))
        if choices.pick((False, True)):
            value = builder.reshape(value)
    if choices.pick((False, True)):
        value = builder.chain(builder.linear(value))
    block.add_ops([*builder.ops, ReturnOp(value)])
    module = ModuleOp([FuncOp("f", ([block.args[0].type], [value.type]), Region(block))])
    low, high = element_range(element_type)
    if element_type == bnn.bipolar:
        frames = builder.numbers.signs(FRAMES, *shape)
    else:
        frames = builder.numbers.integers(low, high, FRAMES, *shape)
    return Network(module, to_element_type(frames, element_type))
