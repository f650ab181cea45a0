"""How deep combinational logic will be once it is mapped: look-up tables and carries in a row.

An estimate of what a synthesiser makes of `comb` operations, for choosing where registers go and
how fast a clock may be. Bitwise operations join the table of what they read as long as a table has
inputs for it: the labels of Cong and Ding's FlowMap ("FlowMap: an optimal technology mapping
algorithm for delay optimization in lookup-table based FPGA designs", 1994), with one cut a value
instead of the best. All bits of a signal count as the latest one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from xdsl.dialects import comb, hw
from xdsl.ir import Operation, SSAValue

from irc.dialects import rtl
from irc.passes.hardware.hw_core import constant_of

CARRY = 0.1
"""What a bit of a carry chain takes, in look-up tables with their wires: between 0.07 and 0.13 on
the devices that place and route is there for."""

MEMORY = 2
"""What a block RAM takes to give a word, more than a register: up to 4, by the device."""

BLOCK_STYLES = ("block", "huge")
"""Memories of these styles become block RAM."""

WIRING = (comb.ExtractOp, comb.ConcatOp, comb.ReplicateOp, hw.BitcastOp, hw.ArrayCreateOp)
"""Operations that are only names for bits of their operands."""

_BITWISE = (comb.AndOp, comb.OrOp, comb.XorOp, comb.MuxOp)

_EQUALITY = (0, 1)
"""Predicates of `comb.icmp` that need no carry: eq and ne."""


class Depth(NamedTuple):
    """Look-up tables and bits of carry chains on a path, which starts at a register or, where
    `memories` is 1, at a block RAM."""

    levels: int = 0
    carries: int = 0
    memories: int = 0

    @property
    def length(self) -> float:
        """In look-up tables with their wires."""
        return self.levels + CARRY * self.carries + MEMORY * self.memories

    def then(self, levels: int, carries: int = 0) -> Depth:
        """With so much more behind it."""
        return Depth(self.levels + levels, self.carries + carries, self.memories)


def latest(depths: Iterable[Depth]) -> Depth:
    """The longest of some paths; none are no path."""
    return max(depths, key=lambda depth: depth.length, default=Depth())


def compressor_levels(height: int) -> int:
    """Levels of full adders that leave two of so many bits of a column: Dadda's sequence."""
    levels, most = 0, 2
    while most < height:
        levels, most = levels + 1, most * 3 // 2
    return levels


@dataclass
class LogicDepth:
    """The depths of values in a block of combinational logic, for tables of `lut_inputs` inputs.

    Values of `starts` are there at a given depth; those that no combinational operation makes, at
    depth 0.
    """

    lut_inputs: int
    starts: dict[SSAValue, Depth] = field(default_factory=dict[SSAValue, Depth])
    _known: dict[SSAValue, Depth] = field(default_factory=dict[SSAValue, Depth])
    _tables: dict[SSAValue, frozenset[SSAValue]] = field(
        default_factory=dict[SSAValue, frozenset[SSAValue]]
    )
    """What the last table before a value reads."""

    def of(self, value: SSAValue) -> Depth:
        """The depth of a value. Asked in the order of a block, no recursion is deep."""
        if value in self.starts:
            return self.starts[value]
        if value not in self._known:
            self._known[value] = self._of(value)
        return self._known[value]

    def _of(self, value: SSAValue) -> Depth:
        op = value.owner
        if not isinstance(op, Operation) or not is_logic(op):
            return self.source(value)
        operands = [x for x in op.operands if constant_of(x) is None]
        if isinstance(op, _BITWISE):
            return self._bitwise(value, operands)
        before = latest(map(self.of, operands))
        if isinstance(op, WIRING) or not operands:
            return before
        return before.then(*self._arithmetic(op, operands))

    def source(self, value: SSAValue) -> Depth:
        """The depth of what no combinational operation makes."""
        return Depth()

    def _bitwise(self, value: SSAValue, operands: list[SSAValue]) -> Depth:
        """A table of its own, or the one before it, widened."""
        before = latest(map(self.of, operands))
        widened = [x for x in operands if x in self._tables and self.of(x) == before]
        if len(operands) == 1 and not widened:
            # A complement: the table that reads it makes it.
            return before
        read = {x for x in operands if x not in widened}.union(*(self._tables[x] for x in widened))
        if not widened or len(read) > self.lut_inputs:
            read = set(operands)
            before = before.then(self._tables_for(len(read)))
        self._tables[value] = frozenset(read)
        return before

    def _tables_for(self, inputs: int) -> int:
        """Levels of tables that so many inputs need."""
        levels, reach = 1, self.lut_inputs
        while reach < inputs:
            levels, reach = levels + 1, reach * self.lut_inputs
        return levels

    def _arithmetic(self, op: Operation, operands: list[SSAValue]) -> tuple[int, int]:
        """Levels and carries that an operation adds to the latest of its operands."""
        width = 0 if isinstance(op, hw.ArrayGetOp) else rtl.width_of(operands[0])
        match op:
            case comb.AddOp() | comb.SubOp():
                # The chain takes one bit as its carry.
                height = len(operands) - any(map(_is_bit, operands))
                return 1 + compressor_levels(height), width
            case comb.ICmpOp() if op.predicate.value.data in _EQUALITY:
                bits = width * len(operands)
                return self._tables_for(bits), 0
            case comb.ICmpOp():
                # Of Lattice's chains, the carry comes out through another table.
                return 1 + (self.lut_inputs == 4), width
            case comb.MulOp():
                return 1 + compressor_levels(width // 2 + 1), width
            case rtl.PopcountOp():
                if width <= self.lut_inputs:
                    return 1, 0
                return compressor_levels(width) + 1, width.bit_length() - 1
            case hw.ArrayGetOp():
                # A table of four inputs chooses between two, one of six between four.
                address = rtl.width_of(op.index)
                return -(-address // 2) if self.lut_inputs >= 6 else address, 0
            case _:
                return width.bit_length(), 0


def _is_bit(value: SSAValue) -> bool:
    """Whether a value is a bit, perhaps behind zeros."""
    op = value.owner
    if isinstance(op, comb.ConcatOp) and len(op.inputs) == 2:
        high, low = op.inputs
        return rtl.width_of(low) == 1 and constant_of(high) == 0
    return rtl.width_of(value) == 1


def is_logic(op: Operation) -> bool:
    """Whether an operation is combinational, with operands that its result depends on."""
    return op.name.startswith("comb.") or isinstance(op, (*WIRING, hw.ArrayGetOp, rtl.PopcountOp))
