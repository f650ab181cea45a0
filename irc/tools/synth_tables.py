"""The tables of `irc synth`."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from irc.backends.synth.yosys import Usage
from irc.flow.netlist_check import NetlistCheck
from irc.flow.synth import SynthReport
from irc.tools.estimate_tables import usage_cells, usage_headings


def synth_lines(report: SynthReport) -> Iterator[Table | str]:
    """What each module takes, the whole, and how fast it is."""
    table = Table("module")
    estimated = report.estimate is not None
    for heading in usage_headings(report.lut_name):
        table.add_column(heading, justify="right")
        if estimated:
            table.add_column("estimate", justify="right")
    for module in report.modules:
        times = f" × {module.count}" if module.count > 1 else ""
        name = f"{module.layer or module.name}{times}"
        table.add_row(name, *_both(module.usage, module.estimate, estimated))
    table.add_section()
    table.add_row("core", *_both(report.total, report.estimate, estimated))
    if report.around is not None:
        name = f"bridge and top of {report.board}"
        table.add_row(name, *_both(report.around, None, estimated))
    yield table
    luts, block_rams = report.available
    whole = report.total if report.around is None else report.total + report.around
    yield (
        f"{report.device}: {whole.luts:,} of {luts:,} {report.lut_name}s, "
        f"{whole.block_rams:g} of {block_rams:g} block RAMs"
    )
    if report.fmax is not None:
        verdict = "meets" if report.meets_clock else "MISSES"
        rate = "" if report.frames_per_second is None else _rate(report)
        yield f"placed and routed: {report.fmax:.1f} MHz, {verdict} {report.clock:g} MHz{rate}"
        if report.latency is not None:
            yield f"latency: {report.latency_cycles:,} cycles, {report.latency:.2f} µs"
        yield f"wrote {report.bitstream}"
        if report.program is not None:
            yield f"to load it: {report.program}"
    else:
        yield f"not placed and routed: no open tools do that for {report.device}"
        yield f"wrote {report.folder}"


def netlist_line(check: NetlistCheck) -> str:
    """What playing the test vectors through the netlist said."""
    if check.agrees:
        return f"netlist: all {check.frames} frames as the Verilog answers them"
    wrong = f"{len(check.wrong)} of {check.frames} frames DIFFER"
    return f"netlist: {wrong}, the first is {check.wrong[0]}"


def _rate(report: SynthReport) -> str:
    return f"; {report.frames_per_second:,.0f} frames/s at {report.cycles:,} cycles a frame"


def _both(usage: Usage, estimate: Usage | None, estimated: bool) -> list[str]:
    """What is taken, each beside its estimate where there are any."""
    cells = usage_cells(usage)
    if not estimated:
        return cells
    beside = [""] * len(cells) if estimate is None else usage_cells(estimate)
    return [cell for pair in zip(cells, beside, strict=True) for cell in pair]
