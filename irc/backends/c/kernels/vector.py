"""C for processors with wide vectors: the kernels of target host.

Sixteen results lie side by side in a vector (`vectors.h`), and a word of the operand meets a word
of each of them at once. Weights are stored in that order: groups of 16 rows, in a group word by
word, in a word row by row. Rows are filled up to a multiple of 32 with zeros, so that results fill
words; limits of such rows are 0, and their bits, too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, StringAttr, UnitAttr, i64

from irc.backends.c.kernels.dense import placed_parts
from irc.backends.c.kernels.patches import call_dense_rows
from irc.backends.c.kernels.sink import result_arguments, thresholding_sink
from irc.backends.c.text import c_type
from irc.backends.c.unit import Moving, Unit
from irc.dialects import packed
from irc.dialects.dense import DenseAttr, element_range, sint
from irc.dialects.packed_types import BitsType, plane_weights

Array = npt.NDArray[Any]

LANES = 16
"""Results in a vector of `vectors.h`."""
BLOCK = 2 * LANES
"""Results in a word of bits."""
BYTES = 4
"""Products that are added in one step of `irc_multiply`."""

_COUNT = """
/* Ones in the differences of x from 16 rows each. */
IRC_INLINE void $name(const uint32_t *x, const uint32_t *w, size_t groups, irc_lanes *counts)
{
    for (size_t g = 0; g < groups; ++g) {
        counts[g] = (irc_lanes){0};
    }
    for (size_t k = 0; k < $words; ++k) {
        for (size_t g = 0; g < groups; ++g) {
            irc_lanes row;
            irc_load(&row, w + (g * $words + k) * IRC_LANES);
            row ^= x[k];
            irc_count(&counts[g], &row);
        }
    }
}
"""

_LIMITS = """
/* Bipolar by bipolar: bit = popcount(w ^ x) < limit, for blocks of 32 results. */
IRC_INLINE void $name(
    const uint32_t *x, const uint32_t *w, const int32_t *limits, size_t groups, uint32_t *y)
{
    irc_lanes counts[4];
    $count(x, w, groups, counts);
    for (size_t g = 0; g < groups; g += 2u) {
        uint32_t bits[2];
        for (size_t i = 0; i < 2u; ++i) {
            const irc_signed_lanes got = (irc_signed_lanes)counts[g + i];
            irc_signed_lanes least;
            memcpy(&least, limits + (g + i) * IRC_LANES, sizeof least);
            bits[i] = irc_less(&got, &least);
        }
        y[g / 2u] = bits[0] | bits[1] << IRC_LANES;
    }
}
"""

_BITS = """
/* Bipolar by bipolar, all results of a row: 64 at a time, as many as there are registers for. */
static void $name(
    const uint32_t *x, const uint32_t *w, const int32_t *limits, size_t blocks, uint32_t *y)
{
    for (; blocks >= 2u; blocks -= 2u) {
        $part(x, w, limits, 4, y);
        w += 64u * $words;
        limits += 64;
        y += 2;
    }
    if (blocks > 0) {
        $part(x, w, limits, 2, y);
    }
}
"""

_SUMS = """
/* Bipolar by bipolar: acc = K - 2 * popcount(w ^ x)$corrected. */
static void $name(
    const uint32_t *x, const uint32_t *w, $acc size, size_t results$offsets$parameters)
{
    $declare
    irc_lanes counts[2];
    for (size_t m = 0; m < results; ++m) {
        if (m % 32u == 0) {
            $count(x, w + m * $words, 2, counts);
        }
        const uint32_t count = counts[m % 32u / IRC_LANES][m % IRC_LANES];
        const $acc acc = ($acc)($sum);
        $consume
    }
}
"""

_BYTES = """
/* Bipolar by bytes: bit = acc >= t, for blocks of 32 results. */
static void $name(
    const uint8_t *x, const int8_t *w, const int32_t *t, size_t blocks, uint32_t *y)
{
    unsigned char row[$padded] = {0};
    memcpy(row, x, $size);
    for (; blocks > 0; --blocks) {
        uint32_t bits = 0;
        for (unsigned shift = 0; shift < 32u; shift += IRC_LANES) {
            irc_signed_lanes sums = {0}, least;
            for (size_t k = 0; k < $padded; k += 4u) {
                irc_multiply(&sums, row + k, w);
                w += 4u * IRC_LANES;
            }
            memcpy(&least, t, sizeof least);
            bits |= irc_less(&sums, &least) << shift;
            t += IRC_LANES;
        }
        *y = ~bits;
        ++y;
    }
}
"""


def choose_vectors(module: ModuleOp) -> None:
    """Choose the kernels for wide vectors wherever there is one, in place."""
    for op in module.walk():
        if isinstance(op, packed.XnorDenseOp) and _suits_xnor(op):
            op.use_loop()
            op.kernel = StringAttr("vector")
            op.block = IntegerAttr(packed.bits_type(op.input).words, i64)
        elif isinstance(op, packed.SignDenseOp) and _suits_sign(op):
            op.vectors = UnitAttr()


def _suits_xnor(op: packed.XnorDenseOp) -> bool:
    words = {packed.bits_type(op.input).word}
    if op.limits is not None:
        words.add(packed.bits_type(op.output).word)
    return words == {32}


def _suits_sign(op: packed.SignDenseOp) -> bool:
    """Bytes, and a single threshold for each result, or for all, that makes it a bit."""
    staircase, result = op.staircase, op.output.type
    low, high = element_range(packed.array_type(op.input).element_type)
    return (
        (low, high) == (0, 255)
        and op.accumulator.width.data <= 32
        and staircase is not None
        and isinstance(result, BitsType)
        and result.word == 32
        and plane_weights(result.element_type) == (1,)
        and (staircase.levels, staircase.steps, staircase.bias) == (1, None, 0)
        and staircase.channels in (1, op.channels)
    )


def emit_sign_vectors(unit: Unit, op: packed.SignDenseOp) -> None:
    """Products of four bytes with four signs are added in one step."""
    assert op.staircase is not None
    _define(unit)
    label, size = op.label.data, op.columns
    padded = -(-size // BYTES) * BYTES
    signs = np.zeros((-(-op.channels // BLOCK) * BLOCK, padded), np.int8)
    signs[: op.channels, :size] = 2 * op.bits().astype(np.int8) - 1
    steps = signs.reshape(-1, LANES, padded // BYTES, BYTES).swapaxes(1, 2)
    constant = DenseAttr.from_numpy(np.ascontiguousarray(steps), sint(8))
    # No sum reaches what stands behind the last: its bits are 0.
    thresholds = np.full(len(signs), (1 << 31) - 1, np.int64)
    thresholds[: op.channels] = op.staircase.thresholds.numpy()[:, 0]
    function = unit.function("sign_vectors", _BYTES, size=f"{size}u", padded=f"{padded}u")
    arguments = [
        unit.constant(label, "weights", constant),
        unit.constant(label, "thresholds", DenseAttr.from_numpy(thresholds, sint(32))),
        f"{len(signs) // BLOCK}u",
    ]
    y = unit.address(op.output)
    stored = y if op.is_lazy else Moving(y, packed.bits_type(op.output).words)
    call_dense_rows(unit, op, function, [*arguments, stored])


def _define(unit: Unit) -> None:
    # Vectors across the lines of a cache take twice as long to load.
    unit.section = unit.section or " IRC_ALIGNED"
    unit.define_once(Path(__file__).with_name("vectors.h").read_text(encoding="utf-8").strip())


def emit_xnor_vectors(unit: Unit, op: packed.XnorDenseOp) -> None:
    """Counts of 32 results at a time, or of 64; where they have limits, compared side by side."""
    _define(unit)
    words = f"{packed.bits_type(op.input).words}u"
    rows = _padded(op.row_words, 0)
    groups = rows.reshape(-1, LANES, rows.shape[1]).swapaxes(1, 2)
    constant = DenseAttr.from_numpy(np.ascontiguousarray(groups), op.weights.element_type)
    weights = unit.words(op.label.data, "weights", constant)
    count = unit.function("count_vectors", _COUNT, words=words)
    if op.limits is None:
        _emit_sums(unit, op, {"count": count, "words": words}, weights)
        return
    padded = DenseAttr.from_numpy(_padded(op.limits.numpy().T, 0).T, sint(32))
    _, limits = placed_parts(unit, op, "limits", padded)
    part = unit.function("xnor_part", _LIMITS, count=count)
    function = unit.function("xnor_vectors", _BITS, part=part, words=words)
    y = unit.address(op.output)
    stored = y if op.is_lazy else Moving(y, packed.bits_type(op.output).words)
    call_dense_rows(unit, op, function, [weights, limits, f"{len(rows) // BLOCK}u", stored])


def _emit_sums(unit: Unit, op: packed.XnorDenseOp, parts: dict[str, str], weights: str) -> None:
    acc = c_type(op.accumulator)
    sink = thresholding_sink(unit, op, op.channels)
    offsets: list[str] = []
    added = parameter = ""
    if op.offsets is not None:
        kind, place = placed_parts(unit, op, "offsets")
        offsets, added, parameter = [place], f" + ({acc})offsets[m]", f", const {kind} *offsets"
    function = unit.function(
        "xnor_sums",
        _SUMS,
        acc=acc,
        sum=f"size - 2 * ({acc})count" + added,
        corrected=", plus what undoes the border" if op.offsets is not None else "",
        offsets=parameter,
        **parts,
        **sink.parts(),
    )
    sizes = [str(packed.bits_type(op.input).width), f"{op.channels}u", *offsets]
    call_dense_rows(unit, op, function, [weights, *sizes, *result_arguments(unit, sink, op)])


def _padded(rows: Array, value: int) -> Array:
    """Rows [M, …] filled up to a multiple of `BLOCK`; also columns, given transposed."""
    missing = -len(rows) % BLOCK
    widths = [(0, missing)] + [(0, 0)] * (rows.ndim - 1)
    return np.pad(rows, widths, constant_values=value)


__all__ = ["choose_vectors", "emit_sign_vectors", "emit_xnor_vectors"]
