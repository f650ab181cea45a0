"""Erase what nobody reads: dead-code elimination."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import hw
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from irc.counters import count
from irc.passes.analysis.network_cost import NetworkCost
from irc.passes.cleanup.hardware_effects import only_computes
from irc.passes.rewriting import DEAD_OPERATIONS, erase_dead, functions_of

SYMBOLS = "unused functions and modules erased"


@dataclass(frozen=True)
class EraseUnusedOperations(ModulePass):
    """Erase operations whose results nobody reads, and private functions and modules that nobody
    calls or instantiates."""

    name = "erase-unused-operations"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions_of(op):
            before = NetworkCost.of(function)
            erase_dead(function)
            after = NetworkCost.of(function)
            if before.operations > after.operations:
                count(DEAD_OPERATIONS, before.operations - after.operations)
                before.count_savings(after)
        for module in op.ops:
            if isinstance(module, hw.HWModuleOp):
                _erase_in_graph(module)
        while _erase_symbols(op):
            pass


def _erase_in_graph(module: hw.HWModuleOp) -> None:
    """Erase what does not lead to an output, an instance or a memory that is written; in a graph a
    register may read what depends on itself."""
    needed: set[Operation] = set()
    pending = [op for op in module.body.block.ops if not (op.results and only_computes(op))]
    while pending:
        op = pending.pop()
        if op in needed:
            continue
        needed.add(op)
        pending += [owner for v in op.operands if isinstance(owner := v.owner, Operation)]
    dead = [op for op in module.body.block.ops if op not in needed]
    for op in dead:
        op.detach()
        op.drop_all_references()
    for op in dead:
        op.erase(safe_erase=False)
    if dead:
        count(DEAD_OPERATIONS, len(dead))


def _erase_symbols(module: ModuleOp) -> bool:
    """Erase private functions and hardware modules that nobody uses; whether there were any."""
    used: set[str] = set()
    for op in module.walk():
        if isinstance(op, hw.InstanceOp):
            used.add(op.module_name.root_reference.data)
        elif isinstance(op, CallOp):
            used.add(op.callee.root_reference.data)
    found = [
        op
        for op in module.ops
        if isinstance(op, FuncOp | hw.HWModuleOp)
        and op.sym_visibility is not None
        and op.sym_visibility.data == "private"
        and op.sym_name.data not in used
    ]
    for op in found:
        op.detach()
        op.erase()
    if found:
        count(SYMBOLS, len(found))
    return bool(found)
