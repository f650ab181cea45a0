"""`irc compile` says which channels of which layer the network does not miss."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from irc_runner import run_irc

from irc import api
from irc.loading import load_file, new_context
from irc.passes.streamline.remove_redundant_channels import RemoveRedundantChannels

pytestmark = pytest.mark.usefixtures("workplace")

NETWORK = """
func.func @net(%x: tensor<2x!bnn.bipolar>) -> tensor<2x!bnn.bipolar> {
  %0 = bnn.linear %x, <tensor<4x2x!bnn.bipolar>, [1, 1, 1, 1, 1, -1, -1, -1]>
    : tensor<2x!bnn.bipolar> -> tensor<4xsi3>
  %1 = bnn.threshold %0 at <tensor<4x1xsi4>, [0, -2, 1, 3]> bias 0
    : tensor<4xsi3> -> tensor<4x!bnn.bipolar>
  %2 = bnn.linear %1, <tensor<2x4x!bnn.bipolar>, [1, 1, 1, 1, -1, 1, 1, -1]>
    : tensor<4x!bnn.bipolar> -> tensor<2xsi4>
  %3 = bnn.threshold %2 at <tensor<2x1xsi2>, [1, 0]> bias 0
    : tensor<2xsi4> -> tensor<2x!bnn.bipolar>
  func.return %3 : tensor<2x!bnn.bipolar>
}
"""


def test_what_went_is_below_the_table_and_in_the_json() -> None:
    Path("whole.mlir").write_text(NETWORK)
    compile_it = ("--target", "c", "--json", "report.json")
    result = run_irc("compile", "whole.mlir", *compile_it)
    assert "removed" not in result.out
    assert json.loads(Path("report.json").read_text())["removed"] == {}

    context = new_context()
    module = load_file(context, "whole.mlir")
    RemoveRedundantChannels().apply(context, module)
    Path("small.mlir").write_text(api.print_ir(module))
    result = run_irc("compile", "small.mlir", *compile_it)
    words = "2 of 4 channels: 2 constant"
    assert f"removed from layer 'bnn.linear': {words}\n" in result.out
    assert json.loads(Path("report.json").read_text())["removed"] == {"bnn.linear": words}
