"""`irc-opt --pass-statistics`: what every pass did, in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from rich.table import Table
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from irc.counters import collect
from irc.running import Observer


@dataclass
class _Run:
    """What one pass did: operations by name on both sides, and what it counted."""

    name: str
    before: Counter[str]
    after: Counter[str] = field(default_factory=Counter[str])
    counters: Counter[str] = field(default_factory=Counter[str])
    stages: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])
    """What passes that it ran have counted of that, by their names."""


@dataclass
class _Stage:
    """A pass that another one runs: what was counted before it, and by those that it runs."""

    before: Counter[str]
    within: Counter[str] = field(default_factory=Counter[str])


@dataclass
class Statistics(Observer):
    """Collects counters and operations by name, pass by pass."""

    runs: list[_Run] = field(default_factory=list[_Run])
    _collecting: ExitStack = field(default_factory=ExitStack)
    _at_work: list[_Stage] = field(default_factory=list[_Stage])
    """The stages that have begun and not ended, the innermost last."""

    def before_pass(self, module_pass: ModulePass, module: ModuleOp) -> None:
        """Begin to collect."""
        run = _Run(str(module_pass), _operations(module))
        run.counters = self._collecting.enter_context(collect())
        self.runs.append(run)
        self._at_work.clear()

    def before_stage(self, name: str, module: ModuleOp) -> None:
        """Remember what was counted before a pass that another one runs."""
        self._at_work.append(_Stage(self.runs[-1].counters.copy()))

    def after_stage(self, name: str, module: ModuleOp) -> None:
        """Tell apart what it counted itself, over all rounds."""
        run, ended = self.runs[-1], self._at_work.pop()
        counted = run.counters - ended.before
        run.stages.setdefault(name, Counter()).update(counted - ended.within)
        if self._at_work:
            self._at_work[-1].within.update(counted)

    def stage_failed(self, name: str, module: ModuleOp) -> None:
        """The same for what it counted until then."""
        self.after_stage(name, module)

    def after_pass(self, module_pass: ModulePass, module: ModuleOp) -> None:
        """Keep what was collected."""
        self._collecting.close()
        self.runs[-1].after = _operations(module)

    def pass_failed(self, module_pass: ModulePass, module: ModuleOp, error: BaseException) -> None:
        """Keep what was collected until then."""
        self._collecting.close()
        self.runs[-1].after = _operations(module)

    def table(self) -> Table:
        """One row for each thing that a pass counted, and for each kind of operation changed."""
        table = Table("pass", "what", title="pass statistics", title_justify="left")
        for heading in ("times", "before", "after"):
            table.add_column(heading, justify="right", no_wrap=True)
        for run in self.runs:
            own = run.counters.copy()
            own.subtract(sum(run.stages.values(), Counter[str]()))
            _add_rows(table, run.name, [*_counter_rows(+own), *_operation_rows(run)])
            for name, counters in run.stages.items():
                _add_rows(table, f"  {name}", _counter_rows(counters))
            table.add_section()
        return table


def _operations(module: ModuleOp) -> Counter[str]:
    names = Counter(op.name for op in module.walk())
    names[module.name] -= 1
    return +names


def _add_rows(table: Table, name: str, rows: Sequence[tuple[str, str, str, str]]) -> None:
    for index, row in enumerate(rows):
        table.add_row("" if index else name, *row)


def _counter_rows(counters: Counter[str]) -> list[tuple[str, str, str, str]]:
    counted = sorted(counters.items(), key=lambda item: (-item[1], item[0]))
    return [(name, f"{times:,}", "", "") for name, times in counted]


def _operation_rows(run: _Run) -> list[tuple[str, str, str, str]]:
    names = sorted(name for name in run.before | run.after if run.before[name] != run.after[name])
    rows = [(name, "", f"{run.before[name]:,}", f"{run.after[name]:,}") for name in names]
    return [*rows, ("operations", "", f"{run.before.total():,}", f"{run.after.total():,}")]
