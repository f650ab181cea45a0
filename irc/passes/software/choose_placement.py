"""Where generated C keeps its arena and its constants, and into how many files it is cut."""

from __future__ import annotations

import re
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from irc.dialects.packed_placement import ARENA_OWNERS, FILES, Placement
from irc.errors import UsageError
from irc.passes.rewriting import functions_of

_SECTION = re.compile(r"[A-Za-z_.$][\w.$]*(,[\w.$]+)?", re.ASCII)
"""Names of ELF and COFF sections, and the pairs of segment and section of Mach-O."""


@dataclass(frozen=True)
class ChoosePlacement(ModulePass):
    """Say who owns the arena, where constants lie and how many files there are.

    `arena` is `static`, `caller` or `both`; `section` the linker section of all constants;
    `program_memory` keeps them in the program memory of AVR cores; `files` is `one` or `layers`.
    """

    name = "choose-placement"

    arena: str = "both"
    section: str = ""
    program_memory: bool = False
    files: str = "one"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for what, given, known in (
            ("arena", self.arena, ARENA_OWNERS),
            ("files", self.files, FILES),
        ):
            if given not in known:
                raise UsageError(
                    f"{self.name}: {what} must be one of {', '.join(known)}, not {given}"
                )
        if self.section and not _SECTION.fullmatch(self.section):
            raise UsageError(
                f"{self.name}: {self.section!r} is not the name of a section; expected letters, "
                "digits, points, '_' and '$', such as .flash_weights"
            )
        if self.section and self.program_memory:
            raise UsageError(
                f"{self.name}: program memory is a section of its own; leave out "
                f"{self.section!r} or program_memory"
            )
        placement = Placement(self.arena, self.section, self.program_memory, self.files)
        for function in functions_of(op):
            placement.write(function)


__all__ = ["ChoosePlacement"]
