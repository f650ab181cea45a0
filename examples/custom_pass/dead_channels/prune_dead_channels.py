"""Remove channels of dense layers that nobody reads."""

from dataclasses import dataclass

import numpy as np
from xdsl.dialects.builtin import StringAttr

from irc.api import (
    Context,
    ModuleOp,
    ModulePass,
    PatternRewriter,
    RewritePattern,
    UsageError,
    apply_greedily,
    bnn,
    op_type_rewrite_pattern,
)


@dataclass(frozen=True)
class PruneDeadChannels(ModulePass):
    """Remove channels that every row of the next dense layer multiplies by zero."""

    name = "prune-dead-channels"

    multiple: int = 1
    """Each layer keeps a multiple of so many channels, where it has them."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.multiple < 1:
            raise UsageError(f"multiple={self.multiple}: it must be 1 or more")
        apply_greedily(op, DeadChannels(self.multiple))


@dataclass
class DeadChannels(RewritePattern):
    """Σ_k w[m, k]·x[k] needs no x[c] where w[m, c] = 0 for all m."""

    multiple: int

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.LinearOp, rewriter: PatternRewriter) -> None:
        threshold = op.input.owner
        if not isinstance(threshold, bnn.ThresholdOp) or not threshold.output.has_one_use():
            return
        maker = threshold.input.owner
        if not isinstance(maker, bnn.LinearOp) or not maker.output.has_one_use():
            return
        if threshold.attributes.get("bnn.margin", EXACT) != EXACT:
            return  # it lists channels by their numbers, which would change

        kept = self.kept_channels(op.weights.numpy())
        if len(kept) == op.weights.shape[1]:
            return
        rows = bnn.LinearOp(
            maker.input, rows_of(maker.weights, kept), bnn.frame_type(maker.output).element_type
        )
        codes = bnn.ThresholdOp(
            rows.output,
            rows_of(threshold.thresholds, kept),
            bnn.frame_type(threshold.output).element_type,
            threshold.bias.value.data,
            None if threshold.steps is None else rows_of(threshold.steps, kept),
        )
        columns = bnn.DenseAttr.from_numpy(op.weights.numpy()[:, kept], op.weights.element_type)
        sums = bnn.LinearOp(
            codes.output, columns, bnn.frame_type(op.output).element_type, op.scales, op.offsets
        )
        for new, old in ((rows, maker), (codes, threshold), (sums, op)):
            new.location = old.location
            new.attributes.update(old.attributes)
        rewriter.replace(op, [rows, codes, sums])

    def kept_channels(self, weights: np.ndarray) -> np.ndarray:
        """Those that some row of `weights` [M, K] reads, and dead ones up to the multiple."""
        read = np.flatnonzero(weights.any(axis=0))
        dead = np.flatnonzero(~weights.any(axis=0))
        count = max(1, -(-len(read) // self.multiple)) * self.multiple
        return np.sort(np.concatenate([read, dead[: max(0, count - len(read))]]))


EXACT = StringAttr("exact")


def rows_of(values: bnn.DenseAttr, kept: np.ndarray) -> bnn.DenseAttr:
    """Some rows of a constant, which stands for all channels alike where it has one row."""
    if values.shape[0] == 1:
        return values
    return bnn.DenseAttr.from_numpy(values.numpy()[kept], values.element_type)
