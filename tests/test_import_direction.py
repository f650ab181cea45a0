"""Imports run one way: tools → flow → pipelines → backends, passes → interp → dialects.

Read from the source, so that imports inside functions count as well. Names of classes in strings
(`irc.universe`) do not: that is how the registry knows everything without depending on it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "irc"

LEAVES = {
    *("__version__", "errors", "diagnostics", "error_origin", "printing", "devices"),
    *("counters", "near_misses", "notices", "stages", "main_guard", "plain_text", "rejections"),
    "shell_command",
}
"""Messages and their printing, figures of devices: anything may use them; they use no layer."""

SUPPORT = {"verifying", "universe", "parsing", "loading", "running", "pass_specs", "pipelines"}
"""Reading IR and running passes on it, whatever the dialects and passes are."""

ALLOWED = {
    "dialects": {"dialects"},
    "interp": {"interp", "dialects"},
    "frontend": {"frontend", "interp", "dialects"},
    "passes": {"passes", "interp", "dialects"},
    "backends": {"backends", "interp", "dialects"},
    "flow": {"flow", "backends", "passes", "frontend", "interp", "dialects", *SUPPORT},
    "tools": {
        *("tools", "fuzz", "flow", "backends", "passes", "frontend", "interp", "dialects"),
        *SUPPORT,
    },
    "errors": set[str](),
    "error_origin": set[str](),
    "diagnostics": set[str](),
    "printing": set[str](),
    "devices": set[str](),
    "plain_text": set[str](),
    "counters": set[str](),
    "near_misses": set[str](),
    "stages": set[str](),
    "main_guard": set[str](),
    "shell_command": set[str](),
    "notices": set[str](),
    "rejections": set[str](),
    "verifying": set[str](),
    "universe": set[str](),
    "parsing": set[str](),
    "pipelines": set[str](),
    "loading": {"frontend", *SUPPORT},
    "running": {*SUPPORT},
    "pass_specs": {*SUPPORT},
    "testing": {"interp", "dialects", *SUPPORT},
    # Nothing above the tools: what it runs of them, the command hands to it.
    "fuzz": {
        *("fuzz", "flow", "backends", "passes", "frontend", "interp", "dialects"),
        *SUPPORT,
    },
}
"""What a part of the package may import of the others, beside the leaves."""

FACADE = {"__init__", "api"}
"""These may import everything, and no part may import them."""


def part_of(module: str) -> str:
    """`passes` for `irc.passes.lift.x`, `api` for `irc.api`."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of every module of the package that a file imports."""
    package = ["irc", *path.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield node.lineno, module
            if module == "irc":
                yield from ((node.lineno, f"irc.{alias.name}") for alias in node.names)


def violations(path: Path) -> list[str]:
    """What a file must not import, one line each."""
    relative = path.relative_to(PACKAGE)
    part = relative.parts[0].removesuffix(".py")
    if part in FACADE:
        return []
    if part not in ALLOWED:
        return [f"irc/{relative}: say in this test what '{part}' may import"]
    found: list[str] = []
    for line, module in imports_of(path):
        if module.split(".")[0] != "irc" or module == "irc":
            continue
        target = part_of(module)
        if target not in ALLOWED[part] | LEAVES:
            found.append(f"irc/{relative}:{line}: {part} must not import {module}")
    return found


def test_imports_run_one_way() -> None:
    found = [line for path in sorted(PACKAGE.rglob("*.py")) for line in violations(path)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("file", "text", "wrong"),
    [
        ("dialects/x.py", "from irc.passes.lift import y", True),
        ("dialects/x.py", "import irc.interp.bnn", True),
        ("dialects/x.py", "def f():\n    from irc import api", True),
        ("dialects/x.py", "from ..passes import lift", True),
        ("dialects/x.py", "from . import bnn\nfrom irc.errors import IrcError", False),
        ("interp/x.py", "from irc.passes.rewriting import y", True),
        ("passes/x.py", "from irc.backends.c import y", True),
        ("passes/x.py", "from irc.pipelines import y", True),
        ("passes/lift/x.py", "from irc.interp.ewise import y", False),
        ("backends/x.py", "from irc.tools import y", True),
        ("tools/x.py", "from irc.running import y", False),
        ("novelty/x.py", "", True),
    ],
)
def test_the_check_sees_wrong_imports(
    file: str, text: str, wrong: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("test_import_direction.PACKAGE", tmp_path)
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert bool(violations(path)) == wrong
