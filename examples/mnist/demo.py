#!/usr/bin/env python3
"""What `make demo` shows: the example network at every level, then as Verilog and as C.

Three commands, as anybody would type them; each prints its own table and progress.
"""

from __future__ import annotations

import sys
from pathlib import Path

from irc.tools.irc import main as irc

HERE = Path(__file__).resolve().parent
MODEL = HERE / "mnist_64x3_1w1a.onnx"
IMAGES = HERE / "mnist_test_1000.npz"
OUT = Path("build") / "demo"
# A pixel from 0 to 255, divided by 255, is what the network was trained on.
INPUT = "0=uint8/255"

NEXT_STEPS = f"""
Outputs
  {OUT}/verilog   the hardware and its cocotb project: .venv/bin/python {OUT}/verilog/run.py
  {OUT}/c         one .c, one .h and a test program

Next
  .venv/bin/irc check MODEL                        what irc makes of a network of yours
  .venv/bin/irc-opt {MODEL.name} --compile-to=bnn   the network between the two
  examples/mnist/README.md                         how this one was trained
"""


def relative(path: Path) -> str:
    """`path` as one would type it here."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def main() -> int:
    model = relative(MODEL)
    commands = (
        ["verify", model, "--data", relative(IMAGES), "--input", INPUT],
        ["compile", model, "--target", "verilog", "-o", str(OUT / "verilog"), "--input", INPUT],
        ["compile", model, "--target", "c", "-o", str(OUT / "c"), "--input", INPUT],
    )
    for command in commands:
        print("$ irc", *command, file=sys.stderr, flush=True)
        status = irc(command)
        if status:
            return status
    print(NEXT_STEPS.replace(MODEL.name, model))
    return 0


if __name__ == "__main__":
    sys.exit(main())
