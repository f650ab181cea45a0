"""Several chains of float functions as one, for values that lie beside each other in one frame.

A function that only some of the chains have is there as an identity in the others: `x·1`, `x + −0`
and their like, which give x itself, to the bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from irc.dialects import bnn

Array = npt.NDArray[Any]

_LARGEST = float(np.finfo(np.float32).max)

IDENTITIES = {
    "mul": 1.0,
    "div": 1.0,
    "add": -0.0,
    "max": -_LARGEST,
    "min": _LARGEST,
    "prelu": 1.0,
}
"""Constants with which a function gives its argument, also −0 for −0."""


@dataclass(frozen=True)
class Function:
    """A float function with its constant and the errors stated, as scalars or broadcastable."""

    fn: str
    constant: Array | None = None
    constant_error: Array | None = None
    result_error: Array | None = None


def plain_functions(op: bnn.EwiseOp) -> list[Function]:
    """An operation by functions that have an identity, where there are such: the same bits."""
    attributes = (op.constant, op.constant_error, op.result_error)
    constant, *errors = (None if a is None else a.numpy() for a in attributes)
    match op.fn.data, constant:
        case "neg", None:
            return [Function("mul", np.array(-1, np.float32), None, errors[1])]
        case "relu", None:
            return [Function("max", np.array(0, np.float32), None, errors[1])]
        case "sub", c if c is not None:
            return [Function("add", -c, *errors)]
        case "rsub", c if c is not None:
            return [Function("mul", np.array(-1, np.float32)), Function("add", c, *errors)]
        case fn, _:
            return [Function(fn, constant, *errors)]


Row = list[Function | None]
"""One function of the common chain, an entry an operand: `None` where it is an identity."""


def aligned(chains: Sequence[Sequence[Function]]) -> list[Row] | None:
    """The chains as one of rows, as short as possible; `None` where a function without identity
    is not in all of them."""
    rows: list[Row] = [[function] for function in chains[0]]
    for index, chain in enumerate(chains[1:], 1):
        rows = _merged(rows, chain, index)
    if any(None in row and _fn(row) not in IDENTITIES for row in rows):
        return None
    return rows


def _fn(row: Row) -> str:
    return next(function.fn for function in row if function is not None)


def _merged(rows: list[Row], chain: Sequence[Function], index: int) -> list[Row]:
    """The shortest common supersequence of the rows' functions and another chain's."""
    m, n = len(rows), len(chain)
    # Length of the shortest for what is left from each pair of places on.
    length = np.zeros((m + 1, n + 1), np.int64)
    length[m, :] = np.arange(n, -1, -1)
    length[:, n] = np.arange(m, -1, -1)
    for i in range(m - 1, -1, -1):
        for j in range(n - 1, -1, -1):
            both = _fn(rows[i]) == chain[j].fn
            length[i, j] = 1 + (
                length[i + 1, j + 1] if both else min(length[i + 1, j], length[i, j + 1])
            )
    found: list[Row] = []
    i = j = 0
    while i < m or j < n:
        if i < m and j < n and _fn(rows[i]) == chain[j].fn:
            found.append([*rows[i], chain[j]])
            i, j = i + 1, j + 1
        elif j == n or (i < m and length[i + 1, j] <= length[i, j + 1]):
            found.append([*rows[i], None])
            i += 1
        else:
            found.append([*([None] * index), chain[j]])
            j += 1
    return found


def joined_row(row: Row, shapes: Sequence[tuple[int, ...]], axis: int) -> Function | None:
    """The functions of a row as one of the frames of `shapes`, joined along `axis`.

    `None` where its constants would differ between pixels.
    """
    fn = _fn(row)
    identity = Function(fn, np.array(IDENTITIES.get(fn, 0.0), np.float32))
    functions = [identity if function is None else function for function in row]
    found: list[Array | None] = []
    for name in ("constant", "constant_error", "result_error"):
        arrays: list[Array | None] = [getattr(function, name) for function in functions]
        if all(a is None for a in arrays):
            found.append(None)
            continue
        joined = _joined([np.zeros(()) if a is None else a for a in arrays], shapes, axis)
        if joined is None:
            return None
        found.append(joined)
    return Function(fn, *found)


def _joined(
    constants: Sequence[Array], shapes: Sequence[tuple[int, ...]], axis: int
) -> Array | None:
    first = constants[0].reshape(-1)[:1]
    if all(c.size == 1 and bool((c.reshape(-1) == first).all()) for c in constants):
        return first.reshape(())
    if all(c.size in (1, *c.shape[-1:]) for c in constants):
        rows = [
            np.broadcast_to(c.reshape(-1), s[-1:]) for c, s in zip(constants, shapes, strict=True)
        ]
        if axis == len(shapes[0]) - 1:
            return np.concatenate(rows)
        if all(bool((row == rows[0]).all()) for row in rows):
            return rows[0]
    return None
