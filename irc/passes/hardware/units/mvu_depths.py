"""How deep the logic of a matrix-vector unit is between registers: what stages are chosen by."""

from __future__ import annotations

from dataclasses import replace

from xdsl.ir import SSAValue

from irc.dialects import dataflow
from irc.dialects.dataflow_mvu import BLOCK_MEMORY_DEPTH
from irc.passes.hardware.hw_builder import HwBuilder, Port
from irc.passes.hardware.logic_depth import BLOCK_STYLES, Depth, LogicDepth, latest
from irc.passes.hardware.units.numbers import Number, bits_for
from irc.passes.hardware.units.products import products_of
from irc.passes.hardware.units.retiming import Retimed
from irc.passes.hardware.units.sum_ends import SumEnd
from irc.passes.hardware.units.tables import ChannelTable


def weights_start(op: dataflow.MvuOp) -> Depth:
    """When weights are there: block RAM is slower than a register."""
    return Depth(memories=int(op.memory_style() in BLOCK_STYLES))


def one_row(op: dataflow.MvuOp, lut_inputs: int) -> Retimed:
    """Products and sum of one row of a unit, which are as deep as those of all."""
    products = products_of(op, lut_inputs)
    weight_bits = products.rom_bits().shape[1] // op.pe
    element = dataflow.stream_type(op.input).element_width
    row = replace(products, pe=1)
    return Retimed(
        [op.simd * element, weight_bits],
        lambda b, signals: row.emit_rows(b, signals[:1], signals[1]),
        lut_inputs,
        starts=[Depth(), weights_start(op)],
    )


def accumulation(op: dataflow.MvuOp, lut_inputs: int) -> Depth:
    """What the accumulator takes in a cycle: the choice of a start, and an addition."""
    end = SumEnd.of(op, products_of(op, lut_inputs))
    return Depth(1 + (op.synapse_folds > 1), bits_for(end.low, end.high))


def coding(op: dataflow.MvuOp, lut_inputs: int) -> tuple[Depth, Depth]:
    """Comparisons of a complete sum with several thresholds, and the code behind them; nothing
    where there are fewer."""
    end = SumEnd.of(op, products_of(op, lut_inputs))
    comparisons = end.comparisons
    if comparisons is None or comparisons.at.shape[1] < 2:
        return Depth(), Depth()
    table = ChannelTable(op.pe, loadable=op.is_reloadable)
    comparisons.add_to(table)
    bits = table.rom_bits()
    ports = [Port.input("sum", bits_for(end.low, end.high))]
    ports += [] if bits is None else [Port.input("word", bits.shape[1])]
    b = HwBuilder("results", ports)
    word = None if bits is None else b.input("word")
    said: list[SSAValue] = []

    def held(value: SSAValue) -> SSAValue:
        said.append(value)
        return value

    number = Number(b.input("sum"), end.low, end.high)
    code = comparisons.emit(b, number, table, word, 0, held=held)
    # Deeper memories become block RAM.
    starts = Depth(memories=int(table.folds >= BLOCK_MEMORY_DEPTH))
    before = LogicDepth(lut_inputs, {} if word is None else {word: starts})
    behind = LogicDepth(lut_inputs, {value: Depth() for value in said})
    for each in b.block.ops:
        for result in each.results:
            before.of(result)
            behind.of(result)
    return latest(map(before.of, said)), behind.of(code.value)
