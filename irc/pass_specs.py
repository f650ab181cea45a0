"""From a pipeline's text, such as `a{x=1 y=2},b`, to passes with their options checked."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from xdsl.passes import ModulePass
from xdsl.utils.arg_spec import ArgSpec, ArgSpecConvertible, parse_pipeline, parse_spec
from xdsl.utils.exceptions import ArgSpecParseError

from irc.errors import UsageError
from irc.near_misses import did_you_mean
from irc.pipelines import pipeline_named, pipeline_names
from irc.universe import Registry

SpecT = TypeVar("SpecT", bound=ArgSpecConvertible)


def build_passes(
    registry: Registry, text: str, settings: Mapping[str, ArgSpec] | None = None
) -> list[ModulePass]:
    """The passes of a pipeline text such as `a{x=1 y=2},b`; raises `UsageError`.

    A named pipeline may stand where a pass can. `settings` gives options to passes by name,
    which win over the text's own.
    """
    passes: list[ModulePass] = []
    for spec in parse_specs(text):
        if (pipeline := pipeline_named(spec.name)) is not None:
            if spec.parameters:
                raise UsageError(
                    f"pipeline '{spec.name}' takes no options; give them to one of its passes "
                    "with '--with PASS{OPTION=VALUE}'"
                )
            for step in pipeline.steps:
                passes += build_passes(registry, step.spec, settings)
            continue
        if settings and spec.name in settings:
            merged = {**_normalised(spec), **_normalised(settings[spec.name])}
            spec = ArgSpec(spec.name, merged)
        passes.append(build_pass(registry, spec))
    return passes


def build_pass(registry: Registry, spec: ArgSpec) -> ModulePass:
    """One pass with its options checked; raises `UsageError` that says what would be right."""
    if spec.name not in registry.passes:
        known = [*registry.passes, *pipeline_names()]
        raise UsageError(
            f"unknown pass '{spec.name}'{did_you_mean(spec.name, known)} (--list-passes names all)"
        )
    return configure(registry.passes[spec.name](), spec, "pass")


def _normalised(spec: ArgSpec) -> dict[str, Any]:
    return dict(spec.normalize_parameter_names().parameters)


def configure(cls: type[SpecT], spec: ArgSpec, kind: str) -> SpecT:
    """An instance of a pass or target class from its spec; raises `UsageError`."""
    given = _normalised(spec)
    options = {field.name: field for field in dataclasses.fields(cls) if field.init}
    options.pop("name", None)
    if "name" in given and "prefix" in options:
        # No field can be called `name`, for that is what the class itself goes by.
        given["prefix"] = given.pop("name")
        spec = ArgSpec(spec.name, given)
    for name in given:
        if name not in options:
            hint = did_you_mean(name, [known.replace("_", "-") for known in options])
            raise UsageError(
                f"{kind} '{cls.name}' has no option '{name.replace('_', '-')}'{hint}\n"
                f"{_known_options(cls)}"
            )
    missing = sorted(cls.required_fields() - set(given))
    if missing:
        raise UsageError(
            f"{kind} '{cls.name}' needs option '{missing[0].replace('_', '-')}'\n"
            f"{_known_options(cls)}"
        )
    try:
        return cls.from_spec(ArgSpec(spec.name, given))
    except ValueError as error:
        for name, value in given.items():
            if f"given {value}," in str(error) or (not value and "contain a value" in str(error)):
                raise UsageError(_wrong_type(cls, kind, name, value)) from None
        raise UsageError(f"{kind} '{cls.name}': {error}") from None


def _wrong_type(cls: type[ArgSpecConvertible], kind: str, name: str, value: Any) -> str:
    expected = type_text(get_type_hints(cls)[name])
    shown = ",".join(str(item) for item in value)
    what = f"'{shown}'" if value else "no value"
    return f"{kind} '{cls.name}': option '{name.replace('_', '-')}' expects {expected}, not {what}"


def _known_options(cls: type[ArgSpecConvertible]) -> str:
    lines = option_lines(cls)
    if not lines:
        return "it takes no options"
    return "its options are:\n" + "\n".join(f"  {line}" for line in lines)


@dataclass(frozen=True)
class Option:
    """An option of a pass or target, as a user sees it."""

    name: str
    field: str
    """The field of the class that holds it."""
    type: str
    default: str | None
    is_required: bool


def options_of(cls: type[ArgSpecConvertible]) -> list[Option]:
    """The options of a pass or target class, in their order."""
    hints = get_type_hints(cls)
    return [
        Option(
            option.name.replace("_", "-"),
            option.name,
            type_text(hints[option.name]),
            _default_text(option.default),
            option.name in cls.required_fields(),
        )
        for option in dataclasses.fields(cls)
        if option.init and option.name != "name"
    ]


def _default_text(default: Any) -> str | None:
    if default is dataclasses.MISSING or default in (None, ()):
        return None
    return str(default).lower() if isinstance(default, bool) else str(default)


def option_lines(cls: type[ArgSpecConvertible]) -> list[str]:
    """`name: type = default`, one line for each option of a pass or target."""
    return [
        f"{option.name}: {option.type}"
        + (f" = {option.default}" if option.default is not None else "")
        + (" (required)" if option.is_required else "")
        for option in options_of(cls)
    ]


_TYPE_NAMES = {int: "an integer", float: "a number", bool: "true or false", str: "a string"}


def type_text(hint: Any) -> str:
    """A field's type in words: what a user has to write."""
    if hint in _TYPE_NAMES:
        return _TYPE_NAMES[hint]
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        parts = [type_text(part) for part in arguments if part is not type(None)]
        return " or ".join(dict.fromkeys(parts))
    if origin is tuple and len(arguments) == 2 and arguments[1] is ...:
        return f"{type_text(arguments[0])}, or several separated by commas"
    if origin is not None and getattr(origin, "__name__", str(origin)) == "Literal":
        return " or ".join(f"'{value}'" for value in arguments)
    return getattr(hint, "__name__", str(hint))


_QUOTED = re.compile(r'("(?:\\.|[^"\\])*")')


def _tidy(text: str) -> str:
    """Allow white space where a person puts it: after commas and braces, around `=`."""
    parts = _QUOTED.split(text.strip())
    for index in range(0, len(parts), 2):
        part = re.sub(r"\s*([,=])\s*", r"\1", parts[index])
        parts[index] = re.sub(r"\s*\{\s*", "{", re.sub(r"\s+\}", "}", part))
    return "".join(parts).strip(",")


def parse_specs(text: str) -> list[ArgSpec]:
    """The passes of a pipeline text, by name and options; raises `UsageError` with a caret."""
    text = _tidy(text)
    try:
        return list(parse_pipeline(text))
    except ArgSpecParseError as error:
        raise UsageError(_syntax_message("pipeline", text, error)) from None


def parse_one_spec(text: str, kind: str) -> ArgSpec:
    """One name with its options in braces; raises `UsageError` with a caret."""
    text = _tidy(text)
    try:
        return parse_spec(text)
    except ArgSpecParseError as error:
        raise UsageError(_syntax_message(kind, text, error)) from None


def _syntax_message(kind: str, text: str, error: ArgSpecParseError) -> str:
    # xDSL gives text only: a headline, the position, the line, a caret line, the message.
    lines = str(error).splitlines()
    caret = next((line for line in lines if line.strip() and not line.strip(" ^")), "^")
    message = lines[-1].strip()
    return (
        f"{kind}: {message[:1].lower()}{message[1:]}\n  {text}\n  {caret}\n"
        "expected NAME or NAME{OPTION=VALUE OPTION=VALUE}, passes separated by commas"
    )
