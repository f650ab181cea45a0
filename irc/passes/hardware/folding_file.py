"""Folding files: written by people, or by the compiler for the folding that it used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import cast

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput, UnexpectedToken
from xdsl.dialects.builtin import FileLineColLoc, IntAttr, ModuleOp, StringAttr

from irc.dialects import dataflow
from irc.dialects.dataflow import FoldedNode, Folding
from irc.errors import IrcError
from irc.passes.hardware.design import design_of

_SYNONYMS = {"bram": "block"}
"""Other names for memories."""

_EXPECTED = 'expected layers such as: layer "fc1" { pe = 16 simd = 49 memory = block }'


@dataclass(frozen=True)
class _File:
    """A name and the text under it, for messages."""

    name: str
    text: str

    def error(self, token: Token | UnexpectedInput, message: str) -> IrcError:
        """An error at a place in the file."""
        line, column = token.line or 1, token.column or 1
        location = FileLineColLoc(StringAttr(self.name), IntAttr(line), IntAttr(column))
        return IrcError(message, location)


def read_folding(path: str) -> str:
    """The text of a folding file; raises `IrcError` where it is not text."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise IrcError(f"{path}: a folding file is UTF-8 text, and this is not") from None


def apply_folding(text: str, name: str, layers: Sequence[FoldedNode]) -> dict[str, Folding]:
    """The folding of every layer that `text` mentions, its other settings as they are; but with
    `pe` or `simd`, `mmv` is 1 unless it is given too, for it belongs to the PE that it was for.

    `name` is what messages call the file. Raises `IrcError`, with line and column, for a syntax
    error, an unknown or repeated layer, a setting that the layer lacks, and a number that does
    not divide what it folds.
    """
    file = _File(name, text)
    by_name = {layer.layer_name: layer for layer in layers}
    found: dict[str, Folding] = {}
    for block in _parse(file).children:
        assert isinstance(block, Tree)
        title, *settings = block.children
        assert isinstance(title, Token)
        layer_name = title[1:-1]
        if layer_name not in by_name:
            raise file.error(title, _unknown("layer", layer_name, list(by_name)))
        if layer_name in found:
            raise file.error(title, f"layer '{layer_name}' is folded twice")
        found[layer_name] = _fold(file, by_name[layer_name], title, settings)
    return found


def format_folding(module: ModuleOp) -> str:
    """A folding file that gives every layer of a dataflow module the folding that it has."""
    design = design_of(module)
    device = "" if design.device is None else f", for {design.device}"
    lines = [f"# {design.name}: {design.cycles()} cycles a frame{device}"]
    lines += [f'layer "{layer.layer_name}" {{ {_settings(layer)} }}' for layer in design.layers]
    return "\n".join(lines) + "\n"


def _settings(layer: FoldedNode) -> str:
    folding = layer.folding
    simd = [f"simd = {folding.simd}"] if layer.simd_choices() else []
    products = [f"products = {folding.products}"] if folding.products != "auto" else []
    mmv = [f"mmv = {folding.mmv}"] if folding.mmv > 1 else []
    memory = [f"memory = {folding.memory}"]
    stages = [] if folding.stages is None else [f"stages = {folding.stages}"]
    return " ".join([f"pe = {folding.pe}", *simd, *mmv, *memory, *products, *stages])


@cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("folding.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr")


def _parse(file: _File) -> Tree[Token]:
    try:
        return _parser().parse(file.text)  # pyright: ignore[reportUnknownMemberType]
    except UnexpectedToken as error:
        token = cast("Token", error.token)
        if token.type == "$END":
            raise file.error(error, f"the file ends too early: {_EXPECTED}") from None
        raise file.error(token, f"unexpected '{token}': {_EXPECTED}") from None
    except UnexpectedInput as error:
        character = file.text[error.pos_in_stream or 0 :][:1]
        raise file.error(error, f"unexpected '{character}': {_EXPECTED}") from None


def _fold(
    file: _File, layer: FoldedNode, title: Token, settings: Sequence[Tree[Token] | Token]
) -> Folding:
    folding = layer.folding
    values = {"pe": folding.pe, "simd": folding.simd, "mmv": folding.mmv}
    choices = {"pe": layer.pe_choices(), "simd": layer.simd_choices()}
    choices["mmv"] = layer.mmv_choices() if layer.simd_choices() else []
    choices["stages"] = layer.stage_choices()
    names = {"memory": folding.memory, "products": folding.products}
    known = {"memory": dataflow.MEMORIES, "products": layer.product_choices()}
    seen: set[str] = set()
    for setting in settings:
        assert isinstance(setting, Tree)
        key, value = setting.children
        assert isinstance(key, Token)
        assert isinstance(value, Token)
        if key in seen:
            raise file.error(key, f"'{key}' is set twice for layer '{layer.layer_name}'")
        seen.add(str(key))
        if key in names:
            names[str(key)] = _choice(file, layer, key, value, known[str(key)])
        elif key not in choices:
            raise file.error(key, _unknown("setting", str(key), [*values, "stages", *names]))
        else:
            values[str(key)] = _number(file, layer, key, value, choices[str(key)])
    if "mmv" not in seen and seen & {"pe", "simd"}:
        values["mmv"] = 1
    folding = Folding(
        values["pe"],
        values["simd"],
        names["memory"],
        names["products"],
        values["mmv"],
        values.get("stages", folding.stages),
    )
    problem = layer.unfit(folding)
    if problem is not None:
        raise file.error(title, f"layer '{layer.layer_name}': {problem}")
    return folding


def _choice(
    file: _File, layer: FoldedNode, key: Token, value: Token, choices: Sequence[str]
) -> str:
    if not choices:
        raise file.error(key, f"layer '{layer.layer_name}' has no {key}: only pe folds it")
    name = _SYNONYMS.get(str(value), str(value))
    if name not in choices:
        raise file.error(value, _unknown(str(key), str(value), [*choices]))
    return name


def _number(file: _File, layer: FoldedNode, key: Token, value: Token, choices: list[int]) -> int:
    if not choices:
        raise file.error(key, f"layer '{layer.layer_name}' has no {key}: only pe folds it")
    if value.type != "NUMBER":
        raise file.error(value, f"'{key}' is a number, not '{value}'")
    # As text first: Python refuses to read numbers of thousands of digits.
    digits = value.lstrip("0") or "0"
    if key == "stages" and digits not in map(str, choices):
        raise file.error(value, f"stages = {value} is not from {choices[0]} to {choices[-1]}")
    if digits not in map(str, choices):
        raise file.error(
            value,
            f"{key} = {value} does not divide layer '{layer.layer_name}'; "
            f"possible are {', '.join(map(str, choices))}",
        )
    return int(value)


def _unknown(what: str, name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean '{close[0]}'?" if close else f"there are {', '.join(known)}"
    return f"unknown {what} '{name}'; {hint}"
