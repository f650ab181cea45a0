"""Random networks of everything: every operator, pattern, dialect and width that irc is for.

network = random_mixed_network(seed)
network.drawn       what was drawn of each kind of part

See `random_network` for what else is in one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from onnx import TensorProto

from irc.fuzz.networks.branch_parts import BranchParts
from irc.fuzz.networks.choices import Choices, Numbers, SeededChoices
from irc.fuzz.networks.graph import IR_VERSIONS, QONNX_DOMAINS, Export, Graph
from irc.fuzz.networks.random_network import RandomNetwork, declared_floats, random_frames
from irc.passes.streamline.declare_inputs import InputDeclaration

MAX_BLOCKS = 3
MAX_EXTENT = {0: 1, 1: 12, 2: 7}
"""Largest frame along each axis, by rank."""

DECLARATIONS = ("uint8/255", "bipolar", "uint8", "int8*0.0078125", "uint4/15-0.5", "int4")

BLOCKS = ("layer", "residual", "concat", "split", "upsample", "skip connection", "pool")
POOLS = ("max", "max of sums", "max before the quantizer", "average", "average of sums")
HEADS = ("dense", "hidden dense", "GlobalAveragePool", "GlobalMaxPool", "none")
ENDS = ("none", "tails", "ArgMax", "TopK", "Softmax")


@dataclass(frozen=True)
class RandomMixedNetwork(RandomNetwork):
    """A random network, and what was drawn of each kind of part."""

    drawn: Counter[str] = field(default_factory=Counter[str])

    # The dataclass would write one with all the frames.
    __repr__ = RandomNetwork.__repr__


def random_mixed_network(seed: int) -> RandomMixedNetwork:
    """The network that belongs to a seed."""
    return make_mixed_network(SeededChoices(seed))


def make_mixed_network(choices: Choices) -> RandomMixedNetwork:
    """A network from random decisions."""
    export = Export(
        opset=choices.pick(tuple(IR_VERSIONS)[::-1]),
        domain=choices.pick((*QONNX_DOMAINS, None)),
        dynamic_batch=choices.pick((False, True)),
        listed_initializers=choices.pick((False, True)),
    )
    numbers = Numbers(choices.integer(0, 2**16), choices.pick((True, False)))
    rank = choices.pick((2, 1, 2, 0))
    channels = choices.integer(1, 4 if rank else 24)
    space = tuple(choices.integer(1, MAX_EXTENT[rank]) for _ in range(rank))
    parts = BranchParts(Graph(export), choices, numbers, channels, space)
    declaration = InputDeclaration.parse(choices.pick(DECLARATIONS))
    is_last = bool(space) and choices.integer(0, 5) == 5
    shape = (*space, channels) if is_last else (channels, *space)
    frames = random_frames(numbers, declaration, shape)
    parts.data = declared_floats(declaration, frames)

    value = _input(parts, is_last)
    for _ in range(choices.integer(1, MAX_BLOCKS)):
        value = _block(parts, value)
    value, output_rank, output_type = _head(parts, value)

    return RandomMixedNetwork(
        parts.graph.model(TensorProto.FLOAT, shape, value, output_type, output_rank),
        (f"x={declaration.text}",),
        frames,
        parts.data,
        numbers.nice,
        parts.drawn,
    )


def _input(parts: BranchParts, is_last: bool) -> str:
    """The input, channels first or last, quantized and channels first."""
    value, rank = "x", len(parts.space)
    if is_last:
        parts.drawn["input: channels last"] += 1
        value = parts.graph.node("Transpose", value, perm=[0, rank + 1, *range(1, rank + 1)])
    if parts.choices.pick((False, False, True)):
        value = parts.batch_norm(value, parts.channels)
    return parts.any_quantizer(value)


def _block(parts: BranchParts, value: str) -> str:
    kind = parts.draw("block", BLOCKS if parts.space else BLOCKS[:4])
    match kind:
        case "residual":
            return parts.residual(value)
        case "concat":
            return parts.concatenated(value)
        case "split":
            return parts.split(value)
        case "skip connection":
            return parts.skip_connection(value)
        case "upsample":
            value = parts.upsampled(value)
            return parts.any_quantizer(parts.any_tails(parts.any_layer(value), 1))
        case "pool":
            return _pooled(parts, value)
        case _:
            if parts.space and parts.borders and parts.choices.integer(0, 3) == 3:
                value = parts.padded(value)
                parts.drawn["pad"] += 1
            return parts.any_quantizer(parts.any_tails(parts.any_layer(value), 3))


def _pooled(parts: BranchParts, value: str) -> str:
    """A layer with a pool somewhere; averages are quantized again."""
    kind = parts.draw("pool", POOLS)
    if kind == "max":
        return parts.max_pool(parts.any_quantizer(parts.any_layer(value)))
    if kind == "average":
        return parts.any_quantizer(parts.average_pool(parts.any_quantizer(parts.any_layer(value))))
    value = parts.any_layer(value)
    if kind == "max of sums":
        value = parts.max_pool(value)
    if kind == "average of sums":
        value = parts.average_pool(value)
    value = parts.any_tails(value, 2)
    if kind == "max before the quantizer":
        value = parts.max_pool(value)
    return parts.any_quantizer(value)


def _head(parts: BranchParts, value: str) -> tuple[str, int, int]:
    """What makes classes of features; also the rank and type of the result without its batch."""
    graph, choices = parts.graph, parts.choices
    kind = parts.draw("head", HEADS)
    if kind == "none":
        return value, 1 + len(parts.space), TensorProto.FLOAT
    if kind.startswith("Global") and parts.space:
        value = parts.global_pool(value, kind)
    value = parts.flattened(value)
    if kind == "hidden dense":
        value = parts.any_quantizer(parts.any_tails(parts.dense(value, 8), 2))
    value = parts.dense(value, choices.integer(2, 10))
    # Most networks end in logits.
    match parts.draw("end", (*ENDS[:4], *ENDS[:4], *ENDS)):
        case "ArgMax":
            return graph.node("ArgMax", value, axis=1, keepdims=1), 1, TensorProto.INT64
        case "TopK":
            if parts.opset < 10:
                return value, 1, TensorProto.FLOAT
            k = graph.constant([1], "int64")
            return graph.outputs(2, "TopK", value, k, axis=1)[1], 1, TensorProto.INT64
        case "Softmax":
            return graph.node("Softmax", value, axis=1), 1, TensorProto.FLOAT
        case "tails":
            return parts.any_tails(value, 2), 1, TensorProto.FLOAT
        case _:
            return value, 1, TensorProto.FLOAT
