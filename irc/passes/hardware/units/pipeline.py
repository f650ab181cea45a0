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


def unit_builder(
    name: str, input_width: int, output_width: int, location: LocationAttr | None = None
) -> HwBuilder:
    """A private module with one stream in and one out, neither padded nor with TLAST."""
    ports = [
        *CLOCK_RESET,
        *axis_ports(INPUT, input_width, slave=True, last=False),
        *axis_ports(OUTPUT, output_width, slave=False, last=False),
    ]
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
