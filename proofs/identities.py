"""The arithmetic that passes and kernels rest on, for any number of products, thresholds or pixels.

Sums of any length are proven by induction: they hold for none, and if for K terms, then for K + 1.
Each identity comes with wrong versions, which must be refuted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from proofs.terms import Term, contradiction, decide, integer, z3
from proofs.theorem import OPEN, PROVEN, REFUTED, Outcome, Theorem, with_wrong_versions

FAMILY = "identity"


@dataclass(frozen=True)
class Claim:
    """What follows from assumptions."""

    assumptions: Sequence[Term]
    claim: Term


Claims = Sequence[Claim]


def _outcome(claims: Claims, wrong: Claims, seconds: float) -> Outcome:
    for each in claims:
        verdict = decide([each.claim], each.assumptions, seconds)
        if not verdict.is_proven:
            status = OPEN if verdict.status == "open" else REFUTED
            return Outcome(status, verdict.detail)
        if doubt := contradiction(each.assumptions, seconds):
            return doubt
    return with_wrong_versions(
        Outcome(PROVEN),
        (
            (f"wrong version {index}", decide([each.claim], each.assumptions, seconds).status)
            for index, each in enumerate(wrong)
        ),
    )


def _bit(name: str) -> tuple[Term, Term]:
    """A bit as an integer, and the condition that it is one."""
    bit = integer(name)
    return bit, z3.Or(bit == 0, bit == 1)


def _by_induction(
    identity: Callable[[Term, Term, Term], Term],
    count: Callable[[Term, Term], Term],
    product: Callable[[Term, Term], Term],
) -> Claims:
    """`identity(K, counts, dot)` of sums of `count(x, w)` and `product(x, w)` over K pairs of
    bits."""
    k, counts, dot = integer("K"), integer("counts"), integer("dot")
    (x, x_is_bit), (w, w_is_bit) = _bit("x"), _bit("w")
    zero = z3.IntVal(0)
    return [
        Claim([], identity(zero, zero, zero)),
        Claim(
            [k >= 0, x_is_bit, w_is_bit, identity(k, counts, dot)],
            identity(k + 1, counts + count(x, w), dot + product(x, w)),
        ),
    ]


def _sign(bit: Term) -> Term:
    return 2 * bit - 1


def _signs_product(x: Term, w: Term) -> Term:
    return _sign(x) * _sign(w)


def _same(x: Term, w: Term) -> Term:
    return z3.If(x == w, z3.IntVal(1), 0)


def xnor(seconds: float) -> Outcome:
    """`dot = 2·popcount(xnor(w, x)) − K`."""
    return _outcome(
        _by_induction(lambda k, n, dot: dot == 2 * n - k, _same, _signs_product),
        [
            *_by_induction(lambda k, n, dot: dot == 2 * n - k - 1, _same, _signs_product)[:1],
            *_by_induction(lambda k, n, dot: dot == 2 * n - k, lambda x, w: x * w, _signs_product)[
                1:
            ],
            *_by_induction(lambda k, n, dot: dot == n - k, _same, _signs_product)[1:],
        ],
        seconds,
    )


def xor(seconds: float) -> Outcome:
    """`dot = K − 2·popcount(w ^ x)`, whatever equal bits stand behind the K of a row."""

    def differ(x: Term, w: Term) -> Term:
        return 1 - _same(x, w)

    n, dot, k = integer("n"), integer("dot"), integer("K")
    (x, x_is_bit), (w, w_is_bit) = _bit("x"), _bit("w")
    # A padding bit is equal in both words and no product.
    padded = Claim(
        [x_is_bit, w_is_bit, x == w, dot == k - 2 * n], dot == k - 2 * (n + differ(x, w))
    )
    wrong = Claim([x_is_bit, w_is_bit, dot == k - 2 * n], padded.claim)
    return _outcome(
        [*_by_induction(lambda k, n, dot: dot == k - 2 * n, differ, _signs_product), padded],
        [wrong, *_by_induction(lambda k, n, dot: dot == 2 * n - k, differ, _signs_product)[1:]],
        seconds,
    )


def bits_by_signs(seconds: float) -> Outcome:
    """`Σ w·b = popcount(xnor(w, b)) − #(w = −1)` for bits b and signs w: a plane of an integer."""
    n, dot, minus = integer("n"), integer("dot"), integer("minus")
    (b, b_is_bit), (w, w_is_bit) = _bit("b"), _bit("w")

    def step(product: Term, counted: Term) -> Claim:
        return Claim(
            [b_is_bit, w_is_bit, dot == n - minus],
            dot + product == n + counted - (minus + 1 - w),
        )

    return _outcome(
        [step(_sign(w) * b, _same(w, b))],
        [step(_sign(w) * b, w * b), step(_sign(w) * _sign(b), _same(w, b))],
        seconds,
    )


def ternary(seconds: float) -> Outcome:
    """`Σ w·b = popcount(m & xnor(s, b)) − #(w = −1)` for w in −1, 0, +1, m = [w ≠ 0] and
    s = [w > 0]; and `Σ w·x = 2·popcount(m & xnor(s, b)) − #(w ≠ 0)` for signs x."""
    n, dot, minus, used = (integer(name) for name in ("n", "dot", "minus", "used"))
    (b, b_is_bit), w = _bit("b"), integer("w")
    known = [b_is_bit, w >= -1, w <= 1]
    counted = z3.If(z3.And(w != 0, (w > 0) == (b == 1)), z3.IntVal(1), 0)
    is_minus, is_used = z3.If(w == -1, z3.IntVal(1), 0), z3.If(w != 0, z3.IntVal(1), 0)
    of_bits = Claim([*known, dot == n - minus], dot + w * b == n + counted - (minus + is_minus))
    of_signs = Claim(
        [*known, dot == 2 * n - used],
        dot + w * _sign(b) == 2 * (n + counted) - (used + is_used),
    )
    wrong = Claim(of_signs.assumptions, dot + w * _sign(b) == 2 * (n + counted) - (used + 1))
    unmasked = z3.If((w > 0) == (b == 1), z3.IntVal(1), 0)
    no_mask = Claim(of_bits.assumptions, dot + w * b == n + unmasked - (minus + is_minus))
    return _outcome([of_bits, of_signs], [wrong, no_mask], seconds)


def negation(seconds: float) -> Outcome:
    """`w·x = (x xor −n) + n` for n = [w = −1], in words of 32 bits."""
    x, n = z3.BitVec("x", 32), z3.BitVec("n", 32)
    known = [z3.Or(n == 0, n == 1)]
    right = Claim(known, z3.If(n == 1, -x, x) == (x ^ -n) + n)
    wrong = Claim(known, z3.If(n == 1, -x, x) == (x ^ -n))
    return _outcome([right], [wrong], seconds)


def border(seconds: float) -> Outcome:
    """`Σ_inside w·x = Σ_all w·x' + Σ_border w`, where x' is −1 around the frame: how a border of
    zeros is read as bits; `− Σ_border w` where x' is +1."""
    inside, everywhere, of_border = integer("inside"), integer("all"), integer("border")
    w, x, is_border = integer("w"), integer("x"), z3.Bool("b")

    def step(value: int, sign: int) -> Claim:
        taken = z3.If(is_border, z3.IntVal(value), x)
        return Claim(
            [x * x == 1, inside == everywhere + sign * of_border],
            inside + z3.If(is_border, z3.IntVal(0), w * x)
            == everywhere + w * taken + sign * (of_border + z3.If(is_border, w, 0)),
        )

    return _outcome([step(-1, 1), step(1, -1)], [step(-1, -1), step(1, 1), step(-1, 0)], seconds)


def _count(values: Sequence[Term]) -> Term:
    return z3.Sum([z3.If(value, z3.IntVal(1), 0) for value in values])


def monotone_thresholds(seconds: float) -> Outcome:
    """A function that never falls is `bottom + Σ_i [x >= at_i]`, at_i where it first is above
    bottom + i: for any function between two codes, of up to four levels."""
    return _outcome(
        [_monotone(levels, False, 0) for levels in (1, 2, 3, 4)],
        [_monotone(2, False, 1), _monotone(3, True, 0)],
        seconds,
    )


def _monotone(levels: int, is_loose: bool, late: int) -> Claim:
    """`is_loose`: without the condition that it never falls; `late`: thresholds one too high."""
    f = z3.Function("f", z3.IntSort(), z3.IntSort())
    x, low, high, bottom = (integer(name) for name in ("x", "low", "high", "bottom"))
    at = [integer(f"at{i}") for i in range(levels)]
    known = [low <= x, x <= high, f(low) >= bottom, f(high) <= bottom + levels]
    points = [x, low, high]
    for i, t in enumerate(at):
        level = bottom + 1 + i
        found = z3.And(low <= t, t <= high, f(t) >= level, z3.Or(t == low, f(t - 1) < level))
        never = z3.And(t == high + 1, f(high) < level)
        known.append(z3.Or(found, never))
        points += [t, t - 1]
    for a in points:
        for b in points:
            inside = z3.And(low <= a, a <= b, b <= high)
            if not is_loose:
                known.append(z3.Implies(inside, f(a) <= f(b)))
    codes = bottom + _count([x >= t + late for t in at])
    return Claim(known, f(x) == codes)


def bisection(seconds: float) -> Outcome:
    """The search keeps `not changed(below)` and `changed(above)`, comes nearer in each step, and
    ends at the first change of a monotone function."""
    below, above, place = integer("below"), integer("above"), integer("place")
    changed = z3.Function("changed", z3.IntSort(), z3.BoolSort())
    middle = (below + above) / 2
    is_open = above - below > 1
    invariant = [z3.Not(changed(below)), changed(above), below < above]
    after_below, after_above = (
        z3.If(changed(middle), below, middle),
        z3.If(changed(middle), middle, above),
    )
    kept = z3.And(z3.Not(changed(after_below)), changed(after_above), after_below < after_above)
    nearer = after_above - after_below < above - below
    p, q = integer("p"), integer("q")
    rises = z3.ForAll([p, q], z3.Implies(z3.And(changed(p), p <= q), changed(q)))
    first = changed(place) == (place >= above)
    end = Claim([*invariant, z3.Not(is_open), rises], first)
    return _outcome(
        [Claim([*invariant, is_open], z3.And(kept, nearer)), end],
        [
            Claim(invariant, z3.And(kept, nearer)),
            Claim([*invariant, z3.Not(is_open)], first),
        ],
        seconds,
    )


def flipping(seconds: float) -> Outcome:
    """`x < t` iff `−x >= s − t`, for x and t whole steps s apart: a row of weights negated."""
    low, i, j, s = (integer(name) for name in ("low", "i", "j", "s"))
    x, t = low + s * i, low + s * j
    known = [s >= 1, s <= 64]
    cases = [s == value for value in (1, 2, 3, 8)]
    right = [Claim([*known, case], (x < t) == (-x >= s - t)) for case in cases]
    wrong = [
        Claim([*known, s == 2], (x < t) == (-x >= -t)),
        Claim([s == 2], (x < t) == (-x > s - t)),
    ]
    return _outcome(right, wrong, seconds)


def residual_thresholds(seconds: float) -> Outcome:
    """Thresholds on `p·a + q·b` equal a function of a and b that rises in a, if for every b the
    sums left of its border are below T and those from it on are not: what the search checks."""
    a, b, p, q, t = (integer(name) for name in ("a", "b", "p", "q", "T"))
    at = z3.Function("at", z3.IntSort(), z3.IntSort())
    left = p * (at(b) - 1) + q * b < t
    right = p * at(b) + q * b >= t
    # a·p grows with a: what nonlinear arithmetic needs to be told.
    known = [
        p > 0,
        z3.Implies(a >= at(b), p * a >= p * at(b)),
        z3.Implies(a <= at(b) - 1, p * a <= p * (at(b) - 1)),
    ]
    claim = (p * a + q * b >= t) == (a >= at(b))
    return _outcome(
        [
            Claim([*known, left, right], claim),
            Claim([p > 0, a >= b], p * a >= p * b),
        ],
        [
            Claim([*known, right], claim),
            Claim([*known, left], claim),
            Claim([a >= b], p * a >= p * b),
        ],
        seconds,
    )


def merged_thresholds(seconds: float) -> Outcome:
    """A function of steps behind one is one that steps where the first does."""
    x = integer("x")
    at = [integer(f"at{i}") for i in range(3)]
    g = z3.Function("g", z3.IntSort(), z3.IntSort())
    inner = _count([x >= t for t in at])
    sorted_ = [at[0] <= at[1], at[1] <= at[2]]

    def merged(first: int) -> Term:
        jumps = [z3.If(x >= t, g(z3.IntVal(i + 1)) - g(z3.IntVal(i)), 0) for i, t in enumerate(at)]
        return g(z3.IntVal(first)) + z3.Sum(jumps)

    return _outcome(
        [Claim(sorted_, g(inner) == merged(0))],
        [Claim([], g(inner) == merged(0)), Claim(sorted_, g(inner) == merged(1))],
        seconds,
    )


def partial_sums(seconds: float) -> Outcome:
    """Partial sums in any order lie between the sums of inputs that may also be 0: what the width
    of an accumulator is chosen by."""
    sum_, low, high = integer("sum"), integer("low"), integer("high")
    w, x, first, last = (integer(name) for name in ("w", "x", "first", "last"))
    is_added = z3.Bool("added")
    known = [first <= x, x <= last, low <= sum_, sum_ <= high]
    # Products are largest at an end: what nonlinear arithmetic needs to be told.
    ends = [
        z3.And(w * first <= w * x, w * x <= w * last),
        z3.And(w * last <= w * x, w * x <= w * first),
    ]
    known.append(z3.If(w >= 0, ends[0], ends[1]))

    def step(zero: bool) -> Term:
        a = z3.If(w >= 0, w * first, w * last)
        b = z3.If(w >= 0, w * last, w * first)
        if zero:
            a, b = z3.If(a < 0, a, 0), z3.If(b > 0, b, 0)
        after = sum_ + z3.If(is_added, w * x, 0)
        return z3.And(low + a <= after, after <= high + b)

    return _outcome([Claim(known, step(True))], [Claim(known, step(False))], seconds)


def removed_constants(seconds: float) -> Outcome:
    """`Σ w·x + w'·v >= t` is `Σ w·x >= t − w'·v`; doubled channels are one with both weights."""
    s, w, v, t, u, x = (integer(name) for name in ("s", "w", "v", "t", "u", "x"))
    return _outcome(
        [
            Claim([], (s + w * v >= t) == (s >= t - w * v)),
            Claim([], s + w * x + u * x == s + (w + u) * x),
        ],
        [
            Claim([], (s + w * v >= t) == (s >= t + w * v)),
            Claim([], s + w * x + u * x == s + w * u * x),
        ],
        seconds,
    )


_ALL = [
    (xnor, "any K"),
    (xor, "any K, any number of padding bits"),
    (bits_by_signs, "any K"),
    (ternary, "any K"),
    (negation, "32 bits"),
    (border, "any frame and kernel"),
    (monotone_thresholds, "any function of 1 to 4 levels, any range"),
    (bisection, "any function, any range"),
    (flipping, "steps 1, 2, 3, 8; any integers"),
    (residual_thresholds, "any p > 0, q, border and integers"),
    (merged_thresholds, "any function behind 3 thresholds"),
    (partial_sums, "any weights, ranges and order"),
    (removed_constants, "any integers"),
]


def theorems() -> list[Theorem]:
    """The identities, each with its proof."""
    found: list[Theorem] = []
    for prove, bound in _ALL:
        claim = " ".join((prove.__doc__ or "").split())
        name = prove.__name__.replace("_", "-")
        found.append(Theorem(FAMILY, name, claim, bound, prove, is_quick=True))
    return found
