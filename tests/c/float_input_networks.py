"""Random networks that take floats, quantize them themselves, and end in floats."""

from __future__ import annotations

from random import Random

import numpy as np
from branch_networks import BranchBuilder
from random_networks import FLOAT_STEPS, WIDTHS
from xdsl.dialects.builtin import ModuleOp, TensorType, f32
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Region, SSAValue

from irc.dialects import bnn
from irc.dialects.bnn import DenseAttr, bipolar, sint, uint

ROUNDINGS = tuple(name for name in bnn.ROUNDINGS if name not in bnn.SIGNS)


class FloatBuilder(BranchBuilder):
    """Adds float functions and quantizers."""

    def functions(self, value: SSAValue) -> SSAValue:
        """Some float functions, with constants for all, for each channel or for each element."""
        shape = bnn.frame_type(value).get_shape()
        for _ in range(self.random.randint(0, 3)):
            fn = self.random.choice(FLOAT_STEPS)
            constant = None
            if fn in bnn.BINARY_FUNCTIONS:
                size = self.random.choice([(), shape[-1:], shape])
                constant = DenseAttr.from_floats(self.numbers(-1000, 1000, size) / 64 + 0.01)
            value = self.add(bnn.EwiseOp(fn, value, constant))
        return value

    def quantized(self, value: SSAValue) -> SSAValue:
        """Codes of floats, by any quantizer."""
        kind = self.random.choice(["signs", "thresholds", "round", "round"])
        if kind == "signs":
            return self.add(bnn.QuantizeOp(self.random.choice(bnn.SIGNS), value, bipolar))
        if kind == "thresholds":
            levels = self.random.choice([1, 3, 7])
            channels = self.random.choice([1, bnn.frame_type(value).get_shape()[-1]])
            at = np.sort(self.numbers(-300, 300, (channels, levels)) / 8, axis=1)
            return self.add(bnn.FloatThresholdOp(value, DenseAttr.from_floats(at), uint(3)))
        element_type = self.random.choice([uint(1), uint(2), uint(8), sint(2), sint(4), sint(8)])
        rounding = self.random.choice(ROUNDINGS)
        bounds = self.random.choice([(None, None), (0, 1)])
        return self.add(bnn.QuantizeOp(rounding, value, element_type, *bounds))


def float_network(random: Random) -> ModuleOp:
    """A function @net from floats to floats, and perhaps to the codes that they become."""
    builder = FloatBuilder(random)
    space = random.choice([(5, 4), (9,), ()])
    shape = (*space, random.choice(WIDTHS))
    block = Block(arg_types=[TensorType(f32, shape)])
    value: SSAValue = block.args[0]
    if random.random() < 0.2:
        value = builder.add(bnn.TransposeOp(value, random.sample(range(len(shape)), len(shape))))
    value = builder.functions(value)
    results: list[SSAValue] = []
    branch = value
    value = builder.quantized(value)
    if random.random() < 0.3:
        results.append(value)
    if random.random() < 0.2:
        other = builder.functions(branch)
        results.append(builder.add(bnn.AddOp(branch, other, f32)))
    value = builder.linear(value)
    value = builder.add(bnn.CastOp(builder.threshold(value)))
    value = builder.functions(value)
    if random.random() < 0.3:
        value = builder.quantized(value)
        value = builder.add(bnn.CastOp(builder.linear(value)))
    if random.random() < 0.4:
        scale = DenseAttr.from_floats(np.array(0.05))
        value = builder.add(bnn.EwiseOp("mul", value, scale))
        value = builder.add(bnn.SoftmaxOp(random.choice(["softmax", "log_softmax"]), value))
    results.append(value)
    block.add_ops([*builder.ops, ReturnOp(*results)])
    types = (list(block.arg_types), [result.type for result in results])
    return ModuleOp([FuncOp("net", types, Region(block))])
