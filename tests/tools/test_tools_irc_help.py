"""`irc --help` says what there is, at once, and what it shows as examples works."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from irc_runner import run_irc
from model_files import save, save_data, save_float_network

from irc.tools import (
    irc,
    irc_check,
    irc_compile,
    irc_fuzz,
    irc_manifest,
    irc_profile,
    irc_quantize,
    irc_reload,
    irc_run,
    irc_synth,
    irc_verify,
)

COMMANDS = {
    "check": irc_check,
    "compile": irc_compile,
    "verify": irc_verify,
    "run": irc_run,
    "quantize": irc_quantize,
    "profile": irc_profile,
    "synth": irc_synth,
    "reload": irc_reload,
    "manifest": irc_manifest,
    "fuzz": irc_fuzz,
}
ON_FOLDERS = {"profile": "c", "synth": "verilog", "manifest": "verilog"}
"""Commands that work on what `irc compile` wrote for a target; inputs are declared already."""

FINDINGS = Path(__file__).resolve().parents[1] / "fuzz_findings"

HEAVY = ("numpy", "onnx", "onnxruntime", "xdsl", "rich", "lark", "google.protobuf")

PROBE = f"""
import sys
from irc.tools.irc import main
code = main(sys.argv[1:])
print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.parametrize(
    "arguments",
    [("--help",), ("--version",), *((name, "--help") for name in COMMANDS), ("verify", "--limt")],
)
def test_help_and_usage_errors_wait_for_no_large_library(arguments: tuple[str, ...]):
    result = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments], capture_output=True, text=True, check=False
    )
    assert result.stderr.splitlines()[-1] == "[]"
    assert result.returncode == (2 if "--limt" in arguments else 0)


def test_help_lists_every_command_and_the_exit_codes():
    text = run_irc("--help").out
    for name in COMMANDS:
        assert re.search(rf"^    {name} +[a-z]", text, re.MULTILINE)
    assert "Exit status: 0 for success, 1 for a failure or a disagreement, 2 for wrong" in text


@pytest.mark.parametrize("command", list(COMMANDS))
def test_every_option_is_explained(command: str):
    text = run_irc(command, "--help").out
    options = re.findall(r"^  (?:-\w.*, )?(--[\w-]+)(.*)$", text, re.MULTILINE)
    expected = {"--json"} if command in (*ON_FOLDERS, "fuzz") else {"--input", "--json"}
    assert expected <= {name for name, _ in options}
    for name, rest in options:
        following = text.split(f"  {name}" if f"  {name}" in text else name, 1)[1]
        words = following.removeprefix(rest).split("\n  -")[0].split()
        assert len(words) + len(rest.split()) > 2, f"{name} is not explained"


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_a_terminal(command: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "100")
    text = run_irc(*([command] if command else []), "--help").out
    assert max(map(len, text.splitlines())) <= 100


def examples() -> list[str]:
    """Every command line that help shows."""
    texts = [irc.DESCRIPTION, *(module.DESCRIPTION for module in COMMANDS.values())]
    lines = [line.strip() for text in texts for line in text.splitlines()]
    return [re.split(r"\s{2,}", line)[0] for line in lines if line.startswith("irc ")]


@pytest.mark.parametrize("line", examples())
def test_examples_work(line: str, workplace: Path, monkeypatch: pytest.MonkeyPatch):
    if line.startswith("irc run"):
        lowered = run_irc_opt("net.onnx", "--compile-to=bnn", "--input", "x=uint8/255")
        Path("net.mlir").write_text(lowered)
    if line.startswith("irc quantize"):
        save_float_network(Path("float.onnx"))
        save_data(Path("calib.npz"))
    arguments = line.split()[1:]
    if arguments[0] == "reload":
        run_irc(
            *("compile", "net.onnx", "--target", "verilog", "--reloadable"),
            *("--input", "x=uint8/255", "-o", arguments[1]),
        )
        save(Path("retrained.onnx"))
    if arguments[0] in ON_FOLDERS:
        target = ON_FOLDERS[arguments[0]]
        run_irc("compile", "net.onnx", "--target", target, "--input", "x=uint8/255")
    if arguments[0] == "fuzz":
        monkeypatch.setattr("irc.fuzz.corpus.SAMPLES", 1)
        arguments = brief(arguments)
    if "folding.txt" in arguments:
        Path("folding.txt").write_bytes(Path("net-verilog/folding.txt").read_bytes())
        arguments.remove("folding.txt")
    if "verify" in arguments and "--levels" not in arguments:
        # Simulated Verilog is tested elsewhere.
        arguments += ["--levels", "onnx,bnn"]
    result = run_irc(
        *arguments,
        *([] if arguments[0] in ("run", "reload", "fuzz", *ON_FOLDERS) else declared(arguments)),
    )
    assert result.code == 0, result.err


def brief(arguments: list[str]) -> list[str]:
    """A run of `irc fuzz` that is over at once."""
    if "--replay" in arguments:
        finding = Path(arguments[-1]) / "one"
        shutil.copytree(FINDINGS / "string-without-an-end", finding)
        return arguments
    kept = [word for word in arguments if word != "--coverage"]
    kept[kept.index("--seconds") : kept.index("--seconds") + 2] = ["--cases", "1"]
    if "--readers" not in kept:
        kept += ["--readers", "none"]
    levels = kept.index("--levels") + 1 if "--levels" in kept else None
    if levels is not None and kept[levels] != "none":
        kept[levels] = "onnx,bnn"
    return kept if levels is not None else [*kept, "--levels", "onnx,bnn"]


def declared(arguments: list[str]) -> list[str]:
    """The declaration of the input, where the example leaves it out."""
    return [] if "--input" in arguments else ["--input", "x=uint8/255"]


def run_irc_opt(*arguments: str) -> str:
    """The output of irc-opt."""
    from opt_runner import run_opt

    return run_opt(*arguments).out


def test_the_version():
    from importlib.metadata import version

    assert run_irc("--version").out == f"irc {version('irc-bnn')}\n"
