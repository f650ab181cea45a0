"""Options of the tools as options of passes."""

from __future__ import annotations

from pathlib import Path

from xdsl.utils.arg_spec import ParameterListType

from irc.backends.c.cross.cores import core_named
from irc.errors import IrcError
from irc.flow.lowering import Options


def pass_options(
    folding_file: str | None = None,
    cpu: str | None = None,
    popcount: str | None = None,
    unroll: int | None = None,
) -> Options:
    """What the passes are told.

    `folding_file` is a file with PE and SIMD a layer. `cpu` is the core that kernels are chosen
    for; `popcount` and `unroll`, the bytes of straight code a kernel, win over that choice.
    Raises `IrcError` where there is no such file or core.
    """
    options: dict[str, dict[str, ParameterListType]] = {}
    kernels: dict[str, ParameterListType] = {}
    if cpu is not None:
        core = core_named(cpu)
        kernels = {"popcount": (core.popcount,), "unroll": (core.unroll,), "lanes": (core.lanes,)}
    if popcount is not None:
        kernels["popcount"] = (popcount,)
    if unroll is not None:
        kernels["unroll"] = (unroll,)
    if kernels:
        options["choose-kernels"] = kernels
    if folding_file is not None:
        if not Path(folding_file).is_file():
            what = "is no file" if Path(folding_file).exists() else "no such file"
            raise IrcError(f"{folding_file}: {what}; expected a folding file")
        options["set-folding"] = {"file": (folding_file,)}
    return options
