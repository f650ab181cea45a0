"""The compiler as a library, and all that a pass needs in one import.

    from irc.api import ModulePass, RewritePattern, apply_greedily, bnn, load, run_passes

    module = run_passes(load("net.onnx"), "onnx-to-bnn")
    print(print_ir(module, elide=True))

The dialect modules (`onnx`, `bnn`, `dataflow`, `rtl`, `packed`) are imported when they are first
used. Functions raise `irc.errors.IrcError` for what a user can mend, and xDSL's `ParseError` and
`VerifyException` for IR text.

What is listed here, and the names, options and meaning of operations and passes, change only with
the minor version before 1.0, with the major version from then on, and the changelog says how to
follow. All other modules may change at any time.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    GreedyRewritePatternApplier,
    PatternRewriter,
    PatternRewriteWalker,
    RewritePattern,
    op_type_rewrite_pattern,
)
from xdsl.universe import Universe
from xdsl.utils.arg_spec import ArgSpec
from xdsl.utils.exceptions import ParseError, VerifyException

from irc.counters import count
from irc.errors import IrcError, UnsupportedError, UsageError
from irc.loading import load_file, new_context
from irc.notices import remark, warn
from irc.parsing import parse_text
from irc.passes.rewriting import apply_greedily, replace_located
from irc.pipelines import LEVELS, level_of, steps_to
from irc.printing import print_ir
from irc.rejections import reject
from irc.running import Observer, build_passes
from irc.universe import Registry, discover
from irc.verifying import verify_module

if TYPE_CHECKING:
    from irc.dialects import bnn, dataflow, onnx, packed, rtl
    from irc.flow.compile import CompileReport
    from irc.flow.firmware import FirmwareOptions
    from irc.flow.hardware_goal import HardwareGoal
    from irc.flow.verify import VerifyReport
    from irc.testing import assert_equivalent, assert_rewrites

_DIALECT_MODULES = ("bnn", "dataflow", "onnx", "packed", "rtl")
_TESTING = ("assert_equivalent", "assert_rewrites")


def __getattr__(name: str) -> Any:
    if name in _DIALECT_MODULES:
        return import_module(f"irc.dialects.{name}")
    if name == "HardwareGoal":
        return import_module("irc.flow.hardware_goal").HardwareGoal
    if name == "FirmwareOptions":
        return import_module("irc.flow.firmware").FirmwareOptions
    if name in _TESTING:
        return getattr(import_module("irc.testing"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


@cache
def _registry() -> Registry:
    return discover()


def load(path: str | os.PathLike[str]) -> ModuleOp:
    """Read a `.onnx` model (to the `onnx` level) or a `.mlir` text (to the level it is at)."""
    return load_file(new_context(_registry()), path)


def parse(text: str, name: str = "<text>", *, allow_unregistered: bool = False) -> ModuleOp:
    """Parse IR text and verify it; `name` stands for the file in locations and errors."""
    ctx = new_context(_registry(), allow_unregistered=allow_unregistered)
    module = parse_text(ctx, text, name)
    verify_module(module)
    return module


def run_passes(
    module: ModuleOp,
    passes: str | ModulePass | Iterable[ModulePass],
    *,
    verify: bool = True,
    observers: Sequence[Observer] = (),
) -> ModuleOp:
    """Run passes on a module, in place, and verify it after each; returns the same module.

    A text is a pipeline as `irc-opt -p` takes it: `"onnx-to-bnn,my-pass{limit=3}"`.
    """
    from irc.running import run_passes as run

    if isinstance(passes, str):
        passes = build_passes(_registry(), passes)
    elif isinstance(passes, ModulePass):
        passes = [passes]
    run(new_context(_registry()), module, passes, verify=verify, observers=observers)
    return module


def check_each(
    module: ModuleOp,
    passes: str | ModulePass | Iterable[ModulePass],
    inputs: Any = None,
    *,
    frames: int = 32,
    seed: int = 0,
) -> ModuleOp:
    """Run passes as `run_passes` does, and hold every one to the answers before it.

    `inputs` is an array [N, …] for the module's one input; without it, `frames` random ones are
    drawn of what the inputs hold. Passes with a class attribute `changes_results` are not compared.
    Raises `irc.flow.each_pass.report.DifferenceError`, an `IrcError` with `pass_name`, `operation`
    and `inputs`, a small input that shows the difference; and, after all passes, `IrcError` where
    another pass could not be compared, with the reason.
    """
    from irc.flow.each_pass.checker import EachPassChecker
    from irc.interp.data_files import data_of

    data = None if inputs is None else data_of(inputs, "the given inputs")
    checker = EachPassChecker(data, frames=frames if data is None else None, seed=seed)
    run_passes(module, passes, observers=[checker])
    missed = [skipped for skipped in checker.skipped if not skipped.is_on_purpose]
    if missed:
        raise IrcError("\n".join(f"pass '{name}' {reason}" for name, reason, _ in missed))
    return module


def compile_to(module: ModuleOp, level: str, *, inputs: Iterable[str] = ()) -> ModuleOp:
    """Bring a module from the level it is at down to `level`, in place; returns it.

    `inputs` declares what the model's inputs really are, as in `["0=uint8/255"]`.
    """
    text = ",".join(step.spec for step in steps_to(module, level))
    settings = {"declare-inputs": ArgSpec("declare-inputs", {"inputs": tuple(inputs)})}
    return run_passes(module, build_passes(_registry(), text, settings if inputs else None))


def evaluate(module: ModuleOp, *inputs: Any) -> list[Any]:
    """Results of the entry function for arrays, or lists of numbers, with the frames in front.

    The levels onnx (in ONNX Runtime), bnn, dataflow and packed can be run so. Raises `IrcError`
    where arrays do not fit the function's arguments.
    """
    if level_of(module) == "onnx":
        from irc.interp.onnx_reference import OnnxReference

        reference = OnnxReference(module)
        names = [port.name for port in reference.inputs]
        results = reference.run(dict(zip(names, inputs, strict=True)))
        return list(results.values())
    from irc.interp.run import run_module

    return list(run_module(module, _arguments(module, inputs)))


def _arguments(module: ModuleOp, inputs: Sequence[Any]) -> list[Any]:
    """What is given for each argument of the entry function, in the interpreters' NumPy types."""
    import numpy as np

    from irc.dialects.bnn import frame_type
    from irc.interp.data_files import Data, as_element_type, shape_frames
    from irc.interp.run import entry_function

    arguments = entry_function(module).body.block.args
    if len(inputs) != len(arguments):
        raise UsageError(f"{len(inputs)} inputs for a function of {len(arguments)} arguments")
    given: list[Any] = []
    for index, (value, argument) in enumerate(zip(inputs, arguments, strict=True)):
        name, kind = f"input {index}", frame_type(argument)
        frames = shape_frames(Data(name, np.asarray(value), None), kind.get_shape(), "the function")
        given.append(as_element_type(frames, kind.element_type, name))
    return given


def compile_model(
    path: str | os.PathLike[str],
    target: str,
    folder: str | os.PathLike[str] | None = None,
    *,
    inputs: Iterable[str] = (),
    folding: str | None = None,
    name: str | None = None,
    cpu: str | None = None,
    popcount: str | None = None,
    unroll: int | None = None,
    firmware: FirmwareOptions | None = None,
    hardware: HardwareGoal | None = None,
    reloadable: bool = False,
) -> CompileReport:
    """Write the folder of a target, `verilog`, `c` or `host`, as `irc compile` does.

    For `c`, `cpu` is the core that kernels are chosen for, `popcount` and `unroll` (bytes of
    straight code a kernel) win over that choice, and `firmware` says how the C fits into a program:
    `FirmwareOptions(arena="caller", output="class")`. For `verilog`, `hardware` says what it is to
    reach on which device: `HardwareGoal("up5k", fps=10_000)`, and `reloadable`
    lets a stream load other weights at run time. Raises `IrcError`, and `UsageError`
    for options of another target.
    """
    from irc.flow.compile import compile_model as run
    from irc.flow.ladder import Ladder
    from irc.flow.options import pass_options
    from irc.flow.reloadable import reloadable_passes

    if target != "c" and (firmware, cpu, popcount, unroll) != (None, None, None, None):
        raise UsageError(f"target {target}: cpu, popcount, unroll and firmware are for target c")
    options = {**pass_options(folding, cpu, popcount, unroll)}
    options.update({} if firmware is None else firmware.passes())
    if reloadable and target != "verilog":
        raise UsageError(f"target {target}: reloadable is for target verilog")
    options.update(reloadable_passes() if reloadable else {})
    if hardware is not None and target != "verilog":
        raise UsageError(f"target {target}: hardware is for target verilog")
    options.update({} if hardware is None else hardware.passes())
    ladder = Ladder(path, tuple(inputs), options, name=name)
    return run(ladder, target, None if folder is None else os.fspath(folder))


def verify_model(
    path: str | os.PathLike[str],
    data: str | os.PathLike[str],
    *,
    inputs: Iterable[str] = (),
    levels: Sequence[str] = ("onnx", "bnn", "dataflow", "packed", "c", "rtl"),
    limit: int | None = None,
    rtl_limit: int | None = 100,
    folding: str | None = None,
) -> VerifyReport:
    """Run the same inputs at every level and compare, as `irc verify` does.

    `report.agrees` says whether all levels gave the reference's results.
    """
    from irc.flow.frames import load_data
    from irc.flow.ladder import Ladder
    from irc.flow.options import pass_options
    from irc.flow.verify import verify

    ladder = Ladder(path, tuple(inputs), pass_options(folding))
    return verify(ladder, load_data(data).limited(limit), levels, rtl_limit)


__all__ = [
    "LEVELS",
    "Attribute",
    "Block",
    "Context",
    "FirmwareOptions",
    "GreedyRewritePatternApplier",
    "HardwareGoal",
    "IrcError",
    "ModuleOp",
    "ModulePass",
    "Observer",
    "Operation",
    "ParseError",
    "PatternRewriteWalker",
    "PatternRewriter",
    "Region",
    "RewritePattern",
    "SSAValue",
    "Universe",
    "UnsupportedError",
    "UsageError",
    "VerifyException",
    "apply_greedily",
    "assert_equivalent",
    "assert_rewrites",
    "bnn",
    "check_each",
    "compile_model",
    "compile_to",
    "count",
    "dataflow",
    "evaluate",
    "level_of",
    "load",
    "new_context",
    "onnx",
    "op_type_rewrite_pattern",
    "packed",
    "parse",
    "print_ir",
    "reject",
    "remark",
    "replace_located",
    "rtl",
    "run_passes",
    "verify_model",
    "warn",
]
