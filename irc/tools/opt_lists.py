"""`irc-opt --list-passes` and the other lists."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

from irc.pass_specs import option_lines
from irc.pipelines import HALVES, PIPELINES, Step
from irc.universe import PASSES, Registry


def own_docstring(value: type) -> str:
    """The docstring of a class; empty where it has none of its own."""
    text = inspect.cleandoc(value.__dict__.get("__doc__") or "")
    # A dataclass without a docstring gets its signature for one.
    return "" if text.startswith(f"{value.__name__}(") else text


def describe(value: type) -> str:
    """The first sentence of a class's docstring; empty where it has none of its own."""
    sentence = " ".join(own_docstring(value).split("\n\n", 1)[0].split())
    end = sentence.find(". ")
    return sentence if end < 0 else sentence[: end + 1]


def _columns(rows: list[tuple[str, str]], indent: str) -> list[str]:
    width = max((len(name) for name, _ in rows), default=0)
    return [f"{indent}{name:<{width}}  {text}".rstrip() for name, text in rows]


def list_passes(registry: Registry) -> str:
    """Every pass: ours first, by group, then loaded ones and plugins, then xDSL's."""
    groups: dict[str, list[str]] = {}
    for name, origin in registry.origin.items():
        groups.setdefault(_group(name, origin), []).append(name)
    blocks: list[str] = []
    for group in sorted(groups, key=_group_order):
        names = groups[group] if group.startswith("irc: ") else sorted(groups[group])
        blocks.append("\n".join([f"{group}", *_pass_lines(registry, names)]))
    return "\n\n".join(blocks) + "\n"


def _group(name: str, origin: str) -> str:
    if origin == "irc":
        return f"irc: {PASSES[name].split('.')[2]}"
    return origin


def _group_order(group: str) -> int:
    return 0 if group.startswith("irc: ") else 2 if group == "xdsl" else 1


def _pass_lines(registry: Registry, names: Iterable[str]) -> list[str]:
    lines: list[str] = []
    for name in names:
        try:
            cls = registry.passes[name]()
        except Exception as error:
            lines.append(_not_available(name, error))
            continue
        lines.append(f"  {name:<26}  {describe(cls)}".rstrip())
        lines += [f"      {line}" for line in option_lines(cls)]
    return lines


def _not_available(name: str, error: Exception) -> str:
    # Some of xDSL's need packages that are not installed; a list must still be a list.
    reason = str(error).split("\n", 1)[0][:100]
    return f"  {name}  (not available: {type(error).__name__}: {reason})"


def list_targets(registry: Registry) -> str:
    """Every target with its options."""
    lines: list[str] = []
    order = {"irc": 0, "xdsl": 2}
    for name in sorted(registry.targets, key=lambda n: order.get(registry.target_origin[n], 1)):
        try:
            cls = registry.targets[name]()
        except Exception as error:
            lines.append(_not_available(name, error))
            continue
        lines.append(f"{name:<12}  {describe(cls)}".rstrip())
        lines += [f"    {line}" for line in option_lines(cls)]
    return "\n".join(lines) + "\n"


def list_dialects(registry: Registry) -> str:
    """Every dialect and where it comes from; those of this compiler with a description."""
    ours: list[tuple[str, str]] = []
    others: dict[str, list[str]] = {}
    for name, origin in registry.dialect_origin.items():
        if origin != "irc":
            others.setdefault(origin, []).append(name)
            continue
        try:
            module = inspect.getmodule(_class_of(registry, name))
            text = inspect.cleandoc((module and module.__doc__) or "").split("\n", 1)[0]
        except Exception as error:
            text = _not_available("", error).strip()
        ours.append((name, text))
    lines = ["irc", *_columns(ours, "  ")]
    for origin in sorted(others, key=_group_order):
        lines += ["", origin, *(f"  {name}" for name in sorted(others[origin]))]
    return "\n".join(lines) + "\n"


def _class_of(registry: Registry, name: str) -> Any:
    dialect = registry.dialects[name]()
    operations = list(dialect.operations)
    return operations[0] if operations else type(dialect)


def list_pipelines() -> str:
    """Every named pipeline: its passes, and why each is there."""
    blocks: list[str] = []
    for pipeline in (*PIPELINES, *HALVES):
        rows = [row for step in pipeline.steps for row in _step_rows(step)] or [("(empty)", "")]
        blocks.append("\n".join([pipeline.name, *_columns(rows, "  ")]))
    return "\n\n".join(blocks) + "\n"


def _step_rows(step: Step) -> list[tuple[str, str]]:
    """A step, and under it those that it repeats."""
    rows = [(step.spec, step.why + (", in rounds of:" if step.round else ""))]
    return rows + [(f"  {repeated.spec}", repeated.why) for repeated in step.round]
