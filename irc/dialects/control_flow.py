"""Networks have no control flow: a function that is one has a single block."""

from __future__ import annotations

from xdsl.dialects.func import FuncOp

from irc.errors import UnsupportedError


def check_single_block(function: FuncOp) -> None:
    """Raise `UnsupportedError` at a function whose body has several blocks."""
    blocks = len(function.body.blocks)
    if blocks > 1:
        raise UnsupportedError(
            f"function '{function.sym_name.data}' has {blocks} blocks; a network is a function "
            "of one block, without control flow",
            function.location,
        )
