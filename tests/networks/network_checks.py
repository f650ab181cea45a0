"""Comparing a network's levels: which frames rounding may decide, and what counts as equal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from random_network import RandomNetwork
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import ReturnOp
from xdsl.interpreter import Interpreter, PythonValues
from xdsl.ir import Operation, SSAValue

from irc.dialects import bnn
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
        if not links or not isinstance(found.owner, bnn.CastOp):
            return self.values[value], self.values[value]
        integers = self.values[found.owner.input]
        columns = integers.reshape(-1, integers.shape[-1]).T
        low, high = (end.T.reshape(integers.shape) for end in float_bounds(links, columns))
        anything = np.isnan(low) | np.isnan(high)
        return np.where(anything, -np.inf, low), np.where(anything, np.inf, high)


def run_watched(module: ModuleOp, frames: Array) -> tuple[Array, Watcher]:
    """The results, and what was seen on the way to them."""
    function = entry_function(module)
    interpreter = make_interpreter(module)
    watcher = Watcher(np.zeros(len(frames), bool))
    interpreter.listeners = (watcher,)
    (results,) = interpreter.call_op(function.sym_name.data, (frames,))
    return results, watcher


def assert_agrees_with_onnx(network: RandomNetwork) -> int:
    """The bnn level gives what the reference gives: the same integers, and floats within the
    bounds that follow from the errors stated, the same bits where there are none.

    Returns how many frames rounding may decide. A counterexample is written out, and what to type
    to see it again is in the message.
    """
    (expected,) = OnnxReference(network.model).run_frames(network.model_frames).values()
    module = network.lowered("bnn")
    results, watcher = run_watched(module, network.frames)
    terminator = entry_function(module).body.block.last_op
    assert isinstance(terminator, ReturnOp)
    low, high = (end.reshape(expected.shape) for end in watcher.bounds(terminator.operands[0]))
    apart = (expected < low) | (expected > high)
    wrong = apart.reshape(len(apart), -1).any(axis=1) & ~watcher.doubtful
    if wrong.any():
        frame = int(np.flatnonzero(wrong)[0])
        raise AssertionError(
            f"frame {frame}: the reference gives {expected[frame]}, the bnn level "
            f"{results[frame]}\nreproduce with: {network.save()}"
        )
    return int(watcher.doubtful.sum())
