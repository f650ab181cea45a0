"""The messages between host and bridge, the same in both directions:

    SYNC  kind  sequence  length (2 bytes, low first)  payload  CRC-16 (2 bytes, high first)

The CRC is CRC-16/CCITT (polynomial 0x1021, first value 0xFFFF, most significant bit first; Python's
`binascii.crc_hqx(data, 0xFFFF)`) over everything between SYNC and itself, so that the CRC of
message and CRC together is 0. Kinds are letters, for whoever watches the line.

| kind | from | payload |
|---|---|---|
| `F` | host | a frame: the bytes of TDATA of its beats, byte 0 first |
| `I` | host | none: asks who is there |
| `R` | bridge | the result of a frame, like a frame; it carries the frame's sequence number |
| `i` | bridge | version, identity (4 bytes), bytes a frame (2), bytes a result (2), low first |
| `E` | bridge | one byte that says what was wrong with a message, see `Fault` |

Nothing of a message reaches the core before its CRC was right. A message that breaks off is given
up after a pause; what follows is searched for the next SYNC.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from xdsl.ir import SSAValue

from irc.passes.hardware.hw_builder import HwBuilder

SYNC = 0xA5
FRAME, IDENTIFY, RESULT, IDENTITY, ERROR = b"FIRiE"
VERSION = 1
CRC_POLYNOMIAL, CRC_FIRST = 0x1021, 0xFFFF

HEADER_BYTES, CRC_BYTES = 5, 2

MAX_PAYLOAD = 0xFFFF
"""What the two bytes of the length can say."""

WINDOW = 4
"""Frames that may be under way: accepted, and their results not yet sent."""


class Fault(IntEnum):
    """What an `E` message says."""

    LINE = 1
    """A byte without a stop bit, or cut short."""
    HEADER = 2
    """No such kind, or not the length that this network has."""
    CHECKSUM = 3
    TIMEOUT = 4
    """A message broke off."""
    BUSY = 5
    """More frames than the bridge can hold; this one was dropped."""


@dataclass(frozen=True)
class Payload:
    """What the bridge of one network carries: bytes of a frame, of a result, and its identity."""

    frame: int
    result: int
    identity: int

    def identity_bytes(self) -> bytes:
        """The payload of an `i` message."""
        return (
            bytes([VERSION])
            + self.identity.to_bytes(4, "little")
            + self.frame.to_bytes(2, "little")
            + self.result.to_bytes(2, "little")
        )


def crc_after(b: HwBuilder, crc: SSAValue, byte: SSAValue) -> SSAValue:
    """The CRC (16 bits) after one more byte.

    The update is linear over GF(2): every new bit is the exclusive or of the bits of `crc` and
    `byte` that eight single steps of the shift register bring there.
    """
    state: list[set[tuple[str, int]]] = [{("crc", index)} for index in range(16)]
    for index in reversed(range(8)):
        feedback = state[15] ^ {("byte", index)}
        state = [set[tuple[str, int]](), *state[:15]]
        for position in range(16):
            if CRC_POLYNOMIAL >> position & 1:
                state[position] = state[position] ^ feedback
    sources = {"crc": crc, "byte": byte}
    bits = [
        b.xor(*(b.bit(sources[name], index) for name, index in sorted(terms))) for terms in state
    ]
    return b.concat(*reversed(bits))
