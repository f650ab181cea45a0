"""How compile time grows: generated networks up to 50 million weights and 2,000 layers.

    python benchmarks/compile_time.py [--quick] [--json FILE]

Every figure is the time of a whole process, started anew, with its peak memory, in the best of
several runs: other work on the machine only ever adds. Start-up is the least that any network of a
sweep takes; beyond it, linear growth shows as a constant number of processor seconds per million
weights or per thousand nodes, and as an exponent near 1: the slope of log(time) over log(size). The
limits are those that the project promises; the exit code is 1 where one is missed.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from generate import NetworkShape
from rich.console import Console
from rich.table import Table

WEIGHTS = (100_000, 300_000, 1_000_000, 3_000_000, 10_000_000, 25_000_000, 50_000_000)
WEIGHTS_LAYERS = 4
"""Layers of the networks that grow in weights."""

LAYERS = (10, 30, 100, 300, 1_000, 2_000)
LAYERS_WIDTH = 16
"""Width of the networks that grow in layers."""

QUICK_WEIGHTS, QUICK_LAYERS = WEIGHTS[2:5], LAYERS[1:4]

TINY_WEIGHTS, TINY_LAYERS = NetworkShape(WEIGHTS_LAYERS, 16), NetworkShape(1, LAYERS_WIDTH)
"""What these take is start-up, not growth."""

SIGNIFICANT_SHARE = 0.2
"""Growth is judged by times that exceed start-up by this share of it; less is noise."""

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
"""For growth: the threads of NumPy's matrix products wait in busy loops, which counts as work."""

STAGES = ("bnn", "verilog", "c")
"""Import and streamlining to IR text; the whole Verilog folder; the whole C folder."""

TABLE_WIDTH = 100

SCRIPTS = Path(sys.executable).parent
GENERATOR = Path(__file__).with_name("generate.py")


@dataclass(frozen=True)
class Cost:
    """What one process took: wall-clock and processor seconds, and its largest memory in MiB."""

    seconds: float
    cpu: float
    memory: float


@dataclass(frozen=True)
class Measurement:
    """One stage on one generated network."""

    sweep: str
    stage: str
    layers: int
    width: int
    weights: int
    nodes: int
    cost: Cost

    @property
    def size(self) -> float:
        """What grows in this sweep: millions of weights, or thousands of nodes."""
        return self.weights / 1e6 if self.sweep == "weights" else self.nodes / 1e3

    def growth(self, startup: float) -> float | None:
        """Processor seconds beyond `startup`, if there are enough of them to mean anything."""
        seconds = self.cost.cpu - startup
        return seconds if seconds >= SIGNIFICANT_SHARE * startup else None


@dataclass(frozen=True)
class Limit:
    """A promise: the processes `commands` together take less than `seconds`."""

    name: str
    commands: tuple[tuple[str, ...], ...]
    seconds: float


def run(command: Sequence[str], settings: Mapping[str, str] | None = None) -> Cost:
    """The cost of a process; raises `SystemExit` with its errors if it fails."""
    environment = {**os.environ, **(settings or {})}
    with tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=errors, env=environment
        ) as process:
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            raise SystemExit(f"$ {' '.join(command)}\n{errors.read().decode()}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def stage_command(stage: str, model: Path, folder: Path, inputs: Sequence[str] = ()) -> list[str]:
    """What a user types for a stage; results go below `folder`."""
    if stage == "bnn":
        output = str(folder / "bnn.mlir")
        return [str(SCRIPTS / "irc-opt"), str(model), "--compile-to=bnn", "-o", output]
    output = str(folder / f"{model.stem}-{stage}")
    return [str(SCRIPTS / "irc"), "compile", str(model), f"--target={stage}", "-o", output, *inputs]


def fastest(
    commands: Sequence[Sequence[str]], repeat: int, settings: Mapping[str, str] | None = None
) -> Cost:
    """What the commands take one after another, in the best of several runs."""
    runs = [[run(command, settings) for command in commands] for _ in range(repeat)]
    best = min(runs, key=lambda costs: sum(cost.seconds for cost in costs))
    seconds, cpu = sum(cost.seconds for cost in best), sum(cost.cpu for cost in best)
    return Cost(seconds, cpu, max(cost.memory for cost in best))


def sweep(
    name: str, shapes: Sequence[NetworkShape], repeat: int, console: Console
) -> list[Measurement]:
    """Every stage on every network."""
    found: list[Measurement] = []
    for shape in shapes:
        with tempfile.TemporaryDirectory(prefix="irc-bench-") as scratch:
            folder = Path(scratch)
            model = folder / "network.onnx"
            write_network(shape, model)
            for stage in STAGES:
                what = f"{shape.layers} layers of {shape.width}: {stage}"
                with console.status(what):
                    cost = fastest([stage_command(stage, model, folder)], repeat, ONE_THREAD)
                console.print(f"  {what}: {cost.seconds:.1f} s", highlight=False)
                sizes = (shape.layers, shape.width, shape.weights, shape.nodes)
                found.append(Measurement(name, stage, *sizes, cost))
    return found


def write_network(shape: NetworkShape, model: Path) -> None:
    """Generate a network in a process of its own.

    Linux counts the memory of the process that starts another as the other's peak: this one has
    to stay small.
    """
    sizes = (f"--layers={shape.layers}", f"--width={shape.width}", f"--style={shape.style}")
    run([sys.executable, str(GENERATOR), *sizes, str(model)])


def startup_of(measurements: Sequence[Measurement]) -> float:
    """The least processor seconds of any."""
    return min(m.cost.cpu for m in measurements)


def exponent(measurements: Sequence[Measurement]) -> float | None:
    """The slope of log(growth) over log(size); `None` with fewer than two times that mean anything.

    The figures must be those of one stage and one sweep.
    """
    startup = startup_of(measurements)
    points = [
        (math.log(m.size), math.log(growth))
        for m in measurements
        if (growth := m.growth(startup)) is not None
    ]
    if len(points) < 2:
        return None
    sizes, times = zip(*points, strict=True)
    return statistics.linear_regression(sizes, times).slope


def growth_table(title: str, unit: str, measurements: Sequence[Measurement]) -> Table:
    """One row a network and stage, and the exponent below each stage."""
    table = Table(title=title, title_justify="left")
    table.add_column("stage", no_wrap=True)
    for column in ("layers", "weights", "nodes", "seconds", "processor", unit, "peak MiB"):
        table.add_column(column, justify="right", no_wrap=True)
    for stage in STAGES:
        of_stage = [m for m in measurements if m.stage == stage]
        for m in of_stage:
            growth = m.growth(startup_of(of_stage))
            table.add_row(
                stage,
                f"{m.layers:,}",
                f"{m.weights:,}",
                f"{m.nodes:,}",
                f"{m.cost.seconds:.2f}",
                f"{m.cost.cpu:.2f}",
                "start-up" if growth is None else f"{growth / m.size:.3f}",
                f"{m.cost.memory:.0f}",
            )
        slope = exponent(of_stage)
        verdict = "none" if slope is None else f"{slope:.2f}"
        table.add_row("exponent", *[""] * 5, verdict, style="bold", end_section=True)
    return table


def limits(shared: Path, folder: Path) -> list[Limit]:
    """The promises; those about models only where the models are."""
    irc_opt = str(SCRIPTS / "irc-opt")
    found = [Limit("irc-opt --help", ((irc_opt, "--help"),), 0.6)]
    models = (
        ("TFC", "tfc_1w1a_mnist.onnx", ("--input=0=uint8/255",), 3.0),
        ("LFC", "lfc_1w1a_mnist.onnx", (), 6.0),
    )
    for name, file, inputs, seconds in models:
        model = shared / "models" / file
        if model.exists():
            commands = (
                tuple(stage_command(stage, model, folder, inputs)) for stage in ("verilog", "c")
            )
            found.append(Limit(f"{name}, both folders", tuple(commands), seconds))
    return found


def limits_table(costs: Sequence[tuple[Limit, Cost]]) -> Table:
    """Each promise with what was measured."""
    table = Table(title="limits", title_justify="left")
    table.add_column("what")
    for column in ("seconds", "limit", "peak MiB", ""):
        table.add_column(column, justify="right")
    for limit, cost in costs:
        verdict = "kept" if cost.seconds < limit.seconds else "[red]missed[/red]"
        seconds = f"{cost.seconds:.2f}"
        table.add_row(limit.name, seconds, f"{limit.seconds}", f"{cost.memory:.0f}", verdict)
    return table


def main() -> int:
    """Returns 1 if a limit is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="small networks only, in a minute")
    parser.add_argument(
        "--repeat", type=int, default=3, metavar="N", help="runs of each (default: %(default)s)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there too")
    parser.add_argument(
        "--shared",
        type=Path,
        default=Path("../shared"),
        metavar="DIR",
        help="folder with models/, for TFC and LFC (default: %(default)s)",
    )
    options = parser.parse_args()
    console = Console()
    if not console.is_terminal:
        console.width = TABLE_WIDTH

    with tempfile.TemporaryDirectory(prefix="irc-bench-") as scratch:
        promises = limits(options.shared, Path(scratch))
        costs = [(limit, fastest(limit.commands, options.repeat)) for limit in promises]
    console.print(limits_table(costs))

    weights, layers = (QUICK_WEIGHTS, QUICK_LAYERS) if options.quick else (WEIGHTS, LAYERS)
    wide = [TINY_WEIGHTS, *(NetworkShape.of_weights(n, WEIGHTS_LAYERS) for n in weights)]
    deep = [TINY_LAYERS, *(NetworkShape(n, LAYERS_WIDTH) for n in layers)]
    by_weights = sweep("weights", wide, options.repeat, console)
    by_layers = sweep("layers", deep, options.repeat, console)
    console.print(growth_table("growth with the number of weights", "s / M weights", by_weights))
    console.print(growth_table("growth with the number of layers", "s / 1000 nodes", by_layers))

    if options.json is not None:
        figures = {
            "limits": [{**asdict(limit), "cost": asdict(cost)} for limit, cost in costs],
            "measurements": [asdict(m) for m in (*by_weights, *by_layers)],
        }
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return int(any(cost.seconds >= limit.seconds for limit, cost in costs))


if __name__ == "__main__":
    sys.exit(main())
