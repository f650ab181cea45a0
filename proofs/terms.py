"""Terms of the SMT solver z3, and what is asked of it.

z3 comes without types: everything else here goes through this module.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

from proofs import theorem
from proofs.theorem import Outcome

z3: Any = importlib.import_module("z3")

Term: TypeAlias = Any
"""An integer, real, truth value or word of z3."""


def integer(name: str) -> Term:
    """Any integer."""
    return z3.Int(name)


def real(name: str) -> Term:
    """Any real number."""
    return z3.Real(name)


def constant(value: int | Fraction) -> Term:
    """This integer, or this real number."""
    if isinstance(value, Fraction):
        return z3.RealVal(f"{value.numerator}/{value.denominator}")
    return z3.IntVal(value)


def is_integer(term: Term) -> bool:
    """Whether a term is of the integers, not of the reals."""
    return bool(term.is_int())


def as_real(term: Term) -> Term:
    """An integer as the real number that it is; a real number as it is."""
    return z3.ToReal(term) if is_integer(term) else term


def maximum(a: Term, b: Term) -> Term:
    """The larger of two."""
    return z3.If(a >= b, a, b)


def minimum(a: Term, b: Term) -> Term:
    """The smaller of two."""
    return z3.If(a <= b, a, b)


@dataclass(frozen=True)
class Verdict:
    """What the solver says of a claim: `proven`, `refuted` with a counterexample, or `open` where
    its time was not enough, which `detail` says then."""

    status: str
    detail: str = ""

    @property
    def is_proven(self) -> bool:
        """Whether the claim holds without exception."""
        return self.status == "proven"


PROVEN = Verdict("proven")


def decide(claims: Iterable[Term], assumptions: Iterable[Term], seconds: float) -> Verdict:
    """Whether all claims follow from the assumptions, each within so many seconds."""
    known = list(assumptions)
    for claim in claims:
        simple = z3.simplify(claim, som=True)
        if z3.is_true(simple):
            continue
        solver = z3.Solver()
        solver.set("timeout", int(seconds * 1000))
        solver.add(*known, z3.Not(simple))
        answer = solver.check()
        if answer == z3.sat:
            return Verdict("refuted", " ".join(str(solver.model()).split()))
        if answer != z3.unsat:
            return Verdict("open", f"not decided in {seconds:g} s")
    return PROVEN


def contradiction(assumptions: Iterable[Term], seconds: float) -> Outcome | None:
    """What a theorem comes to if nothing is known to fulfil its assumptions, since from a
    contradiction everything follows; None where something does."""
    solver = z3.Solver()
    solver.set("timeout", int(seconds * 1000))
    solver.add(*assumptions)
    answer = solver.check()
    if answer == z3.sat:
        return None
    if answer == z3.unsat:
        return Outcome(theorem.REFUTED, "the assumptions contradict each other")
    return Outcome(theorem.OPEN, "whether the assumptions can hold together was not decided")
