"""`irc-opt --print-ir-…`: before and after which passes IR is printed, and what of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from opt_runner import LAYER, run_opt

TWICE = LAYER.replace('%1 = bnn.ewise "relu" %0', '%1 = bnn.ewise "neg" %x')
"""Two equal operations, which `cse` merges."""

PASSES = ("-p", "cse,dce,canonicalize")

FAILING = """\
from xdsl.dialects.builtin import StringAttr

from irc.api import Context, IrcError, ModuleOp, ModulePass, bnn


class HalfDone(ModulePass):
    '''Change something, then fail.'''

    name = "half-done"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for inner in op.walk():
            if isinstance(inner, bnn.EwiseOp):
                inner.properties["fn"] = StringAttr("floor")
                raise IrcError("enough", inner.location)
"""


def titles(err: str) -> list[str]:
    """What the headings say, one after the other."""
    return re.findall(r"^// ----- (.*) ----- //$", err, re.MULTILINE)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--print-ir-before-all"], ["before cse", "before dce", "before canonicalize"]),
        (["--print-ir-after-all"], ["after cse", "after dce", "after canonicalize"]),
        (["--print-ir-before=dce"], ["before dce"]),
        (["--print-ir-after", "dce"], ["after dce"]),
        (
            ["--print-ir-before=dce", "--print-ir-after=cse", "--print-ir-after=dce"],
            ["after cse", "before dce", "after dce"],
        ),
    ],
)
def test_passes_are_chosen(options: list[str], expected: list[str]) -> None:
    result = run_opt(*PASSES, *options, stdin=TWICE)
    assert titles(result.err) == [f"IR {title}" for title in expected]
    assert result.err.count("builtin.module") == len(expected)
    assert result.out.count("builtin.module") == 1


def test_what_is_printed_is_the_ir_at_that_time() -> None:
    err = run_opt(*PASSES, "--print-ir-before=cse", "--print-ir-after=cse", stdin=TWICE).err
    before, after = err.split("// ----- IR after cse ----- //\n")
    assert (before.count('"neg"'), after.count('"neg"')) == (2, 1)
    assert run_opt(stdin=after).code == 0


def test_after_change_shows_the_ir_and_the_change_as_comments() -> None:
    err = run_opt(*PASSES, "--print-ir-after-change", stdin=TWICE).err
    assert titles(err) == ["IR after cse", "no change by dce", "no change by canonicalize"]
    assert '// -    %1 = bnn.ewise "neg" %x' in err
    assert "// +    func.return %0" in err
    # All but the module is comments.
    assert run_opt(stdin=err).out == run_opt(*PASSES, stdin=TWICE).out


def test_after_change_of_chosen_passes() -> None:
    options = ("--print-ir-after-change", "--print-ir-after=dce")
    assert titles(run_opt(*PASSES, *options, stdin=TWICE).err) == ["no change by dce"]


def test_a_diff_shows_only_the_change() -> None:
    err = run_opt("-p", "dce", "--print-ir-diff", stdin=TWICE).err
    assert err.startswith("// ----- change by dce ----- //\n@@")
    changes = [line[0] + line[5:] for line in err.splitlines() if line[0] in "+-"]
    assert changes == [
        '-%1 = bnn.ewise "neg" %x : tensor<2xf32> -> tensor<2xf32>',
        "-func.return %1 : tensor<2xf32>",
        "+func.return %0 : tensor<2xf32>",
    ]


def test_after_failure_shows_what_the_pass_left(tmp_path: Path) -> None:
    file = tmp_path / "half_done.py"
    file.write_text(FAILING)
    options = ("--load", file, "-p", "cse,half-done,dce", "--print-ir-after-failure")
    result = run_opt(*options, stdin=LAYER)
    assert result.code == 1
    assert titles(result.err) == ["IR after half-done failed"]
    assert '"floor" %x' in result.err
    assert result.err.index('"floor"') < result.err.index("error: enough")
    assert titles(run_opt(*PASSES, "--print-ir-after-failure", stdin=LAYER).err) == []


LARGE = (
    "func.func @f(%x: tensor<64xf32>) -> tensor<64xf32> {\n"
    f'  %0 = bnn.ewise "add" %x, <tensor<64xf32>, "0x{"00" * 255}3f"> '
    ": tensor<64xf32> -> tensor<64xf32>\n"
    '  %1 = bnn.ewise "neg" %0 : tensor<64xf32> -> tensor<64xf32>\n'
    "  func.return %0 : tensor<64xf32>\n}\n"
)


def test_long_constants_are_cut_in_what_is_watched_and_whole_in_the_result() -> None:
    constant = "00" * 255
    options = ("-p", "dce", "--print-ir-after-all", "--print-ir-diff")
    result = run_opt(*options, stdin=LARGE)
    assert constant in result.out
    assert constant not in result.err
    assert "…" in result.err
    cut = run_opt(*options, "--elide-large-constants", stdin=LARGE)
    assert constant not in cut.out + cut.err
    assert (
        run_opt("--elide-constants", stdin=LARGE).out
        == run_opt("--elide-large-constants", stdin=LARGE).out
    )
    whole = run_opt(*options[:3], "--no-elide-large-constants", stdin=LARGE)
    assert constant in whole.out
    assert constant in whole.err


def test_a_change_where_constants_are_cut_is_still_a_change(tmp_path: Path) -> None:
    file = tmp_path / "last_byte.py"
    file.write_text(
        "from irc.api import Context, ModuleOp, ModulePass, bnn\n\n\n"
        "class LastByte(ModulePass):\n"
        "    '''Change the last but one element of a constant.'''\n\n"
        "    name = 'last-byte'\n\n"
        "    def apply(self, ctx: Context, op: ModuleOp) -> None:\n"
        "        for inner in op.walk():\n"
        "            if isinstance(inner, bnn.EwiseOp) and inner.constant is not None:\n"
        "                values = inner.constant.numpy().copy()\n"
        "                values[-2] = 1.0\n"
        "                kind = inner.constant.type.element_type\n"
        "                changed = bnn.DenseAttr.from_numpy(values, kind)\n"
        "                inner.properties['constant'] = changed\n"
    )
    result = run_opt("--load", file, "-p", "last-byte", "--print-ir-diff", stdin=LARGE)
    assert result.code == 0, result.err
    assert titles(result.err) == ["change by last-byte"]
    assert "only constants differ, where they are cut short" in result.err


def test_a_pass_that_does_not_exist_is_told_at_once() -> None:
    result = run_opt(*PASSES, "--print-ir-after=foldthresholds", stdin=TWICE)
    assert (result.code, result.out) == (2, "")
    assert "unknown pass 'foldthresholds'; did you mean 'fold-thresholds'?" in result.err


def test_a_pass_that_does_not_run_is_told() -> None:
    err = run_opt("-p", "dce", "--print-ir-after=cse", stdin=TWICE).err
    assert err == "warning: nothing to print for 'cse', which does not run\n"
