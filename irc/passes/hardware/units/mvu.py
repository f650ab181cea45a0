"""The hardware of a matrix-vector unit.

One step of computation takes SIMD inputs and PE·SIMD weights; a vector takes SF·NF steps. In the
first SF of them, beats are taken from the input and copied into a buffer, from which they are
replayed for the other neuron folds. Steps follow each other without a gap, from vector to vector:
SF·NF cycles a vector while neither side stalls. Several groups, or several vectors, at once have
inputs of their own in a beat, and vectors share the weights.

    cycle 0   the beat is taken; addresses of weights and buffer
    cycle 1   weights and beat meet: products and their sum
    cycle 2   accumulation, from minus the threshold on where there is one
    cycle 3   sum complete: its top bit, or other thresholds
    cycle 4   result offered

With more stages than one, products and their sum have as many cycles instead of cycle 1 alone, and
comparisons with several thresholds one to themselves, before what they say becomes a code; with
none, products and sum are part of the accumulation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy.typing as npt
from xdsl.dialects import hw
from xdsl.ir import SSAValue

from irc.dialects import dataflow
from irc.passes.hardware.hw_builder import HwBuilder
from irc.passes.hardware.hw_core import constant_of
from irc.passes.hardware.logic_depth import Depth
from irc.passes.hardware.units.mvu_depths import weights_start
from irc.passes.hardware.units.numbers import Number, bits_for, fit, scaled
from irc.passes.hardware.units.pipeline import (
    INPUT,
    Counter,
    counter,
    output_register,
    unit_builder,
)
from irc.passes.hardware.units.products import Products, products_of
from irc.passes.hardware.units.retiming import Retimed
from irc.passes.hardware.units.starts import starts
from irc.passes.hardware.units.sum_ends import SumEnd
from irc.passes.hardware.units.tables import ChannelTable

Array = npt.NDArray[Any]


def mvu_module(op: dataflow.MvuOp, name: str, lut_inputs: int = 6) -> hw.HWModuleOp:
    """The module of a unit whose input has `simd` lanes, for look-up tables of so many inputs."""
    source, result = dataflow.stream_type(op.input), dataflow.stream_type(op.output)
    b = unit_builder(name, source.beat_width, result.beat_width, op.location)
    products = products_of(op, lut_inputs)
    end_of_sums = SumEnd.of(op, products)
    complete = b.wire("sum_valid", 1)
    end = output_register(b, complete.value)
    schedule = _schedule(b, op, end.enable)
    inputs = _replayed_input(b, op, products, schedule)
    weights = _weights(b, op, products, schedule)
    sums, done = _accumulate(b, op, products, end_of_sums, schedule, inputs, weights)
    compared = b.delay("sum_valid_q", done, 0, end.enable)
    complete.drive(_held(b, "code_valid", compared, op.code_stages, end.enable, reset=0))
    end.store(_results(b, op, products, end_of_sums, schedule, sums, done))
    return b.finish()


@dataclass(frozen=True)
class _Schedule:
    """What the unit does in cycle 0 of a step."""

    enable: SSAValue
    synapse: Counter
    neuron: Counter
    replays: SSAValue
    """Whether the beat comes from the buffer."""
    takes: SSAValue
    """Whether the beat comes from the input, and is there."""
    step: SSAValue


def _schedule(b: HwBuilder, op: dataflow.MvuOp, enable: SSAValue) -> _Schedule:
    step_wire = b.wire("step", 1)
    synapse = counter(b, "synapse", op.synapse_folds, step_wire.value)
    neuron = counter(b, "neuron", op.neuron_folds, b.and_(step_wire.value, synapse.is_last))
    replays = b.named("replays", b.any(neuron.value))
    ready = b.named("ready", b.and_(enable, b.not_(replays)))
    takes = b.named("takes", b.and_(ready, b.input(f"{INPUT}_tvalid")))
    step_wire.drive(b.or_(takes, b.and_(enable, replays)))
    b.output(f"{INPUT}_tready", ready)
    return _Schedule(enable, synapse, neuron, replays, takes, step_wire.value)


def _replayed_input(
    b: HwBuilder, op: dataflow.MvuOp, products: Products, schedule: _Schedule
) -> SSAValue:
    """The beat in cycle 1: from the input, or from the buffer that the first fold filled. It
    holds a part for each vector, and in it for each group, arranged as the products take them."""
    lanes = b.slices(b.input(f"{INPUT}_tdata"), dataflow.stream_type(op.input).element_width)
    parts = [
        products.arranged(b, b.concat(*(lanes[index] for index in reversed(indices))))
        for indices in _lanes_of_parts(op)
    ]
    beat = b.concat(*reversed(parts))
    if op.neuron_folds == 1:
        return b.delay("beat", beat, None, schedule.enable)
    if op.synapse_folds == 1:
        return b.delay("beat", beat, None, schedule.takes)
    synapse = schedule.synapse
    # Read a step ahead, so that the choice is made before a register: behind it, synthesisers
    # would repeat it in every row.
    replayed = b.ram(
        "buffer",
        op.synapse_folds,
        write_enable=schedule.takes,
        write_address=synapse.value,
        write_data=beat,
        read_address=b.mux(synapse.is_last, 0, b.add(synapse.value, 1)),
        read_enable=schedule.step,
    )
    return b.delay("beat", b.mux(schedule.replays, replayed, beat), None, schedule.step)


def _lanes_of_parts(op: dataflow.MvuOp) -> Iterator[list[int]]:
    """For each vector that is worked on at once, and each of its groups, the lanes that it is in.

    Elements of a vector come in the order (k, group, channel), vectors innermost or outermost."""
    groups, channels = op.parallel_groups, min(op.channels, op.simd)
    for vector in range(op.mmv):
        for group in range(groups):
            elements = [
                ((lane // channels) * groups + group) * channels + lane % channels
                for lane in range(op.simd)
            ]
            if op.is_interleaved:
                yield [element * op.mmv + vector for element in elements]
            else:
                yield [vector * groups * op.simd + element for element in elements]


def _weights(b: HwBuilder, op: dataflow.MvuOp, products: Products, schedule: _Schedule) -> SSAValue:
    """The weights of all rows in cycle 1."""
    bits = products.rom_bits()
    if len(bits) == 1 and not op.is_reloadable:
        return b.const(int("".join(map(str, bits[0, ::-1])), 2), bits.shape[1])
    address = b.const(0, 1) if len(bits) == 1 else _weight_address(b, op, schedule)
    return b.rom("weights", bits, address, schedule.enable, style=op.memory_style())


def _weight_address(b: HwBuilder, op: dataflow.MvuOp, schedule: _Schedule) -> SSAValue:
    """neuron fold · SF + synapse fold, groups one after another, without a multiplication."""
    if op.groups > op.parallel_groups:
        return counter(b, "address", op.weight_words, schedule.step).value
    if op.neuron_folds == 1:
        return schedule.synapse.value
    if op.synapse_folds == 1:
        return schedule.neuron.value
    if op.synapse_folds & (op.synapse_folds - 1) == 0:
        return b.concat(schedule.neuron.value, schedule.synapse.value)
    return counter(b, "address", op.synapse_folds * op.neuron_folds, schedule.step).value


def _accumulate(
    b: HwBuilder,
    op: dataflow.MvuOp,
    products: Products,
    end: SumEnd,
    schedule: _Schedule,
    inputs: SSAValue,
    weights: SSAValue,
) -> tuple[list[Number], SSAValue]:
    """The sum of each row, for one vector after the other, complete in the cycle after the one
    where the second value is 1."""
    enable = schedule.enable
    stepped = b.delay("step_q", schedule.step, 0, enable)
    valid = _held(b, "product_valid", stepped, op.stages, enable, reset=0)
    first, last = b.const(1, 1), b.const(1, 1)
    if op.synapse_folds > 1:
        is_first = b.eq(schedule.synapse.value, 0)
        first_q = b.delay("first_q", is_first, None, enable)
        first = _held(b, "first_qq", first_q, op.stages, enable)
        last_q = b.delay("last_q", schedule.synapse.is_last, None, enable)
        last = _held(b, "last_qq", last_q, op.stages, enable)
    width = bits_for(end.low, end.high)
    advance = b.named("accumulate", b.and_(enable, valid))
    start = [b.const(0, width)] * op.pe
    if end.start is not None:
        folds = end.start.reshape(-1, op.pe)
        early = schedule.neuron
        if len(folds) != op.neuron_folds or op.stages > 1:
            # The neuron fold would be ahead.
            early = counter(b, "fold", len(folds), b.and_(advance, first))
        start = starts(
            b,
            folds,
            width,
            op.synapse_folds,
            step=advance,
            first=first,
            early=(early, enable),
            loadable=op.is_reloadable and not end.is_fixed,
        )
    sums: list[Number] = []
    for index, stored in enumerate(_addends(b, op, products, schedule, inputs, weights)):
        register = b.reg(f"sum{index}", width, None)
        # The addend comes first: the other operand can share a look-up table with its choice.
        so_far = b.mux(first, start[index % op.pe], register.value)
        addend, *further = [fit(b, x, width) for x in stored]
        register.set_next(b.add(addend, so_far, *further), enable=advance)
        sums.append(Number(register.value, end.low, end.high))
    return sums, b.named("done", b.and_(valid, last))


def _held(
    b: HwBuilder,
    name: str,
    value: SSAValue,
    stages: int,
    enable: SSAValue,
    reset: int | None = None,
) -> SSAValue:
    """A signal that goes along with products."""
    for _ in range(stages):
        value = b.delay(name, value, reset, enable)
    return value


def _addends(
    b: HwBuilder,
    op: dataflow.MvuOp,
    products: Products,
    schedule: _Schedule,
    inputs: SSAValue,
    weights: SSAValue,
) -> Iterator[list[Number]]:
    """What each row of each vector adds to its sum, behind all stages."""
    parts = b.slices(inputs, b.width(inputs) // (op.mmv * op.parallel_groups))
    signals = [*parts, weights]
    if op.stages > 1:
        constants = [constant_of(signal) for signal in signals]
        widths = [b.width(signal) for signal in signals]
        starts = [*(Depth() for _ in parts), weights_start(op)]
        logic = partial(_all_rows, op, products)
        retimed = Retimed(widths, logic, products.lut_inputs, constants, starts)
        rows = retimed.build(b, signals, op.stages, schedule.enable)
    else:
        rows = _all_rows(op, products, b, signals)
    for index, row in enumerate(rows):
        if op.stages == 0:
            yield row
            continue
        yield [
            Number(b.delay(f"product{index}", x.value, None, schedule.enable), x.low, x.high)
            for x in row
        ]


def _all_rows(
    op: dataflow.MvuOp, products: Products, b: HwBuilder, signals: Sequence[SSAValue]
) -> list[list[Number]]:
    """What each row adds to its sum, for one vector after the other, from the part of each group of
    each vector and the weights."""
    *parts, weights = signals
    rows: list[list[Number]] = []
    for vector in range(op.mmv):
        of_vector = parts[vector * op.parallel_groups : (vector + 1) * op.parallel_groups]
        of_rows = [of_vector[row * op.parallel_groups // op.pe] for row in range(op.pe)]
        rows += products.emit_rows(b, of_rows, weights)
    return rows


def _results(
    b: HwBuilder,
    op: dataflow.MvuOp,
    products: Products,
    end: SumEnd,
    schedule: _Schedule,
    sums: list[Number],
    done: SSAValue,
) -> list[SSAValue]:
    """The elements of the output beat, from complete sums."""
    table = ChannelTable(op.pe, loadable=op.is_reloadable)
    width = dataflow.stream_type(op.output).element_width
    comparisons = end.comparisons
    if comparisons is not None:
        comparisons.add_to(table, with_thresholds=end.start is None)
    elif end.start is None:
        offsets = end.offsets & ((1 << width) - 1)
        table.add("offset", offsets, width, fixed=products.has_fixed_offset)
    word = None
    bits = table.rom_bits()
    if bits is not None:
        advance = b.and_(schedule.enable, done)
        fold = counter(b, "result", table.folds, advance)
        word = b.rom("channels", bits, fold.value, advance)
    results: list[SSAValue] = []

    def held(value: SSAValue) -> SSAValue:
        if constant_of(value) is not None:
            return value
        return _held(b, "compared", value, op.code_stages, schedule.enable)

    for index, number in enumerate(sums):
        lane = index % op.pe
        if comparisons is not None:
            reached = None if end.start is None else b.bit(number.value, -1)
            code = comparisons.emit(b, number, table, word, lane, reached, held)
            results.append(fit(b, code, width))
        else:
            value = fit(b, scaled(b, number, products.scale), width)
            if end.start is None:
                value = b.sub(value, table.signal(b, word, "offset", lane))
            results.append(value)
    return results
