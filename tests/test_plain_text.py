"""Names that others chose are text and nothing else, wherever they are shown."""

from __future__ import annotations

import pytest

from irc.diagnostics import diagnose
from irc.errors import IrcError
from irc.plain_text import MAX_NAME, comment_line, markdown, one_line, visible


def test_one_line() -> None:
    assert one_line(" a\n\tb\0c\u202ed ") == "a b c d"
    assert one_line("é漢") == "é漢"
    assert len(one_line("x" * 10_000)) == MAX_NAME


@pytest.mark.parametrize("text", ["*/", "/*", "*/*/", "/*/", "??/", "???", "**//**"])
def test_comments_do_not_end(text: str) -> None:
    line = comment_line(text)
    assert not any(mark in line for mark in ("*/", "/*", "??"))
    assert line.replace(" ", "") == text


def test_markup_is_escaped() -> None:
    assert markdown("<a>|`*[x](y)") == "\\<a\\>\\|\\`\\*\\[x\\](y)"
    assert markdown("fc1_2-a.b") == "fc1_2-a.b"


def test_terminals_get_no_orders() -> None:
    assert visible("a\x1b[2J\nb\u202e") == "a\\x1b[2J\nb\\u202e"
    shown = diagnose(IrcError("node '\x1b]0;title\x07': no"), "net\x1b.onnx").render(colour=True)
    assert "\x1b]" not in shown
    assert "\x07" not in shown
