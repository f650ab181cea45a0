"""Random networks whose values have several readers: sums, concatenations, slices, upsampling."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from random import Random

import numpy as np
from random_networks import INPUT_TYPES
from spatial_networks import CHANNELS, SpatialBuilder
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Region, SSAValue

from irc.dialects import bnn
from irc.dialects.bnn import DenseAttr, bipolar, smallest_int, uint
from irc.dialects.dense import element_range, element_width

LARGEST_FRAME = 3000
WIDEST = 20
"""Integers beyond so many bits are thresholded before anything is done with them."""


@dataclass
class BranchBuilder(SpatialBuilder):
    """Adds ops on any of the values that there are, which thereby get several readers."""

    kept: list[SSAValue] = field(default_factory=list[SSAValue])

    def pick(self) -> SSAValue:
        """A value, rather a late one."""
        index = int(len(self.kept) * self.random.random() ** 0.5)
        return self.kept[min(index, len(self.kept) - 1)]

    def keep(self, value: SSAValue) -> SSAValue:
        """Offer a value to later ops, narrow enough for them."""
        if element_width(bnn.frame_type(value).element_type) > WIDEST:
            value = self.threshold(value)
        if prod(bnn.frame_type(value).get_shape()) <= LARGEST_FRAME:
            self.kept.append(value)
        return value

    def partner(self, value: SSAValue) -> SSAValue:
        """A value of the same shape: another one, the same one or one made for it."""
        shape = bnn.frame_type(value).get_shape()
        like = [other for other in self.kept if bnn.frame_type(other).get_shape() == shape]
        made = self.random.choice(["old", "old", "threshold", "signs"])
        if like and made == "old":
            return self.random.choice(like)
        return self.keep(self.threshold(value) if made == "threshold" else self.signs(value))

    def sum(self) -> SSAValue:
        """A sum of two values, with or without multipliers."""
        a = self.pick()
        b = self.partner(a)
        frame = bnn.frame_type(a)
        kind = self.random.choice(["none", "none", "shared", "channels"])
        columns = frame.get_shape()[-1] if kind == "channels" else 1
        multipliers = None if kind == "none" else self.numbers(-9, 9, (2, columns))
        factors = np.ones((2, 1), np.int64) if multipliers is None else multipliers
        low = high = np.zeros(factors.shape[1], np.int64)
        for value, factor in zip((a, b), factors, strict=True):
            ends = np.multiply.outer(element_range(bnn.frame_type(value).element_type), factor)
            low, high = low + ends.min(axis=0), high + ends.max(axis=0)
        result = smallest_int(int(low.min()), int(high.max()))
        given = None if multipliers is None else DenseAttr.from_integers(multipliers)
        return self.add(bnn.AddOp(a, b, result, given))

    def concat(self) -> SSAValue:
        """Values of one type along any axis; a part of one where there is no other."""
        first = self.pick()
        frame = bnn.frame_type(first)
        shape = frame.get_shape()
        axis = self.random.choice([len(shape) - 1, self.random.randrange(len(shape))])

        def fits(value: SSAValue) -> bool:
            other = bnn.frame_type(value)
            sizes = other.get_shape()
            return (
                other.element_type == frame.element_type
                and len(sizes) == len(shape)
                and all(
                    a == b or i == axis for i, (a, b) in enumerate(zip(sizes, shape, strict=True))
                )
            )

        fitting = [value for value in self.kept if fits(value)]
        others = [self.random.choice(fitting) for _ in range(self.random.randint(0, 2))]
        if self.random.random() < 0.4:
            others.append(self.slice(first, axis))
        values = [first, *others]
        self.random.shuffle(values)
        return self.add(bnn.ConcatOp(values, axis))

    def slice(self, value: SSAValue, only: int | None = None) -> SSAValue:
        """Part of a value, along one axis or any."""
        offsets: list[int] = []
        sizes: list[int] = []
        strides: list[int] = []
        for axis, size in enumerate(bnn.frame_type(value).get_shape()):
            cut = axis == only if only is not None else self.random.random() < 0.5
            offset = self.random.choice([0, size // 2, self.random.randrange(size)]) if cut else 0
            stride = self.random.choice([1, 1, 1, 2, 3]) if cut else 1
            most = (size - offset - 1) // stride + 1
            offsets.append(offset)
            strides.append(stride)
            sizes.append(self.random.choice([most, self.random.randint(1, most)]) if cut else most)
        return self.add(bnn.SliceOp(value, offsets, sizes, strides))

    def upsample(self) -> SSAValue:
        """Every element some times along the axes in space, seldom along channels."""
        value = self.pick()
        rank = len(bnn.frame_type(value).get_shape())
        factors = [self.random.choice([1, 2, 2, 3]) for _ in range(rank - 1)]
        return self.add(bnn.UpsampleOp(value, [*factors, self.random.choice([1, 1, 1, 2])]))

    def private(self, value: SSAValue) -> SSAValue:
        """Signs or low-bit codes that only the block reads that makes them: often as bits."""
        value = self.conv(value) if self.random.random() < 0.7 else value
        return self.signs(value) if self.random.random() < 0.7 else self.threshold(value)

    def block(self) -> SSAValue:
        """What real networks do between two convolutions: join, cut, enlarge or add."""
        value = self.pick()
        if len(bnn.frame_type(value).get_shape()) == 1:
            value = self.add(bnn.ReshapeOp(value, (1, *bnn.frame_type(value).get_shape())))
        value = self.private(value)
        for _ in range(self.random.randint(1, 3)):
            shape = bnn.frame_type(value).get_shape()
            match self.random.choice(["concat", "slice", "upsample", "sum", "border"]):
                case "concat":
                    cut = self.slice(value, self.random.choice([0, len(shape) - 1]))
                    cut_shape = bnn.frame_type(cut).get_shape()
                    axes = [
                        i for i, (a, b) in enumerate(zip(shape, cut_shape, strict=True)) if a != b
                    ]
                    parts = self.random.sample([value, cut], 2)
                    axis = axes[0] if axes else self.random.randrange(len(shape))
                    value = self.add(bnn.ConcatOp(parts, axis))
                case "slice":
                    value = self.slice(value)
                case "upsample":
                    rank = len(shape) - 1
                    factors = [self.random.choice([1, 2]) for _ in range(rank)]
                    value = self.add(bnn.UpsampleOp(value, [*factors, 1]))
                case "sum":
                    frame = bnn.frame_type(value)
                    low, high = element_range(frame.element_type)
                    kind = smallest_int(2 * low, 2 * high)
                    value = self.private_sum(self.add(bnn.AddOp(value, value, kind)))
                case _:
                    value = self.pad(value)
            if prod(bnn.frame_type(value).get_shape()) > LARGEST_FRAME:
                value = self.slice(value)
        return self.conv(value)

    def private_sum(self, value: SSAValue) -> SSAValue:
        """Codes of a sum."""
        return self.signs(value) if self.random.random() < 0.5 else self.threshold(value)

    def step(self) -> SSAValue:
        """One op of any kind on a value of any age."""
        kinds = ["sum", "sum", "concat", "slice", "upsample", "threshold", "signs", "conv", "pool"]
        match self.random.choice([*kinds, "block", "block"]):
            case "block":
                return self.block()
            case "sum":
                value = self.sum()
                return self.threshold(value) if self.random.random() < 0.5 else value
            case "concat":
                return self.concat()
            case "slice":
                return self.slice(self.pick())
            case "upsample":
                return self.upsample()
            case "threshold":
                return self.threshold(self.pick())
            case "signs":
                return self.signs(self.pick())
            case "conv":
                value = self.pick()
                if len(bnn.frame_type(value).get_shape()) == 1:
                    value = self.linear(value)
                else:
                    value = self.conv(self.pad(value) if self.random.random() < 0.4 else value)
                follow = self.random.choice(["signs", "threshold", "nothing"])
                return value if follow == "nothing" else getattr(self, follow)(value)
            case _:
                value = self.pick()
                if len(bnn.frame_type(value).get_shape()) == 1:
                    return self.reshape(value)
                return self.pool(value)


def branch_network(random: Random) -> ModuleOp:
    """A function @net with one argument and one to four results."""
    builder = BranchBuilder(random)
    space = random.choice([(6, 5), (4, 4), (9,), (1, 8), (), (3, 4, 2)])
    shape = (*space, random.choice([c for c in CHANNELS if c < 64 or len(space) < 2]))
    element_type = random.choice([*INPUT_TYPES, bipolar, bipolar, uint(2)])
    block = Block(arg_types=[TensorType(element_type, shape)])
    builder.kept.append(block.args[0])
    value = block.args[0]
    for _ in range(random.randint(2, 9)):
        value = builder.keep(builder.step())
    results = [
        value,
        *random.sample(builder.kept, min(len(builder.kept), random.randint(0, 3))),
    ]
    block.add_ops([*builder.ops, ReturnOp(*results)])
    types = (list(block.arg_types), [result.type for result in results])
    return ModuleOp([FuncOp("net", types, Region(block))])
