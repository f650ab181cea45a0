"""Turn quantized float sums of two branches into integer sums and thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.context import Context
from xdsl.dialects.builtin import Float32Type, ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from irc.dialects import bnn
from irc.errors import IrcError
from irc.passes.analysis.branch import Branch, DiagonalChain, SumChain, match_branch
from irc.passes.analysis.chain import Chain
from irc.passes.analysis.function_chain import exact_chain
from irc.passes.analysis.margin import tabulate_ambiguous
from irc.passes.analysis.ranges import RangeAnalysis
from irc.passes.analysis.residual_lookup import looked_up, with_tables
from irc.passes.analysis.residual_search import (
    NoThresholdsError,
    Search,
    common_ratio,
    nearest_ratio,
    oriented,
    search,
)
from irc.passes.analysis.threshold_search import tabulate
from irc.passes.analysis.why_not import why_no_exact_chain
from irc.passes.rewriting import erase_dead, functions_of
from irc.passes.streamline.affine_adds import add_of_affine, affine_ratio
from irc.passes.streamline.exact_sums import (
    REASON,
    Term,
    exact_sum,
    looked_up_term,
    unwanted_width,
)
from irc.passes.streamline.fold_thresholds import replace_by_threshold
from irc.rejections import reject

Array = npt.NDArray[Any]


WAY_ROUND = "put a quantizer of few bits on each branch, or let them share a scale"

NO_RATIO = (
    "the scales of its branches are in no ratio of small integers, and its floats are more than "
    "quantized, so that no sum of integers equals it"
)


@dataclass(frozen=True)
class Reader:
    """A quantizer of a float sum, and the functions between the two."""

    functions: list[bnn.EwiseOp]
    quantizer: bnn.Quantizer


def quantized_readers(value: SSAValue) -> tuple[list[Reader], bool]:
    """The quantizers that read a float value through functions of it; whether all readers do."""
    found: list[Reader] = []
    only_quantizers = True
    pending: list[tuple[SSAValue, list[bnn.EwiseOp]]] = [(value, [])]
    while pending:
        value, functions = pending.pop()
        for use in value.uses:
            match use.operation:
                case bnn.QuantizeOp() | bnn.FloatThresholdOp() as op:
                    found.append(Reader(functions, op))
                case bnn.EwiseOp() as op:
                    pending.append((op.output, [*functions, op]))
                case _:
                    only_quantizers = False
    return found, only_quantizers


class Refused:
    """The sums that were refused, and as what, so that no search is done twice in vain."""

    def __init__(self) -> None:
        self._looks: dict[bnn.AddOp, tuple[object, ...]] = {}

    def holds(self, op: bnn.AddOp, chains: Sequence[SumChain]) -> bool:
        """Whether a sum was refused and has looked the same since. It is taken for refused now."""
        before = self._looks.get(op)
        self._looks[op] = _look(chains)
        return before == self._looks[op]


def _look(chains: Sequence[SumChain]) -> tuple[object, ...]:
    """What the thresholds of a sum depend on."""
    found: list[object] = []
    for branch in (chains[0].lhs, chains[0].rhs):
        reachable = branch.reachable
        ends = (reachable.low, reachable.high, reachable.step)
        found += [branch.source, *(end.tobytes() for end in ends)]
    for part in (chains[0].lhs, chains[0].rhs, *(chain.tail for chain in chains)):
        for link in part.links:
            found += [link.op, *(None if a is None else a.tobytes() for a in link.arrays)]
    return (*found, *(chain.tail.quantizer for chain in chains))


def fold_add(op: bnn.AddOp, analysis: RangeAnalysis, refused: Refused) -> bool:
    """Fold the quantizers of a float sum, as far as there are thresholds that equal them.

    Returns whether there were any. Why not is noted on the sum, under `REASON`.
    """
    readers, only_quantizers = quantized_readers(op.output)
    if not readers:
        return False
    try:
        lhs, rhs = match_branch(op.lhs, analysis), match_branch(op.rhs, analysis)
        if lhs is None or rhs is None:
            other = op.lhs if lhs is None else op.rhs
            reject(op, "fold quantizers of a sum", lambda: f"a branch: {_why_no_branch(other)}")
            return False
        chains = [SumChain(lhs, rhs, Chain(r.functions, r.quantizer)) for r in readers]
        if refused.holds(op, chains):
            return False
        if lhs.source is rhs.source:
            for chain in chains:
                _fold_diagonal(chain, lhs)
        else:
            wanted = None if only_quantizers else affine_ratio(op, analysis)
            _fold_pairs(op, chains, wanted)
    except (NoThresholdsError, IrcError) as error:
        op.attributes[REASON] = StringAttr(f"{error}; {WAY_ROUND}")
        reject(op, "fold quantizers of a sum", f"{error}; {WAY_ROUND}")
        # Of several quantizers, some may have been folded.
        return len(quantized_readers(op.output)[0]) < len(readers)
    op.attributes.pop(REASON, None)
    return True


def _why_no_branch(value: SSAValue) -> str:
    if exact_chain(value) is None:
        return why_no_exact_chain(value)
    return "the functions on it are none that thresholds can be searched for"


def _fold_diagonal(chain: SumChain, branch: Branch) -> None:
    """Both branches begin with one integer: their sum is a function of that."""
    full = branch.reachable.expanded(chain.channels)
    function = DiagonalChain(chain)
    ambiguous = [] if chain.is_reproducible else tabulate_ambiguous(function, full)
    steps = tabulate(function, full)
    replace_by_threshold(chain.tail.quantizer, branch.source, steps, full, ambiguous)


def _fold_pairs(op: bnn.AddOp, chains: list[SumChain], wanted: tuple[Array, Array] | None) -> None:
    """One integer sum for all quantizers where one serves them, else each its own."""
    lhs = chains[0].lhs
    chains = oriented(chains)
    if wanted is not None and chains[0].lhs is not lhs:
        # Of the branch that is bisected, p is never negative.
        signs = np.where(wanted[1] < 0, -1, 1)
        wanted = wanted[1] * signs, wanted[0] * signs
    channels = max(chain.channels for chain in chains)
    searches = [search(chain, channels) for chain in chains]
    try:
        _insert(op, chains, searches, wanted)
    except NoThresholdsError:
        if len(chains) == 1:
            raise
        for chain, found in zip(chains, searches, strict=True):
            _insert(op, [chain], [found], wanted)


def _insert(
    op: bnn.AddOp,
    chains: Sequence[SumChain],
    searches: Sequence[Search],
    wanted: tuple[Array, Array] | None,
) -> None:
    p, q, terms, searches = _weights(chains[0], searches, wanted)
    if (p == p[0]).all() and (q == q[0]).all():
        p, q = p[:1], q[:1]
    full = terms[0].reachable.multiplied(p).plus(terms[1].reachable.multiplied(q))
    if (reason := unwanted_width(full)) is not None:
        raise NoThresholdsError(reason)
    total = exact_sum(terms[0].value, terms[1].value, p, q, full)
    new_ops = [new_op for term in terms for new_op in term.new_ops] + [total]
    for new_op in new_ops:
        new_op.location = op.location
    Rewriter.insert_op(new_ops, InsertPoint.before(op))
    for chain, found in zip(chains, searches, strict=True):
        channels = len(found.falls)
        everywhere = full.expanded(channels)
        each = np.broadcast_to(p, (channels,)), np.broadcast_to(q, (channels,))
        steps = found.levels(*each, everywhere).steps(everywhere)
        ambiguous = found.ambiguous(*each)
        replace_by_threshold(chain.tail.quantizer, total.output, steps, everywhere, ambiguous)


def _weights(
    chain: SumChain, searches: Sequence[Search], wanted: tuple[Array, Array] | None
) -> tuple[Array, Array, tuple[Term, Term], Sequence[Search]]:
    """Multipliers, what they multiply, and the searches as seen with that.

    The branches' integers, if a sum of these is exact; else what is looked up for them; else the
    integers again, if only float32 rounding keeps their sum from being exact.
    """
    lhs, rhs = chain.lhs, chain.rhs
    terms = Term(lhs.source, lhs.reachable), Term(rhs.source, rhs.reachable)
    try:
        return *_multipliers(searches, wanted), terms, searches
    except NoThresholdsError:
        pass
    try:
        tables = looked_up(searches, chain)
    except NoThresholdsError:
        return *nearest_ratio(searches, chain), terms, searches
    searches = [with_tables(found, tables.rhs, tables.lhs) for found in searches]
    terms = looked_up_term(lhs, tables.lhs), looked_up_term(rhs, tables.rhs)
    return tables.factors, np.ones(1, np.int64), terms, searches


def _multipliers(
    searches: Sequence[Search], wanted: tuple[Array, Array] | None
) -> tuple[Array, Array]:
    """p and q, those that another reader of the sum wants if they separate the pairs too."""
    channels = max(len(found.falls) for found in searches)
    if wanted is not None:
        p, q = (np.broadcast_to(a, (channels,)) for a in wanted)
        if all(
            found.borders.channel(c).separates(int(p[c]), int(q[c]))
            for found in searches
            for c in range(len(found.falls))
        ):
            return p, q
    return common_ratio(searches)


def _add_scaled(op: bnn.AddOp, analysis: RangeAnalysis) -> bool:
    """Let readers that are no quantizers have scale and offset of an integer sum."""
    if add_of_affine(op, analysis, near=_leads_to_quantizer(op.output)):
        return True
    if REASON not in op.attributes and all(map(exact_chain, op.operands)):
        op.attributes[REASON] = StringAttr(f"{NO_RATIO}; {WAY_ROUND}")
        reject(op, "add integers", f"{NO_RATIO}; {WAY_ROUND}")
    return False


def _leads_to_quantizer(value: SSAValue) -> bool:
    """Whether a float value is quantized in the end, so that its sum has to be of integers."""
    seen: set[Operation] = set()
    pending = [use.operation for use in value.uses]
    while pending:
        op = pending.pop()
        if isinstance(op, bnn.Quantizer):
            return True
        if op not in seen:
            seen.add(op)
            pending += [use.operation for result in op.results for use in result.uses]
    return False


def _is_read(value: SSAValue) -> bool:
    """Whether anything but functions that nothing reads is left of the readers."""
    return any(
        not isinstance(use.operation, bnn.EwiseOp) or _is_read(use.operation.output)
        for use in value.uses
    )


@dataclass(frozen=True)
class FoldResidualAdds(ModulePass):
    """Turn quantize(f(a) + g(b)) into thresholds on p·a + q·b, equal for every pair of integers.

    What else reads such a sum reads s·(p·a + q·b) + c, where the scales of the branches are in the
    ratio of small integers: another sum, a pool, the end of the network. Quantizers too, where no
    thresholds on a sum equal them because of float32 roundings; which these are is in the margin.
    """

    name = "fold-residual-adds"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        fold_residual_adds(op)


def fold_residual_adds(module: ModuleOp, refused: Refused | None = None) -> bool:
    """Returns whether anything changed. What is `refused` is tried again once it has changed."""
    refused = Refused() if refused is None else refused
    changed = False
    for function in functions_of(module):
        changed |= _fold_function(function, refused)
    return changed


def _fold_function(function: FuncOp, refused: Refused) -> bool:
    analysis = RangeAnalysis()
    changed = False
    for op in list(function.body.block.ops):
        if isinstance(op, bnn.AddOp):
            element_type = bnn.frame_type(op.output).element_type
            if isinstance(element_type, Float32Type):
                changed |= fold_add(op, analysis, refused)
                if _is_read(op.output):
                    changed |= _add_scaled(op, analysis)
    if changed:
        erase_dead(function)
    return changed
