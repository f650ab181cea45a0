"""Compute once what several operations compute alike: common-subexpression elimination."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import hw
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.transforms.common_subexpression_elimination import KnownOps

from irc.counters import count
from irc.dialects import rtl
from irc.dialects.locations import fused_location
from irc.passes.analysis.network_cost import NetworkCost
from irc.passes.cleanup.hardware_effects import only_computes
from irc.passes.rewriting import cse, functions_of

MERGED = "equal operations merged"


@dataclass(frozen=True)
class MergeEqualOperations(ModulePass):
    """Let equal operations on equal operands be one, in functions and in hardware modules.

    Layers with the same weights on the same input become one layer. Units of `dataflow` stay as
    they are: every stream has one reader. In hardware modules, whose order means nothing, registers
    with equal inputs hold the same, and are merged as well; so are ROMs of the same contents,
    whatever they are called.
    """

    name = "merge-equal-operations"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions_of(op):
            before = NetworkCost.of(function)
            cse(function)
            after = NetworkCost.of(function)
            if before.operations > after.operations:
                count(MERGED, before.operations - after.operations)
                before.count_savings(after)
        for module in op.ops:
            if isinstance(module, hw.HWModuleOp):
                while _merge_graph(module):
                    pass


def _merge_graph(module: hw.HWModuleOp) -> bool:
    """Merge operations of a graph region, each into the first like it; whether there were any."""
    known: KnownOps = KnownOps()
    roms: dict[object, Operation] = {}
    merged = False
    for op in list(module.body.block.ops):
        if not op.results or not only_computes(op):
            continue
        if isinstance(op, rtl.RomOp):
            first = roms.setdefault(_but_for_its_name(op), op)
        else:
            first = known.get(op, op)
        if first is op:
            known[op] = op
            continue
        _replace(op, first)
        merged = True
    return merged


def _but_for_its_name(rom: rtl.RomOp) -> object:
    """What makes two ROMs the same; the name only says what the memory is called in the text."""
    properties = {key: value for key, value in rom.properties.items() if key != "sym_name"}
    return tuple(rom.operands), frozenset(properties.items()), frozenset(rom.attributes.items())


def _replace(op: Operation, first: Operation) -> None:
    for result, other in zip(op.results, first.results, strict=True):
        result.replace_all_uses_with(other)
        if other.name_hint is None:
            other.name_hint = result.name_hint
    first.location = fused_location(first.location, op.location)
    op.detach()
    op.erase()
    count(MERGED)
