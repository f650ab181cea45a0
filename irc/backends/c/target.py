"""`irc-opt -t c`: the header and the C file of a module, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.utils.target import Target

from irc.backends.c.header import header_text
from irc.backends.c.source import emit_c
from irc.dialects import packed
from irc.errors import UsageError


@dataclass(frozen=True)
class CTarget(Target):
    """Portable C99 of a `packed` module: NAME.h, then NAME.c.

    `name` (or `prefix`) is what every identifier begins with, by default the function's name.
    `popcount` (swar, table or builtin) overrides how bits are counted.
    """

    name: ClassVar[str] = "c"

    prefix: str | None = None
    popcount: str | None = None

    def emit(self, ctx: Context, module: ModuleOp, output: IO[str]) -> None:
        if self.popcount is not None:
            module = module.clone()
            override_popcount(module, self.popcount)
        source = emit_c(module, self.prefix)
        output.write(header_text(source))
        output.write(source.body)


def override_popcount(module: ModuleOp, strategy: str) -> None:
    """Let every kernel of `module` count bits this way, in a loop.

    Raises `UsageError` for an unknown way.
    """
    if strategy not in packed.POPCOUNTS:
        known = ", ".join(packed.POPCOUNTS)
        raise UsageError(f"target c: popcount must be one of {known}, not '{strategy}'")
    for op in module.walk():
        if isinstance(op, packed.XnorDenseOp | packed.PlaneDenseOp):
            op.use_loop()
            op.popcount = StringAttr(strategy)
