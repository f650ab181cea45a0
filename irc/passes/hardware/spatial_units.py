"""Units for what `bnn` says on images and sequences: padding, sliding windows and pools."""

from __future__ import annotations

import math
from collections.abc import Sequence

from xdsl.ir import Operation, SSAValue

from irc.dialects import bnn, dataflow

Pool = bnn.MaxPoolOp | bnn.SumPoolOp


def spatial_obstacle(op: Operation) -> str | None:
    """Why hardware has no unit for an exact convolution, pad or pool; None where it has."""
    axes = len(bnn.frame_type(op.operands[0]).get_shape()) - 1
    if axes not in (1, 2):
        return f"hardware works on one or two axes in space, not on {axes}"
    return None


def window_units(op: bnn.ConvOp, value: SSAValue) -> Sequence[Operation]:
    """Lay out the windows of a convolution; nothing to do where each is one element, in order."""
    if math.prod(op.kernel) == 1 and set(op.strides) == {1}:
        return []
    return [dataflow.WindowOp(value, op.kernel, op.strides, op.dilations, groups=op.groups)]


def pad_unit(op: bnn.PadOp, value: SSAValue) -> Operation:
    """The unit that adds a border."""
    element_type = bnn.frame_type(op.output).element_type
    return dataflow.PadOp(value, op.before, op.after, int(op.pad_value), element_type)


def pool_units(op: Pool, value: SSAValue) -> Sequence[Operation]:
    """One unit where windows do not overlap; otherwise windows are laid out first.

    `pool(x) = pool'(windows(x))`, the windows of x being the rows of an image K elements wide of
    which each row is one window of `pool'`.
    """
    result = bnn.frame_type(op.output)
    apart = all(k <= s for k, s in zip(op.kernel, op.strides, strict=True))
    unit = dataflow.MaxPoolOp if isinstance(op, bnn.MaxPoolOp) else dataflow.SumPoolOp
    if apart and set(op.dilations) == {1}:
        return [unit(value, op.kernel, op.strides, result.element_type)]
    *counts, channels = result.get_shape()
    windows = dataflow.WindowOp(value, op.kernel, op.strides, op.dilations)
    size = math.prod(op.kernel)
    rows = dataflow.ReshapeOp(windows.output, (math.prod(counts), size, channels))
    pool = unit(rows.output, (1, size), (1, size), result.element_type)
    shaped = dataflow.ReshapeOp(pool.output, (*counts, channels))
    return [windows, rows, pool, shaped]
