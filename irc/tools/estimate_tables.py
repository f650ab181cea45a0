"""What the resource model says of a design, as tables."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from irc.backends.synth.yosys import Usage
from irc.devices import figures_of
from irc.flow.hardware_estimate import DeviceEstimate
from irc.passes.hardware.resource_model.estimate import Estimate


def estimate_lines(estimate: DeviceEstimate) -> Iterator[Table | str]:
    """What each module will take, and all of them beside what the device has; then the rate."""
    device = figures_of(estimate.device)
    table = Table("module, estimated")
    for heading in usage_headings(estimate.lut_name):
        table.add_column(heading, justify="right")
    for name, usage in estimate.modules.items():
        table.add_row(name, *usage_cells(usage))
    table.add_section()
    table.add_row("core", *usage_cells(estimate.total))
    yield table
    total = estimate.total
    over = " — MORE THAN IT HAS" if total.luts > device.luts else ""
    yield (
        f"{device.name}: about {total.luts:,} of {device.luts:,} {estimate.lut_name}s, "
        f"{total.block_rams:g} of {device.block_rams:g} block RAMs{over}"
    )
    yield f"{estimate.frames_per_second:,.0f} frames/s at {estimate.clock:g} MHz"
    for slow in estimate.slow:
        yield f"may miss {estimate.clock:g} MHz: {slow}"
    if estimate.limit is not None:
        yield estimate.limit


def usage_headings(lut_name: str) -> tuple[str, ...]:
    """The columns of `usage_cells`."""
    return (f"{lut_name}s", "flip-flops", "block RAMs", "DSPs")


def usage_cells(usage: Estimate | Usage) -> list[str]:
    """What something takes, as cells of a table; no block RAMs and no DSPs are empty ones."""
    return [
        f"{usage.luts:,}",
        f"{usage.flipflops:,}",
        f"{usage.block_rams:g}" if usage.block_rams else "",
        f"{usage.dsps:,}" if usage.dsps else "",
    ]
