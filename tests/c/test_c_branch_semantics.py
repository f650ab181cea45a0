"""Networks with branches, and those that take floats, mean the same at the packed level."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from arena_checks import cells_of, check_arena
from branch_networks import branch_network
from float_input_networks import float_network
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packed_networks import near, same, to_packed
from random_networks import random_frames

import irc
from irc.dialects import packed
from irc.interp.run import run_module

HYPOTHESIS = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@given(
    random=st.randoms(use_true_random=False),
    word=st.sampled_from([8, 16, 32, 64]),
    products=st.sampled_from([0, 8, 64]),
)
@HYPOTHESIS
def test_packed_equals_bnn_with_branches(random: Random, word: int, products: int) -> None:
    module = branch_network(random)
    module.verify()
    frames = random_frames(module, random, 4)
    expected = run_module(module, [frames])
    got = run_module(to_packed(module, word, "swar", products), [frames])
    assert all(same(mine, theirs) for mine, theirs in zip(got, expected, strict=True))


@given(random=st.randoms(use_true_random=False), word=st.sampled_from([8, 64]))
@HYPOTHESIS
def test_packed_equals_bnn_on_floats(random: Random, word: int) -> None:
    module = float_network(random)
    module.verify()
    frames = random_frames(module, random, 4)
    expected = run_module(module, [frames])
    got = run_module(to_packed(module, word), [frames])
    # Not to the bit: rows of another length are summed in another order in a softmax.
    assert all(near(mine, theirs) for mine, theirs in zip(got, expected, strict=True))


@given(random=st.randoms(use_true_random=False), word=st.sampled_from([8, 32]))
@HYPOTHESIS
def test_no_operand_is_overwritten_before_its_last_reader(random: Random, word: int) -> None:
    check_arena(to_packed(branch_network(random), word))


RESIDUAL = """
func.func @net(%x: tensor<16xui8>) -> tensor<16xsi9> {
  %a = bnn.threshold %x at <tensor<1x2xui8>, [80, 160]> bias 0 : tensor<16xui8> -> tensor<16xui2>
  %b = bnn.linear %a, <tensor<16x16xsi2>, "0xWEIGHTS"> : tensor<16xui2> -> tensor<16xsi8>
  %c = bnn.threshold %b at <tensor<1x1xui1>, [1]> bias 0 : tensor<16xsi8> -> tensor<16xui2>
  %d = bnn.linear %c, <tensor<16x16xsi2>, "0xWEIGHTS"> : tensor<16xui2> -> tensor<16xsi8>
  %e = bnn.add %a, %d multipliers <tensor<2x1xsi2>, [-2, 1]>
    : tensor<16xui2>, tensor<16xsi8> -> tensor<16xsi9>
  func.return %e : tensor<16xsi9>
}
"""


def test_a_skipped_value_keeps_its_place_until_the_sum() -> None:
    module = irc.parse(RESIDUAL.replace("0xWEIGHTS", "0x" + "9d" * 64))
    planned = to_packed(module)
    ops = [op for op in planned.walk() if isinstance(op, packed.KernelOp)]
    (skipped,) = {value for value in ops[-1].operands if value.owner is ops[0]}
    assert isinstance(ops[-1], packed.AddOp)
    # Two planes of a word, read by the first layer and by the sum, as bits.
    assert str(skipped.type) == "!packed.bits<1x16xui2, 32>"
    between = [cell for op in ops[1:-1] for cell in cells_of(op.output)]
    assert set(cells_of(skipped)).isdisjoint(between)
    frames = np.arange(32).reshape(2, 16) * 8
    assert np.array_equal(run_module(planned, [frames])[0], run_module(module, [frames])[0])


@pytest.mark.parametrize("word", [8, 32])
def test_zeros_around_signs_cost_no_second_plane(word: int) -> None:
    module = irc.parse(
        """
        func.func @net(%x: tensor<3x3x8xui8>) -> tensor<3x3x8x!bnn.bipolar> {
          %0 = bnn.threshold %x at <tensor<1x1xui8>, [128]> bias 0
            : tensor<3x3x8xui8> -> tensor<3x3x8x!bnn.bipolar>
          %1 = bnn.pad %0 before [1 : i64, 1 : i64] after [1 : i64, 1 : i64] value 0.0
            : tensor<3x3x8x!bnn.bipolar> -> tensor<5x5x8xsi2>
          %2 = bnn.conv %1, <tensor<8x3x3x8x!bnn.bipolar>, "0xWEIGHTS">
            strides [1 : i64, 1 : i64] dilations [1 : i64, 1 : i64] groups 1
            : tensor<5x5x8xsi2> -> tensor<3x3x8xsi8>
          %3 = bnn.threshold %2 at <tensor<1x1xsi2>, [1]> bias 0
            : tensor<3x3x8xsi8> -> tensor<3x3x8x!bnn.bipolar>
          func.return %3 : tensor<3x3x8x!bnn.bipolar>
        }""".replace("0xWEIGHTS", "0x" + "a7c3e1" * 24)
    )
    planned = to_packed(module, word)
    (conv,) = [op for op in planned.walk() if isinstance(op, packed.XnorDenseOp)]
    # Three kinds of positions along each axis: at either end, and between them.
    assert conv.kinds == (3, 3)
    frames = np.random.default_rng(1).integers(0, 256, (20, 3, 3, 8))
    assert np.array_equal(run_module(planned, [frames])[0], run_module(module, [frames])[0])
