#!/usr/bin/env python3
"""Simulates the whole top module of the board under cocotb, its UART or SPI included.

    python simulate.py                 with Verilator
    SIM=icarus python simulate.py      with Icarus Verilog

Needs what ../run.py needs. Exits with 1 if anything is wrong.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
import time
import zlib
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent
TB = HERE / "tb"


def load_project() -> Any:
    """../run.py: the simulators, and the checks of the core's files."""
    spec = importlib.util.spec_from_file_location("core_bench", PROJECT / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check_board(board: dict[str, Any], project: Any) -> None:
    """Compare the files of the board with board.json."""
    for name, entry in board["sources"].items():
        path = HERE / name
        if not path.is_file():
            project.fail(f"{path} is missing")
        if zlib.crc32(path.read_bytes()) != entry["crc32"]:
            project.fail(f"{path} is not what was generated")


def main() -> int:
    """Check the files, build, simulate, report."""
    project = load_project()
    arguments = project.parse_arguments()
    manifest: dict[str, Any] = json.loads((PROJECT / "manifest.json").read_text())
    board: dict[str, Any] = json.loads((HERE / "board.json").read_text())
    project.check_files(manifest, not arguments.no_checksums)
    if not arguments.no_checksums:
        check_board(board, project)
    sim = arguments.sim
    work = (arguments.work or HERE / "sim_build").resolve() / sim
    folder = work / f"run-{os.getpid()}"
    folder.mkdir(parents=True, exist_ok=True)
    log_build, log_run = work / "build.log", work / "simulation.log"
    seed = arguments.seed if arguments.seed is not None else int(time.time()) & 0xFFFFFF
    files = [PROJECT / name for name in manifest["sources"] if name.startswith("rtl/")]
    files += [HERE / name for name in board["sources"] if name.endswith(".v")]
    flags = project.VERILATOR_FLAGS if sim == "verilator" else project.ICARUS_FLAGS
    print(f"{board['top']} under {sim}, seed {seed} (--seed {seed} repeats this)")
    try:
        # $readmemh looks in the folder that the simulation runs in.
        for name in manifest["hex"]:
            shutil.copy(PROJECT / name, folder)
        runner = project.make_runner(sim)
        build = (
            work / f"build-{project.source_hash([*files, *sorted(TB.glob('*.vh'))], sim, flags)}"
        )
        if (build / "finished").exists():
            runner.sources, runner.build_dir = files, build
        else:
            print(f"building with {sim} …", flush=True)
            shutil.rmtree(build, ignore_errors=True)
            runner.build(
                sources=files,
                includes=[TB],
                hdl_toplevel=board["bench"],
                build_args=flags,
                build_dir=build,
                timescale=("1ns", "1ps"),
                always=True,
                log_file=log_build,
            )
            (build / "finished").touch()
            if sim == "verilator":
                project.store_runtime(build)
        os.environ["COCOTB_ANSI_OUTPUT"] = "0"
        os.environ.pop("PYTEST_CURRENT_TEST", None)
        sys.path[:0] = [str(TB), str(HERE)]
        results = runner.test(
            hdl_toplevel=board["bench"],
            hdl_toplevel_lang="verilog",
            test_module="test_board",
            build_dir=runner.build_dir,
            test_dir=folder,
            results_xml=str(folder / "results.xml"),
            extra_env={"BOARD_PROJECT": str(PROJECT), "COCOTB_RANDOM_SEED": str(seed)},
            timescale=("1ns", "1ps"),
            log_file=log_run,
        )
        return 0 if project.report(results, log_run) else 1
    except (RuntimeError, SystemExit):
        log = log_run if log_run.exists() else log_build
        project.fail(f"the simulation did not finish; the end of {log}:\n{project.tail(log)}")
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
