"""Where another order of float32 evaluation could decide otherwise, the margin says so.

The claim is checked by brute force: small layers are evaluated in many random orders of
summation and by every formula of batch normalization in use, on every input there is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import ModelProto, TensorProto
from xdsl.dialects.builtin import ModuleOp

from irc.dialects import bnn
from irc.flow.lowering import lower_to
from irc.frontend.import_onnx import import_model
from irc.fuzz.networks.choices import Numbers
from irc.fuzz.networks.graph import Export, Graph
from irc.interp.bnn import exact_matmul
from irc.interp.ewise import quantize
from irc.interp.run import run_module
from irc.loading import new_context
from irc.passes.streamline.fold_thresholds import margin_of

Array = npt.NDArray[Any]
F = np.float32
ORDERS = 40


@dataclass(frozen=True)
class Layer:
    """`BipolarQuant(BatchNorm(Gemm(x · a)))` of bipolar x: all in float32 but the weights."""

    weights: Array
    input_scale: np.float32
    bias: Array | None
    norm: tuple[Array, Array, Array, Array] | None
    """gamma, beta, mean and variance."""

    EPSILON = F(1e-5)

    def model(self) -> ModelProto:
        columns = self.weights.shape[1]
        graph = Graph(Export(13, "qonnx.custom_op.general", False, False))
        value = graph.node("Mul", "x", graph.constant(self.input_scale))
        inputs = [value, graph.constant(self.weights)]
        if self.bias is not None:
            inputs.append(graph.constant(self.bias))
        value = graph.node("Gemm", *inputs, transB=1)
        if self.norm is not None:
            constants = [graph.constant(c) for c in self.norm]
            value = graph.node("BatchNormalization", value, *constants, epsilon=float(self.EPSILON))
        value = graph.qonnx("BipolarQuant", value, graph.constant(1))
        return graph.model(TensorProto.FLOAT, (columns,), value, TensorProto.FLOAT, 1)

    def lowered(self) -> ModuleOp:
        module = import_model(self.model())
        lower_to(new_context(), module, "bnn", {"declare-inputs": {"inputs": ("x=bipolar",)}})
        return module

    def evaluations(self, signs: Array, rng: np.random.Generator) -> list[Array]:
        """The signs that runtimes may give, [N, rows] each, for inputs [N, columns]."""
        x = signs.astype(F) * self.input_scale
        terms = x[:, None, :] * self.weights.astype(F)
        if self.bias is not None:
            bias = np.broadcast_to(self.bias, terms.shape[:2]).astype(F)
            terms = np.concatenate([terms, bias[:, :, None]], axis=2)
        found: list[Array] = []
        for _ in range(ORDERS):
            sums = _summed(terms[:, :, rng.permutation(terms.shape[2])], rng)
            for normalized in self._normalizations(sums):
                found.append(quantize("bipolar", normalized, -1, 1))
        return found

    def _normalizations(self, x: Array) -> list[Array]:
        if self.norm is None:
            return [x]
        gamma, beta, mean, variance = self.norm
        root = np.sqrt(variance + self.EPSILON)
        divided, inverted = gamma / root, gamma * (F(1) / root)
        wide = x.astype(np.float64)
        return [
            x * divided + (beta - mean * divided),
            x * inverted + (beta - mean * inverted),
            (x - mean) * divided + beta,
            (x - mean) * inverted + beta,
            (x - mean) / root * gamma + beta,
            # Fused multiply-add: one rounding.
            (wide * inverted + (beta - mean * inverted)).astype(F),
            ((x - mean).astype(np.float64) * divided + beta).astype(F),
        ]


def _summed(terms: Array, rng: np.random.Generator) -> Array:
    """The sum along the last axis: any two neighbours next, until one number is left."""
    parts = [terms[..., i] for i in range(terms.shape[-1])]
    while len(parts) > 1:
        index = int(rng.integers(len(parts) - 1))
        parts[index : index + 2] = [parts[index] + parts[index + 1]]
    return parts[0]


def accumulators(module: ModuleOp, signs: Array) -> tuple[Array, Array, bnn.ThresholdOp]:
    """The integers that the threshold reads, and its results."""
    (op,) = (op for op in module.walk() if isinstance(op, bnn.ThresholdOp))
    linear = op.input.owner
    assert isinstance(linear, bnn.LinearOp)
    (results,) = run_module(module, [signs])
    return exact_matmul(signs, linear.weights.numpy()), results, op


def check(layer: Layer, seed: int = 0) -> tuple[int, int]:
    """Asserts that evaluations differ where the margin says so only; returns how many sums are
    ambiguous, and how many of these some evaluation decided otherwise."""
    columns = layer.weights.shape[1]
    signs = (2 * np.array(list(np.ndindex(*(2,) * columns))) - 1).astype(np.int8)
    sums, results, op = accumulators(layer.lowered(), signs)
    margin = margin_of(op)
    assert margin is not None
    listed = np.zeros(sums.shape, bool)
    for channel, first, last in margin:
        rows = slice(None) if op.thresholds.shape[0] == 1 else channel
        listed[:, rows] |= (sums[:, rows] >= first) & (sums[:, rows] <= last)
    differs = np.zeros(sums.shape, bool)
    for evaluation in layer.evaluations(signs, np.random.default_rng(seed)):
        differs |= evaluation != results
    assert not (differs & ~listed).any()
    return int(listed.sum()), int(differs.sum())


@st.composite
def layers(draw: st.DrawFn) -> Layer:
    """Small layers, most of them with a tie somewhere."""
    rows, columns = draw(st.integers(1, 3)), draw(st.integers(1, 7))
    numbers = Numbers(draw(st.integers(0, 2**16)), draw(st.booleans()))
    scale = draw(st.sampled_from((F(1), F(0.1), F(0.3), F(1 / 3))))
    weights = numbers.signs(rows, columns) * numbers.nonzero(rows, 1)
    bias = numbers.floats(rows) if draw(st.booleans()) else None
    norm = None
    if draw(st.booleans()):
        gamma, beta, mean = (numbers.floats(rows) for _ in range(3))
        if draw(st.booleans()):
            # The mean is a sum that occurs: with beta = 0 that sum is a tie.
            total = int(numbers.integers(-columns, columns))
            mean = (total * scale * np.abs(weights[:, 0])).astype(F)
            beta = np.zeros(rows, F) if draw(st.booleans()) else beta
        norm = (gamma, beta, mean, numbers.positive(rows))
    return Layer(weights.astype(F), scale, bias, norm)


@settings(deadline=None, max_examples=60)
@given(layers(), st.integers(0, 2**16))
def test_no_order_decides_outside_of_the_margin(layer: Layer, seed: int) -> None:
    check(layer, seed)


def test_ties_of_rounded_products_are_listed() -> None:
    # 0.1 + 0.1 + 0.1 - 0.1 - 0.1 - 0.1 is 0 in real numbers, and not in every order of float32.
    layer = Layer(np.full((1, 6), 0.1, F), F(1), None, None)
    listed, differing = check(layer)
    assert listed == 20
    assert differing > 0
    (op,) = (op for op in layer.lowered().walk() if isinstance(op, bnn.ThresholdOp))
    assert margin_of(op) == [(0, 0, 0)]


def test_an_odd_number_of_rounded_products_is_exact() -> None:
    assert check(Layer(np.full((1, 5), 0.1, F), F(1), None, None)) == (0, 0)


def test_sums_that_fit_float32_are_exact() -> None:
    layer = Layer(np.full((1, 6), 0.25, F), F(0.5), np.array([0.125], F), None)
    assert check(layer) == (0, 0)


def test_a_bias_inside_of_the_sum_rounds_with_it() -> None:
    # 1 - 1 - 2^-26 is negative, but -2^-26 + 1 - 1 is 0 in float32.
    layer = Layer(np.ones((1, 6), F), F(1), np.array([-(2.0**-26)], F), None)
    listed, differing = check(layer)
    assert listed == 20
    assert differing > 0


def test_batch_normalization_lists_the_sum_that_is_its_mean() -> None:
    # With beta = 0 the standard's formula is exactly 0 at the mean; the folded one need not be.
    mean, gamma = np.array([3 * 0.3], F), np.array([0.7], F)
    norm = (gamma, np.zeros(1, F), mean, np.array([0.9], F))
    listed, _ = check(Layer(np.full((1, 5), 0.3, F), F(1), None, norm))
    assert listed == 5
