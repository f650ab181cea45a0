"""Every streamlining rule is proven, of operations that mean what the interpreter computes."""

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

from irc.passes.streamline.streamline_reshapes import (  # noqa: E402
    MergeReshapes,
    StreamlineReshapes,
)
from irc.passes.streamline.streamline_shuffles import StreamlineShuffles  # noqa: E402
from proofs import identities, rule_check, rules  # noqa: E402
from proofs.bnn_semantics import BINARY, UNARY, Semantics, terms  # noqa: E402
from proofs.pattern_passes import unproven_in  # noqa: E402
from proofs.rule_check import RuleCase, check  # noqa: E402
from proofs.rule_networks import Net, network  # noqa: E402
from proofs.terms import Verdict, constant, contradiction, decide, z3  # noqa: E402
from proofs.theorem import (  # noqa: E402
    BOUNDED,
    OPEN,
    PROVEN,
    REFUTED,
    Outcome,
    Theorem,
    attempt,
    with_wrong_versions,
)

Array = npt.NDArray[Any]

SECONDS = 60.0

QUICK = [*identities.theorems(), *rules.theorems()]


def test_every_rule_has_a_proof() -> None:
    """They are found in the package: a new pattern or pass fails here until it has one."""
    assert rules.without_proof() == []
    assert len(rules.rules()) > 50


def test_a_pass_that_does_more_than_apply_proven_patterns_needs_a_proof() -> None:
    assert unproven_in(StreamlineReshapes, rules.CASES) == []
    some = {pattern for pattern in rules.CASES if pattern is not MergeReshapes}
    assert unproven_in(StreamlineReshapes, some) == ["MergeReshapes has no proof"]
    own = unproven_in(StreamlineShuffles, rules.CASES)
    assert "apply: Rewriter.replace_op(reshape, new)" in own


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([REFUTED, REFUTED], Outcome(PROVEN, "", 2)),
        (
            [REFUTED, PROVEN],
            Outcome(REFUTED, "v1 is proven too, so that the claim says nothing", 1),
        ),
        ([OPEN, PROVEN], Outcome(OPEN, "the claim is proven, but v0 was not decided", 0)),
        ([BOUNDED], Outcome(OPEN, "the claim is proven, but v0 was not decided", 0)),
    ],
)
def test_only_a_proven_wrong_version_refutes(statuses: list[str], expected: Outcome) -> None:
    versions = [(f"v{index}", status) for index, status in enumerate(statuses)]
    assert with_wrong_versions(Outcome(PROVEN), versions) == expected


def test_a_wrong_version_that_times_out_leaves_a_theorem_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of identities and rules: wrong versions are decided after the claims."""
    asked: list[int] = []

    def decide_claims_only(*arguments: Any) -> Verdict:
        asked.append(1)
        return decide(*arguments) if len(asked) == 1 else Verdict("open")

    for module in (identities, rule_check):
        asked.clear()
        monkeypatch.setattr(module, "decide", decide_claims_only)
    outcome = attempt(next(t for t in identities.theorems() if t.name == "negation"), SECONDS)
    assert outcome.outcome.status == OPEN
    asked.clear()
    outcome = attempt(next(t for t in rules.theorems() if t.name == "MergeReshapes"), SECONDS)
    assert outcome.outcome.status == OPEN


def test_contradicting_assumptions_are_no_proof() -> None:
    x = z3.Int("x")
    assert contradiction([x > 0], SECONDS) is None
    found = contradiction([x > 0, x < 0], SECONDS)
    assert found is not None
    assert found.status == REFUTED


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
