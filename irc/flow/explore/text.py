"""IR as lines, each with the nodes that it came from; values keep their names from pass to pass."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING

from xdsl.dialects import hw
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.printer import Printer

from irc.printing import LONGEST_CONSTANT

if TYPE_CHECKING:
    from irc.flow.explore.origins import Origins

SHOWN = 24
"""Characters of a long constant that are shown."""


@dataclass(frozen=True)
class Text:
    """Lines, and for each the number of its set in `Origins`."""

    lines: list[str]
    origins: list[int]


class ValueNames:
    """Names of the values in functions and hardware modules; what a pass leaves alone keeps its
    name.

    A printer that counts from 0 would rename everything behind the first change.
    """

    def __init__(self) -> None:
        self._names: dict[SSAValue, str] = {}
        self._next: dict[str, int] = {}

    def of(self, value: SSAValue) -> str | None:
        """The name of a value; `None` for those outside of functions."""
        return self._names.get(value)

    def add(self, module: ModuleOp) -> None:
        """Name what has none yet."""
        for op in module.ops:
            # Functions change their names, of which there is one at a time; modules keep theirs.
            if isinstance(op, FuncOp):
                self._add("", op)
            elif isinstance(op, hw.HWModuleOp):
                self._add(op.sym_name.data, op)

    def _add(self, scope: str, within: Operation) -> None:
        taken: set[str] = set()
        unnamed: list[SSAValue] = []
        for value in _values(within):
            name = self._names.get(value)
            if name is None:
                unnamed.append(value)
            else:
                taken.add(name)
        counts: dict[str, int] = {}
        for value in unnamed:
            name = self._fresh(scope, value.name_hint, counts, taken)
            taken.add(name)
            self._names[value] = name

    def _fresh(self, scope: str, hint: str | None, counts: dict[str, int], taken: set[str]) -> str:
        if hint is None:
            number = self._next.get(scope, 0)
            self._next[scope] = number + 1
            return str(number)
        number = counts.get(hint, 0)
        while (name := f"{hint}_{number}" if number else hint) in taken:
            number += 1
        counts[hint] = number + 1
        return name

    def carry(self, copies: dict[SSAValue, SSAValue]) -> None:
        """Give copies the names of what they are copies of."""
        for value, copy in copies.items():
            if value in self._names:
                self._names[copy] = self._names[value]


def _values(within: Operation) -> list[SSAValue]:
    found: list[SSAValue] = []
    for op in within.walk():
        found += [argument for block in _blocks(op) for argument in block.args]
        found += op.results
    return found


def _blocks(op: Operation) -> list[Block]:
    return [block for region in op.regions for block in region.blocks]


class _Lines(StringIO):
    """A text that knows which line is being written."""

    line = 0

    def write(self, text: str, /) -> int:
        self.line += text.count("\n")
        return super().write(text)


class _Printer(Printer):
    """Notes which lines each operation takes, and cuts long constants.

    What is cut leaves a checksum, so that two constants that differ look different.
    """

    def __init__(
        self, stream: _Lines, names: ValueNames, origins: Origins, modules: Mapping[str, int]
    ) -> None:
        super().__init__(stream=stream)
        self.text = stream
        self.names = names
        self.known = origins
        self.modules = modules
        self.of_line: dict[int, int] = {}

    def print_string(self, text: str, *, indent: int | None = None) -> None:
        """Print a piece of text, cut where it is longer than any name or type."""
        if len(text) > LONGEST_CONSTANT and "\n" not in text:
            text = f"{text[:SHOWN]}…{zlib.crc32(text.encode()):08x}{text[-1]}"
        super().print_string(text, indent=indent)

    def print_ssa_value(self, value: SSAValue) -> str:
        """Print the name that the value has in all stages."""
        name = self.names.of(value)
        if name is None:
            return super().print_ssa_value(value)
        self.print_string(f"%{name}")
        return name

    def print_op(self, op: Operation) -> None:
        """Print an operation; its lines are its own where none of those within took them."""
        first = self.text.line
        super().print_op(op)
        origin = 0 if isinstance(op, ModuleOp | FuncOp) else self._origin(op)
        if origin:
            for line in range(first, self.text.line + 1):
                self.of_line.setdefault(line, origin)

    def _origin(self, op: Operation) -> int:
        if isinstance(op, hw.HWModuleOp) and op.sym_name.data in self.modules:
            return self.modules[op.sym_name.data]
        if isinstance(op, hw.InstanceOp):
            return self.modules.get(op.module_name.root_reference.data, 0)
        return self.known.of(op.location)


def ir_text(
    module: ModuleOp,
    names: ValueNames,
    origins: Origins,
    modules: Mapping[str, int] | None = None,
) -> Text:
    """The text of a module. `modules` are the origins of hardware modules by name, which hold for
    all lines within that have none of their own."""
    names.add(module)
    stream = _Lines()
    printer = _Printer(stream, names, origins, modules or {})
    printer.print_op(module)
    lines = stream.getvalue().split("\n")
    return Text(lines, [printer.of_line.get(number, 0) for number in range(len(lines))])
