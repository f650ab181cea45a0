"""Whether an output of a Verilog module ever becomes 1: by induction, with ABC's `pdr`.

`pdr` (Bradley, "SAT-based model checking without unrolling", VMCAI 2011; Eén, Mishchenko and
Brayton, FMCAD 2011) looks for an inductive invariant: a set of states that holds the initial ones,
that no transition leaves, and in which the output is 0. If there is one, the output is 0 at every
time.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from irc.backends.synth.tools import run_tool
from proofs.theorem import BOUNDED, OPEN, PROVEN, REFUTED, Outcome

_SCRIPT = (
    "read_verilog {files}; hierarchy -top {top}; proc; flatten; memory_map; opt -full; "
    "async2sync; dffunmap; setundef -undriven -anyseq; techmap; setundef -undriven -anyseq; "
    "aigmap; opt_clean; write_aiger -zinit unit.aig"
)


NO_ABC = "ABC is not installed (berkeley-abc on Debian)"


def find_abc() -> str | None:
    """The program ABC, by any of its names."""
    return next(filter(None, map(shutil.which, ("berkeley-abc", "yosys-abc", "abc"))), None)


def never(texts: Sequence[str], top: str, seconds: float) -> Outcome:
    """Whether the only output of `top` is 0 in every state that can be reached."""
    abc = find_abc()
    if abc is None:
        return Outcome(OPEN, NO_ABC)
    with TemporaryDirectory(prefix="irc-proof-") as name:
        folder = Path(name)
        files = [f"part{index}.v" for index in range(len(texts))]
        for file, text in zip(files, texts, strict=True):
            (folder / file).write_text(text, "utf-8")
        run_tool("yosys", ["-q", "-p", _SCRIPT.format(files=" ".join(files), top=top)], folder, "y")
        said = _ask(abc, f"read_aiger unit.aig; pdr -T {max(1, int(seconds))}", folder, seconds)
        if "Property proved" in said or "is trivially" in said:
            return Outcome(PROVEN)
        if match := re.search(r"asserted in frame (\d+)", said):
            return Outcome(REFUTED, f"a counterexample of {int(match[1]) + 1} cycles")
        said = _ask(abc, f"read_aiger unit.aig; bmc3 -T {max(1, int(seconds))}", folder, seconds)
        if match := re.search(r"asserted in frame (\d+)", said):
            return Outcome(REFUTED, f"a counterexample of {int(match[1]) + 1} cycles")
        frames = re.findall(r"asserted in (\d+) frames", said)
        if not frames:
            return Outcome(OPEN, f"not decided in {seconds:g} s")
        return Outcome(BOUNDED, f"no counterexample in {frames[-1]} cycles")


def _ask(abc: str, command: str, folder: Path, seconds: float) -> str:
    try:
        done = subprocess.run(
            [abc, "-c", command],
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=2 * seconds + 30,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout + done.stderr
