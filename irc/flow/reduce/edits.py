"""Ways to make a module simpler, the coarsest first.

An edit is a list of choices, each of which simplifies a copy of the module, on its own or together
with others: operations that go, results that become arguments, constants that become zero. Which
of them keep what is sought is for the search to find out.
"""

from __future__ import annotations

from collections.abc import Callable

from xdsl.dialects.builtin import (
    ArrayAttr,
    DictionaryAttr,
    ModuleOp,
)
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.traits import IsTerminator

from irc.flow.reduce.attribute_edits import (
    drop_attributes,
    drop_locations,
    drop_properties,
    halve_constants,
    zero_constants,
    zero_integers,
)
from irc.flow.reduce.edit import Change, Edit
from irc.flow.reduce.shapes import shrink_extents


def functions(module: ModuleOp) -> list[FuncOp]:
    """Functions with a body of one block."""
    found = (op for op in module.ops if isinstance(op, FuncOp))
    return [op for op in found if len(op.body.blocks) == 1]


def inner_operations(module: ModuleOp) -> list[Operation]:
    """What lies in functions and other symbols, terminators aside."""
    return [
        op
        for op in module.walk()
        if op.parent_op() not in (None, module) and not op.has_trait(IsTerminator)
    ]


def drop_symbols(module: ModuleOp) -> Edit:
    """Functions and whatever else lies in the module."""

    def change(chosen: range) -> Change:
        def apply(copy: ModuleOp) -> bool:
            ops = list(copy.ops)
            if len(chosen) == len(ops):
                return False
            for index in chosen:
                ops[index].detach()
                ops[index].erase()
            return True

        return apply

    return Edit("drop symbols", len(list(module.ops)), change)


def return_earlier(module: ModuleOp) -> Edit:
    """What a function does last: it returns what was known before."""
    places = [
        (number, index)
        for number, function in enumerate(functions(module))
        for index, op in enumerate(function.body.block.ops)
        if op.results
    ]

    def change(chosen: range) -> Change:
        def apply(copy: ModuleOp) -> bool:
            number, index = places[chosen.start]
            function = functions(copy)[number]
            op = list(function.body.block.ops)[index]
            last = function.body.block.last_op
            if not isinstance(last, ReturnOp) or list(last.operands) == list(op.results):
                return False
            last.operands = list(op.results)
            function.res_attrs = None
            _tidy(copy)
            return True

        return apply

    return Edit("return earlier", len(places), change, bisects=True)


def begin_later(module: ModuleOp) -> Edit:
    """Operations whose results become arguments of the function."""

    def change(chosen: range) -> Change:
        def apply(copy: ModuleOp) -> bool:
            gone = [inner_operations(copy)[index] for index in chosen]
            for op in gone:
                block = _function_block(op)
                for result in op.results:
                    outside = [use for use in result.uses if use.operation not in gone]
                    if outside and block is None:
                        return False
                    if outside and block is not None:
                        argument = block.insert_arg(result.type, len(block.args))
                        result.replace_all_uses_with(argument)
            for op in reversed(gone):
                if any(result.first_use for result in op.results):
                    return False
                op.detach()
                op.erase()
            _tidy(copy)
            return True

        return apply

    return Edit("begin later", len(inner_operations(module)), change)


def _function_block(op: Operation) -> Block | None:
    parent = op.parent_op()
    if isinstance(parent, FuncOp) and isinstance(parent.parent_op(), ModuleOp):
        return parent.body.block if len(parent.body.blocks) == 1 else None
    return None


def bypass(module: ModuleOp) -> Edit:
    """Operations whose result can be replaced by an operand, of the same type."""

    def change(chosen: range) -> Change:
        def apply(copy: ModuleOp) -> bool:
            ops = inner_operations(copy)
            done = [_replace_by_operand(ops[index]) for index in chosen]
            _tidy(copy)
            return any(done)

        return apply

    return Edit("bypass", len(inner_operations(module)), change)


def _replace_by_operand(op: Operation) -> bool:
    if len(op.results) != 1 or op.regions:
        return False
    (result,) = op.results
    same: SSAValue | None = next((v for v in op.operands if v.type == result.type), None)
    if same is None or same is result:
        return False
    result.replace_all_uses_with(same)
    op.detach()
    op.erase()
    return True


def drop_results(module: ModuleOp) -> Edit:
    """Results of functions."""
    places = [
        (number, index)
        for number, function in enumerate(functions(module))
        for index in range(len(function.function_type.outputs))
    ]

    def change(chosen: range) -> Change:
        def apply(copy: ModuleOp) -> bool:
            for number, index in reversed([places[each] for each in chosen]):
                function = functions(copy)[number]
                last = function.body.block.last_op
                if not isinstance(last, ReturnOp):
                    return False
                last.operands = [v for i, v in enumerate(last.operands) if i != index]
                function.res_attrs = _without(function.res_attrs, index)
            _tidy(copy)
            return True

        return apply

    return Edit("drop results", len(places), change)


def _without(
    attributes: ArrayAttr[DictionaryAttr] | None, index: int
) -> ArrayAttr[DictionaryAttr] | None:
    if attributes is None:
        return None
    kept = [each for i, each in enumerate(attributes.data) if i != index]
    return ArrayAttr(kept) if any(each.data for each in kept) else None


def _tidy(module: ModuleOp) -> None:
    """Remove what nobody uses, whether it is pure or not, and let function types follow."""
    for function in functions(module):
        block = function.body.block
        for op in reversed(list(block.ops)):
            unused = not any(result.first_use for result in op.results)
            if op.results and unused and not op.has_trait(IsTerminator):
                op.detach()
                op.erase()
        for argument in reversed(list(block.args)):
            if argument.first_use is None:
                if function.arg_attrs is not None and argument.index < len(function.arg_attrs):
                    function.arg_attrs = _without(function.arg_attrs, argument.index)
                block.erase_arg(argument)
        if function.arg_attrs is not None and len(function.arg_attrs) != len(block.args):
            empty = [DictionaryAttr({})] * (len(block.args) - len(function.arg_attrs))
            function.arg_attrs = ArrayAttr([*function.arg_attrs.data, *empty])
        function.update_function_type()


EDITS: tuple[Callable[[ModuleOp], Edit], ...] = (
    drop_symbols,
    return_earlier,
    begin_later,
    bypass,
    drop_results,
    drop_attributes,
    drop_locations,
    shrink_extents,
    zero_constants,
    drop_properties,
    zero_integers,
    halve_constants,
)
"""The coarsest first; each is made for the module as it is when its turn comes."""
