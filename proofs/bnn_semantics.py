"""The meaning of the `bnn` dialect on terms: integers stay integers, floats are real numbers.

A value is an array of terms without an axis of frames. The tests compare this with the NumPy
interpreter, so that what is proven is about the operations that the compiler has. Functions that
real arithmetic does not define stay uninterpreted: what is proven of them holds for any function.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Operation, SSAValue

from irc.dialects import bnn
from irc.dialects.bnn_spatial import window_counts
from proofs.terms import Term, as_real, constant, is_integer, maximum, minimum, real, z3

Array = npt.NDArray[Any]

Reader = Callable[[Operation, str, bnn.DenseAttr], Array]
"""The terms that stand for a constant: (operation, property, constant) to an array of terms."""


def numbers(attribute: bnn.DenseAttr) -> Array:
    """A constant as the numbers that it holds."""
    values = attribute.numpy()
    exact = [Fraction(v) if isinstance(v, float) else int(v) for v in values.reshape(-1).tolist()]
    return terms([constant(v) for v in exact], values.shape)


def plain(op: Operation, name: str, attribute: bnn.DenseAttr) -> Array:
    """The reader that takes constants for what they are."""
    return numbers(attribute)


def terms(flat: Sequence[Term], shape: Sequence[int]) -> Array:
    """An array of terms; NumPy must not look into them."""
    found = np.empty(len(flat), dtype=object)
    for index, term in enumerate(flat):
        found[index] = term
    return found.reshape(tuple(shape))


Elementwise = (
    Callable[[Term], Term]
    | Callable[[Term, Term], Term]
    | Callable[[Term, Term, Term], Term]
    | Callable[[Term, Term, Term, Term], Term]
)


def each(function: Elementwise, *arrays: Array) -> Array:
    """A function of the elements of arrays that broadcast."""
    together = np.broadcast_arrays(*arrays)
    apply = cast(Callable[..., Term], function)
    flat = [apply(*row) for row in zip(*(a.reshape(-1) for a in together), strict=True)]
    return terms(flat, together[0].shape)


def _absolute(x: Term) -> Term:
    return z3.If(x >= 0, x, -x)


def _half_even(x: Term) -> Term:
    below = z3.ToInt(x)
    rest = x - z3.ToReal(below)
    goes_up = z3.Or(rest > Fraction(1, 2), z3.And(rest == Fraction(1, 2), below % 2 == 1))
    return z3.If(goes_up, below + 1, below)


def _ceil(x: Term) -> Term:
    below = z3.ToInt(x)
    return z3.If(z3.ToReal(below) == x, below, below + 1)


def _from_zero(function: Callable[[Term], Term]) -> Callable[[Term], Term]:
    return lambda x: z3.If(x >= 0, function(x), -function(-x))


ROUNDINGS: dict[str, Callable[[Term], Term]] = {
    "half_even": _half_even,
    "floor": z3.ToInt,
    "ceil": _ceil,
    "half_up": _from_zero(lambda x: z3.ToInt(x + Fraction(1, 2))),
    "half_down": _from_zero(lambda x: _ceil(x - Fraction(1, 2))),
    "up": _from_zero(_ceil),
    "down": _from_zero(z3.ToInt),
    "sign": lambda x: z3.If(x > 0, 1, z3.If(x < 0, -1, z3.IntVal(0))),
    "bipolar": lambda x: z3.If(x >= 0, z3.IntVal(1), -1),
    "positive": lambda x: z3.If(x > 0, z3.IntVal(1), -1),
}
"""From a real number to an integer."""

UNARY: dict[str, Callable[[Term], Term]] = {
    "neg": lambda x: -x,
    "relu": lambda x: maximum(x, z3.RealVal(0)),
    "abs": _absolute,
    "floor": lambda x: z3.ToReal(z3.ToInt(x)),
    "ceil": lambda x: z3.ToReal(_ceil(x)),
    "round": lambda x: z3.ToReal(_half_even(x)),
    "sign": lambda x: z3.ToReal(ROUNDINGS["sign"](x)),
}

BINARY: dict[str, Callable[[Term, Term], Term]] = {
    "add": lambda x, c: x + c,
    "sub": lambda x, c: x - c,
    "rsub": lambda x, c: c - x,
    "mul": lambda x, c: x * c,
    "div": lambda x, c: x / c,
    "rdiv": lambda x, c: c / x,
    "max": maximum,
    "min": minimum,
    "prelu": lambda x, c: z3.If(x < 0, x * c, x),
}

LOWEST = float(np.finfo(np.float32).min)

RISING_UNKNOWN = ("sqrt",)
"""Functions of which no more is taken to be known than that they never fall."""


@dataclass
class Semantics:
    """Runs functions of the dialect on terms.

    `read` gives what stands for constants; of the operation in place `disturbed_op` the result is
    made wrong.
    """

    read: Reader = plain
    disturbed_op: int | None = None
    applications: dict[str, list[tuple[Term, Term]]] = field(
        default_factory=dict[str, list[tuple[Term, Term]]]
    )

    facts: list[Term] = field(default_factory=list[Term])

    def run(self, function: FuncOp, inputs: Sequence[Array]) -> list[Array]:
        """The results of a function for these inputs."""
        block = function.body.block
        values: dict[SSAValue, Array] = dict(zip(block.args, inputs, strict=True))
        for index, op in enumerate(block.ops):
            if isinstance(op, ReturnOp):
                return [values[value] for value in op.arguments]
            result = self.apply(op, [values[value] for value in op.operands])
            shape = bnn.frame_type(op.results[0]).get_shape()
            assert result.shape == tuple(shape), (op.name, result.shape, shape)
            if index == self.disturbed_op:
                result = disturbed(result)
            values[op.results[0]] = result
        raise AssertionError("a function without return")

    def assumptions(self) -> list[Term]:
        """What is taken to be known of uninterpreted functions, where they were applied, and of the
        lowest float."""
        found = list(self.facts)
        for name in RISING_UNKNOWN:
            for (x, fx), (y, fy) in itertools.combinations(self.applications.get(name, []), 2):
                found += [z3.Implies(x <= y, fx <= fy), z3.Implies(y <= x, fy <= fx)]
        return found

    def apply(self, op: Operation, values: list[Array]) -> Array:
        """The result of one operation."""
        match op:
            case bnn.CastOp():
                return each(as_real, values[0])
            case bnn.EwiseOp():
                return self._ewise(op, values[0])
            case bnn.QuantizeOp():
                low, high = op.bounds
                rounding = ROUNDINGS[op.rounding.data]
                return each(lambda x: maximum(minimum(rounding(x), high), low), values[0])
            case bnn.FloatThresholdOp():
                return _count(values[0], self.read(op, "thresholds", op.thresholds), None, 0)
            case bnn.ThresholdOp():
                return self._threshold(op, values[0])
            case bnn.LinearOp() | bnn.ConvOp():
                return self._sum_of_products(op, values[0])
            case bnn.AddOp():
                return self._add(op, values)
            case bnn.PadOp():
                return _pad(values[0], op, self._border(op, values[0]))
            case _:
                return _moved(op, values)

    def _border(self, op: bnn.PadOp, x: Array) -> Term:
        """The lowest float stands for a number that nothing in the frame is below."""
        if all(map(is_integer, x.reshape(-1))):
            return constant(int(op.pad_value))
        if op.pad_value > LOWEST:
            return constant(Fraction(op.pad_value))
        self.facts += [real("lowest") <= element for element in x.reshape(-1)]
        return real("lowest")

    def _ewise(self, op: bnn.EwiseOp, x: Array) -> Array:
        fn = op.fn.data
        if op.constant is None:
            return each(UNARY.get(fn) or self._unknown(fn, 1), x)
        c = self.read(op, "constant", op.constant)
        return each(BINARY.get(fn) or self._unknown(fn, 2), x, each(as_real, c))

    def _unknown(self, fn: str, arguments: int) -> Callable[..., Term]:
        function = z3.Function(fn, *[z3.RealSort()] * (arguments + 1))

        def applied(*args: Term) -> Term:
            result = function(*args)
            self.applications.setdefault(fn, []).append((args[0], result))
            return result

        return applied

    def _threshold(self, op: bnn.ThresholdOp, x: Array) -> Array:
        at = self.read(op, "thresholds", op.thresholds)
        steps = None if op.steps is None else self.read(op, "steps", op.steps)
        codes = _count(x, at, steps, op.bias.value.data)
        if isinstance(bnn.frame_type(op.output).element_type, bnn.BipolarType):
            return each(lambda code: 2 * code - 1, codes)
        return codes

    def _sum_of_products(self, op: bnn.LinearOp | bnn.ConvOp, x: Array) -> Array:
        weights = self.read(op, "weights", op.weights)
        if not all(map(is_integer, x.reshape(-1))) or op.scales is not None:
            weights = each(as_real, weights)
        if op.scales is not None:
            scales = self.read(op, "scales", op.scales).reshape(-1, *[1] * (weights.ndim - 1))
            weights = each(lambda w, s: w * s, weights, scales)
        sums = _linear(x, weights) if isinstance(op, bnn.LinearOp) else _conv(x, weights, op)
        if op.offsets is None:
            return sums
        return each(lambda a, b: a + b, sums, self.read(op, "offsets", op.offsets).reshape(-1))

    def _add(self, op: bnn.AddOp, values: list[Array]) -> Array:
        if op.multipliers is None:
            return each(lambda a, b: a + b, *values)
        p, q = self.read(op, "multipliers", op.multipliers)
        return each(lambda a, b, p, q: p * a + q * b, *values, p, q)


def disturbed(values: Array) -> Array:
    """The elements one place on; a single one plus 1."""
    flat = values.reshape(-1)
    if flat.size == 1:
        return terms([flat[0] + 1], values.shape)
    return terms([*flat[1:], flat[0]], values.shape)


def _count(x: Array, at: Array, steps: Array | None, bias: int) -> Array:
    one = z3.IntVal(1)
    total = terms([z3.IntVal(bias)] * x.size, x.shape)
    for index in range(at.shape[1]):
        step = np.array([one], dtype=object) if steps is None else steps[:, index]
        total = each(lambda s, v, t, n: s + z3.If(v >= t, n, 0), total, x, at[:, index], step)
    return total


def _total(values: Sequence[Term]) -> Term:
    return reduce(lambda a, b: a + b, values)


def _linear(x: Array, weights: Array) -> Array:
    rows = x.reshape(-1, x.shape[-1])
    flat = [
        _total([w * v for w, v in zip(row, frame, strict=True)])
        for frame in rows
        for row in weights
    ]
    return terms(flat, (*x.shape[:-1], len(weights)))


def _windows(
    x: Array, kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> tuple[tuple[int, ...], list[Array]]:
    """How many windows along each axis, and each as [*kernel, C], in row-major order."""
    counts = tuple(window_counts(x.shape[:-1], kernel, strides, dilations))
    found: list[Array] = []
    for place in np.ndindex(*counts):
        corner = [p * s for p, s in zip(place, strides, strict=True)]
        taken = tuple(
            slice(c, c + d * (k - 1) + 1, d)
            for c, k, d in zip(corner, kernel, dilations, strict=True)
        )
        found.append(x[taken])
    return counts, found


def _conv(x: Array, weights: Array, op: bnn.ConvOp) -> Array:
    rows, channels = len(weights) // op.groups, weights.shape[-1]
    counts, windows = _windows(x, op.kernel, op.strides, op.dilations)
    flat: list[Term] = []
    for window in windows:
        for row, of_row in enumerate(weights):
            first = row // rows * channels
            part = window[..., first : first + channels].reshape(-1)
            products = [w * v for w, v in zip(of_row.reshape(-1), part, strict=True)]
            flat.append(_total(products))
    return terms(flat, (*counts, len(weights)))


def _pool(x: Array, op: bnn.MaxPoolOp | bnn.SumPoolOp) -> Array:
    counts, windows = _windows(x, op.kernel, op.strides, op.dilations)
    function: Callable[[Term, Term], Term] = (
        maximum if isinstance(op, bnn.MaxPoolOp) else lambda a, b: a + b
    )
    channels = x.shape[-1]
    flat = [
        reduce(function, window.reshape(-1, channels)[:, channel])
        for window in windows
        for channel in range(channels)
    ]
    return terms(flat, (*counts, channels))


def _pad(x: Array, op: bnn.PadOp, value: Term) -> Array:
    shape = bnn.frame_type(op.output).get_shape()
    found = terms([value] * int(np.prod(shape)), shape)
    inside = tuple(slice(b, b + n) for b, n in zip(op.before, x.shape[:-1], strict=True))
    found[inside] = x
    return found


def _moved(op: Operation, values: list[Array]) -> Array:
    """Operations that only give elements other places, leave some out or repeat some."""
    x = values[0]
    match op:
        case bnn.ReshapeOp():
            return x.reshape(bnn.frame_type(op.output).get_shape())
        case bnn.TransposeOp():
            return np.transpose(x, op.axes)
        case bnn.ConcatOp():
            return np.concatenate(values, axis=op.axis_index)
        case bnn.SliceOp():
            moves = zip(op.offsets, op.sizes, op.strides, strict=True)
            return x[tuple(slice(o, o + (n - 1) * s + 1, s) for o, n, s in moves)]
        case bnn.UpsampleOp():
            for axis, factor in enumerate(op.factors):
                x = np.repeat(x, factor, axis=axis)
            return x
        case bnn.MaxPoolOp() | bnn.SumPoolOp():
            return _pool(x, op)
        case _:
            raise NotImplementedError(f"{op.name} has no meaning on terms")
