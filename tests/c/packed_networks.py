"""Networks at level packed, in every combination of options, for the tests of generated C."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
from branch_networks import branch_network
from float_input_networks import float_network
from random_networks import random_frames, random_network
from spatial_networks import spatial_network
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

import irc
from irc.interp.run import run_module
from irc.passes.software.choose_kernels import ChooseKernels
from irc.passes.software.convert_bnn_to_packed import ConvertBnnToPacked
from irc.passes.software.plan_arena import PlanArena

Array = npt.NDArray[Any]

OPTIONS = list(product((8, 16, 32, 64), ("swar", "table", "builtin"), (0, 8, 64)))


NETWORKS = (
    ("net", random_network),
    ("spatial", spatial_network),
    ("branch", branch_network),
    ("float", float_network),
)


def to_packed(
    module: ModuleOp,
    word: int = 32,
    popcount: str = "swar",
    products: int = 8,
    unroll: int = 128,
) -> ModuleOp:
    """A clone of a bnn module at level packed, verified after each pass."""
    module = module.clone()
    chosen = "auto" if popcount == "swar" else popcount
    for step in (
        ConvertBnnToPacked(word, popcount, products),
        ChooseKernels(chosen, unroll, least_results=1),
        PlanArena(),
    ):
        step.apply(Context(), module)
        module.verify()
    return module


@dataclass(frozen=True)
class Case:
    """A network at level packed, frames for it, and what the bnn level says they give."""

    name: str
    packed: ModuleOp
    frames: Array
    expected: list[Array]


@cache
def cases() -> tuple[Case, ...]:
    """A network of each kind for each combination of options, always the same; floats seldom."""
    found: list[Case] = []
    for number, (word, popcount, products) in enumerate(OPTIONS):
        for name, network in NETWORKS:
            if network is float_network and number % 3:
                continue
            random = Random(number)
            module = network(random)
            frames = random_frames(module, random, 8)
            packed = to_packed(module, word, popcount, products)
            expected = run_module(module, [frames])
            found.append(Case(f"{name}{number}", packed, frames, expected))
    return tuple(found)


EXAMPLE = Path(__file__).parents[2] / "examples" / "mnist"


@cache
def trained() -> Case:
    """The trained network of the example, 784-64-64-64-10 and floats, with its first images."""
    model = irc.load(EXAMPLE / "mnist_64x3_1w1a.onnx")
    bnn = irc.compile_to(model, "bnn", inputs=["image=uint8/255"])
    with np.load(EXAMPLE / "mnist_test_1000.npz") as data:
        frames = data["x"][:8].reshape(8, 1, 28, 28)
    expected = run_module(bnn, [frames])
    return Case("trained", irc.compile_to(bnn.clone(), "packed"), frames, expected)


def same(got: Array, expected: Array) -> bool:
    """Equal to the bit, except that the sign of a zero is free."""
    return got.dtype == expected.dtype and np.array_equal(got, expected, equal_nan=True)


def near(got: Array, expected: Array) -> bool:
    """Floats that the C library had a say in."""
    same_type = got.dtype == expected.dtype
    return same_type and np.allclose(got, expected, rtol=1e-5, atol=1e-6, equal_nan=True)
