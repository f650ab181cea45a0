"""The kernels of target host compute what bnn says, with every kind of vectors and without."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from packed_networks import Case, cases, near, same
from xdsl.context import Context

import irc
from irc.backends.c.compiler import find_compiler, run_compiler
from irc.backends.c.header import header_text
from irc.backends.c.host import HostModel, batch_text, compile_host, host_source
from irc.backends.c.kernels.vector import choose_vectors
from irc.backends.c.project import write_files
from irc.backends.c.source import CSource
from irc.dialects import packed
from irc.passes.software.choose_kernels import ChooseKernels

LAYERS = """
func.func @net(%x: tensor<RxKxui8>) -> tensor<Rx5xsi20> {
  %0 = bnn.linear %x, <tensor<MxKx!bnn.bipolar>, "0xFIRST"> : tensor<RxKxui8> -> tensor<RxMxsi20>
  %1 = bnn.threshold %0 at <tensor<1x1xsi8>, [7]> bias 0
    : tensor<RxMxsi20> -> tensor<RxMx!bnn.bipolar>
  %2 = bnn.linear %1, <tensor<NxMx!bnn.bipolar>, "0xSECOND">
    : tensor<RxMx!bnn.bipolar> -> tensor<RxNxsi20>
  %3 = bnn.threshold %2 at <tensor<1x1xsi8>, [1]> bias 0
    : tensor<RxNxsi20> -> tensor<RxNx!bnn.bipolar>
  %4 = bnn.linear %3, <tensor<5xNx!bnn.bipolar>, "0xTHIRD">
    : tensor<RxNx!bnn.bipolar> -> tensor<Rx5xsi20>
  func.return %4 : tensor<Rx5xsi20>
}
"""
"""Bytes by signs with a threshold, bits by bits with one, and bits by bits without."""


def hexadecimal(generator: np.random.Generator, bits: int) -> str:
    """So many random bits as IR text has them; those that fill up the last byte are zeros."""
    data = bytearray(generator.bytes(-(-bits // 8)))
    data[-1] &= 0xFF >> (-bits % 8)
    return data.hex()


def layers(name: str, rows: int, columns: int, middle: int, results: int) -> Case:
    """Three layers, `rows` times, with so many inputs and so many results of the first two."""
    generator = np.random.default_rng(columns)
    text = LAYERS
    for letter, size in (("R", rows), ("K", columns), ("M", middle), ("N", results)):
        text = re.sub(rf"(?<=[<x]){letter}(?=x)", str(size), text)
    for word, bits in (("FIRST", middle * columns), ("SECOND", results * middle)):
        text = text.replace(word, hexadecimal(generator, bits))
    module = irc.parse(text.replace("THIRD", hexadecimal(generator, 5 * results)))
    frames = generator.integers(0, 256, (20, rows, columns))
    expected = list(irc.evaluate(module, frames))
    return Case(name, irc.compile_to(module, "packed"), frames, expected)


def all_cases() -> list[Case]:
    """Random networks in words of 32 bits, with limits where they can have them."""
    found: list[Case] = []
    for case in cases():
        kinds = [op for op in case.packed.walk() if isinstance(op, packed.XnorDenseOp)]
        if kinds and all(packed.bits_type(op.input).word == 32 for op in kinds):
            module = case.packed.clone()
            ChooseKernels(unroll=0).apply(Context(), module)
            found.append(Case(case.name, module, case.frames, case.expected))
    sizes = [(3, 27, 64, 32), (1, 4, 33, 97), (2, 101, 1, 64), (1, 785, 130, 200)]
    return [*found, *(layers(f"layers{i}", *size) for i, size in enumerate(sizes))]


@pytest.mark.slow
@pytest.mark.parametrize(
    "flags", [["-march=native"], ["-mavx2", "-mno-avx512f"], []], ids=["native", "avx2", "plain"]
)
def test_vectors_compute_what_bnn_says(flags: list[str], tmp_path: Path) -> None:
    command = find_compiler()
    if "-mavx2" in flags and "avx2" not in Path("/proc/cpuinfo").read_text(encoding="utf-8"):
        pytest.skip("this processor has no AVX2")
    sources: list[tuple[Case, CSource]] = []
    names: list[str] = []
    for case in all_cases():
        source = host_source(case.packed, case.name, None)
        texts = {f"{case.name}.h": header_text(source), f"{case.name}.c": source.body}
        write_files(tmp_path, {**texts, f"{case.name}_batch.c": batch_text(source)})
        names += [f"{case.name}.c", f"{case.name}_batch.c"]
        sources.append((case, source))
    warnings = ["-Wall", "-Wextra", "-Wno-psabi", "-Werror"]
    run_compiler(
        [*command, "-O1", *flags, *warnings, "-fPIC", "-shared", *names, "-o", "all.so", "-lm"],
        tmp_path,
    )
    for case, source in sources:
        got = HostModel(source, tmp_path / "all.so").run(case.frames)
        for mine, theirs in zip(got, case.expected, strict=True):
            exact = source.is_reproducible or mine.dtype.kind != "f"
            assert same(mine, theirs) if exact else near(mine, theirs), case.name


def test_the_networks_use_every_form_of_them() -> None:
    forms: set[str] = set()
    for case in all_cases():
        module = case.packed.clone()
        choose_vectors(module)
        for op in module.walk():
            if isinstance(op, packed.XnorDenseOp) and op.kernel is not None:
                assert op.kernel.data == "vector"
                form = "sums" if op.limits is None else "limits"
                forms |= {form, f"{form} in places"} if op.places is not None else {form}
            elif isinstance(op, packed.SignDenseOp) and op.vectors is not None:
                forms.add("bytes")
    assert {"sums", "limits", "bytes"} <= forms


def test_threads_share_the_frames() -> None:
    case = layers("net", 3, 27, 64, 32)
    model = compile_host(case.packed)
    frames = np.resize(case.frames, (401, *case.frames.shape[1:]))
    alone = model.run(frames, threads=1)[0]
    assert np.array_equal(alone[: len(case.frames)], case.expected[0])
    for threads in (2, 3, 100, None):
        assert np.array_equal(model.run(frames, threads=threads)[0], alone)
