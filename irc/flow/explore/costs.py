"""What each unit of the hardware and each kernel of the C costs, for charts beside the graphs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.ir import Operation

from irc.backends.c.source import CSource
from irc.devices import figures_of
from irc.dialects import bnn, dataflow, packed
from irc.dialects.dense import element_width
from irc.flow.explore.graphs import Graph
from irc.passes.hardware.design import Design
from irc.passes.hardware.resource_model.estimate import Estimate, estimate_design


@dataclass(frozen=True)
class Column:
    """One measure: a value for each node of a graph, `None` where it has none.

    `total` is what they come to together, for the slowest decides (`most`) or all add up (`sum`).
    """

    key: str
    title: str
    unit: str
    values: Sequence[float | None]
    together: str = "sum"
    limit: float | None = None
    """What the device has of it."""
    about: str = ""
    whole: float | None = None
    """All of the design, where that is more than its nodes."""

    @property
    def total(self) -> float:
        """The largest value, or the sum of all."""
        if self.whole is not None:
            return self.whole
        known = [value for value in self.values if value is not None]
        return max(known, default=0) if self.together == "most" else sum(known)


def network_costs(graph: Graph) -> list[Column]:
    """Weights and multiplications of the layers at level `bnn`."""
    weights: list[float | None] = []
    macs: list[float | None] = []
    thresholds: list[float | None] = []
    for op in graph.ops:
        has = isinstance(op, bnn.LinearOp | bnn.ConvOp)
        weights.append(op.weights.size * element_width(op.weights.element_type) if has else None)
        macs.append(op.weights.size * _vectors(op) if has else None)
        thresholds.append(op.thresholds.size if isinstance(op, bnn.ThresholdOp) else None)
    return [
        Column("macs", "MACs", "", macs, about="multiply-accumulate operations a frame"),
        Column("weights", "weights", "bits", weights, about="bits of weights"),
        Column("thresholds", "thresholds", "", thresholds, about="integers compared with"),
    ]


def _vectors(op: bnn.LinearOp | bnn.ConvOp) -> int:
    count = 1
    for size in bnn.frame_type(op.output).get_shape()[:-1]:
        count *= size
    return count


def hardware_costs(graph: Graph, design: Design) -> list[Column]:
    """Cycles a frame, look-up tables, flip-flops and memory of the units.

    For a device these come from the resource model that is calibrated for it; without one they are
    the units' own rough estimates.
    """
    units = [op if isinstance(op, dataflow.DataflowNode) else None for op in graph.ops]
    cycles = Column(
        "cycles",
        "cycles",
        "",
        [None if unit is None else unit.cycles() for unit in units],
        "most",
        about="clock cycles from one frame to the next; the slowest unit decides",
    )
    weights = Column(
        "weights",
        "weights",
        "bits",
        [unit.weight_bits() or None if unit else None for unit in units],
        about="bits of weights",
    )
    if design.device is None:
        rough = [None if unit is None else unit.resources() for unit in units]
        about = "a rough estimate; --device gives one that is calibrated by synthesis"
        return [
            cycles,
            Column("luts", "LUTs", "", [r and r.luts for r in rough], about=about),
            Column("ffs", "flip-flops", "", [r and r.flipflops for r in rough], about=about),
            Column(
                "memory",
                "block RAM",
                "bits",
                [(r.block_bits or None) if r else None for r in rough],
                about="bits that ought to lie in block RAM",
            ),
            weights,
        ]
    return [cycles, *_calibrated(units, design, design.device), weights]


def _calibrated(
    units: list[dataflow.DataflowNode | None], design: Design, device: str
) -> list[Column]:
    figures = figures_of(device)
    found, total = estimate_design(design, figures.family)
    by_unit: dict[Operation, Estimate] = {each.unit: each.estimate for each in found}
    known = [None if unit is None else by_unit[unit] for unit in units]
    about = f"estimated for {device} by a model that synthesis calibrates"
    columns = [
        Column(
            "luts",
            f"{figures.lut_name}s",
            "",
            [e and e.luts for e in known],
            limit=figures.luts,
            about=about,
            whole=total.luts,
        ),
        Column(
            "ffs",
            "flip-flops",
            "",
            [e and e.flipflops for e in known],
            about=about,
            whole=total.flipflops,
        ),
        Column(
            "rams",
            "block RAMs",
            "",
            [(e.block_rams or None) if e else None for e in known],
            limit=figures.block_rams,
            about=about,
        ),
    ]
    if total.dsps:
        dsps = [(e.dsps or None) if e else None for e in known]
        columns.append(Column("dsps", "DSPs", "", dsps, limit=figures.dsps, about=about))
    return columns


def software_costs(graph: Graph, source: CSource) -> list[Column]:
    """Flash, RAM and multiplications of the kernels."""
    layers = {layer.label: layer for layer in source.layers}
    rows = [
        layers.get(op.label.data) if isinstance(op, packed.KernelOp) else None for op in graph.ops
    ]
    return [
        Column(
            "flash",
            "flash",
            "B",
            [row and row.flash for row in rows],
            about="constants: weights, thresholds, steps",
        ),
        Column(
            "ram",
            "RAM",
            "B",
            [row and row.ram for row in rows],
            "most",
            about="the result and scratch; buffers that never live together share the arena",
        ),
        Column("macs", "MACs", "", [(row.macs or None) if row else None for row in rows]),
    ]
