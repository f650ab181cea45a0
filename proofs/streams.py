"""The rules of ready and valid, for every unit, at every time, whatever its neighbours do."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

from proofs.reachability import NO_ABC, find_abc, never
from proofs.stream_monitor import Monitored, monitor_text
from proofs.stream_units import StreamUnit, units
from proofs.theorem import OPEN, REFUTED, Outcome, Theorem, with_wrong_versions

FAMILY = "stream"

CLAIM = (
    "what is offered stays until it is taken; nothing is lost, invented or exchanged; every frame "
    "is what the interpreter computes; nothing gets stuck"
)

QUICK = ("fifo-registers-2", "width-down-4-to-2")


def prove(unit: StreamUnit, seconds: float) -> Outcome:
    """Induct over all times; and refute units and specifications that are wrong."""
    if find_abc() is None:
        return Outcome(OPEN, NO_ABC)
    verilog, monitored = unit.verilog(), unit.monitored()
    found = never([verilog, monitor_text(monitored)], "monitor", seconds)
    if found.status == REFUTED:
        return found
    wrong = {
        "another result": [verilog, monitor_text(_other_result(monitored))],
        "a unit that is always ready": [
            _rewired(verilog, r"_tready", "1'b1"),
            monitor_text(monitored),
        ],
        "a unit that always offers": [
            _rewired(verilog, r"_tvalid", "1'b1"),
            monitor_text(monitored),
        ],
    }
    return with_wrong_versions(
        found,
        ((name, never(texts, "monitor", seconds).status) for name, texts in wrong.items()),
    )


def _other_result(unit: Monitored) -> Monitored:
    """The last bit of the last beat is to be the opposite."""
    *streams, stream = unit.results
    *beats, beat = stream
    *bits, bit = beat
    return replace(unit, results=(*streams, (*beats, (*bits, bit.flipped()))))


def _rewired(verilog: str, port: str, value: str) -> str:
    """The last output of the first module with such a name, driven by a constant."""
    found = list(re.finditer(rf"assign (\w+{port}) = [^;]*;", verilog.partition("endmodule")[0]))
    if not found:
        raise ValueError(f"no output {port} is assigned")
    first = found[-1]
    return f"{verilog[: first.start()]}assign {first[1]} = {value};{verilog[first.end() :]}"


def theorems() -> list[Theorem]:
    """One for each unit."""
    return [
        Theorem(
            FAMILY,
            unit.name,
            CLAIM,
            " and ".join(f"{s.beats} beats of {s.beat_width} bits" for s in unit.inputs),
            partial(prove, unit),
            unit.name in QUICK,
        )
        for unit in units()
    ]
