// What stands for the primitives of a device in simulation: the clock goes through unchanged, since
// the bench drives it at the frequency that the PLL makes, and the lock comes a little later.
`timescale 1ns / 1ps
`default_nettype none

module lock_after_a_while (
    input wire clk,
    output wire locked
);
  reg [3:0] count = 4'd0;
  always @(posedge clk) if (!locked) count <= count + 4'd1;
  assign locked = &count;
endmodule

module SB_PLL40_PAD (
    input wire PACKAGEPIN,
    input wire RESETB,
    input wire BYPASS,
    output wire LOCK,
    output wire PLLOUTGLOBAL
);
  parameter FEEDBACK_PATH = "";
  parameter [3:0] DIVR = 4'd0;
  parameter [6:0] DIVF = 7'd0;
  parameter [2:0] DIVQ = 3'd0;
  parameter [2:0] FILTER_RANGE = 3'd0;
  SB_PLL40_CORE pll (
    .REFERENCECLK(PACKAGEPIN),
    .RESETB(RESETB),
    .BYPASS(BYPASS),
    .LOCK(LOCK),
    .PLLOUTGLOBAL(PLLOUTGLOBAL)
  );
endmodule

module SB_PLL40_CORE (
    input wire REFERENCECLK,
    input wire RESETB,
    input wire BYPASS,
    output wire LOCK,
    output wire PLLOUTGLOBAL
);
  parameter FEEDBACK_PATH = "";
  parameter [3:0] DIVR = 4'd0;
  parameter [6:0] DIVF = 7'd0;
  parameter [2:0] DIVQ = 3'd0;
  parameter [2:0] FILTER_RANGE = 3'd0;
  assign PLLOUTGLOBAL = REFERENCECLK & RESETB & ~BYPASS;
  lock_after_a_while lock (.clk(PLLOUTGLOBAL), .locked(LOCK));
endmodule

// The oscillator has no input: the bench's own clock takes its place.
module SB_HFOSC (
    input wire CLKHFPU,
    input wire CLKHFEN,
    output wire CLKHF
);
  parameter CLKHF_DIV = "";
  assign CLKHF = board_bench.clk & CLKHFPU & CLKHFEN;
endmodule

module EHXPLLL (
    input wire CLKI,
    input wire CLKFB,
    input wire RST,
    input wire STDBY,
    input wire PHASESEL0,
    input wire PHASESEL1,
    input wire PHASEDIR,
    input wire PHASESTEP,
    input wire PHASELOADREG,
    input wire PLLWAKESYNC,
    input wire ENCLKOP,
    output wire CLKOP,
    output wire CLKOS,
    output wire LOCK
);
  parameter PLLRST_ENA = "";
  parameter INTFB_WAKE = "";
  parameter STDBY_ENABLE = "";
  parameter DPHASE_SOURCE = "";
  parameter OUTDIVIDER_MUXA = "";
  parameter OUTDIVIDER_MUXB = "";
  parameter OUTDIVIDER_MUXC = "";
  parameter OUTDIVIDER_MUXD = "";
  parameter CLKI_DIV = 1;
  parameter CLKFB_DIV = 1;
  parameter CLKOP_ENABLE = "";
  parameter CLKOP_DIV = 1;
  parameter CLKOP_CPHASE = 0;
  parameter CLKOP_FPHASE = 0;
  parameter CLKOS_ENABLE = "";
  parameter CLKOS_DIV = 1;
  parameter CLKOS_CPHASE = 0;
  parameter CLKOS_FPHASE = 0;
  parameter FEEDBK_PATH = "";
  assign CLKOP = CLKI & ~RST;
  assign CLKOS = CLKOP;
  lock_after_a_while lock (.clk(CLKI), .locked(LOCK));
endmodule

module rPLL (
    input wire CLKIN,
    input wire CLKFB,
    input wire RESET,
    input wire RESET_P,
    input wire [5:0] FBDSEL,
    input wire [5:0] IDSEL,
    input wire [5:0] ODSEL,
    input wire [3:0] PSDA,
    input wire [3:0] DUTYDA,
    input wire [3:0] FDLY,
    output wire CLKOUT,
    output wire CLKOUTP,
    output wire CLKOUTD,
    output wire CLKOUTD3,
    output wire LOCK
);
  parameter FCLKIN = "";
  parameter IDIV_SEL = 0;
  parameter FBDIV_SEL = 0;
  parameter ODIV_SEL = 8;
  assign CLKOUT = CLKIN & ~RESET & ~RESET_P;
  assign CLKOUTP = CLKOUT;
  assign CLKOUTD = CLKOUT;
  assign CLKOUTD3 = CLKOUT;
  lock_after_a_while lock (.clk(CLKIN), .locked(LOCK));
endmodule

`default_nettype wire
