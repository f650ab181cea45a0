// Bench for the whole top module of a board: cocotb drives its clock at the core's frequency, its
// UART or SPI, and looks at what comes out. primitives.v stands for what belongs to the device.
`timescale 1ns / 1ps
`default_nettype none
`include "board_config.vh"

module board_bench;
  reg clk /*verilator public_flat_rw*/ = 1'b0;
  reg button /*verilator public_flat_rw*/ = 1'b0;
  reg rx /*verilator public_flat_rw*/ = 1'b1;
  reg cs /*verilator public_flat_rw*/ = 1'b1;
  reg sck /*verilator public_flat_rw*/ = 1'b0;
  reg mosi /*verilator public_flat_rw*/ = 1'b0;
  wire tx /*verilator public_flat_rd*/;
  wire miso /*verilator public_flat_rd*/;

  `BOARD_TOP dut (`BOARD_PORTS);
endmodule

`default_nettype wire
