"""`irc-opt --timing`: how long reading, every pass, verification and printing take."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.table import Table
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from irc.printing import count_operations
from irc.running import Observer


@dataclass
class _Row:
    name: str
    seconds: float
    operations: str = ""
    is_part: bool = False
    """Of the row above, and counted there."""


@dataclass
class _Stage:
    """A pass that another one runs: when it began, and what those that it runs took."""

    since: float
    within: float = 0.0


@dataclass
class Timing(Observer):
    """Measures reading, every pass, verification and printing.

    The last of the observers: it then sees a pass begin after all others, and end before them.
    What the others do around stages of a pass is measured as the pass's.
    """

    rows: list[_Row] = field(default_factory=list[_Row])
    _since: float = 0.0
    _count: int = 0
    _verify: float = 0.0
    _verifying: bool = False
    _stages: dict[str, float] = field(default_factory=dict[str, float])
    _at_work: list[_Stage] = field(default_factory=list["_Stage"])
    """The stages that have begun and not ended, the innermost last."""

    @contextmanager
    def phase(self, name: str) -> Generator[None]:
        """Measure a phase that is not a pass."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.rows.append(_Row(f"({name})", time.perf_counter() - start))

    def before_pass(self, module_pass: ModulePass, module: ModuleOp) -> None:
        """Start the clock."""
        self._count = count_operations(module)
        self._stages = {}
        self._at_work.clear()
        self._since = time.perf_counter()

    def after_pass(self, module_pass: ModulePass, module: ModuleOp) -> None:
        """Stop the clock of the pass."""
        seconds = time.perf_counter() - self._since
        operations = f"{self._count:,} → {count_operations(module):,}"
        self.rows.append(_Row(str(module_pass), seconds, operations))
        self.rows += [_Row(name, within, is_part=True) for name, within in self._stages.items()]

    def before_stage(self, name: str, module: ModuleOp) -> None:
        """Start the clock of a pass that another one runs."""
        self._at_work.append(_Stage(time.perf_counter()))

    def after_stage(self, name: str, module: ModuleOp) -> None:
        """Stop it, and add up what it takes itself over all rounds."""
        ended = self._at_work.pop()
        seconds = time.perf_counter() - ended.since
        self._stages[name] = self._stages.get(name, 0.0) + seconds - ended.within
        if self._at_work:
            self._at_work[-1].within += seconds

    def stage_failed(self, name: str, module: ModuleOp) -> None:
        """The same for one that failed."""
        self.after_stage(name, module)

    def before_verify(self, module_pass: ModulePass, module: ModuleOp) -> None:
        """Start the clock of verification."""
        self._verifying = True
        self._since = time.perf_counter()

    def after_verify(self, module_pass: ModulePass, module: ModuleOp) -> None:
        """Stop the clock of verification."""
        if self._verifying:
            self._verify += time.perf_counter() - self._since
        self._verifying = False

    def pass_failed(self, module_pass: ModulePass, module: ModuleOp, error: BaseException) -> None:
        """Say where the time went until then."""
        self._verifying = False
        seconds = time.perf_counter() - self._since
        self.rows.append(_Row(f"{module_pass} (failed)", seconds))

    def table(self) -> Table:
        """Milliseconds, their share, and operations before and after."""
        rows = [*self.rows, _Row("(verify after passes)", self._verify)]
        total = sum(row.seconds for row in rows if not row.is_part)
        table = Table("pass", title="timing", title_justify="left")
        for heading in ("ms", "%", "operations"):
            table.add_column(heading, justify="right", no_wrap=True)
        for row in rows:
            share = 100 * row.seconds / total if total else 0.0
            name = f"  {row.name}" if row.is_part else row.name
            table.add_row(name, f"{1000 * row.seconds:,.1f}", f"{share:.1f}", row.operations)
        table.add_section()
        table.add_row("total", f"{1000 * total:,.1f}", "100.0", "")
        return table
