"""AXI4-Lite registers beside a core: who it is, whether it runs, how many frames it has done.

| address | register | |
|---|---|---|
| 0x00 | ID | identity of the network |
| 0x04 | VERSION | 1 |
| 0x08 | CONTROL | bit 0: run, 1 after reset; at 0 no input is taken |
| | | bit 1: clear counters and faults; reads 0 |
| | | bit 2: hold the core in reset |
| 0x0C | STATUS | bit 0: frames are under way |
| | | bit 1: input waits; bit 2: output waits |
| | | bit 3: TKEEP of an input beat was not all 1 |
| | | bit 4: TLAST of the input was not at the end of a frame |
| | | bit 5: weights are being loaded, or wait to be |
| | | bit 6: the last configuration stream was not good: `cfg_error` of the core |
| 0x10 | FRAMES_IN | frames taken |
| 0x14 | FRAMES_OUT | results given |
| 0x18 | CYCLES | clock cycles in which frames were under way |
| 0x1C | FRAME_BYTES | bytes of TDATA of a frame |
| 0x20 | RESULT_BYTES | bytes of TDATA of a result |
| 0x24 | WEIGHTS | a write is a byte of the configuration stream; bit 8: the last one; reads 0 |
| 0x28 | WEIGHTS_ROOM | how many such bytes may be written; more are lost, and the core will tell |
| 0x2C | SHAPE | that of the configuration streams which the core takes |

The last three, and bits 5 and 6, are there where weights can be loaded, and else 0.

Other addresses, those between words too, read 0. Writes go by whole words: those with WSTRB not
all 1, or to another register than CONTROL and WEIGHTS, change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import hw
from xdsl.ir import SSAValue

from irc.passes.hardware.bridge.bridge import CoreStreams
from irc.passes.hardware.bridge.frame_buffer import frame_buffer
from irc.passes.hardware.bridge.protocol import VERSION
from irc.passes.hardware.bridge.weights import STREAM, WEIGHT_PORTS
from irc.passes.hardware.hw_builder import CLOCK_RESET, HwBuilder, Port

ADDRESS_BITS = 6
WORD_BITS = 32

LITE_PORTS = (
    Port.input("s_axi_awaddr", ADDRESS_BITS),
    Port.input("s_axi_awvalid", 1),
    Port.output("s_axi_awready", 1),
    Port.input("s_axi_wdata", WORD_BITS),
    Port.input("s_axi_wstrb", WORD_BITS // 8),
    Port.input("s_axi_wvalid", 1),
    Port.output("s_axi_wready", 1),
    Port.output("s_axi_bresp", 2),
    Port.output("s_axi_bvalid", 1),
    Port.input("s_axi_bready", 1),
    Port.input("s_axi_araddr", ADDRESS_BITS),
    Port.input("s_axi_arvalid", 1),
    Port.output("s_axi_arready", 1),
    Port.output("s_axi_rdata", WORD_BITS),
    Port.output("s_axi_rresp", 2),
    Port.output("s_axi_rvalid", 1),
    Port.input("s_axi_rready", 1),
)

WATCHED = ("in_valid", "in_ready", "in_last", "in_whole", "out_valid", "out_ready", "out_last")
"""What is looked at: handshakes on both sides of the core, and whether TKEEP is all 1."""

_CONTROL, _WEIGHTS = 0x08, 0x24

WAITING_WEIGHTS = 512
"""Bytes of a configuration stream that may wait."""


def register_modules(
    name: str, streams: CoreStreams, identity: int, shape: int | None = None
) -> list[hw.HWModuleOp]:
    """The module `name` and what it instantiates: ports of AXI4-Lite, the signals `WATCHED`, and
    `run` and `core_resetn` for the core; and, where configuration streams must name a `shape`,
    those of `WEIGHT_PORTS`."""
    ports = [*CLOCK_RESET, *LITE_PORTS, *(Port.input(port, 1) for port in WATCHED)]
    ports += [Port.output("run", 1), Port.output("core_resetn", 1)]
    ports += [] if shape is None else WEIGHT_PORTS
    b = HwBuilder(name, ports, public=True)
    writes, address, data = _write_channel(b)
    written = b.named("control_written", b.and_(writes, b.eq(address, _CONTROL)))
    run, hold = b.reg("running", 1, 1), b.reg("hold", 1)
    run.set_next(b.bit(data, 0), written)
    hold.set_next(b.bit(data, 2), written)
    clear = b.named("clear", b.or_(b.and_(written, b.bit(data, 1)), hold.value))

    core_resetn = b.delay("resetn_of_core", b.not_(hold.value))
    taken = b.and_(b.input("in_valid"), b.input("in_ready"))
    given = b.and_(b.input("out_valid"), b.input("out_ready"))
    position = _beats(b, streams.input_beats, taken, hold.value)
    frame_in = b.named("frame_in", b.and_(taken, position))
    frame_out = b.named("frame_out", b.and_(given, b.input("out_last")))
    # Counted apart from the registers: those may be cleared with frames under way.
    pending = b.reg("pending", 16)
    after = b.sub(b.add(pending.value, b.zext(frame_in, 16)), b.zext(frame_out, 16))
    pending.set_next(b.mux(hold.value, 0, after))
    within = b.reg("within_frame", 1)
    within.set_next(b.mux(hold.value, 0, b.mux(taken, b.not_(position), within.value)))
    busy = b.named("busy", b.or_(b.any(pending.value), within.value))
    partial = _sticky(b, "partial", b.and_(taken, b.not_(b.input("in_whole"))), clear)
    misplaced = _sticky(b, "misplaced", b.and_(taken, b.xor(b.input("in_last"), position)), clear)
    weights, queue = None, None
    if shape is not None:
        queue = frame_buffer(f"{name}_weights", WAITING_WEIGHTS, width=9, counts=True)
        weights = _weights(b, queue, b.and_(writes, b.eq(address, _WEIGHTS)), data, core_resetn)
    status = b.concat(
        *([] if weights is None else [b.input("cfg_error"), weights["busy"]]),
        misplaced,
        partial,
        b.and_(b.input("out_valid"), b.not_(b.input("out_ready"))),
        b.and_(b.input("in_valid"), b.not_(b.input("in_ready"))),
        busy,
    )
    words = [
        b.const(identity & 0xFFFFFFFF, WORD_BITS),
        b.const(VERSION, WORD_BITS),
        b.zext(b.concat(hold.value, b.const(0, 1), run.value), WORD_BITS),
        b.zext(status, WORD_BITS),
        _count(b, "frames_in", frame_in, clear),
        _count(b, "frames_out", frame_out, clear),
        _count(b, "cycles", busy, clear),
        b.const(streams.input_beats * streams.input_bytes, WORD_BITS),
        b.const(streams.output_beats * streams.output_bytes, WORD_BITS),
    ]
    if weights is not None and shape is not None:
        words += [b.const(0, WORD_BITS), b.zext(weights["free"], WORD_BITS)]
        words.append(b.const(shape, WORD_BITS))
    _read_channel(b, words)
    b.output("run", run.value)
    b.output("core_resetn", core_resetn)
    return [b.finish(), *([] if queue is None else [queue])]


def _weights(
    b: HwBuilder,
    queue: hw.HWModuleOp,
    written: SSAValue,
    data: SSAValue,
    core_resetn: SSAValue,
) -> dict[str, SSAValue]:
    """The configuration stream out of a queue of bytes, each with whether it is the last one;
    a reset of the core empties it. Returns `free` and `busy`."""
    stored = b.instance(
        "weights",
        queue,
        {
            "aresetn": b.and_(b.input("aresetn"), core_resetn),
            "write": written,
            "write_data": b.trunc(data, 9),
            "commit": written,
            "abort": 0,
            "m_axis_tready": b.input(f"{STREAM}_tready"),
        },
    )
    waits = b.or_(stored["m_axis_tvalid"], b.ne(stored["free"], WAITING_WEIGHTS))
    b.output(f"{STREAM}_tdata", b.trunc(stored["m_axis_tdata"], 8))
    b.output(f"{STREAM}_tvalid", stored["m_axis_tvalid"])
    b.output(f"{STREAM}_tlast", b.bit(stored["m_axis_tdata"], 8))
    return {"free": stored["free"], "busy": b.or_(waits, b.input("cfg_busy"))}


def _beats(b: HwBuilder, count: int, taken: SSAValue, restart: SSAValue) -> SSAValue:
    """Whether the beat that is offered is the last of its frame."""
    if count == 1:
        return b.const(1, 1)
    width = count.bit_length()
    position = b.reg("position", width)
    is_last = b.named("is_last", b.eq(position.value, count - 1))
    following = b.mux(is_last, 0, b.add(position.value, 1))
    position.set_next(b.mux(restart, 0, following), b.or_(restart, taken))
    return is_last


def _sticky(b: HwBuilder, name: str, happens: SSAValue, clear: SSAValue) -> SSAValue:
    reg = b.reg(name, 1)
    reg.set_next(b.and_(b.or_(reg.value, happens), b.not_(clear)))
    return reg.value


def _count(b: HwBuilder, name: str, happens: SSAValue, clear: SSAValue) -> SSAValue:
    reg = b.reg(name, WORD_BITS)
    reg.set_next(b.mux(clear, 0, b.add(reg.value, 1)), b.or_(clear, happens))
    return reg.value


def _write_channel(b: HwBuilder) -> tuple[SSAValue, SSAValue, SSAValue]:
    """Whether a word is written in this cycle, its address and the data.

    Address and data come in any order; each is held until the other is there and the answer before
    has been taken.
    """
    address_held, data_held, answered = (
        b.reg(name, 1) for name in ("address_held", "data_held", "answered")
    )
    takes_address = b.and_(b.input("s_axi_awvalid"), b.not_(address_held.value))
    takes_data = b.and_(b.input("s_axi_wvalid"), b.not_(data_held.value))
    address = b.delay("address", b.input("s_axi_awaddr"), None, takes_address)
    data = b.delay("data", b.input("s_axi_wdata"), None, takes_data)
    strobes = b.delay("strobes", b.input("s_axi_wstrb"), None, takes_data)
    free = b.or_(b.not_(answered.value), b.input("s_axi_bready"))
    writes = b.named("writes", b.and_(address_held.value, data_held.value, free))
    address_held.set_next(b.or_(takes_address, b.and_(address_held.value, b.not_(writes))))
    data_held.set_next(b.or_(takes_data, b.and_(data_held.value, b.not_(writes))))
    answered.set_next(b.or_(writes, b.and_(answered.value, b.not_(b.input("s_axi_bready")))))
    b.output("s_axi_awready", b.not_(address_held.value))
    b.output("s_axi_wready", b.not_(data_held.value))
    b.output("s_axi_bresp", 0)
    b.output("s_axi_bvalid", answered.value)
    return b.and_(writes, b.all(strobes)), address, data


def _read_channel(b: HwBuilder, words: Sequence[SSAValue]) -> None:
    """A word a read, one cycle after its address."""
    answered = b.reg("read_answered", 1)
    ready = b.named("read_ready", b.not_(answered.value))
    takes = b.and_(ready, b.input("s_axi_arvalid"))
    answered.set_next(b.or_(takes, b.and_(answered.value, b.not_(b.input("s_axi_rready")))))
    word = b.const(0, WORD_BITS)
    for number, value in enumerate(words):
        word = b.mux(b.eq(b.input("s_axi_araddr"), 4 * number), value, word)
    b.output("s_axi_arready", ready)
    b.output("s_axi_rdata", b.delay("word", word, None, takes))
    b.output("s_axi_rresp", 0)
    b.output("s_axi_rvalid", answered.value)
