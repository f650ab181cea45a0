#!/usr/bin/env python3
"""What `make demo` shows: the example network at every level, then as Verilog and as C.

Three commands, as anybody would type them; each prints its own table and progress.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from irc.tools.irc import main as irc

HERE = Path(__file__).resolve().parent
MODEL = HERE / "mnist_64x3_1w1a.onnx"
IMAGES = HERE / "mnist_test_1000.npz"
OUT = Path("build", "demo")
# The network was trained on pixels from 0 to 255, divided by 255.
INPUT = "image=uint8/255"

NEXT_STEPS = """
Outputs
  {out}/verilog   the hardware and its cocotb project: .venv/bin/python {out}/verilog/run.py
  {out}/c         one .c, one .h and a test program

Next
  .venv/bin/irc check YOUR.onnx                  what irc makes of a network of yours
  .venv/bin/irc-opt {model} --compile-to=bnn     the network, between ONNX and hardware
  examples/mnist/README.md                       how this one was trained
"""


def commands(model: str, images: str) -> list[list[str]]:
    """The arguments of each call of `irc`."""
    source = [model, "--input", INPUT]
    return [
        ["verify", *source, "--data", images, "--rtl-limit", "1000"],
        ["compile", *source, "--target", "verilog", "-o", str(OUT / "verilog")],
        ["compile", *source, "--target", "c", "-o", str(OUT / "c")],
    ]


def main() -> int:
    """The exit code of the first command that fails, or 0."""
    model = os.path.relpath(MODEL)
    for command in commands(model, os.path.relpath(IMAGES)):
        print("$ irc", *command, flush=True)
        status = irc(command)
        if status:
            return status
    print(NEXT_STEPS.format(out=OUT, model=model))
    return 0


if __name__ == "__main__":
    sys.exit(main())
