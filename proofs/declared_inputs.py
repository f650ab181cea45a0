"""What `declare-inputs` makes of a network is the network on the floats that the integers stand
for."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from xdsl.context import Context
from xdsl.dialects.builtin import f32

from irc.passes.rewriting import functions_of
from irc.passes.streamline.declare_inputs import DeclareInputs
from proofs.bnn_semantics import Semantics, each, terms
from proofs.rule_networks import network
from proofs.terms import Term, as_real, decide, integer
from proofs.theorem import OPEN, PROVEN, REFUTED, Outcome, with_wrong_versions

_DECLARATIONS: dict[str, Callable[[Term], Term]] = {
    "uint8/2": lambda n: n / 2,
    "int4*0.25": lambda n: n * Fraction(1, 4),
    "uint4/8-0.5": lambda n: n / 8 - Fraction(1, 2),
    "bipolar*-2+1": lambda n: 1 - 2 * n,
}


def prove(seconds: float) -> Outcome:
    """The network on `n / 2`, and so on, is what comes of declaring that; not on `n / 2 + 1`."""
    for declaration, meaning in _DECLARATIONS.items():
        verdict = decide(_claims(declaration, meaning, 0), [], seconds)
        if not verdict.is_proven:
            status = OPEN if verdict.status == "open" else REFUTED
            return Outcome(status, f"{declaration}: {verdict.detail}")
    return with_wrong_versions(
        Outcome(PROVEN),
        (
            (
                f"{declaration} with one added",
                decide(_claims(declaration, meaning, 1), [], seconds).status,
            )
            for declaration, meaning in _DECLARATIONS.items()
        ),
    )


def _claims(declaration: str, meaning: Callable[[Term], Term], added: int) -> list[Term]:
    """Both networks give the same where the float is what the declaration says, plus `added`."""
    module = network([(f32, (2,))], lambda net, x: net.ewise("tanh", net.ewise("relu", x)))
    numbers = terms([integer("n0"), integer("n1")], (2,))
    floats = each(lambda n: meaning(as_real(n)) + added, numbers)
    expected = Semantics().run(next(iter(functions_of(module))), [floats])[0]
    DeclareInputs((declaration,)).apply(Context(), module)
    found = Semantics().run(next(iter(functions_of(module))), [numbers])[0]
    return [a == b for a, b in zip(expected, found, strict=True)]
