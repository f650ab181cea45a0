"""What is mutated, and the tests that are to notice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """Functions of a module, and the tests of them, the fastest first."""

    topic: str
    module: str
    functions: tuple[str, ...]
    tests: tuple[str, ...]


_ANALYSIS = "tests/passes/analysis"
_HARDWARE = "tests/passes/hardware"
_STREAMLINE = "tests/passes/streamline"

TARGETS = (
    Target(
        "threshold search",
        "irc.passes.analysis.threshold_search",
        ("*",),
        (f"{_ANALYSIS}/test_analysis_threshold_steps.py",),
    ),
    Target(
        "XNOR identity",
        "irc.passes.hardware.units.products",
        ("XnorPlanes", "TernaryPlanes"),
        (f"{_HARDWARE}/test_passes_hardware_xnor_products.py",),
    ),
    Target(
        "XNOR identity",
        "irc.passes.hardware.units.counting",
        ("forms", "forms_of", "matching_forms", "match_columns", "count_matches"),
        (f"{_HARDWARE}/test_passes_hardware_xnor_products.py",),
    ),
    Target(
        "padding",
        "irc.passes.streamline.streamline_pads",
        ("*",),
        (f"{_STREAMLINE}/test_streamline_pad_borders.py",),
    ),
    Target(
        "padding",
        "irc.passes.hardware.units.pad",
        ("*",),
        (f"{_HARDWARE}/test_passes_hardware_pad_unit.py",),
    ),
    Target(
        "FIFO sizing",
        "irc.passes.hardware.fifo_depths",
        ("*",),
        (f"{_HARDWARE}/test_passes_hardware_fifo_sizes.py",),
    ),
    Target(
        "FIFO sizing",
        "irc.passes.hardware.insert_fifos",
        ("*",),
        (f"{_HARDWARE}/test_passes_hardware_fifo_sizes.py",),
    ),
    Target(
        "FIFO sizing",
        "irc.passes.hardware.stream_schedule",
        ("*",),
        (f"{_HARDWARE}/test_passes_hardware_fifo_sizes.py",),
    ),
)
