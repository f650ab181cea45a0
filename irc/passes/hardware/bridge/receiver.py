"""The hardware that reads messages: bytes in, a frame for the buffer or a fault out."""

from __future__ import annotations

from enum import IntEnum

from xdsl.dialects import hw
from xdsl.ir import SSAValue

from irc.dialects.rtl import address_width
from irc.passes.hardware.bridge.protocol import (
    FRAME,
    IDENTIFY,
    LAST_WEIGHTS,
    MOST_WEIGHTS,
    STATUS,
    SYNC,
    WEIGHTS,
    Fault,
    Payload,
)
from irc.passes.hardware.crc import CRC_FIRST, crc_after
from irc.passes.hardware.hw_builder import CLOCK_RESET, HwBuilder, Port

FAULT_BITS = 3


class _State(IntEnum):
    """What the next byte is."""

    HUNT = 0
    KIND = 1
    SEQUENCE = 2
    LENGTH_LOW = 3
    LENGTH_HIGH = 4
    PAYLOAD = 5
    CRC_HIGH = 6
    CRC_LOW = 7


PORTS = (
    *CLOCK_RESET,
    Port.input("octet", 8),
    Port.input("octet_valid", 1),
    Port.input("octet_fault", 1),
    Port.input("room", 1),
    Port.input("window_open", 1),
    Port.output("write", 1),
    Port.output("commit", 1),
    Port.output("abort", 1),
    Port.output("identify", 1),
    Port.output("fault", 1),
    Port.output("fault_code", FAULT_BITS),
    Port.output("number", 8),
)


WEIGHT_PORTS = (
    Port.input("weight_room", 1),
    Port.output("weight_write", 1),
    Port.output("weight_last", 1),
    Port.output("weights", 1),
    Port.output("ends", 1),
    Port.output("asked", 1),
)
"""Of a bridge that takes weights too."""


def message_receiver(name: str, payload: Payload, timeout_bits: int) -> hw.HWModuleOp:
    """`write` says that `octet` belongs into the buffer, `commit` that a frame is whole there;
    `identify` and `fault` are pulses, with `number` and, at a fault, `fault_code`.

    Of weights, `weight_write` says that `octet` belongs into their buffer, `weight_last` that it is
    the last of its stream, `weights` that a message of them is whole there and, with `ends`, that
    the stream is; `asked` is a pulse.

    A message in which nothing comes for 2^`timeout_bits` cycles is given up.
    """
    b = HwBuilder(name, [*PORTS, *(WEIGHT_PORTS if payload.reloadable else ())])
    byte, valid = b.input("octet"), b.input("octet_valid")
    state = b.reg("state", 3)
    at = {which: b.eq(state.value, which) for which in _State}
    got = {which: b.named(f"got_{which.name.lower()}", b.and_(valid, at[which])) for which in at}
    under_way = b.named("under_way", b.not_(at[_State.HUNT]))

    is_frame = b.reg("is_frame", 1, None)
    is_frame.set_next(b.eq(byte, FRAME), got[_State.KIND])
    sequence = b.reg("number", 8)
    sequence.set_next(byte, got[_State.SEQUENCE])

    kind = _WeightKinds(b, byte, got[_State.KIND]) if payload.reloadable else None

    kinds = (FRAME, IDENTIFY, *((WEIGHTS, LAST_WEIGHTS, STATUS) if payload.reloadable else ()))
    known = b.or_(*(b.eq(byte, kind) for kind in kinds))
    # A SYNC where the kind should be is the SYNC of the next message.
    again = b.and_(got[_State.KIND], b.eq(byte, SYNC))
    low, high = payload.frame & 0xFF, payload.frame >> 8
    wrong_low = b.ne(byte, b.mux(is_frame.value, low, b.const(0, 8)))
    if kind is not None:
        wrong_low = b.mux(kind.brings, b.or_(b.eq(byte, 0), b.ugt(byte, MOST_WEIGHTS)), wrong_low)
    wrong_header = b.named(
        "wrong_header",
        b.or_(
            b.and_(got[_State.KIND], b.not_(known), b.not_(again)),
            b.and_(got[_State.LENGTH_LOW], wrong_low),
            b.and_(got[_State.LENGTH_HIGH], b.ne(byte, b.mux(is_frame.value, high, b.const(0, 8)))),
        ),
    )

    crc = b.reg("crc", 16, CRC_FIRST)
    following = crc_after(b, crc.value, byte)
    crc.set_next(b.mux(at[_State.HUNT], CRC_FIRST, following), b.and_(valid, b.not_(again)))
    whole = b.named("whole", b.and_(got[_State.CRC_LOW], b.eq(following, 0)))
    broken = b.named("broken", b.and_(got[_State.CRC_LOW], b.ne(following, 0)))

    overrun = b.reg("overrun", 1)
    starts = b.and_(got[_State.HUNT], b.eq(byte, SYNC))
    room = b.input("room")
    if kind is not None:
        room = b.mux(kind.brings, b.input("weight_room"), room)
    lost = b.and_(got[_State.PAYLOAD], b.not_(room))
    overrun.set_next(b.and_(b.or_(overrun.value, lost), b.not_(starts)))
    fits = b.and_(b.not_(overrun.value), b.input("window_open"))
    commit = b.named("commit", b.and_(whole, is_frame.value, fits))
    dropped = b.and_(is_frame.value, b.not_(fits))
    if kind is not None:
        dropped = b.or_(dropped, b.and_(kind.brings, overrun.value))
    busy = b.named("busy", b.and_(whole, dropped))

    timeout = _timeout(b, timeout_bits, b.or_(valid, at[_State.HUNT]))
    line = b.named("line", b.and_(b.input("octet_fault"), under_way))
    faults = {
        Fault.LINE: line,
        Fault.HEADER: wrong_header,
        Fault.CHECKSUM: broken,
        Fault.TIMEOUT: timeout,
        Fault.BUSY: busy,
    }
    fault = b.named("fault", b.or_(*faults.values()))
    code = b.const(0, FAULT_BITS)
    for which, happens in faults.items():
        code = b.mux(happens, int(which), code)

    width = address_width(payload.longest_from_host)
    position = b.reg("position", width, None)
    at_length = at[_State.LENGTH_HIGH]
    position.set_next(
        b.mux(at_length, 0, b.add(position.value, 1)),
        b.and_(valid, b.or_(at_length, at[_State.PAYLOAD])),
    )
    end = b.const(payload.frame - 1, width)
    has_payload, identifies = is_frame.value, b.and_(whole, b.not_(is_frame.value))
    if kind is not None:
        length = b.delay("length", b.trunc(b.sub(byte, 1), 7), None, got[_State.LENGTH_LOW])
        end = b.mux(kind.brings, b.zext(length, width), end)
        has_payload = b.or_(has_payload, kind.brings)
        identifies = b.and_(whole, b.not_(has_payload), b.not_(kind.asks))
    is_last = b.named("is_last", b.eq(position.value, end))
    after_byte = b.add(state.value, 1)
    after_byte = b.mux(b.and_(at_length, b.not_(has_payload)), _State.CRC_HIGH, after_byte)
    after_byte = b.mux(b.and_(at[_State.PAYLOAD], b.not_(is_last)), _State.PAYLOAD, after_byte)
    after_byte = b.mux(b.or_(again, starts), _State.KIND, after_byte)
    advances = b.or_(b.and_(valid, under_way), starts)
    state.set_next(b.mux(fault, _State.HUNT, after_byte), b.or_(advances, fault))

    # Registers here keep long paths short; bytes are many cycles apart.
    payload_byte = got[_State.PAYLOAD]
    b.output("write", payload_byte if kind is None else kind.frame_write(payload_byte))
    b.output("commit", b.delay("commits", commit))
    aborts = b.delay("aborts", fault)
    b.output("abort", aborts)
    b.output("identify", b.delay("identifies", identifies))
    b.output("fault", aborts)
    b.output("fault_code", b.delay("code", code, None))
    b.output("number", sequence.value)
    if kind is not None:
        b.output("weight_write", b.and_(payload_byte, kind.brings))
        b.output("weight_last", b.and_(kind.ends, is_last))
        fit = b.and_(whole, kind.brings, b.not_(overrun.value))
        b.output("weights", b.delay("weights_are_whole", fit))
        b.output("ends", kind.ends)
        b.output("asked", b.delay("asks", b.and_(whole, kind.asks)))
    return b.finish()


class _WeightKinds:
    """Whether a message brings weights, the last ones of a stream, or asks about them."""

    def __init__(self, b: HwBuilder, byte: SSAValue, at_kind: SSAValue) -> None:
        self.b = b
        self.ends = b.delay("is_end", b.eq(byte, LAST_WEIGHTS), None, at_kind)
        brings = b.or_(b.eq(byte, WEIGHTS), b.eq(byte, LAST_WEIGHTS))
        self.brings = b.delay("is_weights", brings, None, at_kind)
        self.asks = b.delay("is_question", b.eq(byte, STATUS), None, at_kind)

    def frame_write(self, payload: SSAValue) -> SSAValue:
        """Whether a byte of the payload is of a frame."""
        return self.b.and_(payload, self.b.not_(self.brings))


def _timeout(b: HwBuilder, bits: int, restart: SSAValue) -> SSAValue:
    """1 when `restart` has been 0 for 2^bits - 1 cycles."""
    waited = b.reg("waited", bits)
    waited.set_next(b.mux(restart, 0, b.add(waited.value, 1)))
    return b.named("timeout", b.and_(b.all(waited.value), b.not_(restart)))
