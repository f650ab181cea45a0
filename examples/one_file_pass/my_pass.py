"""A pass of one's own: irc-opt layer.mlir --load my_pass.py -p fold-double-negation"""

from irc.api import (
    Context,
    ModuleOp,
    ModulePass,
    PatternRewriter,
    RewritePattern,
    apply_greedily,
    bnn,
    op_type_rewrite_pattern,
)


class DoubleNegation(RewritePattern):
    """−(−x) = x"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.EwiseOp, rewriter: PatternRewriter) -> None:
        inner = op.input.owner
        if op.fn.data == "neg" and isinstance(inner, bnn.EwiseOp) and inner.fn.data == "neg":
            rewriter.replace(op, [], [inner.input])


class FoldDoubleNegation(ModulePass):
    """Remove pairs of negations."""

    name = "fold-double-negation"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        apply_greedily(op, DoubleNegation())
