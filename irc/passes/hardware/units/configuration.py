"""What the top module of a reloadable design has besides: the configuration stream.

`s_axis_cfg` takes the bytes that fill all loadable memories, TLAST with the last one. It waits for
every frame that has begun to end; from the moment it offers a byte until the memories are complete
no other frame begins.

    idle     frames flow, until a byte is offered and no frame is under way
    clear    the loaders begin again; from here on the weights are incomplete
    load     bytes go into the chain of loaders, up to TLAST
    settle   the last byte reaches its memory; complete if that was exactly the last one

`cfg_busy` is 1 outside of idle. `cfg_error` is 1 in idle while the weights are incomplete, because
the last stream was too short, too long or cut off by a reset: no frame is taken until a whole
stream has come. A reset does not touch the memories.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from xdsl.ir import SSAValue

from irc.passes.hardware.hw_builder import HwBuilder, Port, Reg, Wire, axis_ports
from irc.passes.hardware.units.loader import BYTE, CHAIN, CONFIG
from irc.passes.hardware.units.pipeline import counter

STREAM = "s_axis_cfg"

FRAME_COUNTER_BITS = 16
"""More frames than these bits count are never under way: the input waits before."""

STATES = ("idle", "clear", "load", "settle")


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
    b: HwBuilder, loaders: int, frame_beats: int, *, has_contents: bool
) -> Configuration:
    """The controller of a chain of so many loaders, for input frames of `frame_beats`;
    `has_contents` says whether all memories have some at power-on."""
    taken, ended = b.wire("beat_taken", 1), b.wire("frame_ended", 1)
    states = {name: b.const(index, 2) for index, name in enumerate(STATES)}
    state = b.reg("cfg_state", 2, power_on=0)
    idle, clear, load, settle = (
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

    ready = b.named("cfg_ready", b.and_(load, b.input("aresetn")))
    byte = b.and_(ready, b.input(f"{STREAM}_tvalid"))
    over = b.reg("cfg_over", 1)
    # A byte needs a cycle for each loader and one to be seen behind the last.
    wait = counter(b, "cfg_wait", loaders + 2, settle)
    settled = b.and_(settle, wait.is_last)
    _advance(
        b,
        state,
        [
            (b.and_(idle, wanted, quiet), states["clear"]),
            (clear, states["load"]),
            (b.and_(byte, b.input(f"{STREAM}_tlast")), states["settle"]),
            (settled, states["idle"]),
        ],
    )
    # As in the loaders: nothing may be written between power-on and the first reset.
    valid = b.reg("cfg_chain_valid", 1, power_on=0)
    valid.set_next(byte)
    chain = {
        "data": b.delay("cfg_chain_data", b.input(f"{STREAM}_tdata"), None),
        "valid": valid.value,
        "clear": clear,
    }
    b.output(f"{STREAM}_tready", ready)
    b.output(f"{CONFIG}_busy", b.not_(idle))
    b.output(f"{CONFIG}_error", b.and_(idle, incomplete))

    def finish(full: SSAValue, behind: dict[str, SSAValue]) -> None:
        over.set_next(b.not_(clear), b.or_(clear, behind["valid"]))
        good = b.and_(full, b.not_(over.value))
        now = b.and_(b.or_(clear, settled), b.input("aresetn"))
        set_incomplete(b.or_(clear, b.not_(good)), now)

    return Configuration(taken, ended, may_begin, chain, settled, finish)


def _advance(b: HwBuilder, state: Reg, moves: Sequence[tuple[SSAValue, SSAValue]]) -> None:
    """The next state is that of the one move whose condition holds."""
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
