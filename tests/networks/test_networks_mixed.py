"""Random networks of every operator, pattern, dialect and width give the same at every level."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterable

import pytest
from xdsl.ir import Operation

from irc.dialects import bnn, dataflow, packed
from irc.fuzz.networks.branch_parts import CONCATS, SHORTCUTS
from irc.fuzz.networks.counterexample import report
from irc.fuzz.networks.layer_parts import INTEGER_LAYERS, TAILS, WEIGHTS
from irc.fuzz.networks.levels import Disagreement, Found, c_disagreements, examine, rtl_disagreement
from irc.fuzz.networks.quantizer_parts import QUANTIZERS
from irc.fuzz.networks.random_mixed_network import (
    BLOCKS,
    ENDS,
    HEADS,
    POOLS,
    RandomMixedNetwork,
    make_mixed_network,
    random_mixed_network,
)

SEEDS, SHARD = 2000, 125
RTL_SEEDS, RTL_SHARD = 100, 10

MOST_REFUSED = 0.08
"""Share of a shard that a target may refuse: what no integer can stand for is drawn too."""

OPERATORS = (
    "Add", "ArgMax", "AveragePool", "BatchNormalization", "BipolarQuant", "Cast", "Clip",
    "Concat", "Conv", "ConvInteger", "DequantizeLinear", "Div", "Flatten", "Floor", "Gemm",
    "GlobalAveragePool", "GlobalMaxPool", "Greater", "GreaterOrEqual", "HardSigmoid", "IntQuant",
    "LeakyRelu", "Less", "LessOrEqual", "MatMul", "MatMulInteger", "Max", "MaxPool", "Min", "Mul",
    "MultiThreshold", "Neg", "Not", "PRelu", "Pad", "QLinearConv", "QLinearMatMul", "Quant",
    "QuantizeLinear", "Relu", "Reshape", "Resize", "Round", "Sigmoid", "Sign", "Slice", "Softmax",
    "Split", "Sub", "Tanh", "TopK", "Transpose", "Trunc", "Upsample", "Where",
)  # fmt: skip

PARTS = (
    *(f"block: {kind}" for kind in BLOCKS),
    *(f"pool: {kind}" for kind in POOLS),
    *(f"head: {kind}" for kind in HEADS),
    *(f"end: {kind}" for kind in ENDS),
    *(f"residual: {kind}" for kind in SHORTCUTS),
    *(f"quantizer: {kind}" for kind in QUANTIZERS),
    *(f"weights: {kind}" for kind in WEIGHTS),
    *(f"tail: {kind}" for kind in TAILS),
    *(f"integer layer: {kind}" for kind in INTEGER_LAYERS),
    *(f"layer: {kind}" for kind in ("dilated", "border", "depthwise", "pointwise", "grouped")),
    *(f"concat: {kind}" for kind in CONCATS),
    *("split: added", "split: Split"),
    *("split: Slice", "skip connection", "upsample", "pad", "input: channels last"),
    "residual: sums and quantized values",
)


def fail_on(found: Iterable[tuple[int, Disagreement | None]]) -> None:
    """Shrink and write out the first disagreement of these seeds, if there is any."""
    for seed, disagreement in found:
        if disagreement is not None:
            raise AssertionError(report(make_mixed_network, seed, disagreement))


def examined(seeds: range) -> list[tuple[RandomMixedNetwork, Found]]:
    """Networks and what the interpreters' levels made of them; fails where two disagree."""
    networks = [random_mixed_network(seed) for seed in seeds]
    every = [(network, examine(network)) for network in networks]
    fail_on((seed, found.disagreement) for seed, (_, found) in zip(seeds, every, strict=True))
    return every


def assert_software_agrees(seeds: range) -> list[tuple[RandomMixedNetwork, Found]]:
    """Levels onnx, bnn, dataflow, packed and c; few networks are refused, and that with reasons."""
    every = examined(seeds)
    fail_on(zip(seeds, c_disagreements([found for _, found in every]), strict=True))
    for target in ("verilog", "c"):
        refused = Counter(found.refusals[target] for _, found in every if target in found.refusals)
        print(f"target {target} refuses {refused.total()} of {len(seeds)} networks")
        for reason, count in refused.most_common():
            print(f"{count:4} {reason}")
        assert refused.total() <= MOST_REFUSED * len(seeds)
        assert all(refused)
    return every


def test_software_levels_agree() -> None:
    every = assert_software_agrees(range(SEEDS, SEEDS + 50))
    # The largest logit of a network that nobody trained is often the same one for all frames.
    results = [
        found.expected[0]
        for network, found in every
        if found.expected and not any(network.drawn[f"end: {end}"] for end in ("ArgMax", "TopK"))
    ]
    assert len(results) >= 25
    alike = sum(bool((result == result[:1]).all()) for result in results)
    assert alike <= len(results) // 8, "too many networks give all frames the same"


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, SEEDS, SHARD))
def test_software_levels_agree_on_many_seeds(first: int) -> None:
    assert_software_agrees(range(first, first + SHARD))


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, RTL_SEEDS, RTL_SHARD))
def test_simulated_verilog_agrees(first: int) -> None:
    if shutil.which("iverilog") is None and not os.environ.get("CI"):
        pytest.skip("iverilog is not installed")
    seeds = range(first, first + RTL_SHARD)
    done = 0
    for seed, (network, found) in zip(seeds, examined(seeds), strict=True):
        if "verilog" not in found.refusals:
            fail_on([(seed, rtl_disagreement(network, found))])
            done += 1
    assert done >= 0.7 * RTL_SHARD


def test_every_operator_and_pattern_is_drawn() -> None:
    drawn: Counter[str] = Counter()
    for seed in range(300):
        network = random_mixed_network(seed)
        drawn += network.drawn
        drawn.update({node.op_type for node in network.model.graph.node})
    assert [kind for kind in (*OPERATORS, *PARTS) if not drawn[kind]] == []


@pytest.mark.slow
def test_every_operation_of_each_level_is_reached() -> None:
    seen: set[type[Operation]] = set()
    for _, found in examined(range(200)):
        for module in (found.module, found.dataflow, found.packed):
            if module is not None:
                seen |= {type(op) for op in module.walk()}
    never = {bnn.QuantizeOp, bnn.FloatThresholdOp, bnn.TransposeOp}
    # Inputs are declared here, so that nothing quantizes floats in C.
    never |= {packed.FloatQuantizeOp, packed.FloatThresholdOp}
    for dialect in (bnn.Bnn, dataflow.Dataflow, packed.Packed):
        wanted = {op for op in dialect.operations if op.name.startswith(f"{dialect.name}.")}
        assert wanted - never <= seen


def test_a_seed_says_everything() -> None:
    first, second = random_mixed_network(7), random_mixed_network(7)
    assert first.model == second.model
    assert (first.frames == second.frames).all()
