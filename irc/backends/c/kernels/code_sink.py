"""A sink that thresholds sums into codes of some bits and packs these, plane by plane.

It puts itself into `Sink.loop`: results go word by word, without a test for the end of a word at
each of them.
"""

from __future__ import annotations

import numpy as np

from irc.backends.c.kernels.sink import Sink, bit_sink, is_one_bit, thresholding_sink
from irc.backends.c.text import c_type, fill, word_type
from irc.backends.c.unit import Unit
from irc.dialects import packed
from irc.dialects.packed_base import Staircase, ThresholdingOp
from irc.dialects.packed_types import BitsType, container_width

FEW_LEVELS = 3
"""Up to here all thresholds are compared; the place of a sum among more is searched by halving."""
CODE_WIDTH = 32

_COLLECT = "bits$j = ($type)((bits$j >> 1) | ($type)((($type)(code >> $j) & 1u) << $top));"

_HALVE = """
if (${bound}acc >= ${cast}t[code + $before]) {
    code += $half;
}
"""


def word_sink(unit: Unit, op: ThresholdingOp, width: int) -> Sink:
    """The sink of an op that puts it into `Sink.loop`: bits, word by word where it can be."""
    if is_one_bit(op, width):
        return bit_sink(unit, op)
    result, staircase = packed.buffer_type(op.output), op.staircase
    if (
        staircase is None
        or not isinstance(result, BitsType)
        or staircase.steps is not None
        or staircase.channels not in (1, width)
        or result.planes > CODE_WIDTH
        or not -(1 << 31) <= staircase.bias <= staircase.bias + staircase.levels < 1 << 31
    ):
        return thresholding_sink(unit, op, width)
    thresholds = staircase.thresholds
    sink = packing_sink(result, _code(op, staircase))
    sink.parameters.insert(0, f"$const {c_type(thresholds.element_type)} *t")
    sink.arguments = [unit.constant(op.label.data, "thresholds", thresholds)]
    if staircase.channels > 1:
        sink.consume.append(f"t += {staircase.levels};")
    return sink


def packing_sink(result: BitsType, code: list[str]) -> Sink:
    """The sink that collects the bits of `code`, an unsigned number of 32 bits at most."""
    word = word_type(result.word)
    sink = Sink(word=result.word, y_stride=result.planes * result.words, planes=result.planes)
    sink.parameters = [f"{word} *y"]
    if result.planes > 1:
        sink.parameters.append("size_t plane")
    sink.consume = [
        *code,
        *(
            fill(_COLLECT, j=str(j), type=word, top=str(result.word - 1))
            for j in range(result.planes)
        ),
    ]
    return sink


def _code(op: ThresholdingOp, staircase: Staircase) -> list[str]:
    """Statements that define the code of `acc`."""
    levels, acc = staircase.levels, c_type(op.accumulator)
    sums, stored = op.accumulator.width.data, container_width(staircase.thresholds.element_type)
    cast = f"({acc})" if sums > stored else ""
    values = staircase.thresholds.numpy().astype(np.int64)
    is_sorted = bool((np.diff(values, axis=1) >= 0).all())
    if levels > FEW_LEVELS and is_sorted:
        lines = [
            "/* Below how many thresholds, which ascend, the sum is not. */",
            "uint32_t code = 0;",
        ]
        half = 1 << (levels.bit_length() - 1)
        while half:
            # With one less than a power of two, no step leads beyond the last.
            bound = "" if not levels & (levels + 1) else f"code + {half}u <= {levels}u && "
            parts = {"before": f"{half - 1}u", "half": f"{half}u"}
            text = fill(_HALVE.replace("${bound}", bound).replace("${cast}", cast), **parts)
            lines += text.split("\n")
            half >>= 1
        return [*lines, f"code += (uint32_t){staircase.bias};"] if staircase.bias else lines
    top = f"(uint32_t){staircase.bias + levels}"
    if sums == 16 and stored <= 16:
        # The difference of two wider numbers could be too large.
        terms = [f"(uint32_t)((int32_t)acc - t[{i}]) >> 31" for i in range(levels)]
    else:
        terms = [f"(uint32_t)(acc < {cast}t[{i}])" for i in range(levels)]
    return [f"uint32_t code = {top};", *(f"code -= {term};" for term in terms)]


__all__ = ["packing_sink", "word_sink"]
