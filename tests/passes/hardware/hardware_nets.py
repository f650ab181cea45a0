"""Random small networks at level bnn, and the way from there to simulated hardware."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st
from xdsl.context import Context
from xdsl.dialects.builtin import (
    FunctionType,
    ModuleOp,
    NameLoc,
    NoneAttr,
    StringAttr,
    TensorType,
)
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from irc.dialects import bnn
from irc.dialects.dataflow import Folding
from irc.dialects.dense import BipolarType, element_range
from irc.interp.beats import beats_to_frames, frames_to_beats
from irc.interp.rtl import HwSimulator
from irc.interp.rtl_axis import AxisResult, run_axis
from irc.passes.hardware.convert_bnn_to_dataflow import ConvertBnnToDataflow
from irc.passes.hardware.convert_dataflow_to_hw import ConvertDataflowToHw
from irc.passes.hardware.design import Design, design_of
from irc.passes.hardware.folding_search import refold
from irc.passes.hardware.insert_fifos import InsertFifos
from irc.passes.hardware.insert_width_converters import InsertWidthConverters
from irc.passes.hardware.lanes import possible_foldings, spread_lanes

Array = npt.NDArray[Any]
Layer = Callable[[SSAValue], Operation]

CONTEXT = Context()


def named(name: str) -> NameLoc:
    """The location of an ONNX node."""
    return NameLoc(StringAttr(name), NoneAttr())


def network(input_type: TensorType[Attribute], layers: Sequence[Layer]) -> ModuleOp:
    """A module with one function `net` that applies the layers in order."""
    block = Block(arg_types=[input_type])
    value: SSAValue = block.args[0]
    for layer in layers:
        op = layer(value)
        block.add_op(op)
        value = op.results[0]
    block.add_op(ReturnOp(value))
    function = FuncOp("net", FunctionType.from_lists([input_type], [value.type]), Region(block))
    module = ModuleOp([function])
    module.verify()
    return module


def linear(weights: Array, element_type: Attribute, name: str | None = None) -> Layer:
    """A `bnn.linear` whose result type holds every sum."""

    def make(value: SSAValue) -> Operation:
        low, high = sum_range(weights, *element_range(bnn.frame_type(value).element_type))
        sums = bnn.smallest_int(min(0, low), max(0, high))
        op = bnn.LinearOp(value, bnn.DenseAttr.from_numpy(weights, element_type), sums)
        if name is not None:
            op.location = named(name)
        return op

    return make


def threshold(
    at: Array,
    element_type: Attribute,
    bias: int = 0,
    steps: Array | None = None,
    name: str | None = None,
) -> Layer:
    """A `bnn.threshold`."""

    def make(value: SSAValue) -> Operation:
        op = bnn.ThresholdOp(
            value,
            bnn.DenseAttr.from_integers(at),
            element_type,
            bias,
            None if steps is None else bnn.DenseAttr.from_integers(steps),
        )
        if name is not None:
            op.location = named(name)
        return op

    return make


def reshape(*shape: int) -> Layer:
    """A `bnn.reshape`."""
    return lambda value: bnn.ReshapeOp(value, shape)


def sum_range(weights: Array, low: int, high: int) -> tuple[int, int]:
    """The smallest and largest sum of inputs from `low` to `high`, over all rows."""
    positive, negative = np.maximum(weights, 0).sum(axis=1), np.minimum(weights, 0).sum(axis=1)
    lowest, highest = positive * low + negative * high, positive * high + negative * low
    return int(lowest.min()), int(highest.max())


def random_values(rng: np.random.Generator, element_type: Attribute, shape: Sequence[int]) -> Array:
    """Values of an exact type, uniformly."""
    if isinstance(element_type, BipolarType):
        return (2 * rng.integers(0, 2, shape) - 1).astype(np.int8)
    low, high = element_range(element_type)
    return rng.integers(low, high + 1, shape)


exact_types = st.one_of(
    st.just(bnn.bipolar),
    st.integers(1, 4).map(bnn.uint),
    st.integers(1, 4).map(bnn.sint),
)


@dataclass(frozen=True)
class Sample:
    """A network, frames for it, and what it makes of them."""

    module: ModuleOp
    inputs: Array
    seed: int


@st.composite
def random_threshold(
    draw: st.DrawFn, rng: np.random.Generator, low: int, high: int, channels: int
) -> tuple[Layer, Attribute]:
    """Thresholds on values from `low` to `high`, and the type that they give."""
    element_type = draw(exact_types)
    rows = draw(st.sampled_from(sorted({1, channels})))
    if isinstance(element_type, BipolarType):
        at = rng.integers(low - 2, high + 3, (rows, 1))
        if draw(st.booleans()):
            return threshold(at, element_type), element_type
        return threshold(at, element_type, 1, np.full((rows, 1), -1)), element_type
    smallest, largest = element_range(element_type)
    count = draw(st.integers(1, 5))
    at = np.sort(rng.integers(low - 2, high + 3, (rows, count)), axis=1)
    # A step for each change along a path of codes, the same for all channels or not.
    codes = rng.integers(smallest, largest + 1, (draw(st.sampled_from([1, rows])), count + 1))
    codes[:, 0] = codes[0, 0]
    if count <= largest - smallest and draw(st.booleans()):
        return threshold(at, element_type, smallest), element_type
    steps = np.broadcast_to(np.diff(codes, axis=1), at.shape)
    return threshold(at, element_type, int(codes[0, 0]), steps), element_type


@st.composite
def samples(draw: st.DrawFn, frames: int = 4, largest: int = 12) -> Sample:
    """One to three layers of any encoding, shape and thresholds."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    sizes = [size for size in (1, 2, 3, 4, 6, 8, 12) if size <= largest]
    lead = draw(st.lists(st.integers(1, 3), max_size=1))
    columns = draw(st.sampled_from(sizes))
    input_type = draw(exact_types)
    in_shape = [*lead, columns]
    shape = list(in_shape)
    layers: list[Layer] = []
    low, high = element_range(input_type)
    for index in range(draw(st.integers(1, 3))):
        if draw(st.booleans()):
            layer, element_type = draw(random_threshold(rng, low, high, columns))
            layers.append(layer)
            low, high = element_range(element_type)
        if len(shape) == 2 and draw(st.booleans()):
            shape = [shape[0] * shape[1]]
            columns = shape[0]
            layers.append(reshape(*shape))
        rows, weight_type = draw(st.sampled_from(sizes)), draw(exact_types)
        weights = random_values(rng, weight_type, (rows, columns))
        low, high = sum_range(weights, low, high)
        layers.append(linear(weights, weight_type, f"fc{index}"))
        shape, columns = [*shape[:-1], rows], rows
        if not draw(st.booleans()):
            break
        layer, element_type = draw(random_threshold(rng, low, high, columns))
        layers.append(layer)
        low, high = element_range(element_type)
    module = network(TensorType(input_type, in_shape), layers)
    return Sample(module, random_values(rng, input_type, (frames, *in_shape)), seed)


def to_dataflow(module: ModuleOp) -> Design:
    """Convert in place; every layer unfolded."""
    ConvertBnnToDataflow().apply(CONTEXT, module)
    module.verify()
    return design_of(module)


def fold(module: ModuleOp, foldings: Sequence[Folding], *, fifos: bool = True) -> Design:
    """Fold the layers in order, and insert what that makes necessary."""
    design = design_of(module)
    for layer, folding in zip(design.layers, foldings, strict=True):
        refold(layer, folding)
    spread_lanes(design)
    module.verify()
    InsertWidthConverters().apply(CONTEXT, module)
    if fifos:
        InsertFifos().apply(CONTEXT, module)
    module.verify()
    return design_of(module)


def random_foldings(rng: np.random.Generator, design: Design) -> list[Folding]:
    """Any folding for each layer."""
    every = [list(possible_foldings(layer)) for layer in design.layers]
    return [foldings[rng.integers(len(foldings))] for foldings in every]


class Hardware:
    """A simulated design."""

    def __init__(self, module: ModuleOp) -> None:
        design = design_of(module)
        self.source, self.result = design.source, design.result
        self.module = module.clone()
        ConvertDataflowToHw().apply(CONTEXT, self.module)
        self.module.verify()
        self.top = design.name

    def simulator(self, seed: int = 0) -> HwSimulator:
        """The design after power-up, registers without reset at random."""
        return HwSimulator(self.module, self.top, seed=seed)

    def play(self, frames: Array, source_stall: float = 0, sink_stall: float = 0) -> AxisResult:
        """Send frames, with stalls by chance on either side."""
        return self.play_on(self.simulator(), frames, source_stall, sink_stall)

    def play_on(
        self,
        simulator: HwSimulator,
        frames: Array,
        source_stall: float = 0,
        sink_stall: float = 0,
    ) -> AxisResult:
        """The same on a design that is what runs before have left it."""
        return run_axis(
            simulator,
            frames_to_beats(frames, self.source),
            self.result.beats,
            self.result.tdata_width // 8,
            source_stall=source_stall,
            sink_stall=sink_stall,
            patience=20_000,
        )

    def values(self, played: AxisResult) -> Array:
        """What the hardware has computed."""
        return beats_to_frames(played.beats, self.result)
