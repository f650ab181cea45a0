"""Networks of few layers at level bnn, and harnesses that run the kernels chosen for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.context import Context
from xdsl.dialects.builtin import Float32Type, ModuleOp, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from irc.backends.c.compiler import find_compiler, run_compiler
from irc.backends.c.cross.cores import core_named
from irc.backends.c.header import header_text
from irc.backends.c.host import HostModel, batch_text
from irc.backends.c.project import write_c_project, write_files
from irc.backends.c.source import emit_c
from irc.backends.c.text import literals
from irc.backends.c.vectors import Vectors
from irc.dialects import bnn
from irc.dialects.dense import bipolar, element_range, sint, uint
from irc.flow.profile import ProfileReport, profile_folder
from irc.interp.run import entry_function, run_module
from irc.passes.software.choose_kernels import ChooseKernels
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


def argument_of(module: ModuleOp) -> SSAValue:
    return entry_function(module).body.block.args[0]


def frames_of(module: ModuleOp, count: int) -> Array:
    frame = bnn.frame_type(argument_of(module))
    random = np.random.default_rng(1)
    shape = (count, *frame.get_shape())
    if frame.element_type == bipolar:
        return random.choice(np.array([-1, 1], np.int8), shape)
    if isinstance(frame.element_type, Float32Type):
        values = random.normal(0, 2, shape).astype(np.float32)
        special = np.array([0.0, -0.0, np.inf, -np.inf, 1e-45, -1e-45, 3e38, -3e38], np.float32)
        return np.where(random.random(shape) < 0.25, random.choice(special, shape), values)
    low, high = element_range(frame.element_type)
    return random.integers(low, high + 1, shape)


def packed_of(module: ModuleOp, **options: Any) -> ModuleOp:
    module = module.clone()
    for step in (ConvertBnnToPacked(), ChooseKernels(**options), PlanArena()):
        step.apply(Context(), module)
        module.verify()
    return module


def check_kernels(
    folder: Path, cases: dict[str, tuple[ModuleOp, ModuleOp]], flags: list[str]
) -> None:
    """Compile networks, at level bnn and packed, into one library or program, and run them.

    What the packed level and C give must be what level bnn gives.
    """
    sources = {name: emit_c(low, name) for name, (_, low) in cases.items()}
    for name, source in sources.items():
        batch = {f"{name}_batch.c": batch_text(source)} if "-O2" in flags else {}
        write_files(folder, {f"{name}.h": header_text(source), f"{name}.c": source.body, **batch})
    if "-O2" not in flags:
        # A program, as the sanitizer's library is not part of Python.
        calls = ["#include <stddef.h>", "#include <math.h>"]
        main = ["int main(void)", "{"]
        for name, (module, _) in cases.items():
            source, frame = sources[name], frames_of(module, 1)
            inputs, outputs = source.inputs[0], source.outputs[0]
            expected = run_module(module, [frame])[0].reshape(-1).tolist()
            values = ", ".join(literals(frame, bnn.frame_type(argument_of(module)).element_type))
            calls += [
                f'#include "{name}.h"',
                f"static const {inputs.c_type} {name}_x[] = {{{values}}};",
            ]
            main += [f"    {outputs.c_type} {name}_y[{outputs.size}];"]
            main += [f"    if ({name}_run({name}_x, {name}_y) != 0) return 1;"]
            main += [f"    if ({name}_y[{i}] != {v}) return 2;" for i, v in enumerate(expected)]
        text = "\n".join([*calls, *main, "    return 0;", "}", ""])
        write_files(folder, {"main.c": text})
        names = ["main.c", *(f"{name}.c" for name in cases)]
        run_compiler([*find_compiler(), *STRICT, *flags, *names, "-o", "all"], folder)
        run_compiler(["./all"], folder)
        return
    names = [name for case in cases for name in (f"{case}.c", f"{case}_batch.c")]
    command = [*find_compiler(), *STRICT, *flags, "-fPIC", "-shared", *names, "-o", "all.so"]
    run_compiler(command, folder)
    for name, (module, low) in cases.items():
        frames = frames_of(module, 9)
        expected = run_module(module, [frames])[0]
        np.testing.assert_array_equal(run_module(low, [frames])[0], expected, name)
        got = HostModel(sources[name], folder / "all.so").run(frames)[0]
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
