"""`irc-opt --print-ir-…`: the IR before and after passes, whole or as what changed."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import unified_diff
from typing import TextIO

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from irc.diagnostics import use_colour
from irc.errors import UsageError
from irc.near_misses import did_you_mean
from irc.pipelines import stages_of
from irc.printing import print_ir
from irc.running import Observer
from irc.universe import Registry

CONTEXT_LINES = 2
"""Lines around each change in a diff."""

_COLOURS = {"+": "\033[32m", "-": "\033[31m", "@": "\033[36m"}


@dataclass
class Selection:
    """Before and after which passes IR is printed, and in which form."""

    before: frozenset[str] = frozenset()
    after: frozenset[str] = frozenset()
    before_all: bool = False
    after_all: bool = False
    changed_only: bool = False
    diff_only: bool = False
    failed: bool = False

    @staticmethod
    def from_arguments(arguments: argparse.Namespace, registry: Registry) -> Selection:
        """What the command line asks for; raises `UsageError` for a pass that does not exist."""
        for name in (*arguments.print_ir_before, *arguments.print_ir_after):
            if name not in registry.passes:
                raise UsageError(
                    f"--print-ir-before, --print-ir-after: unknown pass '{name}'"
                    f"{did_you_mean(name, registry.passes)} (--list-passes names all)"
                )
        changed_only = arguments.print_ir_after_change or arguments.print_ir_diff
        after = frozenset(arguments.print_ir_after)
        return Selection(
            before=frozenset(arguments.print_ir_before),
            after=after,
            before_all=arguments.print_ir_before_all,
            after_all=arguments.print_ir_after_all or (changed_only and not after),
            changed_only=changed_only,
            diff_only=arguments.print_ir_diff and not arguments.print_ir_after_change,
            failed=arguments.print_ir_after_failure,
        )

    def __bool__(self) -> bool:
        return bool(self.before or self.after or self.before_all or self.after_all or self.failed)

    def is_before(self, name: str) -> bool:
        """Whether the IR before this pass is to be printed."""
        return self.before_all or name in self.before

    def is_after(self, name: str) -> bool:
        """Whether the IR after this pass is to be printed, or what it changed."""
        return self.after_all or name in self.after

    def is_after_stage(self, name: str) -> bool:
        """The same for a pass that another pass runs: only by name, or for what it changed."""
        return name in self.after or (self.after_all and self.changed_only)


@dataclass(frozen=True)
class _Printed:
    """IR as it is compared, with whole constants, and as it is shown."""

    whole: str
    shown: str


@dataclass
class IrPrinter(Observer):
    """Prints the IR before and after passes, each time under a heading that names the pass.

    Everything but the module itself is a comment, so that what is printed parses back where
    constants are not cut.
    """

    stream: TextIO
    selection: Selection
    elide: bool = True
    generic: bool = False
    locations: bool = False
    _before: list[_Printed] = field(default_factory=list["_Printed"], init=False)
    """What was there before each of the passes that are at work, the innermost last."""

    def before_pipeline(self, ctx: Context, module: ModuleOp, passes: Sequence[ModulePass]) -> None:
        """Warn of passes that are named and do not run."""
        running = {module_pass.name for module_pass in passes}
        running |= {name for stages in map(stages_of, running) for name in stages}
        for name in sorted((self.selection.before | self.selection.after) - running):
            self.stream.write(f"warning: nothing to print for '{name}', which does not run\n")
        self._before.clear()

    def before_pass(self, module_pass: ModulePass, module: ModuleOp) -> None:
        """Print, or remember the IR where it will be compared."""
        if self.selection.is_before(module_pass.name):
            self._write(f"IR before {module_pass}", self._text(module, elide=self.elide))
        if self.selection.changed_only and self.selection.is_after(module_pass.name):
            self._before.append(self._printed(module))

    def after_pass(self, module_pass: ModulePass, module: ModuleOp) -> None:
        """Print; before verification, so that what is invalid can be seen."""
        if not self.selection.is_after(module_pass.name):
            return
        if not self.selection.changed_only:
            self._write(f"IR after {module_pass}", self._text(module, elide=self.elide))
        elif not self._write_change(str(module_pass), module):
            self._write(f"no change by {module_pass}", "")

    def before_stage(self, name: str, module: ModuleOp) -> None:
        """The same for a pass that another one runs, if it is named."""
        if name in self.selection.before:
            self._write(f"IR before {name}", self._text(module, elide=self.elide))
        if self.selection.changed_only and self.selection.is_after_stage(name):
            self._before.append(self._printed(module))

    def after_stage(self, name: str, module: ModuleOp) -> None:
        """The same; there are so many that those which change nothing are not worth a line."""
        if not self.selection.is_after_stage(name):
            return
        if self.selection.changed_only:
            self._write_change(name, module)
        else:
            self._write(f"IR after {name}", self._text(module, elide=self.elide))

    def stage_failed(self, name: str, module: ModuleOp) -> None:
        """Forget what it was to be compared with."""
        if self.selection.changed_only and self.selection.is_after_stage(name):
            self._before.pop()

    def pass_failed(self, module_pass: ModulePass, module: ModuleOp, error: BaseException) -> None:
        """Print what the pass has left, where that is asked for."""
        if self.selection.failed:
            self._write(f"IR after {module_pass} failed", self._text(module, elide=self.elide))

    def _write_change(self, title: str, module: ModuleOp) -> bool:
        """Print what was changed since the IR was remembered; whether anything was."""
        before, after = self._before.pop(), self._printed(module)
        if after.whole == before.whole:
            return False
        diff = list(self._diff(before.shown, after.shown))
        if self.selection.diff_only:
            self._write(f"change by {title}", "".join(f"{line}\n" for line in diff))
        else:
            change = "".join(f"// {line}\n" for line in diff)
            self._write(f"IR after {title}", f"{after.shown}// the change by {title}:\n{change}")
        return True

    def _printed(self, module: ModuleOp) -> _Printed:
        whole = self._text(module, elide=False)
        return _Printed(whole, self._text(module, elide=True) if self.elide else whole)

    def _diff(self, before: str, after: str) -> Iterator[str]:
        lines = list(
            unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=CONTEXT_LINES)
        )
        if not lines:
            yield "only constants differ, where they are cut short (--no-elide-large-constants)"
        colour = use_colour(self.stream)
        # The first two lines name files, of which there are none.
        for line in lines[2:]:
            paint = _COLOURS.get(line[0]) if colour else None
            yield f"{paint}{line}\033[0m" if paint else line

    def _write(self, title: str, text: str) -> None:
        self.stream.write(f"// ----- {title} ----- //\n{text}")
        self.stream.flush()

    def _text(self, module: ModuleOp, *, elide: bool) -> str:
        try:
            return print_ir(module, elide=elide, generic=self.generic, locations=self.locations)
        except Exception:
            # What a pass leaves need not be valid, and formats of operations rely on that it is.
            return print_ir(module, elide=elide, generic=True, locations=self.locations)
