"""The way of weights through a bridge: from messages to the configuration stream of the core."""

from __future__ import annotations

from xdsl.ir import SSAValue

from irc.passes.hardware.bridge.frame_buffer import frame_buffer
from irc.passes.hardware.bridge.protocol import MOST_WEIGHTS
from irc.passes.hardware.hw_builder import HwBuilder, Port, axis_ports

STREAM = "m_axis_cfg"

WEIGHT_PORTS = (
    *axis_ports(STREAM, 8, slave=False),
    Port.input("cfg_busy", 1),
    Port.input("cfg_error", 1),
)
"""Of a bridge that takes weights."""

MESSAGES = 2
"""How many messages the buffer holds: one goes to the core while the other comes."""


class Weights:
    """Takes each message once, and its bytes when its CRC was right.

    `connect` must be called once, with what the receiver gives.
    """

    def __init__(self, b: HwBuilder, name: str) -> None:
        self.b = b
        # With each byte goes whether it is the last one of its stream.
        self.buffer = frame_buffer(f"{name}_weights", MESSAGES * MOST_WEIGHTS, width=9)
        self._room = b.wire("weight_room", 1)
        self._last = b.reg("last_weights", 8)
        self._open = b.reg("stream_open", 1)
        self._waits = b.wire("weights_wait", 1)
        self._answers = b.wire("weights_answer", 1)
        self.to_receiver = {"weight_room": self._room.value}

    @property
    def to_sender(self) -> dict[str, SSAValue]:
        """What the sender says, as `Loading` has it."""
        b = self.b
        busy = b.or_(self._waits.value, b.input("cfg_busy"))
        flags = b.concat(self._open.value, b.input("cfg_error"), busy)
        return {
            "loading": self._answers.value,
            "loading_flags": b.zext(flags, 8),
            "loading_number": self._last.value,
        }

    def connect(self, heard: dict[str, SSAValue], octet: SSAValue) -> None:
        """Feed the buffer with what the receiver hears, and the core from the buffer."""
        b = self.b
        again = b.named("weights_again", b.eq(heard["number"], self._last.value))
        takes = b.named("weights_taken", b.and_(heard["weights"], b.not_(again)))
        repeated = b.and_(heard["weights"], again)
        self._last.set_next(heard["number"], takes)
        self._open.set_next(b.not_(heard["ends"]), takes)
        stored = b.instance(
            "weights",
            self.buffer,
            {
                "write": heard["weight_write"],
                "write_data": b.concat(heard["weight_last"], octet),
                "commit": takes,
                "abort": b.or_(heard["abort"], repeated),
                "m_axis_tready": b.input(f"{STREAM}_tready"),
            },
        )
        self._room.drive(stored["room"])
        self._waits.drive(stored["m_axis_tvalid"])
        self._answers.drive(b.or_(heard["weights"], heard["asked"]))
        b.output(f"{STREAM}_tdata", b.trunc(stored["m_axis_tdata"], 8))
        b.output(f"{STREAM}_tvalid", stored["m_axis_tvalid"])
        b.output(f"{STREAM}_tlast", b.bit(stored["m_axis_tdata"], 8))
