"""Check that a synthesised netlist answers like the Verilog that it was made from."""

from __future__ import annotations

import json
import shutil
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from irc.backends.output import MARKER
from irc.backends.synth.devices import Device
from irc.backends.synth.simulation_netlist import write_simulation_netlist
from irc.backends.verilog.project import Beats
from irc.backends.verilog.simulate import simulate_frames
from irc.errors import IrcError
from irc.flow.manifest import read_manifest

NETLIST = "netlist.v"


@dataclass(frozen=True)
class NetlistCheck:
    """How many frames were played through the netlist, which differ, and its cycles a frame."""

    frames: int
    wrong: list[int]
    cycles: float

    @property
    def agrees(self) -> bool:
        """Whether every beat of every frame is as expected."""
        return not self.wrong


def check_netlist(
    folder: Path,
    synthesised: Path,
    device: Device,
    *,
    simulator: str = "verilator",
    stall: float = 0.0,
    observer: Callable[[str], None] = lambda step: None,
) -> NetlistCheck:
    """Play the test vectors of a Verilog folder through the netlist that `irc synth` left in
    `synthesised`, of cells of the device as Yosys models them, in the bench of the folder.

    Raises `IrcError` where either folder is not what is expected, or a tool fails.
    """
    manifest = read_manifest(folder, "verilog", ("top", "sources", "hex", "input", "output"))
    stimulus = _beats(folder, "tb/stimulus.hex", manifest["input"])
    expected = _beats(folder, "tb/expected.hex", manifest["output"])
    with tempfile.TemporaryDirectory(prefix="irc-netlist-") as name:
        project = Path(name)
        observer("read the netlist")
        (project / "rtl").mkdir()
        netlist = project / "rtl" / NETLIST
        write_simulation_netlist(device.family, synthesised, manifest["top"], netlist)
        _write_project(folder, project, manifest)
        observer("simulate the netlist")
        played = simulate_frames(project, stimulus, simulator=simulator, stall=stall)
    wrong = np.flatnonzero((played.beats != expected).any(axis=(1, 2)))
    return NetlistCheck(len(stimulus), wrong.tolist(), played.cycles)


def _write_project(folder: Path, project: Path, manifest: dict[str, Any]) -> None:
    """A folder like `folder`, with the netlist in the place of its modules and memories."""
    shutil.copytree(folder / "tb", project / "tb", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(folder / "run.py", project / "run.py")
    netlist = f"rtl/{NETLIST}"
    kept = {
        key: {name: entry for name, entry in manifest[key].items() if not name.startswith("rtl/")}
        for key in ("sources", "hex")
    }
    kept["sources"][netlist] = {"crc32": zlib.crc32((project / netlist).read_bytes())}
    text = json.dumps({**manifest, **kept})
    (project / MARKER).write_text(text, encoding="utf-8")


def _beats(folder: Path, name: str, stream: dict[str, Any]) -> Beats:
    """The frames in a hex file: `[frames, beats, bytes]`."""
    path = folder / name
    try:
        words = path.read_text(encoding="ascii").split()
        data = bytes.fromhex("".join(words))
        beats = np.frombuffer(data, np.uint8).reshape(-1, stream["beats"], stream["bits"] // 8)
    except (OSError, ValueError) as error:
        raise IrcError(f"{path}: not the test vectors that irc compile writes: {error}") from None
    return np.ascontiguousarray(beats[:, :, ::-1])
