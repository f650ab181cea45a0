"""Circuits as Yosys reads the Verilog that is emitted, and questions about them to bitwuzla.

A circuit is one function from a state to the next, all registers, inputs and free signals being
parts of the state. Questions are about some cycles in a row, from any state or from reset.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from irc.backends.synth.tools import run_tool

bitwuzla: Any = importlib.import_module("bitwuzla")

_WIRE = re.compile(
    r"\(define-fun \|(?P<module>[^|]*?)_n (?P<wire>[^|]+)\| [^)]*\)\) "
    r"(?P<sort>Bool|\(_ BitVec (?P<width>\d+)\))"
)

READ = "hierarchy -top {top}; proc; flatten; opt_clean"
MEMORIES = "memory_collect; {free} memory_map; opt -fast"
WRITE = "async2sync; dffunmap; write_smt2 -stbv -wires circuit.smt2"


@dataclass(frozen=True)
class Circuit:
    """A circuit in SMT-LIB; `wires` are the widths of what has a name, Booleans having one bit."""

    name: str
    text: str
    wires: dict[str, int]
    booleans: frozenset[str]

    @staticmethod
    def of_verilog(texts: Sequence[str], top: str, free: Sequence[str] = ()) -> Circuit:
        """Read Verilog with Yosys. What is read from the memories named `free` is free in every
        cycle: whatever they hold."""
        with TemporaryDirectory(prefix="irc-proof-") as folder:
            names: list[str] = []
            for index, text in enumerate(texts):
                names.append(f"part{index}.v")
                (Path(folder) / names[-1]).write_text(text, "utf-8")
            freed = " ".join(f"delete c:{name};" for name in free)
            freed += " setundef -undriven -anyseq;" if free else ""
            script = "; ".join(
                [
                    f"read_verilog -formal {' '.join(names)}",
                    READ.format(top=top),
                    MEMORIES.format(free=freed),
                    WRITE,
                ]
            )
            run_tool("yosys", ["-q", "-p", script], Path(folder), "yosys.log")
            text = (Path(folder) / "circuit.smt2").read_text("utf-8")
        wires: dict[str, int] = {}
        booleans: set[str] = set()
        for match in _WIRE.finditer(text):
            if match["module"] == top:
                wires[match["wire"]] = int(match["width"] or 1)
                if match["sort"] == "Bool":
                    booleans.add(match["wire"])
        return Circuit(top, text, wires, frozenset(booleans))


class Question:
    """A circuit over some cycles; terms are SMT-LIB text, of bit vectors."""

    def __init__(self, circuit: Circuit, cycles: int) -> None:
        self.circuit, self.cycles = circuit, cycles
        self.lines = ["(set-logic QF_BV)", circuit.text]
        name = circuit.name
        for cycle in range(cycles):
            self.lines.append(f"(declare-const s{cycle} |{name}_s|)")
            self.lines.append(f"(assert (|{name}_h| s{cycle}))")
            self.lines.append(f"(assert (|{name}_u| s{cycle}))")
        for cycle in range(cycles - 1):
            self.lines.append(f"(assert (|{name}_t| s{cycle} s{cycle + 1}))")

    def at(self, wire: str, cycle: int) -> str:
        """The value of a wire in a cycle."""
        term = f"(|{self.circuit.name}_n {wire}| s{cycle})"
        return f"(ite {term} #b1 #b0)" if wire in self.circuit.booleans else term

    def starts(self) -> None:
        """Let the first cycle be in an initial state, where registers say what that is."""
        self.lines.append(f"(assert (|{self.circuit.name}_i| s0))")

    def holds(self, cycle: int) -> str:
        """That all assertions in the Verilog hold in a cycle."""
        return f"(|{self.circuit.name}_a| s{cycle})"

    def declare(self, name: str, width: int) -> str:
        """A new unknown."""
        self.lines.append(f"(declare-const {name} (_ BitVec {width}))")
        return name

    def assume(self, *conditions: str) -> None:
        """Only look where these hold."""
        self.lines += [f"(assert {condition})" for condition in conditions]

    def set(self, wire: str, value: int, cycles: Sequence[int]) -> None:
        """Let a wire have a value in some cycles."""
        width = self.circuit.wires[wire]
        self.assume(*(f"(= {self.at(wire, cycle)} {number(value, width)})" for cycle in cycles))

    def is_possible(self, seconds: float) -> bool | None:
        """Whether all assumptions can hold together; None where the time was not enough."""
        return _solve("\n".join(self.lines), seconds)

    def implies(self, claims: Sequence[str], seconds: float) -> bool | None:
        """Whether the claims always hold; None where the time was not enough."""
        negated = f"(assert (not (and true {' '.join(claims)})))"
        possible = _solve("\n".join([*self.lines, negated]), seconds)
        return None if possible is None else not possible


def _solve(text: str, seconds: float) -> bool | None:
    options = bitwuzla.Options()
    options.set(bitwuzla.Option.TIME_LIMIT_PER, int(seconds * 1000))
    parser = bitwuzla.Parser(bitwuzla.TermManager(), options)
    parser.parse(text, True, False)
    answer = str(parser.bitwuzla().check_sat())
    return {"sat": True, "unsat": False}.get(answer)


def number(value: int, width: int) -> str:
    """A constant of so many bits, modulo 2^width."""
    return f"(_ bv{value % (1 << width)} {width})"


def bits(term: str, low: int, width: int) -> str:
    """Some bits of a term."""
    return f"((_ extract {low + width - 1} {low}) {term})"


def extended(term: str, by: int, signed: bool) -> str:
    """A term with more bits, copies of its sign or zeros."""
    return f"((_ {'sign' if signed else 'zero'}_extend {by}) {term})"


def added(terms: Sequence[str], width: int) -> str:
    """The sum of terms of so many bits."""
    total = number(0, width)
    for term in terms:
        total = f"(bvadd {total} {term})"
    return total
