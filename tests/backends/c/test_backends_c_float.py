"""Float tails round after every operation, whatever the compiler would like to fuse."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from c_networks import tiny
from hypothesis import given
from hypothesis import strategies as st

import irc
from irc.backends.c.compiler import find_compiler, run_compiler
from irc.backends.c.header import header_text
from irc.backends.c.host import HostModel, batch_text, compile_host
from irc.backends.c.project import write_files
from irc.backends.c.source import CSource, emit_c
from irc.backends.c.text import float_literal
from irc.dialects.bnn import BINARY_FUNCTIONS, UNARY_FUNCTIONS

FRAMES = np.random.default_rng(7).integers(0, 256, (200, 2, 5))

# A product of these rounds, so that fusing it with the sum behind it would show.
SCALE = [("mul", 0.1), ("add", -0.3), ("mul", 1.7), ("sub", 0.123), ("mul", 3.3), ("add", 0.7)]


def build(source: CSource, body: str, folder: Path) -> HostModel:
    """Compile with contraction allowed wherever the compiler and the machine can."""
    files = {"h": header_text(source), "c": body}
    write_files(folder, {f"{source.name}.{suffix}": text for suffix, text in files.items()})
    write_files(folder, {"batch.c": batch_text(source)})
    flags = ["-O3", "-march=native", "-ffp-contract=fast", "-fPIC", "-shared"]
    names = [f"{source.name}.c", "batch.c"]
    run_compiler([*find_compiler(), *flags, *names, "-o", "net.so"], folder)
    return HostModel(source, folder / "net.so")


def test_scaling_is_equal_to_the_bit(tmp_path: Path) -> None:
    module = tiny(*SCALE)
    source = emit_c(module)
    assert source.is_reproducible
    got = build(source, source.body, tmp_path).run_frames(FRAMES)
    assert np.array_equal(got, irc.evaluate(module, FRAMES)[0])


def test_without_the_volatile_it_would_not_be(tmp_path: Path) -> None:
    if "fma" not in Path("/proc/cpuinfo").read_text():
        pytest.skip("this machine has no fused multiply-add")
    module = tiny(*SCALE)
    source = emit_c(module)
    assert "volatile" in source.body
    got = build(source, source.body.replace("volatile ", ""), tmp_path).run_frames(FRAMES)
    assert not np.array_equal(got, irc.evaluate(module, FRAMES)[0])


@pytest.mark.parametrize("fn", [*BINARY_FUNCTIONS, *UNARY_FUNCTIONS])
def test_every_function_is_printed(fn: str) -> None:
    constant = 2.0 if fn in BINARY_FUNCTIONS else None
    # From 0.5 to 20.5: inside the domain of every function, and not whole.
    module = tiny(("add", 10.5), (fn, constant))
    model = compile_host(module)
    got, expected = model.run_frames(FRAMES), irc.evaluate(module, FRAMES)[0]
    if model.source.is_reproducible:
        assert np.array_equal(got, expected)
    else:
        np.testing.assert_allclose(got, expected, rtol=1e-6)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_literals_are_exact(value: float) -> None:
    text = float_literal(value)
    assert text.endswith("f")
    assert math.copysign(1, float.fromhex(text[:-1])) == math.copysign(1, value)
    assert float.fromhex(text[:-1]) == value


def test_infinity_has_a_name() -> None:
    assert "INFINITY" in emit_c(tiny(("min", math.inf))).body


@pytest.mark.parametrize("fn", ["softmax", "log_softmax"])
def test_softmax_is_near_for_many_classes_and_large_logits(fn: str) -> None:
    module = irc.parse(f"""
        func.func @net(%x: tensor<2x1000xsi16>) -> tensor<2x1000xf32> {{
          %0 = bnn.cast %x : tensor<2x1000xsi16> -> tensor<2x1000xf32>
          %1 = bnn.ewise "div" %0, <tensor<f32>, [700.0]>
            : tensor<2x1000xf32> -> tensor<2x1000xf32>
          %2 = bnn.softmax "{fn}" %1 : tensor<2x1000xf32> -> tensor<2x1000xf32>
          func.return %2 : tensor<2x1000xf32>
        }}""")
    frames = np.random.default_rng(2).integers(-(2**15), 2**15, (5, 2, 1000))
    got = compile_host(irc.compile_to(module, "packed")).run_frames(frames)
    np.testing.assert_allclose(got, irc.evaluate(module, frames)[0], rtol=2e-6, atol=1e-30)
    sums = got.sum(axis=-1) if fn == "softmax" else np.exp(got.astype(np.float64)).sum(axis=-1)
    np.testing.assert_allclose(sums, 1, rtol=1e-5)
