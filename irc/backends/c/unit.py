"""The C file while it is being written: its functions, constants and calls."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.dialects.func import FuncOp
from xdsl.ir import BlockArgument, SSAValue

from irc.backends.c.text import array_definition, c_type, fill, literals, word_literals
from irc.dialects import packed
from irc.dialects.dense import DenseAttr, element_width, uint
from irc.dialects.packed_types import container_width
from irc.dialects.packed_windows import Windows
from irc.errors import IrcError

_CONST = re.compile(r"\$const\b")


class Unit:
    """Collects what the kernels emit. Every name gets the prefix `name_`.

    Functions are shared: a second one with the same text is the first one. So are constants, of one
    layer or of several, unless `shares_constants` says that each layer keeps its own.
    """

    def __init__(self, name: str, function: FuncOp) -> None:
        self.name = name
        self.const = "const"
        """What `$const` in templates stands for: the qualifiers of constants and of pointers to
        them, which may lie in memory of their own."""
        self.section = ""
        """Where constants go besides: an attribute behind their declarators."""
        self.functions: dict[str, str] = {}
        self.shares_constants = True
        self.shared_bytes = 0
        """How many bytes of constants are there once, and would be there again."""
        self._known: dict[tuple[str, ...], str] = {}
        self.constants: list[str] = []
        self.constant_names: list[str] = []
        self.definitions: list[str] = []
        self.calls: list[str] = []
        self.lazy: dict[SSAValue, WindowCalls] = {}
        self.constant_bytes: defaultdict[str, int] = defaultdict(int)
        self.weight_bytes: defaultdict[str, int] = defaultdict(int)
        """That part of `constant_bytes`, and of flash, which the weights take."""
        self.needs_math = False
        self.inputs = _names("in", len(function.function_type.inputs))
        self.outputs = _names("out", len(function.function_type.outputs))
        self._taken: set[str] = set()

    def function(self, stem: str, template: str, **parts: str) -> str:
        """Add a static function, whose template calls it `$name`; returns its name."""
        text = _CONST.sub(self.const, fill(template, **parts))
        if text not in self.functions:
            self.functions[text] = self._free(f"{self.name}_{stem}")
        return self.functions[text]

    def define_once(self, template: str) -> None:
        """Add preprocessor lines, in which `$upper` is the name in capitals, unless they are there.

        They come before everything else.
        """
        text = template.replace("$upper", self.name.upper())
        if text not in self.definitions:
            self.definitions.append(text)

    def _free(self, stem: str) -> str:
        name, number = stem, 2
        while name in self._taken:
            name, number = f"{stem}_{number}", number + 1
        self._taken.add(name)
        return name

    def words(self, label: str, what: str, constant: DenseAttr, *, in_ram: bool = False) -> str:
        """Add a constant array of words; returns its name.

        With `in_ram` it is read through pointers that may point to RAM as well.
        """
        width = element_width(constant.element_type)
        kind, items = c_type(uint(width)), word_literals(constant.numpy())
        return self._array(label, what, kind, width, items, in_ram)

    def constant(self, label: str, what: str, constant: DenseAttr, *, in_ram: bool = False) -> str:
        """Likewise with an array that is stored in the narrowest C type."""
        kind = constant.element_type
        items = literals(constant.numpy(), kind)
        return self._array(label, what, c_type(kind), container_width(kind), items, in_ram)

    def _array(
        self, label: str, what: str, kind: str, width: int, items: list[str], in_ram: bool
    ) -> str:
        qualifier, section = ("const", "") if in_ram else (self.const, self.section)
        size = len(items) * width // 8
        key = ("" if self.shares_constants else label, qualifier, kind, *items)
        if key in self._known:
            self.shared_bytes += size
            return self._known[key]
        name = self._known[key] = self._free(f"{self.name}_{label}_{what}")
        declaration = f"static {qualifier} {kind} {name}[{len(items)}]{section}"
        self.constants.append(array_definition(declaration, items))
        self.constant_names.append(name)
        self.constant_bytes[label] += size
        if what == "weights":
            self.weight_bytes[label] += size
        return name

    def address(self, value: SSAValue) -> str:
        """A C expression that points to the first element of a buffer."""
        owner = value.owner
        if isinstance(owner, packed.InputOp):
            assert isinstance(owner.input, BlockArgument)
            return self.inputs[owner.input.index]
        assert isinstance(owner, packed.KernelOp)
        match owner.slot:
            case packed.SlotAttr() as slot:
                return _place(slot)
            case packed.ResultSlotAttr() as slot:
                return self.outputs[slot.index]
            case None:
                raise _unplanned(owner)

    def scratch(self, op: packed.KernelOp) -> str:
        """A C expression that points to the first element of the scratch of `op`."""
        if op.scratch is None:
            raise _unplanned(op)
        return _place(op.scratch)

    def call(self, function: str, arguments: Sequence[str]) -> None:
        """Add a statement that calls `function`."""
        self.calls.append(f"{function}({', '.join(arguments)});")

    def call_rows(self, function: str, rows: int, arguments: Sequence[str | Moving]) -> None:
        """Add a call of `function` for each row, with moving pointers advanced to it."""
        row = "0" if rows == 1 else "row"
        texts = [a.at(row) if isinstance(a, Moving) else a for a in arguments]
        if rows == 1:
            self.call(function, texts)
            return
        self.calls += [
            f"for (size_t row = 0; row < {rows}u; ++row) {{",
            f"    {function}({', '.join(texts)});",
            "}",
        ]


@dataclass(frozen=True)
class Moving:
    """A pointer that advances by `stride` elements from row to row."""

    pointer: str
    stride: int

    def at(self, row: str) -> str:
        """The pointer at a row, given as a C expression."""
        if row == "0":
            return self.pointer
        return advanced(self.pointer, f"{row} * {self.stride}u")


Call = tuple[str, Sequence[str | Moving]]
"""A function and its arguments."""


@dataclass(frozen=True)
class WindowCalls:
    """Calls for each window of a frame.

    `Moving` arguments advance from window to window. In other arguments, `$x` is the first element
    of the window in `source`, whose pixels have `pixel` elements, `$o0` where it begins along axis
    0, and `$p0` its number along axis 0.
    """

    windows: Windows
    pixel: int
    source: str
    calls: Sequence[Call]


def advanced(pointer: str, elements: int | str) -> str:
    """A C expression for the pointer some elements further on; these may be a C expression."""
    if elements == 0:
        return pointer
    text = elements if isinstance(elements, str) else f"{elements}u"
    # An index is easier to read than a sum in parentheses.
    return f"{pointer[:-1]} + {text}]" if pointer.startswith("&") else f"{pointer} + {text}"


def _place(slot: packed.SlotAttr) -> str:
    place = f"arena->{slot.region.data}"
    return place if slot.offset == 0 else f"&{place}[{slot.offset}]"


def _unplanned(op: packed.KernelOp) -> IrcError:
    return IrcError(f"'{op.name}' has no place in memory: run plan-arena first", op.location)


def _names(stem: str, count: int) -> list[str]:
    return [stem] if count == 1 else [f"{stem}{index}" for index in range(count)]
