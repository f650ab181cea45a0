"""Writes the reference pages from the code: docs/reference, whenever Sphinx builds the site."""

from __future__ import annotations

import inspect
import io
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import redirect_stdout, suppress
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from pygments.lexers.special import TextLexer  # pyright: ignore[reportMissingTypeStubs]
from sphinx.application import Sphinx
from xdsl.ir import Dialect
from xdsl.irdl import IRDLOperation, OptionalDef, VariadicDef
from xdsl.passes import ModulePass
from xdsl.utils.target import Target

from irc import api
from irc.pass_specs import options_of
from irc.pipelines import HALVES, PIPELINES, Step
from irc.tools.opt_explain import field_remarks, run_example
from irc.universe import DIALECTS, IRC_UNIVERSE, PASSES, TARGETS, discover

WIDTH = "100"
"""Columns that help texts are set in."""

INDEX = """# Reference

Written from the code of this version, whenever the site is built.

```{toctree}
commands
pipelines
passes
dialects
targets
api
```
"""


def setup(app: Sphinx) -> dict[str, Any]:
    """What Sphinx calls."""
    # Pygments knows no MLIR; comments and strings would be wrong in any other language.
    app.add_lexer("mlir", TextLexer)
    app.connect("builder-inited", _write_for)
    return {"parallel_read_safe": True}


def _write_for(app: Sphinx) -> None:
    write_reference(Path(app.srcdir) / "reference")


def write_reference(folder: Path) -> None:
    """Write all pages; those that are as they were stay, so that Sphinx need not read them."""
    pages = {
        "index.md": INDEX,
        "commands.md": "\n".join(command_page()),
        "pipelines.md": "\n".join(pipeline_page()),
        "passes.md": "\n".join(pass_page()),
        "dialects.md": "\n".join(dialect_page()),
        "targets.md": "\n".join(target_page()),
        "api.md": "\n".join(api_page()),
    }
    folder.mkdir(exist_ok=True)
    for name, text in pages.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def prose(thing: Any) -> str:
    """A docstring as Markdown; no line of it can be taken for a heading."""
    text = inspect.cleandoc(getattr(thing, "__doc__", None) or "")
    return re.sub(r"^(#+ )", r"\\\1", text, flags=re.MULTILINE)


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """A Markdown table; nothing without rows."""
    body = [tuple(cell.replace("|", "\\|").replace("\n", " ") for cell in row) for row in rows]
    if body:
        yield f"| {' | '.join(head)} |"
        yield "|" + "---|" * len(head)
        yield from (f"| {' | '.join(row)} |" for row in body)
        yield ""


def dialect_page() -> Iterator[str]:
    """Every dialect with its types, attributes and operations."""
    yield "# Dialects\n"
    yield "`irc-opt --list-dialects` lists them. Here operations stand in alphabetical order.\n"
    for name, place in DIALECTS.items():
        dialect = IRC_UNIVERSE.all_dialects[name]()
        yield f"## `{name}`\n"
        yield f"{prose(_module_of(place))}\n"
        for attribute in sorted(dialect.attributes, key=lambda attribute: attribute.name):
            yield f"### `{attribute.name}`\n\n{prose(attribute)}\n"
        if name == "onnx":
            # Hundreds, made from the schemas: ONNX and QONNX document them.
            names = sorted(op.name.removeprefix("onnx.") for op in dialect.operations)
            yield f"{len(names)} operations: {', '.join(f'`{name}`' for name in names)}.\n"
        else:
            yield from operations(dialect)


def _module_of(place: str) -> Any:
    from importlib import import_module

    return import_module(place.partition(":")[0])


def operations(dialect: Dialect) -> Iterator[str]:
    """Each operation: what it computes, its syntax, operands, results and properties."""
    ours = [op for op in dialect.operations if issubclass(op, IRDLOperation)]
    for op in sorted(ours, key=lambda op: op.name):
        definition = op.get_irdl_definition()
        yield f"### `{op.name}`\n\n{prose(op)}\n"
        if definition.assembly_format is not None:
            yield f"```text\n{op.name} {definition.assembly_format}\n```\n"
        rows: list[tuple[str, str, object]] = [
            ("operand", name, kind) for name, kind in definition.operands
        ]
        rows += [("result", name, kind) for name, kind in definition.results]
        rows += [("property", name, kind) for name, kind in definition.properties.items()]
        yield from table(
            ("name", "what", "how many"),
            ((f"`{name}`", role, _how_many(kind)) for role, name, kind in rows),
        )


def _how_many(definition: object) -> str:
    if isinstance(definition, OptionalDef) or type(definition).__name__.startswith("Opt"):
        return "0 or 1"
    return "any" if isinstance(definition, VariadicDef) else "1"


def pass_page() -> Iterator[str]:
    """Every pass with its options, by group, as irc-opt lists them."""
    yield "# Passes\n"
    yield "`irc-opt FILE -p 'name{option=value},name'` runs passes in this order.\n"
    registry = discover()
    group = ""
    for name, place in PASSES.items():
        if (new := place.split(".")[2]) != group:
            group = new
            yield f"## {group}\n"
        cls: type[ModulePass] = IRC_UNIVERSE.all_passes[name]()
        yield f"### `{name}`\n\n{prose(cls)}\n"
        yield from option_table(cls)
        if (example := run_example(registry, name)) is not None:
            yield f"`{example.command}`" + (f": {example.remark}" if example.remark else "")
            yield f"\n```mlir\n{example.before.rstrip()}\n```\n"
            yield f"becomes\n\n```mlir\n{example.after.rstrip()}\n```\n"


def option_table(cls: type[ModulePass] | type[Target]) -> Iterator[str]:
    """The options of a pass or a target."""
    remarks = field_remarks(cls)
    yield from table(
        ("option", "value", "what"),
        (
            (
                f"`{option.name}`",
                f"{option.type}" + (f" = `{option.default}`" if option.default else ""),
                remarks.get(option.field, ""),
            )
            for option in options_of(cls)
        ),
    )


def pipeline_page() -> Iterator[str]:
    """The named pipelines with the reason for each pass."""
    yield "# Pipelines\n"
    yield (
        "`irc-opt FILE --compile-to=LEVEL` runs those that lead from the file's level to LEVEL; "
        "`-p NAME` runs one, wherever a pass may stand.\n"
    )
    for pipeline in (*PIPELINES, *HALVES):
        yield f"## `{pipeline.name}`\n"
        yield from table(("pass", "why"), _step_rows(pipeline.steps))


def _step_rows(steps: Iterable[Step], indent: str = "") -> Iterator[tuple[str, str]]:
    for step in steps:
        yield f"{indent}`{step.spec}`", step.why
        yield from _step_rows(step.round, f"{indent}↻ ")


def target_page() -> Iterator[str]:
    """What `irc-opt -t` prints, with options."""
    yield "# Targets\n"
    yield "`irc-opt FILE --compile-to=LEVEL -t 'name{option=value}'` prints one.\n"
    for name in TARGETS:
        cls = IRC_UNIVERSE.all_targets[name]()
        yield f"## `{name}`\n\n{prose(cls)}\n"
        yield from option_table(cls)


def command_page() -> Iterator[str]:
    """What each command says of itself."""
    yield "# Commands\n"
    scripts = entry_points(group="console_scripts")
    for script in sorted(
        (s for s in scripts if s.dist is not None and s.dist.name == "irc-bnn"),
        key=lambda script: script.name,
    ):
        main = script.load()
        text = help_of(main)
        yield f"## {script.name}\n\n```text\n{text}```\n"
        _, _, listed = text.partition("  COMMAND\n")
        for command in re.findall(r"^    (\w[\w-]*) ", listed.partition("\n\n")[0], re.MULTILINE):
            yield f"### {script.name} {command}\n\n```text\n{help_of(main, command)}```\n"


def help_of(main: Any, *words: str) -> str:
    """What `main` prints with --help."""
    printed = io.StringIO()
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = WIDTH
    try:
        with redirect_stdout(printed), suppress(SystemExit):
            main([*words, "--help"])
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before
    return printed.getvalue()


def api_page() -> Iterator[str]:
    """Everything that `irc.api` offers, its own first."""
    yield f"# Library\n\n{prose(api)}\n"
    own: list[str] = []
    others: list[tuple[str, str]] = []
    for name in api.__all__:
        thing = getattr(api, name)
        origin = thing.__name__ if inspect.ismodule(thing) else getattr(thing, "__module__", "irc")
        if inspect.ismodule(thing):
            others.append((f"`{name}`", f"the dialect's module, [`{origin}`](dialects.md)"))
        elif origin.startswith("irc"):
            own.append(name)
        else:
            others.append((f"`{name}`", f"`{origin}`, of xDSL"))
    for name in own:
        yield from _member(name, getattr(api, name))
    yield "## From elsewhere\n"
    yield from table(("name", "from"), others)


def _member(name: str, thing: Any) -> Iterator[str]:
    yield f"## `{name}`\n"
    if inspect.isclass(thing) or inspect.isfunction(thing):
        with suppress(ValueError, TypeError):
            yield f"```python\n{name}{_signature(thing)}\n```\n"
        yield f"{prose(thing)}\n"
        for field, text in field_remarks(thing).items() if inspect.isclass(thing) else ():
            yield f"- `{field}`: {text}"
        yield ""
    else:
        yield f"```python\n{name} = {thing!r}\n```\n"


def _signature(thing: Any) -> str:
    """A signature, one parameter a line where it is long."""
    text = str(inspect.signature(thing)).replace("'", "")
    if len(text) < int(WIDTH) - 20:
        return text
    return re.sub(r", (?=\*?[a-z_]+[:,])", ",\n    ", text).replace("(", "(\n    ", 1)
