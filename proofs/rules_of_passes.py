"""Passes that are no patterns: thresholds, residual sums, channels, copies, inputs and outputs.

Constants stand for themselves, since what these passes write depends on every number; inputs are
all integers of their types. All constants are such that float32 makes no error, so that the real
numbers are what the model computes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, f32
from xdsl.ir import Attribute, SSAValue
from xdsl.passes import ModulePass

from irc.dialects import bnn
from irc.passes.streamline.fold_residual_adds import FoldResidualAdds
from irc.passes.streamline.fold_thresholds import FoldThresholds
from irc.passes.streamline.integer_outputs import IntegerOutputs
from irc.passes.streamline.merge_thresholds import MergeThresholds
from irc.passes.streamline.remove_redundant_channels import RemoveRedundantChannels
from irc.passes.streamline.share_equal_rows import ShareEqualRows
from irc.passes.streamline.split_chains import SplitChains
from irc.passes.streamline.streamline_shuffles import StreamlineShuffles
from irc.passes.streamline.trim_thresholds import TrimThresholds
from proofs.rule_check import RuleCase
from proofs.rule_networks import Net, network


def _case(
    module_pass: ModulePass,
    inputs: list[tuple[Attribute, tuple[int, ...]]],
    build: Any,
    **more: Any,
) -> RuleCase:
    def run(module: ModuleOp) -> None:
        module_pass.apply(Context(), module)

    options: dict[str, Any] = {"symbolic": False, "ranged": True, **more}
    return RuleCase(lambda: network(inputs, build), run, **options)


def _floats(*values: float) -> bnn.DenseAttr:
    return bnn.DenseAttr.from_floats(np.array(values).reshape(-1 if len(values) > 1 else ()))


def _integers(*rows: list[int]) -> bnn.DenseAttr:
    return bnn.DenseAttr.from_integers(np.array(rows))


def _signs(*rows: list[int]) -> bnn.DenseAttr:
    return bnn.DenseAttr.from_numpy(np.array(rows), bnn.bipolar)


def _copies(net: Net, x: SSAValue) -> tuple[SSAValue, ...]:
    y = net.ewise("mul", x, net.tags(2))
    return net.ewise("tanh", y), net.add(bnn.AddOp(y, y, f32))


def _folded(
    rounding: str, *functions: tuple[str, tuple[float, ...]]
) -> Callable[[Net, SSAValue], SSAValue]:
    """A quantizer of functions of an integer, one constant for all channels or one each."""

    def build(net: Net, x: SSAValue) -> SSAValue:
        y = net.cast(x)
        for fn, constants in functions:
            y = net.ewise(fn, y, _floats(*constants) if constants else None)
        if rounding in bnn.SIGNS:
            return net.add(bnn.QuantizeOp(rounding, y, bnn.bipolar))
        if rounding == "sign":
            return net.add(bnn.QuantizeOp(rounding, y, bnn.sint(2)))
        return net.add(bnn.QuantizeOp(rounding, y, bnn.sint(3), -2, 3))

    return build


def _folded_sum(net: Net, x: SSAValue) -> SSAValue:
    sums = net.linear(x, _signs([1, -1, 1], [1, 1, -1]), bnn.sint(4))
    y = net.ewise("add", net.ewise("mul", net.cast(sums), _floats(0.5, -0.25)), _floats(0.75, 0.5))
    return net.add(bnn.QuantizeOp("bipolar", y, bnn.bipolar))


def _folded_floats(net: Net, x: SSAValue) -> SSAValue:
    y = net.ewise("mul", net.cast(x), _floats(0.5, -0.25))
    at = bnn.DenseAttr.from_floats(np.array([[-1.5, 0.25, 2.0], [-0.75, -0.5, 1.0]]))
    return net.add(bnn.FloatThresholdOp(y, at, bnn.uint(2)))


def _two_thresholds(net: Net, x: SSAValue) -> SSAValue:
    first = bnn.ThresholdOp(x, _integers([-5, -1, 0, 4], [-6, 2, 3, 6]), bnn.sint(4), -2)
    second = bnn.ThresholdOp(net.add(first), _integers([-1, 1]), bnn.uint(2), 0)
    return net.add(second)


def _sum_of_thresholds(net: Net, x: SSAValue) -> SSAValue:
    first = net.add(bnn.ThresholdOp(x, _integers([-2, 3]), bnn.uint(2), 0))
    second = net.add(bnn.ThresholdOp(x, _integers([1]), bnn.bipolar, 0))
    return net.add(bnn.AddOp(first, second, bnn.sint(5), _integers([3], [-2])))


def _idle_threshold(net: Net, x: SSAValue) -> SSAValue:
    first = net.add(bnn.ThresholdOp(x, _integers([-3, 2]), bnn.uint(2), 0))
    return net.add(bnn.ThresholdOp(first, _integers([1, 2, 3]), bnn.uint(2), 0))


def _trimmed(net: Net, x: SSAValue) -> SSAValue:
    at = _integers([-9, 1, 3, 40], [-8, -1, 2, 8])
    return net.add(bnn.ThresholdOp(x, at, bnn.uint(3), 1))


def _redundant(net: Net, x: SSAValue) -> SSAValue:
    """Channel 0 is always 1, 3 is like 1, 4 nobody reads."""
    rows = [[1, 1, 1], [1, -1, 1], [-1, 1, 1], [1, -1, 1], [-1, -1, 1]]
    sums = net.linear(x, _signs(*rows), bnn.sint(4))
    at = _integers([-3], [1], [1], [1], [1])
    hidden = net.add(bnn.ThresholdOp(sums, at, bnn.bipolar, 0))
    weights = _integers([1, 1, -1, 1, 0], [-1, 2, 1, -1, 0])
    final = net.linear(hidden, weights, bnn.sint(5))
    return net.add(bnn.ThresholdOp(final, _integers([0], [1]), bnn.bipolar, 0))


def _cast_sum(net: Net, x: SSAValue) -> SSAValue:
    return net.cast(net.linear(x, _integers([1, 2], [3, -1]), bnn.sint(7)))


def _equal_rows(net: Net, x: SSAValue) -> SSAValue:
    """Rows 0, 2 and 4 are equal, 1 and 3, and 5 and 6; their thresholds are not."""
    kinds = [[1, 1, -1], [1, -1, 1], [-1, 1, 1]]
    sums = net.linear(x, _signs(*(kinds[i] for i in (0, 1, 0, 1, 0, 2, 2))), bnn.sint(4))
    at = _integers([-1], [1], [1], [3], [2], [1], [-1])
    hidden = net.add(bnn.ThresholdOp(sums, at, bnn.bipolar, 0))
    weights = _integers([1, 2, -1, 3, 1, 2, -3], [-1, 1, 4, -1, 2, 1, 1])
    return net.linear(hidden, weights, bnn.sint(6))


def _residual(
    p: float, q: float, rounding: str = "floor"
) -> Callable[[Net, SSAValue, SSAValue], SSAValue]:
    def build(net: Net, x: SSAValue, y: SSAValue) -> SSAValue:
        a = net.ewise("mul", net.cast(x), _floats(p))
        b = net.ewise("add", net.ewise("mul", net.cast(y), _floats(q)), _floats(0.125))
        total = net.add(bnn.AddOp(a, b, f32))
        return net.quantize(net.ewise("relu", total), rounding)

    return build


def _residual_lookup(net: Net, x: SSAValue, y: SSAValue) -> SSAValue:
    a = net.ewise("relu", net.ewise("mul", net.cast(x), _floats(0.75)))
    b = net.ewise("mul", net.cast(y), _floats(0.5))
    return net.quantize(net.add(bnn.AddOp(a, b, f32)), "half_even")


def _residual_of_one(net: Net, x: SSAValue) -> SSAValue:
    a = net.ewise("abs", net.cast(x))
    b = net.ewise("mul", net.cast(x), _floats(0.5))
    return net.quantize(net.add(bnn.AddOp(a, b, f32)), "ceil")


def _residual_scaled(net: Net, x: SSAValue, y: SSAValue) -> SSAValue:
    a = net.ewise("mul", net.cast(x), _floats(0.75, 1.5))
    b = net.ewise("add", net.ewise("mul", net.cast(y), _floats(0.5, -0.25)), _floats(3.0))
    return net.add(bnn.AddOp(a, b, f32))


def _multiplied_shuffle(net: Net, x: SSAValue, y: SSAValue) -> SSAValue:
    parted = net.add(bnn.TransposeOp(net.add(bnn.ReshapeOp(x, (1, 2, 2))), (0, 2, 1)))
    total = net.add(bnn.AddOp(net.add(bnn.ReshapeOp(parted, (1, 4))), y, bnn.sint(5)))
    return net.linear(total, _signs([1, -1, 1, -1], [1, 1, -1, -1]), bnn.sint(8))


S3, S4 = bnn.sint(3), bnn.sint(4)

PASSES: dict[type, list[RuleCase]] = {
    SplitChains: [_case(SplitChains(), [(f32, (2,))], _copies, symbolic=True)],
    FoldThresholds: [
        *(
            _case(FoldThresholds(), [(S4, (2,))], _folded(rounding, *functions))
            for rounding, functions in (
                ("half_even", (("mul", (0.5, 0.25)), ("add", (0.25, -0.5)))),
                ("half_up", (("mul", (0.5,)), ("relu", ()))),
                ("half_down", (("mul", (0.5,)), ("min", (1.5, 0.5)))),
                ("floor", (("mul", (-0.5, 0.25)), ("add", (0.5,)))),
                ("ceil", (("rsub", (0.5,)), ("div", (2.0,)))),
                ("up", (("prelu", (0.25,)),)),
                ("down", (("abs", ()), ("sub", (3.5, 1.0)))),
                ("sign", (("add", (0.5, -0.5)),)),
                ("bipolar", (("mul", (0.0, -1.0)),)),
                ("positive", (("sub", (2.0, -3.0)),)),
            )
        ),
        _case(FoldThresholds(), [(bnn.bipolar, (3,))], _folded_sum),
        _case(FoldThresholds(), [(S4, (2,))], _folded_floats),
    ],
    MergeThresholds: [
        _case(MergeThresholds(), [(S4, (2,))], _two_thresholds),
        _case(MergeThresholds(), [(S4, (2,))], _sum_of_thresholds),
        _case(MergeThresholds(), [(S4, (2,))], _idle_threshold),
    ],
    TrimThresholds: [_case(TrimThresholds(), [(S4, (2,))], _trimmed)],
    IntegerOutputs: [
        _case(
            IntegerOutputs(),
            [(S4, (2,))],
            _cast_sum,
        )
    ],
    RemoveRedundantChannels: [
        _case(RemoveRedundantChannels(any_size=True), [(bnn.bipolar, (3,))], _redundant)
    ],
    ShareEqualRows: [_case(ShareEqualRows(least_macs=0), [(bnn.bipolar, (3,))], _equal_rows)],
    FoldResidualAdds: [
        _case(FoldResidualAdds(), [(S3, (2,)), (S3, (2,))], build)
        for build in (
            _residual(0.75, 0.5),
            _residual(1.5, -0.5, "half_even"),
            _residual(0.5, 0.5, "up"),
            _residual_lookup,
            _residual_scaled,
        )
    ]
    + [_case(FoldResidualAdds(), [(S3, (2,))], _residual_of_one)],
    StreamlineShuffles: [
        _case(StreamlineShuffles(), [(S4, (1, 4)), (S4, (1, 4))], _multiplied_shuffle)
    ],
}
"""For each pass, networks on which it has something to do."""
