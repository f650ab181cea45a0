"""Runs printed modules in other tools, for tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from xdsl.context import Context
from xdsl.dialects import comb, hw, seq
from xdsl.dialects.builtin import Builtin, ModuleOp
from xdsl.parser import Parser

from irc.backends import toolchain
from irc.backends.verilog.printer import VerilogFile
from irc.dialects.dense import DenseAttr, PackedBytes
from irc.dialects.rtl import Rtl


def require_icarus() -> None:
    """Skip where Icarus Verilog is not installed, but fail in CI, where it must be."""
    if shutil.which("iverilog") is None:
        if os.environ.get("CI"):
            pytest.fail("CI is set, but iverilog is not installed")
        pytest.skip("iverilog is not installed")


def parse_hw(text: str) -> ModuleOp:
    """Parse IR text of the hw level."""
    context = Context()
    for dialect in (Builtin, hw.HW, comb.Comb, seq.Seq, Rtl):
        context.load_dialect(dialect)
    for attribute in (DenseAttr, PackedBytes):
        context.load_attr_or_type(attribute)
    module = Parser(context, text).parse_module()
    module.verify()
    return module


def write_files(files: Sequence[VerilogFile], folder: Path) -> list[Path]:
    """Write Verilog and hex files; returns the paths of the `.v` files."""
    paths: list[Path] = []
    for file in files:
        path = folder / f"{file.name}.v"
        path.write_text(file.text)
        paths.append(path)
        for name, text in file.hex_files.items():
            (folder / name).write_text(text)
    return paths


def vector_bench(
    top: str,
    inputs: Mapping[str, int],
    outputs: Mapping[str, int],
    vectors: Sequence[Mapping[str, int]],
    clock: str | None,
) -> str:
    """A Verilog-2005 module `bench` that applies vectors and prints the outputs, one line each.

    `inputs` and `outputs` map names to widths. Outputs are printed before a rising edge of `clock`,
    where there is one.
    """
    ports = [f".{name}({name})" for name in (*inputs, *outputs)]
    lines = ["`timescale 1ns / 1ps", "module bench;"]
    lines += [f"  reg [{width - 1}:0] {name};" for name, width in inputs.items()]
    lines += [f"  wire [{width - 1}:0] {name};" for name, width in outputs.items()]
    if clock is not None:
        lines.append(f"  reg {clock};")
        ports.append(f".{clock}({clock})")
    lines += [f"  {top} dut ({', '.join(ports)});", "  initial begin"]
    if clock is not None:
        lines.append(f"    {clock} = 0;")
    shown = f'$display("{" ".join(["%h"] * len(outputs))}", {", ".join(outputs)});'
    for vector in vectors:
        lines += [f"    {name} = {inputs[name]}'h{value:x};" for name, value in vector.items()]
        lines.append(f"    #5 {shown}")
        if clock is not None:
            lines.append(f"    {clock} = 1; #5 {clock} = 0;")
    return "\n".join([*lines, "    $finish;", "  end", "endmodule", ""])


def parse_outputs(text: str, outputs: Mapping[str, int]) -> list[dict[str, int]]:
    """What `vector_bench` printed."""
    rows = [line.split() for line in text.splitlines() if line and line[0] in "0123456789abcdef"]
    return [dict(zip(outputs, (int(word, 16) for word in row), strict=True)) for row in rows]


def run_icarus(files: Sequence[Path], bench: str) -> str:
    """What `bench` prints under Icarus Verilog."""
    folder = files[0].parent
    (folder / "bench.v").write_text(bench)
    program = str(folder / "bench.vvp")
    sources = [str(path) for path in files]
    command = ["iverilog", "-g2005", "-o", program, "-s", "bench", str(folder / "bench.v")]
    built = toolchain.run([*command, *sources], cwd=folder)
    assert built.returncode == 0, built.stderr
    return toolchain.run(["vvp", "-n", program], cwd=folder).stdout


def run_verilator(files: Sequence[Path], bench: str) -> str:
    """What `bench` prints under Verilator."""
    tool = toolchain.verilator()
    folder = files[0].parent
    (folder / "bench.v").write_text(bench)
    command = [str(tool.executable), "--binary", "-Wno-fatal", "--top-module", "bench", "-Mdir"]
    sources = [str(folder / "bench.v"), *(str(path) for path in files)]
    options = ["-CFLAGS", "-std=c++20 -O0", *sources]
    built = toolchain.run(
        [*command, str(folder / "obj"), *options], cwd=folder, environment=tool.environment
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return toolchain.run([str(folder / "obj" / "Vbench")], cwd=folder).stdout
