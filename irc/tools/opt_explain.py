"""`irc-opt --explain PASS`: what a pass does, its options, and an example before and after it.

The example of the pass `my-pass` is the file `examples/my-pass.mlir` beside the module of its
class, or `my-pass.mlir` there: IR text whose first `RUN:` line says how the pass is run. It is
installed with the package, the tests run it, and what is shown as the result is made on the spot.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import re
import shlex
import textwrap
from dataclasses import dataclass
from pathlib import Path

from xdsl.passes import ModulePass

from irc.errors import UsageError
from irc.loading import new_context
from irc.near_misses import did_you_mean
from irc.parsing import parse_text
from irc.pass_specs import Option, build_passes, options_of
from irc.pipelines import HALVES, PIPELINES, Step
from irc.printing import print_ir
from irc.running import run_passes
from irc.tools.opt_lists import own_docstring
from irc.universe import PASSES, Registry

_RUN_LINE = re.compile(r"^// RUN: irc-opt %s (.*?)(?: \| .*)?$", re.MULTILINE)

_COMMENT_LINE = re.compile(r"^[ \t]*//.*\n?", re.MULTILINE)


class NoExampleError(UsageError):
    """A file that stands where an example would, and is none."""


@dataclass(frozen=True)
class Example:
    """A piece of IR, how it is run, and what its author says of it."""

    arguments: str
    """Of `irc-opt`, as a shell takes them."""
    before: str
    remark: str

    def passes(self) -> str:
        """The pipeline that `-p` gives."""
        words = shlex.split(self.arguments)
        return words[words.index("-p") + 1]


def explain(registry: Registry, name: str) -> str:
    """The page about a pass; raises `UsageError` where there is no such pass."""
    if name not in registry.passes:
        raise UsageError(
            f"unknown pass '{name}'{did_you_mean(name, registry.passes)} (--list-passes names all)"
        )
    cls = registry.passes[name]()
    origin = registry.origin[name]
    group = f"irc: {PASSES[name].split('.')[2]}" if origin == "irc" else origin
    description = own_docstring(cls) or "(no description)"
    blocks = [f"{name} ({group})", description, _options(cls)]
    blocks += [block for block in (_pipelines(name), _example(registry, name)) if block]
    return "\n\n".join(blocks) + "\n"


def _options(cls: type[ModulePass]) -> str:
    options = options_of(cls)
    if not options:
        return "options: none"
    remarks = field_remarks(cls)
    lines = ["options:"]
    for option in options:
        lines.append(f"  {option.name}: {option.type}{_default(option)}")
        if remark := remarks.get(option.field, ""):
            lines += textwrap.wrap(remark, 92, initial_indent=" " * 6, subsequent_indent=" " * 6)
    return "\n".join(lines)


def _default(option: Option) -> str:
    if option.is_required:
        return " (required)"
    return f" = {option.default}" if option.default is not None else " (not given by default)"


def field_remarks(cls: type) -> dict[str, str]:
    """What stands below each field of a class, as a string by itself."""
    try:
        (node,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    except (OSError, TypeError, ValueError, SyntaxError):
        return {}
    found: dict[str, str] = {}
    body = node.body if isinstance(node, ast.ClassDef) else []
    for field, below in itertools.pairwise(body):
        match field, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[name] = " ".join(text.split())
            case _:
                pass
    return found


def _pipelines(name: str) -> str:
    lines = [
        f"  {pipeline.name}: {step.why}"
        for pipeline in (*PIPELINES, *HALVES)
        for step in _all_steps(pipeline.steps)
        if step.spec.partition("{")[0] == name
    ]
    return "\n".join(["in pipelines:", *lines]) if lines else ""


def _all_steps(steps: tuple[Step, ...]) -> list[Step]:
    return [inner for step in steps for inner in (step, *step.round)]


def find_example(cls: type[ModulePass]) -> Path | None:
    """The file that holds the example of a pass; `None` where there is none."""
    try:
        folder = Path(inspect.getfile(cls)).parent
    except (OSError, TypeError):
        return None
    places = (folder / "examples" / f"{cls.name}.mlir", folder / f"{cls.name}.mlir")
    return next((place for place in places if place.is_file()), None)


def read_example(path: Path) -> Example:
    """The example that a file holds; raises `NoExampleError` where no line says how it is run."""
    expected = f"{path}: expected a line // RUN: irc-opt %s -p PASS | filecheck %s"
    try:
        text = path.read_text(encoding="utf-8")
        run = _RUN_LINE.search(text)
        words = shlex.split(run[1]) if run is not None else []
    except (OSError, ValueError) as error:
        raise NoExampleError(f"{expected}: {error}") from None
    if run is None or "-p" not in words[:-1]:
        raise NoExampleError(expected)
    remark = [
        line.removeprefix("// ")
        for line in text.splitlines()
        if line.startswith("// ") and not re.match(r"// [A-Z-]+:", line)
    ]
    before = re.sub(r"\n{3,}", "\n\n", _COMMENT_LINE.sub("", text)).strip("\n")
    return Example(run[1], before, "\n".join(remark))


def _example(registry: Registry, name: str) -> str:
    try:
        found = run_example(registry, name)
    except NoExampleError as reason:
        return f"no example: {reason}"
    if found is None:
        return ""
    parts = [
        f"example: {found.command}",
        *([textwrap.indent(found.remark, "  ")] if found.remark else []),
        "before:\n" + textwrap.indent(found.before, "  "),
        "after:\n" + textwrap.indent(found.after, "  "),
    ]
    return "\n\n".join(parts)


@dataclass(frozen=True)
class ExampleRun:
    """A pass at work: the command, what its author says of it, and IR before and after."""

    command: str
    remark: str
    before: str
    after: str


def run_example(registry: Registry, name: str) -> ExampleRun | None:
    """Run the example of a pass; `None` where it has none, `NoExampleError` where the file that
    should hold it says not how it is run."""
    path = find_example(registry.passes[name]())
    if path is None:
        return None
    example = read_example(path)
    ctx = new_context(registry)
    module = parse_text(ctx, example.before, str(path))
    passes = example.passes().replace("%S", str(path.parent))
    run_passes(ctx, module, build_passes(registry, passes))
    return ExampleRun(
        f"irc-opt {path.name} {example.arguments.replace('%S/', '')}",
        example.remark,
        example.before,
        _body(print_ir(module, elide=True)),
    )


def _body(text: str) -> str:
    """What a module without attributes holds; any other module whole."""
    lines = text.rstrip("\n").split("\n")
    if lines[0] != "builtin.module {":
        return "\n".join(lines)
    return textwrap.dedent("\n".join(lines[1:-1]))
