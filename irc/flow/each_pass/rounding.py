"""How far float32 may be off in an operation, whatever order a machine evaluates it in.

Passes may move a scale past a sum: the same function over the reals, another rounding in float32.
A frame on which that decides proves nothing. It is found by moving every float value within what
its own operation may round: where the answer moves as well, rounding decides.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.interpreter import Interpreter
from xdsl.ir import Operation

from irc.dialects import bnn
from irc.dialects.dense import DenseAttr
from irc.flow.each_pass.values import is_float
from irc.interp.ewise import apply_ewise

Array = npt.NDArray[Any]

UNIT_ROUNDOFF = 2.0**-24
FUNCTION_ULPS = 8
"""Units in the last place by which two machines' transcendental functions may differ."""

TRIALS = 8
"""How often values are moved: once all up, once all down, then each at random."""

EXACT = ("neg", "relu", "abs", "max", "min", "floor", "ceil", "round", "sign")
ARITHMETIC = ("add", "sub", "rsub", "mul", "div", "rdiv")

_MOVES = (
    bnn.ReshapeOp,
    bnn.TransposeOp,
    bnn.MaxPoolOp,
    bnn.PadOp,
    bnn.SliceOp,
    bnn.ConcatOp,
    bnn.UpsampleOp,
)


@dataclass
class Jitter:
    """Moves float results by up to their rounding error; `trial` counts from 0 to `TRIALS`."""

    trial: int
    _random: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self._random = np.random.default_rng(self.trial)

    def moved(
        self,
        interpreter: Interpreter,
        op: Operation,
        operands: tuple[Any, ...],
        results: tuple[Any, ...],
    ) -> tuple[Any, ...]:
        """The results of an operation, the floats among them moved."""
        if not any(is_float(result.type) for result in op.results) or isinstance(op, _MOVES):
            return results
        with np.errstate(all="ignore"):
            error = rounding_error(interpreter, op, operands, results[0])
            if error is None:
                return results
            sign: Any = (1.0, -1.0)[self.trial] if self.trial < 2 else self._signs(results[0])
            moved: Array = (results[0].astype(np.float64) + sign * error).astype(np.float32)
        np.copyto(moved, results[0], where=~np.isfinite(moved))
        return (moved, *results[1:])

    def _signs(self, like: Array) -> Array:
        return self._random.choice(np.array([-1.0, 1.0]), like.shape)


def rounding_error(
    interpreter: Interpreter, op: Operation, operands: tuple[Any, ...], result: Array
) -> Array | None:
    """How far `result` may be off, in its own shape; `None` where it is exact."""
    match op:
        case bnn.CastOp():
            error = np.abs(result.astype(np.float64) - operands[0])
            return error if error.any() else None
        case bnn.EwiseOp() if op.fn.data in EXACT:
            return None
        case bnn.EwiseOp() if op.fn.data in ARITHMETIC:
            constant = None if op.constant is None else op.constant.numpy().astype(np.float64)
            exact = apply_ewise(op.fn.data, operands[0].astype(np.float64), constant)
            return None if np.array_equal(exact, result) else _ulps(result, 1)
        case bnn.AddOp():
            exact = operands[0].astype(np.float64) + operands[1]
            return None if np.array_equal(exact, result) else _ulps(result, 1)
        case bnn.LinearOp() | bnn.ConvOp():
            return _sum_error(interpreter, op, operands, result)
        case bnn.SumPoolOp():
            total = interpreter.run_op(op, (np.abs(operands[0]),))[0]
            exact = interpreter.run_op(op, (operands[0].astype(np.float64),))[0]
            terms = op.window_size
            return None if np.array_equal(exact, result) else terms * UNIT_ROUNDOFF * total
        case _:
            return _ulps(result, FUNCTION_ULPS)


def _ulps(result: Array, count: int) -> Array:
    return count * np.spacing(np.abs(result)).astype(np.float64)


def _sum_error(
    interpreter: Interpreter,
    op: bnn.LinearOp | bnn.ConvOp,
    operands: tuple[Any, ...],
    result: Array,
) -> Array | None:
    """`n·u·Σ|w·x|`, which no order of summing n products exceeds (Jeannerod and Rump, 2013), and
    a few roundings of scale and offset."""
    whole = op.scales is None and op.offsets is None and (result == np.rint(result)).all()
    if whole and float(np.abs(result).max(initial=0)) < 2**20 and _is_whole(operands[0]):
        return None
    magnitudes = op.clone()
    for name in ("weights", "scales", "offsets"):
        constant = op.properties.get(name)
        if isinstance(constant, DenseAttr):
            magnitude = np.abs(constant.numpy().astype(np.float64)).astype(np.float32)
            magnitudes.properties[name] = DenseAttr.from_floats(magnitude)
    total = interpreter.run_op(magnitudes, (np.abs(operands[0]).astype(np.float32),))[0]
    magnitudes.erase()
    terms = op.weights.size // op.weights.shape[0]
    return (terms + 8) * UNIT_ROUNDOFF * total.astype(np.float64)


def _is_whole(x: Array) -> bool:
    return bool((x == np.rint(x)).all())
