"""What accumulators start from: constants of the rows that a fold works on.

A sum that starts at minus its threshold has reached the threshold if it is not negative: no
comparator is needed, and the multiplexer that starts a sum is there anyway. The constants of the
next fold have as many cycles to come as a fold has steps. So they come through a narrow memory
and a chain of registers, each of which feeds one accumulator: no look-up tables, where a memory
that gave them all at once would take one for each bit. Reset puts the first fold in the chain,
or begins to fill it, where the constants may have been loaded.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.ir import SSAValue

from irc.dialects.dataflow_mvu import BLOCK_MEMORY_BITS, BLOCK_MEMORY_DEPTH
from irc.dialects.rtl import address_width
from irc.passes.hardware.hw_builder import HwBuilder
from irc.passes.hardware.units.pipeline import Counter, counter

Array = npt.NDArray[Any]

SHORTEST_CHAIN = 4
"""Of fewer steps, a memory that gives all constants at once is the smaller one."""


def starts(
    b: HwBuilder,
    values: Array,
    width: int,
    steps: int,
    *,
    step: SSAValue,
    first: SSAValue,
    early: tuple[Counter, SSAValue],
    loadable: bool = False,
) -> list[SSAValue]:
    """The constants [folds, rows] of the fold that starts where `first` is 1 in a cycle with
    `step`; a fold has `steps` of these, two at least, and the constants wrap around.

    `early` is a counter, and its enable, that says the fold in the cycle before. `loadable` ones
    lie in a memory, whatever they are.
    """
    codes = values & ((1 << width) - 1)
    if bool((codes == codes[:1]).all()) and not loadable:
        return [b.const(int(code), width) for code in codes[0]]
    if not chain_length(steps, values.shape[1]):
        return _at_once(b, codes, width, *early)
    return _chained(b, codes, width, steps, step, first, loadable)


def chain_length(steps: int, rows: int) -> int:
    """How many registers the constants of so many rows come through, a fold having so many steps;
    0 where a memory gives them all at once."""
    length = min(steps, rows)
    return length if length >= SHORTEST_CHAIN else 0


def filling_cycles(steps: int, rows: int) -> int:
    """Cycles after a reset until the constants that can be loaded are all there."""
    length = chain_length(steps, rows)
    return length + 1 if length else 0


def _at_once(
    b: HwBuilder, codes: Array, width: int, fold: Counter, enable: SSAValue
) -> list[SSAValue]:
    word = b.rom("starts", _bits(codes, width), fold.value, enable)
    return b.slices(word, width)


def _chained(
    b: HwBuilder,
    codes: Array,
    width: int,
    steps: int,
    step: SSAValue,
    first: SSAValue,
    loadable: bool,
) -> list[SSAValue]:
    folds, rows = codes.shape
    length = chain_length(steps, rows)
    each = -(-rows // length)
    padded = np.zeros((folds, length * each), np.int64)
    padded[:, :rows] = codes
    # Reset puts the first fold in the chain, so that the memory begins with the second; unless
    # other constants may be in the memory: then the first fold is shifted in after the reset.
    words = (padded if loadable else np.roll(padded, -1, axis=0)).reshape(folds * length, each)
    shift = step if length == steps else _some_steps(b, length, step, first)
    if loadable:
        fills, fetches = _filling(b, length)
        shift = b.named("starts_move", b.or_(shift, fills))
    else:
        primed = b.reg("starts_primed", 1)
        primed.set_next(1)
        fetches = b.not_(primed.value)
    fetch = b.named("starts_fetch", b.or_(shift, fetches))
    address = counter(b, "starts_at", len(words), fetch)
    deep = len(words) >= BLOCK_MEMORY_DEPTH and words.size * width >= BLOCK_MEMORY_BITS
    following = b.rom(
        "starts", _bits(words, width), address.value, fetch, style="block" if deep else "auto"
    )
    chain: list[SSAValue] = []
    for index in reversed(range(length)):
        reset = sum(
            int(code) << (width * j)
            for j, code in enumerate(padded.reshape(folds, length, each)[0, index])
        )
        register = b.reg(f"start{index}", each * width, None if loadable else reset)
        register.set_next(following, shift)
        following = register.value
        chain.append(following)
    return [value for word in reversed(chain) for value in b.slices(word, width)][:rows]


def _filling(b: HwBuilder, length: int) -> tuple[SSAValue, SSAValue]:
    """After a reset, whether the chain moves, in `length` cycles, and whether this is the one
    before, in which the first word is read."""
    count = b.reg("starts_filled", address_width(length + 2))
    done = b.eq(count.value, length + 1)
    begins = b.eq(count.value, 0)
    count.set_next(b.add(count.value, 1), b.not_(done))
    return b.and_(b.not_(done), b.not_(begins)), begins


def _some_steps(b: HwBuilder, length: int, step: SSAValue, first: SSAValue) -> SSAValue:
    """Whether a step is one of the `length` that follow the first of a fold."""
    shifting = b.reg("starts_shift", 1)
    shift = b.named("starts_step", b.and_(step, shifting.value))
    position = counter(b, "starts_left", length, shift)
    going = b.and_(shifting.value, b.not_(position.is_last))
    shifting.set_next(b.or_(first, going), step)
    return shift


def _bits(words: Array, width: int) -> npt.NDArray[np.uint8]:
    """Words of numbers [depth, numbers] as 0/1 [depth, bits]."""
    bits = words[..., None] >> np.arange(width) & 1
    return bits.reshape(len(words), -1).astype(np.uint8)
