"""What stands in the way of lowering a `bnn` function to a target."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.ir import Operation

from irc.passes.layer_names import describe


@dataclass(frozen=True)
class Obstacle:
    """An operation that a target cannot hold, and why."""

    op: Operation
    reason: str

    def __str__(self) -> str:
        return f"{describe(self.op)}: {self.reason}"
