"""Columns of a weight matrix in groups in which many rows coincide.

What a group of columns adds to a row depends on the weights there alone: rows of equal weights in a
group share it, so that the fewer patterns of weights a group has, the less there is to compute.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

SWAPS = 4000
"""Exchanges of two columns that are tried; the same ones in every run."""


def column_groups(weights: Array, size: int) -> list[list[int]]:
    """The columns of `weights` [M, K] in groups of `size`, the last of which may be smaller.

    Groups are filled one after the other, each time by the column that adds the fewest patterns of
    weights; then columns are exchanged between groups as long as that helps, in a number of tries.
    """
    _, codes = np.unique(weights, return_inverse=True)
    codes = codes.reshape(weights.shape).astype(np.int64)
    base = int(codes.max(initial=0)) + 1
    left, groups = list(range(weights.shape[1])), list[list[int]]()
    while left:
        group = [left.pop(0)]
        pattern = codes[:, group[0]]
        while left and len(group) < size:
            best = int(np.argmin(_patterns(pattern[:, None] * base + codes[:, left])))
            column = left.pop(best)
            group.append(column)
            _, pattern = np.unique(pattern * base + codes[:, column], return_inverse=True)
        groups.append(group)
    _exchange(codes, base, groups)
    return [sorted(group) for group in groups]


def pattern_count(weights: Array, groups: list[list[int]]) -> int:
    """How many patterns of weights all groups have together."""
    return sum(len(np.unique(weights[:, group], axis=0)) for group in groups)


def _patterns(codes: Array) -> Array:
    """Different numbers in each column of `codes` [M, N]: [N]."""
    ordered = np.sort(codes, axis=0)
    return 1 + (ordered[1:] != ordered[:-1]).sum(axis=0)


def _exchange(codes: Array, base: int, groups: list[list[int]]) -> None:
    if len(groups) < 2:
        return
    rng = np.random.default_rng(0)
    powers = base ** np.arange(max(map(len, groups)), dtype=np.int64)

    def count(group: list[int]) -> int:
        return len(set((codes[:, group] @ powers[: len(group)]).tolist()))

    counts = [count(group) for group in groups]
    for _ in range(SWAPS):
        a, b = (int(g) for g in rng.choice(len(groups), 2, replace=False))
        i, j = (int(rng.integers(len(groups[g]))) for g in (a, b))
        first, second = [*groups[a]], [*groups[b]]
        first[i], second[j] = second[j], first[i]
        after = count(first), count(second)
        if sum(after) < counts[a] + counts[b]:
            groups[a], groups[b] = first, second
            counts[a], counts[b] = after
