"""Damage to texts: of their lines, their tokens and their characters."""

from __future__ import annotations

import re
from collections.abc import Sequence

from irc.fuzz.networks.choices import Choices

MAX_EDITS = 3

_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|[\w.$-]+|\s+|[^\w\s]')

NUMBERS = (
    "0", "1", "-1", "2", "7", "255", "256", "2147483647", "2147483648", "-2147483648",
    "9223372036854775807", "9223372036854775808", "-9223372036854775809", "1000000",
    "123456789012345678901234567890", "1e400", "-0.0", "nan", "inf", "0x7fc00000", "1.5", "?",
)  # fmt: skip
"""What numbers are replaced by."""

WORDS = (
    "", " ", "\n", '"', "'", "{", "}", "(", ")", "[", "]", "<", ">", "=", ",", ":", "%", "@",
    "^bb0", "!", "#", "/*", "//", "\\", "loc(unknown)", "f32", "f64", "i1", "i64", "si8", "ui4",
    "index", "none", "tensor<*xf32>", "tensor<?x3xf32>", "tensor<0xf32>", "tensor<4x4xui2>", "unit",
    "true", "!bnn.bipolar", "!onnx.unknown", "dense<1>", "array<i64: 1>", "[]", "{}", "<>",
    "() -> ()",
)  # fmt: skip

CHARACTERS = ("\0", "\t", "\r", "é", "\u202e", "\ufeff", "\U0001f600", '"', "\\", "%", "<", "0")

_DEEP = ("(", "[", "{", "<", "tensor<", "!onnx.seq<", "[[", "builtin.module {", '"a.b"() ({')
_DEPTHS = (50, 3000, 40_000)

_EDITS = ("line", "line", "token", "token", "token", "number", "number", "character", "nest")


def mutate_text(choices: Choices, text: str, others: Sequence[str] = ()) -> str:
    """The same with one to `MAX_EDITS` edits; lines may come from `others`, texts of the kind."""
    for _ in range(choices.integer(1, MAX_EDITS)):
        match choices.pick(_EDITS):
            case "line":
                text = _edit_lines(choices, text, others)
            case "token":
                text = _edit_tokens(choices, text)
            case "number":
                text = _edit_number(choices, text)
            case "character":
                text = _edit_characters(choices, text)
            case _:
                text = _nest(choices, text)
    return text


def _edit_lines(choices: Choices, text: str, others: Sequence[str]) -> str:
    lines = text.split("\n")
    at = choices.integer(0, len(lines) - 1)
    match choices.pick(("delete", "repeat", "swap", "move", "borrow", "cut")):
        case "delete":
            del lines[at]
        case "repeat":
            lines[at:at] = [lines[at]] * choices.pick((1, 2, 30))
        case "swap":
            to = choices.integer(0, len(lines) - 1)
            lines[at], lines[to] = lines[to], lines[at]
        case "move":
            line = lines.pop(at)
            lines.insert(choices.integer(0, len(lines)), line)
        case "borrow" if others:
            lent = choices.pick(others).split("\n")
            lines.insert(at, lent[choices.integer(0, len(lent) - 1)])
        case _:
            del lines[at:]
    return "\n".join(lines)


def _edit_tokens(choices: Choices, text: str) -> str:
    tokens = _TOKEN.findall(text)
    solid = [index for index, token in enumerate(tokens) if not token.isspace()]
    if not solid:
        return choices.pick(WORDS)
    at = choices.pick(solid)
    match choices.pick(("delete", "repeat", "swap", "copy", "word", "word")):
        case "delete":
            del tokens[at]
        case "repeat":
            tokens.insert(at, tokens[at])
        case "swap":
            to = choices.pick(solid)
            tokens[at], tokens[to] = tokens[to], tokens[at]
        case "copy":
            tokens[at] = tokens[choices.pick(solid)]
        case _:
            tokens[at] = choices.pick(WORDS)
    return "".join(tokens)


def _edit_number(choices: Choices, text: str) -> str:
    found = list(re.finditer(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?", text))
    if not found:
        return text + choices.pick(NUMBERS)
    chosen = choices.pick(found)
    new = choices.pick(NUMBERS)
    if choices.pick((False, True)) and chosen[0].lstrip("-").isdigit():
        new = str(int(chosen[0]) + choices.pick((1, -1)))
    return text[: chosen.start()] + new + text[chosen.end() :]


def _edit_characters(choices: Choices, text: str) -> str:
    if not text:
        return choices.pick(CHARACTERS)
    at = choices.integer(0, len(text) - 1)
    match choices.pick(("delete", "replace", "insert", "cut")):
        case "delete":
            return text[:at] + text[at + 1 :]
        case "replace":
            return text[:at] + choices.pick(CHARACTERS) + text[at + 1 :]
        case "insert":
            return text[:at] + choices.pick(CHARACTERS) + text[at:]
        case _:
            return text[:at]


def _nest(choices: Choices, text: str) -> str:
    """Something opened many times where some token begins."""
    starts = [match.start() for match in _TOKEN.finditer(text)] or [0]
    at = choices.pick(starts)
    return text[:at] + choices.pick(_DEEP) * choices.pick(_DEPTHS) + text[at:]
