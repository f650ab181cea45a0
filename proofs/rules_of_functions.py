"""Rules that move or absorb functions: pools, borders, scales behind sums, quantizers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import f32
from xdsl.ir import Attribute, SSAValue
from xdsl.pattern_rewriter import RewritePattern

from irc.dialects import bnn
from irc.passes.analysis.ranges import RangeAnalysis
from irc.passes.streamline import (
    fit_affine_chains,
    recognize_quantizers,
    split_sums,
    streamline_linear,
    streamline_pads,
    streamline_pools,
)
from proofs.bnn_semantics import LOWEST, each
from proofs.rule_check import Formula, RuleCase, Symbols
from proofs.rule_networks import Net, network

Array = npt.NDArray[Any]


def _case(pattern: RewritePattern, inputs: Any, build: Any, **options: Any) -> RuleCase:
    return RuleCase.of_pattern(pattern, lambda: network(inputs, build), **options)


def _floats(*values: float) -> bnn.DenseAttr:
    return bnn.DenseAttr.from_floats(np.array(values).reshape(-1 if len(values) > 1 else ()))


def _max_pool(net: Net, x: SSAValue, element_type: Attribute = f32) -> SSAValue:
    return net.add(bnn.MaxPoolOp(x, (2,), (1,), (1,), element_type))


def _quantized_pool(rounding: str) -> Callable[[Net, SSAValue], SSAValue]:
    return lambda net, x: net.quantize(_max_pool(net, x), rounding)


def _thresholded_pool(net: Net, x: SSAValue) -> SSAValue:
    return net.add(bnn.FloatThresholdOp(_max_pool(net, x), net.tags(2, 2), bnn.uint(2)))


def _function_of_pool(fn: str, sign: int = 1) -> Callable[[Net, SSAValue], SSAValue]:
    def build(net: Net, x: SSAValue) -> SSAValue:
        constant = net.tags(2, sign=sign) if fn in bnn.BINARY_FUNCTIONS else None
        return net.ewise(fn, _max_pool(net, x), constant)

    return build


def _guarded_function(net: Net, x: SSAValue) -> SSAValue:
    border = net.add(bnn.PadOp(x, (1,), (0,), LOWEST, f32))
    return net.ewise("mul", _max_pool(net, border), net.tags(2))


def _pool_of_cast(net: Net, x: SSAValue) -> SSAValue:
    return _max_pool(net, net.cast(x))


def _pool_of_functions(sign: int, *fns: str) -> Callable[[Net, SSAValue], SSAValue]:
    def build(net: Net, x: SSAValue) -> SSAValue:
        y = net.cast(net.linear(x, net.weight_tags(2, 2), bnn.sint(24)))
        for fn in fns:
            constant = net.tags(2, sign=sign) if fn in bnn.BINARY_FUNCTIONS else None
            y = net.ewise(fn, y, constant)
        return _max_pool(net, y)

    return build


def _falling_by_thresholds(net: Net, x: SSAValue) -> SSAValue:
    return _max_pool(net, net.ewise("mul", net.cast(x), net.tags(2, sign=-1)))


def _negated_weights(signs: tuple[int, ...]) -> Formula:
    def formula(symbols: Symbols) -> Array:
        return each(lambda w, s: w * s, symbols["0.weights"], np.array(signs)[:, None])

    return formula


def _quantized_pad(net: Net, x: SSAValue) -> SSAValue:
    return net.quantize(net.add(bnn.PadOp(x, (1,), (1,), 2.5, f32)), "half_even")


def _thresholded_pad(net: Net, x: SSAValue) -> SSAValue:
    padded = net.add(bnn.PadOp(x, (1,), (1,), 0.0, f32))
    return net.add(
        bnn.FloatThresholdOp(padded, _floats_rows([-1.5, 2.0], [-0.5, 0.25]), bnn.uint(2))
    )


def _floats_rows(*rows: list[float]) -> bnn.DenseAttr:
    return bnn.DenseAttr.from_floats(np.array(rows))


def _padded_chain(net: Net, x: SSAValue) -> SSAValue:
    shifted = net.ewise("sub", net.cast(x), _floats(3.0))
    return net.add(bnn.PadOp(net.ewise("mul", shifted, _floats(0.5)), (1,), (2,), 0.0, f32))


def _guarded_exactly(net: Net, x: SSAValue) -> SSAValue:
    scaled = net.ewise("mul", net.cast(x), net.tags(2))
    return _max_pool(net, net.add(bnn.PadOp(scaled, (1,), (0,), LOWEST, f32)))


def _linear(net: Net, x: SSAValue) -> SSAValue:
    y = net.ewise("add", net.ewise("mul", net.cast(x), net.tags()), net.tags(3))
    return net.linear(y, net.weight_tags(2, 3), f32, net.tags(2), net.tags(2))


def _linear_factor(symbols: Symbols) -> Array:
    return each(lambda a, s: a * s, symbols["1.constant"], symbols["3.scales"])


def _linear_offset(symbols: Symbols) -> Array:
    products = _products(symbols["3.weights"], symbols["2.constant"])
    return each(lambda s, p, o: s * p + o, symbols["3.scales"], products, symbols["3.offsets"])


def _products(weights: Array, values: Array) -> Array:
    rows = each(lambda w, b: w * b, weights, np.broadcast_to(values, weights.shape))
    return rows.sum(axis=1)


def _falling_linear(net: Net, x: SSAValue) -> SSAValue:
    y = net.ewise("rsub", net.cast(x), net.tags())
    return net.linear(net.ewise("neg", net.ewise("div", y, _floats(2.0))), net.weight_tags(2, 2))


def _conv(net: Net, x: SSAValue) -> SSAValue:
    y = net.ewise("mul", net.cast(x), _by_group(net))
    y = net.ewise("add", y, net.tags(4))
    return net.add(
        bnn.ConvOp(y, net.weight_tags(2, 2, 2), f32, (1,), (1,), 2, net.tags(2), net.tags(2))
    )


def _by_group(net: Net) -> bnn.DenseAttr:
    """One scale for each group of two channels."""
    return bnn.DenseAttr.from_floats(np.repeat(net.tags(2).numpy(), 2))


def _conv_factor(symbols: Symbols) -> Array:
    return each(lambda a, s: a * s, symbols["1.constant"][::2], symbols["3.scales"])


def _conv_offset(symbols: Symbols) -> Array:
    of_groups = symbols["2.constant"].reshape(2, 1, 2)
    products = each(lambda w, b: w * b, symbols["3.weights"], of_groups).sum(axis=(1, 2))
    return each(lambda s, p, o: s * p + o, symbols["3.scales"], products, symbols["3.offsets"])


def _sum_pool(net: Net, x: SSAValue) -> SSAValue:
    return net.add(bnn.SumPoolOp(net.affine(x, 2), (2,), (1,), (1,), f32))


def _doubled_offset(symbols: Symbols) -> Array:
    return each(lambda b: 2 * b, symbols["2.constant"])


def _two_scales(net: Net, x: SSAValue) -> SSAValue:
    return net.linear(
        net.ewise("mul", net.cast(x), bnn.DenseAttr.from_floats(np.array([1.5, 0.75, 1.5, 0.75]))),
        net.weight_tags(2, 4),
        f32,
        net.tags(2),
        net.tags(2),
    )


def _two_scales_in_groups(net: Net, x: SSAValue) -> SSAValue:
    y = net.ewise("mul", net.cast(x), bnn.DenseAttr.from_floats(np.array([1.5, 0.75, 0.5, 0.25])))
    weights = bnn.DenseAttr.from_integers(np.array([[[3, -5], [2, 7]], [[11, 4], [-6, 1]]]))
    return net.add(bnn.ConvOp(y, weights, f32, (1,), (1,), 2))


def _relu_of_counts(net: Net, x: SSAValue) -> SSAValue:
    y = net.ewise("add", net.ewise("mul", net.cast(x), _floats(2.0)), _floats(1.0))
    return net.linear(net.ewise("relu", y), net.weight_tags(2, 2))


def _rounded_counts(net: Net, x: SSAValue) -> SSAValue:
    y = net.ewise("floor", net.ewise("add", net.cast(x), _floats(0.5)))
    return net.linear(net.ewise("mul", y, _floats(0.25)), net.weight_tags(2, 2))


def _relu_of_signed(net: Net, x: SSAValue) -> SSAValue:
    y = net.ewise("relu", net.ewise("mul", net.cast(x), _floats(0.5)))
    return net.linear(y, net.weight_tags(2, 2))


def _rounding(fn: str) -> Callable[[Net, SSAValue], SSAValue]:
    def build(net: Net, x: SSAValue) -> SSAValue:
        y = net.ewise("min", net.ewise("max", x, _floats(-3.0)), _floats(4.0))
        return net.ewise(fn, y)

    return build


def _clipped(fn: str, *bounds: tuple[str, float]) -> Callable[[Net, SSAValue], SSAValue]:
    def build(net: Net, x: SSAValue) -> SSAValue:
        y = net.ewise(fn, x)
        for name, value in bounds:
            y = net.ewise(name, y, _floats(value))
        return y

    return build


F32: list[Any] = [(f32, (3, 2))]
ROW: list[Any] = [(bnn.sint(4), (3,))]
PAIR: list[Any] = [(bnn.sint(4), (2,))]
FRAME: list[Any] = [(bnn.sint(4), (3, 2))]
COUNTS: list[Any] = [(bnn.uint(4), (2,))]

_LOW, _HIGH = ("max", -4.0), ("min", 5.0)

FUNCTIONS: dict[type, list[RuleCase]] = {
    streamline_pools.QuantizeBeforeMaxPool: [
        *(
            _case(streamline_pools.QuantizeBeforeMaxPool(), F32, _quantized_pool(rounding))
            for rounding in bnn.ROUNDINGS
        ),
        _case(streamline_pools.QuantizeBeforeMaxPool(), F32, _thresholded_pool),
    ],
    streamline_pools.MaxPoolBeforeRisingFunction: [
        *(
            _case(
                streamline_pools.MaxPoolBeforeRisingFunction(),
                F32,
                _function_of_pool(fn),
                signs=fn in ("mul", "div", "prelu"),
            )
            for fn in ("mul", "div", "prelu", "add", "sub", "max", "min")
        ),
        *(
            _case(streamline_pools.MaxPoolBeforeRisingFunction(), F32, _function_of_pool(fn))
            for fn in ("relu", "sqrt", "floor", "ceil", "round", "sign")
        ),
        _case(streamline_pools.MaxPoolBeforeRisingFunction(), F32, _guarded_function, signs=True),
    ],
    streamline_pools.MaxPoolBeforeCast: [
        _case(streamline_pools.MaxPoolBeforeCast(), FRAME, _pool_of_cast)
    ],
    streamline_pools.MaxPoolBehindFunction: [
        _case(
            streamline_pools.MaxPoolBehindFunction(),
            FRAME,
            _pool_of_functions(1, "mul", "sub", "relu"),
            signs=True,
        ),
        _case(
            streamline_pools.MaxPoolBehindFunction(),
            FRAME,
            _pool_of_functions(-1, "mul", "add"),
            signs=True,
            formulas={"0.weights": _negated_weights((-1, -1))},
        ),
        _case(
            streamline_pools.MaxPoolBehindFunction(),
            FRAME,
            _pool_of_functions(1, "div", "rsub"),
            signs=True,
            formulas={"0.weights": _negated_weights((-1, -1))},
        ),
        _case(
            streamline_pools.MaxPoolBehindFunction(),
            FRAME,
            _falling_by_thresholds,
            symbolic=False,
            ranged=True,
        ),
    ],
    streamline_pools.QuantizeBeforePad: [
        _case(streamline_pools.QuantizeBeforePad(), F32, _quantized_pad),
        _case(streamline_pools.QuantizeBeforePad(), F32, _thresholded_pad, symbolic=False),
    ],
    streamline_pads.MovePadBeforeChain: [
        _case(streamline_pads.MovePadBeforeChain(), FRAME, _padded_chain, symbolic=False),
        _case(
            streamline_pads.MovePadBeforeChain(), FRAME, _guarded_exactly, signs=True, ranged=True
        ),
    ],
    streamline_linear.MoveAffinePastLinear: [
        _case(
            streamline_linear.MoveAffinePastLinear(RangeAnalysis()),
            ROW,
            _linear,
            formulas={"2.constant": _linear_factor, "3.constant": _linear_offset},
        ),
        _case(
            streamline_linear.MoveAffinePastLinear(RangeAnalysis()),
            PAIR,
            _falling_linear,
            symbolic=False,
        ),
    ],
    streamline_linear.MoveAffinePastConv: [
        _case(
            streamline_linear.MoveAffinePastConv(RangeAnalysis()),
            [(bnn.sint(4), (3, 4))],
            _conv,
            formulas={"2.constant": _conv_factor, "3.constant": _conv_offset},
        )
    ],
    streamline_linear.MoveAffinePastSumPool: [
        _case(
            streamline_linear.MoveAffinePastSumPool(RangeAnalysis()),
            FRAME,
            _sum_pool,
            formulas={"3.constant": _doubled_offset},
        )
    ],
    split_sums.SplitByScale: [
        _case(split_sums.SplitByScale(RangeAnalysis()), [(bnn.sint(4), (4,))], _two_scales),
        _case(
            split_sums.SplitByScale(RangeAnalysis()),
            [(bnn.sint(4), (3, 4))],
            _two_scales_in_groups,
            symbolic=False,
        ),
    ],
    fit_affine_chains.ChainIsAffine: [
        _case(
            fit_affine_chains.ChainIsAffine(RangeAnalysis()),
            COUNTS,
            build,
            symbolic=False,
            ranged=True,
        )
        for build in (_relu_of_counts, _rounded_counts)
    ],
    fit_affine_chains.ChainIsQuantizer: [
        _case(
            fit_affine_chains.ChainIsQuantizer(RangeAnalysis()),
            PAIR,
            _relu_of_signed,
            symbolic=False,
            ranged=True,
        )
    ],
    recognize_quantizers.RoundIsQuantize: [
        _case(recognize_quantizers.RoundIsQuantize(), F32, _rounding(fn), symbolic=False)
        for fn in ("round", "floor", "ceil")
    ],
    recognize_quantizers.ClippedRoundIsQuantize: [
        _case(recognize_quantizers.ClippedRoundIsQuantize(), F32, build, symbolic=False)
        for build in (
            _clipped("round", _LOW, _HIGH),
            _clipped("floor", _HIGH, _LOW),
            _clipped("ceil", _LOW, _HIGH, ("max", 1.0)),
        )
    ],
}
"""For each pattern, networks on which it has something to do."""
