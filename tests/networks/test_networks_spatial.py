"""Random convolutional networks give at the bnn level what ONNX Runtime gives, without a float."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from random_spatial_network import (
    RandomSpatialNetwork,
    random_spatial_network,
    random_spatial_networks,
)
from xdsl.ir import Operation

from irc.dialects import bnn
from irc.dialects.dense import is_exact
from irc.flow.check import check
from irc.flow.ladder import Ladder
from irc.fuzz.networks.checks import assert_agrees_with_onnx
from irc.interp.run import entry_function

SLOW_SEEDS = 400


def inexact(network: RandomSpatialNetwork) -> list[Operation]:
    """Quantizers, sums, pools and borders that are left on floats."""
    layers = (bnn.ConvOp, bnn.LinearOp, bnn.MaxPoolOp, bnn.PadOp, bnn.SumPoolOp)
    return [
        op
        for op in entry_function(network.lowered("bnn")).body.block.ops
        if isinstance(op, bnn.QuantizeOp)
        or (isinstance(op, layers) and not is_exact(bnn.frame_type(op.output).element_type))
    ]


def assert_right(network: RandomSpatialNetwork) -> None:
    """All integers up to the float tail, and the reference's results; or else `irc check` names a
    node that is in the way. Sums that are left in floats are nobody's promise."""
    if not inexact(network):
        assert_agrees_with_onnx(network)
        return
    assert network.unusual, network
    path = network.save().split()[2]
    findings = check(Ladder(path, network.declarations)).findings
    names = {node.name for node in network.model.graph.node}
    assert any(finding.node.split(" ")[0] in names for finding in findings), findings
    assert all({"verilog", "c"} & {*finding.targets} for finding in findings)


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(random_spatial_networks())
def test_convolutions_equal_onnx(network: RandomSpatialNetwork) -> None:
    assert_right(network)


def test_most_convolutional_networks_are_exact() -> None:
    # Only an input that nothing quantizes may be padded with what no integer stands for.
    networks = [random_spatial_network(seed) for seed in range(60)]
    for network in networks[:30]:
        assert_right(network)
    assert sum(not inexact(network) for network in networks) >= 54


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, SLOW_SEEDS, SLOW_SEEDS // 4))
def test_convolutions_equal_onnx_on_many_seeds(first: int) -> None:
    for seed in range(first, first + SLOW_SEEDS // 4):
        network = random_spatial_network(seed)
        assert_right(network)
