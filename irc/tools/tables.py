"""Tables on stdout, progress on stderr, and the same as JSON."""

from __future__ import annotations

import io
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from irc.flow.check import TARGETS, AmbiguousLayer, CheckReport
from irc.flow.layers import Layer
from irc.flow.run_ir import RunResult
from irc.flow.verify import LevelReport, VerifyReport
from irc.tools.opt_output import write_result

NO_TERMINAL_WIDTH = 120
"""Columns for tables that go into a file or a pipe."""


def console() -> Console:
    """Results: stdout, at a fixed width where it is no terminal."""
    width = None if sys.stdout.isatty() else NO_TERMINAL_WIDTH
    return Console(file=sys.stdout, width=width, highlight=False)


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def layer_table(layers: list[Layer]) -> Table:
    """One row a layer; columns that no layer fills are left out."""
    table = Table("layer", "operation", "shape", title_justify="left")
    in_hardware = any(layer.cycles is not None for layer in layers)
    for heading in ("weight bits", "MACs", *(("PE", "SIMD", "cycles") if in_hardware else ())):
        table.add_column(heading, justify="right")
    for layer in layers:
        folding = (layer.pe, layer.simd, layer.cycles) if in_hardware else ()
        numbers = (layer.weight_bits, layer.macs, *folding)
        table.add_row(layer.name, layer.operation, layer.shape, *map(_number, numbers))
    return table


def verify_table(report: VerifyReport) -> Table:
    """One row a level."""
    reference = "ONNX Runtime" if report.reference == "onnx" else report.reference
    table = Table("level")
    for heading in ("images", f"agreement with {reference}", "accuracy", "time"):
        table.add_column(heading, justify="right")
    for level in report.levels:
        accuracy = "" if level.accuracy is None else f"{100 * level.accuracy:.2f} %"
        table.add_row(
            level.level,
            _number(level.agreement.images),
            agreement_text(level),
            accuracy,
            f"{level.seconds:.2f} s",
        )
    return table


def agreement_text(level: LevelReport) -> str:
    """A percentage that only says 100 when it is."""
    agreement = level.agreement
    if agreement.equal == agreement.images:
        return "100 %"
    percentage = min(99.99, 100 * agreement.equal / agreement.images)
    return f"{percentage:.2f} % ({agreement.images - agreement.equal:,} differ)"


def run_table(result: RunResult) -> Table:
    """How many inputs fell into each class, and the accuracy where it is known."""
    accuracy = "" if result.accuracy is None else f", accuracy {100 * result.accuracy:.2f} %"
    title = f"{result.source} at level {result.level}: {len(result.results):,} inputs{accuracy}"
    table = Table("class", title=title, title_justify="left")
    table.add_column("inputs", justify="right")
    for label, count in sorted(Counter(result.classes.tolist()).items()):
        table.add_row(str(label), _number(count))
    return table


def check_tables(report: CheckReport) -> Iterator[Table | str]:
    """The verdict for each target, every obstacle, and what is supported."""
    verdicts = Table("target", "supported")
    for target in TARGETS:
        count = sum(target in finding.targets for finding in report.findings)
        verdicts.add_row(target, "yes" if not count else f"no: {count} obstacles")
    yield verdicts
    if report.findings:
        obstacles = Table("node", "obstacle", "targets", title="obstacles", title_justify="left")
        for finding in report.findings:
            obstacles.add_row(finding.node, finding.reason, ", ".join(finding.targets))
        yield obstacles
    if report.layers:
        yield layer_table(report.layers)
        yield from margin_lines(report.ambiguous)


def margin_lines(ambiguous: list[AmbiguousLayer]) -> Iterator[str]:
    """What another order of float32 rounding could change."""
    if not ambiguous:
        yield "thresholds: exact for any evaluation order of the float32 model"
    for layer in ambiguous:
        shown = ", ".join(
            f"channel {c} at {first}" + (f" to {last}" if last > first else "")
            for c, first, last in layer.intervals[:8]
        )
        more = f" and {len(layer.intervals) - 8} more" if len(layer.intervals) > 8 else ""
        yield f"{layer.node}: float32 rounding in another order could decide at {shown}{more}"


def write_array(path: str | None, values: Any) -> None:
    """Write results as .npy, whole or not at all; nothing where no path is given."""
    if path is None:
        return
    buffer = io.BytesIO()
    np.save(buffer, values)
    write_result(buffer.getvalue(), path)


def write_json(path: str | None, value: Any) -> None:
    """Write a report as JSON, whole or not at all; nothing where no path is given."""
    if path is None:
        return
    write_result(json.dumps(value, indent=2, default=_plain) + "\n", path)


def _plain(value: Any) -> Any:
    return asdict(value) if hasattr(value, "__dataclass_fields__") else str(value)


class StepProgress:
    """A line on stderr for what takes longer than a second; nothing for what is quick."""

    PATIENCE = 1.0

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._start = time.monotonic()
        self._task: Any = None
        self._name = ""
        self._shown = False

    def __call__(self, name: str, done: int = 0, total: int = 1) -> None:
        """Tell of `done` of `total` in the step `name`."""
        if name != self._name:
            self._name = name
            if self._task is not None:
                self._progress.remove_task(self._task)
            self._task = self._progress.add_task(name, total=total)
        self._progress.update(self._task, completed=done, total=total)
        if not self._shown and time.monotonic() - self._start > self.PATIENCE:
            self._shown = True
            self._progress.start()

    def close(self) -> None:
        """Clear the line."""
        if self._shown:
            self._progress.stop()


@contextmanager
def step_progress() -> Iterator[StepProgress]:
    """A progress line that is cleared however the work ends."""
    progress = StepProgress()
    try:
        yield progress
    finally:
        progress.close()
