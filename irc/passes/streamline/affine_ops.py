"""Scale and offset behind an exact value, as operations on floats."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt
from xdsl.ir import Operation, SSAValue

from irc.dialects import bnn

Array = npt.NDArray[Any]


def affine_ops(
    exact: SSAValue, factor: Array, offset: Array, error: bnn.DenseAttr | None
) -> list[Operation]:
    """`factor · cast(exact) + offset`, without what changes nothing."""
    new_ops: list[Operation] = [bnn.CastOp(exact)]
    if error is not None or bool((factor != 1).any()):
        new_ops.append(_scale(new_ops[-1], factor, error))
    if bool(offset.any()):
        new_ops.append(bnn.EwiseOp("add", new_ops[-1].results[0], floats(offset)))
    return new_ops


def _scale(of: Operation, factor: Array, error: bnn.DenseAttr | None) -> bnn.EwiseOp:
    return bnn.EwiseOp("mul", of.results[0], floats(factor), result_error=error)


def floats(values: Array) -> bnn.DenseAttr:
    """As f32, a scalar where all channels are alike."""
    same = values.size > 0 and bool((values == values.flat[0]).all())
    return bnn.DenseAttr.from_floats(values.flat[0] if same else values)
