"""Folded sums of branches give the code of the float sum for every pair of integers."""

from __future__ import annotations

import itertools
import time
import tracemalloc
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from chain_networks import Builder
from drawn_networks import DrawnChoices
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, TensorType, f32
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Region, SSAValue
from xdsl.rewriter import Rewriter

from irc.api import parse, run_passes
from irc.dialects import bnn
from irc.dialects.dense import element_range
from irc.fuzz.networks.checks import Watcher
from irc.interp.bnn import to_element_type
from irc.interp.run import make_interpreter, run_module
from irc.passes.analysis.branch import SumChain
from irc.passes.analysis.residual_search import Search, search
from irc.passes.streamline import fold_residual_adds
from irc.passes.streamline.exact_sums import REASON
from irc.passes.streamline.fold_residual_adds import FoldResidualAdds
from irc.passes.streamline.fold_thresholds import margin_of

Array = npt.NDArray[Any]

TYPES: tuple[Attribute, ...] = (bnn.bipolar, bnn.uint(1), bnn.sint(3), bnn.uint(4), bnn.sint(6))
CHANNELS = 2
MONOTONE = ("mul", "add", "sub", "rsub", "div", "neg", "relu")

QUIET = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def values_of(element_type: Attribute) -> list[int]:
    """Everything that a type can hold."""
    low, high = element_range(element_type)
    return list(range(low, high + 1, 2 if element_type == bnn.bipolar else 1))


class Sum:
    """A quantized sum of two branches under construction, and all pairs that can enter it."""

    def __init__(self, builder: Builder, types: tuple[Attribute, Attribute], same: bool) -> None:
        self.builder = builder
        shape = [CHANNELS]
        self.block = Block(arg_types=[TensorType(t, shape) for t in types])
        lhs, rhs = self.block.args
        self.lhs, self.rhs = lhs, lhs if same else rhs
        pairs = np.array(list(itertools.product(*map(values_of, types))))
        self.frames = [
            to_element_type(np.repeat(column[:, None], CHANNELS, axis=1), t)
            for column, t in zip(pairs.T, types, strict=True)
        ]

    def module(self, *results: SSAValue) -> ModuleOp:
        self.block.add_ops([*self.builder.ops, ReturnOp(*results)])
        types = [arg.type for arg in self.block.args], [value.type for value in results]
        module = ModuleOp([FuncOp("f", types, Region(self.block))])
        module.verify()
        return module


def functions(builder: Builder, value: SSAValue, kinds: tuple[str, ...], most: int) -> SSAValue:
    """Some functions, with constants a channel or one for all."""
    for _ in range(builder.choices.integer(0, most)):
        fn = builder.choices.pick(kinds)
        value = builder.function(value, fn, builder.choices.pick((False, True)))
    return value


@QUIET
@given(st.data())
def test_every_pair_keeps_its_code(data: st.DataObject) -> None:
    choices = DrawnChoices(data.draw)
    builder = Builder(choices)
    types = choices.pick(TYPES), choices.pick(TYPES)
    made = Sum(builder, types, choices.pick((False, False, False, True)))
    lhs = functions(builder, builder.add(bnn.CastOp(made.lhs)), MONOTONE, 3)
    rhs = functions(builder, builder.add(bnn.CastOp(made.rhs)), MONOTONE, 3)
    total = builder.add(bnn.AddOp(lhs, rhs, f32))
    codes = [
        builder.quantizer(functions(builder, total, (*MONOTONE, "max", "min"), 2))
        for _ in range(choices.integer(1, 2))
    ]
    module = made.module(*codes)
    expected = run_module(module.clone(), made.frames)
    FoldResidualAdds().apply(Context(), module)
    module.verify()
    watcher = Watcher(np.zeros(len(made.frames[0]), bool))
    interpreter = make_interpreter(module)
    interpreter.listeners = (watcher,)
    found = interpreter.call_op("f", tuple(made.frames))
    is_whole = not any(isinstance(op, bnn.QuantizeOp) for op in module.walk())
    # Without it the test would prove nothing: few sums are refused, and those for a reason.
    event("folded" if is_whole else "refused")
    event("with a margin" if watcher.doubtful.any() else "exact")
    for before, after in zip(expected, found, strict=True):
        np.testing.assert_array_equal(after[~watcher.doubtful], before[~watcher.doubtful])


def quantized_sum(
    lhs: float, rhs: float, scale: float, width: int = 6, rounding: str = "floor"
) -> str:
    """`floor((lhs·x + rhs·y)·scale)` of a frame of siN and one of si6."""
    t, x = "tensor<1xf32>", f"tensor<1xsi{width}>"
    return f"""
        func.func @f(%x: {x}, %y: tensor<1xsi6>) -> tensor<1xsi4> {{
          %0 = bnn.cast %x : {x} -> {t}
          %1 = bnn.ewise "mul" %0, <tensor<f32>, [{lhs:.9e}]> : {t} -> {t}
          %2 = bnn.cast %y : tensor<1xsi6> -> {t}
          %3 = bnn.ewise "mul" %2, <tensor<f32>, [{rhs}]> : {t} -> {t}
          %4 = bnn.add %1, %3 : {t}, {t} -> {t}
          %5 = bnn.ewise "mul" %4, <tensor<f32>, [{scale}]> : {t} -> {t}
          %6 = bnn.quantize "{rounding}" %5 : {t} -> tensor<1xsi4>
          func.return %6 : tensor<1xsi4>
        }}"""


@pytest.mark.parametrize("ratio", [1.0, 2.0, 0.5, -1.0, 0.37, 3.14159, -0.013])
@pytest.mark.parametrize("scale", [0.11, 0.25, -0.3, 1.0])
def test_scales_of_any_ratio_are_exact(ratio: float, scale: float) -> None:
    module = parse(quantized_sum(0.7, 0.7 * ratio, scale))
    pairs = np.array(list(itertools.product(range(-32, 32), repeat=2)))
    frames = [pairs[:, :1], pairs[:, 1:]]
    expected = run_module(module.clone(), frames)
    run_passes(module, FoldResidualAdds())
    assert_differs_in_margin_only(module, frames, expected[0])


@pytest.mark.parametrize("gamma", [0.0, 1e-12, 1e-40])
@pytest.mark.parametrize("rhs", [-0.8, 0.2])
def test_a_branch_that_vanishes_leaves_the_other(gamma: float, rhs: float) -> None:
    """As behind a normalization whose gamma training has brought to 0, or next to it."""
    text = quantized_sum(gamma, rhs, 1.0, 18, "half_even")
    module = parse(text.replace("tensor<1xsi6>", "tensor<1xsi3>"))
    wide = range(-(1 << 17), 1 << 17, 4095)
    pairs = np.array(list(itertools.product(wide, range(-4, 4))))
    frames = [pairs[:, :1], pairs[:, 1:]]
    (expected,) = run_module(module.clone(), frames)
    run_passes(module, FoldResidualAdds())
    assert not any(isinstance(op, bnn.QuantizeOp) for op in module.walk())
    np.testing.assert_array_equal(run_module(module, frames)[0], expected)


def test_a_sum_that_only_rounding_could_excuse_is_refused() -> None:
    """The other branch neither rises nor falls, and this one adds less than its roundings."""
    text = quantized_sum(1e-12, -0.5, 1.0, 18).replace('"mul" %2', '"prelu" %2')
    module = parse(text)
    run_passes(module, FoldResidualAdds())
    (reason,) = (str(op.attributes[REASON]) for op in module.walk() if isinstance(op, bnn.AddOp))
    assert "in channel 0 no multipliers p and q of up to" in reason


def assert_differs_in_margin_only(
    module: ModuleOp, frames: list[Array], expected: Array, most: float = 0.05
) -> None:
    """Only integers are left, and where float32 rounding does not decide they give the same."""
    assert not any(isinstance(op, bnn.QuantizeOp) for op in module.walk())
    interpreter = make_interpreter(module)
    watcher = Watcher(np.zeros(len(expected), bool))
    interpreter.listeners = (watcher,)
    (found,) = interpreter.call_op("f", tuple(frames))
    certain = ~watcher.doubtful
    np.testing.assert_array_equal(found[certain], expected[certain])
    assert 1 - certain.mean() <= most


def test_an_error_that_is_stated_is_in_the_margin() -> None:
    """The sums at which one result of the reference could differ, and no others."""
    module = parse(
        """
        func.func @f(%x: tensor<1xsi4>, %y: tensor<1xsi4>) -> tensor<1x!bnn.bipolar> {
          %0 = bnn.cast %x : tensor<1xsi4> -> tensor<1xf32>
          %1 = bnn.ewise "mul" %0, <tensor<f32>, [1.0]> result_error <tensor<f32>, [0.125]>
            : tensor<1xf32> -> tensor<1xf32>
          %2 = bnn.cast %y : tensor<1xsi4> -> tensor<1xf32>
          %3 = bnn.add %1, %2 : tensor<1xf32>, tensor<1xf32> -> tensor<1xf32>
          %4 = bnn.quantize "bipolar" %3 : tensor<1xf32> -> tensor<1x!bnn.bipolar>
          func.return %4 : tensor<1x!bnn.bipolar>
        }"""
    )
    run_passes(module, FoldResidualAdds())
    (op,) = (op for op in module.walk() if isinstance(op, bnn.ThresholdOp))
    assert margin_of(op) == [(0, 0, 0)]


def wide_sum(widths: tuple[int, int], channels: int) -> ModuleOp:
    """Two sums of these widths, with scales of their own in each channel, to two bits."""
    rng = np.random.default_rng(0)
    kinds = [TensorType(bnn.sint(width), [channels]) for width in widths]
    block = Block(arg_types=kinds)
    values: list[SSAValue] = []
    for value in block.args:
        scales = bnn.DenseAttr.from_floats(rng.normal(size=channels) * 1e-3)
        cast = bnn.CastOp(value)
        scaled = bnn.EwiseOp("mul", cast.output, scales)
        block.add_ops([cast, scaled])
        values.append(scaled.output)
    total = bnn.AddOp(values[0], values[1], f32)
    code = bnn.QuantizeOp("half_even", total.output, bnn.uint(2))
    block.add_ops([total, code, ReturnOp(code.output)])
    return ModuleOp([FuncOp("f", (kinds, [code.output.type]), Region(block))])


def test_two_convolutions_of_many_channels_take_seconds() -> None:
    """As a block of a residual network with a convolution in both branches has them."""
    module = wide_sum((13, 10), 64)
    rng = np.random.default_rng(1)
    frames = [rng.integers(-(2 ** (w - 1)), 2 ** (w - 1), (500, 64)) for w in (13, 10)]
    expected = run_module(module.clone(), frames)
    start = time.perf_counter()
    run_passes(module, FoldResidualAdds())
    assert time.perf_counter() - start < 30
    assert_differs_in_margin_only(module, frames, expected[0], 0.1)


def test_sums_too_wide_for_multipliers_are_refused_with_a_reason() -> None:
    module = wide_sum((24, 12), 2)
    run_passes(module, FoldResidualAdds())
    (reason,) = (str(op.attributes[REASON]) for op in module.walk() if isinstance(op, bnn.AddOp))
    assert "in channel 0 no multipliers p and q of up to" in reason
    assert "put a quantizer of few bits on each branch" in reason


@pytest.mark.parametrize("widths", [(29, 28), (30, 23)])
def test_branches_of_too_many_values_are_refused_before_they_are_listed(
    widths: tuple[int, int],
) -> None:
    module = wide_sum(widths, 2)
    tracemalloc.start()
    try:
        run_passes(module, FoldResidualAdds())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    (reason,) = (str(op.attributes[REASON]) for op in module.walk() if isinstance(op, bnn.AddOp))
    assert "values of the shorter branch are too many to search among" in reason
    assert peak < 1 << 26


def test_a_refused_sum_is_tried_again_when_its_branches_have_changed() -> None:
    module = wide_sum((24, 12), 2)
    run_passes(module, FoldResidualAdds())
    assert any(REASON in op.attributes for op in module.walk())
    (function,) = (op for op in module.walk() if isinstance(op, FuncOp))
    narrow = TensorType(bnn.sint(8), [2])
    Rewriter.replace_value_with_new_type(function.body.block.args[0], narrow)
    function.update_function_type()
    rng = np.random.default_rng(2)
    frames = [rng.integers(-(2 ** (w - 1)), 2 ** (w - 1), (500, 2)) for w in (8, 12)]
    expected = run_module(module.clone(), frames)
    run_passes(module, FoldResidualAdds())
    assert not any(REASON in op.attributes for op in module.walk())
    assert_differs_in_margin_only(module, frames, expected[0], 0.1)


def test_a_refused_sum_is_not_searched_twice_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[SumChain] = []

    def counted(chain: SumChain, channels: int) -> Search:
        searched.append(chain)
        return search(chain, channels)

    monkeypatch.setattr(fold_residual_adds, "search", counted)
    module, refused = wide_sum((24, 12), 2), fold_residual_adds.Refused()
    for _ in range(3):
        assert not fold_residual_adds.fold_residual_adds(module, refused)
    assert len(searched) == 1


def test_a_channel_without_one_branch_looks_up_the_other() -> None:
    """The first branch has too many values to be looked up, and its scale is 0 in a channel."""
    x, y, t = "tensor<2xsi12>", "tensor<2xsi3>", "tensor<2xf32>"
    module = parse(f"""
        func.func @f(%x: {x}, %y: {y}) -> tensor<2xsi4> {{
          %0 = bnn.cast %x : {x} -> {t}
          %1 = bnn.ewise "mul" %0, <{t}, [0.013, 0.0]> : {t} -> {t}
          %2 = bnn.cast %y : {y} -> {t}
          %3 = bnn.ewise "add" %2, <tensor<f32>, [0.3]> : {t} -> {t}
          %4 = bnn.ewise "pow" %3, <tensor<f32>, [2.0]> : {t} -> {t}
          %5 = bnn.add %1, %4 : {t}, {t} -> {t}
          %6 = bnn.quantize "floor" %5 : {t} -> tensor<2xsi4>
          func.return %6 : tensor<2xsi4>
        }}""")
    pairs = np.array(list(itertools.product(range(-2048, 2048, 7), range(-4, 4))))
    frames = [np.repeat(column[:, None], 2, axis=1) for column in pairs.T]
    (expected,) = run_module(module.clone(), frames)
    run_passes(module, FoldResidualAdds())
    assert_differs_in_margin_only(module, frames, expected, 0.0)


def test_the_ratio_that_another_reader_takes_has_its_sign_turned_with_the_branches() -> None:
    """The shorter branch comes last: `x − 2·y` becomes `2·y − x`, though `y − x` would do."""
    x, y, t = "tensor<1xsi3>", "tensor<1xsi6>", "tensor<1xf32>"
    module = parse(f"""
        func.func @f(%x: {x}, %y: {y}) -> (tensor<1xui1>, {t}) {{
          %0 = bnn.cast %x : {x} -> {t}
          %1 = bnn.cast %y : {y} -> {t}
          %2 = bnn.ewise "mul" %1, <tensor<f32>, [-2.0]> : {t} -> {t}
          %3 = bnn.add %0, %2 : {t}, {t} -> {t}
          %4 = bnn.ewise "add" %3, <tensor<f32>, [-66.0]> : {t} -> {t}
          %5 = bnn.quantize "floor" %4 : {t} -> tensor<1xui1>
          func.return %5, %3 : tensor<1xui1>, {t}
        }}""")
    pairs = np.array(list(itertools.product(range(-4, 4), range(-32, 32))))
    frames = [pairs[:, :1], pairs[:, 1:]]
    expected = run_module(module.clone(), frames)
    assert {0, 1} == set(expected[0].ravel().tolist())
    run_passes(module, FoldResidualAdds())
    for before, after in zip(expected, run_module(module, frames), strict=True):
        np.testing.assert_array_equal(before, after)
    sums = [op.multipliers for op in module.walk() if isinstance(op, bnn.AddOp)]
    assert sorted(m.numpy().ravel().tolist() for m in sums if m is not None) == [[1, -2], [2, -1]]
