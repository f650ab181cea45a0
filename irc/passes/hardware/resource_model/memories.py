"""Where the memories of a unit land: block RAM, look-up table RAM or logic, as Yosys decides.

A rule for each family, after `memory_libmap` and the libraries of `yosys/techlibs` (`ice40/brams`,
`lattice/brams_16kd` and `lutrams_trellis`, `xilinx/brams_xc4v` and `lutrams_xc5v`): of all shapes
that a memory can be cut into the cheapest is taken, logic where that is cheaper still.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

RAM_BIT_COST = 1
"""What a bit of a RAM costs Yosys as flip-flops (`-logic-cost-ram`)."""

MUX_COST = 0.5
"""What a bit costs that is chosen between two blocks, one after another (`FACTOR_MUX`)."""


@dataclass(frozen=True)
class Memory:
    """A memory of a unit: `style` is that of `rtl.rom` or `rtl.ram`, or `spram`; `columns` the bits
    of a word that differ from all others, where known."""

    width: int
    depth: int
    style: str = "auto"
    is_rom: bool = True
    columns: int | None = None

    @property
    def bits(self) -> int:
        """Bits in all."""
        return self.width * self.depth


@dataclass(frozen=True)
class Placement:
    """Where a memory landed: block RAMs in the maker's unit, look-up tables that are RAM, and
    what is left for logic: `logic_cells` tables of 16 (or 64) bits, `outputs` bits a word."""

    block_rams: float = 0
    ram_luts: int = 0
    logic_cells: int = 0
    outputs: int = 0
    muxed_bits: int = 0
    """Bits chosen among several block RAMs, one after another in depth."""


@dataclass(frozen=True)
class _Block:
    """A way to use a block RAM: address bits at the first of its widths, and what it costs and
    counts."""

    address_bits: int
    widths: tuple[int, ...]
    cost: int
    count: float

    def copies(self, memory: Memory) -> tuple[int, int]:
        """Blocks side by side and one after another, at the width that needs the fewest; of equal
        ones the widest. Words narrower than any width share one."""
        narrow = max(1, self.widths[0] // memory.width)
        best: tuple[int, int, int] | None = None
        for index, width in enumerate(self.widths[:1] if narrow > 1 else self.widths):
            depth = 1 << (self.address_bits - _power(width) + _power(self.widths[0]))
            across, along = -(-memory.width // width), -(-memory.depth // (depth * narrow))
            # A tie goes to the shape with fewer parts in depth.
            key = (across * along, along, -index)
            if best is None or key < (best[0], best[1], 0):
                best = (across * along, along, across)
        assert best is not None
        return best[2], best[1]


def _power(width: int) -> int:
    """Address bits that a width takes: 9, 18, 36 and 72 count as 8, 16, 32 and 64."""
    return (width if width & (width - 1) == 0 else width * 8 // 9).bit_length() - 1


@dataclass(frozen=True)
class _LutRam:
    """A RAM of look-up tables: words, bits a word, what it costs, and its look-up tables."""

    depth: int
    width: int
    cost: int
    luts: int
    by_width: bool = False
    """Whether one that is used in part costs less."""


@dataclass(frozen=True)
class Rules:
    """How the memories of a family are made."""

    blocks: tuple[_Block, ...]
    lut_rams: tuple[_LutRam, ...]
    lut_inputs: int
    rom_bit_cost: float
    """What a bit of a ROM costs Yosys as logic (`-logic-cost-rom`)."""

    def place(self, memory: Memory) -> Placement:
        """Where a memory lands."""
        if memory.depth < 2 or memory.style in ("huge", "spram"):
            return Placement()
        choices: list[tuple[float, Placement]] = []
        # Of equal costs the first counts.
        if memory.style != "block":
            choices.append(self._logic(memory))
            if not memory.is_rom:
                choices += [self._lut_ram(shape, memory) for shape in self.lut_rams]
        if memory.style != "distributed":
            choices += [self._block(block, memory) for block in self.blocks]
        return min(choices, key=lambda choice: choice[0])[1]

    def _block(self, block: _Block, memory: Memory) -> tuple[float, Placement]:
        across, along = block.copies(memory)
        muxed = memory.width * (along - 1)
        placed = Placement(block_rams=across * along * block.count, muxed_bits=muxed)
        return across * along * block.cost + MUX_COST * muxed, placed

    def _lut_ram(self, shape: _LutRam, memory: Memory) -> tuple[float, Placement]:
        along, across = -(-memory.depth // shape.depth), -(-memory.width // shape.width)
        used = memory.width / shape.width if shape.by_width else across
        muxed = memory.width * (along - 1)
        placed = Placement(
            ram_luts=across * along * shape.luts, outputs=memory.width, muxed_bits=muxed
        )
        return used * along * shape.cost + MUX_COST * muxed, placed

    def _logic(self, memory: Memory) -> tuple[float, Placement]:
        if not memory.is_rom:
            placed = Placement(logic_cells=memory.bits, outputs=memory.width)
            return memory.bits * RAM_BIT_COST, placed
        columns = memory.width if memory.columns is None else memory.columns
        # No more columns differ than there are functions of so few words.
        columns = min(columns, (1 << min(memory.depth, 30)) - 2)
        tables = -(-memory.depth // (1 << self.lut_inputs))
        # Of four inputs a table chooses between two, and of six among four; there, multiplexers
        # beside the tables choose among the first four.
        choices = tables - 1 if self.lut_inputs == 4 else -(-tables // 4) - 1
        cells = (tables + choices) * columns
        return memory.bits * self.rom_bit_cost, Placement(logic_cells=cells, outputs=columns)


_WIDTHS = (1, 2, 4, 9, 18)

RULES = {
    "ice40": Rules((_Block(11, (2, 4, 8, 16), 64, 1),), (), 4, 1 / 16),
    "ecp5": Rules(
        (_Block(14, (*_WIDTHS, 36), 128, 1),),
        (_LutRam(16, 4, 4, 6),),
        4,
        1 / 16,
    ),
    "xc7": Rules(
        (_Block(14, (*_WIDTHS, 36), 129, 0.5), _Block(15, (*_WIDTHS, 36, 72), 257, 1)),
        (_LutRam(32, 6, 8, 4, by_width=True), _LutRam(64, 3, 8, 4, by_width=True)),
        6,
        1 / 64,
    ),
}
"""By family."""


@cache
def place(family: str, memory: Memory) -> Placement:
    """Where a memory lands in devices of a family."""
    return RULES[family].place(memory)


def block_rams(family: str, memories: Sequence[Memory]) -> float:
    """Block RAMs of all, in the maker's unit."""
    return sum(place(family, memory).block_rams for memory in memories)
