"""QONNX's quantizers, lifted, against the functions of the `qonnx` package."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lift_models import QONNX, Net, assert_lifts_exactly, every_integer
from lift_nodes import assert_same_floats, lifted_only
from onnx import helper

from irc.interp.run import run_module

intquant: Any = importlib.import_module("qonnx.custom_op.general.intquant")
bipolar: Any = importlib.import_module("qonnx.custom_op.general.bipolar_quant")
trunc: Any = importlib.import_module("qonnx.custom_op.general.trunc")
multithreshold: Any = importlib.import_module("qonnx.custom_op.general.multithreshold")

MODES = ("ROUND", "HALF_EVEN", "CEIL", "FLOOR", "UP", "DOWN", "HALF_UP", "HALF_DOWN")

CHANNELS = 6

QUIET = settings(max_examples=60, deadline=None, derandomize=True)

SCALES = st.sampled_from([1.0, 0.5, 0.25, 0.1, 3.7, 1 / 3])


def numbers(scale: float, seed: int) -> Any:
    """Floats [n, 6] on ties of a scale, next to them, and anywhere."""
    rng = np.random.default_rng(seed)
    ties = rng.integers(-40, 41, (40, CHANNELS)) * np.float32(scale / 2)
    ties = ties.astype(np.float32)
    beside = np.nextafter(ties, np.float32(np.inf))
    anywhere = rng.normal(0, 20, (40, CHANNELS))
    return np.concatenate([ties, beside, anywhere]).astype(np.float32)


def f32(value: Any) -> Any:
    return np.asarray(value, np.float32)


@QUIET
@given(st.data(), st.sampled_from(MODES), SCALES, st.booleans(), st.booleans())
def test_quant(data: st.DataObject, mode: str, scale: float, signed: bool, narrow: bool) -> None:
    bits = data.draw(st.integers(1 if signed or not narrow else 2, 8))
    zero = data.draw(st.sampled_from([0.0, 1.0, -3.0, 0.5]))
    per_channel = data.draw(st.booleans())
    scales = scale * np.arange(1, CHANNELS + 1) if per_channel else scale
    attributes: dict[str, Any] = {"signed": int(signed), "narrow": int(narrow)}
    net = Net((1, CHANNELS))
    constants = [net.const(c) for c in (scales, zero, bits)]
    name = data.draw(st.sampled_from(["Quant", "IntQuant"]))
    net.add(name, "x", *constants, domain=QONNX, rounding_mode=mode, **attributes)
    x = numbers(scale, data.draw(st.integers(0, 99)))
    expected = intquant.int_quant(x, f32(scales), f32(zero), f32(bits), signed, narrow, mode)
    (found,) = run_module(lifted_only(net.model("n0")), [x])
    np.testing.assert_array_equal(found, expected)
    assert_same_floats(net.model("n0"), x)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("signed", [False, True])
def test_quant_of_integers_becomes_thresholds(mode: str, signed: bool) -> None:
    net = Net((1, CHANNELS))
    scale = 0.25 * np.arange(1, CHANNELS + 1)
    constants = [net.const(c) for c in (scale, 1.0, 4)]
    attributes: dict[str, Any] = {"signed": int(signed), "narrow": 0}
    value = net.add("Quant", "x", *constants, domain=QONNX, rounding_mode=mode, **attributes)
    value = net.add("MatMul", value, net.const(np.eye(CHANNELS)))
    frames = every_integer("int7*0.25", CHANNELS)
    assert_lifts_exactly(net.model(value), "int7*0.25", frames)


@pytest.mark.parametrize("scale", [1.0, 0.3])
def test_bipolar_quant(scale: float) -> None:
    net = Net((1, CHANNELS))
    net.add("BipolarQuant", "x", net.const(scale), domain=QONNX)
    x = np.concatenate([numbers(1.0, 0), np.zeros((2, CHANNELS)), -np.zeros((2, CHANNELS))])
    x = x.astype(np.float32)
    (found,) = run_module(lifted_only(net.model("n0")), [x])
    np.testing.assert_array_equal(found, bipolar.binary_quant(x, f32(scale)))


@QUIET
@given(st.data(), st.sampled_from(MODES), st.sampled_from([1.0, 0.5, 0.25]), st.booleans())
def test_trunc_after_quant(data: st.DataObject, mode: str, scale: float, signed: bool) -> None:
    """Both versions, of what a quantizer with the same scale and zero point gives."""
    zero = data.draw(st.sampled_from([0.0, 2.0, -4.0]))
    bits, kept = data.draw(st.sampled_from([(8, 4), (6, 5), (8, 8), (5, 2)]))
    newer, narrow = data.draw(st.booleans()), data.draw(st.booleans())
    net = Net((1, CHANNELS))
    first = [net.const(c) for c in (scale, zero, bits)]
    attributes: dict[str, Any] = {"signed": int(signed)}
    value = net.add("Quant", "x", *first, domain=QONNX, narrow=0, **attributes)
    x = numbers(scale, data.draw(st.integers(0, 99)))
    y = intquant.int_quant(x, f32(scale), f32(zero), f32(bits), signed, False, "ROUND")
    given_ = [f32(scale), f32(zero), f32(bits)]
    if newer:
        out_scale = scale * 2.0 ** (bits - kept)
        operands = [*first, net.const(out_scale), net.const(kept)]
        more = {**attributes, "narrow": int(narrow)}
        net.add("Trunc", value, *operands, domain=QONNX, rounding_mode=mode, **more)
        expected = trunc.trunc_v2(y, *given_, narrow, signed, f32(out_scale), f32(kept), mode)
    else:
        net.add("Trunc", value, *first, net.const(kept), domain=QONNX, rounding_mode=mode)
        expected = trunc.trunc_v1(y, *given_, f32(kept), mode)
    (found,) = run_module(lifted_only(net.model("n1")), [x])
    np.testing.assert_array_equal(found, expected)


LAYOUTS = [("NC", 2), ("", 2), ("NCHW", 4), ("NHWC", 4), ("", 4), ("NWC", 3), ("", 3), ("NCW", 3)]


@QUIET
@given(st.data(), st.sampled_from(LAYOUTS))
def test_multithreshold(data: st.DataObject, layout: tuple[str, int]) -> None:
    name, rank = layout
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    shape = [3] + [int(rng.integers(1, 5)) for _ in range(rank - 1)]
    axis = {"NHWC": 3, "NWC": 2}.get(name or {3: "NWC"}.get(rank, ""), 1)
    rows = data.draw(st.sampled_from([1, shape[axis]]))
    count = data.draw(st.integers(1, 7))
    thresholds = np.sort(rng.integers(-6, 7, (rows, count)) / 2, axis=1).astype(np.float32)
    if data.draw(st.booleans()):
        thresholds[rng.random((rows, count)) < 0.2] = np.inf
        thresholds[rng.random((rows, count)) < 0.2] = -np.inf
        thresholds.sort(axis=1)
    attributes: dict[str, Any] = {
        "out_scale": data.draw(st.sampled_from([1.0, 2.0, 0.3])),
        "out_bias": data.draw(st.sampled_from([0.0, -1.0, 0.7])),
        "out_dtype": "FLOAT32",
    }
    if name:
        attributes["data_layout"] = name
    x = (rng.integers(-8, 9, shape) / 2).astype(np.float32)
    op = multithreshold.MultiThreshold.__new__(multithreshold.MultiThreshold)
    op.onnx_node = helper.make_node("MultiThreshold", ["x", "t"], ["y"], **attributes)
    context = {"x": x, "t": thresholds}
    op.execute_node(context, None)
    net = Net((1, *shape[1:]))
    net.add("MultiThreshold", "x", net.const(thresholds), domain=QONNX, **attributes)
    (found,) = run_module(lifted_only(net.model("n0")), [x])
    np.testing.assert_array_equal(found, context["y"])


@pytest.mark.parametrize("count", [1, 3])
def test_infinite_thresholds_of_sums(count: int) -> None:
    levels = np.full((4, count), np.inf, np.float32)
    levels[1], levels[2, 0] = -np.inf, -np.inf
    levels[3] = np.arange(count)
    net = Net((1, 4))
    value = net.add("MatMul", "x", net.const(np.eye(4)))
    value = net.add("MultiThreshold", value, net.const(levels), domain=QONNX)
    value = net.add("MatMul", value, net.const(np.ones((4, 1))))
    assert_lifts_exactly(net.model(value), "int4", every_integer("int4", 4))
