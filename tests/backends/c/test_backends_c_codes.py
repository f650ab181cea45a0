"""Codes of several bits: ternary layers, thresholds into planes, floats by their bits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_networks import (
    SANITIZE,
    Layer,
    check_kernels,
    frames_of,
    linear,
    network,
    packed_of,
    signs,
)
from xdsl.dialects.builtin import ModuleOp, TensorType, f32
from xdsl.ir import Attribute

from irc.dialects import bnn, packed
from irc.dialects.dense import bipolar, sint, uint
from irc.interp.run import entry_function, run_module
from irc.passes.software.float_keys import code_keys

TERNARY = sint(2)


def codes(
    random: np.random.Generator, channels: int, levels: int, kind: Attribute, bias: int
) -> Layer:
    """Thresholds, some of them equal, that give `levels + 1` codes from `bias` on."""
    steps = np.sort(random.integers(-30, 31, (channels, levels)), axis=1)
    return lambda value: bnn.ThresholdOp(value, bnn.DenseAttr.from_integers(steps), kind, bias=bias)


def weights_of(random: np.random.Generator, low: int, *shape: int) -> bnn.DenseAttr:
    """Bipolar weights, or those from `low` to 1."""
    if low == 0:
        return signs(random, *shape)
    return bnn.DenseAttr.from_numpy(random.integers(low, 2, shape), sint(2))


def layers(columns: int, low: int, levels: int, bias: int, kind: Attribute) -> ModuleOp:
    """Ternary activations, 35 results in codes of `kind`, and 3 sums of these."""
    random = np.random.default_rng(columns)
    return network(
        TensorType(sint(8), [columns]),
        [
            codes(random, 1, 2, TERNARY, -1),
            linear(weights_of(random, low, 35, columns)),
            codes(random, 35, levels, kind, bias),
            linear(signs(random, 3, 35)),
        ],
    )


def window(low: int) -> ModuleOp:
    """A convolution of ternary activations with a border of zeros."""
    random = np.random.default_rng(low + 9)
    weights = weights_of(random, low, 33, 3, 3, 32)
    built: list[Layer] = [
        codes(random, 32, 2, TERNARY, -1),
        lambda value: bnn.PadOp(value, [1, 1], [1, 1], 0.0, TERNARY),
        lambda value: bnn.ConvOp(value, weights, sint(20), [1, 1], [1, 1]),
        codes(random, 33, 2, TERNARY, -1),
        lambda value: bnn.ReshapeOp(value, [16 * 33]),
        linear(signs(random, 2, 16 * 33)),
    ]
    return network(TensorType(sint(8), [4, 4, 32]), built)


def of_floats(rounding: str, scale: float, low: int, high: int) -> ModuleOp:
    """A quantizer of 70 floats, and a layer that reads its codes."""
    random = np.random.default_rng(high)
    bounds: tuple[int, ...] = low, high
    kind: Attribute = sint(4) if low < 0 else uint(4)
    if rounding in ("sign", "bipolar"):
        kind, bounds = bipolar, ()
    built: list[Layer] = [
        lambda value: bnn.EwiseOp("mul", value, bnn.DenseAttr.from_floats(np.float32(scale))),
        lambda value: bnn.EwiseOp("sub", value, bnn.DenseAttr.from_floats(np.float32(0.3))),
        lambda value: bnn.QuantizeOp(rounding, value, kind, *bounds),
        linear(signs(random, 5, 70)),
    ]
    return network(TensorType(f32, [70]), built)


CODES: list[tuple[int, int, Attribute]] = [
    (2, -1, TERNARY),
    (3, -2, TERNARY),
    (4, -3, sint(4)),
    (5, 0, uint(3)),
    (7, 0, uint(3)),
    (14, -7, sint(4)),
    (15, 0, uint(4)),
]
"""Thresholds, the lowest code and its type."""


def networks() -> dict[str, tuple[ModuleOp, ModuleOp]]:
    """Networks by name, at level bnn and packed: trees, lanes, and loops of words of 8 bits."""
    found: dict[str, tuple[ModuleOp, ModuleOp]] = {}

    def add(name: str, module: ModuleOp, **options: Any) -> None:
        found[name] = module, packed_of(module, least_results=1, **options)

    for number, (levels, bias, kind) in enumerate(CODES):
        module = layers(40, 0, levels, bias, kind)
        add(f"code{number}", module)
        add(f"loop{number}", module, unroll=0)
    for columns in (5, 300):
        for low in (0, -1, -2):
            module = layers(columns, low, 2, -1, TERNARY)
            for name, options in {"t": {}, "v": {"lanes": True}, "w": {"unroll": 0}}.items():
                add(f"{name}{columns}_{-low}", module, **options)
    for low in (0, -1):
        add(f"conv{-low}", window(low))
    for number, rounding in enumerate(("half_even", "half_up", "down")):
        add(f"float{number}", of_floats(rounding, 1.7, -7, 7))
    add("nibble", of_floats("floor", 0.9, 0, 15))
    add("bits", of_floats("bipolar", 3.0, -1, 1))
    add("many", of_floats("half_even", 1.0, -8, 7))
    add("down", of_floats("half_even", -1.0, -7, 7))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("flags", [["-O2"], ["-O1", *SANITIZE]], ids=["fast", "sanitized"])
def test_codes_equal_bnn(tmp_path: Path, flags: list[str]) -> None:
    check_kernels(tmp_path, networks(), flags)


def test_ternary_layers_are_found_by_their_values() -> None:
    def kinds(module: ModuleOp) -> list[bool]:
        ops = packed_of(module, least_results=1).walk()
        return [op.ternary is not None for op in ops if isinstance(op, packed.PlaneDenseOp)]

    assert kinds(layers(64, 0, 2, -1, TERNARY)) == [True, True]
    assert kinds(layers(64, -1, 2, -1, TERNARY)) == [True, True]
    # Weights of −2, and codes of −2, count their high plane twice.
    assert kinds(layers(64, -2, 3, -2, TERNARY)) == [False, False]
    assert kinds(window(-1))[0]


def quantizer(module: ModuleOp) -> packed.FloatQuantizeOp:
    """The quantizer of floats of a network at level packed."""
    ops = packed_of(module).walk()
    return next(op for op in ops if isinstance(op, packed.FloatQuantizeOp))


@settings(max_examples=40)
@given(
    st.sampled_from(["half_even", "floor", "ceil", "half_up", "half_down", "up", "down"]),
    st.floats(2**-9, 2**9, width=32),
    st.integers(-7, 0),
    st.integers(1, 7),
)
def test_keys_say_where_codes_change(rounding: str, scale: float, low: int, high: int) -> None:
    op = quantizer(of_floats(rounding, scale, low, high))
    keys = code_keys(op)
    assert keys is not None
    assert keys == op.keys
    for level, key in enumerate(keys.numpy().tolist()):
        below, at = (
            np.array([k ^ 0x80000000 if k >> 31 else ~k & 0xFFFFFFFF], np.uint32).view(np.float32)
            for k in (key - 1, key)
        )
        x = np.concatenate([below, at]) * np.float32(scale) - np.float32(0.3)
        reached = _rounded(rounding, x)
        assert reached[0] < low + level + 1 <= reached[1]


def _rounded(rounding: str, x: Any) -> list[float]:
    """Roundings as they are defined, in double, which holds a float32 and a half."""
    wide = x.astype(np.float64)
    magnitude = np.abs(x) + np.float32(0.5 if rounding == "half_up" else -0.5)
    functions = {
        "half_even": np.rint(wide),
        "floor": np.floor(wide),
        "ceil": np.ceil(wide),
        "half_up": np.sign(wide) * np.floor(magnitude),
        "half_down": np.sign(wide) * np.ceil(magnitude),
        "up": np.sign(wide) * np.ceil(np.abs(wide)),
        "down": np.trunc(wide),
    }
    return functions[rounding].tolist()


def test_what_descends_or_has_many_codes_is_computed() -> None:
    assert quantizer(of_floats("half_even", -1.0, -7, 7)).keys is None
    assert quantizer(of_floats("half_even", 1.0, -8, 8 - 1)).keys is not None


def test_frames_hold_what_is_compared() -> None:
    """The inputs of the networks above reach every code, and both zeros and infinities."""
    module = of_floats("half_even", 1.7, -7, 7)
    frames = frames_of(module, 9)
    assert np.isinf(frames).any()
    assert (np.signbit(frames) & (frames == 0)).any()
    assert entry_function(module).sym_name.data == "net"
    assert len(np.unique(run_module(module, [frames])[0])) > 3
