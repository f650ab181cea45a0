"""That a planned arena holds what every op reads when it reads it."""

from __future__ import annotations

from collections.abc import Iterable

from xdsl.dialects.builtin import DictionaryAttr, IntegerAttr, ModuleOp
from xdsl.ir import Operation, SSAValue

from irc.dialects import packed
from irc.interp.run import entry_function
from irc.passes.software.in_place import may_overwrite

Cell = tuple[str, int]
"""An element of a region of the arena."""


def check_arena(module: ModuleOp) -> None:
    """Nothing is overwritten before its last reader, or while it is read; no room is wasted."""
    function = entry_function(module)
    owner: dict[Cell, SSAValue | None] = {}
    for op in function.body.block.ops:
        # Lazy ops run when their reader does, and need all that they read from then on.
        read = {cell: value for value in read_by(op.operands) for cell in cells_of(value)}
        assert all(owner[cell] is value for cell, value in read.items())
        if isinstance(op, packed.KernelOp):
            assert op.is_lazy or not overwrites(op, read)
            owner.update(dict.fromkeys(cells_of(op.output), op.output))
            assert (op.scratch is None) == (op.scratch_buffer is None)
        # Scratch is for those that run now: nobody reads it later, nor is anything there meanwhile.
        needed = {*read, *(cell for value in op.results for cell in cells_of(value))}
        for kernel in running(op):
            scratch = scratch_of(kernel)
            assert needed.isdisjoint(scratch)
            needed.update(scratch)
            owner.update(dict.fromkeys(scratch))
    sizes = function.attributes[packed.ARENA]
    assert isinstance(sizes, DictionaryAttr)
    used = dict.fromkeys(sizes.data, 0)
    for region, cell in owner:
        used[region] = max(used[region], cell + 1)
    planned = {
        r: size.value.data for r, size in sizes.data.items() if isinstance(size, IntegerAttr)
    }
    assert used == planned


def overwrites(op: packed.KernelOp, read: dict[Cell, SSAValue]) -> bool:
    """Whether the result lies on anything that is read but an operand it may overwrite as it goes,
    of which each element is at the very same place."""
    written = cells_of(op.output)
    allowed = {cell for value in may_overwrite(op) for cell in in_step(cells_of(value), written)}
    return bool((read.keys() & set(written)) - allowed)


def in_step(operand: list[Cell], result: list[Cell]) -> list[Cell]:
    """The cells of an operand that begins where the result does."""
    return operand if operand[:1] == result[:1] else []


def read_by(values: Iterable[SSAValue]) -> list[SSAValue]:
    """Values, with what is read to compute those of them that are computed when they are read."""
    found: list[SSAValue] = []
    for value in values:
        found.append(value)
        if isinstance(value.owner, packed.KernelOp) and value.owner.is_lazy:
            found += read_by(value.owner.operands)
    return found


def running(op: Operation) -> list[packed.KernelOp]:
    """The kernels that run when `op` does: itself, and lazy ones that it reads."""
    if not isinstance(op, packed.KernelOp) or op.is_lazy:
        return []
    read = [value.owner for value in read_by(op.operands)]
    return [op, *(k for k in read if isinstance(k, packed.KernelOp) and k.is_lazy)]


def scratch_of(op: packed.KernelOp) -> list[Cell]:
    """The elements of the arena that a kernel may write besides its result."""
    slot, buffer = op.scratch, op.scratch_buffer
    if slot is None or buffer is None:
        return []
    return [(slot.region.data, slot.offset + index) for index in range(buffer.length)]


def cells_of(value: SSAValue) -> list[Cell]:
    """The elements of the arena that a value takes; none if it lies with the caller."""
    op = value.owner
    if not isinstance(op, packed.KernelOp) or not isinstance(op.slot, packed.SlotAttr):
        return []
    slot = op.slot
    return [(slot.region.data, slot.offset + index) for index in range(op.slot_length)]
