"""Constants that belong to channels, of which a unit works on some at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.ir import SSAValue

from irc.passes.hardware.hw_builder import HwBuilder

Array = npt.NDArray[Any]


class ChannelTable:
    """Fields of constants, read `lanes` channels at a time: fold f holds channels f·lanes and on.

    A field that is the same in every fold becomes a wired constant; the others share the words of
    one ROM, a word a fold. In a `loadable` table, fields are in the ROM
    whatever their values are, those that all channels share once.
    """

    def __init__(self, lanes: int, *, loadable: bool = False) -> None:
        self.lanes = lanes
        self.loadable = loadable
        self.folds = 1
        self._bits: list[Array] = []
        self._width = 0
        self._constants: dict[tuple[str, int], tuple[int, int]] = {}
        self._places: dict[tuple[str, int], tuple[int, int]] = {}

    def add(self, field: str, values: Array, width: int, *, fixed: bool = False) -> None:
        """Add a field of integers, one a channel, or one for all: `values` is [C] or [1]. `fixed`
        ones are never loaded."""
        fixed = fixed or not self.loadable
        if len(values) == 1 and not fixed:
            self._places.update(((field, lane), (self._width, width)) for lane in range(self.lanes))
            self._store(values.astype(np.int64), width)
            return
        if len(values) == 1:
            values = np.repeat(values, self.lanes)
        by_fold = values.astype(np.int64).reshape(-1, self.lanes)
        for lane, column in enumerate(by_fold.T):
            if fixed and bool((column == column[0]).all()):
                self._constants[field, lane] = int(column[0]), width
                continue
            self._places[field, lane] = self._width, width
            self._store(column, width)
            self.folds = len(by_fold)

    def _store(self, column: Array, width: int) -> None:
        """Put a number a fold behind what the words hold so far."""
        self._bits.append(column[:, None] >> np.arange(width) & 1)
        self._width += width

    def rom_bits(self) -> npt.NDArray[np.uint8] | None:
        """The words, 0/1 [folds, bits]; None where everything is constant."""
        return np.concatenate(self._bits, axis=1).astype(np.uint8) if self._bits else None

    def constant(self, field: str, lane: int) -> int | None:
        """The value of a field where it is the same in every fold."""
        found = self._constants.get((field, lane))
        return None if found is None else found[0]

    def signal(self, b: HwBuilder, word: SSAValue | None, field: str, lane: int) -> SSAValue:
        """The value of a field, from the current word of the ROM or as a constant."""
        if (field, lane) in self._constants:
            return b.const(*self._constants[field, lane])
        assert word is not None
        low, width = self._places[field, lane]
        return b.extract(word, low, width)
