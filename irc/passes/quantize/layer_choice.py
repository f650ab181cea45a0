"""Which layers have weights, what they are called, and how many bits each is to have."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue

from irc.dialects import bnn
from irc.dialects.dense import is_exact
from irc.errors import UsageError
from irc.passes.layer_names import UniqueNames, layer_name
from irc.passes.quantize.weight_scales import MAX_BITS

Weighted = bnn.LinearOp | bnn.ConvOp


@dataclass(frozen=True)
class Layer:
    """A sum of products, by the name of its node; `layer 3` where that has none.

    `is_first` if no other layer lies between an input and it, `is_last` if none follows.
    """

    name: str
    op: Weighted
    is_first: bool
    is_last: bool

    @property
    def is_float(self) -> bool:
        """Whether its weights are floats still."""
        return not is_exact(self.op.weights.element_type)


def layers_of(function: FuncOp) -> list[Layer]:
    """The layers of a function that have weights, in order."""
    found = [op for op in function.body.block.ops if isinstance(op, Weighted)]
    behind_one: set[SSAValue] = set()
    leading_to_one: set[Operation] = set()
    for op in function.body.block.ops:
        if isinstance(op, Weighted) or any(value in behind_one for value in op.operands):
            behind_one.update(op.results)
    for op in reversed(list(function.body.block.ops)):
        readers = [use.operation for result in op.results for use in result.uses]
        if any(isinstance(r, Weighted) or r in leading_to_one for r in readers):
            leading_to_one.add(op)
    names = UniqueNames()
    return [
        Layer(
            names.unique(layer_name(op, f"layer {number}")),
            op,
            op.input not in behind_one,
            op not in leading_to_one,
        )
        for number, op in enumerate(found, start=1)
    ]


def layers_named(layers: Iterable[Layer], names: Iterable[str], where: str) -> list[Layer]:
    """The layers of these names; raises `UsageError` that begins with `where` for unknown ones."""
    known = {layer.name: layer for layer in layers}
    for name in names:
        if name not in known:
            close = get_close_matches(name, known, 1, 0.6)
            hint = f"; did you mean '{close[0]}'?" if close else ""
            raise UsageError(
                f"{where}: there is no layer '{name}'{hint}\n"
                f"the layers with weights are: {', '.join(known) or 'none'}"
            )
    return [known[name] for name in names]


def parse_overrides(texts: Iterable[str], where: str) -> dict[str, int]:
    """`conv1=4` for each layer that is an exception, as bits by name; raises `UsageError`."""
    found: dict[str, int] = {}
    for text in texts:
        name, equals, bits = text.rpartition("=")
        if not equals or not name or not bits.isdecimal():
            raise UsageError(f"{where}: layers={text!r}: expected NAME=BITS, as in 'conv1=4'")
        if name in found:
            raise UsageError(f"{where}: layer '{name}' is given twice")
        found[name] = check_bits(int(bits), f"{where}: layer '{name}'")
    return found


def check_bits(bits: int, where: str) -> int:
    """`bits`, if weights and activations can have that many; else a `UsageError`."""
    if not 1 <= bits <= MAX_BITS:
        raise UsageError(f"{where}: {bits} bits are not supported; expected 1 to {MAX_BITS}")
    return bits
