"""Give every buffer its place: in the caller's memory, or at an offset in the arena."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import DictionaryAttr, IntegerAttr, ModuleOp, i64
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from irc.dialects import packed
from irc.passes.rewriting import functions_of
from irc.passes.software.arena import LiveRange, arena_size, plan_offsets


@dataclass(frozen=True)
class PlanArena(ModulePass):
    """Assign arena offsets to buffers, sharing memory between those never alive at once.

    What the function returns is written straight to the caller's memory. Buffers of different C
    types do not share (see `region_name`).
    """

    name = "plan-arena"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions_of(op):
            plan_function(function)


def plan_function(function: FuncOp) -> None:
    """Set the `slot` of every kernel and the function's `packed.arena`."""
    by_region: dict[str, list[tuple[packed.KernelOp, LiveRange]]] = {}
    position = {op: index for index, op in enumerate(function.body.block.ops)}
    for op, index in position.items():
        if not isinstance(op, packed.KernelOp):
            continue
        result = _result_of(op)
        if result is not None:
            op.slot = packed.ResultSlotAttr.of(result)
            continue
        last = max((position[reader] for reader in _readers(op)), default=index)
        live = LiveRange(op.slot_length, index, last)
        region = packed.buffer_type(op.output).region
        by_region.setdefault(region, []).append((op, live))
    sizes: dict[str, int] = {}
    for region, entries in by_region.items():
        ranges = [live for _, live in entries]
        offsets = plan_offsets(ranges)
        sizes[region] = arena_size(ranges, offsets)
        for (op, _), offset in zip(entries, offsets, strict=True):
            op.slot = packed.SlotAttr.of(region, offset)
    function.attributes[packed.ARENA] = DictionaryAttr(
        {region: IntegerAttr(size, i64) for region, size in sorted(sizes.items())}
    )


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
