// Bench for one AXI4-Stream design: the beats come from cocotb (`batch` = 0), one by one, or from
// an HDL source and go to an HDL sink (`batch` = 1), which is much faster.
//
// bench_config.vh names the design and the widths and lengths of its streams. Verilog-2005; the
// comments in `/*verilator …*/` make a signal visible to cocotb.
`timescale 1ns / 1ps
`default_nettype none
`include "bench_config.vh"

module bench;
  reg aclk /*verilator public_flat_rw*/ = 1'b0;
  reg aresetn /*verilator public_flat_rw*/ = 1'b0;
  reg batch /*verilator public_flat_rw*/ = 1'b0;

  // Set by cocotb for batches.
  reg enable /*verilator public_flat_rw*/ = 1'b0;
  reg compare /*verilator public_flat_rw*/ = 1'b0;
  reg capture /*verilator public_flat_rw*/ = 1'b0;
  reg [8:0] source_stall /*verilator public_flat_rw*/ = 0;
  reg [8:0] sink_stall /*verilator public_flat_rw*/ = 0;
  reg [31:0] seed /*verilator public_flat_rw*/ = 1;
  reg [31:0] frames /*verilator public_flat_rw*/ = 0;
  reg [31:0] patience /*verilator public_flat_rw*/ = 0;

  // Results of batches.
  wire finished /*verilator public_flat_rd*/;
  wire [31:0] frames_taken /*verilator public_flat_rd*/;
  wire [31:0] mismatches /*verilator public_flat_rd*/;
  wire [31:0] first_mismatch /*verilator public_flat_rd*/;
  wire [31:0] violations /*verilator public_flat_rd*/;
  wire [31:0] surplus /*verilator public_flat_rd*/;
  wire [31:0] half_cycle /*verilator public_flat_rd*/;
  wire [31:0] last_cycle /*verilator public_flat_rd*/;

  // Driven by cocotb, beat by beat.
  reg [`BENCH_IN_BITS-1:0] py_tdata /*verilator public_flat_rw*/ = 0;
  reg py_tvalid /*verilator public_flat_rw*/ = 1'b0;
  reg py_tlast /*verilator public_flat_rw*/ = 1'b0;
  reg py_tready /*verilator public_flat_rw*/ = 1'b0;

`ifdef BENCH_CONFIGURATION
  // Driven by cocotb, byte by byte.
  reg [7:0] cfg_tdata /*verilator public_flat_rw*/ = 0;
  reg cfg_tvalid /*verilator public_flat_rw*/ = 1'b0;
  reg cfg_tlast /*verilator public_flat_rw*/ = 1'b0;
  wire cfg_tready /*verilator public_flat_rd*/;
  wire cfg_busy /*verilator public_flat_rd*/;
  wire cfg_error /*verilator public_flat_rd*/;
`endif

  wire [`BENCH_IN_BITS-1:0] source_tdata;
  wire source_tvalid;
  wire source_tlast;
  wire sink_tready;

  wire [`BENCH_IN_BITS-1:0] s_axis_tdata = batch ? source_tdata : py_tdata;
  wire s_axis_tvalid = batch ? source_tvalid : py_tvalid;
  wire s_axis_tlast = batch ? source_tlast : py_tlast;
  wire s_axis_tready /*verilator public_flat_rd*/;
  wire [`BENCH_OUT_BITS-1:0] m_axis_tdata /*verilator public_flat_rd*/;
  wire m_axis_tvalid /*verilator public_flat_rd*/;
  wire m_axis_tlast /*verilator public_flat_rd*/;
  wire m_axis_tready = batch ? sink_tready : py_tready;

  axis_source #(
    .BITS(`BENCH_IN_BITS),
    .BEATS(`BENCH_IN_BEATS)
  ) source (
    .aclk(aclk),
    .aresetn(aresetn),
    .enable(enable),
    .stall(source_stall),
    .seed(seed),
    .frames(frames),
    .tdata(source_tdata),
    .tvalid(source_tvalid),
    .tlast(source_tlast),
    .tready(s_axis_tready)
  );

  `BENCH_DUT dut (
`ifdef BENCH_CONFIGURATION
    .s_axis_cfg_tdata(cfg_tdata),
    .s_axis_cfg_tvalid(cfg_tvalid),
    .s_axis_cfg_tready(cfg_tready),
    .s_axis_cfg_tlast(cfg_tlast),
    .cfg_busy(cfg_busy),
    .cfg_error(cfg_error),
`endif
    .aclk(aclk),
    .aresetn(aresetn),
    .s_axis_tdata(s_axis_tdata),
    .s_axis_tvalid(s_axis_tvalid),
    .s_axis_tready(s_axis_tready),
    .s_axis_tlast(s_axis_tlast),
    .m_axis_tdata(m_axis_tdata),
    .m_axis_tvalid(m_axis_tvalid),
    .m_axis_tready(m_axis_tready),
    .m_axis_tlast(m_axis_tlast)
  );

  axis_sink #(
    .BITS(`BENCH_OUT_BITS),
    .BEATS(`BENCH_OUT_BEATS)
  ) sink (
    .aclk(aclk),
    .aresetn(aresetn),
    .enable(enable),
    .compare(compare),
    .capture(capture),
    .stall(sink_stall),
    .seed(~seed),
    .frames(frames),
    .patience(patience),
    .tdata(m_axis_tdata),
    .tvalid(m_axis_tvalid),
    .tlast(m_axis_tlast),
    .tready(sink_tready),
    .finished(finished),
    .frames_taken(frames_taken),
    .mismatches(mismatches),
    .first_mismatch(first_mismatch),
    .violations(violations),
    .surplus(surplus),
    .half_cycle(half_cycle),
    .last_cycle(last_cycle)
  );
endmodule

`default_nettype wire
