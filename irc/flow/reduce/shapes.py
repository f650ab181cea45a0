"""Smaller tensors: an extent of the module made smaller wherever it occurs.

All extents that are equal change together, in types and in constants, of which the first elements
stay, or the last; where a reshape flattens, its extent follows. Modules in which one of several
equal extents must stay come back by not verifying.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import cast

from xdsl.dialects.builtin import FunctionType, ModuleOp, TensorType
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, SSAValue
from xdsl.rewriter import Rewriter

from irc.dialects.dataflow_stream import StreamType
from irc.flow.reduce.constants import values_of, with_values
from irc.flow.reduce.edit import Change, Edit

SMALLER = (1, 2, 3)
"""Extents that are tried first, before half of what there is and one less."""


def shrink_extents(module: ModuleOp) -> Edit:
    """Each extent of a tensor with each smaller one that is worth trying, the smallest first."""
    shapes = value_shapes(module) + _constant_shapes(module)
    extents = sorted({n for shape in shapes for n in shape if n > 1}, reverse=True)
    ways = [
        (extent, less, end)
        for extent in extents
        for less in sorted({*SMALLER, extent // 2, extent - 1})
        for end in (False, True)
        if 0 < less < extent
    ]

    def change(chosen: range) -> Change:
        def apply(copy: ModuleOp) -> bool:
            extent, less, end = ways[chosen.start]
            _resize(copy, _following(copy, {extent: less}), end)
            return True

        return apply

    return Edit("shrink extents", len(ways), change, single=True)


def value_shapes(module: ModuleOp) -> list[tuple[int, ...]]:
    """The shapes of all values that have one."""
    return [shape for value in _values(module) if (shape := _shape(value.type)) is not None]


def _values(module: ModuleOp) -> list[SSAValue]:
    """Results of operations and arguments of blocks."""
    found: list[SSAValue] = []
    for op in module.walk():
        found += op.results
        found += [argument for r in op.regions for b in r.blocks for argument in b.args]
    return found


def _constant_shapes(module: ModuleOp) -> list[tuple[int, ...]]:
    constants = (values_of(a) for op in module.walk() for a in op.properties.values())
    return [values.shape for values in constants if values is not None]


def _shape(kind: Attribute) -> tuple[int, ...] | None:
    match kind:
        case TensorType():
            return kind.get_shape()
        case StreamType():
            return kind.shape
        case _:
            return None


def _following(module: ModuleOp, sizes: dict[int, int]) -> dict[int, int]:
    """The extents that reshapes make of others, added to `sizes`."""
    for op in module.walk():
        if len(op.operands) != 1 or len(op.results) != 1:
            continue
        shapes = [_shape(value.type) for value in (op.operands[0], op.results[0])]
        source, result = shapes
        if source is None or result is None or source == result or min(source, default=1) < 1:
            continue
        if math.prod(source) != math.prod(result):
            continue
        for flat, other in ((source, result), (result, source)):
            wide = [n for n in flat if n > 1]
            if len(wide) == 1 and wide[0] not in sizes:
                sizes[wide[0]] = math.prod(sizes.get(n, n) for n in other)
    return sizes


def _resize(module: ModuleOp, sizes: Mapping[int, int], end: bool) -> None:
    for op in module.walk():
        for name, attribute in list(op.properties.items()):
            numbers = values_of(attribute)
            if numbers is not None and any(n in sizes for n in numbers.shape):
                kept = [sizes.get(n, n) for n in numbers.shape]
                first = [n - k if end else 0 for n, k in zip(numbers.shape, kept, strict=True)]
                cut = numbers[tuple(slice(a, a + k) for a, k in zip(first, kept, strict=True))]
                op.properties[name] = with_values(attribute, cut)
    for value in _values(module):
        kind = _resized(value.type, sizes)
        if kind != value.type:
            Rewriter.replace_value_with_new_type(value, kind)
    for op in module.ops:
        if isinstance(op, FuncOp):
            types = op.function_type
            op.function_type = FunctionType.from_lists(
                [_resized(kind, sizes) for kind in types.inputs],
                [_resized(kind, sizes) for kind in types.outputs],
            )


def _resized(kind: Attribute, sizes: Mapping[int, int]) -> Attribute:
    shape = _shape(kind)
    if shape is None or not any(n in sizes for n in shape):
        return kind
    new = [sizes.get(n, n) for n in shape]
    if isinstance(kind, StreamType):
        return kind.with_shape(new)
    return TensorType(cast("TensorType[Attribute]", kind).element_type, new)
