"""Names that others chose, as text that nothing takes for more than text.

A model may call its nodes anything: with line ends, control sequences for terminals, characters
that change the direction of writing, ends of comments, a hundred thousand letters. Whoever puts
such a name into a message, a comment or a page passes it through one of these.
"""

from __future__ import annotations

import re

MAX_NAME = 120
"""Characters of a name that are shown."""

_COMMENT = re.compile(r"\*(?=/)|/(?=\*)|\?(?=\?)")
_LONG_WORD = re.compile(r"\S{500,}")
_MARKUP = re.compile(r"([\\`*\[\]|<>#~$])")


def one_line(text: str, limit: int = MAX_NAME) -> str:
    """The text without line ends, runs of blanks and characters that are not to be seen; long ones
    are cut."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text[: 4 * limit])
    words = " ".join(shown.split())
    return words if len(words) <= limit else f"{words[: limit - 1]}…"


def visible(text: str) -> str:
    """The same text, of several lines too, with escapes for what a terminal would act on, and
    without the end of words of hundreds of letters."""
    short = _LONG_WORD.sub(lambda match: f"{match[0][:MAX_NAME]}…", text)
    return "".join(
        letter if letter.isprintable() or letter in "\n\t" else _escaped(letter) for letter in short
    )


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape", "surrogatepass").decode("ascii")


def comment_line(text: str) -> str:
    """A line for the inside of a comment of C or Verilog, which it neither ends nor opens anew;
    trigraphs, which may stand for a backslash, are taken apart too."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    return _COMMENT.sub(lambda match: f"{match[0]} ", line)


def markdown(text: str) -> str:
    """One line for a page of Markdown or a cell of a table there: neither markup nor HTML."""
    return _MARKUP.sub(r"\\\1", one_line(text))
