"""The bridge: messages on a UART or SPI on one side, the streams of a core on the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.dialects import hw
from xdsl.ir import Operation, SSAValue

from irc.dialects.rtl import address_width
from irc.errors import UsageError
from irc.passes.hardware.bridge.frame_buffer import frame_buffer
from irc.passes.hardware.bridge.protocol import MAX_PAYLOAD, WINDOW, Payload
from irc.passes.hardware.bridge.receiver import message_receiver
from irc.passes.hardware.bridge.sender import message_sender
from irc.passes.hardware.bridge.weights import WEIGHT_PORTS, Weights
from irc.passes.hardware.hw_builder import CLOCK_RESET, HwBuilder, Port, Value, axis_ports
from irc.passes.hardware.units.pipeline import counter


@dataclass(frozen=True)
class CoreStreams:
    """What a core takes and gives: beats a frame, and bytes of TDATA a beat."""

    input_beats: int
    input_bytes: int
    output_beats: int
    output_bytes: int
    reloadable: bool = False
    """Whether it has a configuration stream."""

    def payload(self, identity: int) -> Payload:
        """What messages carry; raises `UsageError` where a frame is too long for one."""
        frame = self.input_beats * self.input_bytes
        result = self.output_beats * self.output_bytes
        for what, size in (("a frame", frame), ("a result", result)):
            if size > MAX_PAYLOAD:
                raise UsageError(
                    f"{what} of this network has {size:,} bytes; a message of the bridge carries "
                    f"at most {MAX_PAYLOAD:,}: connect the streams of the core yourself"
                )
        return Payload(frame, result, identity, self.reloadable)


@dataclass(frozen=True)
class BytePort:
    """What moves bytes: its modules, its pins, and how it is put into a bridge."""

    modules: Sequence[hw.HWModuleOp]
    """Together they have the ports of `BYTE_PORTS` and `SEND_PORTS`, and the pins."""
    pins: Sequence[Port]


def bridge_modules(
    name: str, streams: CoreStreams, identity: int, port: BytePort, timeout_bits: int
) -> list[Operation]:
    """The module `name` and what it instantiates.

    m_axis feeds the core, s_axis takes what it gives. `active` turns at every result; `failed` is
    1 from a fault to the next frame that is accepted. Weights go to m_axis_cfg.
    """
    payload = streams.payload(identity)
    receiver = message_receiver(f"{name}_receiver", payload, timeout_bits)
    sender = message_sender(f"{name}_sender", payload)
    frames = frame_buffer(f"{name}_frames", payload.frame)
    results = frame_buffer(f"{name}_results", payload.result)
    ports = [
        *CLOCK_RESET,
        *port.pins,
        *axis_ports("m_axis", 8 * streams.input_bytes, slave=False),
        *axis_ports("s_axis", 8 * streams.output_bytes, slave=True),
        Port.output("active", 1),
        Port.output("failed", 1),
        *(WEIGHT_PORTS if streams.reloadable else ()),
    ]
    b = HwBuilder(name, ports, public=True)
    window = _Window(b)

    send_ready = b.wire("send_ready", 1)
    room, byte = b.wire("room", 1), {key: b.wire(key, bits) for key, bits in _BYTE.items()}
    weights = Weights(b, name) if streams.reloadable else None
    heard = b.instance(
        "receiver",
        receiver,
        {
            **{key: wire.value for key, wire in byte.items()},
            "room": room.value,
            "window_open": window.open,
            **({} if weights is None else weights.to_receiver),
        },
    )
    if weights is not None:
        weights.connect(heard, byte["octet"].value)
    stored = _feed_core(b, frames, streams, heard, byte["octet"].value)
    room.drive(stored)
    wanted, taken = b.wire("result_wanted", 1), b.wire("result_taken", 1)
    result = _collect_results(b, results, streams, wanted.value, taken.value)
    said = b.instance(
        "sender",
        sender,
        {
            "fault": heard["fault"],
            "fault_code": heard["fault_code"],
            "identify": heard["identify"],
            "number": heard["number"],
            "result_ready": result["ready"],
            "result_sequence": window.oldest,
            "s_axis_tdata": result["data"],
            "s_axis_tvalid": result["valid"],
            "send_ready": send_ready.value,
            **({} if weights is None else weights.to_sender),
        },
    )
    wanted.drive(said["s_axis_tready"])
    taken.drive(said["result_taken"])
    window.connect(heard["commit"], heard["number"], said["result_taken"])

    given = _byte_port(b, port, said["send"], said["send_valid"])
    for key, wire in byte.items():
        wire.drive(given[key])
    send_ready.drive(given["send_ready"])

    active = b.reg("activity", 1)
    active.set_next(b.not_(active.value), said["result_taken"])
    failed = b.reg("failure", 1)
    failed.set_next(heard["fault"], b.or_(heard["fault"], heard["commit"]))
    b.output("active", active.value)
    b.output("failed", failed.value)
    queues = [frames, results, *([] if weights is None else [weights.buffer])]
    return [b.finish(), *port.modules, receiver, sender, *queues]


_BYTE = {"octet": 8, "octet_valid": 1, "octet_fault": 1}


def _byte_port(
    b: HwBuilder, port: BytePort, send: SSAValue, send_valid: SSAValue
) -> dict[str, SSAValue]:
    """Instantiate the modules of a byte port; pins go to the ports of the bridge."""
    found: dict[str, SSAValue] = {}
    for module in port.modules:
        inputs: dict[str, Value] = {}
        known: dict[str, Value] = {"send": send, "send_valid": send_valid}
        known |= {pin.name: b.input(pin.name) for pin in port.pins if pin.is_input}
        names = [p.port_name.data for p in module.module_type.ports if p.dir.data.is_input_like()]
        inputs = {key: known[key] for key in names if key in known}
        short = module.sym_name.data.rpartition("_")[2]
        found |= b.instance(short, module, inputs)
    for pin in port.pins:
        if not pin.is_input:
            b.output(pin.name, found[pin.name])
    return found


class _Window:
    """The sequence numbers of the frames under way, the oldest first."""

    def __init__(self, b: HwBuilder) -> None:
        self.b = b
        self.level = b.reg("level", WINDOW.bit_length())
        self.numbers = b.reg("numbers", 8 * WINDOW, None)
        self.open = b.named("window_open", b.ne(self.level.value, WINDOW))
        newest_first = b.slices(self.numbers.value, 8)
        index = b.trunc(b.sub(self.level.value, 1), address_width(WINDOW))
        self.oldest = b.named("oldest", b.select(newest_first, index))

    def connect(self, push: SSAValue, number: SSAValue, pop: SSAValue) -> None:
        b, bits = self.b, WINDOW.bit_length()
        grown = b.add(self.level.value, b.zext(push, bits))
        self.level.set_next(b.sub(grown, b.zext(pop, bits)))
        kept = b.trunc(self.numbers.value, 8 * (WINDOW - 1))
        self.numbers.set_next(b.concat(kept, number), push)


def _feed_core(
    b: HwBuilder,
    buffer: hw.HWModuleOp,
    streams: CoreStreams,
    heard: dict[str, SSAValue],
    byte: SSAValue,
) -> SSAValue:
    """Frames from the buffer, byte by byte into beats, to m_axis; returns whether it has room."""
    size = streams.input_bytes
    ready = b.input("m_axis_tready")
    count = b.reg("beat_bytes", size.bit_length())
    full = b.named("beat_full", b.eq(count.value, size))
    given = b.named("beat_given", b.and_(full, ready))
    free = b.named("beat_free", b.or_(b.not_(full), ready))
    stored = b.instance(
        "frames",
        buffer,
        {
            "write": heard["write"],
            "write_data": byte,
            "commit": heard["commit"],
            "abort": heard["abort"],
            "m_axis_tready": free,
        },
    )
    takes = b.named("beat_takes", b.and_(free, stored["m_axis_tvalid"]))
    kept = b.mux(given, 0, count.value)
    count.set_next(b.add(kept, b.zext(takes, size.bit_length())))
    beat = b.reg("beat", 8 * size, None)
    data = stored["m_axis_tdata"]
    moved = data if size == 1 else b.concat(data, b.extract(beat.value, 8, 8 * (size - 1)))
    beat.set_next(moved, takes)
    b.output("m_axis_tdata", beat.value)
    b.output("m_axis_tvalid", full)
    b.output("m_axis_tlast", counter(b, "input_beat", streams.input_beats, given).is_last)
    return stored["room"]


def _collect_results(
    b: HwBuilder,
    buffer: hw.HWModuleOp,
    streams: CoreStreams,
    wanted: SSAValue,
    taken: SSAValue,
) -> dict[str, SSAValue]:
    """Beats from s_axis, as bytes into a buffer; its output, and `ready` where a result is whole.

    `wanted` takes a byte, `taken` says that a result was sent.
    """
    size = streams.output_bytes
    bits = size.bit_length()
    left = b.reg("bytes_left", bits)
    room = b.wire("result_room", 1)
    some = b.named("result_some", b.any(left.value))
    writes = b.named("result_writes", b.and_(some, room.value))
    is_end = b.named("result_end", b.eq(left.value, 1))
    # A register alone: the core's own units pass its TREADY on from one to the next.
    free = b.reg("result_free", 1, 1)
    takes = b.named("result_takes", b.and_(free.value, b.input("s_axis_tvalid")))
    free.set_next(b.mux(takes, 0, b.or_(free.value, b.and_(writes, is_end))))
    left.set_next(b.mux(takes, size, b.sub(left.value, b.zext(writes, bits))))
    rest = b.reg("result_bytes", 8 * size, None)
    data = b.input("s_axis_tdata")
    if size > 1:
        moved = b.zext(b.extract(rest.value, 8, 8 * (size - 1)), 8 * size)
        data = b.mux(takes, data, moved)
    rest.set_next(data, b.or_(takes, writes))
    is_last = b.delay("result_last", b.input("s_axis_tlast"), None, takes)
    commit = b.named("result_commit", b.and_(writes, is_end, is_last))
    stored = b.instance(
        "results",
        buffer,
        {
            "write": writes,
            "write_data": b.trunc(rest.value, 8),
            "commit": commit,
            "abort": 0,
            "m_axis_tready": wanted,
        },
    )
    room.drive(stored["room"])
    b.output("s_axis_tready", free.value)
    waiting = b.reg("results_waiting", WINDOW.bit_length())
    grown = b.add(waiting.value, b.zext(commit, WINDOW.bit_length()))
    waiting.set_next(b.sub(grown, b.zext(taken, WINDOW.bit_length())))
    return {
        "data": stored["m_axis_tdata"],
        "valid": stored["m_axis_tvalid"],
        "ready": b.any(waiting.value),
    }
