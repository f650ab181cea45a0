"""Which integer a border of floats becomes, in which type, and where it stays one of floats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from xdsl.dialects.builtin import ModuleOp, TensorType, f32
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from irc.dialects import bnn
from irc.dialects.dense import element_range
from irc.interp.bnn import to_element_type
from irc.interp.run import run_module
from irc.passes.streamline import streamline_pads as pads_module
from irc.passes.streamline.streamline_pads import StreamlinePads, streamline_pads
from irc.rejections import Recorder, recording

Array = npt.NDArray[Any]
Function = tuple[str, Any]

LOWEST = float(np.finfo(np.float32).min)
SHAPE = (3, 2)


def network(
    element_type: Attribute, functions: Sequence[Function], border: float, *, pooled: bool = False
) -> ModuleOp:
    """A border around functions of an exact value; with a max-pool behind it, or a cast that
    nothing pads."""
    block = Block(arg_types=[TensorType(element_type, SHAPE)])
    ops: list[Operation] = [bnn.CastOp(block.args[0])]
    for fn, constant in functions:
        attribute = None if constant is None else bnn.DenseAttr.from_floats(np.array(constant))
        ops.append(bnn.EwiseOp(fn, ops[-1].results[0], attribute))
    ops.append(bnn.PadOp(ops[-1].results[0], (1,), (2,), border, f32))
    if pooled:
        ops.append(bnn.MaxPoolOp(ops[-1].results[0], (3,), (1,), (1,), f32))
    result: SSAValue = ops[-1].results[0]
    block.add_ops([*ops, ReturnOp(result)])
    types = [block.args[0].type], [result.type]
    module = ModuleOp([FuncOp("f", types, Region(block))])
    module.verify()
    return module


def frames(element_type: Attribute) -> Array:
    low, high = element_range(element_type)
    values = np.random.default_rng(0).integers(low, high + 1, (40, *SHAPE))
    if isinstance(element_type, bnn.BipolarType):
        values = np.where(values > 0, 1, -1)
    return to_element_type(values, element_type)


def moved(module: ModuleOp, element_type: Attribute) -> bnn.PadOp | None:
    """The border of exact values that comes of it, if one does; results stay what they were."""
    (before,) = run_module(module, [frames(element_type)])
    changed = streamline_pads(module)
    module.verify()
    (after,) = run_module(module, [frames(element_type)])
    assert np.array_equal(before, after)
    (pad,) = (op for op in module.walk() if isinstance(op, bnn.PadOp))
    is_exact = bnn.frame_type(pad.input).element_type != f32
    assert changed == is_exact
    return pad if is_exact else None


U2, S3 = bnn.uint(2), bnn.sint(3)

MOVED: dict[str, tuple[Attribute, list[Function], float, float, Attribute]] = {
    "the zero point": (U2, [("sub", 2.0), ("mul", 0.5)], 0.0, 2.0, U2),
    "no function": (S3, [], -3.0, -3.0, S3),
    "signs": (bnn.bipolar, [("mul", 0.25)], -0.25, -1.0, bnn.bipolar),
    "the other sign": (bnn.bipolar, [("mul", 0.25)], 0.25, 1.0, bnn.bipolar),
    "zeros around signs": (bnn.bipolar, [("mul", 0.25)], 0.0, 0.0, bnn.sint(2)),
    "below the range": (U2, [("mul", 0.5)], -1.0, -2.0, bnn.sint(3)),
    "above the range": (U2, [("add", 1.0)], 6.0, 5.0, bnn.uint(3)),
    "as far below as the range is wide": (U2, [("mul", 1.0)], -4.0, -4.0, bnn.sint(3)),
    "as far above": (U2, [("mul", 1.0)], 7.0, 7.0, bnn.uint(3)),
    "the ends of the type": (U2, [("mul", 1.0)], 3.0, 3.0, U2),
    "the smallest of several": (S3, [("relu", None)], 0.0, 0.0, S3),
    "one of the type before a smaller one": (bnn.bipolar, [("abs", None)], 1.0, -1.0, bnn.bipolar),
    "the nearest of several": (U2, [("max", 2.0)], 2.0, 0.0, U2),
    "as far below a signed range": (S3, [("mul", 1.0)], -12.0, -12.0, bnn.sint(5)),
    "positive before negative": (U2, [("abs", None)], 1.0, 1.0, U2),
    "the largest before its negative": (U2, [("abs", None)], 3.0, 3.0, U2),
    "by channel": (U2, [("mul", [0.5, 2.0])], 0.0, 0.0, U2),
    "by channel, with an axis more": (U2, [("mul", [[0.5, 2.0]])], 0.0, 0.0, U2),
    "one number for all pixels": (U2, [("mul", [[0.5]])], 0.5, 1.0, U2),
}


@pytest.mark.parametrize("name", MOVED)
def test_a_border_becomes_the_integer_that_the_functions_map_to_it(name: str) -> None:
    element_type, functions, border, expected, result = MOVED[name]
    pad = moved(network(element_type, functions, border), element_type)
    assert pad is not None
    assert pad.pad_value == expected
    assert bnn.frame_type(pad.output).element_type == result
    assert (pad.before, pad.after) == ((1,), (2,))


STAYS: dict[str, tuple[Attribute, list[Function], float]] = {
    "no integer gives it": (U2, [("mul", 0.5)], 0.25),
    "another in each channel": (U2, [("mul", [0.5, 2.0])], 2.0),
    "further than the range is wide": (U2, [("mul", 1.0)], -5.0),
    "further than a signed range is wide": (S3, [("mul", 1.0)], -13.0),
    "further above": (U2, [("mul", 1.0)], 8.0),
    "differs by pixel": (U2, [("mul", [[0.5, 1], [2, 3], [4, 5]])], 0.0),
}


@pytest.mark.parametrize("name", STAYS)
def test_a_border_stays_one_of_floats_where_no_integer_is_it(name: str) -> None:
    element_type, functions, border = STAYS[name]
    assert moved(network(element_type, functions, border), element_type) is None


def test_only_integers_of_a_limited_size_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pads_module, "MAX_BORDER_SEARCH", 20)
    kind = bnn.sint(6)
    for border, found in ((20.0, True), (21.0, False), (-20.0, True), (-21.0, False)):
        assert (moved(network(kind, [("mul", 1.0)], border), kind) is not None) == found
    for element_type, border in ((bnn.uint(4), -16.0), (bnn.uint(4), 20.0)):
        assert moved(network(element_type, [], border), element_type) is not None


def test_a_border_that_guards_a_pool_becomes_the_least_integer() -> None:
    """Around the operand of a max-pool, what no element is below may be anything so low; where the
    functions fall, the integer is negated first."""
    for element_type, functions, least in (
        (S3, [("mul", 0.5), ("add", 1.0)], -4.0),
        (U2, [("relu", None)], 0.0),
        (bnn.bipolar, [("mul", 3.0)], -1.0),
        (S3, [("mul", -0.5)], -8.0),
    ):
        pad = moved(network(element_type, functions, LOWEST, pooled=True), element_type)
        assert pad is not None
        assert pad.pad_value == least
        assert (pad.before, pad.after) == ((1,), (2,))
    # A function that goes up and down cannot follow the pool.
    assert moved(network(S3, [("abs", None)], LOWEST, pooled=True), S3) is None


def notes(module: ModuleOp) -> list[str]:
    """Why nothing was done, in words."""
    recorder = Recorder()
    with recording(recorder):
        assert not streamline_pads(module)
    recorder.end_pass("streamline-pads")
    return [rejection.reason for rejection in recorder.rejections]


def test_what_stays_says_why() -> None:
    (reason,) = notes(network(U2, [("mul", 0.5)], 0.25))
    assert reason == "its border of 0.25 is no integer's in every channel"
    # Floats that begin nowhere: an input of the function.
    block = Block(arg_types=[TensorType(f32, SHAPE)])
    pad = bnn.PadOp(block.args[0], (1,), (2,), 0.0, f32)
    block.add_ops([pad, ReturnOp(pad.output)])
    types = [block.args[0].type], [pad.output.type]
    assert len(notes(ModuleOp([FuncOp("f", types, Region(block))]))) == 1
    # Of exact values there is nothing to say: nothing is to be done.
    block = Block(arg_types=[TensorType(U2, SHAPE)])
    pad = bnn.PadOp(block.args[0], (1,), (2,), 1.0, U2)
    block.add_ops([pad, ReturnOp(pad.output)])
    types = [block.args[0].type], [pad.output.type]
    assert notes(ModuleOp([FuncOp("f", types, Region(block))])) == []


def test_the_pass_does_the_same() -> None:
    module = network(U2, [("mul", 0.5)], 0.5)
    StreamlinePads().apply(None, module)  # type: ignore[arg-type]
    (pad,) = (op for op in module.walk() if isinstance(op, bnn.PadOp))
    assert pad.pad_value == 1.0
