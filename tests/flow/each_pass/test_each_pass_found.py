"""A pass that changes an answer is found: with its name, the operation, and a small input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from wrong_passes import NETWORK, DropsInput, FlipsRow, OffByOne, RoundsMore, Swaps

from irc.api import Context, ModuleOp, ModulePass, bnn, check_each, new_context, parse
from irc.flow.each_pass.checker import EachPassChecker
from irc.flow.each_pass.report import DifferenceError
from irc.interp.run import run_module
from irc.running import run_passes
from irc.tools import irc_opt

Array = npt.NDArray[Any]


def found(module_pass: Any, inputs: Array | None = None, text: str = NETWORK) -> DifferenceError:
    with pytest.raises(DifferenceError) as caught:
        check_each(parse(text, "net"), [module_pass], inputs)
    return caught.value


def results(text: str, module_pass: Any, frames: Array) -> tuple[Array, Array]:
    """What a network answers before a pass and after it."""
    before, after = parse(text), parse(text)
    module_pass.apply(new_context(), after)
    return run_module(before, [frames])[0], run_module(after, [frames])[0]


def sorted_frames() -> tuple[Array, Array]:
    """Frames on which the pass changes nothing, and those on which it does."""
    frames = np.random.default_rng(3).integers(0, 8, (60, 8))
    old, new = results(NETWORK, OffByOne(), frames)
    wrong = (old != new).any(axis=1)
    return frames[~wrong], frames[wrong]


def test_the_operation_that_went_wrong_is_named() -> None:
    error = found(OffByOne())
    assert error.pass_name == "off-by-one"
    assert error.operation == "node 'act2' (bnn.threshold)"
    assert "on " in str(error)
    assert "first operation that differs: node 'act2' (bnn.threshold), element 1: " in str(error)


def test_an_operation_whose_value_differs_rightly_is_not_blamed() -> None:
    # The pass negates a row and its threshold, which is right, and another row, which is not.
    error = found(FlipsRow())
    assert error.operation == "node 'act1' (bnn.threshold)"


def test_the_input_is_shrunk_and_still_shows_it() -> None:
    error = found(OffByOne())
    (small,) = error.inputs
    assert small.shape == (1, 8)
    old, new = results(NETWORK, OffByOne(), small)
    assert (old != new).any()
    # Nothing simpler does: with any element nearer to nothing, both agree.
    for index in np.flatnonzero(small[0]):
        less = small.copy()
        less[0, index] -= 1
        old, new = results(NETWORK, OffByOne(), less)
        assert (old == new).all()


def test_given_inputs_decide_what_is_seen() -> None:
    right, wrong = sorted_frames()
    check_each(parse(NETWORK), [OffByOne()], right)
    error = found(OffByOne(), np.concatenate([right[:3], wrong[:1]]))
    assert "on 1 of 4 frames (4 frames of the given inputs)" in str(error)


def test_results_of_another_size_are_a_difference() -> None:
    assert "result 0 has 2 values; before it had 3" in str(found(Swaps()))


def test_other_inputs_are_a_difference() -> None:
    text = str(found(DropsInput()))
    assert "from 'x' [8] of ui3 to 'x' [4] of ui3" in text
    assert "'changes_results'" in text


def test_a_pass_that_says_so_may_change_results() -> None:
    notes: list[str] = []
    checker = EachPassChecker(note=notes.append)
    run_passes(
        new_context(), parse(NETWORK), [RoundsMore(), OffByOne.harmless()], observers=[checker]
    )
    assert checker.skipped == {"rounds-more": "changes results on purpose: it rounds"}
    assert checker.unchanged == ["off-by-one"]
    assert notes[0] == "rounds-more changes results on purpose: it rounds"
    assert notes[-1] == (
        "32 random frames, seed 0: passes that changed the module, and no answer: 0; "
        "that changed nothing: 1; not compared: 1"
    )


def test_irc_opt_fails_and_leaves_a_reproducer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.mlir").write_text(NETWORK, encoding="utf-8")
    np.save("x.npy", sorted_frames()[1][:2])
    wrong = ["--load", str(Path(__file__).with_name("wrong_passes.py"))]
    arguments = ["net.mlir", *wrong, "-p", "off-by-one"]
    assert irc_opt.main(arguments) == 0
    assert irc_opt.main([*arguments, "--check-each=x.npy", "--crash-reproducer", "r.mlir"]) == 1
    printed = capsys.readouterr().err
    assert "pass 'off-by-one' changed what the module answers, on 2 of 2 frames" in printed
    assert "node 'act2' (bnn.threshold), element 1" in printed
    assert irc_opt.main(["--run-reproducer", "r.mlir", *wrong]) == 1
    assert "2 of 2 frames (2 frames of x.npy)" in capsys.readouterr().err
    assert irc_opt.main(["--check-each", "net.mlir", "-p", "canonicalize"]) == 0
    assert "that changed nothing: 1" in capsys.readouterr().err


def test_irc_opt_says_what_is_wrong_with_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.mlir").write_text(NETWORK, encoding="utf-8")
    assert irc_opt.main(["net.mlir", "--check-each=none.npy"]) == 1
    assert "none.npy: no such file" in capsys.readouterr().err
    assert irc_opt.main(["net.mlir", "--check-each", "--check-frames", "0"]) == 2


BITS = """
func.func @bits(%x: tensor<2x!bnn.bipolar>) -> tensor<1x!bnn.bipolar> {
  %0 = bnn.linear %x, <tensor<1x2x!bnn.bipolar>, [1, 1]> : tensor<2x!bnn.bipolar> -> tensor<1xsi3>
  %1 = bnn.threshold %0 at <tensor<1x1xsi2>, [1]> bias 0 : tensor<1xsi3> -> tensor<1x!bnn.bipolar>
  func.return %1 : tensor<1x!bnn.bipolar>
}
"""


class NeverThere(ModulePass):
    """Asks for a sum that none reaches."""

    name = "never-there"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for threshold in op.walk():
            if isinstance(threshold, bnn.ThresholdOp):
                threshold.properties["thresholds"] = bnn.DenseAttr.from_integers([[3]])


def test_a_small_input_of_bits_is_one_of_bits() -> None:
    # x = (1, 0) would do as well as (1, 1), were there a 0.
    (small,) = found(NeverThere(), text=BITS).inputs
    assert small.tolist() == [[1, 1]]
