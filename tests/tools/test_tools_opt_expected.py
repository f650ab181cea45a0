"""`irc-opt --verify-diagnostics`: messages are those that comments expect, no more and no fewer."""

from __future__ import annotations

from pathlib import Path

import pytest
from opt_runner import run_opt

TELLING = """\
from irc.api import Context, ModuleOp, ModulePass, UnsupportedError, bnn, remark, warn


class Tell(ModulePass):
    '''Say something of each function of floats.'''

    name = "tell"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for inner in op.walk():
            match inner:
                case bnn.EwiseOp(fn=fn) if fn.data == "neg":
                    remark("turns 12 signs", inner.location)
                case bnn.EwiseOp(fn=fn) if fn.data == "abs":
                    warn("loses the sign", inner.location)
                case bnn.EwiseOp(fn=fn) if fn.data == "floor":
                    raise UnsupportedError("cannot round (yet)", inner.location)
                case _:
                    pass
"""


def net(*functions: str) -> str:
    """A function whose second line and those behind it apply these functions."""
    lines = ["func.func @net(%x: tensor<2xf32>) -> tensor<2xf32> {"]
    for function in functions:
        name, _, comment = function.partition(" ")
        end = f" // {comment}" if comment else ""
        if name == "//":
            lines.append(f"  // {comment}")
            continue
        lines.append(
            f'  %{len(lines)} = bnn.ewise "{name}" %x : tensor<2xf32> -> tensor<2xf32>{end}'
        )
    return "\n".join([*lines, "  func.return %x : tensor<2xf32>", "}", ""])


@pytest.fixture
def telling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Options that run a pass which says something of `neg`, `abs` and `floor`."""
    monkeypatch.chdir(tmp_path)
    Path("tell.py").write_text(TELLING)
    return ("--load", "tell.py", "-p", "tell", "--verify-diagnostics")


@pytest.mark.parametrize(
    "text",
    [
        net("neg expected-remark {{turns 12 signs}}"),
        net("relu"),
        net("neg expected-remark {{signs}}", "abs expected-warning {{the sign}}"),
        net("floor expected-error {{cannot round (yet)}}"),
        net("// expected-error@+1 {{cannot round}}", "floor"),
        net("// expected-error@+2{{cannot round}}", "relu", "floor"),
        net("floor", "// expected-error@-1 {{cannot round}}"),
        net("floor", "// expected-error@above {{cannot round}}"),
        net("// expected-error@below {{cannot round}}", "floor"),
        net(
            "// expected-remark@below {{signs}}",
            "// expected-warning@+2 {{loses}}",
            "neg",
            "abs",
        ),
        net("abs", "neg", "// expected-warning@-2 {{loses}}", "// expected-remark@above {{turns}}"),
        net("neg expected-remark-re {{turns {{[0-9]+}} signs}}"),
        net("floor expected-error-re {{round (yet)}}"),
        net(
            "// expected-note@+1 {{in pass 'tell'}}",
            "floor expected-error {{cannot}}",
        ),
        net("neg expected-remark@unknown {{signs}}").replace(" //", ' loc("Neg_1") //'),
    ],
)
def test_what_is_expected_is_no_failure(telling: tuple[str, ...], text: str) -> None:
    result = run_opt(*telling, stdin=text)
    assert result.err == ""
    assert result.code == 0


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        (net("neg"), ["<stdin>:2:8: error: unexpected remark: turns 12 signs"]),
        (net("floor"), ["<stdin>:2:8: error: unexpected error: cannot round (yet)"]),
        (
            net("relu expected-error {{cannot round}}"),
            ["<stdin>:2:64: error: expected error was not given: cannot round"],
        ),
        (
            net("floor expected-warning {{cannot round}}"),
            [
                "<stdin>:2:8: error: unexpected error: cannot round (yet)",
                "<stdin>:2:65: error: expected warning was not given: cannot round",
            ],
        ),
        (
            net("neg expected-remark {{turns 13}}"),
            [
                "<stdin>:2:8: error: unexpected remark: turns 12 signs",
                "<stdin>:2:63: error: expected remark was not given: turns 13",
            ],
        ),
        (
            net("// expected-remark@+2 {{turns}}", "neg"),
            [
                "<stdin>:3:8: error: unexpected remark: turns 12 signs",
                "<stdin>:2:6: error: expected remark was not given: turns",
            ],
        ),
        (
            # Each expectation stands for one message.
            net("// expected-remark@below {{turns}}", "// expected-remark@below {{turns}}", "neg"),
            ["<stdin>:3:6: error: expected remark was not given: turns"],
        ),
        (
            net("relu expected-eror {{x}}"),
            [
                "<stdin>:2:64: error: this expectation cannot be read; did you mean "
                "'expected-error' or 'expected-error-re'? expected something like "
                "// expected-error@+1 {{text}}"
            ],
        ),
        (
            net("relu expected-error {{x}"),
            [
                "<stdin>:2:64: error: this expectation cannot be read; expected something like "
                "// expected-error@+1 {{text}}"
            ],
        ),
        (
            net("relu expected-error-re {{a{{(}}}}"),
            [
                "<stdin>:2:64: error: not a regular expression: missing ), unterminated "
                "subpattern at position 1"
            ],
        ),
    ],
)
def test_a_mismatch_fails(telling: tuple[str, ...], text: str, messages: list[str]) -> None:
    result = run_opt(*telling, stdin=text)
    assert result.code == 1
    assert [line for line in result.err.splitlines() if " error: " in line] == messages


def test_pieces_are_checked_one_by_one_at_the_lines_of_the_file(telling: tuple[str, ...]) -> None:
    good = net("floor expected-error {{cannot round}}")
    text = f"{good}// -----\n{net('neg')}// -----\n{good}// -----\n{net('relu')}"
    Path("pieces.mlir").write_text(text)
    result = run_opt("pieces.mlir", *telling, "--split-input-file")
    assert result.code == 1
    assert result.err.startswith("pieces.mlir:7:8: error: unexpected remark: turns 12 signs\n")
    assert result.err.count("error: ") == 1
    assert result.out.count("builtin.module") == 2


def test_errors_of_the_parser_can_be_expected() -> None:
    text = net("relu expected-error {{has no operation 'bnn.ewize'}}").replace("ewise", "ewize")
    assert run_opt("--verify-diagnostics", stdin=text).code == 0


def test_warnings_and_remarks_are_printed_without_being_checked(telling: tuple[str, ...]) -> None:
    result = run_opt(*telling[:-1], stdin=net("neg", "abs"))
    assert result.code == 0
    assert [line for line in result.err.splitlines() if line.startswith("<stdin>")] == [
        "<stdin>:2:8: remark: turns 12 signs",
        "<stdin>:3:8: warning: loses the sign",
    ]


def test_a_model_has_no_comments(telling: tuple[str, ...]) -> None:
    result = run_opt("net.onnx", *telling)
    assert result.code == 2
    assert result.err == (
        "error: net.onnx: --verify-diagnostics reads comments of IR text, and this is a model\n"
    )
