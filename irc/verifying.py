"""What makes a module valid: every operation's own rules, and definitions before uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.utils.exceptions import VerifyException

from irc.errors import IrcError

if TYPE_CHECKING:
    from xdsl.dialects import hw


def verify_module(module: ModuleOp) -> None:
    """Verify a module; raises xDSL's `VerifyException`, or `IrcError` for a use before definition.

    xDSL checks operations one by one. It does not check that in a function of one block, where
    text order is execution order, a value is defined before it is used; hardware modules are
    graphs, where order means nothing.
    """
    _verify_operations(module)
    for op in module.ops:
        if isinstance(op, FuncOp) and len(op.body.blocks) == 1:
            _check_order(op.body, set())


def _verify_operations(module: ModuleOp) -> None:
    """The same as `module.verify()`, in time linear in the size of the module.

    For every `hw.instance` xDSL searches the whole design for the module that it names, which in
    a design of thousands takes longer than all the rest.
    """
    symbols = {name: op for op in module.ops if (name := op.get_attr_or_prop("sym_name"))}
    for op in module.walk(region_first=True):
        for block in (block for region in op.regions for block in region.blocks):
            if block.is_empty:
                block.verify()
        if op.name == "hw.instance":
            _verify_instance(cast("hw.InstanceOp", op), symbols)
        else:
            op.verify(verify_nested_ops=False)


def _verify_instance(op: hw.InstanceOp, symbols: Mapping[Attribute, Operation]) -> None:
    try:
        op.get_irdl_definition().verify(op)
        _check_ports(op, symbols.get(op.module_name.root_reference))
    except VerifyException as error:
        op.emit_error(f"Operation does not verify: {error}", error)


def _check_ports(op: hw.InstanceOp, module: Operation | None) -> None:
    """Check that an instance connects every port of its module once."""
    from xdsl.dialects.hw import HWModuleLike

    trait = None if module is None else module.get_trait(HWModuleLike)
    if module is None or trait is None:
        raise VerifyException(f"there is no hw.module {op.module_name} in the design")
    ports = trait.get_hw_module_type(module).ports
    inputs = [port.port_name.data for port in ports if port.dir.data.is_input_like()]
    outputs = [port.port_name.data for port in ports if port.dir.data.is_output_like()]
    for kind, expected, named, values in (
        ("inputs", inputs, op.arg_names, op.inputs),
        ("outputs", outputs, op.result_names, op.outputs),
    ):
        given = [name.data for name in named]
        if sorted(given) != sorted(expected) or len(given) != len(values):
            raise VerifyException(
                f"instance '{op.instance_name.data}' names the {kind} {', '.join(given)} for "
                f"{len(values)} values; {op.module_name} has {', '.join(expected)}"
            )


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
