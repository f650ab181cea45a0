"""Results on stdout: tables for people, or the same as JSON."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from rich.console import Console
from rich.segment import Segment, Segments
from rich.table import Table

from irc.errors import IrcError
from irc.flow.check import TARGETS, AmbiguousLayer, CheckReport
from irc.flow.compile import CompileReport
from irc.flow.layers import Layer
from irc.flow.run_ir import RunResult
from irc.flow.verify import LevelReport, VerifyReport
from irc.plain_text import visible
from irc.tools.estimate_tables import estimate_lines
from irc.tools.opt_output import write_result

NO_TERMINAL_WIDTH = 120
"""Columns for tables that go into a file or a pipe."""


_PLAIN_LETTERS = str.maketrans("→×…", ">x.")
"""One letter each, so that columns stay aligned."""


class _Buffer(io.StringIO):
    """Text on its way to a stream, for which rich must know what that stream can show."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    @property
    def encoding(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self._stream.encoding or "utf-8"

    def isatty(self) -> bool:
        return self._stream.isatty()


def show(*parts: Table | str, json: str | None = None, array: str | None = None) -> None:
    """Print results to stdout, at a fixed width where it is no terminal.

    Where `json` or `array` say that stdout is for a machine (`-`), they go to stderr instead.
    Raises `IrcError` where they cannot be written.
    """
    for_machine = "-" in (json, array)
    stream = sys.stderr if for_machine else sys.stdout
    if stream is None:  # pyright: ignore[reportUnnecessaryComparison]
        raise IrcError("standard output is closed, where the results go")
    buffer = _Buffer(stream)
    width = None if stream.isatty() else NO_TERMINAL_WIDTH
    console = Console(file=buffer, width=width, highlight=False)
    for part in parts:
        if isinstance(part, str):
            console.print(visible(part), markup=False, soft_wrap=True)
        else:
            console.print(_shown(console, part))
    text = buffer.getvalue()
    try:
        text.encode(buffer.encoding)
    except UnicodeEncodeError:
        plain = text.translate(_PLAIN_LETTERS)
        text = plain.encode(buffer.encoding, "replace").decode(buffer.encoding)
    if for_machine:
        stream.write(text)
    else:
        write_result(text, None)


def _shown(console: Console, table: Table) -> Segments:
    """A table as it is printed, without what a terminal would act on: names come from models."""
    return Segments(
        Segment(visible(part.text), part.style, part.control) for part in console.render(table)
    )


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def layer_table(layers: list[Layer]) -> Table:
    """One row a layer; columns that no layer fills are left out."""
    table = Table("layer", "operation", "shape", title_justify="left")
    columns = {
        "weight bits": [_number(layer.weight_bits) for layer in layers],
        "MACs": [_number(layer.macs) for layer in layers],
        "PE": [_number(layer.pe) for layer in layers],
        "SIMD": [_number(layer.simd) for layer in layers],
        "MMV": [_number(layer.mmv) for layer in layers],
        "products": [layer.products or "" for layer in layers],
        "cycles": [_number(layer.cycles) for layer in layers],
    }
    filled = {heading: cells for heading, cells in columns.items() if any(cells)}
    for heading in filled:
        table.add_column(heading, justify="right")
    for index, layer in enumerate(layers):
        numbers = (cells[index] for cells in filled.values())
        table.add_row(layer.name, layer.operation, layer.shape, *numbers)
    return table


def compile_lines(report: CompileReport) -> Iterator[Table | str]:
    """The layers of what was written, and where it is."""
    yield layer_table(report.layers)
    if report.estimate is not None:
        yield from estimate_lines(report.estimate)
    for layer, words in report.removed.items():
        yield f"removed from layer '{layer}': {words}"
    yield from margin_lines(report.ambiguous)
    yield f"wrote {report.folder}"


def verify_lines(report: VerifyReport) -> Iterator[Table | str]:
    """The table of levels, then the first value that differs at each that disagrees."""
    yield verify_table(report)
    for level in report.levels:
        if level.agreement.first is not None:
            yield f"disagreement: {level.agreement.first}"


def verify_table(report: VerifyReport) -> Table:
    """One row a level."""
    names = {"onnxruntime": "ONNX Runtime", "reference": "ONNX's reference implementation"}
    reference = names.get(report.engine, report.reference)
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


def run_lines(result: RunResult) -> Iterator[Table | str]:
    """How many inputs fell into each class, and the accuracy where it is known."""
    accuracy = "" if result.accuracy is None else f", accuracy {100 * result.accuracy:.2f} %"
    inputs = plural(len(result.results), "input")
    yield f"{result.source} at level {result.level}: {inputs}{accuracy}"
    if len(result.outputs) > 1:
        outputs = Table("output")
        outputs.add_column("shape", justify="right")
        for name, values in result.outputs.items():
            outputs.add_row(name, "×".join(map(str, values.shape[1:])) or "1")
        yield outputs
        yield f"classes of the first output, {next(iter(result.outputs))}:"
    table = Table("class")
    table.add_column("inputs", justify="right")
    for label, count in sorted(Counter(map(int, result.classes)).items()):
        table.add_row(str(label), _number(count))
    yield table


def plural(count: int, noun: str) -> str:
    """`1 image`, `2 images`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def check_tables(report: CheckReport) -> Iterator[Table | str]:
    """The verdict for each target, every obstacle, and what is supported."""
    verdicts = Table("target", "supported")
    for target in TARGETS:
        count = sum(target in finding.targets for finding in report.findings)
        verdicts.add_row(target, "yes" if not count else f"no: {plural(count, 'obstacle')}")
    yield verdicts
    if report.findings:
        obstacles = Table("node", "obstacle", "targets")
        for finding in report.findings:
            obstacles.add_row(finding.node, finding.reason, ", ".join(finding.targets))
        yield obstacles
    if report.layers:
        yield layer_table(report.layers)
        yield from margin_lines(report.ambiguous)
    if report.on_host and report.supports("verilog"):
        yield f"verilog leaves to the host: {', '.join(report.on_host)}"


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


def check_writable(path: str | None) -> None:
    """Raise `IrcError` if a file can't be written there: before the work, not after it."""
    if path is None or path == "-":
        return
    if Path(path).is_dir():
        raise IrcError(f"{path}: cannot be written: it is a folder")
    if not Path(path).absolute().parent.is_dir():
        raise IrcError(f"{path}: cannot be written: there is no folder '{Path(path).parent}'")


def write_array(path: str | None, outputs: Mapping[str, Any]) -> None:
    """Write results, whole or not at all: one as .npy, unless `path` ends in .npz, several as .npz.

    Nothing is written where no path is given.
    """
    if path is None:
        return
    buffer = io.BytesIO()
    if len(outputs) == 1 and not path.endswith(".npz"):
        np.save(buffer, next(iter(outputs.values())))
    else:
        # As numpy.savez, which takes no output whose name is one of its parameters'.
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, values in outputs.items():
                with archive.open(f"{name}.npy", "w") as member:
                    np.lib.format.write_array(member, np.asarray(values))
    write_result(buffer.getvalue(), path)


def write_json(path: str | None, value: Any) -> None:
    """Write a report as JSON, whole or not at all; nothing where no path is given."""
    if path is None:
        return
    write_result(json.dumps(value, indent=2, default=_plain) + "\n", path)


def _plain(value: Any) -> Any:
    return asdict(value) if hasattr(value, "__dataclass_fields__") else str(value)
