"""Every .mlir file under tests/, examples/ and irc/ does what its RUN and CHECK lines say.

A RUN line is what one could type in a shell, of the commands `irc-opt` and `filecheck`, with
pipes, `not` in front of what must fail, `2>&1`, and `%s` (the file), `%S` (its folder) and `%t`
(a scratch file). Everything runs in this process: a file takes milliseconds.
"""

from __future__ import annotations

import io
import re
import shlex
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest
from filecheck.finput import FInput
from filecheck.matcher import Matcher
from filecheck.options import parse_argv_options
from filecheck.parser import Parser as CheckParser

from irc.tools import irc_opt

ROOT = Path(__file__).resolve().parents[1]

PACKAGE = ROOT / "examples" / "custom_pass"
"""A package of its own, whose files want it installed: test_examples_custom_pass.py runs them."""

FINDINGS = ROOT / "tests" / "fuzz_findings"
"""Texts that once broke a reader; another test reads them."""

FILES = sorted(
    path
    for folder in ("tests", "examples", "irc")
    for path in (ROOT / folder).rglob("*.mlir")
    if not {PACKAGE, FINDINGS} & set(path.parents)
)

RUN_LINE = re.compile(r"^\s*//\s*RUN:\s*(.*)$", re.MULTILINE)


@dataclass
class Outcome:
    """What a command gave to the next one in the pipe."""

    code: int
    output: str
    errors: str


def run_lines(text: str) -> list[str]:
    """The RUN lines of a file; a final backslash continues in the next one."""
    lines: list[str] = []
    continued = False
    for line in RUN_LINE.findall(text):
        line = line.rstrip()
        part = line.removesuffix("\\")
        if continued:
            lines[-1] += part
        else:
            lines.append(part)
        continued = line.endswith("\\")
    return lines


def run_pipe(line: str, path: Path, scratch: Path) -> None:
    """Run one RUN line; raises `AssertionError` for a command that fails, or wrongly succeeds."""
    given = ""
    for command in split_pipe(line):
        words = [
            word.replace("%s", str(path))
            .replace("%S", str(path.parent))
            .replace("%t", str(scratch / path.stem))
            for word in shlex.split(command)
        ]
        given = run_command(words, given, line)


def split_pipe(line: str) -> list[str]:
    """Split at the bars that stand outside quotes."""
    parts = re.findall(r"""(?:[^|'"]|'[^']*'|"[^"]*")+""", line)
    return [part.strip() for part in parts]


def run_command(words: list[str], given: str, line: str) -> str:
    """Run a command of a pipe on the text `given`; returns what it passes on."""
    negated = words[0] == "not"
    if negated:
        words = words[1:]
    merged = "2>&1" in words
    words = [word for word in words if word != "2>&1"]
    commands = {"irc-opt": run_irc_opt, "filecheck": run_filecheck}
    assert words[0] in commands, f"RUN: {line}\nonly {', '.join(commands)} can be used"
    outcome = commands[words[0]](words[1:], given)
    assert "Traceback" not in outcome.errors, f"RUN: {line}\n{outcome.errors}"
    if (outcome.code != 0) != negated:
        verb = "succeeded" if outcome.code == 0 else f"failed with {outcome.code}"
        pytest.fail(f"RUN: {line}\n{words[0]} {verb}\n{outcome.errors}{outcome.output}")
    return outcome.errors + outcome.output if merged else outcome.output


def run_irc_opt(arguments: list[str], given: str) -> Outcome:
    """`irc-opt` on standard input `given`."""
    output, errors = io.StringIO(), io.StringIO()
    stdin = sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(given.encode()), encoding="utf-8")
    try:
        with redirect_stdout(output), redirect_stderr(errors):
            code = irc_opt.main(arguments)
    finally:
        sys.stdin = stdin
    return Outcome(code, output.getvalue(), errors.getvalue())


def run_filecheck(arguments: list[str], given: str) -> Outcome:
    """`filecheck` of the text `given`."""
    options = parse_argv_options(["filecheck", *arguments])
    matcher = Matcher(options, FInput("<output>", given), CheckParser.from_opts(options))
    errors = io.StringIO()
    matcher.stderr = errors
    code = matcher.run()
    return Outcome(code, f"--- the output was:\n{given}", errors.getvalue())


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_mlir_file(path: Path, tmp_path: Path) -> None:
    lines = run_lines(path.read_text(encoding="utf-8"))
    assert lines, f"{path} has no RUN line"
    for line in lines:
        run_pipe(line, path, tmp_path)


LAYER = """
func.func @f(%x: tensor<2xf32>) -> tensor<2xf32> {
  func.return %x : tensor<2xf32>
}
"""


@pytest.mark.parametrize(
    ("run", "check", "passes"),
    [
        ("irc-opt %s | filecheck %s", "CHECK: @f", True),
        ("irc-opt %s | filecheck %s", "CHECK: @g", False),
        ("irc-opt %s | irc-opt | filecheck %s", "CHECK: @f", True),
        ("irc-opt %s | filecheck %s --check-prefix=HERE", "HERE: @f", True),
        ("irc-opt %s -p no-such-pass | filecheck %s", "CHECK: @f", False),
        ("not irc-opt %s -p no-such-pass 2>&1 | filecheck %s", "CHECK: unknown pass", True),
        ("not irc-opt %s | filecheck %s", "CHECK: @f", False),
        ("irc-opt %s \\\n// RUN:   -p cse | filecheck %s", "CHECK: @f", True),
        ("rm %s", "CHECK: @f", False),
    ],
)
def test_the_runner_tells_right_from_wrong(
    run: str, check: str, passes: bool, tmp_path: Path
) -> None:
    file = tmp_path / "sample.mlir"
    file.write_text(f"// RUN: {run}\n// {check}\n{LAYER}", encoding="utf-8")
    (line,) = run_lines(file.read_text(encoding="utf-8"))
    if passes:
        run_pipe(line, file, tmp_path)
    else:
        with pytest.raises((AssertionError, pytest.fail.Exception)):
            run_pipe(line, file, tmp_path)
