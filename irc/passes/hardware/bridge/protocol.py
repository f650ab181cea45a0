"""The messages between host and bridge, the same in both directions:

    SYNC  kind  sequence  length (2 bytes, low first)  payload  CRC-16 (2 bytes, high first)

The CRC is that of `irc.passes.hardware.crc` over everything between SYNC and itself. Kinds are
letters, for whoever watches the line.

| kind | from | payload |
|---|---|---|
| `F` | host | a frame: the bytes of TDATA of its beats, byte 0 first |
| `I` | host | none: asks who is there |
| `W` | host | 1 to 127 bytes of a configuration stream, where weights can be loaded |
| `L` | host | the same, and the last ones |
| `S` | host | none: asks how loading goes |
| `R` | bridge | the result of a frame, like a frame; it carries the frame's sequence number |
| `i` | bridge | version, identity (4 bytes), bytes a frame (2), bytes a result (2), low first |
| `w` | bridge | to `W`, `L` and `S`: flags, see `Loading`; number of the last `W` or `L` taken |
| `E` | bridge | one byte that says what was wrong with a message, see `Fault` |

A `W` or `L` with the number of the last one taken is that one again, whose answer was lost: it is
answered, and its bytes are dropped.

Nothing of a message reaches the core before its CRC was right. A message that breaks off is given
up after a pause; what follows is searched for the next SYNC.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag

SYNC = 0xA5
FRAME, IDENTIFY, RESULT, IDENTITY, ERROR = b"FIRiE"
WEIGHTS, LAST_WEIGHTS, STATUS, LOADING = b"WLSw"
VERSION = 1

HEADER_BYTES = 5

MAX_PAYLOAD = 0xFFFF
"""What the two bytes of the length can say."""

MOST_WEIGHTS = 127
"""Bytes of a configuration stream in a message: two messages fit a small block RAM."""

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


class Loading(IntFlag):
    """What the first byte of a `w` message says."""

    BUSY = 1
    """Bytes wait, or the core is not done with them."""
    ERROR = 2
    """The last stream was not good: `cfg_error` of the core."""
    OPEN = 4
    """A stream has begun and not ended."""


@dataclass(frozen=True)
class Payload:
    """What the bridge of one network carries: bytes of a frame, of a result, and its identity."""

    frame: int
    result: int
    identity: int
    reloadable: bool = False
    """Whether it takes weights too."""

    @property
    def longest_from_host(self) -> int:
        """Bytes of the longest payload that the bridge takes."""
        return max(self.frame, MOST_WEIGHTS) if self.reloadable else self.frame

    def identity_bytes(self) -> bytes:
        """The payload of an `i` message."""
        return (
            bytes([VERSION])
            + self.identity.to_bytes(4, "little")
            + self.frame.to_bytes(2, "little")
            + self.result.to_bytes(2, "little")
        )
