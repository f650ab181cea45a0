"""Options of the tools as options of passes."""

from __future__ import annotations

from pathlib import Path

from irc.errors import IrcError
from irc.flow.lowering import Options


def pass_options(folding_file: str | None = None) -> Options:
    """What the passes are told: `folding_file` is a file with PE and SIMD a layer.

    Raises `IrcError` where there is no such file.
    """
    if folding_file is None:
        return {}
    if not Path(folding_file).is_file():
        what = "is no file" if Path(folding_file).exists() else "no such file"
        raise IrcError(f"{folding_file}: {what}; expected a folding file")
    return {"set-folding": {"file": (folding_file,)}}
