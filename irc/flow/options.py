"""Options of the tools as options of passes."""

from __future__ import annotations

from irc.flow.lowering import Options


def pass_options(folding_file: str | None = None) -> Options:
    """What the passes are told: `folding_file` is a file with PE and SIMD a layer."""
    return {} if folding_file is None else {"set-folding": {"file": (folding_file,)}}
