"""The datapath of a matrix-vector unit computes sums of products, for all inputs and weights.

Three families, all of the Verilog that is emitted, as Yosys reads it:

`fold`: from any state of the unit, whatever its weight memory gives and whatever has been added up,
each row's sum grows by exactly Σ_k w_k·x_k of the beat, in the form that the products give it
(`y = scale·A − offset`), modulo the width of the accumulator. The beat is not the first of a
vector, nothing stalls, and the circuit is one with two beats a vector.

`first`: the beat that begins a vector makes the sum this, added to what the sum starts from.

`vector`: from reset, with given weights and thresholds, every result of a whole vector is what the
integers say: starts at minus the threshold, all folds, replayed beats and comparisons included.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.ir import Attribute, Block

from irc.backends.verilog.printer import print_design
from irc.dialects import bnn, dataflow
from irc.dialects.dataflow import Folding, StreamType
from irc.dialects.dense import BipolarType, element_range, element_width
from irc.passes.hardware.units.mvu import mvu_module
from irc.passes.hardware.units.products import Products, TernaryPlanes, products_of
from proofs.circuit import Circuit, Question, added, bits, extended, number
from proofs.theorem import (
    OF_ANSWER,
    OPEN,
    PROVEN,
    REFUTED,
    Outcome,
    Theorem,
    with_wrong_versions,
)

Array = npt.NDArray[Any]

WIDE = 20
"""Bits in which the specification adds up: more than any sum here has."""

TOP = "mvu"


@dataclass(frozen=True)
class Shape:
    """A unit: its folding, and what it multiplies in which style."""

    weights: Attribute
    inputs: Attribute
    style: str
    pe: int
    simd: int
    stages: int = 1
    ternary: bool = False
    neuron_folds: int = 1
    synapse_folds: int = 2
    thresholds: int = 0
    lut_inputs: int = 6

    @property
    def name(self) -> str:
        """As the table has it."""
        kinds = f"{'ternary' if self.ternary else _short(self.weights)}x{_short(self.inputs)}"
        parts = [kinds, self.style, f"pe{self.pe}", f"simd{self.simd}", f"stages{self.stages}"]
        if (self.neuron_folds, self.synapse_folds, self.thresholds) != (1, 2, 0):
            parts += [f"nf{self.neuron_folds}", f"sf{self.synapse_folds}", f"t{self.thresholds}"]
        if self.lut_inputs != 6:
            parts.append(f"lut{self.lut_inputs}")
        return "-".join(parts)

    @property
    def rows(self) -> int:
        """Rows of the weight matrix."""
        return self.pe * self.neuron_folds

    @property
    def columns(self) -> int:
        """Columns of the weight matrix."""
        return self.simd * self.synapse_folds

    def values(self, seed: int = 1) -> Array:
        """Weights of the type."""
        rng = np.random.default_rng(seed)
        low, high = (-1, 1) if self.ternary else element_range(self.weights)
        found = rng.integers(low, high + 1, (self.rows, self.columns))
        if isinstance(self.weights, BipolarType):
            return np.where(found > 0, 1, -1)
        # The ends of the range occur in every row, so that accumulators are as wide as they get.
        found[:, 0], found[:, -1] = low, high
        return found

    def op(self, weights: Array) -> dataflow.MvuOp:
        """The unit, with these weights."""
        stream = StreamType.of(TensorType(self.inputs, [self.columns]), self.simd)
        at, result = None, bnn.sint(16)
        if self.thresholds:
            middle = np.sort(np.arange(self.rows * self.thresholds) % 5).reshape(self.rows, -1) - 2
            at = bnn.DenseAttr.from_integers(middle)
            result = bnn.bipolar if self.thresholds == 1 else bnn.uint(self.thresholds.bit_length())
        found = dataflow.MvuOp(
            "layer",
            Block(arg_types=[stream]).args[0],
            bnn.DenseAttr.from_numpy(weights, self.weights),
            result,
            at,
            folding=Folding(self.pe, self.simd, products=self.style, stages=self.stages),
        )
        found.verify()
        return found

    def text(self, op: dataflow.MvuOp) -> str:
        """Its Verilog."""
        module = mvu_module(op, TOP, self.lut_inputs)
        return print_design(ModuleOp([module]))[0].text


def _short(kind: Attribute) -> str:
    if isinstance(kind, BipolarType):
        return "b"
    return f"{'s' if element_range(kind)[0] < 0 else 'u'}{element_width(kind)}"


def weight_bits(products: Products, op: dataflow.MvuOp) -> tuple[Array, Array]:
    """How a word of the weight memory follows from the bits of the weights it is for.

    A word is `base ^ Σ_i bit_i·columns[i]` modulo 2, for bits [PE·SIMD·planes] in the order of
    rows, columns and planes. Found by looking at words of chosen weights, and checked at others.
    """
    kind, planes = products.weights.element_type, products.weight_planes().shape[0]
    shape = products.weights.shape
    least = -1 if isinstance(kind, BipolarType) else 0

    def word(values: Array) -> Array:
        attribute = bnn.DenseAttr.from_numpy(values, kind)
        return type(products)(attribute, products.input_type, op.pe, op.simd).rom_bits()[0]

    def planes_of(values: Array) -> Array:
        attribute = bnn.DenseAttr.from_numpy(values, kind)
        made = type(products)(attribute, products.input_type, op.pe, op.simd)
        return made.weight_planes()[:, : op.pe, : op.simd].transpose(1, 2, 0).reshape(-1)

    base = word(np.full(shape, least))
    columns: list[Array] = []
    for row, column in itertools.product(range(op.pe), range(op.simd)):
        known: list[tuple[Array, Array]] = []
        for value in _probes(kind, products):
            one = np.full(shape, least)
            one[row, column] = value
            known.append((planes_of(one), word(one) ^ base))
        columns += _solved(known, (row * op.simd + column) * planes, planes)
    found = np.stack(columns)
    rng = np.random.default_rng(5)
    for _ in range(8):
        values = rng.choice([*_probes(kind, products), least], shape)
        expected = (planes_of(values).astype(int) @ found + base) % 2
        assert np.array_equal(expected, word(values)), "a weight memory that is not linear"
    return base, found


def _probes(kind: Attribute, products: Products) -> list[int]:
    """Weights of which the bits tell the planes apart."""
    if isinstance(kind, BipolarType):
        return [1]
    if isinstance(products, TernaryPlanes):
        return [-1, 1]
    width = element_width(kind)
    powers = [1 << j for j in range(width)]
    if element_range(kind)[0] < 0:
        powers[-1] = -powers[-1]
    return powers


def _solved(known: list[tuple[Array, Array]], first: int, planes: int) -> list[Array]:
    """The effect of each plane's bit, from that of weights with several."""
    found: dict[int, Array] = {}
    for _ in range(planes):
        for of_planes, effect in known:
            places = [j for j in range(planes) if of_planes[first + j]]
            unknown = [j for j in places if j not in found]
            if len(unknown) == 1:
                rest = effect.copy()
                for j in places:
                    if j in found:
                        rest ^= found[j]
                found[unknown[0]] = rest
    return [found[j] for j in range(planes)]


class Specification:
    """Integers as SMT-LIB terms of `WIDE` bits: what a unit is to compute."""

    def __init__(self, shape: Shape, products: Products) -> None:
        self.shape, self.products = shape, products

    def element(self, beat: str, lane: int) -> str:
        """An input, from a beat."""
        kind = self.shape.inputs
        width = element_width(kind)
        code = bits(beat, lane * width, width)
        if isinstance(kind, BipolarType):
            return f"(ite (= {code} #b1) {number(1, WIDE)} {number(-1, WIDE)})"
        return extended(code, WIDE - width, element_range(kind)[0] < 0)

    def weight(self, planes: Sequence[str]) -> str:
        """A weight, from its bits, one a plane."""
        if isinstance(self.shape.weights, BipolarType):
            return f"(ite (= {planes[0]} #b1) {number(1, WIDE)} {number(-1, WIDE)})"
        if self.shape.ternary:
            sign, mask = planes
            value = f"(ite (= {sign} #b1) {number(1, WIDE)} {number(-1, WIDE)})"
            return f"(ite (= {mask} #b1) {value} {number(0, WIDE)})"
        joined = planes[0]
        for plane in planes[1:]:
            joined = f"(concat {plane} {joined})"
        return extended(joined, WIDE - len(planes), element_range(self.shape.weights)[0] < 0)

    def products_of(self, x: Sequence[str], w: Sequence[str]) -> str:
        """Σ_k w_k·x_k."""
        return added([f"(bvmul {a} {b})" for a, b in zip(x, w, strict=True)], WIDE)

    def offset(self, w: Sequence[str]) -> str:
        """What `scale·A − y` is, for weights: the formula that the kind of products states."""
        kind = self.shape.inputs
        name = type(self.products).__name__
        minus = [f"(ite (= {v} {number(-1, WIDE)}) {number(1, WIDE)} {number(0, WIDE)})" for v in w]
        used = [f"(ite (= {v} {number(0, WIDE)}) {number(0, WIDE)} {number(1, WIDE)})" for v in w]
        if name == "Negations":
            return f"(bvneg {added(minus, WIDE)})"
        if name in ("XnorPlanes", "TernaryPlanes"):
            if isinstance(kind, BipolarType):
                return added(used, WIDE)
            return f"(bvmul {number(_sum_of_planes(kind), WIDE)} {added(minus, WIDE)})"
        if isinstance(kind, BipolarType):
            return added(w, WIDE)
        low = element_range(kind)[0]
        return f"(bvmul {number(-low, WIDE)} {added(w, WIDE)})"


def _sum_of_planes(kind: Attribute) -> int:
    """Σ_j c_j: what the code of all ones counts."""
    width = element_width(kind)
    return -1 if element_range(kind)[0] < 0 else (1 << width) - 1


def prove_fold(shape: Shape, seconds: float, is_first: bool = False) -> Outcome:
    """Every row's sum grows by its products, from any state; not by one with two inputs exchanged,
    nor by one more. Of the first beat of a vector, the sum grows from its start instead."""
    op = shape.op(shape.values())
    products = products_of(op, shape.lut_inputs)
    circuit = Circuit.of_verilog([shape.text(op)], TOP, free=["weights"])
    last = 2 + shape.stages
    q = Question(circuit, last + 1)
    q.set("m_axis_tready", 1, range(last + 1))
    q.set("aresetn", 1, range(last + 1))
    q.set("s_axis_tvalid", 1, range(last + 1))
    begins = f"(= {q.at('synapse', 0)} {number(0, circuit.wires['synapse'])})"
    q.assume(begins if is_first else f"(not {begins})")
    start = -(products.offsets() // products.scale) * int(products.has_whole_start())
    spec = Specification(shape, products)
    weights = _weights_at(q, products, op, 1)
    x = [spec.element(q.at("s_axis_tdata", 0), lane) for lane in range(shape.simd)]
    claims: list[str] = []
    swapped: list[str] = []
    off: list[str] = []
    for row in range(shape.pe):
        w = [spec.weight(planes) for planes in weights[row]]
        width = circuit.wires[f"sum{row}"]
        so_far = q.at(f"sum{row}", last - 1)
        if is_first:
            so_far = number(int(start[row % len(start)]), width)
        grown = f"(bvsub {q.at(f'sum{row}', last)} {so_far})"

        def grows(y: str, w: list[str] = w, width: int = width, grown: str = grown) -> str:
            total = f"(bvadd {y} {spec.offset(w)})"
            shifted = f"(bvashr {total} {number(products.scale.bit_length() - 1, WIDE)})"
            return f"(= {grown} {bits(shifted, 0, width)})"

        claims.append(grows(spec.products_of(x, w)))
        swapped.append(
            grows(
                spec.products_of(
                    [x[-1], *x[1:-1], x[0]] if len(x) > 1 else [spec.weight(weights[row][0])], w
                )
            )
        )
        off.append(grows(f"(bvadd {spec.products_of(x, w)} {number(products.scale, WIDE)})"))
    wrong = [off] if isinstance(shape.inputs, BipolarType) and shape.simd == 1 else [off, swapped]
    return _verdict(q, claims, wrong, seconds)


def _weights_at(
    q: Question, products: Products, op: dataflow.MvuOp, cycle: int
) -> list[list[list[str]]]:
    """Unknown weights, as bits [PE][SIMD][planes], that the memory gives in a cycle."""
    base, columns = weight_bits(products, op)
    planes = products.weight_planes().shape[0]
    names = [q.declare(f"w{index}", 1) for index in range(len(columns))]
    for place in range(len(base)):
        parts = [names[index] for index in np.flatnonzero(columns[:, place])]
        value = number(int(base[place]), 1)
        for part in parts:
            value = f"(bvxor {value} {part})"
        q.assume(f"(= {bits(q.at('weights_q', cycle), place, 1)} {value})")
    shaped = np.array(names).reshape(op.pe, op.simd, planes).tolist()
    if op.is_ternary or type(products).__name__ == "TernaryPlanes":
        for row in shaped:
            # No weight has a sign and is 0.
            q.assume(*(f"(or (= {sign} #b0) (= {mask} #b1))" for sign, mask in row))
    return shaped


def prove_vector(shape: Shape, seconds: float) -> Outcome:
    """Every result of a vector is right, from reset; with a threshold one off it is not."""
    values = shape.values()
    op = shape.op(values)
    products = products_of(op, shape.lut_inputs)
    circuit = Circuit.of_verilog([shape.text(op)], TOP)
    steps = shape.neuron_folds * shape.synapse_folds
    first = 1 + op.latency()
    last = first + (shape.neuron_folds - 1) * shape.synapse_folds
    q = Question(circuit, max(last, steps) + 1)
    cycles = range(1, q.cycles)
    q.set("aresetn", 0, [0])
    q.set("aresetn", 1, cycles)
    q.set("m_axis_tready", 1, range(q.cycles))
    q.set("s_axis_tvalid", 1, range(q.cycles))
    spec = Specification(shape, products)
    x = [
        spec.element(q.at("s_axis_tdata", 1 + fold), lane)
        for fold in range(shape.synapse_folds)
        for lane in range(shape.simd)
    ]
    claims: list[str] = []
    wrong: list[str] = []
    width = dataflow.stream_type(op.output).element_width
    for row in range(shape.rows):
        fold, lane = divmod(row, shape.pe)
        cycle = first + fold * shape.synapse_folds
        y = spec.products_of(x, [number(int(value), WIDE) for value in values[row]])
        given = bits(q.at("m_axis_tdata", cycle), lane * width, width)
        claims.append(f"(= {q.at('m_axis_tvalid', cycle)} #b1)")
        claims.append(f"(= {given} {_code(op, y, row, width, 0)})")
        wrong.append(f"(= {given} {_code(op, y, row, width, 2)})")
    return _verdict(q, claims, [wrong], seconds)


def _code(op: dataflow.MvuOp, y: str, row: int, width: int, late: int) -> str:
    """A result, thresholds being `late` too high; without thresholds the sum is."""
    if op.thresholds is None:
        return bits(f"(bvadd {y} {number(late, WIDE)})", 0, width)
    at = op.thresholds.numpy()[row]
    one, zero = number(1, width), number(0, width)
    reached = [f"(ite (bvsge {y} {number(int(t) + late, WIDE)}) {one} {zero})" for t in at]
    return added(reached, width)


def _verdict(q: Question, claims: list[str], wrong: Sequence[list[str]], seconds: float) -> Outcome:
    found = q.implies(claims, seconds)
    if found is None:
        return Outcome(OPEN, f"not decided in {seconds:g} s")
    if not found:
        return Outcome(REFUTED, "there is a counterexample")
    return with_wrong_versions(
        Outcome(PROVEN),
        (
            (f"wrong version {index}", OF_ANSWER[q.implies(each, seconds)])
            for index, each in enumerate(wrong)
        ),
    )


ENCODINGS: list[tuple[Attribute, Attribute, str, bool]] = [
    (bnn.bipolar, bnn.bipolar, "planes", False),
    (bnn.bipolar, bnn.uint(2), "planes", False),
    (bnn.bipolar, bnn.sint(3), "planes", False),
    (bnn.bipolar, bnn.uint(2), "multiply", False),
    (bnn.bipolar, bnn.sint(3), "multiply", False),
    (bnn.sint(2), bnn.bipolar, "planes", True),
    (bnn.sint(2), bnn.uint(2), "planes", True),
    (bnn.sint(2), bnn.bipolar, "planes", False),
    (bnn.sint(3), bnn.uint(2), "planes", False),
    (bnn.sint(2), bnn.sint(2), "planes", False),
    (bnn.sint(3), bnn.bipolar, "multiply", False),
    (bnn.sint(3), bnn.uint(3), "multiply", False),
    (bnn.sint(4), bnn.sint(4), "multiply", False),
    (bnn.uint(2), bnn.uint(3), "planes", False),
    (bnn.uint(2), bnn.sint(2), "multiply", False),
]
"""Types of weights and inputs, and the style of their products."""


def fold_shapes() -> Iterator[Shape]:
    """What the sweep goes through."""
    for weights, inputs, style, ternary in ENCODINGS:
        for pe, simd in ((1, 1), (2, 4), (4, 12)):
            yield Shape(weights, inputs, style, pe, simd, ternary=ternary)
        for stages in (0, 2):
            yield Shape(weights, inputs, style, 2, 6, stages=stages, ternary=ternary)
    for pe, simd in ((2, 3), (1, 16), (4, 32), (1, 64), (1, 128)):
        yield Shape(bnn.bipolar, bnn.bipolar, "planes", pe, simd)
    for simd in (9, 16):
        yield Shape(bnn.bipolar, bnn.bipolar, "planes", 2, simd, lut_inputs=4)


def first_beat_shapes() -> Iterator[Shape]:
    """The same for first beats, which differ in the start alone: one of each encoding."""
    for weights, inputs, style, ternary in ENCODINGS:
        yield Shape(weights, inputs, style, 2, 4, ternary=ternary)


def vector_shapes() -> Iterator[Shape]:
    """The same for whole vectors."""
    for weights, inputs, style, ternary in ENCODINGS:
        for thresholds in (0, 1, 3):
            yield Shape(
                weights,
                inputs,
                style,
                2,
                2,
                ternary=ternary,
                neuron_folds=2,
                synapse_folds=3,
                thresholds=thresholds,
            )
    for neuron_folds, synapse_folds in ((1, 1), (1, 4), (3, 1)):
        for thresholds in (0, 1, 2):
            yield Shape(
                bnn.bipolar,
                bnn.bipolar,
                "planes",
                2,
                5,
                neuron_folds=neuron_folds,
                synapse_folds=synapse_folds,
                thresholds=thresholds,
            )


Prove = Callable[[Shape, float], Outcome]


_QUICK = ("bxb-planes-pe2-simd4-stages1", "ternaryxu2-planes-pe2-simd4-stages1")


def _theorem(family: str, claim: str, shape: Shape, prove: Prove, bound: str) -> Theorem:
    is_quick = family == "mvu-fold" and shape.name in _QUICK
    return Theorem(family, shape.name, claim, bound, partial(prove, shape), is_quick)


def theorems() -> list[Theorem]:
    """One for each shape."""
    folds = [
        _theorem(
            "mvu-fold",
            "a beat adds Σ w·x to every sum",
            shape,
            prove_fold,
            "any weights, inputs, sums",
        )
        for shape in fold_shapes()
    ]
    firsts = [
        _theorem(
            "mvu-first",
            "the first beat makes every sum its start + Σ w·x",
            shape,
            partial(prove_fold, is_first=True),
            "any weights of the beat, inputs",
        )
        for shape in first_beat_shapes()
    ]
    vectors = [
        _theorem(
            "mvu-vector",
            "a vector gives its results",
            shape,
            prove_vector,
            "given weights, any inputs",
        )
        for shape in vector_shapes()
    ]
    return [*folds, *firsts, *vectors]
