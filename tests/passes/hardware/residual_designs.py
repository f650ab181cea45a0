"""Networks with branches at level bnn, as people train them: residual blocks, a split, a U-Net."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from hardware_nets import Array, Layer, Sample, linear, random_values, reshape, threshold
from spatial_nets import conv, max_pool, pad
from xdsl.dialects.builtin import FunctionType, ModuleOp, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Region, SSAValue

from irc.dialects import bnn
from irc.dialects.dense import element_range


class Net:
    """A function under construction, with weights and thresholds at random."""

    def __init__(self, element_type: Attribute, shape: Sequence[int], seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.seed = seed
        self.block = Block(arg_types=[TensorType(element_type, shape)])

    @property
    def x(self) -> SSAValue:
        """The input of the function."""
        return self.block.args[0]

    def then(self, value: SSAValue, *layers: Layer) -> SSAValue:
        """What the layers make of a value, one after another."""
        for layer in layers:
            op = layer(value)
            self.block.add_op(op)
            value = op.results[0]
        return value

    def conv(self, value: SSAValue, rows: int, size: int = 3, stride: int = 1) -> SSAValue:
        """A bipolar convolution, padded with −1 or 0 so that it keeps the size but for strides."""
        frame = bnn.frame_type(value)
        *space, channels = frame.get_shape()
        border = [size // 2] * len(space)
        if size > 1:
            bipolar = frame.element_type == bnn.bipolar
            value = self.then(value, pad(border, border, -bipolar, frame.element_type))
        kernel, ones = [size] * len(space), [1] * len(space)
        weights = random_values(self.rng, bnn.bipolar, (rows, *kernel, channels))
        return self.then(value, conv(weights, bnn.bipolar, [stride] * len(space), ones))

    def threshold(self, value: SSAValue, element_type: Attribute = bnn.bipolar) -> SSAValue:
        """Thresholds per channel, not far from the middle."""
        frame = bnn.frame_type(value)
        low, high = element_range(frame.element_type)
        smallest, largest = (0, 1) if element_type == bnn.bipolar else element_range(element_type)
        spread = 1 + math.isqrt(high - low)
        channels = frame.get_shape()[-1]
        at = self.rng.integers(-spread, spread + 1, (channels, largest - smallest))
        at = np.sort(at + (low + high) // 2, axis=1)
        return self.then(value, threshold(at, element_type, smallest))

    def add(self, a: SSAValue, b: SSAValue, multipliers: Array | None = None) -> SSAValue:
        """The sum, in the smallest type that holds it."""
        factors = np.ones((2, 1), np.int64) if multipliers is None else multipliers
        low = high = np.int64(0)
        for value, p in zip((a, b), factors, strict=True):
            ends = [p * end for end in element_range(bnn.frame_type(value).element_type)]
            low, high = low + np.minimum(*ends), high + np.maximum(*ends)
        sums = bnn.smallest_int(min(0, int(np.min(low))), max(0, int(np.max(high))))
        attribute = None if multipliers is None else bnn.DenseAttr.from_integers(multipliers)
        return self.then(a, lambda value: bnn.AddOp(value, b, sums, attribute))

    def concat(self, values: Sequence[SSAValue], axis: int) -> SSAValue:
        """All of them one after another."""
        return self.then(values[0], lambda _: bnn.ConcatOp(values, axis))

    def slice(self, value: SSAValue, axis: int, first: int, end: int, stride: int = 1) -> SSAValue:
        """Some of the elements along one axis."""
        shape = list(bnn.frame_type(value).get_shape())
        offsets, strides = [0] * len(shape), [1] * len(shape)
        offsets[axis], strides[axis] = first, stride
        shape[axis] = len(range(first, end, stride))
        return self.then(value, lambda x: bnn.SliceOp(x, offsets, shape, strides))

    def upsample(self, value: SSAValue, *factors: int) -> SSAValue:
        """Nearest neighbours."""
        return self.then(value, lambda x: bnn.UpsampleOp(x, (*factors, 1)))

    def dense(self, value: SSAValue, rows: int) -> SSAValue:
        """A bipolar layer on all elements."""
        elements = int(np.prod(bnn.frame_type(value).get_shape()))
        weights = random_values(self.rng, bnn.bipolar, (rows, elements))
        return self.then(value, reshape(elements), linear(weights, bnn.bipolar, "fc"))

    def finish(self, value: SSAValue, frames: int = 4) -> Sample:
        """The function that returns a value, and frames for it."""
        self.block.add_op(ReturnOp(value))
        types = FunctionType.from_lists([self.x.type], [value.type])
        module = ModuleOp([FuncOp("net", types, Region(self.block))])
        module.verify()
        frame = bnn.frame_type(self.x)
        inputs = random_values(self.rng, frame.element_type, (frames, *frame.get_shape()))
        return Sample(module, inputs, self.seed)


def residual_net(seed: int = 0) -> Sample:
    """Two residual blocks, the second with stride 2 and a convolution on the shortcut."""
    net = Net(bnn.uint(4), (6, 6, 2), seed)
    stem = net.threshold(net.conv(net.x, 4), bnn.uint(2))
    branch = net.threshold(net.conv(stem, 4), bnn.uint(2))
    branch = net.conv(branch, 4)
    first = net.threshold(net.add(branch, stem, net.rng.integers(-3, 4, (2, 4))), bnn.uint(2))
    branch = net.threshold(net.conv(first, 6, stride=2), bnn.uint(2))
    branch = net.conv(branch, 6)
    shortcut = net.conv(first, 6, size=1, stride=2)
    second = net.threshold(net.add(branch, shortcut), bnn.uint(2))
    return net.finish(net.dense(second, 3))


def split_net(seed: int = 0) -> Sample:
    """Channels are split, one half convolved, both joined; then rows are thinned out."""
    net = Net(bnn.uint(4), (6, 5, 3), seed)
    stem = net.threshold(net.conv(net.x, 4))
    kept, changed = net.slice(stem, 2, 0, 2), net.slice(stem, 2, 2, 4)
    changed = net.threshold(net.conv(changed, 2))
    joined = net.concat([kept, changed], 2)
    thinned = net.slice(joined, 0, 1, 6, 2)
    return net.finish(net.conv(thinned, 4))


def unet(seed: int = 0) -> Sample:
    """Three scales: pooled, convolved, upsampled and joined with what was there before."""
    net = Net(bnn.uint(3), (8, 8, 2), seed)
    large = net.threshold(net.conv(net.x, 4), bnn.uint(2))
    small = net.then(large, max_pool((2, 2), (2, 2)))
    small = net.threshold(net.conv(small, 8), bnn.uint(2))
    smaller = net.then(small, max_pool((2, 2), (2, 2)))
    smaller = net.threshold(net.conv(smaller, 8), bnn.uint(2))
    small = net.threshold(net.conv(net.concat([net.upsample(smaller, 2, 2), small], 2), 4))
    large = net.threshold(large)
    return net.finish(net.conv(net.concat([net.upsample(small, 2, 2), large], 2), 2, size=1))


def twice_net(seed: int = 0) -> Sample:
    """A vector added to itself and joined with itself."""
    net = Net(bnn.bipolar, (8,), seed)
    doubled = net.add(net.x, net.x)
    both = net.concat([doubled, doubled], 0)
    return net.finish(net.dense(net.threshold(both, bnn.uint(2)), 5))


NETWORKS: dict[str, Callable[[int], Sample]] = {
    "residual": residual_net,
    "split": split_net,
    "unet": unet,
    "twice": twice_net,
}
