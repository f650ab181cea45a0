"""Functions with several blocks: passes leave them alone or refuse them, at their place."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from irc.errors import IrcError, UnsupportedError
from irc.flow.explore.stages import RecordedLadder
from irc.interp.run import entry_function
from irc.loading import new_context
from irc.parsing import parse_text
from irc.printing import print_ir
from irc.running import build_passes, run_passes
from irc.universe import PASSES, discover

BRANCH = """\
builtin.module {
  func.func @f(%0: tensor<4xf32>) -> tensor<4xf32> {
    %1 = bnn.ewise "neg" %0 : tensor<4xf32> -> tensor<4xf32>
    %2 = bnn.ewise "neg" %0 : tensor<4xf32> -> tensor<4xf32>
    cf.br ^bb1(%1 : tensor<4xf32>)
  ^bb1(%3: tensor<4xf32>):
    %4 = bnn.add %3, %2 : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
    func.return %4 : tensor<4xf32>
  }
}
"""

CONVERSIONS = ("lift-onnx-to-bnn", "convert-bnn-to-dataflow", "convert-bnn-to-packed")
"""Passes whose result is of another level: nothing could go on without it."""

OPTIMISATIONS = (
    *("merge-equal-operations", "erase-unused-operations", "share-equal-rows"),
    *("remove-redundant-channels", "streamline"),
)


@pytest.mark.parametrize("name", PASSES)
def test_no_pass_breaks_on_control_flow(name: str) -> None:
    module = parse_text(new_context(), BRANCH, "branch.mlir")
    # Whatever else it raises would be shown as an error of the compiler.
    with suppress(IrcError):
        run_passes(new_context(), module, build_passes(discover(), name))


@pytest.mark.parametrize("name", CONVERSIONS)
def test_conversions_refuse_control_flow(name: str) -> None:
    module = parse_text(new_context(), BRANCH, "branch.mlir")
    with pytest.raises(UnsupportedError, match="function 'f' has 2 blocks") as caught:
        run_passes(new_context(), module, build_passes(discover(), name))
    assert caught.value.location is not None


@pytest.mark.parametrize("name", OPTIMISATIONS)
def test_optimisations_leave_control_flow_alone(name: str) -> None:
    module = parse_text(new_context(), BRANCH, "branch.mlir")
    run_passes(new_context(), module, build_passes(discover(), name))
    assert print_ir(module) == BRANCH


def test_a_network_has_no_control_flow(tmp_path: Path) -> None:
    module = parse_text(new_context(), BRANCH, "branch.mlir")
    with pytest.raises(UnsupportedError, match="a network is a function of one block"):
        entry_function(module)
    path = tmp_path / "branch.mlir"
    path.write_text(BRANCH)
    with pytest.raises(UnsupportedError, match="a network is a function of one block"):
        _ = RecordedLadder(path).origins
