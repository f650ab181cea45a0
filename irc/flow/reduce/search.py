"""The search for a simpler module that still shows what is sought: delta debugging.

Zeller and Hildebrandt, Simplifying and isolating failure-inducing input, IEEE Transactions on
Software Engineering 28, 2002. Large parts are tried first, then smaller ones; whatever is kept is
simpler than what was there, so that the search ends. It is the same for the same module and test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import prod

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from irc.dialects.locations import location_name
from irc.flow.reduce.constants import Array, values_of, zero_of
from irc.flow.reduce.edit import Edit
from irc.flow.reduce.edits import EDITS
from irc.flow.reduce.shapes import value_shapes
from irc.parsing import parse_text
from irc.printing import print_ir
from irc.verifying import verify_module

Interesting = Callable[[str], bool]
"""Says of IR text whether it still shows what is sought."""

Progress = Callable[["Reduction"], None]
"""Called after every trial."""


@dataclass
class Reduction:
    """The simplest module found so far, as text, and what it took; `edit` is at work."""

    text: str
    module: ModuleOp
    trials: int = 0
    edit: str = ""
    seen: set[str] = field(default_factory=set[str], repr=False)

    @property
    def operations(self) -> int:
        """How many operations are left, the module and what holds functions together aside."""
        return sum(1 for _ in self.module.walk()) - 1


class Reducer:
    """Simplifies a module while `interesting` holds of its text.

    `reduce` may be interrupted at any time: `best` is the simplest module found by then. Every
    candidate parses, and verifies where the first one does.
    """

    def __init__(
        self,
        ctx: Context,
        text: str,
        interesting: Interesting,
        *,
        name: str = "<text>",
        most_trials: int | None = None,
    ) -> None:
        self._ctx = ctx
        self._name = name
        self._interesting = interesting
        self._most = most_trials
        self.progress: Progress = lambda found: None
        """Hears of every trial."""
        self.header = header_of(text)
        module = parse_text(ctx, text, name)
        self._has_locations = " loc(" in text
        self._verifies = _verifies(module)
        self.best = Reduction(text, module)

    def reduce(self) -> Reduction:
        """Simplify until nothing simpler shows what is sought, or all trials are used up."""
        # The text as it prints may itself no longer show it; then the text stays as it is given.
        self._attempt(self.best.module.clone())
        sizes: list[tuple[float, ...]] = [()]
        while not self._is_spent and (size := _size(self.best.module)) != sizes[-1]:
            sizes.append(size)
            for make in EDITS:
                self._apply(make)
        return self.best

    @property
    def _is_spent(self) -> bool:
        return self._most is not None and self.best.trials >= self._most

    def _apply(self, make: Callable[[ModuleOp], Edit]) -> None:
        """Make choices of an edit as long as any of them can be made."""
        edit = make(self.best.module)
        self.best.edit = edit.name
        if edit.bisects:
            self._bisect(edit)
            return
        length = 1 if edit.single else max(1, edit.choices)
        while length and not self._is_spent:
            start = 0
            while start < edit.choices:
                chosen = range(start, min(start + length, edit.choices))
                if self._try(edit, chosen):
                    # What was simplified makes room for what came behind it, or may be simplified
                    # once more.
                    before = edit.choices
                    edit = make(self.best.module)
                    start += 0 if edit.choices < before else 0 if edit.again else len(chosen)
                else:
                    start += len(chosen)
            length = min(length, edit.choices) // 2

    def _bisect(self, edit: Edit) -> None:
        low, high = 0, edit.choices - 1
        while low < high:
            middle = (low + high) // 2
            if self._try(edit, range(middle, middle + 1)):
                high = middle
            else:
                low = middle + 1

    def _try(self, edit: Edit, chosen: range) -> bool:
        candidate = self.best.module.clone()
        try:
            if not edit.change(chosen)(candidate):
                return False
        except Exception:
            # Not every choice makes sense with every other; the test decides on valid IR only.
            return False
        return self._attempt(candidate)

    def _shows_locations(self, module: ModuleOp) -> bool:
        """Whether the text has to give locations: the first one did, and there are names left."""
        return self._has_locations and _has_names(module)

    def _attempt(self, candidate: ModuleOp) -> bool:
        """Keep a candidate if it is simpler, parses and shows what is sought."""
        if self._is_spent:
            return False
        try:
            text = self.header + print_ir(candidate, locations=self._shows_locations(candidate))
            if text in self.best.seen:
                return False
            self.best.seen.add(text)
            parsed = parse_text(self._ctx, text, self._name)
            is_first = not self.best.trials
            if self._verifies:
                verify_module(parsed)
            if not is_first and _size(parsed) >= _size(self.best.module):
                return False
        except Exception:
            # Whatever is wrong with it, it is no candidate.
            return False
        self.best.trials += 1
        is_kept = self._interesting(text)
        if is_kept:
            self.best.text, self.best.module = text, parsed
        self.progress(self.best)
        return is_kept


def header_of(text: str) -> str:
    """The comments that a text begins with: configurations and the like lie there."""
    lines: list[str] = []
    for line in text.splitlines(keepends=True):
        if not line.startswith("//"):
            break
        lines.append(line)
    return "".join(lines)


def _verifies(module: ModuleOp) -> bool:
    try:
        verify_module(module)
    except Exception:
        return False
    return True


def _has_names(module: ModuleOp) -> bool:
    """Whether any location names a node; lines and columns come back when a text is parsed."""
    return any(location_name(op.location) for op in module.walk())


def _size(module: ModuleOp) -> tuple[float, ...]:
    """What makes a module simple, the most important first: few operations, few arguments and
    results, few and small numbers, small tensors, a short text."""
    constants = list(_constants(module))
    active = [values[values != zero] for values, zero in constants]
    return (
        sum(1 for _ in module.walk()),
        sum(len(b.args) for op in module.walk() for r in op.regions for b in r.blocks),
        sum(values.size for values, _ in constants),
        sum(values.size for values in active),
        sum(float(np.nan_to_num(np.abs(values.astype(np.float64))).sum()) for values in active),
        sum(map(prod, value_shapes(module))),
        len(print_ir(module, locations=_has_names(module))),
    )


def _constants(module: ModuleOp) -> Iterator[tuple[Array, int]]:
    """The numbers of each constant, and what stands for nothing among them."""
    for op in module.walk():
        for attribute in op.properties.values():
            values = values_of(attribute)
            if values is not None:
                yield values, zero_of(attribute)
