"""UART, 8 data bits, no parity, one stop bit, with a fractional divider."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log2

from xdsl.dialects import hw
from xdsl.ir import SSAValue

from irc.passes.hardware.hw_builder import CLOCK_RESET, HwBuilder, Port

MIN_CLOCKS_A_BIT = 6
"""Fewer leave no room for synchroniser, filter and a sample near the middle of the bit."""

BYTE_PORTS = (
    Port.output("octet", 8),
    Port.output("octet_valid", 1),
    Port.output("octet_fault", 1),
)
"""Of whatever receives bytes: in a cycle with `octet_valid` a byte is there; in one with
`octet_fault` one was lost."""

SEND_PORTS = (Port.input("send", 8), Port.input("send_valid", 1), Port.output("send_ready", 1))
"""Of whatever sends bytes: a stream."""


@dataclass(frozen=True)
class Divider:
    """A phase of `width` bits that grows by `step` a clock; it overflows at the bit rate."""

    width: int
    step: int

    @staticmethod
    def of(clock: float, baud: float) -> Divider:
        """For a clock and a bit rate in the same unit, off by less than 1 in 500."""
        # A step of at least 256 is rounded by at most 1 in 512.
        width = ceil(log2(clock / baud)) + 8
        return Divider(width, round((1 << width) * baud / clock))

    def baud(self, clock: float) -> float:
        """The bit rate that comes out."""
        return clock * self.step / (1 << self.width)


def uart_receiver(name: str, divider: Divider) -> hw.HWModuleOp:
    """Port `rx` to `BYTE_PORTS`. A byte without a stop bit is a fault; after a break the line has
    to go up before a new byte can begin."""
    b = HwBuilder(name, [*CLOCK_RESET, Port.input("rx", 1), *BYTE_PORTS])
    # Two stages against metastability; the third is for the vote. Idle lines are 1.
    samples = b.reg("samples", 4, 0b1111)
    samples.set_next(b.concat(b.trunc(samples.value, 3), b.input("rx")))
    _, second, third, fourth = (b.bit(samples.value, index) for index in range(4))
    level = b.named(
        "level",
        b.or_(b.and_(second, third), b.and_(third, fourth), b.and_(second, fourth)),
    )
    before = b.delay("level_before", level, 1)

    count = b.reg("count", 4)
    busy = b.named("busy", b.any(count.value))
    begins = b.named("begins", b.and_(b.not_(busy), before, b.not_(level)))
    tick = _ticks(b, divider, begins, 1 << (divider.width - 1))
    false_start = b.and_(b.eq(count.value, _BITS), level)
    after = b.mux(false_start, 0, b.sub(count.value, 1))
    count.set_next(b.mux(begins, _BITS, after), b.or_(begins, b.and_(busy, tick)))

    ends = b.named("ends", b.and_(tick, b.eq(count.value, 1)))
    shift = b.reg("shift", 8, None)
    is_data = b.and_(b.ne(count.value, 1), b.ne(count.value, _BITS))
    moved = b.concat(level, b.extract(shift.value, 1, 7))
    shift.set_next(moved, b.and_(busy, tick, is_data))
    b.output("octet", shift.value)
    b.output("octet_valid", b.delay("valid", b.and_(ends, level)))
    b.output("octet_fault", b.delay("fault", b.and_(ends, b.not_(level))))
    return b.finish()


_BITS = 10
"""Start bit, data, stop bit."""


def uart_transmitter(name: str, divider: Divider) -> hw.HWModuleOp:
    """`SEND_PORTS` to port `tx`."""
    b = HwBuilder(name, [*CLOCK_RESET, *SEND_PORTS, Port.output("tx", 1)])
    count = b.reg("count", 4)
    idle = b.named("idle", b.eq(count.value, 0))
    takes = b.named("takes", b.and_(idle, b.input("send_valid")))
    tick = _ticks(b, divider, takes, 0)
    moves = b.named("moves", b.and_(b.not_(idle), tick))
    count.set_next(b.mux(takes, _BITS, b.sub(count.value, 1)), b.or_(takes, moves))
    # The stop bit is what moves in from the top.
    line = b.reg("line", 9, 0x1FF)
    moved = b.concat(b.const(1, 1), b.extract(line.value, 1, 8))
    loaded = b.concat(b.input("send"), b.const(0, 1))
    line.set_next(b.mux(takes, loaded, moved), b.or_(takes, moves))
    b.output("send_ready", idle)
    b.output("tx", b.bit(line.value, 0))
    return b.finish()


def _ticks(b: HwBuilder, divider: Divider, restart: SSAValue, phase_at_start: int) -> SSAValue:
    """1 once a bit, first as long after `restart` as the phase takes from its start."""
    phase = b.reg("phase", divider.width)
    total = b.add(b.zext(phase.value, divider.width + 1), divider.step)
    phase.set_next(b.mux(restart, phase_at_start, b.trunc(total, divider.width)))
    return b.named("tick", b.bit(total, -1))
