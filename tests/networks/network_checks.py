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
from xdsl.ir import Operation

from irc.dialects import bnn
from irc.interp.onnx_reference import OnnxReference
from irc.interp.run import entry_function, make_interpreter
from irc.passes.streamline.fold_thresholds import margin_of

Array = npt.NDArray[Any]


@dataclass
class Watcher(Interpreter.Listener):
    """Marks the frames in which some threshold reads an integer that its margin lists, and those
    in which the two largest operands of an argmax are too close to call."""

    doubtful: Array
    tolerance: float = 0.0
    seen: set[str] = field(default_factory=set[str])

    def will_interpret_op(self, op: Operation, args: PythonValues) -> None:
        if isinstance(op, bnn.ThresholdOp):
            margin = margin_of(op)
            assert margin is not None, "the search leaves a margin on every threshold"
            values: Array = args[0]
            for channel, first, last in margin:
                # One row of thresholds, and of margins, may stand for all channels.
                alike = op.thresholds.shape[0] == 1
                read = values if alike else values[..., channel]
                inside = (read >= first) & (read <= last)
                self.doubtful |= inside.reshape(len(inside), -1).any(axis=1)
        elif isinstance(op, bnn.ArgmaxOp) and args[0].dtype.kind == "f" and args[0].shape[-1] > 1:
            best = np.sort(args[0], axis=-1)
            gap = best[..., -1] - best[..., -2]
            tolerance = _tolerance(op, args[0])
            close = (gap <= tolerance) & (tolerance > 0)
            self.doubtful |= close.reshape(len(close), -1).any(axis=1)


_APPROXIMATED = {"sigmoid", "tanh", "softsign", "pow"}


def float_error(op: Operation) -> float:
    """0 where the float tail that ends at `op` is reproducible to the bit, else how far from the
    reference it may be, relative to the largest result."""
    error = 0.0
    value = op.operands[0]
    while isinstance(value.owner, bnn.EwiseOp):
        tail = value.owner
        if tail.fn.data in _APPROXIMATED or tail.result_error or tail.constant_error:
            error = 1e-4
        value = tail.input
    return error


def _tolerance(op: Operation, values: Array) -> float:
    return float_error(op) * float(np.abs(values).max(initial=1))


def run_watched(module: ModuleOp, frames: Array) -> tuple[Array, Array, float]:
    """Results, the mask of frames that rounding may decide, and the tolerance of the results."""
    function = entry_function(module)
    interpreter = make_interpreter(module)
    watcher = Watcher(np.zeros(len(frames), bool))
    interpreter.listeners = (watcher,)
    (results,) = interpreter.call_op(function.sym_name.data, (frames,))
    terminator = function.body.block.last_op
    assert isinstance(terminator, ReturnOp)
    tolerance = _tolerance(terminator, results) if results.dtype.kind == "f" else 0.0
    return results, watcher.doubtful, tolerance


def assert_agrees_with_onnx(network: RandomNetwork) -> int:
    """The bnn level gives what the reference gives; returns how many frames rounding may decide.

    A counterexample is written out, and what to type to see it again is in the message.
    """
    (expected,) = OnnxReference(network.model).run_frames(network.model_frames).values()
    results, doubtful, tolerance = run_watched(network.lowered("bnn"), network.frames)
    results = results.reshape(expected.shape)
    apart = np.abs(results.astype(np.float64) - expected) > tolerance
    wrong = apart.reshape(len(apart), -1).any(axis=1) & ~doubtful
    if wrong.any():
        frame = int(np.flatnonzero(wrong)[0])
        raise AssertionError(
            f"frame {frame}: the reference gives {expected[frame]}, the bnn level "
            f"{results[frame]}\nreproduce with: {network.save()}"
        )
    return int(doubtful.sum())
