"""What firmware hands over and gets means the same in every form."""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from random_networks import random_frames, random_network
from spatial_networks import spatial_network
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

import irc
from irc.dialects import bnn
from irc.dialects.packed_interface import THRESHOLD, ZERO_POINT, integer_attribute, takes_bits
from irc.errors import UnsupportedError, UsageError
from irc.interp.run import entry_function, run_module
from irc.passes.software.choose_interface import ChooseInterface
from irc.passes.software.convert_bnn_to_packed import ConvertBnnToPacked
from irc.passes.software.plan_arena import PlanArena

Array = npt.NDArray[Any]

BYTES = (bnn.uint(8), bnn.sint(8))


@cache
def networks(count: int = 110) -> list[tuple[ModuleOp, Array, list[Array]]]:
    """Random networks with frames and results, half of them with pixels."""
    found: list[tuple[ModuleOp, Array, list[Array]]] = []
    for seed in range(count):
        random = Random(seed)
        module = (random_network, spatial_network)[seed % 2](random)
        frames = random_frames(module, random, 4)
        found.append((module, frames, run_module(module, [frames])))
    return found


def chosen(module: ModuleOp, **options: str) -> ModuleOp:
    """A copy with another interface, verified."""
    copy = module.clone()
    ChooseInterface(**options).apply(Context(), copy)
    copy.verify()
    return copy


def to_packed(module: ModuleOp) -> ModuleOp:
    """A copy at level packed."""
    copy = module.clone()
    for step in (ConvertBnnToPacked(), PlanArena()):
        step.apply(Context(), copy)
        copy.verify()
    return copy


def kind_of_input(module: ModuleOp) -> object:
    return bnn.frame_type(entry_function(module).body.block.args[0]).element_type


def test_bytes_around_another_zero_point_give_the_same() -> None:
    moved = 0
    for module, frames, expected in networks():
        kind = kind_of_input(module)
        if kind not in BYTES:
            continue
        form = "int8" if kind == bnn.uint(8) else "uint8"
        try:
            other = chosen(module, input=form)
        except UnsupportedError:
            continue
        zero = integer_attribute(entry_function(other), 0, ZERO_POINT)
        assert zero is not None
        assert zero == (-128 if form == "int8" else 128)
        assert kind_of_input(other) == (bnn.sint(8) if form == "int8" else bnn.uint(8))
        shifted = frames.astype(np.int64) + zero
        for level in (other, to_packed(other)):
            for got, wanted in zip(run_module(level, [shifted]), expected, strict=True):
                assert np.array_equal(got, wanted)
        moved += 1
    assert moved >= 10


def test_bits_of_the_caller_give_the_same() -> None:
    taken = 0
    for module, frames, expected in networks():
        try:
            other = chosen(module, input="bits")
            packed = to_packed(other)
        except UnsupportedError:
            continue
        function = entry_function(other)
        assert takes_bits(function, 0)
        threshold = integer_attribute(function, 0, THRESHOLD)
        bits = frames
        if threshold is not None:
            low = -1 if kind_of_input(other) == bnn.bipolar else 0
            bits = np.where(frames >= threshold, 1, low)
        for level in (other, packed):
            for got, wanted in zip(run_module(level, [bits]), expected, strict=True):
                assert np.array_equal(got, wanted)
        taken += 1
    assert taken >= 6


def test_classes_are_the_first_largest_values() -> None:
    for module, frames, expected in networks()[:40]:
        try:
            other = chosen(module, output="class")
        except UnsupportedError:
            continue
        for level in (other, to_packed(other)):
            for got, wanted in zip(run_module(level, [frames]), expected, strict=True):
                is_index = got.shape == wanted.shape
                assert np.array_equal(got, wanted if is_index else np.argmax(wanted, axis=-1))


TAIL = """
func.func @net(%x: tensor<4xsi4>) -> tensor<4xf32> {
  %0 = bnn.cast %x : tensor<4xsi4> -> tensor<4xf32>
  %1 = bnn.ewise "mul" %0, <tensor<f32>, [FACTOR]> : tensor<4xf32> -> tensor<4xf32>
  func.return %1 : tensor<4xf32>
}
"""


@pytest.mark.parametrize(("factor", "remains"), [("0.5", False), ("-0.5", True), ("0.0", True)])
def test_floats_that_keep_the_order_are_left_out(factor: str, remains: bool) -> None:
    module = irc.parse(TAIL.replace("FACTOR", factor))
    other = chosen(module, output="class")
    assert any(isinstance(op, bnn.EwiseOp) for op in other.walk()) == remains
    frames = np.array([[3, -8, 3, -8], [0, 1, 2, 7]])
    (wanted,) = run_module(module, [frames])
    (got,) = run_module(other, [frames])
    assert np.array_equal(got, np.argmax(wanted, axis=-1))


LOGITS = """
func.func @net(%x: tensor<4xui8>) -> tensor<2xsi11> {
  %0 = bnn.linear %x, <tensor<2x4x!bnn.bipolar>, [1, 1, 1, 1, -1, 1, -1, 1]>
    : tensor<4xui8> -> tensor<2xsi11>
  func.return %0 : tensor<2xsi11>
}
"""


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"input": "int8"}, UnsupportedError, "'bnn.linear' has no thresholds behind it"),
        ({"input": "bits"}, UnsupportedError, "cannot be taken as bits: 'bnn.linear' reads more"),
        ({"input": "int7"}, UsageError, "input must be one of model, uint8, int8, bits, not int7"),
        ({"output": "best"}, UsageError, "output must be one of model, class, not best"),
    ],
)
def test_what_cannot_be_is_said(
    options: dict[str, str], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        chosen(irc.parse(LOGITS), **options)


def test_three_bits_are_no_byte() -> None:
    module = irc.parse(LOGITS.replace("ui8", "ui3"))
    with pytest.raises(UnsupportedError, match="an input of ui3 cannot be taken as int8"):
        chosen(module, input="int8")
