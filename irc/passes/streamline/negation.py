"""Exact values with other signs in some channels."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import StringAttr, TensorType
from xdsl.ir import Operation, SSAValue

from irc.dialects import bnn
from irc.dialects.dense import element_range
from irc.passes.streamline.fold_thresholds import MARGIN

Array = npt.NDArray[Any]

MAX_VALUES = 1 << 6
"""Most values that thresholds map to their negatives."""


def negated_value(value: SSAValue, signs: Array) -> Operation | None:
    """An operation that gives `signs[c] · value`, for signs [C] or [1] of ±1; `None` where that
    takes more than the operation that gives the value."""
    match value.owner:
        case bnn.LinearOp() | bnn.ConvOp() as op:
            weights = op.weights.numpy().astype(np.int64)
            weights = weights * signs.reshape(-1, *(1 for _ in weights.shape[1:]))
            found = _of_type(weights, op.weights)
            return _remade(op, {"weights": found})
        case bnn.AddOp() as op:
            one = np.ones((2, 1), np.int64)
            multipliers = one if op.multipliers is None else op.multipliers.numpy()
            moved = bnn.DenseAttr.from_integers(multipliers.astype(np.int64) * signs)
            return _remade(op, {"multipliers": moved})
        case _:
            return _by_thresholds(value, signs)


def _of_type(values: Array, old: bnn.DenseAttr) -> bnn.DenseAttr:
    """In the type of `old` if that holds them."""
    low, high = element_range(old.element_type)
    fits = low <= int(values.min(initial=0)) and int(values.max(initial=0)) <= high
    if fits:
        return bnn.DenseAttr.from_numpy(values, old.element_type)
    return bnn.DenseAttr.from_integers(values)


def _remade(
    op: bnn.LinearOp | bnn.ConvOp | bnn.AddOp, properties: dict[str, bnn.DenseAttr]
) -> Operation:
    """The operation with other factors, and a type that holds sums of either sign."""
    low, high = element_range(bnn.frame_type(op.output).element_type)
    element_type = bnn.smallest_int(min(low, -high), max(high, -low))
    remade = type(op).create(
        operands=list(op.operands),
        result_types=[TensorType(element_type, bnn.frame_type(op.output).get_shape())],
        properties={**op.properties, **properties},
        attributes=dict(op.attributes),
    )
    remade.location = op.location
    return remade


def _by_thresholds(value: SSAValue, signs: Array) -> Operation | None:
    """`−x = high − Σ_i [x >= low + i]`, and `x = low + Σ_i [x >= low + i]`."""
    element_type = bnn.frame_type(value).element_type
    low, high = element_range(element_type)
    if high - low > MAX_VALUES:
        return None
    is_bipolar = isinstance(element_type, bnn.BipolarType)
    at = np.array([1]) if is_bipolar else np.arange(low + 1, high + 1)
    bias = 0 if is_bipolar else min(low, -high)
    # A first step, always taken, leads from the bias to where the channel begins.
    begin = np.where(signs < 0, (1 if is_bipolar else -low), (0 if is_bipolar else low)) - bias
    thresholds = np.tile(np.concatenate([[low], at]), (len(signs), 1))
    steps = np.concatenate([begin[:, None], np.repeat(signs[:, None], len(at), axis=1)], axis=1)
    kind = element_type if is_bipolar else bnn.smallest_int(min(low, -high), max(high, -low))
    op = bnn.ThresholdOp(
        value,
        bnn.DenseAttr.from_integers(thresholds),
        kind,
        bias,
        bnn.DenseAttr.from_integers(steps),
    )
    op.location = value.owner.location if isinstance(value.owner, Operation) else op.location
    op.attributes[MARGIN] = StringAttr("exact")
    return op
