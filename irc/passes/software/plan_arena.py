"""Give every buffer its place: in the caller's memory, or at an offset in the arena."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import DictionaryAttr, IntegerAttr, ModuleOp, i64
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from irc.dialects import packed
from irc.passes.rewriting import functions_of
from irc.passes.software.arena import LiveRange, arena_size, plan_offsets
from irc.passes.software.in_place import may_overwrite


@dataclass(frozen=True)
class PlanArena(ModulePass):
    """Assign arena offsets to buffers, sharing memory between those never alive at once.

    What the function returns is written straight to the caller's memory. Kernels that go through
    their operands element by element may write over them. Scratch lives as long as its kernel
    runs. Buffers of different C types do not share (see `region_name`).
    """

    name = "plan-arena"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions_of(op):
            plan_function(function)


def plan_function(function: FuncOp) -> None:
    """Set the `slot` of every kernel and the function's `packed.arena`."""
    by_region: dict[str, list[_Buffer]] = {}
    position = {op: index for index, op in enumerate(function.body.block.ops)}
    for op, index in position.items():
        if not isinstance(op, packed.KernelOp):
            continue
        last = max((position[reader] for reader in _readers(op)), default=index)
        if (scratch := op.scratch_buffer) is not None:
            # Lazy kernels run when their readers do.
            live = LiveRange(scratch.length, index, last if op.is_lazy else index)
            by_region.setdefault(scratch.region, []).append(_Buffer(op, live, is_scratch=True))
        result = _result_of(op)
        if result is not None:
            op.slot = packed.ResultSlotAttr.of(result)
            continue
        live = LiveRange(op.slot_length, index, last)
        region = packed.buffer_type(op.output).region
        by_region.setdefault(region, []).append(_Buffer(op, live))
    sizes: dict[str, int] = {}
    for region, buffers in by_region.items():
        ranges = [buffer.live for buffer in buffers]
        offsets = plan_offsets(ranges, _sharing(buffers))
        sizes[region] = arena_size(ranges, offsets)
        for buffer, offset in zip(buffers, offsets, strict=True):
            buffer.place(packed.SlotAttr.of(region, offset))
    function.attributes[packed.ARENA] = DictionaryAttr(
        {region: IntegerAttr(size, i64) for region, size in sorted(sizes.items())}
    )


@dataclass(frozen=True)
class _Buffer:
    """The result of a kernel, or its scratch."""

    op: packed.KernelOp
    live: LiveRange
    is_scratch: bool = False

    def place(self, slot: packed.SlotAttr) -> None:
        if self.is_scratch:
            self.op.scratch = slot
        else:
            self.op.slot = slot


def _sharing(buffers: list[_Buffer]) -> dict[int, list[int]]:
    """For each result in a region the operands there that it may lie on: those read last by it."""
    results = {number: b for number, b in enumerate(buffers) if not b.is_scratch}
    numbers: dict[SSAValue, int] = {b.op.output: number for number, b in results.items()}
    sharing: dict[int, list[int]] = {}
    for number, buffer in results.items():
        operands = {numbers[value] for value in may_overwrite(buffer.op) if value in numbers}
        last = sorted(
            operand for operand in operands if buffers[operand].live.last == buffer.live.first
        )
        if last:
            sharing[number] = last
    return sharing


def _readers(op: packed.KernelOp) -> Iterator[Operation]:
    """Who reads the result; lazy readers do so whenever they are read themselves."""
    for use in op.output.uses:
        yield use.operation
        if isinstance(use.operation, packed.KernelOp) and use.operation.is_lazy:
            yield from _readers(use.operation)


def _result_of(op: packed.KernelOp) -> int | None:
    """The function result that is exactly this buffer, the first if there are several."""
    for use in op.output.uses:
        if isinstance(use.operation, packed.OutputOp):
            for returned in use.operation.output.uses:
                if isinstance(returned.operation, ReturnOp):
                    return returned.index
    return None
