// Bench for the AXI wrapper: cocotbext-axi drives every signal. axi_config.vh names the design.
`timescale 1ns / 1ps
`default_nettype none
`include "axi_config.vh"

module axi_bench;
  reg aclk /*verilator public_flat_rw*/ = 1'b0;
  reg aresetn /*verilator public_flat_rw*/ = 1'b0;
  reg [5:0] s_axi_awaddr /*verilator public_flat_rw*/ = 0;
  reg s_axi_awvalid /*verilator public_flat_rw*/ = 0;
  reg [31:0] s_axi_wdata /*verilator public_flat_rw*/ = 0;
  reg [3:0] s_axi_wstrb /*verilator public_flat_rw*/ = 0;
  reg s_axi_wvalid /*verilator public_flat_rw*/ = 0;
  reg s_axi_bready /*verilator public_flat_rw*/ = 0;
  reg [5:0] s_axi_araddr /*verilator public_flat_rw*/ = 0;
  reg s_axi_arvalid /*verilator public_flat_rw*/ = 0;
  reg s_axi_rready /*verilator public_flat_rw*/ = 0;
  reg [`AXI_IN_BITS-1:0] s_axis_tdata /*verilator public_flat_rw*/ = 0;
  reg [`AXI_IN_BITS/8-1:0] s_axis_tkeep /*verilator public_flat_rw*/ = 0;
  reg s_axis_tvalid /*verilator public_flat_rw*/ = 0;
  reg s_axis_tlast /*verilator public_flat_rw*/ = 0;
  reg m_axis_tready /*verilator public_flat_rw*/ = 0;
  wire s_axi_awready /*verilator public_flat_rd*/;
  wire s_axi_wready /*verilator public_flat_rd*/;
  wire [1:0] s_axi_bresp /*verilator public_flat_rd*/;
  wire s_axi_bvalid /*verilator public_flat_rd*/;
  wire s_axi_arready /*verilator public_flat_rd*/;
  wire [31:0] s_axi_rdata /*verilator public_flat_rd*/;
  wire [1:0] s_axi_rresp /*verilator public_flat_rd*/;
  wire s_axi_rvalid /*verilator public_flat_rd*/;
  wire s_axis_tready /*verilator public_flat_rd*/;
  wire [`AXI_OUT_BITS-1:0] m_axis_tdata /*verilator public_flat_rd*/;
  wire [`AXI_OUT_BITS/8-1:0] m_axis_tkeep /*verilator public_flat_rd*/;
  wire m_axis_tvalid /*verilator public_flat_rd*/;
  wire m_axis_tlast /*verilator public_flat_rd*/;

  `AXI_DUT dut (
    .aclk(aclk),
    .aresetn(aresetn),
    .s_axi_awaddr(s_axi_awaddr),
    .s_axi_awvalid(s_axi_awvalid),
    .s_axi_wdata(s_axi_wdata),
    .s_axi_wstrb(s_axi_wstrb),
    .s_axi_wvalid(s_axi_wvalid),
    .s_axi_bready(s_axi_bready),
    .s_axi_araddr(s_axi_araddr),
    .s_axi_arvalid(s_axi_arvalid),
    .s_axi_rready(s_axi_rready),
    .s_axis_tdata(s_axis_tdata),
    .s_axis_tkeep(s_axis_tkeep),
    .s_axis_tvalid(s_axis_tvalid),
    .s_axis_tlast(s_axis_tlast),
    .m_axis_tready(m_axis_tready),
    .s_axi_awready(s_axi_awready),
    .s_axi_wready(s_axi_wready),
    .s_axi_bresp(s_axi_bresp),
    .s_axi_bvalid(s_axi_bvalid),
    .s_axi_arready(s_axi_arready),
    .s_axi_rdata(s_axi_rdata),
    .s_axi_rresp(s_axi_rresp),
    .s_axi_rvalid(s_axi_rvalid),
    .s_axis_tready(s_axis_tready),
    .m_axis_tdata(m_axis_tdata),
    .m_axis_tkeep(m_axis_tkeep),
    .m_axis_tvalid(m_axis_tvalid),
    .m_axis_tlast(m_axis_tlast)
  );
endmodule

`default_nettype wire
