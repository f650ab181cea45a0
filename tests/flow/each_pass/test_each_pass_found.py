"""A pass that changes an answer is found: with its name, the operation, and a small input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from wrong_passes import NETWORK, DropsInput, FlipsRow, OffByOne, RoundsMore, Swaps

from irc.api import Context, ModuleOp, ModulePass, bnn, check_each, new_context, parse
from irc.errors import IrcError
from irc.flow.each_pass.checker import EachPassChecker
from irc.flow.each_pass.report import DifferenceError
from irc.interp.run import run_module
from irc.running import run_passes
from irc.tools import irc_opt

Array = npt.NDArray[Any]


def found(module_pass: Any, inputs: Any = None, text: str = NETWORK) -> DifferenceError:
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


def test_all_given_inputs_are_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    right, wrong = sorted_frames()
    # More than are run at once, and only the last two show it.
    many = np.concatenate([np.repeat(right[:1], 600, axis=0), wrong[:1], wrong[:1]])
    error = found(OffByOne(), many)
    assert "on 2 of 602 frames" in str(error)
    net, data = tmp_path / "net.mlir", tmp_path / "x.npy"
    net.write_text(NETWORK, encoding="utf-8")
    np.save(data, many)
    loaded = ["--load", str(Path(__file__).with_name("wrong_passes.py")), "-p", "off-by-one"]
    assert irc_opt.main([str(net), *loaded, f"--check-each={data}"]) == 1
    assert "on 2 of 602 frames" in capsys.readouterr().err
    assert irc_opt.main([str(net), *loaded, f"--check-each={data}", "--check-frames=600"]) == 0


def test_inputs_may_be_lists_and_have_to_be_numbers() -> None:
    _, wrong = sorted_frames()
    assert found(OffByOne(), wrong[:1].tolist()).pass_name == "off-by-one"
    for inputs in ([[1, 2], [3]], 5, [], [["a"] * 8]):
        with pytest.raises(IrcError, match=r"^the given inputs: "):
            check_each(parse(NETWORK), [OffByOne()], inputs)
    with pytest.raises(IrcError, match="0 frames, seed 0: expected at least 1"):
        check_each(parse(NETWORK), [OffByOne()], frames=0)


def test_what_could_not_be_compared_is_an_error() -> None:
    two = NETWORK + NETWORK.replace("@net", "@other")
    check_each(parse(two), [OffByOne.harmless(), RoundsMore()])
    with pytest.raises(IrcError, match=r"^pass 'off-by-one' not compared: it has 2 public functi"):
        check_each(parse(two), [RoundsMore(), OffByOne()])


class Scales(ModulePass):
    """Multiplies the second element by something else."""

    name = "scales"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        *_, last = (each for each in op.walk() if isinstance(each, bnn.EwiseOp))
        assert last.constant is not None
        first = last.constant.numpy()[0]
        last.properties["constant"] = bnn.DenseAttr.from_floats([first, -7.0])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("factor", "answer"), [("1.0", "inf"), ("-1.0", "-inf"), ("0.0", "nan")])
def test_a_mistake_beside_an_infinity(factor: str, answer: str) -> None:
    # The first element overflows, before the pass and after it.
    text = f"""
func.func @net(%x: tensor<2xf32>) -> tensor<2xf32> {{
  %0 = bnn.ewise "add" %x, <tensor<2xf32>, [3.0e38, 3.0]> : tensor<2xf32> -> tensor<2xf32>
  %1 = bnn.ewise "mul" %0, <tensor<2xf32>, [10.0, 1.0]> : tensor<2xf32> -> tensor<2xf32>
  %2 = bnn.ewise "mul" %1, <tensor<2xf32>, [{factor}, 3.0]>
    : tensor<2xf32> -> tensor<2xf32> loc("m")
  func.return %2 : tensor<2xf32>
}}
"""
    before = run_module(parse(text), [np.zeros((1, 2), np.float32)])[0]
    assert str(before[0, 0]) == answer
    error = found(Scales(), text=text)
    assert "node 'm' (bnn.ewise), element 1: " in str(error)
    assert "answer: result 0 [1]: 9 before, -21 after" in str(error)


class Overflows(Scales):
    """Makes an infinity of what is none."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        *_, last = (each for each in op.walk() if isinstance(each, bnn.EwiseOp))
        last.properties["constant"] = bnn.DenseAttr.from_floats([3.0e38])


@pytest.mark.filterwarnings("error")
def test_an_infinity_differs_from_every_number() -> None:
    text = """
func.func @net(%x: tensor<1xf32>) -> tensor<1xf32> {
  %0 = bnn.ewise "add" %x, <tensor<1xf32>, [3.0]> : tensor<1xf32> -> tensor<1xf32>
  %1 = bnn.ewise "mul" %0, <tensor<1xf32>, [1.0e38]> : tensor<1xf32> -> tensor<1xf32>
  func.return %1 : tensor<1xf32>
}
"""
    assert "3.00000001e+38 before, inf after" in str(found(Overflows(), text=text))


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
    assert checker.skipped == [
        ("rounds-more", "changes results on purpose: it rounds", True),
    ]
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
    assert irc_opt.main(["net.mlir", "--check-each", "--check-seed", "-4"]) == 2


@pytest.mark.parametrize("option", ["--check-frames", "--check-seed"])
def test_what_is_run_is_said_only_where_something_is(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert irc_opt.main(["net.mlir", f"{option}=3"]) == 2
    assert f"{option} says what --check-each runs; add --check-each" in capsys.readouterr().err


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
