"""Straight code counts bits, and looks sums up, as the bnn level says; on cores, fast."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Operation, Region

from irc.backends.c.compiler import find_compiler, run_compiler
from irc.backends.c.cross.cores import core_named
from irc.backends.c.header import header_text
from irc.backends.c.host import HostModel, batch_text
from irc.backends.c.kernels.tree import CarrySave, tree_lines
from irc.backends.c.project import write_c_project, write_files
from irc.backends.c.source import emit_c
from irc.backends.c.vectors import Vectors
from irc.dialects import bnn
from irc.dialects.dense import bipolar, element_range, sint, uint
from irc.dialects.packed_pairs import pair_words
from irc.flow.profile import ProfileReport, profile_folder
from irc.interp.run import entry_function, run_module
from irc.passes.software.choose_kernels import ChooseKernels, block_words
from irc.passes.software.convert_bnn_to_packed import ConvertBnnToPacked
from irc.passes.software.plan_arena import PlanArena

Array = npt.NDArray[Any]

Layer = Callable[[Any], Operation]
"""Makes an op of the value before."""

STRICT = [
    *("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Wsign-conversion"),
    *("-Wshadow", "-Werror"),
]
SANITIZE = ["-fsanitize=undefined", "-fno-sanitize-recover=all"]


def calculated(lines: list[str], total: str, x: list[int], w: list[int]) -> int:
    """What C computes: its expressions are Python's, but for 32 bits."""
    values: dict[str, Any] = {"x": x, "w": w}

    def value(expression: str) -> int:
        plain = re.sub(r"(\b0x[0-9A-F]+|\b\d+)u\b", r"\1", expression)
        plain = re.sub(r"\((\w+) \* (0x[0-9A-F]+)\)", r"((\1 * \2) & 0xFFFFFFFF)", plain)
        return int(eval(plain, {}, values)) & 0xFFFFFFFF

    for line in lines:
        found = re.fullmatch(r"const uint32_t (\w+) = (.*);", line)
        assert found is not None, line
        values[found[1]] = value(found[2])
    return value(total)


@given(levels=st.lists(st.integers(0, 3), min_size=1, max_size=30), data=st.data())
def test_a_tree_weighs_words_by_their_levels(levels: list[int], data: st.DataObject) -> None:
    size = len(levels)
    words = data.draw(st.lists(st.integers(0, 2**32 - 1), min_size=size, max_size=size))
    tree = CarrySave()
    for number, level in enumerate(levels):
        tree.add(level, tree.name(f"x[{number}]"))
    expected = sum(word.bit_count() << level for word, level in zip(words, levels, strict=True))
    total = tree.total(sum(1 << level for level in levels))
    assert calculated(tree.lines, total, words, []) == expected


@given(data=st.data(), words=st.integers(1, 62))
def test_a_tree_counts_ones(data: st.DataObject, words: int) -> None:
    word = st.one_of(st.integers(0, 2**32 - 1), st.sampled_from([0, 2**32 - 1]))
    x = data.draw(st.lists(word, min_size=words, max_size=words))
    w = data.draw(st.lists(word, min_size=words, max_size=words))
    lines, total = tree_lines(words, "x", "w")
    paired = [pair_words(np.array(row, np.uint32)).tolist() for row in (x, w)]
    ones = sum((a ^ b).bit_count() for a, b in zip(x, w, strict=True))
    assert calculated(lines, total, *paired) == ones


@pytest.mark.parametrize("words", [1, 31, 62])
def test_a_tree_counts_all_ones(words: int) -> None:
    lines, total = tree_lines(words, "x", "w")
    w = pair_words(np.full(words, 2**32 - 1, np.uint32)).tolist()
    assert calculated(lines, total, [0] * words, w) == 32 * words


@given(words=st.integers(1, 500), cap=st.integers(1, 62))
def test_blocks_are_pairs_and_take_no_more_code_than_allowed(words: int, cap: int) -> None:
    block = block_words(words, cap)
    rest = words % block
    assert block == words or block % 2 == 0
    assert block + rest <= max(cap, 3)


def network(arguments: TensorType, layers: list[Layer]) -> ModuleOp:
    """A function of layers."""
    block = Block(arg_types=[arguments])
    value: Any = block.args[0]
    for layer in layers:
        op = layer(value)
        block.add_op(op)
        value = op.results[0]
    block.add_op(ReturnOp(value))
    types = (block.arg_types, [value.type])
    module = ModuleOp([FuncOp("net", types, Region(block))])
    module.verify()
    return module


def signs(random: np.random.Generator, *shape: int) -> bnn.DenseAttr:
    return bnn.DenseAttr.from_numpy(random.choice(np.array([-1, 1], np.int8), shape), bipolar)


def threshold(random: np.random.Generator, channels: int, spread: int, high: int = 1) -> Layer:
    """A threshold op for `channels` sums that keeps about half of the bits."""
    steps = np.sort(random.integers(-spread, spread, (channels, high)), axis=1)
    codes: Attribute = bipolar if high == 1 else uint(high.bit_length())
    return lambda value: bnn.ThresholdOp(value, bnn.DenseAttr.from_integers(steps), codes, bias=0)


def linear(weights: bnn.DenseAttr) -> Layer:
    return lambda value: bnn.LinearOp(value, weights, sint(20))


def dense(columns: int, channels: int, element: Attribute = bipolar, high: int = 1) -> ModuleOp:
    """A dense layer with thresholds, and one with few integer results behind it."""
    random = np.random.default_rng(columns)
    spread = max(2, int(columns**0.5)) * (1 if element == bipolar else 100)
    layers: list[Layer] = [
        linear(signs(random, channels, columns)),
        threshold(random, channels, spread, high),
        linear(signs(random, 3, channels)),
    ]
    return network(TensorType(element, [columns]), layers)


PLANES: list[tuple[Attribute, int]] = [
    (uint(2), 1),
    (sint(2), 1),
    (sint(3), 2),
    (uint(2), 3),
    (bipolar, 2),
    (bipolar, 4),
]
"""Types of activations, and bits of signed weights, 1 of bipolar ones."""


def multi_bit(columns: int, element: Attribute, bits: int) -> ModuleOp:
    """A dense layer by bit-planes with two thresholds."""
    random = np.random.default_rng(columns)
    low, high = (-(1 << bits >> 1), 1 << bits >> 1)
    values = random.integers(low, high, (35, columns))
    integers = bnn.DenseAttr.from_numpy(values, sint(max(bits, 2)))
    weights = signs(random, 35, columns) if bits == 1 else integers
    layers = [linear(weights), threshold(random, 35, 3 * columns, 2)]
    return network(TensorType(element, [columns]), layers)


def twice(columns: int) -> ModuleOp:
    """Two layers that read the same bits: the first must leave them as they were."""
    random = np.random.default_rng(columns)
    block = Block(arg_types=[TensorType(bipolar, [columns])])
    first = bnn.LinearOp(block.args[0], signs(random, 40, columns), sint(20))
    second = bnn.LinearOp(block.args[0], signs(random, 40, columns), sint(20))
    both = bnn.AddOp(first.output, second.output, sint(21))
    block.add_ops([first, second, both, ReturnOp(both.output)])
    types = (block.arg_types, [both.output.type])
    module = ModuleOp([FuncOp("net", types, Region(block))])
    module.verify()
    return module


def conv(size: int, channels: int, results: int, border: float = -1.0) -> ModuleOp:
    """A 3x3 convolution of bits with a border, thresholds, and a few integer results."""
    random = np.random.default_rng(size)
    weights = signs(random, results, 3, 3, channels)
    kind: Attribute = bipolar if border else sint(2)
    layers: list[Layer] = [
        lambda value: bnn.PadOp(value, [1, 1], [1, 1], border, kind),
        lambda value: bnn.ConvOp(value, weights, sint(20), [1, 1], [1, 1]),
        threshold(random, results, 24),
        lambda value: bnn.ReshapeOp(value, [size * size * results]),
        linear(signs(random, 2, size * size * results)),
    ]
    return network(TensorType(bipolar, [size, size, channels]), layers)


def frames_of(module: ModuleOp, count: int) -> Array:
    frame = bnn.frame_type(entry_function(module).body.block.args[0])
    random = np.random.default_rng(1)
    shape = (count, *frame.get_shape())
    if frame.element_type == bipolar:
        return random.choice(np.array([-1, 1], np.int8), shape)
    low, high = element_range(frame.element_type)
    return random.integers(low, high + 1, shape)


def packed_of(module: ModuleOp, **options: Any) -> ModuleOp:
    module = module.clone()
    for step in (ConvertBnnToPacked(), ChooseKernels(**options), PlanArena()):
        step.apply(Context(), module)
        module.verify()
    return module


WIDTHS = (1, 31, 32, 33, 64, 70, 96, 130, 784, 1000, 1024, 1152, 2304, 2500)


def networks() -> dict[str, tuple[ModuleOp, ModuleOp]]:
    """Networks by name, at level bnn and packed."""
    found: dict[str, tuple[ModuleOp, ModuleOp]] = {}
    for columns in WIDTHS:
        module = dense(columns, 33 + columns % 32)
        for unroll in (160, 1024):
            name = f"d{columns}_{unroll}"
            found[name] = module, packed_of(module, unroll=unroll, least_results=1)
    for columns in (33, 784, 1152):
        module = dense(columns, 33)
        found[f"b{columns}"] = module, packed_of(module, popcount="builtin", least_results=1)
    for columns in (1, 3, 4, 27, 60, 61, 64, 128):
        for high in (1, 3):
            module = dense(columns, 40, uint(8), high)
            found[f"l{columns}_{high}"] = module, packed_of(module)
    for columns in (64, 100):
        found[f"t{columns}"] = twice(columns), packed_of(twice(columns))
    for columns, unroll in ((5, 1024), (100, 2048), (784, 512), (784, 2048)):
        for number, (element, bits) in enumerate(PLANES):
            module = multi_bit(columns, element, bits)
            name = f"p{columns}_{number}_{unroll}"
            found[name] = module, packed_of(module, unroll=unroll, least_results=1)
    for border in (-1.0, 0.0):
        module = conv(5, 32, 40, border)
        found[f"c{'z' if border == 0 else 'm'}"] = module, packed_of(module)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("flags", [["-O2"], ["-O1", *SANITIZE]], ids=["fast", "sanitized"])
def test_straight_code_equals_bnn(tmp_path: Path, flags: list[str]) -> None:
    cases = networks()
    sources = {name: emit_c(low, name) for name, (_, low) in cases.items()}
    for name, source in sources.items():
        batch = {f"{name}_batch.c": batch_text(source)} if "-O2" in flags else {}
        write_files(tmp_path, {f"{name}.h": header_text(source), f"{name}.c": source.body, **batch})
    if "-O2" not in flags:
        # A program, as the sanitizer's library is not part of Python.
        calls = ["#include <stddef.h>"]
        main = ["int main(void)", "{"]
        for name, (module, _) in cases.items():
            source, frame = sources[name], frames_of(module, 1)
            inputs, outputs = source.inputs[0], source.outputs[0]
            expected = run_module(module, [frame])[0].reshape(-1).tolist()
            values = ", ".join(map(str, frame.reshape(-1).tolist()))
            calls += [
                f'#include "{name}.h"',
                f"static const {inputs.c_type} {name}_x[] = {{{values}}};",
            ]
            main += [f"    {outputs.c_type} {name}_y[{outputs.size}];"]
            main += [f"    if ({name}_run({name}_x, {name}_y) != 0) return 1;"]
            main += [f"    if ({name}_y[{i}] != {v}) return 2;" for i, v in enumerate(expected)]
        text = "\n".join([*calls, *main, "    return 0;", "}", ""])
        write_files(tmp_path, {"main.c": text})
        names = ["main.c", *(f"{name}.c" for name in cases)]
        run_compiler([*find_compiler(), *STRICT, *flags, *names, "-o", "all"], tmp_path)
        run_compiler(["./all"], tmp_path)
        return
    names = [name for case in cases for name in (f"{case}.c", f"{case}_batch.c")]
    command = [*find_compiler(), *STRICT, *flags, "-fPIC", "-shared", *names, "-o", "all.so"]
    run_compiler(command, tmp_path)
    for name, (module, low) in cases.items():
        frames = frames_of(module, 9)
        expected = run_module(module, [frames])[0]
        np.testing.assert_array_equal(run_module(low, [frames])[0], expected, name)
        got = HostModel(sources[name], tmp_path / "all.so").run(frames)[0]
        np.testing.assert_array_equal(got, expected, name)


def profiled(module: ModuleOp, folder: Path, core: str, **options: Any) -> ProfileReport:
    frames = frames_of(module, 2)
    vectors = Vectors([frames], run_module(module, [frames]))
    write_c_project(packed_of(module, **options), folder, name="net", vectors=vectors)
    report = profile_folder(folder, core_named(core), "zig", 2)
    assert report.agrees
    return report


def per_mac(report: ProfileReport, label: str) -> float:
    found = next(layer for layer in report.layers if layer.label == label)
    assert found.instructions_per_mac is not None
    return found.instructions_per_mac


@pytest.mark.slow
@pytest.mark.parametrize(
    ("core", "most"),
    [("cortex-m0plus", 0.45), ("cortex-m3", 0.28), ("cortex-m4", 0.28), ("rv32imc", 0.31)],
)
def test_instructions_of_a_dense_layer(tmp_path: Path, core: str, most: float) -> None:
    pytest.importorskip("unicorn")
    pytest.importorskip("ziglang")
    assert per_mac(profiled(dense(1024, 1024), tmp_path / "net", core), "dense") <= most


@pytest.mark.slow
@pytest.mark.parametrize(
    ("core", "most"), [("cortex-m0plus", 0.48), ("cortex-m4", 0.3), ("rv32imc", 0.33)]
)
def test_instructions_of_a_convolution(tmp_path: Path, core: str, most: float) -> None:
    pytest.importorskip("unicorn")
    pytest.importorskip("ziglang")
    assert per_mac(profiled(conv(16, 64, 64), tmp_path / "net", core), "conv") <= most
