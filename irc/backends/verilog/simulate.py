"""Plays frames through an emitted Verilog project, by its own `run.py`, and captures what comes
out."""

from __future__ import annotations

import json
import math
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from irc.backends import toolchain
from irc.backends.output import MARKER
from irc.backends.verilog.project import Beats, hex_beats
from irc.errors import IrcError

Progress = Callable[[int, int], None]
"""Called with the frames done so far and the frames in all; (0, n) while building."""

_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class SimulationResult:
    """`beats`: TDATA `[frames, beats, bytes]`; `cycles`: clock cycles a frame at full rate."""

    beats: Beats
    cycles: float
    seconds: float


def simulate_frames(
    project_dir: Path,
    beats: Beats,
    *,
    simulator: str = "verilator",
    stall: float = 0.0,
    progress: Progress | None = None,
) -> SimulationResult:
    """Simulate the design in `project_dir` on `[frames, beats, bytes]` of TDATA.

    The first call builds the simulation, later ones find it in `project_dir/sim_build`. `stall` is
    the chance of a stall in a cycle, on both sides. Raises `IrcError` where a tool is missing,
    the build or the simulation fails, or the design breaks the protocol.
    """
    if simulator == "verilator":
        toolchain.verilator()
        toolchain.check_build_tools()
    manifest: dict[str, Any] = json.loads((project_dir / MARKER).read_text(encoding="utf-8"))
    output_beats, output_bits = manifest["output"]["beats"], manifest["output"]["bits"]
    line_length = math.ceil(output_bits / 4) + 1
    frames = beats.shape[0]
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="irc-simulation-") as name:
        folder = Path(name)
        stimulus, captured = folder / "in.hex", folder / "out.hex"
        stimulus.write_text(hex_beats(beats, manifest["input"]["bits"]), encoding="ascii")
        command = [
            sys.executable,
            str(project_dir.resolve() / "run.py"),
            *("--sim", simulator, "--stall", str(stall)),
            *("--stimulus", str(stimulus), "--capture", str(captured)),
        ]
        log = _run(command, captured, frames, line_length * output_beats, progress)
        result = _read_beats(captured, frames, output_beats, output_bits)
    measured = re.search(r"([0-9.]+) cycles a frame", log)
    cycles = float(measured[1]) if measured else math.nan
    return SimulationResult(result, cycles, time.monotonic() - start)


def _run(
    command: list[str], captured: Path, frames: int, bytes_a_frame: int, progress: Progress | None
) -> str:
    """Run to the end, reporting how far the captured file has grown; returns what was printed."""
    log_path = captured.with_suffix(".log")
    with log_path.open("w") as log_file:
        process = subprocess.Popen(command, stdout=log_file, stderr=subprocess.STDOUT)
        try:
            while process.poll() is None:
                time.sleep(_POLL_SECONDS)
                if progress is not None:
                    size = captured.stat().st_size if captured.exists() else 0
                    progress(min(frames, size // bytes_a_frame), frames)
        finally:
            if process.poll() is None:
                # run.py ends its simulator before it goes.
                process.send_signal(signal.SIGINT)
                process.wait()
    log = log_path.read_text(errors="replace")
    if process.returncode != 0:
        raise IrcError(f"the simulation of the Verilog failed:\n{log.strip()}")
    if progress is not None:
        progress(frames, frames)
    return log


def _read_beats(path: Path, frames: int, beats: int, bits: int) -> Beats:
    digits = math.ceil(bits / 4)
    raw = np.frombuffer(path.read_bytes(), np.uint8).reshape(frames * beats, digits + 1)
    text = raw[:, :digits].tobytes().decode("ascii")
    try:
        data = np.frombuffer(bytes.fromhex(text), np.uint8)
    except ValueError:
        raise IrcError("the simulated design gave unknown (x) output bits") from None
    words: npt.NDArray[np.uint8] = data.reshape(frames, beats, bits // 8)
    return np.ascontiguousarray(words[:, :, ::-1])
