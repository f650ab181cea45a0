"""`Resize` and `Upsample` by the nearest neighbour, where that is repetition or leaving out."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.ir import SSAValue

from irc.dialects import bnn, onnx
from irc.passes.lift.lifting import Lifting, rule
from irc.passes.lift.pieces import part

Array = npt.NDArray[Any]

COORDINATES = (
    "half_pixel",
    "pytorch_half_pixel",
    "align_corners",
    "asymmetric",
    "tf_half_pixel_for_nn",
    "half_pixel_symmetric",
)
NEAREST = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")


@rule("Resize", "Upsample")
def lift_resize(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """Every axis by itself: which element each one of the result is, by ONNX's own formula."""
    mode = op.str_attr("mode", "nearest")
    if mode != "nearest":
        raise lifting.fail(
            f"mode '{mode}' blends neighbours; only 'nearest' is supported: export nearest "
            "upsampling, with a Conv behind it where it should be smooth"
        )
    value = lifting.frame(op.input(0))
    old, new = lifting.shape(op.operands[0]), lifting.shape(op.results[0])
    if len(old) != len(new):
        raise lifting.fail(f"goes from {len(old)} axes to {len(new)}")
    scales = _scales(lifting, op, old, new)
    coordinates, nearest = _modes(lifting, op)
    factors = [1] * len(bnn.frame_type(value).get_shape())
    for axis, (size, count, scale) in enumerate(zip(old, new, scales, strict=True)):
        if size == count and scale == 1:
            continue
        place = lifting.frame_axis(axis, len(old))
        indices = nearest_indices(size, count, np.float32(scale), coordinates, nearest)
        if count % size == 0 and bool((indices == np.arange(count) // (count // size)).all()):
            factors[place] = count // size
            continue
        step = int(indices[1] - indices[0]) if count > 1 else 1
        is_slice = step >= 1 and not bool((np.diff(indices) != step).any())
        # ONNX Runtime and the formula differ by a rounding when this mode makes a frame smaller.
        if not is_slice or coordinates == "half_pixel_symmetric":
            raise lifting.fail(
                f"axis {axis} goes from {size} to {count} elements, with coordinates "
                f"'{coordinates}' and nearest mode '{nearest}', which repeats some of them more "
                "often than others; only a repetition of each by a whole factor is supported: use "
                "coordinate_transformation_mode 'asymmetric' and nearest_mode 'floor', and whole "
                "scales"
            )
        value = part(lifting, value, place, int(indices[0]), count, step)
    if max(factors, default=1) == 1:
        return value
    return lifting.emit(bnn.UpsampleOp(value, factors))


def nearest_indices(
    size: int, count: int, scale: np.float32, coordinates: str, nearest: str
) -> npt.NDArray[np.int64]:
    """Which of `size` elements each of the `count` resized ones is, in float32 as ONNX Runtime
    computes it. The nearest mode `simple` is that of opsets before 11."""
    if scale == 1:
        return np.minimum(np.arange(count), size - 1)
    x = np.arange(count, dtype=np.float32)
    one, half = np.float32(1), np.float32(0.5)
    match coordinates:
        case "asymmetric":
            at = x / scale
        case "align_corners":
            at = x * np.float32(size - 1) / np.float32(max(count - 1, 1))
        case "tf_half_pixel_for_nn":
            at = (x + half) / scale
        case "half_pixel_symmetric":
            adjustment = np.float32(count) / (scale * np.float32(size))
            offset = np.float32(size) / np.float32(2) * (one - adjustment)
            at = offset + (x + half) / scale - half
        case "pytorch_half_pixel" if count == 1:
            at = np.zeros_like(x)
        case _:
            at = (x + half) / scale - half
    match nearest:
        case "floor":
            found = np.floor(at)
        case "ceil":
            found = np.ceil(at)
        case "round_prefer_ceil":
            found = np.floor(at + half)
        case "simple":
            found = np.ceil(at) if scale < 1 else np.floor(at)
        case _:
            found = np.ceil(at - half)
    return np.clip(found, 0, size - 1).astype(np.int64)


def _scales(
    lifting: Lifting, op: onnx.OnnxOp, old: tuple[int, ...], new: tuple[int, ...]
) -> list[float]:
    """The scale of every axis, given or as ONNX Runtime computes it from the sizes."""
    given: SSAValue | None = None
    if op.op_type == "Upsample":
        if op.has_attr("scales"):
            return [float(scale) for scale in op.attr("scales")]
        given = op.input(1)
    elif len(op.operands) == 2:
        given = op.input(1)
    else:
        given = op.input(2)
    policy = op.str_attr("keep_aspect_ratio_policy", "stretch")
    if policy != "stretch":
        raise lifting.fail(f"keep_aspect_ratio_policy '{policy}'; only 'stretch' is supported")
    axes = [int(axis) % len(old) for axis in op.ints_attr("axes", range(len(old)))]
    constant = None if given is None else lifting.required_constant(given, "the scales")
    if constant is None or not constant.size:
        return [
            float(np.float32(count) / np.float32(size))
            for size, count in zip(old, new, strict=True)
        ]
    if constant.size != len(axes):
        raise lifting.fail(f"{constant.size} scales for {len(axes)} axes")
    scales = [1.0] * len(old)
    for axis, scale in zip(axes, constant.reshape(-1).tolist(), strict=True):
        scales[axis] = float(scale)
    return scales


def _modes(lifting: Lifting, op: onnx.OnnxOp) -> tuple[str, str]:
    """How positions are transformed, and rounded."""
    if op.op_type == "Upsample" or (onnx.opset_of(op) or 13) < 11:
        return "asymmetric", "simple"
    coordinates = op.str_attr("coordinate_transformation_mode", "half_pixel")
    nearest = op.str_attr("nearest_mode", "round_prefer_floor")
    if coordinates not in COORDINATES:
        raise lifting.fail(
            f"coordinate_transformation_mode '{coordinates}'; supported are "
            f"{', '.join(COORDINATES)}"
        )
    if nearest not in NEAREST:
        raise lifting.fail(f"nearest_mode '{nearest}'; known are {', '.join(NEAREST)}")
    return coordinates, nearest
