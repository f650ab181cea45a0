"""One random network at every level below onnx: refused with a reason, or equal everywhere.

found = examine(network)            # lift, streamline; compare onnx, bnn, dataflow and packed
found.refusals                      # why a target cannot have it, by target
c_disagreements([found, …])         # compile many in one go; compare level c
rtl_disagreement(network, found)    # emit, simulate in Icarus Verilog; compare level rtl
"""

from __future__ import annotations

import subprocess
import tempfile
import traceback
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import Float32Type, ModuleOp
from xdsl.ir import Operation

from irc.backends.c.compiler import find_compiler, run_compiler
from irc.backends.c.header import header_text
from irc.backends.c.host import HostModel, batch_text
from irc.backends.c.project import write_files
from irc.backends.c.source import CSource, emit_c
from irc.backends.verilog.simulate import simulate_frames
from irc.dialects import bnn
from irc.errors import IrcError
from irc.flow.check import check
from irc.flow.compare import compare
from irc.flow.hardware_project import write_hardware
from irc.flow.ladder import Ladder
from irc.flow.lowering import lower_to
from irc.fuzz.networks.checks import compare_with_onnx
from irc.fuzz.networks.random_network import RandomNetwork
from irc.interp.beats import beats_to_frames, frames_to_beats
from irc.interp.dataflow_host import hardware_inputs, host_outputs
from irc.interp.run import entry_function, run_module
from irc.loading import new_context
from irc.passes.hardware.design import design_of
from irc.passes.hardware.hardware_section import hardware_obstacles
from irc.passes.lift.lift_onnx_to_bnn import MISFIT
from irc.passes.software.obstacles import software_obstacles

Array = npt.NDArray[Any]

RTL_FRAMES = 4

INTERPRETED = ("bnn", "dataflow", "packed")
"""The levels below onnx that have interpreters for frames."""


@dataclass(frozen=True)
class Disagreement:
    """A level that does not give what the one above gives, or that fails on the way."""

    level: str
    text: str

    @property
    def is_error(self) -> bool:
        """Whether something failed before there were results to compare."""
        return self.text.startswith(_ERROR)

    def is_like(self, other: Disagreement | None) -> bool:
        """Whether this may be another sight of the same mistake."""
        return other is not None and (self.level, self.is_error) == (other.level, other.is_error)


_ERROR = "error: "


def _error() -> str:
    """What was raised and where, for a report."""
    return _ERROR + traceback.format_exc(limit=-6)


@dataclass
class Found:
    """What became of one network."""

    module: ModuleOp | None = None
    """At level bnn; `None` where it could not be lifted."""
    expected: list[Array] = field(default_factory=list[Array])
    refusals: dict[str, str] = field(default_factory=dict[str, str])
    """By target, `verilog` or `c`: the first obstacle."""
    dataflow: ModuleOp | None = None
    packed: ModuleOp | None = None
    frames: Array = field(default_factory=lambda: np.zeros(0))
    doubtful: int = 0
    """Frames that rounding may decide at level onnx."""
    disagreement: Disagreement | None = None


def examine(network: RandomNetwork, levels: Collection[str] = INTERPRETED) -> Found:
    """Compare the levels that interpreters run: bnn with onnx, and those of `levels` below."""
    found = Found(frames=network.frames)
    try:
        found.module = network.lowered("bnn")
    except IrcError as error:
        if MISFIT in error.message:
            # The network is valid: a rule has stumbled over it.
            found.disagreement = Disagreement("bnn", error.message)
        else:
            found.refusals = dict.fromkeys(("verilog", "c"), error.message)
        return found
    except Exception:
        found.disagreement = Disagreement("bnn", _error())
        return found
    if inexact(found.module):
        found.refusals = dict.fromkeys(("verilog", "c"), checked(network))
        return found
    try:
        text, found.doubtful = compare_with_onnx(network, found.module)
        found.expected = run_module(found.module, [network.frames])
    except Exception:
        text = _error()
    if text is not None:
        found.disagreement = Disagreement("bnn", text)
        return found
    function = entry_function(found.module)
    for target, level, obstacles in (
        ("verilog", "dataflow", hardware_obstacles(function)),
        ("c", "packed", software_obstacles(function)),
    ):
        if obstacles:
            found.refusals[target] = str(obstacles[0])
            continue
        if level not in levels:
            continue
        lowered = found.module.clone()
        try:
            lower_to(new_context(), lowered, level)
            given = run_module(lowered, [network.frames])
            text = difference(given, found.expected)
        except Exception:
            text = _error()
        if text is not None:
            found.disagreement = Disagreement(level, text)
            return found
        setattr(found, level, lowered)
    return found


def checked(network: RandomNetwork) -> str:
    """What `irc check` names first in a network that is left on floats."""
    with tempfile.TemporaryDirectory(prefix="irc-networks-") as name:
        model = Path(name) / "net.onnx"
        model.write_bytes(network.model.SerializeToString())
        findings = check(Ladder(model, network.declarations)).findings
    if not findings:
        return "its end, with a quantizer in it, stays on floats: the host's business"
    return f"{findings[0].node}: {findings[0].reason}"


def inexact(module: ModuleOp) -> list[Operation]:
    """Quantizers, sums, pools and borders that are left on floats before the tail."""
    layers = (bnn.ConvOp, bnn.LinearOp, bnn.MaxPoolOp, bnn.PadOp, bnn.SumPoolOp)
    return [
        op
        for op in entry_function(module).body.block.ops
        if isinstance(op, bnn.Quantizer) or (isinstance(op, layers) and _is_float(op.output))
    ]


def _is_float(value: Any) -> bool:
    return isinstance(bnn.frame_type(value).element_type, Float32Type)


def difference(given: Sequence[Array], expected: Sequence[Array]) -> str | None:
    """Where results differ in a bit, the sign of a zero aside; `None` where they do not."""
    for mine, theirs in zip(given, expected, strict=True):
        apart = (mine != theirs) & ~((mine != mine) & (theirs != theirs))
        if apart.any():
            frame = int(np.flatnonzero(apart.reshape(len(apart), -1).any(axis=1))[0])
            return f"frame {frame}: {mine[frame].tolist()} for {theirs[frame].tolist()}"
    return None


def c_disagreements(every: Sequence[Found]) -> list[Disagreement | None]:
    """Level c of the networks that have come to level packed, all in one shared library."""
    sources: list[CSource | None] = [
        None if found.packed is None else emit_c(found.packed, f"net{index}")
        for index, found in enumerate(every)
    ]
    with tempfile.TemporaryDirectory(prefix="irc-networks-") as name:
        folder = Path(name)
        library = _library([source for source in sources if source is not None], folder)
        return [
            None if source is None else _c_disagreement(source, library, found)
            for source, found in zip(sources, every, strict=True)
        ]


def _library(sources: Sequence[CSource], folder: Path) -> Path:
    names: list[str] = []
    for source in sources:
        names.append(f"{source.name}_all.c")
        body = f"{source.body}\n{batch_text(source)}"
        write_files(folder, {f"{source.name}.h": header_text(source), names[-1]: body})
    command = [*find_compiler(), "-std=c99", "-O1", "-fPIC", "-shared", *names]
    run_compiler([*command, "-o", "nets.so", "-lm"], folder)
    return folder / "nets.so"


def _c_disagreement(source: CSource, library: Path, found: Found) -> Disagreement | None:
    try:
        given = HostModel(source, library).run(found.frames)
        text = difference(given, found.expected)
        if text is not None and _is_library_dependent(found):
            # Libraries differ in the last bits of such functions.
            first = compare("c", given, found.expected).first
            text = None if first is None else str(first)
    except Exception:
        text = _error()
    return None if text is None else Disagreement("c", text)


def _is_library_dependent(found: Found) -> bool:
    """Whether results depend on functions that nobody rounds correctly."""
    assert found.module is not None
    return any(
        isinstance(op, bnn.SoftmaxOp) or (isinstance(op, bnn.EwiseOp) and op.fn.data in _ROUGH)
        for op in found.module.walk()
    )


_ROUGH = ("sigmoid", "tanh", "softsign", "pow", "exp", "log")


def rtl_disagreement(network: RandomNetwork, found: Found) -> Disagreement | None:
    """Level rtl: the emitted folder, played in Icarus Verilog with stalls on both sides."""
    frames = network.frames[:RTL_FRAMES]
    with tempfile.TemporaryDirectory(prefix="irc-networks-") as name:
        folder = Path(name)
        model = folder / "net.onnx"
        model.write_bytes(network.model.SerializeToString())
        ladder = Ladder(model, network.declarations)
        try:
            module = ladder.dataflow
            write_hardware(ladder, folder / "project", frames)
            design = design_of(module)
            beats = frames_to_beats(hardware_inputs(module, [frames]), design.source)
            played = simulate_frames(folder / "project", beats, simulator="icarus", stall=0.2)
            answers = beats_to_frames(played.beats, design.result)
            given = host_outputs(module, [frames], answers)
            text = difference(given, [result[:RTL_FRAMES] for result in found.expected])
        except (Exception, subprocess.SubprocessError):
            text = _error()
    return None if text is None else Disagreement("rtl", text)
