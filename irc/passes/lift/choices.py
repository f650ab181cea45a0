"""Values that are one of some constants, by which of some conditions hold.

`Where` inside `Where` is how models write ternary and other step functions. No operation chooses
between activations, but a sum of indicators times constants says the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import f32
from xdsl.ir import SSAValue

from irc.dialects import bnn
from irc.passes.lift.lifting import Lifting

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Choice:
    """`cases` of a bipolar condition and a constant each, no two of which hold together, and the
    constant where none holds."""

    cases: tuple[tuple[SSAValue, Array], ...]
    otherwise: Array

    def guarded(self, lifting: Lifting, condition: SSAValue, constant: Array) -> Choice:
        """`constant` where `condition` holds, else this choice."""
        rest = negation(lifting, condition)
        cases = [(both(lifting, rest, case), value) for case, value in self.cases]
        return Choice(((condition, constant), *cases), self.otherwise)


def emitted(lifting: Lifting, choice: Choice) -> SSAValue:
    """`otherwise + Σ (value − otherwise) · [condition]`, where that gives every constant to the
    bit; raises where it does not."""
    total: SSAValue | None = None
    base = choice.otherwise.astype(np.float32)
    for condition, value in choice.cases:
        # A step of 0, or one that overflows, is no reason for NumPy to warn.
        with np.errstate(all="ignore"):
            step = (value.astype(np.float32) - base).astype(np.float32)
            is_exact = (step + base == value) & ((step == 0) | np.isfinite(1 / step))
        if not bool(is_exact.all()):
            raise lifting.fail(
                f"chooses between {value.reshape(-1)[0]:g} and others whose difference is no "
                "float32 number; multiply by a scale behind it instead"
            )
        term = lifting.ewise("mul", indicator(lifting, condition), step)
        total = term if total is None else lifting.emit(bnn.AddOp(total, term, f32))
    assert total is not None
    return lifting.ewise("add", total, base) if base.any() else total


def indicator(lifting: Lifting, condition: SSAValue) -> SSAValue:
    """1.0 where a condition holds, 0.0 elsewhere, both exactly."""
    value = lifting.emit(bnn.CastOp(condition))
    return lifting.ewise("mul", lifting.ewise("add", value, 1.0), 0.5)


def negation(lifting: Lifting, value: SSAValue) -> SSAValue:
    """`not (y >= 0)` is `−y > 0`, and the other way round."""
    source, rounding = value, "bipolar"
    if isinstance(value.owner, bnn.QuantizeOp) and value.owner.rounding.data in bnn.SIGNS:
        source = value.owner.input
        rounding = "positive" if value.owner.rounding.data == "bipolar" else "bipolar"
    else:
        source = lifting.emit(bnn.CastOp(value))
    return lifting.emit(bnn.QuantizeOp(rounding, lifting.ewise("neg", source), bnn.bipolar))


def both(lifting: Lifting, lhs: SSAValue, rhs: SSAValue) -> SSAValue:
    """`a and b = (a + b − 1 >= 0)` for a, b = ±1."""
    return _from_sum(lifting, lhs, rhs, -1.0)


def either(lifting: Lifting, lhs: SSAValue, rhs: SSAValue) -> SSAValue:
    """`a or b = (a + b + 1 >= 0)` for a, b = ±1."""
    return _from_sum(lifting, lhs, rhs, 1.0)


def differ(lifting: Lifting, lhs: SSAValue, rhs: SSAValue) -> SSAValue:
    """`a xor b = (1 − |a + b| >= 0)` for a, b = ±1."""
    total = lifting.ewise("neg", lifting.ewise("abs", _sum(lifting, lhs, rhs)))
    total = lifting.ewise("add", total, 1.0)
    return lifting.emit(bnn.QuantizeOp("bipolar", total, bnn.bipolar))


def _from_sum(lifting: Lifting, lhs: SSAValue, rhs: SSAValue, offset: float) -> SSAValue:
    total = lifting.ewise("add", _sum(lifting, lhs, rhs), offset)
    return lifting.emit(bnn.QuantizeOp("bipolar", total, bnn.bipolar))


def _sum(lifting: Lifting, lhs: SSAValue, rhs: SSAValue) -> SSAValue:
    floats = [lifting.emit(bnn.CastOp(value)) for value in (lhs, rhs)]
    return lifting.emit(bnn.AddOp(floats[0], floats[1], f32))
