"""What an edit is: choices of a module that may be simplified."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from xdsl.dialects.builtin import ModuleOp

Change = Callable[[ModuleOp], bool]
"""Simplifies a module in place; says whether there was anything to do."""


@dataclass(frozen=True)
class Edit:
    """`choices` things that may be simplified; `change(chosen)` simplifies those of a range."""

    name: str
    choices: int
    change: Callable[[range], Change]
    bisects: bool = False
    """Whether one choice is to be made, the first that keeps what is sought."""
    single: bool = False
    """Whether choices exclude each other."""
    again: bool = False
    """Whether a choice that was made may be made again, for more."""
