"""What the passes share: rewriting that keeps source locations."""

from __future__ import annotations

from collections.abc import Iterator

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation
from xdsl.pattern_rewriter import (
    GreedyRewritePatternApplier,
    PatternRewriter,
    PatternRewriteWalker,
    RewritePattern,
)
from xdsl.transforms.common_subexpression_elimination import CSEDriver
from xdsl.transforms.dead_code_elimination import is_trivially_dead

from irc.counters import count
from irc.dialects.control_flow import check_single_block
from irc.dialects.locations import fused_location

DEAD_OPERATIONS = "unused operations erased"
"""The counter of what `apply_greedily` erases since nobody uses it."""


def replace_located(rewriter: PatternRewriter, op: Operation, *new_ops: Operation) -> None:
    """Replace `op` by `new_ops`, the last of which gives its results, at the same location."""
    for new_op in new_ops:
        new_op.location = op.location
    rewriter.replace(op, new_ops)


def apply_greedily(module: ModuleOp, *patterns: RewritePattern) -> bool:
    """Apply the patterns until none matches, then erase what is no longer used.

    Returns whether anything changed.
    """
    applier = _Applier(list(patterns))
    try:
        return PatternRewriteWalker(applier).rewrite_module(module)
    except _PatternError as error:
        raise error.cause from None


class _PatternError(BaseException):
    """Carries what a pattern raised past the walker, which would print the module, weights and
    all, for any `Exception`."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(cause)
        self.cause = cause


class _Applier(GreedyRewritePatternApplier):
    """Counts for `--pass-statistics` which pattern did something, and lets errors through."""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if is_trivially_dead(op):
            rewriter.erase(op)
            count(DEAD_OPERATIONS)
            return
        try:
            for pattern in self.rewrite_patterns:
                pattern.match_and_rewrite(op, rewriter)
                if rewriter.has_done_action:
                    count(type(pattern).__name__)
                    return
        except Exception as error:
            raise _PatternError(error) from error


class _LocatingCse(CSEDriver):
    def _replace_and_delete(self, op: Operation, existing: Operation) -> None:
        existing.location = fused_location(existing.location, op.location)
        super()._replace_and_delete(op, existing)


def cse(within: Operation) -> None:
    """Let equal operations on equal operands be one, which is where all of them were."""
    _LocatingCse().simplify(within)


def erase_dead(function: FuncOp) -> None:
    """Erase operations whose results nobody uses, last first."""
    for op in reversed(list(function.body.block.ops)):
        if is_trivially_dead(op):
            op.detach()
            op.erase()


def functions_of(module: ModuleOp) -> Iterator[FuncOp]:
    """The functions that have a body of one block, as every network has.

    What has control flow is left as it is; a pass whose result is needed takes
    `functions_to_convert`.
    """
    for op in module.ops:
        if isinstance(op, FuncOp) and len(op.body.blocks) == 1:
            yield op


def functions_to_convert(module: ModuleOp) -> Iterator[FuncOp]:
    """The functions that have a body; raises `UnsupportedError` at one of several blocks."""
    for op in module.ops:
        if isinstance(op, FuncOp) and op.body.blocks:
            check_single_block(op)
            yield op
