"""Where memories land is what Yosys did with memories of these shapes in whole networks."""

from __future__ import annotations

import pytest

from irc.passes.hardware.resource_model.memories import Memory, place

IN_CNV = (
    (Memory(256, 1152, "block"), 22),
    (Memory(64, 9216, "block"), 32),
    (Memory(1024, 72, "block"), 29),
    (Memory(1024, 144, "block"), 29),
    (Memory(128, 2048, "block"), 15),
    (Memory(8, 16384, "block"), 8),
    (Memory(9, 512), 1),
    (Memory(32, 36, is_rom=False), 1),
    (Memory(64, 150, is_rom=False), 2),
    (Memory(2048, 18), 0),
    (Memory(11, 256, varying=8), 0),
    (Memory(32, 28, is_rom=False), 0),
    (Memory(4, 128, is_rom=False), 0),
)
"""Memories of the trained CNV on ECP5, and the DP16KDs that they became."""


@pytest.mark.parametrize(("memory", "blocks"), IN_CNV)
def test_block_rams_are_those_of_cnv(memory: Memory, blocks: int) -> None:
    assert place("ecp5", memory).block_rams == blocks


def test_parts_in_depth_share_block_rams() -> None:
    """256 bits at 1,152 words are 768 of 512 words: 22 blocks of 36 bits, not three times eight."""
    assert place("ecp5", Memory(256, 512, "block")).block_rams == 8
    assert place("ecp5", Memory(256, 1152, "block")).block_rams == 22


def test_parts_that_are_written_by_themselves_share_no_byte() -> None:
    rom, ram = (place("xc7", Memory(10, 5000, "block", is_rom=is_rom)) for is_rom in (True, False))
    assert ram.block_rams > rom.block_rams


def test_bits_that_never_change_are_not_stored() -> None:
    whole = place("ice40", Memory(32, 256, "block"))
    assert place("ice40", Memory(32, 256, "block", varying=16)).block_rams == whole.block_rams / 2


def test_tables_are_shared_where_words_are_few() -> None:
    """There are seven functions of three words, up to complements and without constants."""
    few, many = (place("ice40", Memory(width, 4, "distributed")) for width in (64, 128))
    assert few.logic_cells <= many.logic_cells <= 7


@pytest.mark.parametrize("family", ["ice40", "ecp5", "gowin", "xc7"])
def test_more_words_never_take_less(family: str) -> None:
    def area(depth: int) -> float:
        placed = place(family, Memory(24, depth, "distributed"))
        return placed.logic_cells + placed.choices

    areas = [area(depth) for depth in (2, 8, 16, 17, 32, 64, 65, 128, 256)]
    assert areas == sorted(areas)
