"""`irc-opt --crash-reproducer` keeps what a failing pass was given; `--run-reproducer` runs it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from opt_runner import LAYER, run_opt

from irc.api import Context, ModuleOp, ModulePass, parse, run_passes
from irc.tools.opt_arguments import parse_arguments
from irc.tools.opt_reproducer import Reproducer

REFUSED = """\
func.func @net(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = bnn.ewise "neg" %x : tensor<2xf32> -> tensor<2xf32>
  %1 = bnn.ewise "neg" %x : tensor<2xf32> -> tensor<2xf32> loc("Neg_7")
  func.return %1 : tensor<2xf32>
}
"""

FAILING = """\
from dataclasses import dataclass

from irc.api import Context, ModuleOp, ModulePass, UnsupportedError, bnn


@dataclass(frozen=True)
class Refuse(ModulePass):
    '''Refuse functions of floats.'''

    name = "refuse"
    words: tuple[str, ...] = ()

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for inner in op.walk():
            if isinstance(inner, bnn.EwiseOp):
                raise UnsupportedError(f"no floats {self.words}", inner.location)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with `net.mlir` and the pass `refuse` in `refuse.py`."""
    monkeypatch.chdir(tmp_path)
    Path("net.mlir").write_text(REFUSED)
    Path("refuse.py").write_text(FAILING)
    return tmp_path


PIPELINE = 'cse,refuse{words="a b","c,d=\'e\'"},dce'


def test_the_failing_pass_runs_again_on_what_it_was_given(folder: Path) -> None:
    arguments = ("net.mlir", "--load", "refuse.py", "-p", PIPELINE)
    failed = run_opt(*arguments, "--crash-reproducer", "crash.mlir")
    assert failed.code == 1
    assert "note: 'irc-opt --run-reproducer crash.mlir' runs it again\n" in failed.err
    text = Path("crash.mlir").read_text()
    first, *_ = text.splitlines()
    assert first.startswith("// configuration: -p ")
    assert "cse" not in first
    assert "// failed with: no floats ('a b', \"c,d='e'\")\n" in text
    # `cse` ran before, and is seen in the IR.
    assert text.count("bnn.ewise") == 1

    again = run_opt("--run-reproducer", "crash.mlir", "--load", "refuse.py")
    assert again.code == 1
    message = "mlir: node 'Neg_7': no floats ('a b', \"c,d='e'\")\n"
    assert failed.err.startswith(f"error: net.{message}")
    assert again.err.startswith(f"error: crash.{message}")


def test_a_reproducer_names_files_that_were_loaded_and_does_not_run_them(folder: Path) -> None:
    run_opt("net.mlir", "--load", "refuse.py", "-p", PIPELINE, "--crash-reproducer", "crash.mlir")
    result = run_opt("--run-reproducer", "crash.mlir")
    assert result.code == 2
    assert result.err == (
        "note: crash.mlir was written with --load refuse.py\n"
        "error: unknown pass 'refuse' (--list-passes names all)\n"
    )


def test_what_a_pass_leaves_invalid_is_reproduced(folder: Path) -> None:
    Path("refuse.py").write_text(
        "from irc.api import Context, ModuleOp, ModulePass, bnn\n\n\n"
        "class Spoil(ModulePass):\n"
        "    '''Leave invalid IR.'''\n\n"
        "    name = 'spoil'\n\n"
        "    def apply(self, ctx: Context, op: ModuleOp) -> None:\n"
        "        for inner in op.walk():\n"
        "            if isinstance(inner, bnn.EwiseOp):\n"
        "                del inner.properties['fn']\n"
    )
    options = ("--load", "refuse.py")
    failed = run_opt("net.mlir", *options, "-p", "spoil", "--crash-reproducer", "crash.mlir")
    assert failed.code == 1
    again = run_opt("--run-reproducer", "crash.mlir", *options)
    assert again.code == 1
    assert "after pass 'spoil', which must leave valid IR" in again.err
    assert "bnn.ewise" in Path("crash.mlir").read_text()


def test_nothing_is_written_where_nothing_fails(folder: Path) -> None:
    assert run_opt("net.mlir", "-p", "cse", "--crash-reproducer", "crash.mlir").code == 0
    assert sorted(os.listdir()) == ["net.mlir", "refuse.py"]


def test_where_it_cannot_be_written_the_error_of_the_pass_is_told(folder: Path) -> None:
    arguments = ("net.mlir", "--load", "refuse.py", "-p", "refuse")
    result = run_opt(*arguments, "--crash-reproducer", "nowhere/crash.mlir")
    assert result.code == 1
    assert "no floats ()\n" in result.err.splitlines(keepends=True)[0]
    note = (
        "note: no reproducer: nowhere/crash.mlir: cannot be written: there is no folder 'nowhere'"
    )
    assert note in result.err


def test_the_first_failing_piece_is_kept(folder: Path) -> None:
    Path("two.mlir").write_text(f"{LAYER}// -----\n{REFUSED.replace('@net', '@second')}")
    options = ("--load", "refuse.py", "--split-input-file")
    run_opt("two.mlir", *options, "-p", "refuse", "--crash-reproducer", "crash.mlir")
    assert "@layer" in Path("crash.mlir").read_text()
    assert "@second" not in Path("crash.mlir").read_text()


def test_an_interrupted_pass_is_kept(folder: Path) -> None:
    class Hang(ModulePass):
        """Run for ever."""

        name = "hang"

        def apply(self, ctx: Context, op: ModuleOp) -> None:
            raise KeyboardInterrupt

    observer = Reproducer("crash.mlir", parse_arguments(["--allow-unregistered-dialect"]))
    with pytest.raises(KeyboardInterrupt):
        run_passes(parse(LAYER), Hang(), observers=[observer])
    text = Path("crash.mlir").read_text()
    assert text.startswith("// configuration: -p hang --allow-unregistered-dialect\n")
    assert "// failed with: KeyboardInterrupt\n" in text


RARE = """\
from irc.api import Context, ModuleOp, ModulePass, bnn


class Rare(ModulePass):
    '''Change the answer to few inputs.'''

    name = "rare"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for inner in op.walk():
            if isinstance(inner, bnn.ThresholdOp):
                inner.properties["thresholds"] = bnn.DenseAttr.from_integers([[30100]])
"""

THRESHOLD = """\
func.func @net(%x: tensor<1xui16>) -> tensor<1x!bnn.bipolar> {
  %0 = bnn.threshold %x at <tensor<1x1xui16>, [30000]> bias 0
    : tensor<1xui16> -> tensor<1x!bnn.bipolar>
  func.return %0 : tensor<1x!bnn.bipolar>
}
"""


def test_a_difference_on_few_inputs_is_found_again_on_the_same(folder: Path) -> None:
    Path("rare.py").write_text(RARE)
    Path("threshold.mlir").write_text(THRESHOLD)
    options = ("threshold.mlir", "--load", "rare.py", "-p", "rare", "--check-each")
    # Few inputs do not show it, which is why the number and the seed are kept.
    assert run_opt(*options).code == 0
    options += ("--check-frames", "2000", "--check-seed", "5")
    failed = run_opt(*options, "--crash-reproducer", "crash.mlir")
    assert "of 2000 frames (2000 random frames, seed 5)" in failed.err
    first = "// configuration: -p rare --check-each= --check-frames=2000 --check-seed=5\n"
    assert Path("crash.mlir").read_text().startswith(first)
    again = run_opt("--run-reproducer", "crash.mlir", "--load", "rare.py")
    assert again.code == 1
    assert again.err.splitlines()[:4] == failed.err.splitlines()[:4]
    # The command line wins.
    fewer = ("--run-reproducer", "crash.mlir", "--load", "rare.py", "--check-frames", "2")
    assert "2 random frames, seed 5" in run_opt(*fewer).err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LAYER, "error: x.mlir: not a reproducer: expected a first line such as"),
        ("// configuration: -p 'cse\n" + LAYER, "error: x.mlir:1: the configuration cannot be"),
        ("// configuration: \n" + LAYER, "error: x.mlir:1: the configuration cannot be read"),
        (
            "// configuration: -p cse --load /tmp/evil.py\n" + LAYER,
            "error: x.mlir:1: the configuration holds '--load'; expected only -p and",
        ),
        (
            "// configuration: -p cse --check-each= --check-seed=-1\n" + LAYER,
            "error: x.mlir:1: the configuration cannot be read: argument --check-seed: expected a",
        ),
    ],
)
def test_files_that_are_no_reproducers(folder: Path, text: str, message: str) -> None:
    Path("x.mlir").write_text(text)
    result = run_opt("--run-reproducer", "x.mlir")
    assert result.code == 1
    assert result.err.startswith(message)


@pytest.mark.parametrize(
    ("option", "what"),
    [
        ("net.mlir", "an input file"),
        ("--compile-to=bnn", "--compile-to"),
        ("--split-input-file", "--split-input-file"),
    ],
)
def test_a_reproducer_brings_its_own_input(folder: Path, option: str, what: str) -> None:
    result = run_opt("--run-reproducer", "x.mlir", option)
    assert result.code == 2
    assert result.err == (
        f"error: --run-reproducer brings input and passes; it goes without {what}\n"
    )
