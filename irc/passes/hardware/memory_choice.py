"""Where weights lie that nobody has said it of: in block RAM or in tables, as a device has it.

Without a device, `auto` is a rule of depth and size. On a device the resource model knows what each
memory takes in either, and the choice is the one that leaves most of the device free: of look-up
tables and block RAMs, the larger share that is taken is as small as can be. For a price of block
RAMs in tables every layer takes what is cheaper; the prices that matter are those at which a layer
changes its mind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from irc.devices import DeviceFigures
from irc.dialects import dataflow
from irc.dialects.dataflow import Folding
from irc.passes.hardware.design import Design
from irc.passes.hardware.folding_search import refold
from irc.passes.hardware.resource_model.estimate import Estimate, estimate, estimate_design
from irc.passes.hardware.resource_model.unit_structure import layer_structure

STYLES = ("auto", "distributed", "block")
"""Of equal ones the first is taken."""

_Choice = tuple[Folding, Estimate]


def choose_memories(design: Design, device: DeviceFigures) -> None:
    """Set `memory` of every layer whose weights may lie anywhere."""
    layers = [layer for layer in design.layers if isinstance(layer, dataflow.MvuOp)]
    choices = {layer: found for layer in layers if (found := _choices(layer, device.family))}
    if not choices:
        return
    _, together = estimate_design(design, device.family)
    # The first choice is how layers are now.
    now = [found[0][1] for found in choices.values()]
    luts = together.luts - sum(taken.luts for taken in now)
    blocks = together.block_rams - sum(taken.block_rams for taken in now)

    def shares(chosen: Sequence[_Choice]) -> tuple[float, float]:
        """The larger share of the device that is taken, and both together."""
        of_luts = (luts + sum(taken.luts for _, taken in chosen)) / device.luts
        of_blocks = (blocks + sum(taken.block_rams for _, taken in chosen)) / device.block_rams
        return max(of_luts, of_blocks), of_luts + of_blocks

    chosen = min(
        ([_cheapest(found, price) for found in choices.values()] for price in _prices(choices)),
        key=shares,
    )
    for layer, (folding, _) in zip(choices, chosen, strict=True):
        refold(layer, folding)


def _choices(layer: dataflow.MvuOp, family: str) -> list[_Choice]:
    """A layer's weights in each style; none for weights that are said to lie somewhere."""
    if layer.folding.memory != "auto" or layer.is_reloadable or layer.weight_words == 1:
        return []
    foldings = [replace(layer.folding, memory=style) for style in STYLES]
    return [
        (folding, estimate(layer_structure(layer, folding, family), family)) for folding in foldings
    ]


def _cheapest(choices: list[_Choice], price: float) -> _Choice:
    return min(choices, key=lambda choice: choice[1].luts + price * choice[1].block_rams)


def _prices(choices: dict[dataflow.MvuOp, list[_Choice]]) -> list[float]:
    """For every pair of choices of a layer, a price on either side of that which makes them equal;
    and 0."""
    equal = {
        (one.luts - other.luts) / (other.block_rams - one.block_rams)
        for found in choices.values()
        for _, one in found
        for _, other in found
        if one.block_rams < other.block_rams and one.luts > other.luts
    }
    return sorted({0.0, *(price * side for price in equal for side in (0.999, 1.001))})
