"""Random networks of exact types, and frames for them: what differential tests run on."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import Float32Type, ModuleOp, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from irc.dialects import bnn
from irc.dialects.bnn import DenseAttr, bipolar, sint, smallest_int, uint
from irc.dialects.dense import BipolarType, element_range
from irc.interp.bnn import to_element_type

Array = npt.NDArray[Any]

# Around the word sizes, where padding and carries go wrong.
WIDTHS = (1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 40, 63, 64, 65, 100)
INPUT_TYPES = (uint(8), uint(8), bipolar, uint(1), uint(3), sint(2), sint(4), sint(8), sint(11))
WEIGHT_TYPES = (bipolar, bipolar, sint(2), sint(3), sint(8), uint(1), uint(4))
FLOAT_STEPS = ("mul", "add", "sub", "div", "max", "min", "relu", "rsub", "prelu", "neg", "abs")


@dataclass
class Builder:
    """A function under construction, and the random choices that make it."""

    random: Random
    ops: list[Operation] = field(default_factory=list[Operation])

    def add(self, op: Operation) -> SSAValue:
        """Append an op; its result."""
        self.ops.append(op)
        return op.results[0]

    def numbers(self, low: int, high: int, shape: tuple[int, ...]) -> Array:
        """Uniformly random integers from `low` to `high`."""
        generator = np.random.default_rng(self.random.getrandbits(32))
        return generator.integers(low, high, shape, np.int64, endpoint=True)

    def values(self, element_type: Attribute, shape: tuple[int, ...]) -> Array:
        """Random values of an exact type."""
        if isinstance(element_type, BipolarType):
            return 2 * self.numbers(0, 1, shape) - 1
        return self.numbers(*element_range(element_type), shape)

    def linear(self, value: SSAValue) -> SSAValue:
        """A linear op with a result type that holds every sum."""
        frame = bnn.frame_type(value)
        columns, rows = frame.get_shape()[-1], self.random.choice(WIDTHS)
        weight_type = self.random.choice(WEIGHT_TYPES)
        weights = self.values(weight_type, (rows, columns))
        low, high = element_range(frame.element_type)
        ends = np.stack([weights * low, weights * high])
        least, most = ends.min(axis=0).sum(axis=1).min(), ends.max(axis=0).sum(axis=1).max()
        result = smallest_int(int(least), int(most))
        return self.add(bnn.LinearOp(value, DenseAttr.from_numpy(weights, weight_type), result))

    def threshold(self, value: SSAValue) -> SSAValue:
        """A threshold op of any kind; its codes fit its result type whatever comes in."""
        frame = bnn.frame_type(value)
        low, high = element_range(frame.element_type)
        middle, reach = (low + high) // 2, max(2, (high - low) // 4)
        channels = self.random.choice([1, (frame.get_shape() or (1,))[-1]])
        levels = self.random.choice([1, 1, 2, 3, 5, 7])
        at = self.numbers(middle - reach, middle + reach, (channels, levels))
        kind = self.random.choice(["bipolar", "bipolar", "count", "steps"])
        if kind == "bipolar":
            bias = self.random.choice([0, 1])
            steps = np.where(np.arange(levels) % 2 == bias, 1, -1)
            at.sort(axis=1)
            given = None if levels == 1 and bias == 0 else np.tile(steps, (channels, 1))
            return self._threshold(value, at, given, bias, bipolar)
        bias = self.random.randint(-4, 4)
        if kind == "count":
            return self._threshold(value, at, None, bias, smallest_int(bias, bias + levels))
        steps = self.numbers(-3, 3, (channels, levels))
        least = bias + int(np.minimum(steps, 0).sum(axis=1).min())
        most = bias + int(np.maximum(steps, 0).sum(axis=1).max())
        return self._threshold(value, at, steps, bias, smallest_int(least, most))

    def _threshold(
        self, value: SSAValue, at: Array, steps: Array | None, bias: int, kind: Attribute
    ) -> SSAValue:
        given = None if steps is None else DenseAttr.from_integers(steps)
        return self.add(bnn.ThresholdOp(value, DenseAttr.from_integers(at), kind, bias, given))

    def reshape(self, value: SSAValue) -> SSAValue:
        """Another shape of the same size, or none."""
        size = int(np.prod(bnn.frame_type(value).get_shape(), dtype=np.int64))
        divisors = [d for d in range(1, size + 1) if size % d == 0]
        first = self.random.choice([1, 1, *divisors])
        shape = self.random.choice([(size,), (first, size // first), (1, size // first, first)])
        return self.add(bnn.ReshapeOp(value, shape))

    def float_tail(self, value: SSAValue) -> SSAValue:
        """A cast and some float functions, with constants for all or for each channel."""
        value = self.add(bnn.CastOp(value))
        channels = bnn.frame_type(value).get_shape()[-1]
        for _ in range(self.random.randint(0, 5)):
            fn = self.random.choice(FLOAT_STEPS)
            constant = None
            if fn in bnn.BINARY_FUNCTIONS:
                shape = self.random.choice([(), (1,), (channels,)])
                scale = 10.0 ** self.random.randint(-3, 1)
                constant = DenseAttr.from_floats(
                    self.numbers(1, 1 << 20, shape) * scale * self.random.choice([-1, 1]) / 99991
                )
            value = self.add(bnn.EwiseOp(fn, value, constant))
        return value


def random_network(random: Random) -> ModuleOp:
    """A function @net with one argument and one or two results."""
    builder = Builder(random)
    shape = random.choice([(random.choice(WIDTHS),), (3, random.choice(WIDTHS)), (1, 6, 5)])
    block = Block(arg_types=[TensorType(random.choice(INPUT_TYPES), shape)])
    value: SSAValue = block.args[0]
    results: list[SSAValue] = []
    for _ in range(random.randint(1, 4)):
        if random.random() < 0.4:
            value = builder.reshape(value)
        if random.random() < 0.15:
            rank = len(bnn.frame_type(value).get_shape())
            value = builder.add(bnn.TransposeOp(value, random.sample(range(rank), rank)))
        if random.random() < 0.8:
            value = builder.linear(value)
        if random.random() < 0.15:
            # A second reader keeps the sums from being fused away.
            results.append(value)
        if random.random() < 0.3:
            value = builder.reshape(value)
        if random.random() < 0.95:
            value = builder.threshold(value)
    tail = random.choice(["none", "logits", "argmax", "floats", "float argmax"])
    if tail != "none":
        value = builder.linear(value)
    if "float" in tail:
        value = builder.float_tail(value)
    if "argmax" in tail:
        index = random.choice([uint(7), sint(64)])
        value = builder.add(bnn.ArgmaxOp(value, index, keep_axis=random.random() < 0.5))
    results.append(value)
    block.add_ops([*builder.ops, ReturnOp(*results)])
    types = (list(block.arg_types), [result.type for result in results])
    return ModuleOp([FuncOp("net", types, Region(block))])


def random_frames(module: ModuleOp, random: Random, count: int) -> Array:
    """Frames [N, …] for the argument of @net; some are all at one end of the type."""
    function = next(op for op in module.ops if isinstance(op, FuncOp))
    frame = bnn.frame_type(function.body.block.args[0])
    if isinstance(frame.element_type, Float32Type):
        return _random_floats(random, (count, *frame.get_shape()))
    frames = Builder(random).values(frame.element_type, (count, *frame.get_shape()))
    low, high = element_range(frame.element_type)
    frames[0], frames[1] = low, high
    return to_element_type(frames, frame.element_type)


def _random_floats(random: Random, shape: tuple[int, ...]) -> Array:
    """Floats of all magnitudes; halves, for roundings, in the first frame, zeros in the second."""
    generator = np.random.default_rng(random.getrandbits(32))
    frames = generator.normal(size=shape) * 2.0 ** generator.integers(-3, 6, shape)
    frames[0] = generator.integers(-20, 20, shape[1:]) / 2
    frames[1] = 0
    return frames.astype(np.float32)
