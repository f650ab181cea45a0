"""prune-dead-channels: what it makes of a network, and that no result changes."""

from pathlib import Path

import pytest
from dead_channels.prune_dead_channels import PruneDeadChannels

import irc
from irc.api import assert_equivalent, assert_rewrites

NET = (Path(__file__).parent / "prune_dead_channels.mlir").read_text()

PRUNED = """
func.func @net(%x: tensor<2x!bnn.bipolar>) -> tensor<2xsi3> {
  %0 = bnn.linear %x, <tensor<2x2xsi2>, [-1, 1, 1, -1]> : tensor<2x!bnn.bipolar> -> tensor<2xsi3>
  %1 = bnn.threshold %0 at <tensor<2x1xsi2>, [0, 1]> bias 0
      : tensor<2xsi3> -> tensor<2x!bnn.bipolar>
  %2 = bnn.linear %1, <tensor<2x2xsi2>, [1, -1, 1, 1]> : tensor<2x!bnn.bipolar> -> tensor<2xsi3>
  func.return %2 : tensor<2xsi3>
}
"""


def test_dead_channels_go() -> None:
    assert_rewrites(PruneDeadChannels(), NET, PRUNED)


def test_a_network_without_any_stays() -> None:
    assert_rewrites(PruneDeadChannels(), PRUNED, PRUNED)


@pytest.mark.parametrize("multiple", [1, 2, 3, 4])
def test_results_stay_the_same(multiple: int) -> None:
    pruned = irc.run_passes(irc.parse(NET), PruneDeadChannels(multiple))
    assert_equivalent(NET, pruned)


def test_a_channel_with_a_second_reader_stays() -> None:
    both = NET.replace(
        "-> tensor<2xsi3> {", "-> (tensor<2xsi3>, tensor<4x!bnn.bipolar>) {"
    ).replace(
        "func.return %2 : tensor<2xsi3>",
        "func.return %2, %1 : tensor<2xsi3>, tensor<4x!bnn.bipolar>",
    )
    assert_rewrites(PruneDeadChannels(), both, both)


def test_the_option_is_checked() -> None:
    with pytest.raises(irc.UsageError, match="multiple=0"):
        irc.run_passes(irc.parse(NET), PruneDeadChannels(0))
