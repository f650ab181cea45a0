"""The same bytes around another zero point: an input shifted by a constant, which thresholds
absorb."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import FloatAttr, f32
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.rewriter import Rewriter

from irc.dialects import bnn
from irc.dialects.bnn_base import like
from irc.dialects.dense import DenseAttr, element_range, smallest_int
from irc.errors import UnsupportedError

Array = npt.NDArray[Any]

_MOVES = (bnn.ReshapeOp, bnn.TransposeOp, bnn.MaxPoolOp, bnn.SliceOp, bnn.UpsampleOp, bnn.PadOp)
"""What moves a shift from its operand to its result."""


def shift_input(value: SSAValue, shift: int, element_type: Attribute) -> None:
    """Let `value` be `value + shift`, of another type, and undo it in everything that reads it.

    `x + s >= t + s` is `x >= t`; `Σ w·(x + s)` is `Σ w·x + s·Σ w`, of which the thresholds behind
    take the constant. Raises `UnsupportedError` for a reader that cannot undo it.
    """
    old = bnn.frame_type(value).element_type
    value = Rewriter.replace_value_with_new_type(value, like(value, element_type))
    for use in list(value.uses):
        reader = use.operation
        if isinstance(reader, bnn.ThresholdOp):
            _move(reader, np.array(shift))
        elif isinstance(reader, bnn.LinearOp | bnn.ConvOp):
            _shift_sums(reader, shift, element_type)
        elif isinstance(reader, _MOVES) and bnn.frame_type(reader.output).element_type == old:
            if isinstance(reader, bnn.PadOp):
                reader.properties["value"] = FloatAttr(reader.pad_value + shift, f32)
            shift_input(reader.output, shift, element_type)
        else:
            raise _refusal(reader)


def _move(threshold: bnn.ThresholdOp, shift: Array) -> None:
    moved = threshold.thresholds.numpy().astype(np.int64) + shift
    threshold.thresholds = DenseAttr.from_integers(moved)
    if threshold.steps is not None and threshold.steps.shape != moved.shape:
        steps = np.broadcast_to(threshold.steps.numpy(), moved.shape)
        threshold.steps = DenseAttr.from_integers(steps.astype(np.int64))


def _shift_sums(op: bnn.LinearOp | bnn.ConvOp, shift: int, element_type: Attribute) -> None:
    readers = [use.operation for use in op.output.uses]
    thresholds = [reader for reader in readers if isinstance(reader, bnn.ThresholdOp)]
    if len(thresholds) != len(readers) or op.scales is not None or op.offsets is not None:
        raise _refusal(op)
    weights = op.weights.numpy().astype(np.int64)
    rows = weights.reshape(weights.shape[0], -1)
    low, high = element_range(element_type)
    ends = rows * low, rows * high
    least, most = np.minimum(*ends).sum(axis=1), np.maximum(*ends).sum(axis=1)
    kind = smallest_int(int(least.min()), int(most.max()))
    Rewriter.replace_value_with_new_type(op.output, like(op.output, kind))
    for threshold in thresholds:
        _move(threshold, shift * rows.sum(axis=1)[:, None])


def _refusal(op: Operation) -> UnsupportedError:
    return UnsupportedError(
        f"the input's zero point cannot be moved: '{op.name}' has no thresholds behind it that "
        "could take it up; declare the input in the form that it comes in instead (--input)",
        op.location,
    )


__all__ = ["shift_input"]
