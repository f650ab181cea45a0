"""Assertions for people who write passes: a rewrite is what it should be, and changes no result."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import unified_diff
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriteWalker, RewritePattern

from irc.interp.random_frames import random_frames
from irc.loading import new_context
from irc.parsing import parse_text
from irc.printing import print_ir
from irc.running import build_passes, run_passes
from irc.universe import discover
from irc.verifying import verify_module

Array = npt.NDArray[Any]

Rewrite = str | ModulePass | RewritePattern
"""A pipeline text such as `"canonicalize,fold-thresholds"`, a pass, or a single pattern."""


def assert_rewrites(rewrite: Rewrite, before: str, after: str) -> None:
    """Assert that `rewrite` turns the IR text `before` into `after`.

    Both texts and the result must be valid IR, and the result must parse back from its own text.
    Names of SSA values, white space and locations do not count. For an assertion that a rewrite
    leaves something alone, give the same text twice.

    Raises `AssertionError` with a diff where they differ.
    """
    ctx = new_context()
    module = parse_text(ctx, before, "before")
    verify_module(module)
    expected = parse_text(ctx, after, "after")
    verify_module(expected)
    _apply(ctx, rewrite, module)
    verify_module(module)
    if not module.is_structurally_equivalent(expected):
        raise AssertionError(_difference(module, expected))
    again = parse_text(ctx, print_ir(module), "result")
    if not module.is_structurally_equivalent(again):
        raise AssertionError(f"the result does not parse back:\n{_difference(again, module)}")


def _apply(ctx: Context, rewrite: Rewrite, module: ModuleOp) -> None:
    match rewrite:
        case str():
            run_passes(ctx, module, build_passes(discover(), rewrite))
        case ModulePass():
            run_passes(ctx, module, [rewrite])
        case _:
            PatternRewriteWalker(rewrite).rewrite_module(module)


def _difference(actual: ModuleOp, expected: ModuleOp) -> str:
    lines = unified_diff(
        print_ir(expected, elide=True).splitlines(),
        print_ir(actual, elide=True).splitlines(),
        "expected",
        "actual",
        lineterm="",
        n=100,
    )
    text = "\n".join(lines)
    if not text:
        text = "they print alike when long constants are cut: a long constant differs"
    return f"the rewrite gives something else:\n{text}"


def assert_equivalent(
    before: str | ModuleOp,
    after: str | ModuleOp,
    inputs: Sequence[Array] | None = None,
    *,
    frames: int = 64,
    seed: int = 0,
) -> None:
    """Assert that two modules give the same results, bit for bit, in their interpreters.

    Both are at any of the levels bnn, dataflow and packed, with the same signature. `inputs` are
    arrays with the frames in front, one for each argument of the entry function; without them
    `frames` random ones are drawn from what the argument types hold.

    Raises `AssertionError` that names the first result, frame and element that differ.
    """
    from irc.interp.run import entry_function, run_module

    modules = [_module(before), _module(after)]
    types = [entry_function(module).function_type for module in modules]
    if types[0] != types[1]:
        raise AssertionError(f"the signatures differ: {types[0]} and {types[1]}")
    if inputs is None:
        generator = np.random.default_rng(seed)
        inputs = [random_frames(kind, frames, generator) for kind in types[0].inputs]
    results = [run_module(module, inputs) for module in modules]
    for index, (old, new) in enumerate(zip(*results, strict=True)):
        different = np.argwhere((old != new) & ~(np.isnan(old) & np.isnan(new)))
        if len(different):
            frame, *element = different[0].tolist()
            at = tuple(different[0])
            raise AssertionError(
                f"result {index}, frame {frame}, element {element}: {old[at]} before, "
                f"{new[at]} after ({len(different)} of {old.size} elements differ)"
            )


def _module(module: str | ModuleOp) -> ModuleOp:
    if isinstance(module, ModuleOp):
        return module
    parsed = parse_text(new_context(), module)
    verify_module(parsed)
    return parsed
