"""That a planned arena holds what every op reads when it reads it."""

from __future__ import annotations

from collections.abc import Iterable

from xdsl.dialects.builtin import DictionaryAttr, IntegerAttr, ModuleOp
from xdsl.ir import SSAValue

from irc.dialects import packed
from irc.interp.run import entry_function

Cell = tuple[str, int]
"""An element of a region of the arena."""


def check_arena(module: ModuleOp) -> None:
    """Nothing is overwritten before its last reader, or while it is read; no room is wasted."""
    function = entry_function(module)
    owner: dict[Cell, SSAValue] = {}
    for op in function.body.block.ops:
        # Lazy ops run when their reader does, and need all that they read from then on.
        read = {cell: value for value in read_by(op.operands) for cell in cells_of(value)}
        assert all(owner[cell] is value for cell, value in read.items())
        if isinstance(op, packed.KernelOp):
            assert op.is_lazy or read.keys().isdisjoint(cells_of(op.output))
            owner.update(dict.fromkeys(cells_of(op.output), op.output))
    sizes = function.attributes[packed.ARENA]
    assert isinstance(sizes, DictionaryAttr)
    used = dict.fromkeys(sizes.data, 0)
    for region, cell in owner:
        used[region] = max(used[region], cell + 1)
    planned = {
        r: size.value.data for r, size in sizes.data.items() if isinstance(size, IntegerAttr)
    }
    assert used == planned


def read_by(values: Iterable[SSAValue]) -> list[SSAValue]:
    """Values, with what is read to compute those of them that are computed when they are read."""
    found: list[SSAValue] = []
    for value in values:
        found.append(value)
        if isinstance(value.owner, packed.KernelOp) and value.owner.is_lazy:
            found += read_by(value.owner.operands)
    return found


def cells_of(value: SSAValue) -> list[Cell]:
    """The elements of the arena that a value takes; none if it lies with the caller."""
    op = value.owner
    if not isinstance(op, packed.KernelOp) or not isinstance(op.slot, packed.SlotAttr):
        return []
    slot = op.slot
    return [(slot.region.data, slot.offset + index) for index in range(op.slot_length)]
