"""Proves that what a rule makes of a network computes what the network did, for all inputs.

The rule itself runs, as the compiler runs it. Both networks are then read as terms: every input
element is a variable, and so is every constant that a number stands for which occurs only once
(see `Net.tags`). A rule that only moves constants is thereby proven for all of them; where a rule
computes constants from others, the case says by which formulas, it is checked that the rule wrote
what these give, and the proof takes the formulas.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import Float32Type, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation
from xdsl.pattern_rewriter import RewritePattern

from irc.dialects import bnn
from irc.passes.rewriting import apply_greedily, functions_of
from proofs.bnn_semantics import Semantics, each, numbers, terms
from proofs.rule_networks import conditions
from proofs.terms import (
    Term,
    Verdict,
    as_real,
    constant,
    contradiction,
    decide,
    integer,
    is_integer,
    real,
    z3,
)
from proofs.theorem import OPEN, PROVEN, REFUTED, Outcome, with_wrong_versions

Array = npt.NDArray[Any]
Symbols = Mapping[str, Array]
"""The constants of the network before, by `<place of the operation>.<property>`."""

Disturbed = tuple[int | None, tuple[str, int, int] | None]
"""The operation that is made wrong, if any; of it the result or, by property, place and addend, one
number of a constant."""

Formula = Callable[[Symbols], Array]


@dataclass(frozen=True)
class RuleCase:
    """A network, and the rule that changes it."""

    module: Callable[[], ModuleOp]
    run: Callable[[ModuleOp], object]
    symbolic: bool = True
    """Whether constants stand for any numbers; else for themselves."""
    formulas: Mapping[str, Formula] = field(default_factory=dict[str, Formula])
    """What the rule computes, by `<place of the operation>.<property>` of the network after."""
    signs: bool = False
    """Side condition: every constant has the sign of the number that stands for it."""
    ranged: bool = False
    """Side condition: inputs are integers of their types; else they are any real numbers, which
    any integers are among."""

    @staticmethod
    def of_pattern(
        pattern: RewritePattern, module: Callable[[], ModuleOp], **options: Any
    ) -> RuleCase:
        """A case for one pattern, applied until it finds nothing."""
        return RuleCase(module, lambda m: apply_greedily(m, pattern), **options)


def check(case: RuleCase, seconds: float) -> Outcome:
    """Prove a case, and refute every disturbed version of what the rule made."""
    before = case.module()
    after = before.clone()
    case.run(after)
    if before.is_structurally_equivalent(after):
        return Outcome(REFUTED, "the rule did not change the network")
    after.verify()
    return _Check(case, before, after, seconds).outcome()


class _Check:
    def __init__(self, case: RuleCase, before: ModuleOp, after: ModuleOp, seconds: float) -> None:
        self.case, self.seconds = case, seconds
        self.before, self.after = _function(before), _function(after)
        self.known: list[Term] = []
        self.by_number: dict[float, Term] = {}
        self.symbols: dict[str, Array] = {}
        self.inputs = [self._input(index, arg) for index, arg in enumerate(self.before.args)]

    def _input(self, index: int, arg: Any) -> Array:
        kind = bnn.frame_type(arg)
        is_float = isinstance(kind.element_type, Float32Type)
        make = integer if self.case.ranged and not is_float else real
        size = int(np.prod(kind.get_shape()))
        flat = [make(f"x{index}_{place}") for place in range(size)]
        if make is integer:
            for term in flat:
                self.known += conditions(kind.element_type, term)
        return terms(flat, kind.get_shape())

    def outcome(self) -> Outcome:
        semantics = Semantics(self._read_before)
        expected = semantics.run(self.before, self.inputs)
        self.known += semantics.assumptions()
        verdict = self._compare(expected, (None, None))
        if verdict.status != "proven":
            return Outcome(OPEN if verdict.status == "open" else REFUTED, verdict.detail)
        if doubt := contradiction(self.known, self.seconds):
            return doubt
        return with_wrong_versions(Outcome(PROVEN), self._wrong_versions(expected))

    def _wrong_versions(self, expected: list[Array]) -> Iterator[tuple[str, str]]:
        """Each must have a counterexample: else the proof would show nothing."""
        for place, op in enumerate(list(self.after.body.block.ops)[:-1]):
            verdict = self._compare(expected, (place, None))
            yield f"a wrong order behind {op.name}, {place},", verdict.status
            names = [name for name, value in op.properties.items() if _is_meant(name, value)]
            for name in names:
                found = self._status_of_wrong_constants(expected, place, name)
                yield f"every wrong {name} of {op.name}, {place},", found
        if self.case.signs:
            self.known = []
            verdict = self._compare(expected, (None, None))
            yield "the rule without the condition on signs", verdict.status

    def _status_of_wrong_constants(self, expected: list[Array], place: int, name: str) -> str:
        """`refuted` if any number of a constant that is one off is found out, since a threshold
        that nothing reaches is not; `proven` if none is, and all were decided."""
        attribute = list(self.after.body.block.ops)[place].properties[name]
        assert isinstance(attribute, bnn.DenseAttr)
        found = PROVEN
        for addend in (1, -1):
            for index in range(attribute.size):
                status = self._compare(expected, (place, (name, index, addend))).status
                if status == REFUTED:
                    return REFUTED
                found = OPEN if status == OPEN else found
        return found

    def _compare(self, expected: list[Array], disturbed: Disturbed) -> Verdict:
        place, constant_of = disturbed

        def read(op: Operation, name: str, attribute: bnn.DenseAttr) -> Array:
            found = self._read_after(op, name, attribute)
            if constant_of is None or _place(op) != place or constant_of[0] != name:
                return found
            flat = list(found.reshape(-1))
            flat[constant_of[1]] = flat[constant_of[1]] + constant_of[2]
            return terms(flat, found.shape)

        semantics = Semantics(read, place if constant_of is None else None)
        found = semantics.run(self.after, self.inputs)
        # Functions without a definition are the same on both sides: pairs across them count.
        together = [*self.known, *semantics.assumptions()]
        claims = [
            as_real(a) == as_real(b) if is_integer(a) != is_integer(b) else a == b
            for old, new in zip(expected, found, strict=True)
            for a, b in zip(old.reshape(-1), new.reshape(-1), strict=True)
        ]
        return decide(claims, together, self.seconds)

    def _read_before(self, op: Operation, name: str, attribute: bnn.DenseAttr) -> Array:
        found = numbers(attribute)
        if self.case.symbolic:
            flat = [self._symbol(value) for value in attribute.numpy().reshape(-1).tolist()]
            found = terms(flat, attribute.shape)
        self.symbols[f"{_place(op)}.{name}"] = found
        return found

    def _symbol(self, value: float) -> Term:
        """The variable that a number stands for."""
        if value in (0, 1, -1, 2) or abs(value) > 1e30:
            return constant(value if isinstance(value, int) else Fraction(value))
        if value not in self.by_number:
            self.by_number[value] = real(f"c{len(self.by_number)}")
            if self.case.signs:
                term = self.by_number[value]
                self.known.append(term > 0 if value > 0 else term < 0)
        return self.by_number[value]

    def _read_after(self, op: Operation, name: str, attribute: bnn.DenseAttr) -> Array:
        if not self.case.symbolic:
            return numbers(attribute)
        formula = self.case.formulas.get(f"{_place(op)}.{name}")
        if formula is not None:
            return self._by_formula(formula, attribute)
        flat: list[Term] = []
        for value in attribute.numpy().reshape(-1).tolist():
            if value not in self.by_number and value not in (0, 1, -1, 2) and abs(value) < 1e30:
                raise ValueError(f"{op.name}, {name}: {value} is no constant of the network before")
            flat.append(self._symbol(value))
        return terms(flat, attribute.shape)

    def _by_formula(self, formula: Formula, attribute: bnn.DenseAttr) -> Array:
        found = formula(self.symbols)
        found = np.broadcast_to(found.reshape(-1), attribute.size).reshape(attribute.shape)
        # What the rule wrote is what the formula gives for the numbers that stand for symbols.
        numbers_of = [
            (symbol, constant(Fraction(value))) for value, symbol in self.by_number.items()
        ]
        concrete = each(lambda t: z3.simplify(z3.substitute(t, *numbers_of)), found)
        for term, value in zip(concrete.reshape(-1), attribute.numpy().reshape(-1), strict=True):
            exact = Fraction(term.numerator_as_long(), term.denominator_as_long())
            if np.float32(float(exact)) != value:
                raise ValueError(f"the rule wrote {value}, where the formula gives {exact}")
        return found


def _is_meant(name: str, value: object) -> bool:
    """Whether a property is a constant that counts; errors are stated for the margin alone."""
    return isinstance(value, bnn.DenseAttr) and not name.endswith("_error")


def _place(op: Operation) -> int:
    block = op.parent
    assert block is not None
    return list(block.ops).index(op)


def _function(module: ModuleOp) -> FuncOp:
    return next(iter(functions_of(module)))
