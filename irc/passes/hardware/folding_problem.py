"""The search for a folding of a design on a device, as a problem that the solver takes."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from xdsl.ir import Operation

from irc.devices import DeviceFigures
from irc.dialects import dataflow
from irc.dialects.dataflow import FoldedNode, Folding
from irc.passes.hardware.design import Design
from irc.passes.hardware.folding_solver import Choice, Cost, Problem
from irc.passes.hardware.insert_width_converters import conversion_steps
from irc.passes.hardware.lanes import folded_cycles, possible_foldings
from irc.passes.hardware.resource_model.estimate import estimate, top_structure
from irc.passes.hardware.resource_model.memories import block_price, place
from irc.passes.hardware.resource_model.mvu_structure import weight_memory
from irc.passes.hardware.resource_model.structure import Structure
from irc.passes.hardware.resource_model.unit_structure import (
    converter_structure,
    fifo_structure,
    layer_structure,
    spatial_structure,
    structure_of,
    window_structure,
)
from irc.passes.hardware.stream_schedule import SMALLEST_DEPTH
from irc.passes.hardware.window_folding import (
    WindowFolding,
    lanes_for,
    window_before,
    window_folding,
)

LEAST_BLOCK_WORDS = 16
"""Shallower weight memories are not put into block RAM: what they would cost as logic is little."""


@dataclass(frozen=True)
class _Taken:
    """What a layer takes of the stream before it: lanes, and for how many cycles it takes nothing,
    as it works on a vector that it has."""

    lanes: int
    busy: int = 0


class FoldingProblem:
    """The layers of a design, each with every folding that may be the best."""

    def __init__(self, design: Design, device: DeviceFigures) -> None:
        self.design = design
        self.device = device
        self._family = device.family
        self._layers = design.layers
        self._behind = [list(_units_behind(layer)) for layer in self._layers]
        self._sources = [_source_layer(layer) for layer in self._layers]

    @cached_property
    def everything(self) -> list[list[Choice[Folding]]]:
        """Every folding of every layer, with its cost."""
        return [list(self._choices(index)) for index in range(len(self._layers))]

    @cached_property
    def problem(self) -> Problem[Folding]:
        """For the solver."""
        return Problem(
            [_worthwhile(choices) for choices in self.everything],
            self.prices,
            self._between,
            self._base(),
        )

    @property
    def prices(self) -> Cost:
        """Look-up tables that a block RAM or a DSP is worth: by area, not by how few a device has,
        since what it has and nothing else needs is free; of DSPs as many as come with one."""
        device = self.device
        dsp = device.luts / device.dsps if device.dsps else 0
        return Cost(1, block_price(self._family), dsp)

    def cost(self, structure: Structure) -> Cost:
        """What a unit takes."""
        found = estimate(structure, self._family)
        return Cost(found.luts, found.block_rams, found.dsps)

    def _choices(self, index: int) -> Iterator[Choice[Folding]]:
        layer = self._layers[index]
        window = window_before(layer)
        for shape in possible_foldings(layer):
            around, taken = self._around(layer, window, shape, index)
            given = self._given(index, shape)
            cycles = folded_cycles(layer, shape)
            for folding in _variants(layer, shape, self._family):
                cost = self.cost(layer_structure(layer, folding, self._family)).plus(around)
                yield Choice(cycles, cost, taken, given, folding)

    def _around(
        self, layer: FoldedNode, window: dataflow.WindowOp | None, folding: Folding, index: int
    ) -> tuple[Cost, _Taken]:
        """What the window before a layer takes, and what the host's units do; and what the layer
        and its window want of the stream before."""
        total = Cost()
        lanes, busy = _input_lanes(layer, folding), 0
        if window is not None and isinstance(layer, dataflow.MvuOp):
            chosen = window_folding(window, layer, folding)
            total = total.plus(self._window(window, chosen, lanes))
            lanes = chosen.lanes * chosen.pixels
        elif isinstance(layer, dataflow.MvuOp):
            folds = max(1, layer.group_rows // folding.pe)
            busy = layer.columns // folding.simd * (folds - 1)
        # What stands behind a layer follows its PE.
        given = folding.pe * folding.mmv
        for unit in self._behind[index]:
            given = lanes_for(_channels(unit), given)
            total = total.plus(self.cost(spatial_structure(unit, given, self._family)))
        return total, _Taken(lanes, busy)

    def _window(self, window: dataflow.WindowOp, chosen: WindowFolding, lanes: int) -> Cost:
        """The unit that lays out windows, and what fits its beats to the layer's."""
        cost = self.cost(
            window_structure(
                window,
                chosen.lanes,
                chosen.groups,
                chosen.taps,
                chosen.mmv,
                chosen.pixels,
                self._family,
            )
        )
        given = chosen.lanes * chosen.mmv
        for taps in chosen.taps:
            given *= taps
        return cost.plus(self._conversion(given, lanes, dataflow.stream_type(window.input)))

    def _given(self, index: int, folding: Folding) -> int:
        given = folding.pe * folding.mmv
        for unit in self._behind[index]:
            given = lanes_for(_channels(unit), given)
        return given

    def _between(self, index: int, gives: Hashable, takes: Hashable, cycles: int) -> Cost:
        """Width converters and the FIFO between a layer and the next one."""
        assert isinstance(gives, int)
        assert isinstance(takes, _Taken)
        reader = self._layers[index + 1]
        if self._sources[index + 1] is not self._layers[index]:
            return Cost()
        source = dataflow.stream_type(reader.operands[0])
        window = window_before(reader)
        if window is not None:
            source = dataflow.stream_type(window.input)
        cost = self._conversion(gives, takes.lanes, source)
        # Narrow beats are put together before they wait, wide ones are taken apart after it; what
        # a converter holds needs no place in a FIFO.
        lanes = max(gives, takes.lanes)
        beats = takes.busy * source.elements // lanes // cycles
        if beats:
            depth = max(SMALLEST_DEPTH, beats + 1)
            width = lanes * source.element_width
            cost = cost.plus(self.cost(fifo_structure(width, depth, self._family)))
        return cost

    def _conversion(self, have: int, want: int, stream: dataflow.StreamType) -> Cost:
        total = Cost()
        for lanes in conversion_steps(have, want):
            widths = have * stream.element_width, lanes * stream.element_width
            total, have = total.plus(self.cost(converter_structure(*widths, self._family))), lanes
        return total

    def _base(self) -> Cost:
        """What does not depend on the folding of one layer alone, as it stands."""
        total = self.cost(top_structure(self.design, self._family))
        counted = {unit for behind in self._behind for unit in behind}
        counted |= {w for w in map(window_before, self._layers) if w is not None}
        for unit in self.design.units:
            if not isinstance(unit, FoldedNode) and unit not in counted:
                total = total.plus(self.cost(structure_of(unit, self._family)))
        return total


def _variants(layer: FoldedNode, shape: Folding, family: str) -> Iterator[Folding]:
    """A folding with every memory and every kind of products that the layer can have."""
    if not isinstance(layer, dataflow.MvuOp):
        yield shape
        return
    products = [p for p in layer.product_choices() if p != "auto"] or ["auto"]
    # The only choice is left unsaid.
    named = [replace(shape, products=p if len(products) > 1 else "auto") for p in products]
    if layer.unfit(replace(shape, memory="logic")) is None:
        # Constants are made into logic either way, and better so.
        yield from (replace(folding, memory="logic") for folding in named)
        return
    words = layer.rows * layer.columns // (shape.pe * shape.simd)
    for folding in named:
        yield folding
        weights = weight_memory(layer, folding)
        if weights is not None and weights.is_rom and place(family, weights).block_rams:
            yield replace(folding, memory="distributed")
        elif words >= LEAST_BLOCK_WORDS:
            yield replace(folding, memory="block")


def _worthwhile(choices: list[Choice[Folding]]) -> list[Choice[Folding]]:
    """Those that no other one, which is the same to the neighbours, beats in all respects."""
    by_place: dict[tuple[Hashable, Hashable], list[Choice[Folding]]] = {}
    for choice in choices:
        by_place.setdefault((choice.takes, choice.gives), []).append(choice)
    kept: list[Choice[Folding]] = []
    for group in by_place.values():
        best: list[Choice[Folding]] = []
        for choice in sorted(group, key=lambda c: (c.cycles, c.cost)):
            if not any(other.cost.within(choice.cost) for other in best):
                best.append(choice)
        kept += best
    return kept


def _input_lanes(layer: FoldedNode, folding: Folding) -> int:
    """As `FoldedNode.input_lanes`, under another folding."""
    if not isinstance(layer, dataflow.MvuOp):
        return folding.pe
    return folding.simd * max(1, folding.pe // layer.group_rows) * folding.mmv


def _channels(unit: dataflow.SpatialNode) -> int:
    return dataflow.stream_type(unit.input).channels


def _units_behind(layer: FoldedNode) -> Iterator[dataflow.SpatialNode]:
    """Padding and pools, with their windows, up to the next layer or branch."""
    op: Operation | None = layer.results[0].get_user_of_unique_use()
    while isinstance(op, dataflow.SpatialNode | dataflow.ReshapeOp):
        reader = op.output.get_user_of_unique_use()
        if isinstance(op, dataflow.WindowOp) and isinstance(reader, FoldedNode):
            return
        if isinstance(op, dataflow.SpatialNode):
            yield op
        op = reader


def _source_layer(layer: FoldedNode) -> Operation:
    """The layer, branch or end that a layer's stream comes from."""
    source = layer.operands[0].owner
    while isinstance(source, dataflow.SpatialNode | dataflow.ReshapeOp):
        source = source.input.owner
    assert isinstance(source, Operation)
    return source
