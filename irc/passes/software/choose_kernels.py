"""Which machine code counts bits: choices that change the speed of kernels, not their results."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, StringAttr, UnitAttr, i64
from xdsl.passes import ModulePass

from irc.dialects import packed
from irc.dialects.dense import DenseAttr, element_width
from irc.dialects.packed_pairs import pair_words
from irc.dialects.packed_types import BitsType, plane_weights
from irc.errors import UsageError
from irc.passes.software.dense_kernels import pays_lookup

STRATEGIES = ("auto", "tree", *packed.POPCOUNTS)

TREE_WORD = 32
"""Words that trees add."""
WORD_CODE = 32
"""Bytes of straight code for a word, about: 28 in Thumb, 40 on RISC-V."""
COUNTING = 4.0
"""The cost of counting the planes of a block, in words of a tree: what blocks multiply."""


MOST_WORDS = 255
"""What the fields of a tree hold."""


@dataclass(frozen=True)
class ChooseKernels(ModulePass):
    """Choose straight code for bipolar layers, and the form of their weights and thresholds.

    `popcount` says how bits are counted: by carry-save adders (tree), by the compiler's builtin
    (for cores with an instruction for it), by masks (swar) or a table; `auto` is tree for words of
    32 bits, else what there is. A kernel of straight code takes at most `unroll` bytes, about; 0
    keeps loops. Layers of one width share a kernel; layers of fewer than `least_results` sums are
    not worth one.
    """

    name = "choose-kernels"

    popcount: str = "auto"
    unroll: int = 1024
    least_results: int = 32

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.popcount not in STRATEGIES:
            known = ", ".join(STRATEGIES)
            raise UsageError(f"{self.name}: popcount must be one of {known}, not {self.popcount}")
        if self.unroll < 0:
            raise UsageError(f"{self.name}: unroll must be bytes of code, not {self.unroll}")
        for dense in op.walk():
            counts = isinstance(dense, packed.XnorDenseOp | packed.PlaneDenseOp)
            if counts and self.popcount in packed.POPCOUNTS:
                dense.popcount = StringAttr(self.popcount)
            if (
                isinstance(dense, packed.SignDenseOp)
                and self.unroll
                and pays_lookup(dense.columns, dense.channels)
            ):
                dense.use_lookup()
            if isinstance(dense, packed.XnorDenseOp):
                set_limits(dense)
            if isinstance(dense, packed.XnorDenseOp | packed.PlaneDenseOp):
                self._unroll(dense)

    def _unroll(self, dense: packed.XnorDenseOp | packed.PlaneDenseOp) -> None:
        source = packed.bits_type(dense.input)
        cap = self.unroll // (WORD_CODE * products(dense))
        is_tree = self.popcount in ("auto", "tree") and source.word == TREE_WORD
        is_small = dense.rows * dense.channels < self.least_results
        if is_tree:
            cap = min(cap, MOST_WORDS // weight_of_words(dense))
        # Blocks are pairs of words at least.
        if dense.kernel is not None or cap < min(2, source.words) or is_small:
            return
        if not is_tree and (self.popcount != "builtin" or isinstance(dense, packed.PlaneDenseOp)):
            return
        dense.kernel = StringAttr("tree" if is_tree else "unrolled")
        dense.block = IntegerAttr(block_words(source.words, cap), i64)
        if is_tree and isinstance(dense, packed.XnorDenseOp):
            words = pair_words(dense.weights.numpy())
            dense.weights = DenseAttr.from_numpy(words, dense.weights.element_type)
            dense.pairs = UnitAttr()


def products(dense: packed.XnorDenseOp | packed.PlaneDenseOp) -> int:
    """Pairs of planes, for each of which there are words to count."""
    if isinstance(dense, packed.XnorDenseOp):
        return 1
    return packed.bits_type(dense.input).planes * element_width(dense.weight_type)


def weight_of_words(dense: packed.XnorDenseOp | packed.PlaneDenseOp) -> int:
    """What a word counts in a tree: with all pairs of planes, as many words of level 0."""
    if isinstance(dense, packed.XnorDenseOp):
        return 1
    of_x = plane_weights(packed.bits_type(dense.input).element_type)
    return sum(map(abs, of_x)) * sum(map(abs, plane_weights(dense.weight_type)))


def set_limits(dense: packed.XnorDenseOp) -> None:
    """Compare counts themselves where a single threshold decides on a bit.

    `K − 2·count + offset >= t` is `count < (K + offset − t) // 2 + 1`.
    """
    staircase, result = dense.staircase, dense.output.type
    if (
        staircase is None
        or not isinstance(result, BitsType)
        or plane_weights(result.element_type) != (1,)
        or (staircase.levels, staircase.steps, staircase.bias) != (1, None, 0)
    ):
        return
    offsets = np.zeros((1,), np.int64) if dense.offsets is None else dense.offsets.numpy()
    thresholds = staircase.thresholds.numpy().astype(np.int64)[:, 0]
    limits = (dense.columns + offsets.astype(np.int64) - thresholds) // 2 + 1
    shape = (dense.channels,) if dense.offsets is None else dense.offsets.shape
    limits = np.broadcast_to(np.clip(limits, 0, dense.columns + 1), shape)
    dense.limits = DenseAttr.from_integers(limits)
    dense.thresholds = dense.bias = dense.offsets = None


def block_words(words: int, cap: int) -> int:
    """Words that straight code should take at a time, so that no more than `cap` are written out.

    Blocks are pairs, and the last may be shorter: code of its own.
    """
    if words <= cap:
        return words
    sizes = [size for size in range(2, cap + 1, 2) if size + words % size <= cap]
    return min(sizes or [2], key=lambda size: (-(-words // size) * COUNTING, -size))


__all__ = ["ChooseKernels", "block_words", "set_limits"]
