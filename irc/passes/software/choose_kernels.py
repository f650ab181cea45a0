"""Which machine code counts bits: choices that change the speed of kernels, not their results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, StringAttr, UnitAttr, i64
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass

from irc.dialects import packed
from irc.dialects.dense import BipolarType, DenseAttr, element_range, element_width
from irc.dialects.packed_bits_dense import MOST_TREE_WORDS, TERNARY_PLANES
from irc.dialects.packed_lanes import LANES
from irc.dialects.packed_lookup import MOST_TAPS, WINDOW, SumTable, sum_tables
from irc.dialects.packed_pairs import pair_words
from irc.dialects.packed_types import BitsType, plane_weights
from irc.errors import UsageError
from irc.passes.software.dense_kernels import pays_lookup
from irc.passes.software.float_keys import code_keys
from irc.rejections import reject

STRATEGIES = ("auto", "tree", *packed.POPCOUNTS)

TREE_WORD = 32
"""Words that trees add."""
WORD_CODE = 32
"""Bytes of straight code for a word, about: 28 in Thumb, 40 on RISC-V."""
COUNTING = 4.0
"""The cost of counting the planes of a block, in words of a tree: what blocks multiply."""
WORTH_COUNTING = 8
"""Words of a tree for which it pays to count its planes. Blocks are pairs of words at least."""
LEAST_TAPS = 4
"""Tables of fewer elements have nearly as many entries together, and are more."""


@dataclass(frozen=True)
class ChooseKernels(ModulePass):
    """Choose straight code for bipolar layers, and the form of their weights and thresholds.

    `popcount` says how bits are counted: by carry-save adders (tree), by the compiler's builtin
    (for cores with an instruction for it), by masks (swar) or a table; `auto` is tree for words of
    32 bits, else what there is. A kernel of straight code takes at most `unroll` bytes, about; 0
    keeps loops. Layers of one width share a kernel; layers of fewer than `least_results` sums get
    so much less of it. With `lanes`, trees count a group of rows at once, in vectors.
    """

    name = "choose-kernels"

    popcount: str = "auto"
    unroll: int = 1024
    least_results: int = 32
    lanes: bool = False

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.popcount not in STRATEGIES:
            known = ", ".join(STRATEGIES)
            raise UsageError(f"{self.name}: popcount must be one of {known}, not {self.popcount}")
        if self.unroll < 0:
            raise UsageError(f"{self.name}: unroll must be bytes of code, not {self.unroll}")
        for dense in op.walk():
            if isinstance(dense, packed.FloatQuantizeOp):
                dense.keys = code_keys(dense)
            counts = isinstance(dense, packed.XnorDenseOp | packed.PlaneDenseOp)
            if counts and self.popcount in packed.POPCOUNTS:
                dense.popcount = StringAttr(self.popcount)
            if (
                isinstance(dense, packed.SignDenseOp)
                and self.unroll
                and pays_lookup(dense.columns, dense.channels)
            ):
                dense.use_lookup(lookup_taps(dense.columns, dense.channels))
            if isinstance(dense, packed.XnorDenseOp):
                set_limits(dense)
            if isinstance(dense, packed.PlaneDenseOp) and is_ternary(dense):
                dense.ternary = UnitAttr()
            if isinstance(dense, packed.XnorDenseOp | packed.PlaneDenseOp):
                self._unroll(dense)

    def _unroll(self, dense: packed.XnorDenseOp | packed.PlaneDenseOp) -> None:
        source = packed.bits_type(dense.input)
        cap = self.unroll // (WORD_CODE * products(dense))
        is_tree = self.popcount in ("auto", "tree") and source.word == TREE_WORD
        results = dense.rows * dense.channels
        least = 2
        if results < self.least_results:
            cap, least = cap * results // self.least_results, WORTH_COUNTING
        if is_tree:
            cap = min(cap, MOST_TREE_WORDS // weight_of_words(dense))
        if dense.kernel is not None:
            return
        if cap < min(least, source.words):
            reject(dense, "straight code", f"it takes more than unroll={self.unroll} bytes")
            return
        if not is_tree and (self.popcount != "builtin" or isinstance(dense, packed.PlaneDenseOp)):
            return
        dense.kernel = StringAttr("tree" if is_tree else "unrolled")
        dense.block = IntegerAttr(block_words(source.words, cap), i64)
        if is_tree and isinstance(dense, packed.XnorDenseOp):
            words = pair_words(dense.weights.numpy())
            dense.weights = DenseAttr.from_numpy(words, dense.weights.element_type)
            dense.pairs = UnitAttr()
        if is_tree and self.lanes and dense.channels >= LANES:
            dense.use_lanes()


def is_ternary(dense: packed.PlaneDenseOp) -> bool:
    """Whether only −1, 0 and 1 are multiplied, and not only −1 and 1 of the activations."""
    if plane_weights(packed.bits_type(dense.input).element_type) != TERNARY_PLANES:
        return False
    low, high = code_range(dense.input)
    return low >= -1 and high <= 1 and (dense.has_bipolar_weights or dense.has_ternary_weights)


def code_range(value: SSAValue) -> tuple[int, int]:
    """Bounds of the values in a buffer, narrower than its type where its producer says so."""
    kind = packed.buffer_type(value).element_type
    producer = value.owner
    match producer:
        case packed.PackOp() | packed.TransposeOp():
            return code_range(producer.input)
        case packed.PatchesOp() | packed.PadOp():
            is_pad = isinstance(producer, packed.PadOp)
            border = producer.pad_value if is_pad else producer.border
            low, high = code_range(producer.input)
            return min(low, border), max(high, border)
        case packed.FloatQuantizeOp():
            return producer.bounds
        case packed.ThresholdingOp() if producer.staircase is not None:
            staircase = producer.staircase
            if staircase.steps is None and not isinstance(kind, BipolarType):
                return staircase.bias, staircase.bias + staircase.levels
        case _:
            pass
    return element_range(kind)


def products(dense: packed.XnorDenseOp | packed.PlaneDenseOp) -> int:
    """Pairs of planes, for each of which there are words to count."""
    if isinstance(dense, packed.XnorDenseOp):
        return 1
    if dense.ternary is not None:
        return 1 if dense.has_bipolar_weights else 2
    return packed.bits_type(dense.input).planes * element_width(dense.weight_type)


def weight_of_words(dense: packed.XnorDenseOp | packed.PlaneDenseOp) -> int:
    """What a word counts in a tree: with all pairs of planes, as many words of level 0."""
    if isinstance(dense, packed.XnorDenseOp) or dense.ternary is not None:
        return products(dense)
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


def lookup_taps(columns: int, channels: int) -> int:
    """Elements whose sums should be tabulated together, for the fewest instructions a row.

    An entry is added and stored once a row; a result takes three instructions for each table. More
    entries than 256, which are RAM, are for those only who have them in the smallest groups.
    """

    def cost(taps: int) -> int:
        tables = sum_tables(columns, taps)
        return 3 * channels * len(tables) + 2 * _entries(tables) + 8 * len(tables)

    fitting = [
        taps
        for taps in range(LEAST_TAPS, MOST_TAPS + 1)
        if taps == LEAST_TAPS or _entries(sum_tables(columns, taps)) <= WINDOW
    ]
    return min(fitting, key=cost)


def _entries(tables: Sequence[SumTable]) -> int:
    return sum(table.entries for table in tables)


def block_words(words: int, cap: int) -> int:
    """Words that straight code should take at a time, so that no more than `cap` are written out.

    Blocks are pairs, and the last may be shorter: code of its own.
    """
    if words <= cap:
        return words
    sizes = [size for size in range(2, cap + 1, 2) if size + words % size <= cap]
    return min(sizes or [2], key=lambda size: (-(-words // size) * COUNTING, -size))


__all__ = ["ChooseKernels", "block_words", "set_limits"]
