"""What `irc-opt` can show of a running pipeline: IR after passes, differences, times."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import unified_diff
from typing import TextIO

from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from irc.printing import count_operations, print_ir
from irc.running import Observer


@dataclass
class IrPrinter(Observer):
    """Prints the IR after passes: after all, or after those that changed it, or the change.

    `mode` is `all`, `change` or `diff`.
    """

    stream: TextIO
    mode: str
    elide: bool = False
    generic: bool = False
    locations: bool = False
    _before: str = field(default="", init=False)

    def before_pass(self, module_pass: ModulePass, module: ModuleOp) -> None:
        """Remember the IR, where it will be compared."""
        if self.mode != "all":
            self._before = self._text(module)

    def after_pass(self, module_pass: ModulePass, module: ModuleOp) -> None:
        """Print; before verification, so that what is invalid can be seen."""
        text = self._text(module)
        if self.mode != "all" and text == self._before:
            self.stream.write(f"// ----- no change by {module_pass} ----- //\n")
            return
        title = "change by" if self.mode == "diff" else "IR after"
        self.stream.write(f"// ----- {title} {module_pass} ----- //\n")
        if self.mode == "diff":
            lines = unified_diff(self._before.splitlines(), text.splitlines(), lineterm="", n=2)
            text = "".join(f"{line}\n" for line in list(lines)[2:])
        self.stream.write(text)
        self.stream.flush()

    def _text(self, module: ModuleOp) -> str:
        return print_ir(module, elide=self.elide, generic=self.generic, locations=self.locations)


@dataclass
class _Row:
    name: str
    seconds: float
    operations: str = ""


@dataclass
class Timing(Observer):
    """Measures reading, every pass, verification and printing."""

    rows: list[_Row] = field(default_factory=list[_Row])
    _since: float = 0.0
    _count: int = 0
    _verify: float = 0.0

    @contextmanager
    def phase(self, name: str) -> Generator[None]:
        """Measure a phase that is not a pass."""
        start = time.perf_counter()
        yield
        self.rows.append(_Row(f"({name})", time.perf_counter() - start))

    def before_pass(self, module_pass: ModulePass, module: ModuleOp) -> None:
        """Start the clock."""
        self._count = count_operations(module)
        self._since = time.perf_counter()

    def after_pass(self, module_pass: ModulePass, module: ModuleOp) -> None:
        """Stop the clock of the pass, start that of verification."""
        seconds = time.perf_counter() - self._since
        operations = f"{self._count} → {count_operations(module)}"
        self.rows.append(_Row(str(module_pass), seconds, operations))
        self._since = time.perf_counter()

    def after_verify(self, module_pass: ModulePass, module: ModuleOp) -> None:
        """Stop the clock of verification."""
        self._verify += time.perf_counter() - self._since

    def table(self) -> str:
        """The table: milliseconds, share, operations before and after."""
        rows = [*self.rows, _Row("(verify after passes)", self._verify)]
        total = sum(row.seconds for row in rows)
        rows.append(_Row("total", total))
        width = max(len(row.name) for row in rows)
        lines = [f"{'pass':<{width}} {'ms':>10} {'%':>6}  operations"]
        for row in rows:
            share = 100 * row.seconds / total if total else 0.0
            line = f"{row.name:<{width}} {1000 * row.seconds:>10.1f} {share:>6.1f}  "
            lines.append(f"{line}{row.operations}".rstrip())
        return "\n".join(lines)
