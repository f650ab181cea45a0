"""Loads the weights of a retrained network into the one on the board: what `irc reload` writes."""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import host

WEIGHTS, LAST_WEIGHTS, STATUS, LOADING = b"WLSw"
MOST_WEIGHTS = 127
"""Bytes of the stream in a message."""

BUSY, ERROR, OPEN = 1, 2, 4
"""Flags of an answer: not done yet; the last stream was not good; one has begun and not ended."""

SHAPE_BYTES = 4


def read_stream(path: Path) -> bytes:
    """A configuration stream from a file: bytes, or text with a byte a line where it ends in .hex;
    raises `OSError`, or `ValueError` for text of another kind."""
    if path.suffix == ".hex":
        return bytes(int(line, 16) for line in path.read_text().split())
    return path.read_bytes()


def what_is_wrong(stream: bytes, wanted: dict[str, Any]) -> str | None:
    """Why a stream is not for this network, or damaged; `wanted` is `weights` of board.json."""
    shape = int.from_bytes(stream[:SHAPE_BYTES], "little")
    if len(stream) >= SHAPE_BYTES and shape != wanted["shape"]:
        return (
            f"is for hardware of the shape {shape:08x}, this one is {wanted['shape']:08x}: make it "
            "with `irc reload` for this folder"
        )
    if len(stream) != wanted["bytes"]:
        return f"has {len(stream):,} bytes, not {wanted['bytes']:,}"
    if binascii.crc_hqx(stream, host.CRC_FIRST):
        return "is damaged: its checksum is wrong"
    return None


def messages(
    stream: bytes, last_number: int, most: int = MOST_WEIGHTS
) -> Iterator[tuple[int, int, bytes]]:
    """Kind, number and payload of the messages that carry a stream, after one with that number."""
    for start in range(0, len(stream), most):
        last_number = (last_number + 1) & 0xFF
        piece = stream[start : start + most]
        is_last = start + most >= len(stream)
        yield LAST_WEIGHTS if is_last else WEIGHTS, last_number, piece


class Loader:
    """Loads weights over a link on which no frame is under way."""

    def __init__(self, link: host.Link) -> None:
        self.link = link
        self.questions = 0
        self.last = 0
        """The number of the last message with weights."""

    def status(self) -> tuple[int, int]:
        """Flags, and the number of the last message with weights."""
        # No number near those of messages with weights, whose answers may come twice.
        self.questions += 1
        number = (self.last + 64 + self.questions % 128) & 0xFF
        answer = self.link.ask(STATUS, number, LOADING, 2)
        self.last = answer[1]
        return answer[0], answer[1]

    def load(self, stream: bytes) -> bool:
        """Load a whole stream; whether the network took it."""
        flags, last = self.status()
        if flags & OPEN:
            # Somebody stopped in the middle: end that one first.
            self._send(LAST_WEIGHTS, (last + 1) & 0xFF, b"\0")
            last = self._settle()[1]
        for kind, number, piece in messages(stream, last):
            self._send(kind, number, piece)
        return not self._settle()[0] & ERROR

    def _send(self, kind: int, number: int, piece: bytes) -> None:
        """One message, until it is answered; a second copy of it does no harm."""
        self.link.ask(kind, number, LOADING, 2, piece)
        self.last = number

    def _settle(self) -> tuple[int, int]:
        """The status once the network is done."""
        end = self.link.clock() + 10 * self.link.patience
        while self.link.clock() < end:
            flags, last = self.status()
            if not flags & BUSY:
                return flags, last
        host.fail("the network waits with the weights: a frame has begun and does not end")
