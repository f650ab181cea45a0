"""The tables of `irc synth`."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from irc.backends.synth.yosys import Usage
from irc.flow.synth import SynthReport


def synth_lines(report: SynthReport) -> Iterator[Table | str]:
    """What each module takes, the whole, and how fast it is."""
    table = Table("module")
    for heading in (f"{report.lut_name}s", "flip-flops", "block RAMs", "DSPs"):
        table.add_column(heading, justify="right")
    for module in report.modules:
        times = f" × {module.count}" if module.count > 1 else ""
        table.add_row(f"{module.layer or module.name}{times}", *_cells(module.usage))
    table.add_section()
    table.add_row("core", *_cells(report.total))
    yield table
    luts, block_rams = report.available
    yield (
        f"{report.device}: {report.total.luts:,} of {luts:,} {report.lut_name}s, "
        f"{report.total.block_rams:g} of {block_rams:g} block RAMs"
    )
    if report.fmax is not None:
        verdict = "meets" if report.meets_clock else "MISSES"
        rate = "" if report.frames_per_second is None else _rate(report)
        yield f"placed and routed: {report.fmax:.1f} MHz, {verdict} {report.clock:g} MHz{rate}"
        yield f"wrote {report.bitstream}"
    else:
        yield f"not placed and routed: no open tools do that for {report.device}"
        yield f"wrote {report.folder}"


def _rate(report: SynthReport) -> str:
    return f"; {report.frames_per_second:,.0f} frames/s at {report.cycles:,} cycles a frame"


def _cells(usage: Usage) -> list[str]:
    return [
        f"{usage.luts:,}",
        f"{usage.flipflops:,}",
        f"{usage.block_rams:g}" if usage.block_rams else "",
        f"{usage.dsps:,}" if usage.dsps else "",
    ]
