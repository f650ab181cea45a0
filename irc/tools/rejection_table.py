"""The table of rewrites that were nearly made."""

from __future__ import annotations

from rich.table import Table

from irc.rejections import Recorder


def rejection_table(recorder: Recorder) -> Table | str:
    """One row a rejection: the pass, the operation, the pattern, what stopped it."""
    if not recorder.rejections:
        return "no rewrite was nearly made and then rejected"
    table = Table(title="rewrites not made", title_justify="left")
    for heading in ("pass", "node", "rewrite", "what stopped it"):
        table.add_column(heading, overflow="fold")
    for each in recorder.rejections:
        table.add_row(each.pass_name, each.what, each.pattern, each.reason)
    return table
