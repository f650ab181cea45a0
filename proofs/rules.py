"""The rewrite rules of the streamlining passes, each with its proof.

The rules are found in the package, not listed: the tests fail for one without a proof here.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import partial

from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import RewritePattern

import irc.passes.streamline
from irc.passes.streamline.declare_inputs import DeclareInputs
from irc.passes.streamline.narrow_accumulators import NarrowAccumulators
from irc.passes.streamline.streamline import Streamline
from proofs import accumulators, declared_inputs
from proofs.pattern_passes import unproven_in
from proofs.rule_check import RuleCase, check
from proofs.rules_of_functions import FUNCTIONS
from proofs.rules_of_moves import MOVES
from proofs.rules_of_passes import PASSES
from proofs.theorem import Outcome, Theorem, combined

FAMILY = "rule"

CASES: dict[type, list[RuleCase]] = {**MOVES, **FUNCTIONS, **PASSES}

OF_THEIR_OWN = {NarrowAccumulators: accumulators.prove, DeclareInputs: declared_inputs.prove}
"""Passes that change types or inputs, so that their networks compare in a way of their own."""

EXEMPT: dict[type, str] = {Streamline: "runs the others in turn until none changes anything"}
"""Passes without a proof of their own, and why that is none of theirs."""


def rules() -> list[type]:
    """Every pattern and pass of the streamlining package, in order of their modules."""
    found: list[type] = []
    for module_info in pkgutil.iter_modules(irc.passes.streamline.__path__):
        module = importlib.import_module(f"irc.passes.streamline.{module_info.name}")
        found += [
            cls
            for cls in vars(module).values()
            if inspect.isclass(cls)
            and cls.__module__ == module.__name__
            and issubclass(cls, RewritePattern | ModulePass)
        ]
    return found


def without_proof() -> list[str]:
    """Rules of which nothing here is proven, and why: none, if all is well.

    A pass is proven by a case of its own, or, if it does nothing but apply patterns, by theirs.
    """
    found: list[str] = []
    for rule in rules():
        if rule in CASES or rule in OF_THEIR_OWN or rule in EXEMPT:
            continue
        lacks = unproven_in(rule, CASES) if issubclass(rule, ModulePass) else ["no case"]
        found += [f"{rule.__name__}: {what}" for what in lacks]
    return found


def prove_cases(cases: list[RuleCase], seconds: float) -> Outcome:
    """All the cases of one rule."""
    return combined(check(case, seconds) for case in cases)


def _bound(cases: list[RuleCase]) -> str:
    """What the constants and inputs may be."""
    constants = "any constants" if all(c.symbolic for c in cases) else "given constants"
    if any(c.symbolic for c in cases) and not all(c.symbolic for c in cases):
        constants = "any constants, or given ones"
    inputs = "all integers of the types" if any(c.ranged for c in cases) else "all real inputs"
    condition = "; signs of constants as the rule checks" if any(c.signs for c in cases) else ""
    count = f"{len(cases)} network" + ("s" if len(cases) > 1 else "")
    return f"{count}, {constants}, {inputs}{condition}"


def _claim(rule: type) -> str:
    """The first line of a docstring, where a rule states its identity."""
    return (inspect.getdoc(rule) or "").partition("\n\n")[0].replace("\n", " ")


def theorems() -> list[Theorem]:
    """One for each rule."""
    found = [
        Theorem(
            FAMILY, rule.__name__, _claim(rule), _bound(cases), partial(prove_cases, cases), True
        )
        for rule, cases in CASES.items()
    ]
    for rule, prove in OF_THEIR_OWN.items():
        bound = "given weights" if rule is NarrowAccumulators else "given declarations"
        claim = " ".join((inspect.getmodule(prove).__doc__ or "").split())  # pyright: ignore
        found.append(Theorem(FAMILY, rule.__name__, claim, f"{bound}, all integers", prove, True))
    return found
