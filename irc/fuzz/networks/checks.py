"""Comparing a network's levels: which frames rounding may decide, and what counts as equal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import ReturnOp
from xdsl.interpreter import Interpreter, PythonValues
from xdsl.ir import Operation, SSAValue

from irc.dialects import bnn
from irc.fuzz.networks.random_network import RandomNetwork
from irc.interp.onnx_reference import OnnxReference
from irc.interp.run import entry_function, make_interpreter
from irc.passes.analysis.chain import Link, float_bounds
from irc.passes.streamline.fold_thresholds import margin_of

Array = npt.NDArray[Any]


@dataclass
class Watcher(Interpreter.Listener):
    """Marks the frames in which some threshold reads an integer that its margin lists, and those
    in which rounding may decide an argmax of floats."""

    doubtful: Array
    values: dict[SSAValue, Array] = field(default_factory=dict[SSAValue, Array])

    def will_interpret_op(self, op: Operation, args: PythonValues) -> None:
        self.values.update(zip(op.operands, args, strict=True))
        if isinstance(op, bnn.ThresholdOp):
            self._see_threshold(op, args[0])
        elif isinstance(op, bnn.ArgmaxOp) and args[0].dtype.kind == "f":
            low, high = self.bounds(op.input)
            # The largest lower bound wins for certain if no other upper bound reaches it.
            reached = (high >= low.max(axis=-1, keepdims=True)).sum(axis=-1) > 1
            self._mark(reached & (low != high).any(axis=-1))

    def _see_threshold(self, op: bnn.ThresholdOp, values: Array) -> None:
        margin = margin_of(op)
        assert margin is not None, "the search leaves a margin on every threshold"
        alike = op.thresholds.shape[0] == 1
        for channel, first, last in margin:
            # One row of thresholds, and of margins, may stand for all channels.
            read = values if alike else values[..., channel]
            self._mark((read >= first) & (read <= last))

    def _mark(self, doubtful: Array) -> None:
        self.doubtful |= doubtful.reshape(len(doubtful), -1).any(axis=1)

    def bounds(self, value: SSAValue) -> tuple[Array, Array]:
        """What another order of evaluation can make of a value that was computed: [N, …] each."""
        match value.owner:
            case bnn.TransposeOp() as op:
                axes = (0, *(axis + 1 for axis in op.axes))
                low, high = self.bounds(op.input)
                return low.transpose(axes), high.transpose(axes)
            case bnn.SoftmaxOp() as op if op.fn.data == "softmax":
                return _softmax_bounds(*self.bounds(op.input))
            case bnn.AddOp() as op if self.values[op.lhs].dtype.kind == "f":
                return _sum_bounds(self.bounds(op.lhs), self.bounds(op.rhs))
            case bnn.ConcatOp() as op:
                lows, highs = zip(*(self.bounds(each) for each in op.inputs), strict=True)
                axis = op.axis_index + 1
                return np.concatenate(lows, axis), np.concatenate(highs, axis)
            case bnn.ReshapeOp() as op:
                shape = bnn.frame_type(op.output).get_shape()
                low, high = self.bounds(op.input)
                return low.reshape(-1, *shape), high.reshape(-1, *shape)
            case _:
                pass
        found, links = value, list[Link]()
        while isinstance(found.owner, bnn.EwiseOp):
            links.insert(0, Link.of(found.owner))
            found = found.owner.input
        if links and isinstance(found.owner, bnn.AddOp | bnn.ConcatOp):
            low, high = self.bounds(found)
            if (low != high).any():
                # What functions make of an interval is not followed behind a sum of floats.
                shape = self.values[value].shape
                return np.full(shape, -np.inf), np.full(shape, np.inf)
        if not links or not isinstance(found.owner, bnn.CastOp):
            return self.values[value], self.values[value]
        integers = self.values[found.owner.input]
        columns = integers.reshape(-1, integers.shape[-1]).T
        low, high = (end.T.reshape(integers.shape) for end in float_bounds(links, columns))
        anything = np.isnan(low) | np.isnan(high)
        return np.where(anything, -np.inf, low), np.where(anything, np.inf, high)


def _sum_bounds(a: tuple[Array, Array], b: tuple[Array, Array]) -> tuple[Array, Array]:
    """A float32 sum of two values that are known by their ends, or to the bit."""
    (low_a, high_a), (low_b, high_b) = a, b
    low: Array = low_a.astype(np.float32) + low_b.astype(np.float32)
    high: Array = high_a.astype(np.float32) + high_b.astype(np.float32)
    if (low == high).all():
        return low, high
    # The ends are in float64, and their sum rounds once more.
    return np.nextafter(low, np.float32(-np.inf)), np.nextafter(high, np.float32(np.inf))


def _softmax_bounds(low: Array, high: Array) -> tuple[Array, Array]:
    """`p_i = 1 / Σ_j exp(x_j − x_i)` is least where x_i is and all others are largest.

    The exponential of a difference d in float32 is off by |d| ulps or so: by as much again as d
    itself is.
    """
    low, high = low.astype(np.float64), high.astype(np.float64)
    largest = high.max(axis=-1, keepdims=True)
    with np.errstate(all="ignore"):
        own, others = np.exp(low - largest), np.exp(high - largest)
        least = own / (own + others.sum(axis=-1, keepdims=True) - others)
        most = others / (others + own.sum(axis=-1, keepdims=True) - own)
    slack = 2.0**-22 * (4 + (largest - low)) * most + 2.0**-140
    return least - slack, most + slack


def run_watched(module: ModuleOp, frames: Array) -> tuple[Array, Watcher]:
    """The results, and what was seen on the way to them."""
    function = entry_function(module)
    interpreter = make_interpreter(module)
    watcher = Watcher(np.zeros(len(frames), bool))
    interpreter.listeners = (watcher,)
    (results,) = interpreter.call_op(function.sym_name.data, (frames,))
    return results, watcher


def compare_with_onnx(network: RandomNetwork, module: ModuleOp) -> tuple[str | None, int]:
    """Whether level bnn gives what the reference gives: the same integers, and floats within the
    bounds that follow from the errors stated, the same bits where there are none.

    Returns the first frame where it does not, in words, and how many frames rounding may decide.
    """
    (expected,) = OnnxReference(network.model).run_frames(network.model_frames).values()
    results, watcher = run_watched(module, network.frames)
    terminator = entry_function(module).body.block.last_op
    assert isinstance(terminator, ReturnOp)
    low, high = (end.reshape(expected.shape) for end in watcher.bounds(terminator.operands[0]))
    apart = (expected < low) | (expected > high)
    wrong = apart.reshape(len(apart), -1).any(axis=1) & ~watcher.doubtful
    text = None
    if wrong.any():
        frame = int(np.flatnonzero(wrong)[0])
        text = (
            f"frame {frame}: the reference gives {expected[frame]}, the bnn level {results[frame]}"
        )
    return text, int(watcher.doubtful.sum())


def assert_agrees_with_onnx(network: RandomNetwork) -> int:
    """`compare_with_onnx`; returns how many frames rounding may decide.

    A counterexample is written out, and what to type to see it again is in the message.
    """
    text, doubtful = compare_with_onnx(network, network.lowered("bnn"))
    if text is not None:
        raise AssertionError(f"{text}\nreproduce with: {network.save()}")
    return doubtful
