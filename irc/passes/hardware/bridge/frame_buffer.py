"""A queue of words that gives only what was committed, and forgets the rest on demand."""

from __future__ import annotations

from xdsl.dialects import hw

from irc.dialects.rtl import address_width
from irc.passes.hardware.hw_builder import CLOCK_RESET, HwBuilder, Port, axis_ports


def frame_buffer(name: str, size: int, width: int = 8, *, counts: bool = False) -> hw.HWModuleOp:
    """A queue of at least `size` words of `width` bits: the next power of two.

    `write` puts `write_data` in, if there is `room`. `commit` releases everything up to and with
    the word of the same cycle; `abort` drops what was not released. Released words leave at m_axis.
    With `counts`, `free` says how many more there is room for.
    """
    ports = [
        *CLOCK_RESET,
        Port.input("write", 1),
        Port.input("write_data", width),
        Port.input("commit", 1),
        Port.input("abort", 1),
        Port.output("room", 1),
        *axis_ports("m_axis", width, slave=False, last=False),
    ]
    bits = address_width(size)
    if counts:
        ports.append(Port.output("free", bits + 1))
    b = HwBuilder(name, ports)
    # One bit more than an address: a full queue differs from an empty one.
    written, released, read = (b.reg(n, bits + 1) for n in ("written", "released", "read"))
    used = b.sub(written.value, read.value)
    full = b.eq(used, 1 << bits)
    takes = b.named("takes", b.and_(b.input("write"), b.not_(full)))
    after = b.add(written.value, b.zext(takes, bits + 1))
    written.set_next(b.mux(b.input("abort"), released.value, after))
    released.set_next(after, b.input("commit"))

    offered = b.reg("offered", 1)
    ready = b.input("m_axis_tready")
    free = b.or_(b.not_(offered.value), ready)
    fetches = b.named("fetches", b.and_(b.ne(released.value, read.value), free))
    read.set_next(b.add(read.value, 1), fetches)
    offered.set_next(b.or_(fetches, b.and_(offered.value, b.not_(ready))))
    data = b.ram(
        "bytes",
        1 << bits,
        write_enable=takes,
        write_address=b.trunc(written.value, bits),
        write_data=b.input("write_data"),
        read_address=b.trunc(read.value, bits),
        read_enable=fetches,
    )
    b.output("room", b.not_(full))
    if counts:
        b.output("free", b.sub(1 << bits, used))
    b.output("m_axis_tvalid", offered.value)
    b.output("m_axis_tdata", data)
    return b.finish()
