"""What becomes of the sums of a matrix-vector unit, and what they start from because of that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from irc.dialects import dataflow
from irc.passes.hardware.units.numbers import bits_for
from irc.passes.hardware.units.products import Products
from irc.passes.hardware.units.thresholds import Comparisons

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class SumEnd:
    """What becomes of the sums: thresholds, or an offset that is subtracted."""

    comparisons: Comparisons | None
    offsets: Array
    start: Array | None
    """[M]: what sums start from, where that takes the place of the only threshold, or of the
    offset; None where they start from 0."""
    low: int
    high: int
    """The range of complete sums."""
    is_fixed: bool = False
    """Whether the start is the same for all weights and thresholds."""

    @staticmethod
    def of(op: dataflow.MvuOp, products: Products) -> SumEnd:
        any_products = products.of_any_weights() if op.is_reloadable else products
        low, high = any_products.range()
        offsets, comparisons, start = products.offsets(), None, None
        if op.thresholds is not None:
            comparisons = Comparisons.of(op, low, high, products.scale, offsets)
            if comparisons.at.shape[1] == 1:
                start = -comparisons.at[:, 0]
        elif products.has_whole_start(any_weights=op.is_reloadable):
            start = -(offsets // products.scale)
        if start is None or op.synapse_folds == 1:
            return SumEnd(comparisons, offsets, None, low, high)
        start = np.resize(start, op.rows) if len(start) == 1 else start
        first, last = int(start.min()), int(start.max())
        if op.is_reloadable:
            first, last = _any_start(any_products, comparisons, low, high)
        low, high = low + first, high + last
        if comparisons is None:
            return SumEnd(None, offsets, start, low, high, is_fixed=products.has_fixed_offset)
        # Half the numbers there are is added, so that the top bit says what is not negative.
        half = 1 << bits_for(min(low, -1), high) - 1
        return SumEnd(comparisons, offsets, start + half, 0, 2 * half - 1)


def _any_start(
    any_products: Products, comparisons: Comparisons | None, low: int, high: int
) -> tuple[int, int]:
    """The least and the largest start under any weights and thresholds of the same types."""
    if comparisons is not None:
        return -(high + 1), -low
    starts_of_any = -(any_products.offsets() // any_products.scale)
    return int(starts_of_any.min()), int(starts_of_any.max())
