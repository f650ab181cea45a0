"""The same input, options and versions give the same bytes: in another process, with another hash
seed, in another folder, from files with another time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from irc_runner import everything_in, make_workplace
from model_files import save_float_network

FOLDING = 'layer "fc1" { pe = 2 simd = 4 }\n'

DECLARED = ("--input", "x=uint8/255")
HARDWARE = ("compile", "net.onnx", "--target", "verilog", *DECLARED, "--vectors", "3")
SOFTWARE = ("compile", "net.onnx", "--target", "c", *DECLARED, "--vectors", "3")
LEVELS = ("onnx", "bnn", "dataflow", "packed", "hw")

COMMANDS = (
    ("irc", *HARDWARE, "-o", "hw"),
    ("irc", *HARDWARE, "--fold", "folding.txt", "--data", "test.npz", "-o", "folded"),
    ("irc", *HARDWARE, "--board", "icebreaker", "-o", "board"),
    ("irc", *HARDWARE, "--device", "up5k", "--fps", "10000", "-o", "goal"),
    ("irc", *HARDWARE, "--reloadable", "-o", "reload"),
    ("irc", *SOFTWARE, "-o", "c"),
    ("irc", *SOFTWARE, "--cpu", "cortex-m0plus", "--file-per-layer", "-o", "layers"),
    ("irc", *SOFTWARE, "--output-format", "class", "--word", "8", "--progmem", "-o", "avr"),
    ("irc", "check", "net.onnx", *DECLARED, "--json", "check.json"),
    ("irc", "quantize", "float.onnx", *DECLARED, "--data", "test.npz", "-o", "quantized.mlir"),
    *(
        ("irc-opt", "net.onnx", f"--compile-to={level}", *DECLARED, "-o", f"{level}.mlir")
        for level in LEVELS[1:]
    ),
    ("irc-opt", "net.onnx", "-o", "onnx.mlir"),
    ("irc-opt", "hw.mlir", "-t", "verilog{top=net}", "-o", "net.v"),
    ("irc-opt", "packed.mlir", "-t", "c", "-o", "net.c"),
)

PROGRAM = """\
import sys
from irc.tools import irc, irc_opt
for command in eval(sys.argv[1]):
    code = (irc if command[0] == "irc" else irc_opt).main(list(command[1:]))
    assert code == 0, (command, code)
"""
"""All commands in one process: starting one for each would take most of the time."""


def outputs(folder: Path, seed: str, time: int) -> dict[str, bytes | None]:
    """Everything that the commands write in a folder of their own."""
    folder.mkdir(parents=True)
    make_workplace(folder)
    save_float_network(folder / "float.onnx")
    (folder / "folding.txt").write_text(FOLDING)
    inputs = list(folder.iterdir())
    for path in inputs:
        os.utime(path, (time, time))
    # Reports name figures that are measured; what commands print is not compared.
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, repr(COMMANDS)],
        cwd=folder,
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for path in inputs:
        path.unlink()
    return everything_in(folder)


@pytest.mark.slow
def test_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    one = outputs(tmp_path / "one", "1", 1_000_000_000)
    two = outputs(tmp_path / "another" / "place", "4242", 1_700_000_000)
    assert len(one) > 150
    assert sorted(one) == sorted(two)
    assert [name for name in one if one[name] != two[name]] == []
