"""Random small networks whose branches part and meet, at level bnn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hardware_nets import Array, Sample, linear, named, random_values, threshold
from hypothesis import strategies as st
from spatial_nets import conv, max_pool, pad, sum_pool
from xdsl.dialects.builtin import FunctionType, ModuleOp, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from irc.dialects import bnn
from irc.dialects.dense import element_range


def shape_of(value: SSAValue) -> tuple[int, ...]:
    return bnn.frame_type(value).get_shape()


def type_of(value: SSAValue) -> Attribute:
    return bnn.frame_type(value).element_type


def added(a: SSAValue, b: SSAValue, multipliers: Array | None = None) -> Operation:
    """A `bnn.add` whose result type holds every sum."""
    p, q = ([1], [1]) if multipliers is None else multipliers
    ends = [
        pp * x + qq * y
        for pp, qq in zip(p, q, strict=True)
        for x in element_range(type_of(a))
        for y in element_range(type_of(b))
    ]
    sums = bnn.smallest_int(min(0, *map(int, ends)), max(0, *map(int, ends)))
    constant = None if multipliers is None else bnn.DenseAttr.from_integers(multipliers)
    return bnn.AddOp(a, b, sums, constant)


class Growing:
    """A network under construction; every value may be read again."""

    def __init__(
        self, draw: st.DrawFn, rng: np.random.Generator, frame: TensorType[Attribute]
    ) -> None:
        self.draw = draw
        self.rng = rng
        self.block = Block(arg_types=[frame])
        self.values: list[SSAValue] = [self.block.args[0]]
        self.count = 0

    def add(self, op: Operation) -> SSAValue:
        self.count += 1
        op.location = named(f"n{self.count}")
        self.block.add_op(op)
        self.values.append(op.results[0])
        return op.results[0]

    def choose(self, values: Sequence[SSAValue]) -> SSAValue:
        return values[self.draw(st.integers(0, len(values) - 1))]

    def narrow(self, value: SSAValue) -> SSAValue:
        """Thresholds on what is wider than three bits."""
        low, high = element_range(type_of(value))
        if high - low < 8:
            return value
        return self.threshold(value)

    def threshold(self, value: SSAValue) -> SSAValue:
        low, high = element_range(type_of(value))
        kind = self.draw(st.sampled_from([bnn.bipolar, bnn.uint(2)]))
        count = 1 if kind == bnn.bipolar else 3
        rows = self.draw(st.sampled_from(sorted({1, shape_of(value)[-1]})))
        at = np.sort(self.rng.integers(low, high + 2, (rows, count)), axis=1)
        return self.add(threshold(at, kind)(value))

    def conv(self, value: SSAValue) -> SSAValue:
        value = self.narrow(value)
        *space, channels = shape_of(value)
        size = self.draw(st.sampled_from([1, 3])) if min(space) > 1 else 1
        if size == 3:
            element = type_of(value)
            border, kind = (1, element) if element == bnn.bipolar else (0, element)
            ones = [1] * len(space)
            value = self.add(pad(ones, ones, border, kind)(value))
        rows = self.draw(st.sampled_from([channels, 2 * channels, 1]))
        kernel = [size] * len(space)
        weights = random_values(self.rng, bnn.bipolar, (rows, *kernel, channels))
        ones = [1] * len(space)
        result = self.add(conv(weights, bnn.bipolar, ones, ones)(value))
        return self.threshold(result) if self.draw(st.integers(0, 3)) else result

    def pool(self, value: SSAValue) -> SSAValue:
        space = shape_of(value)[:-1]
        kernel = [min(2, size) for size in space]
        if self.draw(st.booleans()):
            return self.add(max_pool(kernel, kernel)(value))
        return self.add(sum_pool(kernel, kernel)(self.narrow(value)))

    def sum(self, value: SSAValue) -> SSAValue:
        same = [v for v in self.values if shape_of(v) == shape_of(value)]
        other = self.choose(same)
        multipliers = None
        if self.draw(st.booleans()):
            channels = self.draw(st.sampled_from(sorted({1, shape_of(value)[-1]})))
            multipliers = self.rng.integers(-3, 4, (2, channels))
        return self.add(added(self.narrow(value), self.narrow(other), multipliers))

    def concat(self, value: SSAValue) -> SSAValue:
        rank = len(shape_of(value))
        axis = self.draw(st.sampled_from([rank - 1, rank - 1, *range(rank)]))

        def fits(other: SSAValue) -> bool:
            a, b = list(shape_of(value)), list(shape_of(other))
            if len(a) != len(b) or type_of(other) != type_of(value):
                return False
            a[axis] = b[axis] = 0
            return a == b

        parts = [value, *(v for v in self.values if v is not value and fits(v))][:3]
        order = self.draw(st.permutations(parts))
        return self.add(bnn.ConcatOp(order, axis))

    def slice(self, value: SSAValue) -> SSAValue:
        offsets: list[int] = []
        sizes: list[int] = []
        strides: list[int] = []
        for extent in shape_of(value):
            stride = self.draw(st.sampled_from([1, 1, 2]))
            offset = self.draw(st.integers(0, min(extent - 1, 2)))
            most = (extent - offset - 1) // stride + 1
            sizes.append(self.draw(st.integers(max(1, most - 1), most)))
            offsets.append(offset)
            strides.append(stride)
        return self.add(bnn.SliceOp(value, offsets, sizes, strides))

    def upsample(self, value: SSAValue) -> SSAValue:
        space = shape_of(value)[:-1]
        factors = [self.draw(st.sampled_from([1, 2, 3])) for _ in space]
        if np.prod(space) * np.prod(factors) > 100:
            factors = [1 for _ in space]
        return self.add(bnn.UpsampleOp(value, [*factors, 1]))

    def grow(self) -> None:
        value = self.choose(self.values[-3:])
        if np.prod(shape_of(value)) > 200:
            self.pool(value)
            return
        kinds = [self.conv, self.conv, self.sum, self.sum, self.threshold]
        kinds += [self.pool, self.concat, self.slice, self.upsample]
        self.draw(st.sampled_from(kinds))(value)

    def finish(self) -> ModuleOp:
        """Join everything that nothing reads."""
        leaves = [value for value in self.values if not list(value.uses)]
        flat: list[SSAValue] = []
        for leaf in leaves:
            bits = self.add(threshold(np.array([[0]]), bnn.bipolar)(leaf))
            flat.append(self.add(bnn.ReshapeOp(bits, (int(np.prod(shape_of(bits))),))))
        result = self.add(bnn.ConcatOp(flat, 0)) if len(flat) > 1 else flat[0]
        if self.draw(st.booleans()):
            rows = self.draw(st.sampled_from([1, 2, 6]))
            weights = random_values(self.rng, bnn.bipolar, (rows, shape_of(result)[0]))
            result = self.add(linear(weights, bnn.bipolar)(result))
        self.block.add_op(ReturnOp(result))
        types = FunctionType.from_lists([self.block.args[0].type], [result.type])
        module = ModuleOp([FuncOp("net", types, Region(self.block))])
        module.verify()
        return module


@st.composite
def dag_samples(draw: st.DrawFn, frames: int = 4, steps: int = 7) -> Sample:
    """Up to so many layers on images or sequences, each on one of the latest values."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    space = [draw(st.integers(1, 6)) for _ in range(draw(st.sampled_from([1, 2, 2])))]
    shape = (*space, draw(st.sampled_from([1, 2, 3, 4])))
    kind = draw(st.sampled_from([bnn.bipolar, bnn.uint(2), bnn.sint(3)]))
    net = Growing(draw, rng, TensorType(kind, shape))
    for _ in range(draw(st.integers(1, steps))):
        net.grow()
    return Sample(net.finish(), random_values(rng, kind, (frames, *shape)), seed)


def residual_network(
    size: int = 8, channels: int = 4, blocks: int = 2, frames: int = 8
) -> tuple[ModuleOp, Array]:
    """Blocks of two convolutions with a shortcut around them, as people train them."""
    rng = np.random.default_rng(3)
    block = Block(arg_types=[TensorType(bnn.uint(4), (size, size, 3))])

    def add(op: Operation) -> SSAValue:
        op.location = named(f"n{len(block.ops)}")
        block.add_op(op)
        return op.results[0]

    def convolved(value: SSAValue, border: int) -> SSAValue:
        """A convolution that keeps the size."""
        *_, depth = shape_of(value)
        padded = add(pad((1, 1), (1, 1), border, type_of(value))(value))
        weights = random_values(rng, bnn.bipolar, (channels, 3, 3, depth))
        return add(conv(weights, bnn.bipolar)(padded))

    def signs(value: SSAValue) -> SSAValue:
        return add(threshold(rng.integers(-8, 8, (channels, 1)), bnn.bipolar)(value))

    x = signs(convolved(block.args[0], 0))
    for _ in range(blocks):
        y = convolved(signs(convolved(x, 1)), 1)
        x = signs(add(added(y, x, np.array([[1], [3]]))))
    x = add(max_pool((2, 2), (2, 2))(x))
    x = add(bnn.ReshapeOp(x, (int(np.prod(shape_of(x))),)))
    x = add(linear(random_values(rng, bnn.bipolar, (10, *shape_of(x))), bnn.bipolar)(x))
    block.add_op(ReturnOp(x))
    types = FunctionType.from_lists([block.args[0].type], [x.type])
    module = ModuleOp([FuncOp("net", types, Region(block))])
    module.verify()
    return module, random_values(rng, bnn.uint(4), (frames, size, size, 3))
