"""`Pad`: borders of a constant, of copies and of reflections, in the forms of all opsets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.ir import SSAValue

from irc.dialects import bnn, onnx
from irc.passes.lift.lifting import Lifting, element_type_of, rule
from irc.passes.lift.pieces import constant_part, joined, part, selected

Array = npt.NDArray[Any]

MAX_COPIES = 32
"""Elements of a border that is no constant, on either side: each takes a slice."""

_COPIES: dict[str, Callable[[Array, int, int], Array]] = {
    "edge": lambda a, before, after: np.pad(a, (before, after), "edge"),
    "reflect": lambda a, before, after: np.pad(a, (before, after), "reflect"),
    "wrap": lambda a, before, after: np.pad(a, (before, after), "wrap"),
}


@rule("Pad")
def lift_pad(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """A border along any axes of the frame; negative pads take elements away first."""
    mode = op.str_attr("mode", "constant")
    if mode not in ("constant", *_COPIES):
        raise lifting.fail(f"mode '{mode}'; known are constant, {', '.join(_COPIES)}")
    value = lifting.frame(op.input(0))
    before, after = _pads(lifting, op)
    border = _border(lifting, op)
    if element_type_of(value) == bnn.bipolar or (mode == "constant" and (before[0] or after[0])):
        value = lifting.floats(op.input(0))
    shape = bnn.frame_type(value).get_shape()
    for axis, size in enumerate(shape):
        first, last = max(0, -before[axis]), size - max(0, -after[axis])
        if first >= last:
            raise lifting.fail(f"pads {before} and {after} leave nothing of {list(shape)}")
        value = part(lifting, value, axis, first, last - first)
    before, after = [max(0, pad) for pad in before], [max(0, pad) for pad in after]
    if mode != "constant":
        return _copied(lifting, value, mode, before, after)
    # A border around the channels is joined to them; the one in space is another operation.
    sides = [
        [constant_part(lifting, value, 0, pads[0], np.asarray(border, np.float32))]
        if pads[0]
        else []
        for pads in (before, after)
    ]
    value = joined(lifting, [*sides[0], value, *sides[1]], 0)
    before[0] = after[0] = 0
    if not any(before) and not any(after):
        return value
    padded = bnn.PadOp(
        lifting.channels_last(value), before[1:], after[1:], border, element_type_of(value)
    )
    return lifting.channels_first(lifting.emit(padded))


def _pads(lifting: Lifting, op: onnx.OnnxOp) -> tuple[list[int], list[int]]:
    """Elements to add in front of and behind each axis of the frame."""
    rank = len(lifting.shape(op.operands[0]))
    name = "pads" if op.has_attr("pads") else "paddings"
    if op.has_attr(name):
        pads = op.ints_attr(name)
    else:
        pads = lifting.required_constant(op.input(1), "pads").astype(int).reshape(-1).tolist()
    axes = list(range(rank))
    if op.input(3) is not None:
        given = lifting.required_constant(op.input(3), "'axes'").reshape(-1)
        axes = [int(axis) % rank for axis in given]
    if len(pads) != 2 * len(axes):
        raise lifting.fail(f"pads {pads}; {2 * len(axes)} numbers expected")
    before, after = [0] * rank, [0] * rank
    for place, axis in enumerate(axes):
        before[axis], after[axis] = pads[place], pads[place + len(axes)]
    if lifting.batch is None:
        return before, after
    if before[0] or after[0]:
        raise lifting.fail(f"pads {pads}: the batch, the first axis, can have no border")
    return before[1:], after[1:]


def _border(lifting: Lifting, op: onnx.OnnxOp) -> float:
    if op.has_attr("value"):
        border = op.float_attr("value", 0.0)
    elif op.input(2) is not None:
        border = float(lifting.required_constant(op.input(2), "the value").reshape(()))
    else:
        border = 0.0
    if not np.isfinite(border):
        raise lifting.fail(f"a border of {border}; in front of a MaxPool, use the pads of MaxPool")
    return border


def _copied(
    lifting: Lifting, value: SSAValue, mode: str, before: Sequence[int], after: Sequence[int]
) -> SSAValue:
    """A border of elements of the frame itself, axis by axis."""
    for axis, size in enumerate(bnn.frame_type(value).get_shape()):
        if not before[axis] and not after[axis]:
            continue
        if max(before[axis], after[axis]) > MAX_COPIES:
            raise lifting.fail(f"mode '{mode}' with more than {MAX_COPIES} elements on a side")
        indices = _COPIES[mode](np.arange(size), before[axis], after[axis])
        value = selected(lifting, value, axis, indices)
    return value
