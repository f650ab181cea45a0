"""How errors are put into words, apart from any one tool."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from xdsl.dialects.builtin import (
    FileLineColLoc,
    FusedLoc,
    IntAttr,
    LocationAttr,
    NameLoc,
    NoneAttr,
    StringAttr,
)

from irc.diagnostics import Diagnostic, diagnose, excerpt, report
from irc.errors import IrcError, UnsupportedError, UsageError
from irc.main_guard import main_guard


def at(file: str, line: int, column: int) -> FileLineColLoc:
    return FileLineColLoc(StringAttr(file), IntAttr(line), IntAttr(column))


def node(name: str, place: LocationAttr | None = None) -> NameLoc:
    return NameLoc(StringAttr(name), place or NoneAttr())


def text_of(error: BaseException, name: str | None = None, source: str | None = None) -> str:
    stream = io.StringIO()
    report(error, name, source, stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (IrcError("no"), 1),
        (UnsupportedError("no"), 1),
        (UsageError("no"), 2),
        (KeyboardInterrupt(), 130),
        (ValueError("no"), 1),
    ],
)
def test_exit_codes(error: BaseException, code: int) -> None:
    assert report(error, stream=io.StringIO()) == code


def test_excerpt_of_a_long_line_shows_the_part_that_matters() -> None:
    line = "a" * 5000 + "WRONG" + "b" * 5000
    shown, carets = excerpt(line, 5001, 5)
    assert len(shown) < 120
    start = carets.index("^")
    assert shown[start : start + 5] == "WRONG"
    assert carets.strip() == "^" * 5
    assert shown.strip().startswith("…")
    assert shown.endswith("…")


def test_tabs_do_not_move_the_caret() -> None:
    assert excerpt("\tx = y", 6, 1) == ["   x = y", "       ^"]


def test_place_in_a_text_that_is_no_file() -> None:
    error = IrcError("odd", at("<stdin>", 2, 3))
    assert text_of(error, "<stdin>", "one\ntwo three\n") == (
        "<stdin>:2:3: error: odd\n  two three\n    ^\n"
    )


def test_place_in_a_file_that_is_gone() -> None:
    assert text_of(IrcError("odd", at("gone.mlir", 7, 1))) == "gone.mlir:7:1: error: odd\n"


def test_place_in_another_file_than_the_one_read(tmp_path: Path) -> None:
    other = tmp_path / "other.mlir"
    other.write_text("first\nsecond\n")
    error = IrcError("odd", at(str(other), 2, 1))
    assert text_of(error, "net.mlir", "text") == f"{other}:2:1: error: odd\n  second\n  ^^^^^^\n"


def test_node_of_a_model_is_named_once() -> None:
    assert text_of(IrcError("dilation 2", node("conv2")), "net.onnx") == (
        "error: net.onnx: node 'conv2': dilation 2\n"
    )
    complete = "net.onnx: node 'conv2' (Conv): dilation 2"
    assert text_of(IrcError(complete, node("conv2")), "net.onnx") == f"error: {complete}\n"


def test_all_nodes_of_a_fused_location_are_named() -> None:
    location = FusedLoc((node("add"), node("mul"), node("add")), NoneAttr())
    assert text_of(IrcError("odd", location), "net.onnx") == (
        "error: net.onnx: node 'add+mul': odd\n"
    )


def test_system_errors_name_the_file() -> None:
    error = PermissionError(13, "Permission denied", "secret.onnx")
    assert text_of(error) == "error: secret.onnx: Permission denied\n"


def test_running_out_of_memory_or_stack_is_told_in_words() -> None:
    assert text_of(MemoryError(), "net.onnx") == "error: net.onnx: not enough memory\n"
    assert "nested too deeply" in text_of(RecursionError("maximum recursion depth"), "a.mlir")


def test_bugs_of_ours_ask_for_a_report(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> int:
        # The innermost code of ours on the stack decides whose bug it is.
        return main_guard(None)  # pyright: ignore[reportArgumentType]

    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    assert broken() == 1
    lines = stream.getvalue().splitlines()
    assert lines[0].startswith(
        "error: internal error: TypeError: 'NoneType' object is not callable"
    )
    assert "(irc/main_guard.py:" in lines[0]
    assert lines[1:] == [
        "note: this is a bug in irc: please report it with the input and the command",
        "note: IRC_DEBUG=1 shows the traceback",
    ]


def test_main_guard_returns_what_the_tool_returns() -> None:
    assert main_guard(lambda: 7) == 7

    def leave() -> int:
        raise SystemExit(2)

    assert main_guard(leave) == 2


def test_colours_only_where_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal = Terminal()
    report(IrcError("odd"), stream=terminal)
    assert terminal.getvalue() == "\033[1;31merror:\033[0m odd\n"
    monkeypatch.setenv("NO_COLOR", "1")
    plain = Terminal()
    report(IrcError("odd"), stream=plain)
    assert plain.getvalue() == "error: odd\n"


def test_notes_of_one_line_are_shown_and_dumps_are_not() -> None:
    error = IrcError("odd")
    error.add_note("in pass 'x'")
    error.add_note("a whole\nmodule\n")
    assert diagnose(error) == Diagnostic("odd", notes=["in pass 'x'"])
