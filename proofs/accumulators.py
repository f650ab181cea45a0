"""What `narrow-accumulators` chooses holds every sum, and every part of a sum, in any order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute, SSAValue

from irc.dialects import bnn
from irc.dialects.dense import element_range
from irc.passes.rewriting import functions_of
from irc.passes.streamline.narrow_accumulators import NarrowAccumulators
from proofs.bnn_semantics import Semantics, each, terms
from proofs.rule_networks import Net, conditions, network
from proofs.terms import Term, decide, integer, z3
from proofs.theorem import OPEN, PROVEN, REFUTED, Outcome, with_wrong_versions

Inputs = Sequence[tuple[Attribute, tuple[int, ...]]]


def _integers(rows: Any) -> bnn.DenseAttr:
    return bnn.DenseAttr.from_integers(np.array(rows))


def _linear(net: Net, x: SSAValue) -> SSAValue:
    return net.linear(x, _integers([[3, -5, 2], [-7, 1, 4]]), bnn.sint(16))


def _conv(net: Net, x: SSAValue) -> SSAValue:
    weights = _integers([[[1, -2], [3, 1]], [[-1, -1], [2, -3]]])
    return net.add(bnn.ConvOp(x, weights, bnn.sint(16), (1,), (1,)))


def _pool(net: Net, x: SSAValue) -> SSAValue:
    return net.add(bnn.SumPoolOp(x, (3,), (1,), (1,), bnn.sint(16)))


def _add(net: Net, x: SSAValue) -> SSAValue:
    return net.add(bnn.AddOp(x, x, bnn.sint(16), _integers([[3], [-5]])))


_NETWORKS: list[tuple[Inputs, Callable[..., SSAValue]]] = [
    ([(bnn.sint(3), (3,))], _linear),
    ([(bnn.bipolar, (3,))], _linear),
    ([(bnn.uint(3), (2, 2))], _conv),
    ([(bnn.bipolar, (3, 2))], _pool),
    ([(bnn.uint(2), (2,))], _add),
]


def prove(seconds: float) -> Outcome:
    """Every part of every sum is of the type that the pass chose; of one a bit narrower not."""
    narrower_types: list[tuple[str, str]] = []
    for inputs, build in _NETWORKS:
        module = network(inputs, build)
        NarrowAccumulators().apply(Context(), module)
        function = next(iter(functions_of(module)))
        op = next(iter(function.body.block.ops))
        low, high = element_range(bnn.frame_type(op.results[0]).element_type)
        known, sums = _partial_sums(module, inputs)
        claims = [z3.And(low <= sum_, sum_ <= high) for sum_ in sums]
        verdict = decide(claims, known, seconds)
        if not verdict.is_proven:
            status = OPEN if verdict.status == "open" else REFUTED
            return Outcome(status, f"{op.name}: {verdict.detail}")
        narrower = low // 2, high // 2
        claims = [z3.And(narrower[0] <= sum_, sum_ <= narrower[1]) for sum_ in sums]
        narrower_types.append(
            (f"{op.name} with a bit fewer", decide(claims, known, seconds).status)
        )
    return with_wrong_versions(Outcome(PROVEN), narrower_types)


def _partial_sums(module: ModuleOp, inputs: Inputs) -> tuple[list[Term], list[Term]]:
    """Conditions on the inputs, and sums of which any products have not been added yet."""
    function = next(iter(functions_of(module)))
    known: list[Term] = []
    values: list[Any] = []
    for kind, shape in inputs:
        flat = [integer(f"x{len(values)}_{i}") for i in range(int(np.prod(shape)))]
        known += [condition for term in flat for condition in conditions(kind, term)]
        values.append(terms(flat, shape))
    added = _Added()
    return known, list(added.run(function, values)[0].reshape(-1))


class _Added(Semantics):
    """Sums of some of the products: an operand that is 0 is one that is not added."""

    def apply(self, op: Any, values: list[Any]) -> Any:
        masked = [
            each(lambda x, m: z3.If(m, x, 0), value, _masks(f"{index}", value.shape))
            for index, value in enumerate(values)
        ]
        return super().apply(op, masked)


def _masks(name: str, shape: tuple[int, ...]) -> Any:
    size = int(np.prod(shape))
    return terms([z3.Bool(f"added{name}_{i}") for i in range(size)], shape)
