"""The arena of the C over time: which bytes hold what while which kernels run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xdsl.ir import Operation

from irc.backends.c.source import CSource
from irc.dialects import packed
from irc.flow.explore.graphs import Graph


@dataclass(frozen=True)
class Buffer:
    """`size` bytes from `offset` on, alive from kernel `first` to kernel `last`; these and `node`
    are numbers in the graph. `what` is `result` or `scratch`."""

    node: int
    what: str
    region: str
    offset: int
    size: int
    first: int
    last: int


def arena_buffers(graph: Graph, source: CSource) -> list[Buffer]:
    """The buffers that lie in the arena, in the order of their kernels."""
    widths = {region: int(region[1:]) // 8 for region in source.regions}
    starts: dict[str, int] = {}
    end = 0
    for region, count in source.ordered_regions:
        starts[region] = end
        end += count * widths[region]
    numbers = {op: number for number, op in enumerate(graph.ops)}
    found: list[Buffer] = []

    def add(slot: packed.SlotAttr, length: int, node: int, what: str, last: int) -> None:
        region = slot.region.data
        width = widths[region]
        place = starts[region] + slot.offset * width
        found.append(Buffer(node, what, region, place, length * width, node, last))

    for op, number in numbers.items():
        if not isinstance(op, packed.KernelOp):
            continue
        last = max((numbers.get(reader, number) for reader in _readers(op)), default=number)
        if isinstance(op.slot, packed.SlotAttr):
            add(op.slot, op.slot_length, number, "result", last)
        if op.scratch is not None and op.scratch_buffer is not None:
            # The readers of what is computed row by row run it.
            until = last if op.is_lazy else number
            add(op.scratch, op.scratch_buffer.length, number, "scratch", until)
    return found


def _readers(op: packed.KernelOp) -> Iterator[Operation]:
    """Who reads the result, also through kernels that run within their readers."""
    for use in op.output.uses:
        yield use.operation
        if isinstance(use.operation, packed.KernelOp) and use.operation.is_lazy:
            yield from _readers(use.operation)
