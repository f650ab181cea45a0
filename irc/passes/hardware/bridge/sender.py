"""The hardware that writes messages: results, identity and faults, as bytes."""

from __future__ import annotations

from enum import IntEnum

from xdsl.dialects import hw
from xdsl.ir import SSAValue

from irc.dialects.rtl import address_width
from irc.passes.hardware.bridge.protocol import (
    ERROR,
    IDENTITY,
    LOADING,
    RESULT,
    SYNC,
    Payload,
)
from irc.passes.hardware.bridge.receiver import FAULT_BITS
from irc.passes.hardware.crc import CRC_FIRST, crc_after
from irc.passes.hardware.hw_builder import CLOCK_RESET, HwBuilder, Port, axis_ports


class _State(IntEnum):
    """What is being sent."""

    IDLE = 0
    SYNC = 1
    KIND = 2
    SEQUENCE = 3
    LENGTH_LOW = 4
    LENGTH_HIGH = 5
    PAYLOAD = 6
    CRC_HIGH = 7
    CRC_LOW = 8


_STATE_BITS = 4

PORTS = (
    *CLOCK_RESET,
    Port.input("fault", 1),
    Port.input("fault_code", FAULT_BITS),
    Port.input("identify", 1),
    Port.input("number", 8),
    Port.input("result_ready", 1),
    Port.input("result_sequence", 8),
    Port.output("result_taken", 1),
    *axis_ports("s_axis", 8, slave=True, last=False),
    Port.output("send", 8),
    Port.output("send_valid", 1),
    Port.input("send_ready", 1),
)


LOADING_PORTS = (
    Port.input("loading", 1),
    Port.input("loading_flags", 8),
    Port.input("loading_number", 8),
)
"""Of a bridge that takes weights: `loading` says that something about them is to be answered."""

LOADING_BYTES = 2


def message_sender(name: str, payload: Payload) -> hw.HWModuleOp:
    """Faults go before identity, identity before what there is to say about loading, and all before
    results; the bytes of a result come from s_axis.

    `result_taken` is 1 when a result has been sent. A fault that comes while another one waits
    takes its place: the host sends again whatever is not answered.
    """
    b = HwBuilder(name, [*PORTS, *(LOADING_PORTS if payload.reloadable else ())])
    state = b.reg("state", _STATE_BITS)
    at = {which: b.eq(state.value, which) for which in _State}
    idle = at[_State.IDLE]

    fault = b.reg("fault_waits", 1)
    identity = b.reg("identity_waits", 1)
    takes_fault = b.named("takes_fault", b.and_(idle, fault.value))
    no_fault = b.and_(idle, b.not_(fault.value))
    takes_identity = b.named("takes_identity", b.and_(no_fault, identity.value))
    nothing_else = b.and_(no_fault, b.not_(identity.value))
    answer = _Answer(b, idle, nothing_else) if payload.reloadable else None
    if answer is not None:
        nothing_else = b.and_(nothing_else, b.not_(answer.waits))
    takes_result = b.named("takes_result", b.and_(nothing_else, b.input("result_ready")))
    fault.set_next(b.or_(b.input("fault"), b.and_(fault.value, b.not_(takes_fault))))
    identity.set_next(b.or_(b.input("identify"), b.and_(identity.value, b.not_(takes_identity))))
    code = b.delay("code", b.input("fault_code"), None, b.input("fault"))
    fault_sequence = b.delay("fault_sequence", b.input("number"), None, b.input("fault"))
    id_sequence = b.delay("id_sequence", b.input("number"), None, b.input("identify"))

    taken = (takes_fault, takes_identity, takes_result)
    begins = b.named("begins", b.or_(*taken, *([] if answer is None else [answer.taken])))
    is_fault = b.delay("is_fault", takes_fault, None, idle)
    is_identity = b.delay("is_identity", takes_identity, None, idle)
    is_result = b.delay("is_result", takes_result, 0, idle)
    number = b.mux(takes_identity, id_sequence, b.input("result_sequence"))
    number = b.mux(takes_fault, fault_sequence, number)
    if answer is not None:
        number = b.mux(answer.taken, answer.sequence, number)
    sequence = b.delay("message_sequence", number, None, idle)
    # The code of a fault that comes while this one is sent must not change it.
    sent_code = b.delay("sent_code", code, None, idle)

    identity_bytes = payload.identity_bytes()
    longest = max(payload.result, len(identity_bytes))
    position = b.reg("position", address_width(longest), None)
    length = b.mux(is_identity, len(identity_bytes), b.const(payload.result, 16))
    length = b.mux(is_fault, 1, length)
    byte = _payload(b, position.value, identity_bytes, is_identity, is_fault, sent_code)
    kind = b.mux(is_fault, ERROR, b.mux(is_identity, IDENTITY, b.const(RESULT, 8)))
    if answer is not None:
        length = b.mux(answer.is_sent, LOADING_BYTES, length)
        byte = b.mux(answer.is_sent, answer.byte(position.value), byte)
        kind = b.mux(answer.is_sent, LOADING, kind)
    last = b.named("last", b.eq(b.zext(position.value, 16), b.sub(length, 1)))
    crc = b.reg("crc", 16, CRC_FIRST)
    contents = {
        _State.SYNC: b.const(SYNC, 8),
        _State.KIND: kind,
        _State.SEQUENCE: sequence,
        _State.LENGTH_LOW: b.trunc(length, 8),
        _State.LENGTH_HIGH: b.extract(length, 8, 8),
        _State.PAYLOAD: byte,
        _State.CRC_HIGH: b.extract(crc.value, 8, 8),
    }
    send = b.trunc(crc.value, 8)
    for which, value in contents.items():
        send = b.mux(at[which], value, send)
    b.named("octet", send)

    from_core = b.named("from_core", b.and_(at[_State.PAYLOAD], is_result))
    waits = b.and_(from_core, b.not_(b.input("s_axis_tvalid")))
    valid = b.named("valid", b.and_(b.not_(idle), b.not_(waits)))
    moves = b.named("moves", b.and_(valid, b.input("send_ready")))
    counted = b.or_(*(at[which] for which in list(contents)[1:-1]))
    # The CRC stays as it is while its two bytes are sent.
    crc.set_next(
        b.mux(idle, CRC_FIRST, crc_after(b, crc.value, send)), b.or_(idle, b.and_(moves, counted))
    )
    position.set_next(
        b.mux(at[_State.PAYLOAD], b.add(position.value, 1), 0),
        b.and_(moves, b.or_(at[_State.LENGTH_HIGH], at[_State.PAYLOAD])),
    )
    stays = b.and_(at[_State.PAYLOAD], b.not_(last))
    following = b.mux(stays, _State.PAYLOAD, b.add(state.value, 1))
    following = b.mux(at[_State.CRC_LOW], _State.IDLE, following)
    state.set_next(b.mux(idle, _State.SYNC, following), b.or_(begins, moves))

    b.output("send", send)
    b.output("send_valid", valid)
    b.output("s_axis_tready", b.and_(from_core, b.input("send_ready")))
    b.output("result_taken", b.and_(moves, at[_State.CRC_LOW], is_result))
    return b.finish()


def _payload(
    b: HwBuilder,
    position: SSAValue,
    identity: bytes,
    is_identity: SSAValue,
    is_fault: SSAValue,
    code: SSAValue,
) -> SSAValue:
    """The byte of the payload at `position`."""
    known = [b.const(value, 8) for value in identity]
    index = b.trunc(position, address_width(len(known)))
    own = b.mux(is_identity, b.select(known, index), b.input("s_axis_tdata"))
    return b.mux(is_fault, b.zext(code, 8), own)


class _Answer:
    """What there is to say about loading weights: whether it waits, begins, and is being sent."""

    def __init__(self, b: HwBuilder, idle: SSAValue, may_begin: SSAValue) -> None:
        self.b = b
        waits = b.reg("answer_waits", 1)
        self.waits = waits.value
        self.taken = b.named("takes_answer", b.and_(may_begin, self.waits))
        asked = b.input("loading")
        waits.set_next(b.or_(asked, b.and_(self.waits, b.not_(self.taken))))
        self.sequence = b.delay("answer_sequence", b.input("number"), None, asked)
        self.is_sent = b.delay("is_answer", self.taken, None, idle)

    def byte(self, position: SSAValue) -> SSAValue:
        """Of its payload: the flags as they are by now, or the number of the last message."""
        b = self.b
        return b.mux(b.bit(position, 0), b.input("loading_number"), b.input("loading_flags"))
