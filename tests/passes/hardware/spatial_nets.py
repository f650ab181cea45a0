"""Random small convolutional networks at level bnn, and single units on windows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from hardware_nets import (
    CONTEXT,
    Array,
    Layer,
    Sample,
    linear,
    network,
    random_values,
    reshape,
    sum_range,
    threshold,
    to_dataflow,
)
from hypothesis import strategies as st
from xdsl.dialects.builtin import FunctionType, ModuleOp, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from irc.dialects import bnn, dataflow
from irc.dialects.bnn_spatial import window_counts
from irc.dialects.dataflow import StreamType
from irc.dialects.dense import BipolarType, element_range
from irc.passes.hardware.fold_layers import FoldLayers
from irc.passes.hardware.insert_fifos import InsertFifos
from irc.passes.hardware.insert_width_converters import InsertWidthConverters

element_types = st.sampled_from([bnn.bipolar, bnn.bipolar, bnn.uint(2), bnn.sint(3)])


def conv(
    weights: Array,
    element_type: Attribute,
    strides: Sequence[int] = (1, 1),
    dilations: Sequence[int] = (1, 1),
    groups: int = 1,
) -> Layer:
    """A `bnn.conv` with weights [M, …kernel, C/G], whose result type holds every sum."""

    def make(value: SSAValue) -> Operation:
        rows = weights.reshape(len(weights), -1)
        low, high = sum_range(rows, *element_range(bnn.frame_type(value).element_type))
        sums = bnn.smallest_int(min(0, low), max(0, high))
        attribute = bnn.DenseAttr.from_numpy(weights, element_type)
        return bnn.ConvOp(value, attribute, sums, strides, dilations, groups)

    return make


def max_pool(
    kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int] | None = None
) -> Layer:
    """A `bnn.max_pool`."""

    def make(value: SSAValue) -> Operation:
        steps = dilations or [1] * len(kernel)
        return bnn.MaxPoolOp(value, kernel, strides, steps, bnn.frame_type(value).element_type)

    return make


def sum_pool(kernel: Sequence[int], strides: Sequence[int]) -> Layer:
    """A `bnn.sum_pool` whose result type holds every sum."""

    def make(value: SSAValue) -> Operation:
        size = int(np.prod(kernel))
        low, high = (size * end for end in element_range(bnn.frame_type(value).element_type))
        sums = bnn.smallest_int(min(0, low), max(0, high))
        return bnn.SumPoolOp(value, kernel, strides, [1] * len(kernel), sums)

    return make


def pad(before: Sequence[int], after: Sequence[int], value: int, element_type: Attribute) -> Layer:
    """A `bnn.pad`."""
    return lambda operand: bnn.PadOp(operand, before, after, value, element_type)


@dataclass
class _Growing:
    """A network under construction: what its last layer gives."""

    draw: st.DrawFn
    rng: np.random.Generator
    space: list[int]
    channels: int
    element_type: Attribute
    layers: list[Layer] = field(default_factory=lambda: list[Layer]())

    def choose(self, *values: int) -> int:
        return self.draw(st.sampled_from(values))

    def windows(self, largest: int, dilated: bool) -> tuple[list[int], list[int], list[int]]:
        """Kernel, strides and dilations that fit."""
        kernel = [self.draw(st.integers(1, min(largest, size))) for size in self.space]
        strides = [self.choose(1, 1, 2, 3) for _ in self.space]
        dilations = [
            self.choose(1, 2) if dilated and 2 * (extent - 1) < size else 1
            for extent, size in zip(kernel, self.space, strict=True)
        ]
        return kernel, strides, dilations

    def pad(self) -> None:
        before, after = ([self.choose(0, 1) for _ in self.space] for _ in range(2))
        value, element_type = 0, self.element_type
        if isinstance(element_type, BipolarType):
            value = self.choose(-1, 0, 1)
            element_type = element_type if value else bnn.sint(2)
        self.layers.append(pad(before, after, value, element_type))
        self.element_type = element_type
        self.space = [s + b + a for s, b, a in zip(self.space, before, after, strict=True)]

    def max_pool(self) -> None:
        kernel, strides, dilations = self.windows(3, dilated=True)
        self.layers.append(max_pool(kernel, strides, dilations))
        self.space = list(window_counts(self.space, kernel, strides, dilations))

    def sum_pool(self) -> None:
        kernel, strides, dilations = self.windows(2, dilated=False)
        self.layers.append(sum_pool(kernel, strides))
        low, high = (int(np.prod(kernel)) * end for end in element_range(self.element_type))
        self.element_type = bnn.smallest_int(min(0, low), max(0, high))
        self.space = list(window_counts(self.space, kernel, strides, dilations))

    def conv(self) -> None:
        kernel, strides, dilations = self.windows(3, dilated=True)
        groups = self.choose(1, *dataflow.divisors(self.channels))
        rows = groups * self.choose(1, 2, 4 if groups == 1 else 1)
        weight_type = self.draw(element_types)
        weights = random_values(self.rng, weight_type, (rows, *kernel, self.channels // groups))
        self.layers.append(conv(weights, weight_type, strides, dilations, groups))
        low, high = sum_range(weights.reshape(rows, -1), *element_range(self.element_type))
        self.element_type = bnn.smallest_int(min(0, low), max(0, high))
        self.space = list(window_counts(self.space, kernel, strides, dilations))
        self.channels = rows

    def threshold(self) -> None:
        low, high = element_range(self.element_type)
        rows = self.choose(1, self.channels)
        self.element_type = self.draw(st.sampled_from([bnn.bipolar, bnn.bipolar, bnn.uint(2)]))
        count = element_range(self.element_type)[1] if self.element_type != bnn.bipolar else 1
        at = np.sort(self.rng.integers(low - 1, high + 2, (rows, count)), axis=1)
        self.layers.append(threshold(at, self.element_type))

    def dense(self) -> None:
        columns = int(np.prod(self.space)) * self.channels
        weights = random_values(self.rng, bnn.bipolar, (self.choose(1, 3), columns))
        self.layers.extend([reshape(columns), linear(weights, bnn.bipolar, "fc")])


@st.composite
def spatial_samples(draw: st.DrawFn, frames: int = 4) -> Sample:
    """Up to three convolutions with padding and pools around them, on images or sequences."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    space = [draw(st.integers(1, 7)) for _ in range(draw(st.sampled_from([1, 2, 2])))]
    channels, element_type = draw(st.integers(1, 4)), draw(element_types)
    shape = (*space, channels)
    net = _Growing(draw, rng, space, channels, element_type)
    for _ in range(draw(st.integers(1, 3))):
        if draw(st.booleans()):
            net.pad()
        if draw(st.integers(0, 3)) == 0:
            net.max_pool()
        net.conv()
        if draw(st.integers(0, 3)) == 0:
            net.max_pool()
        if not draw(st.booleans()):
            break
        net.threshold()
    if draw(st.integers(0, 3)) == 0:
        net.sum_pool()
    if draw(st.booleans()):
        net.dense()
    module = network(TensorType(element_type, shape), net.layers)
    return Sample(module, random_values(rng, element_type, (frames, *shape)), seed)


@dataclass(frozen=True)
class UnitSample:
    """A design of one unit, and frames for it."""

    module: ModuleOp
    inputs: Array


def unit_module(source: StreamType, make: Callable[[SSAValue], Operation]) -> ModuleOp:
    """A dataflow function of one unit."""
    block = Block(arg_types=[source.frame])
    entry = dataflow.ToStreamOp(block.args[0], source.lanes)
    unit = make(entry.output)
    leave = dataflow.FromStreamOp(unit.results[0])
    block.add_ops([entry, unit, leave, ReturnOp(leave.output)])
    types = FunctionType.from_lists([source.frame], [leave.output.type])
    module = ModuleOp([FuncOp("net", types, Region(block))])
    module.verify()
    return module


@st.composite
def unit_samples(draw: st.DrawFn, frames: int = 4) -> UnitSample:
    """One unit on windows, of any shape, folding and element type."""
    space = [draw(st.integers(1, 7)) for _ in range(draw(st.sampled_from([1, 2, 2])))]
    channels = draw(st.sampled_from([1, 2, 3, 4]))
    lanes = draw(st.sampled_from(dataflow.divisors(channels)))
    element_type = draw(st.sampled_from([bnn.bipolar, bnn.uint(3), bnn.sint(3)]))
    source = StreamType.of(TensorType(element_type, (*space, channels)), lanes)

    def each(low: int, high: int) -> list[int]:
        return [draw(st.integers(low, high)) for _ in space]

    kernel = [draw(st.integers(1, min(size, 4))) for size in space]
    kind = draw(st.sampled_from(["pad", "window", "max_pool", "sum_pool"]))

    def make(value: SSAValue) -> Operation:
        if kind == "pad":
            wide = bnn.sint(4)
            pad_value, result = draw(st.sampled_from([(1, element_type), (0, wide), (-1, wide)]))
            return dataflow.PadOp(value, each(0, 2), each(0, 2), pad_value, result, lanes)
        if kind == "window":
            dilations = [
                draw(st.integers(1, (size - 1) // (extent - 1))) if extent > 1 else 1
                for size, extent in zip(space, kernel, strict=True)
            ]
            groups = draw(st.sampled_from(dataflow.divisors(channels // lanes)))
            return dataflow.WindowOp(value, kernel, each(1, 3), dilations, lanes, groups)
        strides = [extent + draw(st.integers(0, 1)) for extent in kernel]
        if kind == "max_pool":
            return dataflow.MaxPoolOp(value, kernel, strides, element_type, lanes)
        return dataflow.SumPoolOp(value, kernel, strides, bnn.sint(9), lanes)

    module = unit_module(source, make)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return UnitSample(module, random_values(rng, element_type, (frames, *space, channels)))


def small_cnn() -> tuple[ModuleOp, Array]:
    """Padding, two convolutions with thresholds and a pool, as people train them."""
    rng = np.random.default_rng(7)
    weights = [random_values(rng, bnn.bipolar, shape) for shape in ((8, 3, 3, 3), (4, 3, 3, 8))]
    layers = [
        pad((1, 1), (1, 1), 0, bnn.uint(4)),
        conv(weights[0], bnn.bipolar),
        threshold(rng.integers(-40, 40, (8, 1)), bnn.bipolar),
        max_pool((2, 2), (2, 2)),
        conv(weights[1], bnn.bipolar),
        threshold(rng.integers(-8, 8, (4, 1)), bnn.bipolar),
    ]
    module = network(TensorType(bnn.uint(4), (10, 10, 3)), layers)
    return module, random_values(rng, bnn.uint(4), (6, 10, 10, 3))


def folded_cnn() -> tuple[ModuleOp, Array]:
    """The same, folded by the compiler."""
    module, inputs = small_cnn()
    to_dataflow(module)
    for module_pass in (FoldLayers(), InsertWidthConverters(), InsertFifos()):
        module_pass.apply(CONTEXT, module)
    module.verify()
    return module, inputs
