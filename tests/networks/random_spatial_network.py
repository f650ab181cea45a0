"""Random convolutional networks of one and two dimensions; see `random_network` for what is in one.

network = random_spatial_network(seed)
@given(random_spatial_networks())
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from drawn_networks import DrawnChoices
from hypothesis import strategies as st
from onnx import TensorProto

from irc.fuzz.networks.choices import Choices, Numbers, SeededChoices
from irc.fuzz.networks.graph import IR_VERSIONS, QONNX_DOMAINS, Export, Graph
from irc.fuzz.networks.random_network import RandomNetwork, declared_floats, random_frames
from irc.fuzz.networks.spatial_parts import SpatialParts
from irc.passes.streamline.declare_inputs import InputDeclaration

MAX_CHANNELS = 4
MAX_BLOCKS = 3
MAX_EXTENT = {1: 12, 2: 7}
"""Largest frame along each axis, by rank."""

DECLARATIONS = ("bipolar", "uint8", "uint8/255", "int8*0.0078125", "uint4/15-0.5")


@dataclass(frozen=True)
class RandomSpatialNetwork(RandomNetwork):
    """A random network, and why it may be one that no integers can stand for."""

    unusual: tuple[str, ...]

    # The dataclass would write one with all the frames.
    __repr__ = RandomNetwork.__repr__


def random_spatial_network(seed: int) -> RandomSpatialNetwork:
    """The network that belongs to a seed."""
    return make_spatial_network(SeededChoices(seed))


@st.composite
def random_spatial_networks(draw: st.DrawFn) -> RandomSpatialNetwork:
    """Networks drawn by Hypothesis."""
    return make_spatial_network(DrawnChoices(draw))


def make_spatial_network(choices: Choices) -> RandomSpatialNetwork:
    """A network from random decisions."""
    export = Export(
        opset=choices.pick(tuple(IR_VERSIONS)[::-1]),
        domain=choices.pick((*QONNX_DOMAINS, None)),
        dynamic_batch=choices.pick((False, True)),
        listed_initializers=choices.pick((False, True)),
    )
    numbers = Numbers(choices.integer(0, 2**16), choices.pick((True, False)))
    rank = choices.pick((2, 1))
    shape = (
        choices.integer(1, MAX_CHANNELS),
        *(choices.integer(1, MAX_EXTENT[rank]) for _ in range(rank)),
    )
    graph = Graph(export)
    parts = SpatialParts(graph, choices, numbers, shape[0], shape[1:])
    declaration = InputDeclaration.parse(choices.pick(DECLARATIONS))

    value = _preprocessed(parts, "x")
    for _ in range(choices.integer(1, MAX_BLOCKS)):
        value = _block(parts, value)
    value, rank, output_type = _head(parts, value)

    frames = random_frames(numbers, declaration, shape)
    return RandomSpatialNetwork(
        graph.model(TensorProto.FLOAT, shape, value, output_type, rank),
        (f"x={declaration.text}",),
        frames,
        declared_floats(declaration, frames),
        numbers.nice,
        tuple(parts.unusual),
    )


def _preprocessed(parts: SpatialParts, value: str) -> str:
    kind = parts.choices.pick(("quantized", "normalized and quantized", "as it is"))
    if kind == "as it is":
        parts.unusual.append("an input that nothing quantizes")
        return value
    if kind == "normalized and quantized":
        value = parts.batch_norm(value, parts.channels)
    return parts.spatial_quantizer(value)


def _block(parts: SpatialParts, value: str) -> str:
    """Border, convolution, functions, quantizer; a pool somewhere among them."""
    pick = parts.choices.pick
    if pick((False, True)):
        value = parts.padded(value)
    value = parts.convolution(value)
    pool = pick(("none", "max before", "max after", "max first", "average after", "average before"))
    if pool == "max first":
        value = parts.max_pool(value)
    if pool == "average before":
        parts.unusual.append("an average of what is not quantized")
        value = parts.average_pool(value)
    for _ in range(parts.choices.integer(0, 2)):
        value = parts.spatial_tail(value)
    if pool == "max before":
        value = parts.max_pool(value)
    value = parts.spatial_quantizer(value)
    if pool == "max after":
        value = parts.max_pool(value)
    if pool == "average after":
        value = parts.average_pool(value)
    return value


def _head(parts: SpatialParts, value: str) -> tuple[str, int, int]:
    """What makes classes of features; also the rank and type of the result without its batch."""
    pick = parts.choices.pick
    kind = pick(("flatten", "GlobalAveragePool", "GlobalMaxPool", "flatten and quantize", "none"))
    if kind == "none":
        return value, 1 + len(parts.space), TensorProto.FLOAT
    if kind.startswith("Global"):
        value = parts.global_pool(value, kind)
    width = parts.channels * math.prod(parts.space)
    if pick((False, True)):
        shape = parts.graph.constant([-1, width], np.int64)
        value = parts.graph.node("Reshape", value, shape)
    else:
        value = parts.graph.node("Flatten", value, axis=1)
    if kind == "flatten and quantize":
        value = parts.quantizer(parts.tail(value, width))
    rows = parts.choices.integer(1, 10)
    value = parts.linear(value, rows, width)
    if pick((False, True)):
        return parts.graph.node("ArgMax", value, axis=1, keepdims=1), 1, TensorProto.INT64
    return value, 1, TensorProto.FLOAT
