"""What the top module of a reloadable design has besides: the configuration stream.

`s_axis_cfg` takes what `reload_stream` makes, TLAST with the last byte. It waits for every frame
that has begun to end; from the moment it offers a byte until the memories are complete no other
frame begins.

    idle     frames flow, until a byte is offered and no frame is under way
    header   the shape is compared; nothing is touched yet
    clear    the loaders begin again; from here on the weights are incomplete
    load     bytes go into the chain of loaders, up to TLAST
    settle   the last byte reaches its memory; complete if exactly the CRC is left over, and right
    skip     a stream for another shape passes by, up to TLAST

`cfg_busy` is 1 outside of idle. `cfg_error` is 1 in idle if the last stream was not good. One for
another shape, or that ended before its shape, left everything as it was: the next frames, or a
reset, find the earlier weights. One that was too short, too long, damaged or cut off by a reset
left the weights incomplete: no frame is taken until a good stream has come, whatever resets there
are. A reset does not touch the memories.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from xdsl.ir import SSAValue

from irc.dialects.rtl import address_width
from irc.passes.hardware.crc import CRC_BYTES, CRC_FIRST, crc_after
from irc.passes.hardware.hw_builder import HwBuilder, Port, Reg, Wire, axis_ports
from irc.passes.hardware.units.loader import BYTE, CHAIN, CONFIG
from irc.passes.hardware.units.pipeline import counter
from irc.passes.hardware.units.reload_stream import SHAPE_BYTES

STREAM = "s_axis_cfg"

FRAME_COUNTER_BITS = 16
"""More frames than these bits count are never under way: the input waits before."""

STATES = ("idle", "header", "clear", "load", "settle", "skip")


def configuration_ports() -> list[Port]:
    """The ports for the configuration stream and its state."""
    return [
        *axis_ports(STREAM, BYTE, slave=True),
        Port.output(f"{CONFIG}_busy", 1),
        Port.output(f"{CONFIG}_error", 1),
    ]


@dataclass
class Configuration:
    """The controller, as it is built.

    `restart` is 1 once other weights are in place, and resets all units, none of which is at work:
    what they have read ahead is of the old ones. `may_begin` says whether a beat that begins a
    frame may be taken. The builder of the top module drives `taken`, a beat of the input is taken,
    and `ended`, a frame of the output ends; it connects units by `signals` and `behind`, and calls
    `finish` when all are.
    """

    taken: Wire
    ended: Wire
    may_begin: SSAValue
    chain: dict[str, SSAValue]
    restart: SSAValue
    _finish: Callable[[SSAValue, dict[str, SSAValue]], None]
    full: SSAValue | None = None

    def signals(self) -> dict[str, SSAValue]:
        """The chain as inputs of the next unit's instance."""
        return {f"{CONFIG}_{signal}": value for signal, value in self.chain.items()}

    def behind(self, driven: dict[str, SSAValue]) -> None:
        """Go on with what an instance gives."""
        self.chain = {signal: driven[f"{CONFIG}_out_{signal}"] for signal in CHAIN}
        self.full = driven[f"{CONFIG}_full"]

    def finish(self) -> None:
        """Close the chain behind the last unit."""
        assert self.full is not None
        self._finish(self.full, self.chain)


def configuration(
    b: HwBuilder, loaders: int, frame_beats: int, shape: int, *, has_contents: bool
) -> Configuration:
    """The controller of a chain of so many loaders, for input frames of `frame_beats`; streams
    must name `shape`. `has_contents` says whether all memories have some at power-on."""
    taken, ended = b.wire("beat_taken", 1), b.wire("frame_ended", 1)
    states = {name: b.const(index, 3) for index, name in enumerate(STATES)}
    state = b.reg("cfg_state", 3, power_on=0)
    idle, header, clear, load, settle, skip = (
        b.named(f"cfg_is_{name}", b.eq(state.value, states[name])) for name in STATES
    )
    wanted = b.delay("cfg_wanted", b.input(f"{STREAM}_tvalid"))
    incomplete, set_incomplete = _incomplete(b, has_contents)

    # Frames that have begun and not ended.
    beat = counter(b, "cfg_beat", frame_beats, taken.value)
    between = b.named("cfg_between", b.eq(beat.value, 0))
    begun = b.named("cfg_begun", b.and_(taken.value, between))
    frames = b.reg("cfg_frames", FRAME_COUNTER_BITS)
    change = b.mux(begun, b.const(1, FRAME_COUNTER_BITS), -1)
    frames.set_next(b.add(frames.value, change), b.xor(begun, ended.value))
    held = b.or_(wanted, b.not_(idle), incomplete, b.all(frames.value))
    may_begin = b.named("cfg_may_begin", b.not_(b.and_(held, between)))
    quiet = b.and_(between, b.eq(frames.value, 0))

    takes = b.or_(header, load, skip)
    ready = b.named("cfg_ready", b.and_(takes, b.input("aresetn")))
    offered, data = b.input(f"{STREAM}_tvalid"), b.input(f"{STREAM}_tdata")
    byte = b.named("cfg_byte", b.and_(ready, offered))
    last = b.named("cfg_last", b.and_(byte, b.input(f"{STREAM}_tlast")))
    named, is_ours = _shape(b, shape, data, b.and_(byte, header), idle)
    refused = b.reg("cfg_refused", 1)
    refused.set_next(b.not_(clear), b.or_(clear, b.and_(last, b.not_(load))))
    crc = b.reg("cfg_crc", 16, CRC_FIRST)
    crc.set_next(b.mux(idle, CRC_FIRST, crc_after(b, crc.value, data)), b.or_(idle, byte))
    # A byte needs a cycle for each loader and one to be seen behind the last.
    wait = counter(b, "cfg_wait", loaders + 2, settle)
    settled = b.and_(settle, wait.is_last)
    _advance(
        b,
        state,
        [
            (b.and_(idle, wanted, offered, quiet), states["header"]),
            (b.and_(named, is_ours), states["clear"]),
            (b.and_(named, b.not_(is_ours)), states["skip"]),
            (clear, states["load"]),
            (last, b.mux(load, states["settle"], states["idle"])),
            (settled, states["idle"]),
        ],
    )
    # As in the loaders: nothing may be written between power-on and the first reset.
    valid = b.reg("cfg_chain_valid", 1, power_on=0)
    valid.set_next(b.and_(byte, load))
    chain = {
        "data": b.delay("cfg_chain_data", data, None),
        "valid": valid.value,
        "clear": clear,
    }
    b.output(f"{STREAM}_tready", ready)
    b.output(f"{CONFIG}_busy", b.not_(idle))
    b.output(f"{CONFIG}_error", b.and_(idle, b.or_(incomplete, refused.value)))

    def finish(full: SSAValue, behind: dict[str, SSAValue]) -> None:
        # Full loaders pass on what is left over; one byte more than the CRC is as bad as many.
        left = b.reg("cfg_left_over", 2)
        counts = b.and_(behind["valid"], b.not_(b.all(left.value)))
        left.set_next(b.mux(clear, 0, b.add(left.value, 1)), b.or_(clear, counts))
        good = b.and_(full, b.eq(left.value, CRC_BYTES), b.eq(crc.value, 0))
        now = b.and_(b.or_(clear, settled), b.input("aresetn"))
        set_incomplete(b.or_(clear, b.not_(good)), now)

    return Configuration(taken, ended, may_begin, chain, settled, finish)


def _shape(
    b: HwBuilder, shape: int, data: SSAValue, taken: SSAValue, restart: SSAValue
) -> tuple[SSAValue, SSAValue]:
    """Whether the last byte of a stream's shape is taken, and, then, whether it is this shape."""
    expected = shape.to_bytes(SHAPE_BYTES, "little")
    place = b.reg("cfg_shape_byte", address_width(SHAPE_BYTES))
    place.set_next(b.mux(restart, 0, b.add(place.value, 1)), b.or_(restart, taken))
    known = b.select([b.const(value, BYTE) for value in expected], place.value)
    equal = b.eq(data, known)
    other = b.reg("cfg_shape_differs", 1)
    other.set_next(b.not_(restart), b.or_(restart, b.and_(taken, b.not_(equal))))
    is_ours = b.and_(equal, b.not_(other.value))
    return b.named("cfg_named", b.and_(taken, b.all(place.value))), is_ours


def _advance(b: HwBuilder, state: Reg, moves: Sequence[tuple[SSAValue, SSAValue]]) -> None:
    """The next state is that of the last move whose condition holds."""
    following = state.value
    for condition, target in moves:
        following = b.mux(condition, target, following)
    state.set_next(following)


def _incomplete(
    b: HwBuilder, has_contents: bool
) -> tuple[SSAValue, Callable[[SSAValue, SSAValue], None]]:
    """Whether the weights are incomplete, and what sets that, given an enable. Only power-on
    resets the register, to 0, as every family of devices can."""
    if has_contents:
        register = b.reg("cfg_incomplete", 1, None, power_on=0)
        return register.value, register.set_next
    register = b.reg("cfg_complete", 1, None, power_on=0)
    return b.not_(register.value), lambda value, enable: register.set_next(b.not_(value), enable)
