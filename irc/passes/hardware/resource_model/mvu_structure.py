"""What a matrix-vector unit is made of under a folding."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from irc.dialects import dataflow
from irc.dialects.dataflow import Folding, MvuOp
from irc.dialects.dataflow_mvu import BLOCK_MEMORY_BITS, BLOCK_MEMORY_DEPTH
from irc.dialects.dense import element_width
from irc.passes.hardware.resource_model.fabric import FABRICS, Fabric
from irc.passes.hardware.resource_model.memories import Memory
from irc.passes.hardware.resource_model.mvu_products import dsps_a_product, product_luts
from irc.passes.hardware.resource_model.mvu_sums import sums_of, varying_bits
from irc.passes.hardware.resource_model.structure import Structure, counter_bits
from irc.passes.hardware.resource_model.unrolled_structure import unrolled_structure
from irc.passes.hardware.units.starts import chain_length

Array = npt.NDArray[Any]


def mvu_structure(op: MvuOp, folding: Folding, family: str) -> Structure:
    """Products and their sum, accumulators, comparators, the buffer from which inputs are replayed,
    and the memories of weights and of what belongs to rows."""
    fabric = FABRICS[family]
    if folding.memory == "logic":
        return unrolled_structure(op, folding.mmv, fabric.lut_inputs)
    return _Mvu(op, folding, fabric).structure()


def weight_memory(op: MvuOp, folding: Folding) -> Memory | None:
    """The memory of weights under a folding; None where they never change."""
    words = op.columns // folding.simd * (op.rows // folding.pe)
    if words == 1 and not op.is_reloadable:
        return None
    width = folding.pe * folding.simd * _weight_planes(op, op.product_style(folding))
    style = _style(op, folding, words)
    return Memory(width, words, style, is_rom=not op.is_reloadable)


class _Mvu:
    """A unit under a folding, on its way to a structure."""

    def __init__(self, op: MvuOp, folding: Folding, fabric: Fabric) -> None:
        self.op, self.folding, self.fabric = op, folding, fabric
        self.style = op.product_style(folding)
        self.synapse = op.columns // folding.simd
        self.neuron = max(1, op.group_rows // folding.pe)
        self.folds = op.rows // folding.pe
        self.rows = folding.mmv * folding.pe
        self.element = dataflow.stream_type(op.input).element_width
        groups = max(1, folding.pe // op.group_rows)
        self.inputs = folding.mmv * folding.simd * groups * self.element
        self.sums = sums_of(op, self.style, accumulates=self.synapse > 1)
        self.stages = 1 if folding.stages is None else folding.stages
        self.luts: dict[str, float] = {"mvu.control": 10}
        self.registers = 1.0
        self.memories: list[Memory] = []

    def structure(self) -> Structure:
        """All parts, in the order in which data pass them."""
        self._schedule()
        self._input()
        self._weights()
        self._products()
        self._accumulators()
        self._results()
        luts = {name: count for name, count in self.luts.items() if count}
        dsps = self.rows * self.folding.simd * dsps_a_product(self.op, self.style, self.fabric)
        return Structure("mvu", luts, self.registers, tuple(self.memories), dsps)

    def _add(self, part: str, luts: float) -> None:
        self.luts[part] = self.luts.get(part, 0) + luts

    def _counters(self, *counts: int) -> None:
        self._add("counters", self.fabric.counters(*counts))
        self.registers += counter_bits(*counts)

    def _schedule(self) -> None:
        self._counters(self.synapse, self.neuron)
        if self.synapse > 1:
            # Whether a step is the first or the last goes along with the products.
            self._add("mvu.control", self.fabric.equal(counter_bits(self.synapse)))
            self.registers += 2 * (1 + self.stages)
        self.registers += self.stages

    def _input(self) -> None:
        """The beat, and the buffer that it comes from but for the first fold."""
        self.registers += self.inputs
        if self.neuron > 1 and self.synapse > 1:
            self._add("mvu.replay", self.inputs)
            bits = counter_bits(self.synapse)
            self._add("counters", self.fabric.add(bits))
            self.memories.append(Memory(self.inputs, self.synapse, is_rom=False))

    def _weights(self) -> None:
        memory = weight_memory(self.op, self.folding)
        if memory is None:
            return
        if memory.style != "spram":
            self.memories.append(memory)
        words, grouped = memory.depth, self.op.groups > self.op.parallel_groups
        split = self.neuron > 1 and self.synapse > 1 and self.synapse & (self.synapse - 1)
        if grouped or split:
            self._counters(words)

    def _products(self) -> None:
        constant = self.synapse * self.folds == 1 and not self.op.is_reloadable
        for part, luts in product_luts(
            self.op, self.folding, self.style, self.fabric, self.inputs, constant=constant
        ).items():
            self._add(part, luts)
        if self.stages > 1:
            # Tables do not reach across a register.
            whole = sum(c for part, c in self.luts.items() if part.startswith("products."))
            self._add("products.cut", 0.05 * whole)
        self.registers += self.rows * self._staged_bits()

    def _staged_bits(self) -> float:
        """Register bits of a row: what it adds, and what lives between stages. The first half of a
        popcount's tables leaves half as many bits, and so on."""
        if not self.stages:
            return 0
        planes = self.element * (1 if self.style == "planes" else 1.5)
        bits = self.folding.simd * planes
        left = bits.bit_length() if isinstance(bits, int) else int(bits).bit_length()
        cuts = [bits * 0.5 ** (4 * i / self.stages - 1) for i in range(1, self.stages)]
        return left + sum(max(left, min(bits, cut)) for cut in cuts)

    def _accumulators(self) -> None:
        sums, fabric = self.sums, self.fabric
        self.registers += self.rows * sums.width
        if self.synapse == 1:
            return
        adding = fabric.add(sums.width)
        # A sum that starts anew at a constant masks what it was, or takes that.
        choosing = 0 if fabric.chain_chooses else sums.width
        self._add("mvu.accumulators", self.rows * (adding + choosing))
        if sums.starts is not None:
            folds = sums.starts.reshape(self.folds, self.folding.pe)
            if self.op.is_reloadable or (folds != folds[0]).any():
                self._starts(sums.width, folds)

    def _starts(self, width: int, folds: Array) -> None:
        """The memory of what sums start from, alone or before a chain of registers; as in
        `irc.passes.hardware.units.starts`."""
        pe = self.folding.pe
        length, is_rom = chain_length(self.synapse, pe), not self.op.is_reloadable
        if length:
            each = -(-pe // length)
            padded = np.zeros((self.folds, length * each), np.int64)
            padded[:, :pe] = folds
            words = padded.reshape(self.folds * length, each)
            deep = words.shape[0] >= BLOCK_MEMORY_DEPTH and words.size * width >= BLOCK_MEMORY_BITS
            self.registers += length * each * width + 1
            self._counters(len(words), length if length < self.synapse else 1)
            self._add("mvu.control", 3)
            style = "block" if deep else "auto"
        else:
            words, style = folds, "auto"
            if self.stages > 1 or self.folds != self.neuron:
                self._counters(self.folds)
        varying = varying_bits(words, width) if is_rom else None
        self.memories.append(
            Memory(words.shape[1] * width, len(words), style, is_rom, varying=varying)
        )

    def _results(self) -> None:
        """Comparisons, their steps, offsets, and the table that these come from."""
        sums, fabric, op = self.sums, self.fabric, self.op
        self.registers += self.rows * dataflow.stream_type(op.output).element_width + 2
        table = 0
        if sums.thresholds.shape[1]:
            folded = sums.thresholds.reshape(self.folds, -1)
            constant = self.folds == 1 and not op.is_reloadable
            count = self.rows * sums.thresholds.shape[1]
            if constant:
                each = [fabric.at_least(sums.compared, abs(int(t))) for t in sums.thresholds.flat]
                self._add("mvu.constant_comparisons", self.folding.mmv * sum(each))
            else:
                self._add("mvu.comparisons", count * fabric.add(sums.compared))
                table = varying_bits(folded, sums.compared)
                if op.is_reloadable:
                    table = self.folding.pe * sums.thresholds.shape[1] * sums.compared
        self._add("mvu.steps", self.rows * sums.step_luts)
        width = dataflow.stream_type(op.output).element_width
        if sums.offsets is not None:
            self._add("mvu.offsets", self.rows * fabric.add(width))
            table = varying_bits(sums.offsets.reshape(self.folds, -1), width)
        if table and self.folds > 1:
            self.memories.append(
                Memory(table, self.folds, is_rom=not op.is_reloadable, varying=table)
            )
            self._counters(self.folds)


def _weight_planes(op: MvuOp, style: str) -> int:
    if style == "planes" and op.is_ternary:
        return 2
    return element_width(op.weights.element_type)


def _style(op: MvuOp, folding: Folding, words: int) -> str:
    """As `MvuOp.memory_style`, under another folding."""
    if folding.memory != "auto":
        return folding.memory
    deep = words >= BLOCK_MEMORY_DEPTH and op.weight_bits() >= BLOCK_MEMORY_BITS
    return "block" if deep else "auto"


__all__ = ["mvu_structure", "weight_memory"]
