"""Which nodes of the model a line, a unit or a kernel came from, by locations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from xdsl.dialects.builtin import ArrayAttr, FileLineColLoc, FusedLoc, ModuleOp, NameLoc
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Operation

from irc.dialects import onnx
from irc.interp.run import entry_function


@dataclass(frozen=True)
class Node:
    """A node of the model: its name, the operator, and the values that it reads and gives."""

    name: str
    operator: str
    result: str
    """The type of the first result."""


def location_keys(location: Attribute) -> list[str]:
    """What a location calls the nodes that something came from, each once: their names, and lines
    of IR text where operations have no names."""
    match location:
        case NameLoc():
            found = [location.desc.data]
        case FileLineColLoc():
            found = [f"line {location.line.data}"]
        case FusedLoc():
            inner = cast("ArrayAttr[Attribute]", location.locations)
            found = [key for one in inner for key in location_keys(one)]
        case _:
            found = []
    return list(dict.fromkeys(key for key in found if key))


class Origins:
    """Numbers the nodes of the model, and every set of nodes that something came from.

    Set number 0 is the empty one.
    """

    def __init__(self, source: ModuleOp) -> None:
        self.nodes: list[Node] = []
        self.sets: list[tuple[int, ...]] = [()]
        self._numbers: dict[str, int] = {}
        self._known: dict[tuple[int, ...], int] = {(): 0}
        for op in entry_function(source).body.block.ops:
            if not isinstance(op, onnx.ConstantOp | ReturnOp | FuncOp):
                self._add(op)

    def _add(self, op: Operation) -> None:
        for key in location_keys(op.location)[:1]:
            if key not in self._numbers:
                self._numbers[key] = len(self.nodes)
                operator = op.name.removeprefix("onnx.")
                result = str(op.results[0].type) if op.results else ""
                self.nodes.append(Node(key, operator, result))

    def of(self, location: Attribute) -> int:
        """The number of the set of nodes that a location names."""
        keys = location_keys(location)
        return self._set(self._numbers[key] for key in keys if key in self._numbers)

    def union(self, sets: Iterable[int]) -> int:
        """The number of the set that holds all nodes of these."""
        return self._set(node for number in sets for node in self.sets[number])

    def _set(self, nodes: Iterable[int]) -> int:
        key = tuple(sorted(set(nodes)))
        if key not in self._known:
            self._known[key] = len(self.sets)
            self.sets.append(key)
        return self._known[key]
