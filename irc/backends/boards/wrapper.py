"""The top module of a board: clock, reset, bridge and core; all primitives of the maker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from irc.backends.boards.board import Board
from irc.backends.boards.pll import (
    MAX_ERROR,
    Ecp5Pll,
    Ice40Pll,
    ecp5_pll,
    gowin_pll,
    ice40_pll,
)
from irc.errors import UsageError

RESET_MICROSECONDS = 10
"""How long the design stays in reset. Block RAMs of iCE40 read zeros for about 3 µs after
configuration."""

HFOSC_DIVIDERS = (1, 2, 4, 8)


@dataclass(frozen=True)
class BoardPort:
    """A port of the top module: its name, direction, pin, and what it is connected to."""

    name: str
    is_input: bool
    pin: str


@dataclass(frozen=True)
class Wrapper:
    """The text of a top module, its ports, and the clock of the core in MHz."""

    text: str
    ports: list[BoardPort]
    clock: float


def core_clock(board: Board, wanted: float) -> float:
    """The clock that the board makes nearest to the one that was asked for, in MHz.

    Raises `UsageError` where it makes none near enough.
    """
    return _clock_source(board, wanted)[1]


def board_top(
    board: Board,
    core: str,
    bridge_pins: Sequence[tuple[str, bool]],
    wanted: float,
    input_bits: int,
    output_bits: int,
    *,
    reloadable: bool = False,
) -> Wrapper:
    """The module CORE_board around the modules CORE and CORE_bridge; those of a `reloadable`
    network have a configuration stream between them.

    `bridge_pins` are the pins of the bridge: name, and whether it is an input.
    """
    source, clock = _clock_source(board, wanted)
    ports: list[BoardPort] = []
    if board.clock.pin is not None:
        ports.append(BoardPort("clk", True, board.clock.pin))
    if board.reset is not None:
        ports.append(BoardPort("button", True, board.reset.pin))
    pins = _bridge_pins(board)
    ports += [BoardPort(name, is_input, pins[name]) for name, is_input in bridge_pins]
    lights: list[str] = []
    for name in ("active", "failed"):
        pin = None if board.leds is None else getattr(board.leds, name)
        if pin is not None and board.leds is not None:
            ports.append(BoardPort(f"led_{name}", False, pin))
            inverted = "~" if board.leds.active_low else ""
            lights.append(f"assign led_{name} = {inverted}{name};")
    for name, (pin, level) in board.levels.items():
        ports.append(BoardPort(name, False, pin))
        lights.append(f"assign {name} = 1'b{level};")
    declared = [f"    {'input' if port.is_input else 'output'} wire {port.name}" for port in ports]
    text = _TEXT.format(
        core=core,
        board=board.description,
        clock=f"{clock:.6g}",
        ports=",\n".join(declared),
        source=source,
        running=_running(board),
        wait_high=max(1, ceil(clock * RESET_MICROSECONDS).bit_length()),
        wait_zero=max(1, ceil(clock * RESET_MICROSECONDS).bit_length()) + 1,
        pins="\n".join(f"        .{name}({name})," for name, _ in bridge_pins),
        input_high=input_bits - 1,
        output_high=output_bits - 1,
        weight_wires=WEIGHT_WIRES if reloadable else "",
        bridge_weights=weight_pins("m_axis") if reloadable else "",
        core_weights=weight_pins("s_axis") if reloadable else "",
        lights="\n".join(f"    {light}" for light in lights),
    )
    return Wrapper(text, ports, clock)


WEIGHT_WIRES = """\
    wire [7:0] cfg_tdata;
    wire cfg_tvalid;
    wire cfg_tready;
    wire cfg_tlast;
    wire cfg_busy;
    wire cfg_error;
"""


def weight_pins(side: str) -> str:
    """The connections of one end of a configuration stream, `m_axis` or `s_axis`, behind others."""
    stream = [f".{side}_cfg_{name}(cfg_{name})" for name in ("tdata", "tvalid", "tready", "tlast")]
    pins = [*stream, ".cfg_busy(cfg_busy)", ".cfg_error(cfg_error)"]
    return "".join(f",\n        {pin}" for pin in pins)


def _bridge_pins(board: Board) -> dict[str, str]:
    found: dict[str, str] = {}
    for group in (board.uart, board.spi):
        if group is not None:
            found |= {key: value for key, value in vars(group).items() if key != "baud"}
    return found


def _running(board: Board) -> str:
    if board.reset is None:
        return "locked"
    return f"locked & {'' if board.reset.active_low else '~'}button"


def _clock_source(board: Board, wanted: float) -> tuple[str, float]:
    """The text that makes `core_clock` and `locked`, and the clock that comes out, in MHz."""
    clock = board.clock
    if clock.pll == "SB_HFOSC":
        for code, divider in enumerate(HFOSC_DIVIDERS):
            if abs(clock.frequency / divider - wanted) <= MAX_ERROR * wanted:
                return _HFOSC.format(code=f"0b{code:02b}"), clock.frequency / divider
        rates = ", ".join(f"{clock.frequency / divider:g}" for divider in HFOSC_DIVIDERS)
        raise UsageError(f"clock of {wanted:g} MHz: the oscillator of {board.name} makes {rates}")
    if abs(clock.frequency - wanted) <= MAX_ERROR * wanted:
        return _DIRECT, clock.frequency
    if clock.pll == "none":
        raise UsageError(
            f"clock of {wanted:g} MHz: {board.name} has no PLL here; it runs at "
            f"{clock.frequency:g} MHz"
        )
    if clock.pll == "EHXPLLL":
        ecp5 = ecp5_pll(clock.frequency, wanted)
        return _ecp5_text(ecp5), ecp5.output
    if clock.pll == "rPLL":
        gowin = gowin_pll(board.device.name, clock.frequency, wanted)
        return _GOWIN.format(pll=gowin, idiv=gowin.i_div - 1, fbdiv=gowin.fb_div - 1), gowin.output
    ice40 = ice40_pll(clock.frequency, wanted)
    return _ice40_text(ice40, clock.pll), ice40.output


def _ice40_text(pll: Ice40Pll, primitive: str) -> str:
    return _ICE40.format(
        primitive=primitive,
        pll=pll,
        pin="PACKAGEPIN" if primitive == "SB_PLL40_PAD" else "REFERENCECLK",
    )


def _ecp5_text(pll: Ecp5Pll) -> str:
    secondary = ""
    if pll.os_div is not None:
        secondary = (
            f'\n        .CLKOS_ENABLE("ENABLED"),\n        .CLKOS_DIV({pll.os_div}),'
            "\n        .CLKOS_CPHASE(0),\n        .CLKOS_FPHASE(0),"
        )
    return _ECP5.format(
        pll=pll,
        # CLKOP leads by half a period, as Lattice's generator has it.
        phase=pll.op_div // 2,
        secondary=secondary,
        feedback="core_clock" if pll.os_div is None else "feedback",
        declare="" if pll.os_div is None else "    wire feedback;\n",
        output="" if pll.os_div is None else "\n        .CLKOS(core_clock),",
    )


_TEXT = """\
// {core} on {board}: clock of {clock} MHz, reset, bridge and core.
// What belongs to the device and to no other is here, and nowhere else.
`default_nettype none

module {core}_board (
{ports}
);
    wire core_clock;
    wire locked;
{source}
    // In reset at once without a clock, out of it in step with the clock and some time later.
    wire running = {running};
    reg [1:0] runs;
    initial runs = 2'b00;
    always @(posedge core_clock or negedge running)
        if (!running) runs <= 2'b00;
        else runs <= {{runs[0], 1'b1}};
    reg [{wait_high}:0] waited;
    reg resetn;
    initial begin
        waited = {wait_zero}'d0;
        resetn = 1'b0;
    end
    always @(posedge core_clock) begin
        if (!runs[1]) waited <= {wait_zero}'d0;
        else if (!waited[{wait_high}]) waited <= waited + {wait_zero}'d1;
        resetn <= waited[{wait_high}];
    end

    wire [{input_high}:0] frame_tdata;
    wire frame_tvalid;
    wire frame_tready;
    wire frame_tlast;
    wire [{output_high}:0] result_tdata;
    wire result_tvalid;
    wire result_tready;
    wire result_tlast;
    wire active;
    wire failed;
{weight_wires}
    {core}_bridge bridge (
        .aclk(core_clock),
        .aresetn(resetn),
{pins}
        .m_axis_tdata(frame_tdata),
        .m_axis_tvalid(frame_tvalid),
        .m_axis_tready(frame_tready),
        .m_axis_tlast(frame_tlast),
        .s_axis_tdata(result_tdata),
        .s_axis_tvalid(result_tvalid),
        .s_axis_tready(result_tready),
        .s_axis_tlast(result_tlast),
        .active(active),
        .failed(failed){bridge_weights}
    );

    {core} core (
        .aclk(core_clock),
        .aresetn(resetn),
        .s_axis_tdata(frame_tdata),
        .s_axis_tvalid(frame_tvalid),
        .s_axis_tready(frame_tready),
        .s_axis_tlast(frame_tlast),
        .m_axis_tdata(result_tdata),
        .m_axis_tvalid(result_tvalid),
        .m_axis_tready(result_tready),
        .m_axis_tlast(result_tlast){core_weights}
    );

{lights}
endmodule

`default_nettype wire
"""

_DIRECT = """\
    assign core_clock = clk;
    assign locked = 1'b1;
"""

_HFOSC = """\
    SB_HFOSC #(
        .CLKHF_DIV("{code}")
    ) oscillator (
        .CLKHFPU(1'b1),
        .CLKHFEN(1'b1),
        .CLKHF(core_clock)
    );
    assign locked = 1'b1;
"""

_ICE40 = """\
    // {pll.reference:g} MHz / ({pll.divr} + 1) = {pll.pfd:g} MHz, · ({pll.divf} + 1) = \
{pll.vco:g} MHz, / 2^{pll.divq} = {pll.output:g} MHz
    {primitive} #(
        .FEEDBACK_PATH("SIMPLE"),
        .DIVR(4'd{pll.divr}),
        .DIVF(7'd{pll.divf}),
        .DIVQ(3'd{pll.divq}),
        .FILTER_RANGE(3'd{pll.filter_range})
    ) pll (
        .{pin}(clk),
        .RESETB(1'b1),
        .BYPASS(1'b0),
        .LOCK(locked),
        .PLLOUTGLOBAL(core_clock)
    );
"""

_ECP5 = """\
    // {pll.reference:g} MHz / {pll.i_div} = {pll.pfd:g} MHz, oscillator {pll.vco:g} MHz, \
clock {pll.output:.6g} MHz
{declare}\
    (* ICP_CURRENT = "12", LPF_RESISTOR = "8", MFG_ENABLE_FILTEROPAMP = "1", MFG_GMCREF_SEL = "2" *)
    EHXPLLL #(
        .PLLRST_ENA("DISABLED"),
        .INTFB_WAKE("DISABLED"),
        .STDBY_ENABLE("DISABLED"),
        .DPHASE_SOURCE("DISABLED"),
        .OUTDIVIDER_MUXA("DIVA"),
        .OUTDIVIDER_MUXB("DIVB"),
        .OUTDIVIDER_MUXC("DIVC"),
        .OUTDIVIDER_MUXD("DIVD"),
        .CLKI_DIV({pll.i_div}),
        .CLKFB_DIV({pll.fb_div}),
        .CLKOP_ENABLE("ENABLED"),
        .CLKOP_DIV({pll.op_div}),
        .CLKOP_CPHASE({phase}),
        .CLKOP_FPHASE(0),{secondary}
        .FEEDBK_PATH("CLKOP")
    ) pll (
        .CLKI(clk),
        .CLKFB({feedback}),
        .CLKOP({feedback}),{output}
        .RST(1'b0),
        .STDBY(1'b0),
        .PHASESEL0(1'b0),
        .PHASESEL1(1'b0),
        .PHASEDIR(1'b1),
        .PHASESTEP(1'b1),
        .PHASELOADREG(1'b1),
        .PLLWAKESYNC(1'b0),
        .ENCLKOP(1'b0),
        .LOCK(locked)
    );
"""

_GOWIN = """\
    // {pll.reference:g} MHz / {pll.i_div} · {pll.fb_div} = {pll.output:.6g} MHz, oscillator \
{pll.vco:.6g} MHz
    rPLL #(
        .FCLKIN("{pll.reference:g}"),
        .IDIV_SEL({idiv}),
        .FBDIV_SEL({fbdiv}),
        .ODIV_SEL({pll.o_div})
    ) pll (
        .CLKIN(clk),
        .CLKFB(1'b0),
        .RESET(1'b0),
        .RESET_P(1'b0),
        .FBDSEL(6'd0),
        .IDSEL(6'd0),
        .ODSEL(6'd0),
        .PSDA(4'd0),
        .DUTYDA(4'd0),
        .FDLY(4'd0),
        .CLKOUT(core_clock),
        .CLKOUTP(),
        .CLKOUTD(),
        .CLKOUTD3(),
        .LOCK(locked)
    );
"""
