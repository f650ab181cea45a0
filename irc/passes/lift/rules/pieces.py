"""Operators that join frames, or take parts of them: Concat, Split, Slice, Gather, Tile."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from xdsl.dialects.builtin import Float32Type
from xdsl.ir import SSAValue

from irc.dialects import bnn, onnx
from irc.passes.lift.lifting import Lifting, element_type_of, rule
from irc.passes.lift.pieces import constant_part, joined, part, selected

MAX_RUNS = 64
"""Stretches of indices for which a Gather is still a join of slices."""


@rule("Concat")
def lift_concat(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """Activations one after another along an axis of the frame, constants among them."""
    rank = len(lifting.shape(op.results[0]))
    axis = lifting.frame_axis(op.int_attr("axis", 1), rank)
    constants = [lifting.constant(operand) for operand in op.operands]
    activations = [
        lifting.frame(operand)
        for operand, constant in zip(op.operands, constants, strict=True)
        if constant is None
    ]
    if not activations:
        raise lifting.fail("an activation is expected where the model has constants")
    if len(activations) == len(op.operands):
        return joined(lifting, activations, axis)
    if not isinstance(element_type_of(op.results[0]), Float32Type):
        raise lifting.fail("joins integers with a constant; cast to float32 first")
    values: list[SSAValue] = []
    beside = activations[0]
    for operand, constant in zip(op.operands, constants, strict=True):
        if constant is None:
            values.append(lifting.frame(operand))
            continue
        frame = constant if lifting.batch is None else constant[0]
        values.append(constant_part(lifting, beside, axis, frame.shape[axis], frame))
    return joined(lifting, values, axis)


@rule("Split")
def lift_split(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """Consecutive parts along an axis of the frame, as long as the shapes that were inferred."""
    value = lifting.frame(op.input(0))
    rank = len(lifting.shape(op.operands[0]))
    axis = op.int_attr("axis", 0)
    place = lifting.frame_axis(axis, rank)
    sizes = [lifting.shape(result)[axis % rank] for result in op.results]
    total = bnn.frame_type(value).get_shape()[place]
    if min(sizes) < 1 or sum(sizes) > total:
        raise lifting.fail(f"parts of {sizes} elements along an axis of {total}")
    offset = 0
    for result, size in zip(op.results, sizes, strict=True):
        lifting.values[result] = part(lifting, value, place, offset, size)
        offset += size
    return lifting.values[op.results[0]]


@rule("Slice")
def lift_slice(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """`x[start:end:step]` along some axes, whose bounds are attributes up to opset 9."""
    value = lifting.frame(op.input(0))
    shape = lifting.shape(op.operands[0])
    rank = len(shape)
    starts, ends = _bounds(lifting, op, 1, "starts"), _bounds(lifting, op, 2, "ends")
    axes = _bounds(lifting, op, 3, "axes", range(len(starts)))
    steps = _bounds(lifting, op, 4, "steps", [1] * len(starts))
    if len({len(starts), len(ends), len(axes), len(steps)}) != 1:
        raise lifting.fail(f"starts {starts}, ends {ends}, axes {axes}, steps {steps} differ")
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        if not -rank <= axis < rank:
            raise lifting.fail(f"axis {axis} of an activation with {rank} axes")
        if step < 0:
            raise lifting.fail(
                f"step {step} along axis {axis} reverses the order, which is not supported; "
                "reverse the weights that read it instead"
            )
        if step == 0:
            raise lifting.fail(f"step 0 along axis {axis}")
        extent = shape[axis % rank]
        offset, stop, _ = slice(start, end, step).indices(extent)
        size = len(range(offset, stop, step))
        if size == extent:
            continue
        place = lifting.frame_axis(axis, rank)
        if size == 0:
            raise lifting.fail(f"no element from {start} to {end} along axis {axis} is left")
        value = part(lifting, value, place, offset, size, step)
    return value


def _bounds(
    lifting: Lifting, op: onnx.OnnxOp, index: int, name: str, default: Sequence[int] = ()
) -> list[int]:
    if op.has_attr(name):
        return op.ints_attr(name)
    if op.input(index) is None:
        if not default and name in ("starts", "ends"):
            raise lifting.fail(f"'{name}' is missing")
        return list(default)
    found = lifting.required_constant(op.input(index), f"'{name}'")
    return [int(value) for value in found.reshape(-1)]


@rule("Gather")
def lift_gather(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """The elements of constant indices along an axis of the frame; one index drops the axis."""
    value = lifting.frame(op.input(0))
    shape = lifting.shape(op.operands[0])
    axis = op.int_attr("axis", 0)
    place = lifting.frame_axis(axis, len(shape))
    indices = lifting.required_constant(op.input(1), "the indices").astype(np.int64)
    extent = shape[axis % len(shape)]
    if indices.size == 0 or not bool(((indices >= -extent) & (indices < extent)).all()):
        raise lifting.fail(f"indices outside of an axis of {extent} elements")
    flat = (indices % extent).reshape(-1)
    if _run_count(flat) > MAX_RUNS:
        raise lifting.fail(
            f"takes {len(flat)} elements in no order that {MAX_RUNS} slices could give; reorder "
            "the weights that read it instead"
        )
    value = selected(lifting, value, place, flat)
    if indices.ndim == 1:
        return value
    frame = list(bnn.frame_type(value).get_shape())
    frame[place : place + 1] = indices.shape
    return lifting.emit(bnn.ReshapeOp(value, frame))


def _run_count(indices: np.ndarray) -> int:
    """An upper bound of the slices that give these indices."""
    steps = np.diff(indices)
    return 1 + int(np.count_nonzero((steps[1:] != steps[:-1]) | (steps[1:] <= 0)))


@rule("Tile")
def lift_tile(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """The frame several times one after another along some axes."""
    value = lifting.frame(op.input(0))
    repeats = lifting.required_constant(op.input(1), "the repeats").astype(int).reshape(-1)
    if len(op.operands) == 3:
        counts = np.ones(len(lifting.shape(op.operands[0])), int)
        counts[int(lifting.required_constant(op.input(2), "the axis").reshape(()))] = repeats[0]
        repeats = counts
    for axis, count in enumerate(repeats.tolist()):
        if count == 1:
            continue
        place = lifting.frame_axis(axis, len(repeats))
        if not 1 <= count <= MAX_RUNS:
            raise lifting.fail(f"{count} repeats along axis {axis}; 1 to {MAX_RUNS} are supported")
        value = joined(lifting, [value] * count, place)
    return value


@rule("Expand")
def lift_expand(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """Axes of one element repeated to the length that was inferred; as `Tile` does."""
    value = lifting.frame(op.input(0))
    shape, frame = lifting.frame_shape(op.results[0]), bnn.frame_type(value).get_shape()
    if len(shape) != len(frame):
        raise lifting.fail(f"adds axes: from {list(frame)} to {list(shape)} a frame; Unsqueeze it")
    factors = [new // old for old, new in zip(frame, shape, strict=True)]
    if max(factors, default=1) == 1:
        return value
    return lifting.emit(bnn.UpsampleOp(value, factors))
