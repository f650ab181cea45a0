"""Tables on standard error, beside the result that goes to standard output."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table

NO_TERMINAL_WIDTH = 120
"""Columns where standard error is a file or a pipe."""


def print_table(table: Table) -> None:
    """Print a table to standard error, at a fixed width where that is no terminal."""
    width = None if sys.stderr.isatty() else NO_TERMINAL_WIDTH
    Console(file=sys.stderr, width=width, highlight=False).print(table, markup=False)
