"""What `irc quantize` tells: layers, what was lost, and which targets take the result."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rich.table import Table

from irc.flow.check import TARGETS, CheckReport
from irc.flow.quantize import QuantizeReport, is_bad, loss_text
from irc.tools.tables import plural

_SIGNS = ("±1",)


def quantize_lines(report: QuantizeReport, checked: CheckReport) -> Iterator[Table | str]:
    """The layers, the network before and after, and what stands in the way of each target."""
    yield _layer_table(report)
    yield _network_table(report)
    if report.rounded_otherwise:
        yield (
            f"float32 rounding of scaled sums decides otherwise in "
            f"{plural(report.rounded_otherwise, 'frame')}; the integers that were written decide"
        )
    supported = [target for target in TARGETS if checked.supports(target)]
    yield f"targets: {', '.join(supported) or 'none'}"
    for finding in checked.findings:
        yield f"{', '.join(finding.targets)}: {finding.node}: {finding.reason}"


def _layer_table(report: QuantizeReport) -> Table:
    table = Table("layer", "weights", "reads")
    table.add_column("weights, dB", justify="right")
    table.add_column("sums, dB", justify="right")
    for layer in report.layers:
        ratios = (decibel_text(layer.weights_sqnr), decibel_text(layer.output_sqnr))
        table.add_row(layer.name, layer.weights, layer.activations, *ratios)
    return table


def _network_table(report: QuantizeReport) -> Table:
    table = Table("network")
    for heading in ("frames", "accuracy", "same class", "signal to noise"):
        table.add_column(heading, justify="right")
    frames = f"{report.frames:,}"
    table.add_row("float", frames, percent_text(report.accuracy_before), "", "")
    table.add_row(
        "quantized",
        frames,
        percent_text(report.accuracy_after),
        percent_text(report.same_class),
        decibel_text(report.sqnr, " dB"),
    )
    return table


def warnings(report: QuantizeReport) -> Iterator[str]:
    """What a user must not overlook: losses, and figures that mean less than they seem to."""
    if is_bad(report):
        yield f"warning: quantization loses {loss_text(report)}"
        if any(layer.weights in _SIGNS for layer in report.layers):
            yield (
                "note: that is to be expected of binary weights in a network that was not trained "
                "for them: train it with quantizers in place, or give more bits"
            )
        else:
            worst = min(report.layers, key=lambda layer: layer.output_sqnr)
            yield (
                f"note: layer '{worst.name}' is furthest from the float network: more bits there "
                f"(--layer '{worst.name}=8/8'), or training with quantizers in place, may help"
            )
    for note in report.notes:
        yield f"note: {note}"


def percent_text(part: float | None) -> str:
    """`91.60 %`, or nothing where it is not known."""
    return "" if part is None else f"{100 * part:.2f} %"


def decibel_text(ratio: float, unit: str = "") -> str:
    """`31.2`, or `exact` where nothing was lost."""
    if math.isinf(ratio):
        return "exact" if ratio > 0 else "none"
    return f"{ratio:.1f}{unit}"
