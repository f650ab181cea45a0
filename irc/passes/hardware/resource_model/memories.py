"""Where the memories of a unit land: block RAM, look-up table RAM or logic, as Yosys decides.

A rule for each family, after `memory_libmap` and the libraries of `yosys/techlibs` (`ice40/brams`,
`lattice/brams_16kd` and `lutrams_trellis`, `xilinx/brams_xc4v` and `lutrams_xc5v`): of all shapes
that a memory can be cut into the cheapest is taken, logic where that is cheaper still.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

RAM_BIT_COST = 1
"""What a bit of a RAM costs Yosys as flip-flops (`-logic-cost-ram`)."""

MUX_COST = 0.5
"""What a bit costs that is chosen between two blocks, one after another (`FACTOR_MUX`)."""

DEMUX_COST = 0.5
"""What a part costs that is written by itself (`FACTOR_DEMUX`)."""


EMULATION_COST = 16
"""What a block costs more where words may be read while they are written: of iCE40, 76 bits became
flip-flops and 130 a block."""


@dataclass(frozen=True)
class Memory:
    """A memory of a unit: `style` is that of `rtl.rom` or `rtl.ram`, or `spram`; `varying` the bits
    of a word that are not the same in all words, where known: Yosys keeps no others."""

    width: int
    depth: int
    style: str = "auto"
    is_rom: bool = True
    varying: int | None = None
    may_collide: bool = False
    """Whether a word can be read while it is written, as far as Yosys sees."""

    @property
    def stored(self) -> int:
        """Bits of a word that are kept: where it is not known, those of random contents."""
        if not self.is_rom:
            return self.width
        if self.varying is not None:
            return self.varying
        return self.width - round(self.width * 2.0 ** (1 - min(self.depth, 60)))

    @property
    def bits(self) -> int:
        """Bits in all."""
        return self.stored * self.depth


@dataclass(frozen=True)
class Placement:
    """Where a memory landed: block RAMs in the maker's unit, look-up tables that are RAM, and
    what is left for logic: `logic_cells` look-up tables, and `flipflops` of words that are read
    outside of block RAM."""

    block_rams: float = 0
    ram_luts: int = 0
    logic_cells: float = 0
    flipflops: int = 0
    choices: float = 0
    """Look-up tables that choose among parts that lie one after another in depth."""
    bypass: float = 0
    """Look-up tables that give what is read while it is written, beside block RAM."""


@dataclass(frozen=True)
class _Block:
    """A way to use a block RAM: address bits at the first of its widths, and what it costs and
    counts. A write enables whole bytes of it."""

    address_bits: int
    widths: tuple[int, ...]
    cost: int
    count: float
    byte: int

    def copies(self, memory: Memory) -> Iterator[tuple[int, int]]:
        """Blocks, and parts that lie one after another in depth, at each of its widths.

        The bits of all parts are dealt out to blocks together, as if the memory were as many times
        as wide and as deep as a block: a block may hold ends of several parts. A part that is
        written by itself begins at a byte.
        """
        for width in self.widths:
            depth = 1 << (self.address_bits - _power(width) + _power(self.widths[0]))
            along = -(-memory.depth // depth)
            byte = 1 if memory.is_rom or along == 1 else min(width, self.byte)
            yield -(-(-(-memory.stored // byte) * byte * along) // width), along


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
            for block in self.blocks:
                choices += self._blocks(block, memory)
        return min(choices, key=lambda choice: choice[0])[1]

    def _blocks(self, block: _Block, memory: Memory) -> Iterator[tuple[float, Placement]]:
        for blocks, along in block.copies(memory):
            cost, choices = self._chosen(memory, along)
            placed = Placement(blocks * block.count, choices=choices)
            if memory.may_collide:
                # Two addresses are compared, and what was written is kept beside what was read.
                address = (memory.depth - 1).bit_length()
                placed = replace(
                    placed,
                    bypass=memory.width + -(-2 * address // self.lut_inputs) + 1,
                    flipflops=2 * memory.width + 1,
                )
                cost += EMULATION_COST
            yield blocks * block.cost + cost, placed

    def _lut_ram(self, shape: _LutRam, memory: Memory) -> tuple[float, Placement]:
        along, across = -(-memory.depth // shape.depth), -(-memory.width // shape.width)
        used = memory.width / shape.width if shape.by_width else across
        cost, choices = self._chosen(memory, along)
        placed = Placement(
            ram_luts=across * along * shape.luts, flipflops=memory.width, choices=choices
        )
        return used * along * shape.cost + cost, placed

    def _chosen(self, memory: Memory, along: int) -> tuple[float, float]:
        """What it costs to read one of so many parts, and to write one; and look-up tables."""
        parts = along - 1
        cost = MUX_COST * memory.stored * parts + (0 if memory.is_rom else DEMUX_COST * parts)
        return cost, memory.stored * choice_luts(along, self.lut_inputs)

    def _logic(self, memory: Memory) -> tuple[float, Placement]:
        if not memory.is_rom:
            # Every word has an enable of its own.
            cells = memory.width * choice_luts(memory.depth, self.lut_inputs) + memory.depth
            kept = memory.bits + memory.width
            return memory.bits * RAM_BIT_COST, Placement(logic_cells=cells, flipflops=kept)
        cells = rom_luts(memory.stored, memory.depth, self.lut_inputs)
        placed = Placement(
            logic_cells=cells, flipflops=round(_different(memory.stored, memory.depth, 1))
        )
        return memory.bits * self.rom_bit_cost, placed


def choice_luts(words: int, lut_inputs: int) -> int:
    """Look-up tables for each bit that is chosen among so many words: one of four inputs chooses
    between two, one of six among four."""
    return max(0, words - 1) if lut_inputs == 4 else -(-max(0, words - 1) // 3)


def rom_luts(width: int, depth: int, lut_inputs: int) -> float:
    """Look-up tables of a ROM in logic: tables of as many words as one has inputs for, and the
    choice among them.

    Where the last one has few words, there are no more different ones than functions of so few, and
    the table that chooses between it and another may have room for it.
    """
    full, rest = divmod(depth, 1 << lut_inputs)
    if not full:
        return _different(width, rest)
    choices = choice_luts(full + (rest > 0), lut_inputs) * width
    if full == 1 and rest:
        # Where all words of the rest are the same, it sets or resets the register.
        choices *= 1 - 2.0 ** (1 - rest)
    # Of the table that chooses, one input selects and one is the other table.
    fits = rest <= 1 << lut_inputs - 2 and (lut_inputs == 4 or full == 1)
    return full * width + (0 if fits else _different(width, rest)) + choices


def _different(width: int, words: int, alike: int = 2) -> float:
    """How many different functions so many random ones of so few words are: a function and its
    complement count as one, unless `alike` is 1, constants not at all."""
    kinds = ((1 << min(words, 60)) - 2) / alike
    return kinds * (1 - (1 - 1 / kinds) ** width) if kinds > 1 else min(width, 1)


_WIDTHS = (1, 2, 4, 9, 18)

RULES = {
    "ice40": Rules((_Block(11, (2, 4, 8, 16), 64, 1, 1),), (), 4, 1 / 16),
    "ecp5": Rules(
        (_Block(14, (*_WIDTHS, 36), 128, 1, 9),),
        (_LutRam(16, 4, 4, 6),),
        4,
        1 / 16,
    ),
    # `gowin/brams.txt` and `gowin/lutrams.txt`: as in ECP5, and half a RAM of look-up tables costs
    # half.
    "gowin": Rules(
        (_Block(14, (*_WIDTHS, 36), 128, 1, 9),),
        (_LutRam(16, 4, 4, 4, by_width=True),),
        4,
        1 / 16,
    ),
    "xc7": Rules(
        (_Block(14, (*_WIDTHS, 36), 129, 0.5, 9), _Block(15, (*_WIDTHS, 36, 72), 257, 1, 9)),
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


def block_price(family: str) -> float:
    """Look-up tables that a block RAM, in the maker's unit, is worth: as many as Yosys weighs it at
    where a memory could be either."""
    return min(block.cost / block.count for block in RULES[family].blocks)
