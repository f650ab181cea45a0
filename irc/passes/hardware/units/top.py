"""The module that a design shows to the world: AXI4-Stream in, AXI4-Stream out.

TDATA holds `lanes` elements, lane 0 in the least significant bits, each at its own width (bipolar
as its bit, integers in two's complement), channels last; unused bits are 0 and ignored on input.
Frames follow each other without a gap and are counted by their beats: `s_axis_tlast` is ignored,
`m_axis_tlast` marks the last beat of each frame. `aresetn` clears everything, frames under way
included; nothing is accepted during reset or in the cycle after it. Where weights can be loaded,
there is a second stream, see `configuration`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from xdsl.dialects import hw
from xdsl.ir import Operation, SSAValue

from irc.dialects import dataflow
from irc.dialects.rtl import address_width
from irc.passes.hardware.design import Design
from irc.passes.hardware.hw_builder import CLOCK_RESET, HwBuilder, Value, axis_ports
from irc.passes.hardware.units.configuration import (
    Configuration,
    configuration,
    configuration_ports,
)
from irc.passes.hardware.units.loader import LoadableMemory
from irc.passes.hardware.units.pipeline import INPUT, OUTPUT, counter, stream_names
from irc.passes.hardware.units.reload_stream import SHAPE, shape_attribute, shape_of


@dataclass(frozen=True)
class Instance:
    """A unit of the design in its place: what it is called there, and its module."""

    op: Operation
    name: str
    module: hw.HWModuleOp
    memories: tuple[LoadableMemory, ...] = ()
    """Those that the configuration stream fills, in its order."""
    filling: int = 0
    """Cycles after a reset before the unit may take a beat."""


def top_module(name: str, design: Design, instances: Sequence[Instance]) -> hw.HWModuleOp:
    """Connect the units of a design, given in their order there, by its streams."""
    source, result = design.source, design.result
    ports = [
        *CLOCK_RESET,
        *axis_ports(INPUT, source.tdata_width, slave=True),
        *axis_ports(OUTPUT, result.tdata_width, slave=False),
    ]
    memories = [memory for instance in instances for memory in instance.memories]
    if memories:
        ports += configuration_ports()
    b = HwBuilder(name, ports, public=True)
    resetn = b.input("aresetn")
    # One cycle late after reset, hence nothing is accepted in the cycle after it.
    running = b.reg("running", 1)
    open_ = b.named("open", b.and_(running.value, resetn))

    config: Configuration | None = None
    shape: int | None = None
    if memories:
        complete = all(memory.has_contents for memory in memories)
        shape = shape_of([(instance.name, instance.module) for instance in instances])
        config = configuration(b, len(memories), source.beats, shape, has_contents=complete)
        open_ = b.and_(open_, config.may_begin)
    filling = max(instance.filling for instance in instances) if instances else 0
    running.set_next(_filled(b, filling, config))

    def accept(ready: SSAValue) -> None:
        b.output(f"{INPUT}_tready", b.and_(ready, open_))
        if config is not None:
            config.taken.drive(b.and_(ready, open_, b.input(f"{INPUT}_tvalid")))

    streams = _Streams()
    streams.add(
        design.entry.output,
        _Stream(
            b.trunc(b.input(f"{INPUT}_tdata"), source.beat_width),
            b.and_(b.input(f"{INPUT}_tvalid"), open_),
            accept,
        ),
    )
    for instance in instances:
        _connect(b, streams, instance, config)
    b.location = None
    last = streams.read(design.exit.input)
    last.accept(b.input(f"{OUTPUT}_tready"))
    offered = b.and_(last.valid, resetn)
    given = b.and_(offered, b.input(f"{OUTPUT}_tready"))
    b.output(f"{OUTPUT}_tdata", b.zext(last.data, result.tdata_width))
    b.output(f"{OUTPUT}_tvalid", offered)
    is_last = counter(b, "beat", result.beats, given).is_last
    b.output(f"{OUTPUT}_tlast", is_last)
    if config is not None:
        config.ended.drive(b.and_(given, is_last))
        config.finish()
    top = b.finish()
    if shape is not None:
        top.attributes[SHAPE] = shape_attribute(shape)
    return top


def _filled(b: HwBuilder, cycles: int, config: Configuration | None) -> Value:
    """Whether units are ready, which takes so many cycles after a reset or other weights."""
    if config is None:
        return 1
    restarts = config.restart
    if cycles == 0:
        return b.not_(restarts)
    count = b.reg("filled", address_width(cycles + 1))
    done = b.eq(count.value, cycles)
    count.set_next(b.mux(restarts, 0, b.add(count.value, 1)), b.or_(restarts, b.not_(done)))
    return b.and_(done, b.not_(restarts))


@dataclass(frozen=True)
class _Stream:
    """The signals of a stream; `accept` must be called once, with `tready` of its reader."""

    data: SSAValue
    valid: SSAValue
    accept: Callable[[SSAValue], None]


class _Streams:
    """The streams that something gives and nothing reads yet."""

    def __init__(self) -> None:
        self._by_value: dict[SSAValue, _Stream] = {}

    def add(self, value: SSAValue, stream: _Stream) -> None:
        """A stream for the only reader of a value, or of what a reshape makes of it."""
        reader = value.get_user_of_unique_use()
        if isinstance(reader, dataflow.ReshapeOp):
            self.add(reader.output, stream)
        else:
            self._by_value[value] = stream

    def read(self, value: SSAValue) -> _Stream:
        """The stream of a value that is read here."""
        return self._by_value.pop(value)


def _connect(
    b: HwBuilder, streams: _Streams, instance: Instance, config: Configuration | None
) -> None:
    """Instantiate a unit; its readers come later. All that is built for it is at its location."""
    op, name = instance.op, instance.name
    b.location = op.location
    inputs = stream_names(INPUT, len(op.operands))
    outputs = stream_names(OUTPUT, len(op.results))
    sources = [streams.read(value) for value in op.operands]
    readies = [b.wire(f"{name}_{port}", 1) for port in stream_names("ready", len(op.results))]
    signals: dict[str, Value] = {}
    for prefix, source in zip(inputs, sources, strict=True):
        signals[f"{prefix}_tdata"], signals[f"{prefix}_tvalid"] = source.data, source.valid
    for prefix, ready in zip(outputs, readies, strict=True):
        signals[f"{prefix}_tready"] = ready.value
    if config is not None:
        signals["aresetn"] = b.and_(b.input("aresetn"), b.not_(config.restart))
        if instance.memories:
            signals.update(config.signals())
    driven = b.instance(name, instance.module, signals)
    if config is not None and instance.memories:
        config.behind(driven)
    for prefix, source in zip(inputs, sources, strict=True):
        source.accept(driven[f"{prefix}_tready"])
    for value, prefix, ready in zip(op.results, outputs, readies, strict=True):
        stream = _Stream(driven[f"{prefix}_tdata"], driven[f"{prefix}_tvalid"], ready.drive)
        streams.add(value, stream)
