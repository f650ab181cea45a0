"""Erase what nobody reads: dead-code elimination."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeGuard

from xdsl.context import Context
from xdsl.dialects import hw
from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, ModuleOp, SymbolRefAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Operation, ParametrizedAttribute
from xdsl.passes import ModulePass

from irc.counters import count
from irc.passes.analysis.network_cost import NetworkCost
from irc.passes.cleanup.hardware_effects import only_computes
from irc.passes.rewriting import DEAD_OPERATIONS, erase_dead, functions_of

SYMBOLS = "unused functions and modules erased"


@dataclass(frozen=True)
class EraseUnusedOperations(ModulePass):
    """Erase operations whose results nobody reads, and private functions and modules that nothing
    refers to but each other. What has an inner symbol stays."""

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
        _erase_symbols(op)


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
        # What stands in the regions of an operation reads values from around it.
        read = (v.owner for inner in op.walk() for v in inner.operands)
        pending += [owner for owner in read if isinstance(owner, Operation)]
    dead = [op for op in module.body.block.ops if op not in needed]
    for op in dead:
        op.detach()
        op.drop_all_references()
    for op in dead:
        op.erase(safe_erase=False)
    if dead:
        count(DEAD_OPERATIONS, len(dead))


def _erase_symbols(module: ModuleOp) -> None:
    """Erase private functions and hardware modules that nothing else leads to."""
    private = {op.sym_name.data: op for op in module.ops if _is_private(op)}
    pending = list(_symbols_of(module))
    for op in module.ops:
        if not _is_private(op):
            pending += _symbols_within(op)
    while pending:
        used = private.pop(pending.pop(), None)
        if used is not None:
            pending += _symbols_within(used)
    for op in private.values():
        op.detach()
        op.erase()
    if private:
        count(SYMBOLS, len(private))


def _is_private(op: Operation) -> TypeGuard[FuncOp | hw.HWModuleOp]:
    return (
        isinstance(op, FuncOp | hw.HWModuleOp)
        and op.sym_visibility is not None
        and op.sym_visibility.data == "private"
    )


def _symbols_within(op: Operation) -> Iterator[str]:
    return (name for inner in op.walk() for name in _symbols_of(inner))


def _symbols_of(op: Operation) -> Iterator[str]:
    """The names in all attributes and properties of an operation: any reference counts as a use,
    whatever the operation means by it."""
    for attribute in (*op.attributes.values(), *op.properties.values()):
        yield from _symbols_in(attribute)


def _symbols_in(attribute: Attribute) -> Iterator[str]:
    inner: Iterable[Attribute] = ()
    match attribute:
        case SymbolRefAttr():
            yield attribute.root_reference.data
            yield from (name.data for name in attribute.nested_references)
        case ArrayAttr():
            inner = attribute
        case DictionaryAttr():
            inner = attribute.data.values()
        case ParametrizedAttribute():
            inner = attribute.parameters
        case _:
            pass
    for one in inner:
        yield from _symbols_in(one)
