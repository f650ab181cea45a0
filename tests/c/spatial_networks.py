"""Random networks on images and sequences: convolutions, borders and pools of all type mixtures."""

from __future__ import annotations

from random import Random

import numpy as np
from random_networks import INPUT_TYPES, WEIGHT_TYPES, Builder
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Region, SSAValue

from irc.dialects import bnn
from irc.dialects.bnn import DenseAttr, bipolar, sint, smallest_int, uint
from irc.dialects.dense import BipolarType, element_range

CHANNELS = (1, 2, 3, 4, 5, 8, 12, 16, 32, 33, 64)


class SpatialBuilder(Builder):
    """Adds ops on frames [H, W, C], [L, C] or with three axes in space."""

    def window(self, value: SSAValue, largest: int) -> tuple[list[int], list[int], list[int]]:
        """Kernel, strides and dilations of a window that fits."""
        kernel: list[int] = []
        dilations: list[int] = []
        for size in bnn.frame_type(value).get_shape()[:-1]:
            kernel.append(self.random.randint(1, min(size, largest)))
            room = (size - 1) // (kernel[-1] - 1) if kernel[-1] > 1 else 2
            dilations.append(self.random.choice([1, 1, min(2, room)]))
        strides = [self.random.choice([1, 1, 1, 2, 3]) for _ in kernel]
        return kernel, strides, dilations

    def conv(self, value: SSAValue, depthwise: bool = False) -> SSAValue:
        """A convolution of any kind, with a result type that holds every sum."""
        frame = bnn.frame_type(value)
        channels = frame.get_shape()[-1]
        divisors = [d for d in range(1, channels + 1) if channels % d == 0]
        groups = self.random.choice([1, 1, 1, channels, self.random.choice(divisors)])
        results = self.random.choice([c for c in CHANNELS if c % groups == 0] or [groups])
        if depthwise:
            results = groups = channels
        kernel, strides, dilations = self.window(value, 3)
        weight_type = self.random.choice(WEIGHT_TYPES)
        weights = self.values(weight_type, (results, *kernel, channels // groups))
        low, high = element_range(frame.element_type)
        ends = np.stack([weights * low, weights * high]).reshape(2, results, -1)
        least, most = ends.min(axis=0).sum(axis=1).min(), ends.max(axis=0).sum(axis=1).max()
        kind = smallest_int(int(least), int(most))
        constant = DenseAttr.from_numpy(weights, weight_type)
        return self.add(bnn.ConvOp(value, constant, kind, strides, dilations, groups))

    def binary_layers(self, value: SSAValue) -> SSAValue:
        """What most binary networks are made of: signs, convolved, pooled and padded with signs."""
        value = self.signs(value)
        for _ in range(self.random.randint(1, 3)):
            if not isinstance(bnn.frame_type(value).element_type, BipolarType):
                # Low-bit codes of a depthwise layer, perhaps on to another one.
                again = self.random.random() < 0.5
                value = self.signs(self.conv(value, depthwise=True) if again else value)
            match self.random.choice(
                ["conv", "pool", "conv and pool", "pad", "zeros", "zeros", "depthwise"]
            ):
                case "depthwise":
                    value = self.conv(self._maybe_zeros(value), depthwise=True)
                    value = self.random.choice([self.signs, self.threshold])(value)
                case "zeros":
                    value = self.signs(self.conv(self._maybe_zeros(value)))
                case "conv":
                    value = self.signs(self.conv(value))
                case "pool" | "conv and pool" as kind:
                    if kind != "pool":
                        value = self.signs(self.conv(value))
                    kernel, strides, dilations = self.window(value, 2)
                    if self.random.random() < 0.6:
                        strides, dilations = kernel, [1] * len(kernel)
                    value = self.add(bnn.MaxPoolOp(value, kernel, strides, dilations, bipolar))
                case _:
                    rank = len(bnn.frame_type(value).get_shape()) - 1
                    border = self.random.choice([-1, 1])
                    value = self.add(bnn.PadOp(value, [1] * rank, [1] * rank, border, bipolar))
        return self.signs(self.conv(value))

    def _maybe_zeros(self, value: SSAValue) -> SSAValue:
        """Zeros around, in a type that is made to hold them."""
        frame = bnn.frame_type(value)
        rank = len(frame.get_shape()) - 1
        if self.random.random() < 0.2:
            return value
        before = [self.random.randint(0, 2) for _ in range(rank)]
        after = [self.random.randint(0, 2) for _ in range(rank)]
        is_bipolar = isinstance(frame.element_type, BipolarType)
        kind = sint(2) if is_bipolar else frame.element_type
        return self.add(bnn.PadOp(value, before, after, 0, kind))

    def signs(self, value: SSAValue) -> SSAValue:
        """Signs of integers, with a threshold for each channel; of signs, the signs."""
        frame = bnn.frame_type(value)
        low, high = element_range(frame.element_type)
        at = self.numbers(low // 4, max(high // 4, low // 4 + 1), (frame.get_shape()[-1], 1))
        return self.add(bnn.ThresholdOp(value, DenseAttr.from_integers(at), bipolar, 0, None))

    def pad(self, value: SSAValue) -> SSAValue:
        """A border of a value that the type holds, or of 0 in a type that is made to hold it."""
        frame = bnn.frame_type(value)
        rank = len(frame.get_shape()) - 1
        before = [self.random.randint(0, 2) for _ in range(rank)]
        after = [self.random.randint(0, 2) for _ in range(rank)]
        low, high = element_range(frame.element_type)
        number = self.random.choice([0, 0, low, high, high + 1])
        kind = frame.element_type
        if isinstance(kind, BipolarType):
            kind = kind if number in (-1, 1) else smallest_int(-1, max(number, 1))
        elif not low <= number <= high:
            kind = smallest_int(low, number)
        return self.add(bnn.PadOp(value, before, after, number, kind))

    def pool(self, value: SSAValue) -> SSAValue:
        """The largest of each window, or the sum."""
        window = self.window(value, 3)
        kind = bnn.frame_type(value).element_type
        if self.random.random() < 0.7:
            return self.add(bnn.MaxPoolOp(value, *window, kind))
        low, high = element_range(kind)
        taps = int(np.prod(window[0]))
        return self.add(bnn.SumPoolOp(value, *window, smallest_int(low * taps, high * taps)))


def spatial_network(random: Random) -> ModuleOp:
    """A function @net with one argument and one or two results."""
    builder = SpatialBuilder(random)
    space = random.choice([(6, 5), (7, 7), (9,), (14,), (1, 8), (3, 4, 3)])
    channels = random.choice(CHANNELS)
    is_moved = random.random() < 0.3
    shape = (channels, *space) if is_moved else (*space, channels)
    element_type = random.choice([*INPUT_TYPES, bipolar, uint(2), sint(2)])
    block = Block(arg_types=[TensorType(element_type, shape)])
    value: SSAValue = block.args[0]
    if is_moved:
        value = builder.add(bnn.TransposeOp(value, [*range(1, len(shape)), 0]))
    results: list[SSAValue] = []
    if random.random() < 0.5:
        value = builder.binary_layers(value)
    for _ in range(random.randint(1, 5)):
        kind = random.choice(["conv", "conv", "pad", "pool", "threshold", "threshold"])
        match kind:
            case "conv":
                value = builder.conv(value)
                if random.random() < 0.7:
                    value = builder.threshold(value)
            case "pad":
                value = builder.pad(value)
            case "pool":
                value = builder.pool(value)
            case _:
                value = builder.threshold(value)
        if random.random() < 0.1:
            results.append(value)
    if random.random() < 0.5:
        value = builder.reshape(value)
        value = builder.linear(value)
    results.append(value)
    block.add_ops([*builder.ops, ReturnOp(*results)])
    types = (list(block.arg_types), [result.type for result in results])
    return ModuleOp([FuncOp("net", types, Region(block))])
