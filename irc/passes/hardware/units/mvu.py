"""The hardware of a matrix-vector unit.

One step of computation takes SIMD inputs and PE·SIMD weights; a vector takes SF·NF steps. In the
first SF of them, beats are taken from the input and copied into a buffer, from which they are
replayed for the other neuron folds. Steps follow each other without a gap, from vector to vector:
SF·NF cycles a vector while neither side stalls. Several groups, or several vectors, at once have
inputs of their own in a beat, and vectors share the weights.

    cycle 0   the beat is taken; addresses of weights and buffer
    cycle 1   weights and beat meet: products and their sum
    cycle 2   accumulation
    cycle 3   sum complete: thresholds
    cycle 4   result offered
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xdsl.dialects import hw
from xdsl.ir import SSAValue

from irc.dialects import dataflow
from irc.passes.hardware.hw_builder import HwBuilder
from irc.passes.hardware.units.numbers import Number, bits_for, fit, scaled
from irc.passes.hardware.units.pipeline import (
    INPUT,
    Counter,
    counter,
    output_register,
    unit_builder,
)
from irc.passes.hardware.units.products import Products, products_of
from irc.passes.hardware.units.tables import ChannelTable
from irc.passes.hardware.units.thresholds import Comparisons


def mvu_module(op: dataflow.MvuOp, name: str) -> hw.HWModuleOp:
    """The module of a unit whose input has `simd` lanes."""
    source, result = dataflow.stream_type(op.input), dataflow.stream_type(op.output)
    b = unit_builder(name, source.beat_width, result.beat_width, op.location)
    products = products_of(op)
    complete = b.wire("sum_valid", 1)
    end = output_register(b, complete.value)
    schedule = _schedule(b, op, end.enable)
    inputs = _replayed_input(b, op, products, schedule)
    weights = _weights(b, op, products, schedule)
    sums, done = _accumulate(b, op, products, schedule, inputs, weights)
    complete.drive(b.delay("sum_valid_q", done, 0, end.enable))
    end.store(_results(b, op, products, schedule, sums, done))
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
    fresh = b.delay("beat", beat, None, schedule.takes)
    if op.synapse_folds == 1:
        return fresh
    replayed = b.ram(
        "buffer",
        op.synapse_folds,
        write_enable=schedule.takes,
        write_address=schedule.synapse.value,
        write_data=beat,
        read_address=schedule.synapse.value,
        read_enable=b.and_(schedule.enable, schedule.replays),
    )
    from_buffer = b.delay("from_buffer", schedule.replays, None, schedule.enable)
    return b.named("beat_now", b.mux(from_buffer, replayed, fresh))


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


def _weights(
    b: HwBuilder, op: dataflow.MvuOp, products: Products, schedule: _Schedule
) -> list[SSAValue]:
    """The weights of each row in cycle 1."""
    bits = products.rom_bits()
    if len(bits) == 1:
        word = b.const(int("".join(map(str, bits[0, ::-1])), 2), bits.shape[1])
    else:
        address = _weight_address(b, op, schedule)
        word = b.rom("weights", bits, address, schedule.enable, style=op.memory_style())
    return b.slices(word, bits.shape[1] // op.pe)


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
    schedule: _Schedule,
    inputs: SSAValue,
    weights: list[SSAValue],
) -> tuple[list[Number], SSAValue]:
    """The sum of each row, for one vector after the other, complete in the cycle after the one
    where the second value is 1."""
    enable = schedule.enable
    stepped = b.delay("step_q", schedule.step, 0, enable)
    valid = b.delay("product_valid", stepped, 0, enable)
    first, last = b.const(1, 1), b.const(1, 1)
    if op.synapse_folds > 1:
        is_first = b.eq(schedule.synapse.value, 0)
        first = b.delay("first_qq", b.delay("first_q", is_first, None, enable), None, enable)
        last_q = b.delay("last_q", schedule.synapse.is_last, None, enable)
        last = b.delay("last_qq", last_q, None, enable)
    low, high = products.range()
    width = bits_for(low, high)
    advance = b.named("accumulate", b.and_(enable, valid))
    sums: list[Number] = []
    parts = b.slices(inputs, b.width(inputs) // (op.mmv * op.parallel_groups))
    for index in range(op.mmv * op.pe):
        vector, row = divmod(index, op.pe)
        part = parts[vector * op.parallel_groups + row * op.parallel_groups // op.pe]
        product = products.emit(b, part, weights[row])
        product_q = b.delay(f"product{index}", product.value, None, enable)
        addend = fit(b, Number(product_q, product.low, product.high), width)
        register = b.reg(f"sum{index}", width, None)
        following = b.add(b.mux(first, 0, register.value), addend)
        register.set_next(following, enable=advance)
        sums.append(Number(register.value, low, high))
    return sums, b.named("done", b.and_(valid, last))


def _results(
    b: HwBuilder,
    op: dataflow.MvuOp,
    products: Products,
    schedule: _Schedule,
    sums: list[Number],
    done: SSAValue,
) -> list[SSAValue]:
    """The elements of the output beat, from complete sums."""
    table = ChannelTable(op.pe)
    width = dataflow.stream_type(op.output).element_width
    offsets = products.offsets()
    comparisons = None
    if op.thresholds is not None:
        comparisons = Comparisons.of(op, *products.range(), products.scale, offsets)
        comparisons.add_to(table)
    else:
        table.add("offset", offsets & ((1 << width) - 1), width)
    word = None
    bits = table.rom_bits()
    if bits is not None:
        advance = b.and_(schedule.enable, done)
        fold = counter(b, "result", table.folds, advance)
        word = b.rom("channels", bits, fold.value, advance)
    results: list[SSAValue] = []
    for index, number in enumerate(sums):
        lane = index % op.pe
        if comparisons is not None:
            results.append(fit(b, comparisons.emit(b, number, table, word, lane), width))
        else:
            value = fit(b, scaled(b, number, products.scale), width)
            results.append(b.sub(value, table.signal(b, word, "offset", lane)))
    return results
