"""The tables of `irc profile`."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from irc.flow.profile import ProfileReport


def profile_lines(report: ProfileReport) -> Iterator[Table | str]:
    """The layers, then the totals, the memory, the second opinion and the agreement."""
    table = Table("layer", "kernel")
    for heading in ("MACs", "instructions", "per MAC", "loads"):
        table.add_column(heading, justify="right")
    for layer in report.layers:
        table.add_row(
            layer.label,
            layer.kernel,
            f"{layer.macs:,}",
            f"{layer.instructions:,}",
            _ratio(layer.instructions, layer.macs),
            f"{layer.loads:,}",
        )
    table.add_section()
    table.add_row(
        "whole network",
        "",
        f"{report.macs:,}",
        f"{report.instructions:,}",
        _ratio(report.instructions, report.macs),
        f"{report.loads:,}",
    )
    yield table
    flash = report.code_bytes + report.constant_bytes
    yield (
        f"{report.core}, {report.compiler} -O2, mean of {report.frames} "
        f"frame{'s' if report.frames > 1 else ''}"
    )
    yield (
        f"flash {flash:,} bytes: code {report.code_bytes:,}, constants {report.constant_bytes:,}; "
        f"RAM {report.arena_bytes + report.stack_bytes:,} bytes: arena {report.arena_bytes:,}, "
        f"stack {report.stack_bytes:,}"
    )
    if report.math_library == "irc":
        yield "functions of math.h: simple ones of irc, for this compiler brings none for the core"
    if report.qemu_instructions is not None:
        difference = report.qemu_instructions - report.instructions
        same = f"{difference:+,}" if difference else "the same"
        yield f"QEMU counts {report.qemu_instructions:,} instructions a frame: {same}"
    elif report.qemu_problem is not None:
        yield f"no second count: {report.qemu_problem}"
    if report.agrees:
        yield "agreement: every value is the expected one"
    else:
        yield f"DISAGREEMENT: {report.wrong_values} values differ from the expected ones"


def _ratio(instructions: int, macs: int) -> str:
    return f"{instructions / macs:.3f}" if macs else ""
