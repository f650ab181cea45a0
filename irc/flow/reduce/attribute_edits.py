"""Edits of what operations carry: attributes, locations, constants and single numbers."""

from __future__ import annotations

from collections.abc import Callable

from xdsl.dialects.builtin import IntegerAttr, ModuleOp, UnknownLoc
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Operation
from xdsl.utils.hints import isa

from irc.flow.reduce.constants import halved, zeroed
from irc.flow.reduce.edit import Change, Edit


def drop_attributes(module: ModuleOp) -> Edit:
    """Attributes that operations carry beside their own, and those of arguments and results."""
    places = [(index, name) for index, op in enumerate(module.walk()) for name in _extra(op)]

    def change(chosen: range) -> Change:
        def apply(copy: ModuleOp) -> bool:
            ops = list(copy.walk())
            for index, name in (places[each] for each in chosen):
                ops[index].attributes.pop(name, None)
                ops[index].properties.pop(name, None)
            return True

        return apply

    return Edit("drop attributes", len(places), change)


def _extra(op: Operation) -> list[str]:
    extra = [*op.attributes]
    if isinstance(op, FuncOp):
        extra += [name for name in ("arg_attrs", "res_attrs") if name in op.properties]
    return sorted(extra)


def drop_properties(module: ModuleOp) -> Edit:
    """Optional properties; those that an operation needs come back by not parsing."""
    places = [
        (index, name)
        for index, op in enumerate(module.walk())
        if not isinstance(op, FuncOp | ModuleOp)
        for name in sorted(op.properties)
    ]

    def change(chosen: range) -> Change:
        def apply(copy: ModuleOp) -> bool:
            ops = list(copy.walk())
            for index, name in (places[each] for each in chosen):
                del ops[index].properties[name]
            return True

        return apply

    return Edit("drop properties", len(places), change)


def drop_locations(module: ModuleOp) -> Edit:
    """Locations, where the text has any."""

    def change(chosen: range) -> Change:
        def apply(copy: ModuleOp) -> bool:
            ops = list(copy.walk())
            had = False
            for index in chosen:
                had |= not isinstance(ops[index].location, UnknownLoc)
                ops[index].location = UnknownLoc()
            return had

        return apply

    return Edit("drop locations", sum(1 for _ in module.walk()), change)


def zero_constants(module: ModuleOp) -> Edit:
    """Constants, whole."""
    return _constants(module, "zero constants", zeroed)


def halve_constants(module: ModuleOp) -> Edit:
    """Numbers of constants, those in the first half of what is not zero, then in the second."""
    return _constants(module, "simplify constants", halved)


def _constants(
    module: ModuleOp, name: str, simpler: Callable[[Attribute], Attribute | None]
) -> Edit:
    places = [
        (index, key)
        for index, op in enumerate(module.walk())
        for key, attribute in sorted(op.properties.items())
        if simpler(attribute) is not None
    ]

    def change(chosen: range) -> Change:
        def apply(copy: ModuleOp) -> bool:
            ops = list(copy.walk())
            for index, key in (places[each] for each in chosen):
                less = simpler(ops[index].properties[key])
                if less is not None:
                    ops[index].properties[key] = less
            return True

        return apply

    return Edit(name, len(places), change, again=True)


def zero_integers(module: ModuleOp) -> Edit:
    """Single numbers: biases, strides, counts."""

    def less(attribute: Attribute) -> Attribute | None:
        if not isa(attribute, IntegerAttr) or attribute.value.data in (0, 1):
            return None
        return IntegerAttr(0 if attribute.value.data < 0 else 1, attribute.type)

    return _constants(module, "simplify numbers", less)
