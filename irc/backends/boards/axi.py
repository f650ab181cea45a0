"""The AXI wrapper of a core, and the Tcl that makes Vivado package it and build on it."""

from __future__ import annotations

from irc.backends.boards.board import Board
from irc.backends.boards.wrapper import WEIGHT_WIRES, weight_pins

ZYNQ_7000 = "xc7z"
"""How the names of parts with a processing system begin."""


def axi_top(core: str, input_bits: int, output_bits: int, *, reloadable: bool = False) -> str:
    """Verilog of CORE_axi: AXI4-Lite to CORE_registers, streams with TKEEP and TLAST; weights of a
    `reloadable` network come through the registers."""
    return _TOP.format(
        core=core,
        in_high=input_bits - 1,
        in_keep=input_bits // 8 - 1,
        out_high=output_bits - 1,
        out_keep=output_bits // 8 - 1,
        out_bytes=output_bits // 8,
        weight_wires=WEIGHT_WIRES if reloadable else "",
        register_weights=weight_pins("m_axis") if reloadable else "",
        core_weights=weight_pins("s_axis") if reloadable else "",
    )


def package_script(board: Board, core: str, verilog: list[str], memories: list[str]) -> str:
    """Tcl that packages CORE_axi as IP; paths are relative to the folder of the board."""
    files = "\n".join(f"    {path}" for path in [*verilog, *memories])
    return _PACKAGE.format(core=core, part=board.part, files=files)


def block_design_script(board: Board, core: str, input_bytes: int, output_bytes: int) -> str | None:
    """Tcl of a block design with processing system and DMA, where the part has one."""
    if board.part is None or not board.part.startswith(ZYNQ_7000):
        return None
    return _BLOCK_DESIGN.format(
        core=core,
        board=board.name,
        part=board.part,
        clock=f"{board.clock.core:g}",
        input_bytes=input_bytes,
        output_bytes=output_bytes,
    )


_TOP = """\
// {core} with AXI4-Lite registers and AXI4-Stream ports, for a processor.
`default_nettype none

module {core}_axi (
    input wire aclk,
    input wire aresetn,
    input wire [5:0] s_axi_awaddr,
    input wire s_axi_awvalid,
    output wire s_axi_awready,
    input wire [31:0] s_axi_wdata,
    input wire [3:0] s_axi_wstrb,
    input wire s_axi_wvalid,
    output wire s_axi_wready,
    output wire [1:0] s_axi_bresp,
    output wire s_axi_bvalid,
    input wire s_axi_bready,
    input wire [5:0] s_axi_araddr,
    input wire s_axi_arvalid,
    output wire s_axi_arready,
    output wire [31:0] s_axi_rdata,
    output wire [1:0] s_axi_rresp,
    output wire s_axi_rvalid,
    input wire s_axi_rready,
    input wire [{in_high}:0] s_axis_tdata,
    input wire [{in_keep}:0] s_axis_tkeep,
    input wire s_axis_tvalid,
    output wire s_axis_tready,
    input wire s_axis_tlast,
    output wire [{out_high}:0] m_axis_tdata,
    output wire [{out_keep}:0] m_axis_tkeep,
    output wire m_axis_tvalid,
    input wire m_axis_tready,
    output wire m_axis_tlast
);
    wire run;
    wire core_runs;
    wire core_ready;
    wire core_valid = s_axis_tvalid & run;
    assign s_axis_tready = core_ready & run;
    // Whole beats only: a result ends with its last beat.
    assign m_axis_tkeep = {{{out_bytes}{{1'b1}}}};
{weight_wires}
    {core}_registers registers (
        .aclk(aclk),
        .aresetn(aresetn),
        .s_axi_awaddr(s_axi_awaddr),
        .s_axi_awvalid(s_axi_awvalid),
        .s_axi_awready(s_axi_awready),
        .s_axi_wdata(s_axi_wdata),
        .s_axi_wstrb(s_axi_wstrb),
        .s_axi_wvalid(s_axi_wvalid),
        .s_axi_wready(s_axi_wready),
        .s_axi_bresp(s_axi_bresp),
        .s_axi_bvalid(s_axi_bvalid),
        .s_axi_bready(s_axi_bready),
        .s_axi_araddr(s_axi_araddr),
        .s_axi_arvalid(s_axi_arvalid),
        .s_axi_arready(s_axi_arready),
        .s_axi_rdata(s_axi_rdata),
        .s_axi_rresp(s_axi_rresp),
        .s_axi_rvalid(s_axi_rvalid),
        .s_axi_rready(s_axi_rready),
        .in_valid(s_axis_tvalid),
        .in_ready(s_axis_tready),
        .in_last(s_axis_tlast),
        .in_whole(&s_axis_tkeep),
        .out_valid(m_axis_tvalid),
        .out_ready(m_axis_tready),
        .out_last(m_axis_tlast),
        .run(run),
        .core_resetn(core_runs){register_weights}
    );

    {core} core (
        .aclk(aclk),
        .aresetn(aresetn & core_runs),
        .s_axis_tdata(s_axis_tdata),
        .s_axis_tvalid(core_valid),
        .s_axis_tready(core_ready),
        .s_axis_tlast(s_axis_tlast),
        .m_axis_tdata(m_axis_tdata),
        .m_axis_tvalid(m_axis_tvalid),
        .m_axis_tready(m_axis_tready),
        .m_axis_tlast(m_axis_tlast){core_weights}
    );
endmodule

`default_nettype wire
"""

_PACKAGE = """\
# Packages {core}_axi as IP in ./ip: vivado -mode batch -source package.tcl
set here [file dirname [file normalize [info script]]]
create_project -force -part {part} package $here/package
set files {{
{files}
}}
foreach file $files {{
    add_files -norecurse [file join $here $file]
}}
foreach file [get_files -quiet *.hex] {{
    set_property file_type {{Memory Initialization Files}} $file
}}
set_property top {core}_axi [current_fileset]
update_compile_order -fileset sources_1
ipx::package_project -root_dir $here/ip -vendor irc -library user -taxonomy /UserIP \\
    -import_files -force
set core [ipx::current_core]
set_property name {core}_axi $core
set_property display_name {core} $core
set_property description {{{core}: AXI4-Lite registers, AXI4-Stream frames and results}} $core
# Vivado finds the interfaces by the names of the ports; all of them run at aclk.
foreach bus {{s_axi s_axis m_axis}} {{
    ipx::associate_bus_interfaces -busif $bus -clock aclk $core
}}
set_property core_revision 1 $core
ipx::create_xgui_files $core
ipx::update_checksums $core
ipx::check_integrity $core
ipx::save_core $core
close_project -delete
"""

_BLOCK_DESIGN = """\
# The whole design for {board}, after package.tcl: vivado -mode batch -source block_design.tcl
# Leaves {core}.bit and {core}.hwh here, which PYNQ's Overlay loads together.
set here [file dirname [file normalize [info script]]]
create_project -force -part {part} build $here/build
set_property ip_repo_paths $here/ip [current_project]
update_ip_catalog
create_bd_design {core}

create_bd_cell -type ip -vlnv xilinx.com:ip:processing_system7 ps
# The processor's own pins and DDR belong to the board, whose files Digilent publishes; PYNQ's boot
# image has set them up by the time that it loads this design.
apply_bd_automation -rule xilinx.com:bd_rule:processing_system7 \\
    -config {{make_external "FIXED_IO, DDR"}} [get_bd_cells ps]
set_property -dict [list CONFIG.PCW_USE_S_AXI_HP0 1 CONFIG.PCW_USE_M_AXI_GP0 1 \\
    CONFIG.PCW_FPGA0_PERIPHERAL_FREQMHZ {clock}] [get_bd_cells ps]

create_bd_cell -type ip -vlnv irc:user:{core}_axi network
create_bd_cell -type ip -vlnv xilinx.com:ip:axi_dma dma
set_property -dict [list CONFIG.c_include_sg 0 CONFIG.c_sg_length_width 26 \\
    CONFIG.c_m_axis_mm2s_tdata_width 32 CONFIG.c_s_axis_s2mm_tdata_width 32] [get_bd_cells dma]
# Beats of the core have as many bytes as it likes, those of the DMA have four.
create_bd_cell -type ip -vlnv xilinx.com:ip:axis_dwidth_converter to_network
set_property -dict [list CONFIG.S_TDATA_NUM_BYTES 4 CONFIG.M_TDATA_NUM_BYTES {input_bytes} \\
    CONFIG.HAS_TLAST 1 CONFIG.HAS_TKEEP 1] [get_bd_cells to_network]
create_bd_cell -type ip -vlnv xilinx.com:ip:axis_dwidth_converter from_network
set_property -dict [list CONFIG.S_TDATA_NUM_BYTES {output_bytes} CONFIG.M_TDATA_NUM_BYTES 4 \\
    CONFIG.HAS_TLAST 1 CONFIG.HAS_TKEEP 1] [get_bd_cells from_network]

connect_bd_intf_net [get_bd_intf_pins dma/M_AXIS_MM2S] [get_bd_intf_pins to_network/S_AXIS]
connect_bd_intf_net [get_bd_intf_pins to_network/M_AXIS] [get_bd_intf_pins network/s_axis]
connect_bd_intf_net [get_bd_intf_pins network/m_axis] [get_bd_intf_pins from_network/S_AXIS]
connect_bd_intf_net [get_bd_intf_pins from_network/M_AXIS] [get_bd_intf_pins dma/S_AXIS_S2MM]

foreach slave {{network/s_axi dma/S_AXI_LITE}} {{
    apply_bd_automation -rule xilinx.com:bd_rule:axi4 \\
        -config {{Master /ps/M_AXI_GP0 Clk /ps/FCLK_CLK0}} [get_bd_intf_pins $slave]
}}
foreach master {{dma/M_AXI_MM2S dma/M_AXI_S2MM}} {{
    apply_bd_automation -rule xilinx.com:bd_rule:axi4 \\
        -config [list Master /$master Slave /ps/S_AXI_HP0 Clk /ps/FCLK_CLK0] \\
        [get_bd_intf_pins ps/S_AXI_HP0]
}}
set reset [get_bd_pins -of_objects [get_bd_cells -filter {{VLNV =~ *:proc_sys_reset:*}}] \\
    -filter {{NAME == peripheral_aresetn}}]
foreach cell {{to_network from_network}} {{
    connect_bd_net [get_bd_pins ps/FCLK_CLK0] [get_bd_pins $cell/aclk]
    connect_bd_net $reset [get_bd_pins $cell/aresetn]
}}
assign_bd_address
validate_bd_design
save_bd_design

make_wrapper -files [get_files {core}.bd] -top -import
set_property top {core}_wrapper [current_fileset]
launch_runs impl_1 -to_step write_bitstream -jobs 4
wait_on_run impl_1
if {{[get_property PROGRESS [get_runs impl_1]] ne "100%"}} {{
    error "implementation failed; see $here/build/build.runs/impl_1/runme.log"
}}
file copy -force [glob $here/build/build.runs/impl_1/*.bit] $here/{core}.bit
file copy -force [glob $here/build/build.gen/sources_1/bd/{core}/hw_handoff/*.hwh] $here/{core}.hwh
"""
