"""Instructions of generated C on emulated cores, beside what hand-written kernels take.

    python benchmarks/c_kernels.py --models ../shared/models
    python benchmarks/c_kernels.py --core cortex-m4 --compiler zig

A dense layer of 1024 x 1024 and a convolution, 3 x 3, of 64 to 64 channels on 16 x 16 pixels, each
with thresholds and packing, in instructions for a multiplication and addition; then whole networks.
Both compilers at -O2, where they are found. Results are checked against level bnn.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Operation, Region, SSAValue

from irc.backends.c.cross.build import find_cross_compiler
from irc.backends.c.cross.cores import CORES, Core, core_named
from irc.backends.c.project import write_c_project
from irc.backends.c.vectors import Vectors
from irc.dialects import bnn
from irc.errors import IrcError
from irc.flow.compile import compile_model
from irc.flow.ladder import Ladder
from irc.flow.lowering import lower_to
from irc.flow.options import pass_options
from irc.flow.profile import ProfileReport, profile_folder
from irc.interp.run import run_module
from irc.loading import new_context

HAND_WRITTEN = {
    "cortex-m0plus": (0.49, 0.45),
    "cortex-m3": (0.30, 0.33),
    "cortex-m4": (0.30, 0.33),
    "cortex-m7": (0.30, 0.33),
    "cortex-m55": (0.107, 0.15),
    "rv32imc": (0.30, 0.33),
    "rv32imc-zbb": (0.195, 0.18),
}
"""Instructions per multiplication of hand-written binary kernels, dense and convolution."""

INT8 = {
    "cortex-m0plus": (6.10, 6.33),
    "cortex-m3": (3.37, 2.67),
    "cortex-m4": (1.92, 1.76),
    "cortex-m7": (1.92, 1.76),
    "cortex-m55": (0.48, 0.21),
}
"""The same of CMSIS-NN with 8-bit weights and activations."""

MODELS = {
    "tfc_1w1a_mnist": ("0=uint8/255",),
    "tfc_1w2a_mnist": ("0=uint8/255",),
    "lfc_1w1a_mnist": (),
    "cnv_1w1a_cifar10": (),
}
"""Whole networks, and what is said about their inputs."""

MODEL_CORES = ("cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m55", "rv32imc")
"""The cores on which they are measured: on the others, layers tell enough."""


@dataclass(frozen=True)
class Figure:
    """One layer or network on one core."""

    what: str
    core: str
    compiler: str
    instructions: int
    per_mac: float
    code: int
    constants: int
    arena: int
    stack: int
    ends: str = ""
    """Of a network, the first and the last layer with multiplications, and what they take."""


def layer(kind: str) -> ModuleOp:
    """A network of which the first layer is measured; a second one reads its bits."""
    random = np.random.default_rng(1)

    def signs(*shape: int) -> bnn.DenseAttr:
        return bnn.DenseAttr.from_numpy(random.choice([-1, 1], shape).astype(np.int8), bnn.bipolar)

    shape = [1024] if kind == "dense" else [16, 16, 64]
    block = Block(arg_types=[TensorType(bnn.bipolar, shape)])

    def add(op: Operation) -> SSAValue:
        block.add_op(op)
        return op.results[0]

    value: SSAValue = block.args[0]
    if kind == "dense":
        value = add(bnn.LinearOp(value, signs(1024, 1024), bnn.sint(12)))
    else:
        value = add(bnn.PadOp(value, [1, 1], [1, 1], -1.0, bnn.bipolar))
        value = add(bnn.ConvOp(value, signs(64, 3, 3, 64), bnn.sint(12), [1, 1], [1, 1]))
    channels = bnn.frame_type(value).get_shape()[-1]
    thresholds = bnn.DenseAttr.from_integers(random.integers(-20, 20, (channels, 1)))
    value = add(bnn.ThresholdOp(value, thresholds, bnn.bipolar, bias=0))
    if kind == "conv":
        value = add(bnn.ReshapeOp(value, [16 * 16 * 64]))
    value = add(bnn.LinearOp(value, signs(2, bnn.frame_type(value).get_shape()[0]), bnn.sint(16)))
    block.add_op(ReturnOp(value))
    return ModuleOp([FuncOp("net", (block.arg_types, [value.type]), Region(block))])


def write_layer(kind: str, core: Core, folder: Path) -> None:
    """The C folder of `layer(kind)`, with kernels for a core."""
    module = layer(kind)
    shape = (2, *bnn.frame_type(module_argument(module)).get_shape())
    frames = np.random.default_rng(2).choice(np.array([-1, 1], np.int8), shape)
    vectors = Vectors([frames], run_module(module, [frames]))
    lower_to(new_context(), module, "packed", pass_options(cpu=core.name))
    write_c_project(module, folder, name="net", vectors=vectors)


def module_argument(module: ModuleOp) -> SSAValue:
    """The argument of the only function."""
    function = module.body.block.first_op
    assert isinstance(function, FuncOp)
    return function.body.block.args[0]


def write_model(path: Path, core: Core, folder: Path) -> None:
    """The C folder of a model, with kernels for a core."""
    ladder = Ladder(str(path), MODELS[path.stem], pass_options(cpu=core.name))
    compile_model(ladder, "c", str(folder), vectors=2)


def measured(
    what: str, write: Callable[[Core, Path], None], core: Core, compiler: str, label: str | None
) -> Figure:
    """A layer named `label`, or a whole network."""
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work) / "c"
        write(core, folder)
        report = profile_folder(folder, core, compiler)
    if not report.agrees:
        raise IrcError(f"{what} on {core.name}: {report.wrong_values} values are wrong")
    instructions, per_mac = counted(report, label)
    return Figure(
        what,
        core.name,
        compiler,
        instructions,
        per_mac,
        report.code_bytes,
        report.constant_bytes,
        report.arena_bytes,
        report.stack_bytes,
        "" if label is not None else ends(report),
    )


def ends(report: ProfileReport) -> str:
    """Instructions per multiplication of the first and the last layer that has any."""
    found = [layer for layer in report.layers if layer.macs]
    return ", ".join(f"{e.label} {e.instructions / e.macs:.2f}" for e in (found[0], found[-1]))


def counted(report: ProfileReport, label: str | None) -> tuple[int, float]:
    """Instructions, and instructions per multiplication."""
    if label is None:
        return report.instructions, report.instructions / report.macs
    found = next(entry for entry in report.layers if entry.label == label)
    return found.instructions, found.instructions / found.macs


def figures(cores: list[Core], compilers: list[str], models: Path | None) -> Iterator[Figure]:
    """Every measurement, as it is made."""
    for core in cores:
        for compiler in compilers:
            try:
                find_cross_compiler(core, compiler)
            except IrcError as error:
                print(f"left out: {error}", file=sys.stderr)
                continue
            for kind in ("dense", "conv"):
                yield measured(
                    kind,
                    lambda core, folder, kind=kind: write_layer(kind, core, folder),
                    core,
                    compiler,
                    kind,
                )
            for name in MODELS if models is not None and core.name in MODEL_CORES else ():
                assert models is not None
                path = models / f"{name}.onnx"
                yield measured(
                    name,
                    lambda core, folder, path=path: write_model(path, core, folder),
                    core,
                    compiler,
                    None,
                )


def row(figure: Figure) -> str:
    """A line of the table."""
    sizes = f"{figure.code:>7,} {figure.constants:>9,} {figure.arena:>7,} {figure.stack:>6,}"
    beside = f" {figure.ends}"
    if figure.what in ("dense", "conv"):
        column = ("dense", "conv").index(figure.what)
        limit = HAND_WRITTEN[figure.core][column]
        verdict = "" if figure.per_mac <= limit else " over"
        beside = f" {limit:>6.3f}{verdict}"
        if figure.core in INT8:
            beside += f" (int8 {INT8[figure.core][column]:.2f})"
    return (
        f"{figure.what:<17}{figure.core:<14}{figure.compiler:<4}{figure.instructions:>12,}"
        f" {figure.per_mac:>7.3f} {sizes}{beside}"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--core", action="append", help="one of these cores only")
    parser.add_argument("--compiler", action="append", choices=("gcc", "zig"))
    parser.add_argument("--models", type=Path, help="folder with the ONNX files of whole networks")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    options = parser.parse_args()
    cores = list(CORES) if options.core is None else [core_named(name) for name in options.core]
    print(
        f"{'what':<17}{'core':<14}{'with':<4}{'instructions':>12} {'per MAC':>7}"
        f" {'code':>7} {'constants':>9} {'arena':>7} {'stack':>6}  hand-written"
    )
    found: list[Figure] = []
    for figure in figures(cores, options.compiler or ["gcc", "zig"], options.models):
        print(row(figure), flush=True)
        found.append(figure)
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(figure) for figure in found], indent=2) + "\n")


if __name__ == "__main__":
    main()
