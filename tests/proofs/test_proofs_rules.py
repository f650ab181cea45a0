"""Every rewrite rule is proven, of operations that mean what the interpreter computes."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from proof_tools import need_solvers
from xdsl.dialects.builtin import Float32Type, ModuleOp
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from irc.dialects import bnn
from irc.dialects.dense import element_range
from irc.interp.bnn import to_element_type
from irc.interp.run import entry_function, run_module
from irc.passes.rewriting import apply_greedily

need_solvers("z3", "bitwuzla")

from proofs import identities, rules  # noqa: E402
from proofs.bnn_semantics import BINARY, UNARY, Semantics, terms  # noqa: E402
from proofs.rule_check import RuleCase, check  # noqa: E402
from proofs.rule_networks import Net, network  # noqa: E402
from proofs.terms import constant, z3  # noqa: E402
from proofs.theorem import PROVEN, REFUTED, Theorem, attempt  # noqa: E402

Array = npt.NDArray[Any]

SECONDS = 60.0

QUICK = [*identities.theorems(), *rules.theorems()]


def test_every_rule_has_a_proof() -> None:
    """They are found in the package: a new pattern or pass fails here until it has one."""
    assert [rule.__name__ for rule in rules.without_proof()] == []
    assert len(rules.rules()) > 50


@pytest.mark.parametrize("theorem", QUICK, ids=[theorem.full_name for theorem in QUICK])
def test_it_is_proven(theorem: Theorem) -> None:
    result = attempt(theorem, SECONDS)
    assert result.outcome.status == PROVEN, result.outcome.detail
    assert result.outcome.wrong > 0


def inputs_of(module: ModuleOp) -> list[Array]:
    """Three frames for each input; floats are small multiples of 1/8."""
    rng = np.random.default_rng(1)
    found: list[Array] = []
    for argument in entry_function(module).body.block.args:
        frame = bnn.frame_type(argument)
        shape = (3, *frame.get_shape())
        if isinstance(frame.element_type, Float32Type):
            found.append((rng.integers(-40, 41, shape) / 8).astype(np.float32))
            continue
        low, high = element_range(frame.element_type)
        values = rng.integers(low, high + 1, shape)
        is_bipolar = isinstance(frame.element_type, bnn.BipolarType)
        found.append(
            to_element_type(
                np.where(values > 0, 1, -1) if is_bipolar else values, frame.element_type
            )
        )
    return found


def as_terms(values: Array) -> Array:
    flat = [constant(Fraction(v) if isinstance(v, float) else int(v)) for v in values.flat]
    return terms(flat, values.shape)


def number(term: Any) -> Fraction:
    simple = z3.simplify(term)
    if simple.is_int():
        return Fraction(simple.as_long())
    return Fraction(simple.numerator_as_long(), simple.denominator_as_long())


def is_defined(module: ModuleOp) -> bool:
    """Whether real arithmetic defines all functions in it, and no border stands for the lowest."""
    for op in module.walk():
        if isinstance(op, bnn.EwiseOp) and op.fn.data not in {**UNARY, **BINARY}:
            return False
        if isinstance(op, bnn.PadOp) and op.pad_value < -1e30:
            return False
    return True


def test_operations_mean_what_the_interpreter_computes() -> None:
    """For all networks on which rules are proven, before and after them."""
    compared: set[str] = set()
    for cases in rules.CASES.values():
        for case in cases:
            before = case.module()
            after = before.clone()
            case.run(after)
            for module in (before, after):
                if not is_defined(module):
                    continue
                frames = inputs_of(module)
                expected = run_module(module, frames)
                for index in range(3):
                    values = [as_terms(array[index].astype(object)) for array in frames]
                    found = Semantics().run(entry_function(module), values)
                    for want, got in zip(expected, found, strict=True):
                        # Constants here are such that float32 may round, but not far.
                        near = np.array([float(number(t)) for t in got.flat])
                        np.testing.assert_allclose(near, want[index].reshape(-1), rtol=1e-5)
                compared |= {op.name for op in module.walk()}
    assert {
        f"bnn.{name}" for name in ("linear", "conv", "add", "threshold", "max_pool")
    } <= compared
    assert {
        f"bnn.{name}" for name in ("pad", "sum_pool", "slice", "concat", "quantize")
    } <= compared


class Wrong(RewritePattern):
    """`x − c = c − x`"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.EwiseOp, rewriter: PatternRewriter) -> None:
        if op.fn.data == "sub":
            rewriter.replace(op, bnn.EwiseOp("rsub", op.input, op.constant))


class SwappedRows(RewritePattern):
    """`y[0], y[1] = y[1], y[0]`, weights and all, but not the offsets."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: bnn.LinearOp, rewriter: PatternRewriter) -> None:
        if op.attributes.get("done") is None:
            weights = bnn.DenseAttr.from_numpy(op.weights.numpy()[::-1], op.weights.element_type)
            made = bnn.LinearOp(op.input, weights, bnn.frame_type(op.output).element_type)
            made.attributes["done"] = op.properties["weights"]
            rewriter.replace(op, made)


def subtraction(net: Net, x: Any) -> Any:
    return net.ewise("sub", x, net.tags(2))


def sums(net: Net, x: Any) -> Any:
    return net.linear(x, net.weight_tags(2, 2))


@pytest.mark.parametrize(
    ("pattern", "build"), [(Wrong(), subtraction), (SwappedRows(), sums)], ids=["sub", "rows"]
)
def test_a_wrong_rule_is_refuted(pattern: RewritePattern, build: Callable[..., Any]) -> None:
    from xdsl.dialects.builtin import f32

    case = RuleCase(
        lambda: network([(f32, (2,))], build), lambda module: apply_greedily(module, pattern)
    )
    outcome = check(case, SECONDS)
    assert outcome.status == REFUTED
    assert "=" in outcome.detail


def test_a_rule_that_finds_nothing_is_no_proof() -> None:
    from xdsl.dialects.builtin import f32

    case = RuleCase(lambda: network([(f32, (2,))], sums), lambda module: None)
    assert check(case, SECONDS).status == REFUTED
