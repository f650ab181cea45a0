"""The hardware of thresholds on a stream.

Thresholds that all channels share are wired, and one cycle passes from beat to result. Those of
each channel are read from a ROM first, which takes another. Where thresholds are loaded and each
lane has its own channel, the only word of that memory is there all the time.
"""

from __future__ import annotations

from xdsl.dialects import hw

from irc.dialects import dataflow
from irc.dialects.dense import element_range
from irc.passes.hardware.units.numbers import Number, fit
from irc.passes.hardware.units.pipeline import INPUT, counter, output_register, unit_builder
from irc.passes.hardware.units.tables import ChannelTable
from irc.passes.hardware.units.thresholds import Comparisons


def threshold_module(op: dataflow.ThresholdOp, name: str) -> hw.HWModuleOp:
    """The module of a unit whose input has `pe` lanes."""
    source, result = dataflow.stream_type(op.input), dataflow.stream_type(op.output)
    b = unit_builder(name, source.beat_width, result.beat_width, op.location)
    beat, valid = b.input(f"{INPUT}_tdata"), b.input(f"{INPUT}_tvalid")
    low, high = element_range(source.element_type)
    # Bipolar inputs are compared as their bit: x = 2·bit − 1.
    bipolar = source.element_width == 1 and low == -1 and high == 1
    scale, offset = (2, 1) if bipolar else (1, 0)
    low, high = (0, 1) if bipolar else (low, high)
    comparisons = Comparisons.of(op, low, high, scale, offset)
    table = ChannelTable(op.pe, loadable=op.is_reloadable)
    comparisons.add_to(table)
    bits = table.rom_bits()
    word = None
    if op.channel_folds == 1:
        end = output_register(b, valid)
        b.output(f"{INPUT}_tready", end.free)
        if bits is not None:
            word = b.rom("channels", bits, b.const(0, 1))
    else:
        present = b.reg("beat_valid", 1)
        end = output_register(b, present.value)
        b.output(f"{INPUT}_tready", end.enable)
        present.set_next(valid, end.enable)
        beat = b.delay("beat", beat, None, end.enable)
        if bits is not None:
            taken = b.and_(valid, end.enable)
            fold = counter(b, "fold", table.folds, taken)
            word = b.rom("channels", bits, fold.value, taken)
    numbers = [Number(lane, low, high) for lane in b.slices(beat, source.element_width)]
    codes = [comparisons.emit(b, x, table, word, lane) for lane, x in enumerate(numbers)]
    end.store([fit(b, code, result.element_width) for code in codes])
    return b.finish()
