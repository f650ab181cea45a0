"""Whether a pass does nothing but apply patterns, so that their proofs are its proof.

This is read off its source: `apply`, and the functions of its module that it calls, may call only
what is listed here, and make only patterns.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Collection
from typing import Any

from xdsl.pattern_rewriter import RewritePattern

from irc.passes.analysis.ranges import RangeAnalysis
from irc.passes.rewriting import apply_greedily, cse

HARMLESS: dict[object, str] = {
    apply_greedily: "applies the patterns that it is given, and erases what nobody uses",
    cse: "lets equal operations on equal operands be one, as in every compiler",
    RangeAnalysis: "changes nothing",
}
"""What such a pass may call, and why that needs no proof."""


def unproven_in(module_pass: type, proven: Collection[type]) -> list[str]:
    """What a pass does that is no pattern among those `proven`: nothing, if all is well."""
    found: list[str] = []
    _look_into(vars(module_pass)["apply"], proven, set(), found)
    return found


def _look_into(function: Any, proven: Collection[type], seen: set[str], found: list[str]) -> None:
    names = vars(inspect.getmodule(function))
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    for node in ast.walk(tree):
        if isinstance(node, ast.Delete | ast.AugAssign) or (
            isinstance(node, ast.Assign)
            and any(not isinstance(target, ast.Name) for target in node.targets)
        ):
            found.append(f"{function.__name__}: {ast.unparse(node)}")
        if not isinstance(node, ast.Call):
            continue
        called = names.get(node.func.id) if isinstance(node.func, ast.Name) else None
        if inspect.isclass(called) and issubclass(called, RewritePattern):
            if called not in proven:
                found.append(f"{called.__name__} has no proof")
        elif inspect.isfunction(called) and called.__module__ == function.__module__:
            if called.__name__ not in seen:
                _look_into(called, proven, seen | {called.__name__}, found)
        elif called is None or called not in HARMLESS:
            found.append(f"{function.__name__}: {ast.unparse(node)}")
