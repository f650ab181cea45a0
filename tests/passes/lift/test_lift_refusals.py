"""Operators that no target has are refused with the way round them."""

from __future__ import annotations

from typing import Any

import pytest
from lift_models import Net
from lift_nodes import refused

CASES: dict[str, tuple[dict[str, Any], str]] = {
    "DepthToSpace": ({"blocksize": 2}, "a nearest Resize with a Conv behind it"),
    "SpaceToDepth": ({"blocksize": 2}, "a Conv with kernel and stride of the block size"),
    "HardSwish": ({}, "use Relu or Clip"),
    "Selu": ({}, "use Relu, LeakyRelu or Clip in front of a quantizer"),
    "ThresholdedRelu": ({}, "jumps at its threshold"),
    "LpPool": ({"kernel_shape": [2, 2]}, "only AveragePool and MaxPool are supported"),
}


@pytest.mark.parametrize("op_type", list(CASES))
def test_reason_and_way_round(op_type: str) -> None:
    attributes, reason = CASES[op_type]
    net = Net((1, 4, 4, 4))
    message = refused(net.model(net.add(op_type, "x", **attributes)))
    assert message.startswith(f"node '{op_type.lower()}_n0' ({op_type}): ")
    assert reason in message


def test_every_such_node_is_named_at_once() -> None:
    net = Net((1, 4, 4, 4))
    value = net.add("SpaceToDepth", net.add("Selu", "x"), blocksize=2)
    lines = refused(net.model(value)).splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "node 'selu_n0' (Selu)",
        "node 'spacetodepth_n1' (SpaceToDepth)",
    ]
