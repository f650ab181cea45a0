"""Folding for a device: goals, what limits them, and FINN's heuristic beside."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from finn_folding import finn_folding
from hardware_nets import (
    CONTEXT,
    Layer,
    Sample,
    linear,
    network,
    random_values,
    threshold,
    to_dataflow,
)
from residual_designs import residual_net, split_net, unet
from spatial_nets import conv, max_pool
from xdsl.dialects.builtin import ModuleOp, TensorType

from irc.devices import FIGURES, figures_of
from irc.dialects import bnn
from irc.errors import IrcError, UsageError
from irc.passes.hardware.built_cost import built_cost
from irc.passes.hardware.design import Design, design_of
from irc.passes.hardware.fold_layers import FoldLayers
from irc.passes.hardware.folding_goal import FoldingGoal, reach
from irc.passes.hardware.folding_problem import FoldingProblem
from irc.passes.hardware.folding_solver import Cost


def dense(sizes: list[int], seed: int = 0, bits: int = 1) -> ModuleOp:
    """Binary dense layers with thresholds between."""
    rng = np.random.default_rng(seed)
    layers: list[Layer] = []
    for index, (columns, rows) in enumerate(itertools.pairwise(sizes)):
        weights = random_values(rng, bnn.bipolar, (rows, columns))
        layers.append(linear(weights, bnn.bipolar, f"fc{index}"))
        if index < len(sizes) - 2:
            layers.append(threshold(np.zeros((rows, 1), np.int64), bnn.bipolar))
    kind = bnn.bipolar if bits == 1 else bnn.uint(bits)
    return network(TensorType(kind, (sizes[0],)), layers)


def vgg() -> ModuleOp:
    """Six convolutions and three dense layers, as FINN's CNV."""
    rng = np.random.default_rng(1)
    layers: list[Layer] = []
    channels = 3
    for index, rows in enumerate((64, 64, 128, 128, 256, 256)):
        layers.append(conv(random_values(rng, bnn.bipolar, (rows, 3, 3, channels)), bnn.bipolar))
        layers.append(threshold(np.zeros((rows, 1), np.int64), bnn.bipolar))
        channels = rows
        if index in (1, 3):
            layers.append(max_pool((2, 2), (2, 2)))
    for rows, columns in ((512, 256), (512, 512), (10, 512)):
        layers.append(linear(random_values(rng, bnn.bipolar, (rows, columns)), bnn.bipolar))
        layers.append(threshold(np.zeros((rows, 1), np.int64), bnn.bipolar))
    return network(TensorType(bnn.sint(8), (32, 32, 3)), layers)


def mixed() -> ModuleOp:
    """A small convolution with a pool, and a dense layer."""
    rng = np.random.default_rng(2)
    layers = [
        conv(random_values(rng, bnn.bipolar, (2, 3, 3, 2)), bnn.bipolar),
        threshold(np.zeros((2, 1), np.int64), bnn.bipolar),
        max_pool((2, 2), (2, 2)),
        conv(random_values(rng, bnn.bipolar, (3, 2, 2, 2)), bnn.bipolar),
    ]
    return network(TensorType(bnn.bipolar, (6, 6, 2)), layers)


@pytest.mark.parametrize(
    ("module", "device"),
    [
        (dense([8, 6, 4]), "up5k"),
        (dense([12, 4, 6, 2], bits=2), "xc7"),
        (mixed(), "ecp5-25k"),
    ],
)
def test_small_networks_are_folded_as_by_brute_force(module: ModuleOp, device: str) -> None:
    """Over all foldings, not only those that the search keeps."""
    design = to_dataflow(module)
    search = FoldingProblem(design, figures_of(device))
    problem, everything = search.problem, search.everything
    assert sum(map(len, everything)) >= sum(map(len, problem.layers))
    for cycles in problem.cycles[:: max(1, len(problem.cycles) // 5)]:
        within = [[c for c in layer if c.cycles <= cycles] for layer in everything]
        prices: list[float] = []
        for choices in itertools.product(*within):
            cost = problem.base
            for index, choice in enumerate(choices):
                cost = cost.plus(choice.cost)
                if index:
                    gives = choices[index - 1].gives
                    cost = cost.plus(problem.between(index - 1, gives, choice.takes, cycles))
            prices.append(problem.price(cost))
        found = problem.cheapest(cycles)
        assert found is not None
        assert problem.price(found.cost) == pytest.approx(min(prices))


def price(design: Design, goal: FoldingGoal, cost: Cost) -> float:
    """What a design takes, weighed as the search weighs it."""
    prices = FoldingProblem(design, goal.device).prices
    return sum(taken * each for taken, each in zip(cost, prices, strict=True))


@pytest.mark.parametrize("device", ["ecp5-85k", "xc7"])
@pytest.mark.parametrize("widest", [36, None])
def test_it_is_never_worse_than_finns_heuristic(device: str, widest: int | None) -> None:
    for module, targets in ((vgg(), (400_000, 60_000)), (dense([784, 256, 256, 10]), (9_000, 800))):
        design = to_dataflow(module)
        figures = replace(figures_of(device), luts=10**6, block_rams=10**4)
        for target in targets:
            theirs = finn_folding(design.layers, target, widest)
            goal = FoldingGoal(figures, 100, fps=100e6 / target)
            ours = reach(design, goal).foldings
            for layer, folding in zip(design.layers, ours, strict=True):
                assert layer.folded_cycles(folding) <= target
            ours_cost = built_cost(design, ours, figures.family)
            theirs_cost = built_cost(design, theirs, figures.family)
            assert price(design, goal, ours_cost) <= price(design, goal, theirs_cost)


def fold(module: ModuleOp, **options: object) -> Design:
    """Fold a fresh copy of a network for a device."""
    to_dataflow(module)
    FoldLayers(**options).apply(CONTEXT, module)  # pyright: ignore[reportArgumentType]
    module.verify()
    return design_of(module)


@pytest.mark.parametrize("device", [device.name for device in FIGURES])
def test_goals_are_reached_within_the_device(device: str) -> None:
    sizes, figures = [64, 32, 10], figures_of(device)
    smallest = fold(dense(sizes), device=device, goal="smallest")
    fastest = fold(dense(sizes), device=device, goal="fastest")
    bounded = fold(dense(sizes), device=device, max_luts=500)
    rated = fold(dense(sizes), device=device, fps=figures.clock * 1e6 / 100)
    assert fastest.cycles() <= bounded.cycles() <= smallest.cycles()
    assert rated.cycles() <= 100
    goal = FoldingGoal(figures, 1)
    costs = [
        built_cost(d, [n.folding for n in d.layers], figures.family)
        for d in (smallest, bounded, fastest)
    ]
    assert costs[1].luts <= 500
    assert costs[2].luts <= figures.luts
    assert price(smallest, goal, costs[0]) == min(price(fastest, goal, cost) for cost in costs)
    assert rated.device == device
    assert rated.clock == figures.clock


@pytest.mark.parametrize("net", [residual_net, split_net, unet])
def test_networks_with_branches_are_folded_within_limits(net: Callable[[], Sample]) -> None:
    """What stands between branches is in none of the costs of layers, but counts."""
    designs = [fold(net().module, device="hx8k", goal=goal) for goal in ("smallest", "fastest")]
    costs = [built_cost(d, [layer.folding for layer in d.layers], "ice40") for d in designs]
    assert costs[1].within(FoldingGoal(figures_of("hx8k"), 60, goal="fastest").limits)
    limit = round((costs[0].luts + costs[1].luts) / 2)
    bounded = fold(net().module, device="hx8k", max_luts=limit)
    assert designs[0].cycles() >= bounded.cycles() >= designs[1].cycles()
    cost = built_cost(bounded, [layer.folding for layer in bounded.layers], "ice40")
    assert cost.luts <= limit


@pytest.mark.parametrize("device", ["hx8k", "ecp5-25k"])
def test_weights_lie_in_tables_where_block_rams_run_out(device: str) -> None:
    """Yosys would put each of these memories into a block RAM, of which there is one left."""
    design = to_dataflow(dense([128, 64, 64, 64, 10]))
    scarce = replace(figures_of(device), block_rams=1)
    goal = FoldingGoal(scarce, 100, fps=20_000)
    foldings = reach(design, goal).foldings
    assert built_cost(design, foldings, scarce.family).within(goal.limits)
    assert any(folding.memory == "distributed" for folding in foldings)
    elsewhere = [
        replace(folding, memory="auto") if folding.memory == "distributed" else folding
        for folding in foldings
    ]
    assert built_cost(design, elsewhere, scarce.family).block_rams > 1


def test_weights_lie_in_block_rams_that_nothing_else_needs() -> None:
    """49 words of 1,024 bits: tables would take several times what all the rest does."""
    design = to_dataflow(dense([784, 64, 10]))
    goal = FoldingGoal(figures_of("ecp5-25k"), 100, fps=2_000_000)
    outcome = reach(design, goal)
    assert outcome.foldings[0].memory == "block"
    chosen = built_cost(design, outcome.foldings, "ecp5")
    tables = [replace(folding, memory="distributed") for folding in outcome.foldings]
    assert built_cost(design, tables, "ecp5").luts > 2 * chosen.luts


def test_what_limits_is_said() -> None:
    design = fold(dense([64, 32, 10]), device="up5k", max_luts=500)
    assert design.limit is not None
    assert "layer 'fc" in design.limit
    assert "would need" in design.limit
    assert "LUT4s of 500" in design.limit
    unrolled = fold(dense([8, 4]), device="ecp5-85k", goal="fastest")
    assert unrolled.limit == "layer 'fc0' limits: 1 a frame is the fewest cycles"


def test_a_rate_that_no_folding_has_names_what_is_too_slow() -> None:
    module = network(
        TensorType(bnn.uint(2), (5, 6)),
        [threshold(np.arange(6)[:, None] % 4, bnn.bipolar, name="sign")],
    )
    with pytest.raises(IrcError) as raised:
        fold(module, device="hx8k", fps=20e6)
    assert str(raised.value) == (
        "20,000,000 frames/s are out of reach, which take 3 cycles a frame or fewer at 60 MHz:\n"
        "  layer 'sign' takes at least 5 cycles a frame, at pe = 6, simd = 1\n"
        "the most are 12,000,000 frames/s at 60 MHz (5 cycles a frame); "
        "a faster clock gives more (--clock)"
    )


def test_a_rate_that_does_not_fit_says_what_it_needs_and_what_would_fit() -> None:
    with pytest.raises(IrcError) as raised:
        fold(dense([784, 64, 10]), device="up5k", fps=2e6, clock=20)
    lines = str(raised.value).splitlines()
    assert lines[0].startswith("2,000,000 frames/s at 20 MHz (10 cycles a frame) does not fit up5k")
    assert "LUT4s of 4,752" in lines[0]
    assert lines[1].startswith("  layer 'fc0' limits: it needs ")
    assert lines[2].startswith("within these limits there are ")
    with pytest.raises(IrcError, match="the smallest design does not fit up5k"):
        fold(dense([64, 32, 10]), device="up5k", max_luts=30)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fps": 100.0}, "fps needs a device, such as device=up5k"),
        ({"clock": 10.0}, "clock needs a device, such as device=up5k"),
        ({"device": "up6k"}, "unknown device 'up6k'; expected up5k"),
        ({"device": "up5k", "goal": "best"}, "unknown goal 'best'; expected fastest or smallest"),
        ({"device": "up5k", "fps": 0.0}, "fps must be positive, not 0"),
        (
            {"device": "up5k", "fps": 9.0, "goal": "fastest"},
            "fps cannot be combined with another target",
        ),
    ],
)
def test_mistakes_are_told(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as raised:
        fold(dense([8, 4]), **options)
    assert message in str(raised.value)
