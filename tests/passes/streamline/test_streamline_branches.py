"""Passes on joins, slices, upsampling and shared functions keep every bit of what is computed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from chain_networks import FRAMES, Builder, Network
from drawn_networks import DrawnChoices
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spatial_functions import INPUTS
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, TensorType, f32
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Region, SSAValue
from xdsl.passes import ModulePass

from irc.dialects import bnn
from irc.dialects.dense import element_range
from irc.fuzz.networks.choices import Choices
from irc.interp.bnn import to_element_type
from irc.interp.run import run_module
from irc.passes.streamline.fold_residual_adds import FoldResidualAdds
from irc.passes.streamline.split_chains import SplitChains
from irc.passes.streamline.streamline import Streamline
from irc.passes.streamline.streamline_branches import StreamlineBranches

EXACT: list[Callable[[], ModulePass]] = [SplitChains, StreamlineBranches]

QUIET = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@st.composite
def branching_networks(draw: st.DrawFn) -> Network:
    """Functions of one input whose values have several readers and meet again."""
    choices = DrawnChoices(draw)
    builder = Builder(choices)
    element_type = choices.pick(INPUTS)
    shape = (choices.integer(1, 3), choices.integer(1, 3))
    block = Block(arg_types=[TensorType(element_type, shape)])
    values: list[SSAValue] = [builder.add(bnn.CastOp(block.args[0]))]
    for _ in range(choices.integer(2, 8)):
        values.append(_next(builder, choices, values))
    results = values[-2:]
    block.add_ops([*builder.ops, ReturnOp(*results)])
    types = [block.args[0].type], [value.type for value in results]
    module = ModuleOp([FuncOp("f", types, Region(block))])
    module.verify()
    low, high = element_range(element_type)
    frames = builder.numbers.integers(low, high, FRAMES, *shape)
    if element_type == bnn.bipolar:
        frames = builder.numbers.signs(FRAMES, *shape)
    return Network(module, to_element_type(frames, element_type))


def _next(builder: Builder, choices: Choices, values: list[SSAValue]) -> SSAValue:
    value = choices.pick(values)
    shape = bnn.frame_type(value).get_shape()
    kind = choices.pick(("function", "quantizer", "concat", "slice", "upsample", "add"))
    match kind:
        case "function":
            fn = choices.pick(("mul", "add", "rsub", "relu", "neg", "max"))
            return builder.function(value, fn, choices.pick((False, True)))
        case "quantizer":
            return builder.quantizer(value)
        case "concat":
            axis = choices.integer(0, 1)
            fits = [v for v in values if _space(v, axis) == _space(value, axis)]
            return builder.add(bnn.ConcatOp([value, choices.pick(fits)], axis))
        case "slice":
            strides = [choices.integer(1, 2) for _ in shape]
            sizes = [choices.integer(1, -(-n // s)) for n, s in zip(shape, strides, strict=True)]
            most = [n - (k - 1) * s for n, k, s in zip(shape, sizes, strides, strict=True)]
            offsets = [choices.integer(0, m - 1) for m in most]
            return builder.add(bnn.SliceOp(value, offsets, sizes, strides))
        case "upsample" if max(shape) < 12:
            return builder.add(bnn.UpsampleOp(value, [choices.integer(1, 2), 1]))
        case _:
            fits = [v for v in values if v.type == value.type]
            return builder.add(bnn.AddOp(value, choices.pick(fits), f32))


def _space(value: SSAValue, axis: int) -> int:
    return bnn.frame_type(value).get_shape()[1 - axis]


@pytest.mark.parametrize("module_pass", EXACT, ids=lambda cls: cls.name)
def test_a_pass_changes_no_value(module_pass: Callable[[], ModulePass]) -> None:
    @QUIET
    @given(branching_networks())
    def check(network: Network) -> None:
        module, frames = network.module.clone(), network.frames
        expected = run_module(module, [frames])
        for _ in range(2):
            module_pass().apply(Context(), module)
            module.verify()
        for before, after in zip(expected, run_module(module, [frames]), strict=True):
            np.testing.assert_array_equal(after, before)

    check()


@pytest.mark.parametrize("module_pass", [FoldResidualAdds, Streamline], ids=lambda cls: cls.name)
def test_a_pass_changes_roundings_only(module_pass: Callable[[], ModulePass]) -> None:
    @QUIET
    @given(branching_networks())
    def check(network: Network) -> None:
        module, frames = network.module.clone(), network.frames
        expected = run_module(module, [frames])
        module_pass().apply(Context(), module)
        module.verify()
        for before, after in zip(expected, run_module(module, [frames]), strict=True):
            # A quantizer in doubt turns a rounding into a step: few are.
            scale = float(np.abs(before).max(initial=1))
            near = np.isclose(after, before, rtol=1e-5, atol=1e-5 * scale)
            assert near.mean() >= 0.9

    check()


def test_copies_grow_with_the_readers_only() -> None:
    """Chains of functions that are read at every link: a copy a reader, not one a path."""
    block = Block(arg_types=[TensorType(bnn.sint(4), [1])])
    value: SSAValue = bnn.CastOp(block.args[0]).output
    block.add_op(value.owner)  # pyright: ignore[reportArgumentType]
    totals: list[SSAValue] = []
    for _ in range(30):
        link = bnn.EwiseOp("relu", value)
        total = bnn.AddOp(value, link.output, f32)
        block.add_ops([link, total])
        totals.append(total.output)
        value = total.output
    block.add_op(ReturnOp(value))
    module = ModuleOp([FuncOp("f", ([block.args[0].type], [value.type]), Region(block))])
    SplitChains().apply(Context(), module)
    assert sum(1 for _ in module.walk()) < 150
