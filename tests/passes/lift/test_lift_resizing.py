"""Nearest upsampling that repeats every element equally is lifted; anything else is refused."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import pytest
from lift_models import Net
from lift_nodes import assert_same_floats, count_ops, normal_frames, refused

from irc.errors import IrcError
from irc.passes.lift.rules.resizing import COORDINATES, NEAREST, nearest_indices

SHAPE = (1, 2, 3, 4)
FRAMES = normal_frames(2, 3, 4, count=2)


def resize(opset: int, by: str, sizes: Sequence[float], **attributes: Any) -> Net:
    """`Resize` by scales or sizes, in the form of an opset."""
    net = Net(SHAPE, opset)
    dtype = np.float32 if by == "scales" else np.int64
    given = net.const(sizes, dtype)
    if opset < 10:
        net.add("Upsample", "x", given, **attributes)
    elif opset == 10:
        net.add("Resize", "x", given, **attributes)
    else:
        roi = net.const([]) if opset < 13 else ""
        operands = ("x", roi, given) if by == "scales" else ("x", roi, "", given)
        if by == "sizes" and opset < 13:
            operands = ("x", roi, net.const([]), given)
        net.add("Resize", *operands, **attributes)
    return net


@pytest.mark.parametrize("opset", [9, 10, 11, 13, 18, 19])
@pytest.mark.parametrize("factors", [[2, 2], [3, 1], [4, 5]])
def test_default_forms(opset: int, factors: list[int]) -> None:
    attributes = {"nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"}
    net = resize(opset, "scales", [1, 1, *factors], **({} if opset < 11 else attributes))
    module = assert_same_floats(net.model("n0"), FRAMES)
    assert count_ops(module, "bnn.upsample") == 1


def test_upsample_with_an_attribute() -> None:
    net = Net(SHAPE, 7)
    net.add("Upsample", "x", scales=[1.0, 1.0, 2.0, 3.0], mode="nearest")
    assert_same_floats(net.model("n0"), FRAMES)


def test_all_of_one_axis() -> None:
    net = Net(SHAPE, 18)
    net.add("Resize", "x", "", net.const([2, 3]), axes=[3, 2], mode="nearest")
    assert_same_floats(net.model("n0"), FRAMES)


@pytest.mark.parametrize("coordinates", COORDINATES)
@pytest.mark.parametrize("nearest", NEAREST)
def test_every_mode_is_exact_or_refused(coordinates: str, nearest: str) -> None:
    """Whole and broken scales and sizes; whatever is lifted is what ONNX Runtime gives."""
    taken = 0
    options = {"nearest_mode": nearest, "coordinate_transformation_mode": coordinates}
    ups = [("scales", [1, 1, a, b]) for a, b in product((1, 2, 3, 4), (2, 3, 1.5))]
    sizes = [("sizes", [1, 2, a, b]) for a, b in product((1, 3, 6, 9), (2, 4, 8, 7))]
    opset = 19 if coordinates == "half_pixel_symmetric" else 13
    if coordinates == "tf_half_pixel_for_nn":
        opset = 11
    for by, values in ups + sizes:
        net = resize(opset, by, values, **options)
        refusal = ""
        try:
            assert_same_floats(net.model("n0"), FRAMES)
        except IrcError as error:
            refusal = error.message
        taken += not refusal
        assert not refusal or "only a repetition of each by a whole factor" in refusal
    assert taken


@pytest.mark.parametrize("nearest", ["round_prefer_floor", "round_prefer_ceil"])
@pytest.mark.parametrize("coordinates", ["half_pixel", "pytorch_half_pixel"])
@pytest.mark.parametrize("factor", [2, 3, 4, 8])
def test_usual_modes_are_repetition(coordinates: str, nearest: str, factor: int) -> None:
    for size in (2, 5, 32):
        found = nearest_indices(size, size * factor, np.float32(factor), coordinates, nearest)
        assert found.tolist() == [i for i in range(size) for _ in range(factor)]


def test_halving_is_a_slice() -> None:
    options = {"nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"}
    net = resize(13, "scales", [1, 1, 1, 0.5], **options)
    module = assert_same_floats(net.model("n0"), FRAMES)
    assert count_ops(module, "bnn.slice") == 1


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"mode": "linear"}, "mode 'linear' blends neighbours; only 'nearest' is supported"),
        ({"mode": "cubic"}, "mode 'cubic' blends neighbours"),
        ({"coordinate_transformation_mode": "tf_crop_and_resize"}, "'tf_crop_and_resize'"),
    ],
)
def test_modes_that_are_refused(attributes: dict[str, Any], message: str) -> None:
    assert message in refused(resize(13, "scales", [1, 1, 2, 2], **attributes).model("n0"))


def test_aspect_ratio_policies() -> None:
    net = resize(18, "sizes", [1, 2, 6, 9], keep_aspect_ratio_policy="not_larger")
    assert "keep_aspect_ratio_policy 'not_larger'" in refused(net.model("n0"))


def test_the_batch_keeps_its_size() -> None:
    assert "axis 0 is the batch" in refused(resize(13, "scales", [2, 1, 1, 1]).model("n0"))
