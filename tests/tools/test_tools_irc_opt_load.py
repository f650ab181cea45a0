"""Passes from elsewhere: a Python file given with --load, an installed package, and their bugs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from opt_runner import LAYER, run_opt

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"

PASS = """\
from irc.api import Context, IrcError, ModuleOp, ModulePass, bnn


class Example(ModulePass):
    '''Do what the test wants.'''

    name = "example"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        layer, other = [ewise for ewise in op.walk() if isinstance(ewise, bnn.EwiseOp)]
        BODY
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with `layer.mlir` in it."""
    monkeypatch.chdir(tmp_path)
    Path("layer.mlir").write_text(LAYER)
    return tmp_path


def write_pass(body: str) -> None:
    Path("example.py").write_text(PASS.replace("BODY", body))


def test_a_loaded_pass_runs_and_is_listed(folder: Path) -> None:
    write_pass('other.properties["fn"] = layer.properties["fn"]')
    result = run_opt("layer.mlir", "--load", "example.py", "-p", "example")
    assert result.code == 0
    assert result.out.count('bnn.ewise "neg"') == 2
    listed = run_opt("--load", "example.py", "--list-passes").out
    assert "example.py\n  example                     Do what the test wants.\n" in listed


def test_an_error_of_a_pass_points_at_the_operation(folder: Path) -> None:
    write_pass('raise IrcError("this layer is too negative", layer.location)')
    result = run_opt("layer.mlir", "--load", "example.py", "-p", "example")
    assert result.code == 1
    assert result.err == (
        "layer.mlir:2:8: error: this layer is too negative\n"
        '    %0 = bnn.ewise "neg" %x : tensor<2xf32> -> tensor<2xf32>\n'
        "         ^^^^^^^^^\n"
        "note: in pass 'example'\n"
    )


def test_an_error_about_an_operation_from_onnx_names_its_node(folder: Path) -> None:
    Path("named.mlir").write_text(LAYER.replace("f32>\n  %1", 'f32> loc("Neg_3")\n  %1'))
    write_pass('raise IrcError("this layer is too negative", layer.location)')
    result = run_opt("named.mlir", "--load", "example.py", "-p", "example")
    assert result.err == (
        "error: named.mlir: node 'Neg_3': this layer is too negative\nnote: in pass 'example'\n"
    )


def test_several_obstacles_are_several_errors(folder: Path) -> None:
    write_pass("raise IrcError(\"node 'a' (Conv): no\\nnode 'b' (Gru): neither\")")
    result = run_opt("layer.mlir", "--load", "example.py", "-p", "example")
    assert result.err == (
        "error: layer.mlir: node 'a' (Conv): no\n"
        "error: layer.mlir: node 'b' (Gru): neither\n"
        "note: in pass 'example'\n"
    )


def test_a_pass_that_leaves_invalid_ir_is_named(folder: Path) -> None:
    write_pass('other.properties["fn"] = type(other.fn)("rleu")')
    result = run_opt("layer.mlir", "--load", "example.py", "-p", "example")
    assert result.code == 1
    assert result.err.startswith("layer.mlir:3:8: error: 'bnn.ewise': ")
    assert result.err.endswith("note: after pass 'example', which must leave valid IR\n")


def test_invalid_operations_without_a_location_are_shown(folder: Path) -> None:
    write_pass('layer.parent.insert_op_before(bnn.EwiseOp("rleu", layer.input), layer)')
    result = run_opt("layer.mlir", "--load", "example.py", "-p", "example")
    assert result.code == 1
    assert "error: layer.mlir: " in result.err
    assert "\nnote: the operation is %" in result.err
    assert "bnn.ewise" in result.err


def test_a_bug_in_a_loaded_pass_names_its_line(folder: Path) -> None:
    write_pass("layer.nothing()")
    result = run_opt("layer.mlir", "--load", "example.py", "-p", "example")
    assert result.code == 1
    assert result.err == (
        "error: layer.mlir: AttributeError: 'EwiseOp' object has no attribute 'nothing' "
        f"({folder / 'example.py'}:11)\n"
        "note: in pass 'example'\n"
        "note: IRC_DEBUG=1 shows the traceback\n"
    )


def test_traceback_on_request(folder: Path) -> None:
    write_pass("layer.nothing()")
    environment = {**os.environ, "IRC_DEBUG": "1"}
    run = opt_process(environment, "layer.mlir", "--load", "example.py", "-p", "example")
    assert run.returncode == 1
    assert "Traceback (most recent call last)" in run.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = (\n", "example.py:1:5: '(' was never closed\n  x = (\n      ^\n"),
        ("import nonesuch\n", "example.py:1: ModuleNotFoundError: No module named 'nonesuch'\n"),
        ("x = 1\n", "example.py: defines no pass: expected a class derived from ModulePass"),
        (
            "from irc.api import *\nclass P(ModulePass):\n  def apply(self, ctx, op): pass\n",
            'example.py: class P has no name; add one, as in: name = "my-pass"\n',
        ),
        (
            "from irc.api import *\nclass P(ModulePass):\n  name = 'cse'\n"
            "  def apply(self, ctx, op): pass\n",
            "example.py: pass 'cse' is already defined by xdsl; give it another name\n",
        ),
        (
            "from irc.api import *\nclass P(ModulePass):\n  name = 'p'\n"
            "  def apply(self, ctx, op): pass\n"
            "class Q(P):\n  name = 'p'\n",
            "example.py: two classes have the name 'p'\n",
        ),
    ],
)
def test_bad_files_to_load(folder: Path, text: str, message: str) -> None:
    Path("example.py").write_text(text)
    result = run_opt("layer.mlir", "--load", "example.py")
    assert result.code == 1
    assert result.out == ""
    assert message in result.err
    assert result.err.startswith("error: ")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nope.py", "error: nope.py: no such file\n"),
        ("layer.mlir", "error: layer.mlir: --load takes a Python file, with the extension .py\n"),
        ("folder.py", "error: folder.py: is a folder\n"),
    ],
)
def test_files_that_cannot_be_loaded(folder: Path, name: str, message: str) -> None:
    Path("folder.py").mkdir()
    result = run_opt("layer.mlir", "--load", name)
    assert result.code == 1
    assert result.err == message


def test_a_loaded_file_may_bring_a_dialect(folder: Path) -> None:
    Path("mine.py").write_text(
        "from xdsl.ir import Dialect\n"
        "from xdsl.irdl import IRDLOperation, irdl_op_definition\n"
        "@irdl_op_definition\n"
        "class Nop(IRDLOperation):\n"
        "    name = 'mine.nop'\n"
        "    assembly_format = 'attr-dict'\n"
        "Mine = Dialect('mine', [Nop])\n"
    )
    assert run_opt("--load", "mine.py", stdin="mine.nop").out == (
        "builtin.module {\n  mine.nop\n}\n"
    )


def install(folder: Path, entry_point: str) -> dict[str, str]:
    """Lay a package out as pip would; returns the environment in which Python finds it."""
    site = folder / "site"
    package = site / "negations"
    package.mkdir(parents=True)
    for file in (FIXTURES / "negations").glob("*.py"):
        (package / file.name).write_bytes(file.read_bytes())
    info = site / "negations-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: negations\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[xdsl.universe]\nnegations = {entry_point}\n")
    return {**os.environ, "PYTHONPATH": str(site)}


def opt_process(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "irc.tools.irc_opt", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_pass_of_an_installed_package(folder: Path) -> None:
    """Another package adds a pass through the entry point group xdsl.universe."""
    Path("twice.mlir").write_text(LAYER.replace('"relu"', '"neg"'))
    environment = install(folder, "negations.universe:NEGATIONS")
    run = opt_process(environment, "twice.mlir", "-p", "drop-double-negation")
    assert run.stderr == ""
    assert run.returncode == 0
    assert run.stdout == (
        "builtin.module {\n"
        "  func.func @layer(%x: tensor<2xf32>) -> tensor<2xf32> {\n"
        "    func.return %x : tensor<2xf32>\n"
        "  }\n"
        "}\n"
    )
    listed = opt_process(environment, "--list-passes").stdout
    assert "plugin 'negations'\n  drop-double-negation        Remove pairs of neg" in listed


@pytest.mark.parametrize(
    ("entry_point", "warning"),
    [
        ("negations.nothing:X", "plugin 'negations' left out: ModuleNotFoundError: No module"),
        ("negations.universe:DropDoubleNegation", "is not an xdsl.universe.Universe"),
        (
            "negations.universe:CLASHING",
            "left out: plugin 'negations': pass 'fold-thresholds' is already defined by irc; "
            "give it another name",
        ),
    ],
)
def test_a_broken_package_does_not_stop_the_compiler(
    folder: Path, entry_point: str, warning: str
) -> None:
    run = opt_process(install(folder, entry_point), "layer.mlir")
    assert run.returncode == 0
    assert run.stderr.startswith("warning: ")
    assert warning in run.stderr
    assert "@layer" in run.stdout


EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "one_file_pass"


def test_the_example_pass_is_short_and_its_own_test_passes() -> None:
    lines = (EXAMPLE / "my_pass.py").read_text().splitlines()
    start = lines.index("class DoubleNegation(RewritePattern):")
    assert len(lines[start:]) <= 20
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(EXAMPLE)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    assert "2 passed" in run.stdout


def test_the_example_in_the_readme_is_the_example() -> None:
    readme = (EXAMPLE.parents[1] / "README.md").read_text()
    assert f"```python\n{(EXAMPLE / 'my_pass.py').read_text()}```\n" in readme


def test_a_file_that_is_not_there_is_met_by_one_that_is(tmp_path: Path) -> None:
    (tmp_path / "my_pass.py").write_text("")
    result = run_opt("--load", tmp_path / "my_pas.py", "--list-passes")
    assert result.code == 1
    assert (
        result.err == f"error: {tmp_path / 'my_pas.py'}: no such file; did you mean 'my_pass.py'?\n"
    )
    result = run_opt("--load", tmp_path / "nowhere" / "my_pass.py", "--list-passes")
    assert result.err.endswith(f"no such file (there is no folder '{tmp_path / 'nowhere'}')\n")
