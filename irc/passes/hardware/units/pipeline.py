"""The handshakes that all units share.

A unit is a pipeline of registers that all advance together, under one enable, and end in an
output register. The pipeline stops only when a result is about to enter the output register and
the one before has not been taken; `tvalid` never waits for `tready`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.dialects.builtin import LocationAttr
from xdsl.ir import SSAValue

from irc.dialects.rtl import address_width
from irc.passes.hardware.hw_builder import CLOCK_RESET, HwBuilder, axis_ports

INPUT, OUTPUT = "s_axis", "m_axis"


def stream_names(prefix: str, count: int) -> list[str]:
    """What the ports of `count` streams start with: numbered where there are several."""
    return [prefix] if count == 1 else [f"{prefix}{index}" for index in range(count)]


def unit_builder(
    name: str, input_width: int, output_width: int, location: LocationAttr | None = None
) -> HwBuilder:
    """A private module with one stream in and one out, neither padded nor with TLAST."""
    return branch_builder(name, [input_width], [output_width], location)


def branch_builder(
    name: str,
    input_widths: Sequence[int],
    output_widths: Sequence[int],
    location: LocationAttr | None = None,
) -> HwBuilder:
    """The same with any number of streams on either side, named by `stream_names`."""
    ports = [*CLOCK_RESET]
    for prefix, widths in ((INPUT, input_widths), (OUTPUT, output_widths)):
        for stream, width in zip(stream_names(prefix, len(widths)), widths, strict=True):
            ports += axis_ports(stream, width, slave=prefix == INPUT, last=False)
    return HwBuilder(name, ports, location=location)


@dataclass(frozen=True)
class Counter:
    """`value` runs from 0 to the last number and round again; `is_last` is 1 at that number."""

    value: SSAValue
    is_last: SSAValue


def counter(b: HwBuilder, name: str, count: int, advance: SSAValue) -> Counter:
    """A counter modulo `count` that moves on in cycles where `advance` is 1."""
    width = address_width(count)
    if count == 1:
        return Counter(b.const(0, width), b.const(1, 1))
    reg = b.reg(name, width)
    is_last = b.named(f"{name}_last", b.eq(reg.value, count - 1))
    following = b.add(reg.value, 1)
    if count != 1 << width:
        following = b.mux(is_last, 0, following)
    reg.set_next(following, enable=advance)
    return Counter(reg.value, is_last)


def between(b: HwBuilder, position: Counter, first: int, end: int, count: int) -> SSAValue:
    """Whether a counter below `count` is at least `first` and below `end`."""
    low = b.const(1, 1) if first == 0 else b.uge(position.value, first)
    high = b.const(1, 1) if end == count else b.ult(position.value, end)
    return b.and_(low, high)


def output_register(b: HwBuilder, valid: SSAValue) -> OutputRegister:
    """The end of a pipeline: `valid` says that a result is there to be stored in this cycle."""
    out_valid = b.reg("out_valid", 1)
    ready = b.input(f"{OUTPUT}_tready")
    free = b.named("free", b.or_(b.not_(out_valid.value), ready))
    load = b.named("load", b.and_(valid, free))
    out_valid.set_next(b.or_(load, b.and_(out_valid.value, b.not_(ready))))
    b.output(f"{OUTPUT}_tvalid", out_valid.value)
    enable = b.named("enable", b.or_(b.not_(valid), free))
    return OutputRegister(b, free, enable, load)


@dataclass(frozen=True)
class OutputRegister:
    """`free` says that a result would find room, `enable` that none stands in the way of the
    pipeline before the register."""

    b: HwBuilder
    free: SSAValue
    enable: SSAValue
    load: SSAValue

    def store(self, lanes: Sequence[SSAValue]) -> None:
        """The result, lane 0 in the least significant bits."""
        data = self.b.delay("out_data", self.b.concat(*reversed(lanes)), None, self.load)
        self.b.output(f"{OUTPUT}_tdata", data)
