"""Passes on convolutions, pools and borders keep what a network computes, to the bit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from chain_networks import Network
from hypothesis import HealthCheck, given, settings
from spatial_functions import spatial_networks
from xdsl.context import Context
from xdsl.passes import ModulePass

from irc.api import assert_equivalent, bnn, parse, run_passes
from irc.interp.run import run_module
from irc.passes.streamline.fit_affine_chains import FitAffineChains
from irc.passes.streamline.fold_thresholds import FoldThresholds
from irc.passes.streamline.recognize_quantizers import RecognizeQuantizers
from irc.passes.streamline.streamline_pads import StreamlinePads
from irc.passes.streamline.streamline_pools import StreamlinePools
from irc.passes.streamline.streamline_transposes import StreamlineTransposes

PASSES = [
    StreamlineTransposes,
    RecognizeQuantizers,
    StreamlinePools,
    StreamlinePads,
    FitAffineChains,
]


@pytest.mark.parametrize("module_pass", PASSES, ids=lambda cls: cls.name)
def test_a_spatial_pass_changes_no_value(module_pass: Callable[[], ModulePass]) -> None:
    @settings(
        max_examples=50,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(spatial_networks())
    def check(network: Network) -> None:
        module, frames = network.module.clone(), network.frames
        (expected,) = run_module(module, [frames])
        for _ in range(2):
            module_pass().apply(Context(), module)
            module.verify()
        (found,) = run_module(module, [frames])
        # The last layer sums floats in the order of its columns, which may be another now.
        scale = float(np.abs(expected).max(initial=1))
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * scale)

    check()


def chain(depth: int) -> str:
    """As deep a network as pools, borders and functions without a quantizer can make."""
    lines = ["%c0 = bnn.cast %x : tensor<64x1xsi4> -> tensor<64x1xf32>"]
    for i in range(depth):
        t = "tensor<64x1xf32>"
        lines += [
            f'%a{i} = bnn.ewise "add" %c{i}, <tensor<f32>, [1.0]> : {t} -> {t}',
            f"%m{i} = bnn.max_pool %a{i} kernel [1 : i64] strides [1 : i64] dilations [1 : i64] "
            f": {t} -> {t}",
            f'%c{i + 1} = bnn.ewise "neg" %m{i} : {t} -> {t}',
        ]
    body = "\n".join(lines)
    return (
        "func.func @f(%x: tensor<64x1xsi4>) -> tensor<64x1xf32> {\n"
        f"{body}\nfunc.return %c{depth} : tensor<64x1xf32>\n}}"
    )


@pytest.mark.parametrize("name", [cls.name for cls in PASSES])
def test_patterns_come_to_an_end(name: str) -> None:
    module = parse(chain(40))
    before = module.clone()
    run_passes(module, f"{name},{name}")
    assert_equivalent(before, module)


def test_pool_with_two_quantizers_behind_it_reaches_exact_values() -> None:
    module = parse(
        """
        func.func @f(%x: tensor<2x1xsi4>) -> (tensor<1x1x!bnn.bipolar>, tensor<1x1xui1>) {
          %0 = bnn.cast %x : tensor<2x1xsi4> -> tensor<2x1xf32>
          %1 = bnn.ewise "mul" %0, <tensor<f32>, [3.0]> : tensor<2x1xf32> -> tensor<2x1xf32>
          %2 = bnn.max_pool %1 kernel [2 : i64] strides [1 : i64] dilations [1 : i64]
            : tensor<2x1xf32> -> tensor<1x1xf32>
          %3 = bnn.quantize "bipolar" %2 : tensor<1x1xf32> -> tensor<1x1x!bnn.bipolar>
          %4 = bnn.quantize "floor" %2 : tensor<1x1xf32> -> tensor<1x1xui1>
          func.return %3, %4 : tensor<1x1x!bnn.bipolar>, tensor<1x1xui1>
        }"""
    )
    before = module.clone()
    run_passes(module, [StreamlinePools(), FoldThresholds()])
    assert_equivalent(before, module)
    assert not any(isinstance(op, bnn.CastOp | bnn.QuantizeOp) for op in module.walk())


def test_a_quantizer_that_is_always_one_stays_where_a_border_needs_its_type() -> None:
    module = parse(
        """
        func.func @f(%x: tensor<2x1xsi4>) -> tensor<1x1xsi8> {
          %0 = bnn.cast %x : tensor<2x1xsi4> -> tensor<2x1xf32>
          %1 = bnn.ewise "max" %0, <tensor<f32>, [9.0]> : tensor<2x1xf32> -> tensor<2x1xf32>
          %2 = bnn.quantize "floor" %1 min 1 max 1 : tensor<2x1xf32> -> tensor<2x1xui2>
          %3 = bnn.pad %2 before [1 : i64] after [0 : i64] value 0.0
            : tensor<2x1xui2> -> tensor<3x1xui2>
          %4 = bnn.conv %3, <tensor<1x3x1x!bnn.bipolar>, [1, 1, 1]> strides [1 : i64]
            dilations [1 : i64] groups 1 : tensor<3x1xui2> -> tensor<1x1xsi8>
          func.return %4 : tensor<1x1xsi8>
        }"""
    )
    before = module.clone()
    run_passes(module, FoldThresholds())
    assert_equivalent(before, module)
