"""How a pass is tested: what it makes of a piece of IR, and that it changes no result."""

from my_pass import FoldDoubleNegation

import irc
from irc.api import assert_equivalent, assert_rewrites

BEFORE = """
func.func @layer(%x: tensor<8xf32>) -> tensor<8xf32> {
  %0 = bnn.ewise "neg" %x : tensor<8xf32> -> tensor<8xf32>
  %1 = bnn.ewise "neg" %0 : tensor<8xf32> -> tensor<8xf32>
  %2 = bnn.ewise "relu" %1 : tensor<8xf32> -> tensor<8xf32>
  func.return %2 : tensor<8xf32>
}
"""

AFTER = """
func.func @layer(%x: tensor<8xf32>) -> tensor<8xf32> {
  %0 = bnn.ewise "relu" %x : tensor<8xf32> -> tensor<8xf32>
  func.return %0 : tensor<8xf32>
}
"""


def test_a_pair_of_negations_goes() -> None:
    assert_rewrites(FoldDoubleNegation(), BEFORE, AFTER)


def test_results_stay_the_same() -> None:
    after = irc.run_passes(irc.parse(BEFORE), FoldDoubleNegation())
    assert_equivalent(BEFORE, after)
