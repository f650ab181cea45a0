"""`irc-opt --explain PASS`: every pass says what it does and shows it on an example."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from opt_runner import run_opt

from irc.pass_specs import option_lines
from irc.tools.opt_explain import find_example, read_example
from irc.universe import PASSES, discover, resolve


@pytest.mark.parametrize("name", PASSES)
def test_every_pass_has_an_example_that_it_changes(name: str) -> None:
    result = run_opt("--explain", name)
    assert result.code == 0, result.err
    cls = resolve(PASSES[name])
    path = find_example(cls)
    assert path is not None, f"irc/passes/…/examples/{name}.mlir is missing"
    # Installed with the package, beside the pass.
    assert path.parent.name == "examples"
    example = read_example(path)
    assert name in example.passes()
    assert example.remark, "no comment says what is to be seen"
    before, after = result.out.split("\nbefore:\n")[1].split("\nafter:\n")
    assert re.sub(r"\s", "", before) != re.sub(r"\s", "", after)
    for line in option_lines(cls):
        assert f"  {line.split(' = ')[0].removesuffix(' (required)')}" in result.out
    assert result.out.startswith(f"{name} (irc: {PASSES[name].split('.')[2]})\n\n")


def test_what_is_shown_is_what_the_pass_makes_now() -> None:
    out = run_opt("--explain", "integer-outputs").out
    assert out == (
        "integer-outputs (irc: streamline)\n\n"
        "Return x instead of cast(x): the same numbers, without floating point.\n\n"
        "options: none\n\n"
        "in pipelines:\n"
        "  onnx-to-bnn: a cast just before the return is the caller's business\n"
        "  float-bnn-to-bnn: a cast just before the return is the caller's business\n\n"
        "example: irc-opt integer-outputs.mlir -p integer-outputs\n\n"
        "  A cast right before the return goes, and the result is the integer; other results "
        "stay.\n\n"
        "before:\n"
        "  func.func @net(%x: tensor<2xsi4>) -> (tensor<2xf32>, tensor<2xf32>) {\n"
        "    %0 = bnn.cast %x : tensor<2xsi4> -> tensor<2xf32>\n"
        '    %1 = bnn.ewise "neg" %0 : tensor<2xf32> -> tensor<2xf32>\n'
        "    func.return %0, %1 : tensor<2xf32>, tensor<2xf32>\n"
        "  }\n\n"
        "after:\n"
        "  func.func @net(%x: tensor<2xsi4>) -> (tensor<2xsi4>, tensor<2xf32>) {\n"
        "    %0 = bnn.cast %x : tensor<2xsi4> -> tensor<2xf32>\n"
        '    %1 = bnn.ewise "neg" %0 : tensor<2xf32> -> tensor<2xf32>\n'
        "    func.return %x, %1 : tensor<2xsi4>, tensor<2xf32>\n"
        "  }\n"
    )


def test_options_have_types_defaults_and_what_is_said_of_them() -> None:
    out = run_opt("--explain", "fold-layers").out
    assert (
        "  clock: an integer or a number (not given by default)\n"
        "      MHz at which it is to run there.\n"
    ) in out
    assert "  batch: an integer" in run_opt("--explain", "onnx-infer-shapes").out


def test_a_pass_of_ones_own_brings_its_example(tmp_path: Path) -> None:
    file = tmp_path / "twice.py"
    file.write_text(
        "from irc.api import Context, ModuleOp, ModulePass\n\n\n"
        "class Twice(ModulePass):\n"
        "    '''Leave everything as it is.'''\n\n"
        "    name = 'twice'\n\n"
        "    def apply(self, ctx: Context, op: ModuleOp) -> None:\n"
        "        pass\n"
    )
    assert "example" not in run_opt("--load", file, "--explain", "twice").out
    path = find_example(discover().passes["integer-outputs"]())
    assert path is not None
    text = path.read_text().replace("integer-outputs", "twice")
    (tmp_path / "twice.mlir").write_text(text)
    out = run_opt("--load", file, "--explain", "twice").out
    assert "example: irc-opt twice.mlir -p twice\n" in out
    assert out.startswith("twice (twice.py)\n\nLeave everything as it is.\n\noptions: none\n\n")


def test_passes_of_xdsl_are_explained_without_an_example() -> None:
    result = run_opt("--explain", "cse")
    assert result.code == 0
    assert result.out.startswith("cse (xdsl)\n")


def test_a_misspelt_pass() -> None:
    result = run_opt("--explain", "fold-treshold")
    assert result.code == 2
    assert "unknown pass 'fold-treshold'; did you mean 'fold-thresholds'?" in result.err


@pytest.mark.parametrize(
    "text",
    [
        "func.func private @f()\n",
        "// RUN: irc-opt %s -p\n",
        "// RUN: irc-opt %s -p 'twice\n",
        b"\xff",
    ],
)
def test_a_file_that_happens_to_be_there_is_no_example(tmp_path: Path, text: str | bytes) -> None:
    file = tmp_path / "twice.py"
    file.write_text(
        "from irc.api import Context, ModuleOp, ModulePass\n\n\n"
        "class Twice(ModulePass):\n"
        "    name = 'twice'\n\n"
        "    def apply(self, ctx: Context, op: ModuleOp) -> None:\n"
        "        pass\n"
    )
    stray = tmp_path / "twice.mlir"
    stray.write_bytes(text if isinstance(text, bytes) else text.encode())
    result = run_opt("--load", file, "--explain", "twice")
    assert result.code == 0
    assert result.out.startswith("twice (twice.py)\n\n(no description)\n\noptions: none\n\n")
    (line,) = [line for line in result.out.splitlines() if "no example" in line]
    assert line.startswith(f"no example: {stray}: expected a line // RUN: irc-opt %s -p PASS")
