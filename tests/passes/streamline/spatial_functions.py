"""Random bnn functions with convolutions, pools and borders, for one pass at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from chain_networks import FRAMES, FUNCTIONS, QUANTIZERS, Builder, Network
from drawn_networks import DrawnChoices
from hypothesis import strategies as st
from xdsl.dialects.builtin import ModuleOp, TensorType, f32
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Region, SSAValue

from irc.dialects import bnn
from irc.dialects.dense import element_range
from irc.fuzz.networks.choices import Choices
from irc.interp.bnn import to_element_type

Array = npt.NDArray[Any]

INPUTS: tuple[Attribute, ...] = (bnn.bipolar, bnn.sint(3), bnn.uint(4))
LOWEST = float(np.finfo(np.float32).min)


@st.composite
def spatial_networks(draw: st.DrawFn) -> Network:
    """A few layers on [L, C] frames, as the lift leaves them, and some frames."""
    choices = DrawnChoices(draw)
    builder = Builder(choices)
    element_type = choices.pick(INPUTS)
    shape = (choices.integer(2, 6), choices.integer(1, 3))
    block = Block(arg_types=[TensorType(element_type, shape)])
    value: SSAValue = builder.add(bnn.CastOp(block.args[0]))
    for _ in range(choices.integer(1, 6)):
        value = _layer(builder, choices, value)
    value = builder.add(bnn.ReshapeOp(value, (_size(value),)))
    value = _linear(builder, value)
    block.add_ops([*builder.ops, ReturnOp(value)])
    types = [arg.type for arg in block.args], [value.type]
    module = ModuleOp([FuncOp("f", types, Region(block))])
    module.verify()
    low, high = element_range(element_type)
    frames = builder.numbers.integers(low, high, FRAMES, *shape)
    if element_type == bnn.bipolar:
        frames = builder.numbers.signs(FRAMES, *shape)
    return Network(module, to_element_type(frames, element_type))


def _size(value: SSAValue) -> int:
    return int(np.prod(bnn.frame_type(value).get_shape()))


def _layer(builder: Builder, choices: Choices, value: SSAValue) -> SSAValue:
    length, channels = bnn.frame_type(value).get_shape()
    kind = choices.pick(
        ("function", "quantizer", "transposes", "max pool", "guarded pool", "pad", "conv", "mean")
    )
    kernel = [choices.integer(1, min(2, length))]
    match kind:
        case "function":
            fn = choices.pick((*FUNCTIONS, "round", "clip"))
            if fn == "clip":
                low, high = sorted(builder.numbers.integers(-4, 4, 2).tolist())
                value = builder.add(bnn.EwiseOp("max", value, bnn.DenseAttr.from_floats(low)))
                return builder.add(bnn.EwiseOp("min", value, bnn.DenseAttr.from_floats(high)))
            if fn == "pow":
                fn = "abs"
            return builder.function(value, fn, choices.pick((False, True)))
        case "quantizer":
            rounding = choices.pick(QUANTIZERS)
            kinds = {"bipolar": (bnn.bipolar, -1, 1), "sign": (bnn.sint(2), -1, 1)}
            codes = builder.add(bnn.QuantizeOp(rounding, value, *kinds.get(rounding, Q3)))
            return builder.add(bnn.CastOp(codes))
        case "transposes":
            value = builder.add(bnn.TransposeOp(value, (1, 0)))
            value = builder.function(value, choices.pick(("relu", "neg", "add")), False)
            return builder.add(bnn.TransposeOp(value, (1, 0)))
        case "max pool":
            return builder.add(bnn.MaxPoolOp(value, kernel, [1], [1], f32))
        case "guarded pool":
            border = builder.add(bnn.PadOp(value, [kernel[0] - 1], [0], LOWEST, f32))
            return builder.add(bnn.MaxPoolOp(border, kernel, [2], [1], f32))
        case "pad":
            border = choices.pick((0.0, -1.0, 1.0, 0.5))
            return builder.add(bnn.PadOp(value, [1], [0], border, f32))
        case "conv":
            groups = choices.pick((1, channels))
            rows = groups * choices.integer(1, 2)
            weights = builder.numbers.integers(-1, 1, rows, *kernel, channels // groups)
            attribute = bnn.DenseAttr.from_numpy(weights, bnn.sint(2))
            return builder.add(bnn.ConvOp(value, attribute, f32, [1], [1], groups))
        case _:
            return builder.add(bnn.SumPoolOp(value, kernel, [1], [1], f32))


Q3 = (bnn.sint(3), -4, 3)


def _linear(builder: Builder, value: SSAValue) -> SSAValue:
    weights = builder.numbers.signs(3, _size(value))
    return builder.add(bnn.LinearOp(value, bnn.DenseAttr.from_numpy(weights, bnn.bipolar), f32))
