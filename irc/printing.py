"""IR to text for people: long constants cut short, single operations on one line."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from typing import IO

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, Region
from xdsl.printer import Printer

LONGEST_CONSTANT = 64
"""Characters of one constant that are printed when long ones are cut."""


class ElidingPrinter(Printer):
    """Prints `"0x0f3c…"` for long constants. The result can be read, not parsed back."""

    def print_string(self, text: str, *, indent: int | None = None) -> None:
        """Print a piece of text, cut where it is longer than any name or type."""
        if len(text) > LONGEST_CONSTANT and "\n" not in text:
            text = f"{text[: LONGEST_CONSTANT // 2]}…{text[-1]}"
        super().print_string(text, indent=indent)


class _BriefPrinter(ElidingPrinter):
    def print_region(
        self,
        region: Region,
        print_entry_block_args: bool = True,
        print_empty_block: bool = True,
        print_block_terminators: bool = True,
    ) -> None:
        self.print_string("{…}")

    def print_regions(self, regions: Sequence[Region]) -> None:
        if regions:
            self.print_string(" ({…})")


def brief_operation(op: Operation) -> str:
    """One operation on one line: its regions as `{…}`, long constants cut short."""
    stream = StringIO()
    _BriefPrinter(stream=stream).print_op(op)
    return " ".join(stream.getvalue().split())


def print_ir(
    module: Operation,
    stream: IO[str] | None = None,
    *,
    elide: bool = False,
    generic: bool = False,
    locations: bool = False,
) -> str:
    """The text of a module, with a final newline; also written to `stream` where one is given.

    `elide` cuts long constants short, `generic` prints every operation in MLIR's generic form,
    and `locations` prints `loc(...)` after each. Without `elide` the text parses back.
    """
    text = StringIO()
    cls = ElidingPrinter if elide else Printer
    printer = cls(stream=text, print_generic_format=generic, print_debuginfo=locations)
    printer.print_op(module)
    text.write("\n")
    if stream is not None:
        stream.write(text.getvalue())
    return text.getvalue()


def count_operations(module: ModuleOp) -> int:
    """How many operations a module holds, itself not counted."""
    return sum(1 for _ in module.walk()) - 1
