"""What makes a module valid: every operation's own rules, and definitions before uses."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, Region, SSAValue

from irc.errors import IrcError


def verify_module(module: ModuleOp) -> None:
    """Verify a module; raises xDSL's `VerifyException`, or `IrcError` for a use before definition.

    xDSL checks operations one by one. It does not check that in a function of one block, where
    text order is execution order, a value is defined before it is used; hardware modules are
    graphs, where order means nothing.
    """
    module.verify()
    for op in module.ops:
        if isinstance(op, FuncOp) and len(op.body.blocks) == 1:
            _check_order(op.body, set())


def _check_order(region: Region, defined: set[SSAValue]) -> None:
    if len(region.blocks) != 1:
        return
    block = region.block
    defined.update(block.args)
    for op in block.ops:
        for index, operand in enumerate(op.operands):
            if operand not in defined and _is_later_in(block, operand):
                raise IrcError(_message(op, index, operand), op.location)
        for inner in op.regions:
            _check_order(inner, defined)
        defined.update(op.results)


def _is_later_in(block: Block, value: SSAValue) -> bool:
    return isinstance(value.owner, Operation) and value.owner.parent is block


def _message(op: Operation, index: int, operand: SSAValue) -> str:
    name = f"%{operand.name_hint}" if operand.name_hint else f"operand {index}"
    return f"'{op.name}': {name} is used before it is defined"
