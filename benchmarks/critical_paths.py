"""What the critical paths consist of that nextpnr reports: a start, tables, wires and carries."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Breakdown:
    """nextpnr's critical path: ns from the clock to the first wire, of tables with the wires to and
    between them, and of carries; a register that is packed with a table counts as one."""

    start: float
    levels: int
    level: float
    carries: int
    carry: float

    @property
    def is_from_memory(self) -> bool:
        """Whether the path starts at a block RAM: no register takes as long."""
        return self.start > 2 * self.level / max(1, self.levels)


_HOP = re.compile(r"Info:\s+(clk-to-q|routing|logic|setup)\s+([\d.]+)\s+[\d.]+ \w+ (\S+)")
_PACKED = 0.8
"""ns of a set-up that holds a table, on iCE40."""


def breakdown(log: str) -> Breakdown | None:
    """What the last critical path of a log of nextpnr consists of; `None` where there is none."""
    parts = log.split("Critical path report for clock")
    hops = _HOP.findall(parts[-1].split("Critical path report for cross")[0])
    if len(parts) == 1 or not hops:
        return None
    start = level = carry = 0.0
    levels = carries = 0
    for kind, text, name in hops:
        time = float(text)
        if kind == "clk-to-q":
            start = time
        elif kind == "logic" and re.search("CARRY|COUT|FCO", name):
            carry, carries = carry + time, carries + 1
        else:
            level += time
            levels += kind == "logic" or (kind == "setup" and time > _PACKED)
    return Breakdown(start, levels, level, carries, carry)


def print_delays(logs: Sequence[tuple[str, str]]) -> None:
    """What a level, a carry and a start took in each log, by its name."""
    print("start   levels  ns a level  carries  ns a carry  log")
    for name, text in logs:
        found = breakdown(text)
        if found is None:
            continue
        level = found.level / max(1, found.levels)
        carry = found.carry / max(1, found.carries)
        start = f"{found.start:.2f}{'m' if found.is_from_memory else ' '}"
        print(f"{start} {found.levels:>8} {level:>11.2f} {found.carries:>8} {carry:>11.2f}  {name}")
