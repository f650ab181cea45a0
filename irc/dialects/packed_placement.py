"""Where generated C puts things besides the arena: attributes of a `packed` function."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.builtin import StringAttr, UnitAttr
from xdsl.dialects.func import FuncOp

ARENA_OWNERS = ("both", "static", "caller")
"""Who holds the arena: a static variable behind `NAME_run`, the caller of `NAME_run_arena`, or
either, as the program likes: a linker that collects unused sections drops the static one."""

FILES = ("one", "layers")
"""One C file, or one for each layer, one for the kernels and one that calls them."""

_OWNER, _SECTION = "packed.arena_owner", "packed.section"
_PROGRAM_MEMORY, _FILES = "packed.program_memory", "packed.files"


@dataclass(frozen=True)
class Placement:
    """Who owns the arena, where constants go and into which files the text is cut."""

    arena: str = "both"
    """One of `ARENA_OWNERS`."""
    section: str = ""
    """The linker section of all constants; empty for the compiler's own."""
    program_memory: bool = False
    """Whether constants stay in the program memory of AVR cores, which has instructions and
    pointers of its own."""
    files: str = "one"
    """One of `FILES`."""

    @staticmethod
    def of(function: FuncOp) -> Placement:
        """What the attributes of a function say."""

        def text(name: str, default: str) -> str:
            found = function.attributes.get(name)
            return found.data if isinstance(found, StringAttr) else default

        return Placement(
            text(_OWNER, "both"),
            text(_SECTION, ""),
            _PROGRAM_MEMORY in function.attributes,
            text(_FILES, "one"),
        )

    def write(self, function: FuncOp) -> None:
        """Say so in the attributes of a function; what is the default is left out."""
        default = Placement()
        given = {
            _OWNER: StringAttr(self.arena) if self.arena != default.arena else None,
            _SECTION: StringAttr(self.section) if self.section else None,
            _PROGRAM_MEMORY: UnitAttr() if self.program_memory else None,
            _FILES: StringAttr(self.files) if self.files != default.files else None,
        }
        for name, value in given.items():
            if value is None:
                function.attributes.pop(name, None)
            else:
                function.attributes[name] = value


__all__ = ["ARENA_OWNERS", "FILES", "Placement"]
