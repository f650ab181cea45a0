"""SPI in mode 0 as a byte port: the FPGA is the peripheral, sampled by its own clock."""

from __future__ import annotations

from xdsl.dialects import hw
from xdsl.ir import SSAValue

from irc.passes.hardware.bridge.bridge import BytePort
from irc.passes.hardware.bridge.uart import BYTE_PORTS, SEND_PORTS
from irc.passes.hardware.hw_builder import CLOCK_RESET, HwBuilder, Port

MIN_CLOCKS_AN_SPI_BIT = 10
"""From the falling edge of sck to miso pass four clocks, and the host samples half a bit later."""


def spi_port(bridge: str) -> BytePort:
    """Pins `cs` (active low), `sck`, `mosi`, `miso`; most significant bit first.

    The bridge gives a byte whenever the host sends one, 0 where it has nothing to say.
    """
    pins = [
        Port.input("cs", 1),
        Port.input("sck", 1),
        Port.input("mosi", 1),
        Port.output("miso", 1),
    ]
    return BytePort([_spi_module(f"{bridge}_spi", pins)], pins)


def _spi_module(name: str, pins: list[Port]) -> hw.HWModuleOp:
    b = HwBuilder(name, [*CLOCK_RESET, *pins, *BYTE_PORTS, *SEND_PORTS])
    # Two stages against metastability, the third to see edges.
    cs = _stages(b, "cs", 2, 1)
    sck = _stages(b, "sck", 3, 0)
    mosi = _stages(b, "mosi", 2, 0)
    selected = b.named("selected", b.not_(b.bit(cs, 1)))
    level, before = b.bit(sck, 1), b.bit(sck, 2)
    rises = b.named("rises", b.and_(selected, level, b.not_(before)))
    falls = b.named("falls", b.and_(selected, b.not_(level), before))

    count = b.reg("count", 3)
    count.set_next(b.mux(selected, b.add(count.value, b.zext(rises, 3)), 0))
    heard = b.reg("heard", 8, None)
    heard.set_next(b.concat(b.trunc(heard.value, 7), b.bit(mosi, 1)), rises)
    whole = b.delay("whole", b.and_(rises, b.all(count.value)))

    # A byte is fetched before the first bit of the next one: when selected, and after the last. One
    # that was fetched and not begun waits for the next time that the host selects the bridge.
    was_selected = b.delay("was_selected", selected)
    begins = b.and_(selected, b.not_(was_selected))
    next_byte = b.and_(falls, b.eq(count.value, 0))
    waits = b.reg("waits", 1)
    loads = b.named("loads", b.or_(b.and_(begins, b.not_(waits.value)), next_byte))
    first = b.and_(rises, b.eq(count.value, 0))
    waits.set_next(b.mux(loads, b.input("send_valid"), 0), b.or_(loads, first))
    said = b.reg("said", 8)
    fetched = b.mux(b.input("send_valid"), b.input("send"), 0)
    moved = b.concat(b.trunc(said.value, 7), b.const(0, 1))
    said.set_next(b.mux(loads, fetched, moved), b.or_(loads, falls))
    b.output("miso", b.bit(said.value, 7))
    b.output("send_ready", loads)
    b.output("octet", heard.value)
    b.output("octet_valid", whole)
    # A byte that is cut short by cs.
    cut = b.and_(was_selected, b.not_(selected), b.any(count.value))
    b.output("octet_fault", cut)
    return b.finish()


def _stages(b: HwBuilder, pin: str, stages: int, at_rest: int) -> SSAValue:
    samples = b.reg(f"{pin}_samples", stages, (1 << stages) - 1 if at_rest else 0)
    samples.set_next(b.concat(b.trunc(samples.value, stages - 1), b.input(pin)))
    return samples.value
