"""Counting cells, framing a core, and finding tools."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from irc.backends.synth import tools
from irc.backends.synth.devices import DEVICES, ECP5, GOWIN, ICE40, XC7, device_named
from irc.backends.synth.pins import TOP, frame_constraints, pin_frame
from irc.backends.synth.tools import run_tool, tool_command
from irc.backends.synth.yosys import Usage, cells_used, synthesise
from irc.errors import IrcError, UsageError

COUNTER = """
module leaf (input wire clk, input wire en, output reg [7:0] q);
    always @(posedge clk) if (en) q <= q + 8'd1;
endmodule
module pair (input wire clk, input wire en, output wire [7:0] a, output wire [7:0] b);
    leaf one (.clk(clk), .en(en), .q(a));
    leaf two (.clk(clk), .en(a[7]), .q(b));
endmodule
module outer (input wire clk, input wire en, output wire [15:0] q, output wire odd);
    pair both (.clk(clk), .en(en), .a(q[7:0]), .b(q[15:8]));
    assign odd = q[0] & q[8] & en;
endmodule
"""


def test_cells_count_as_the_makers_do():
    ice = {"SB_LUT4": 10, "SB_CARRY": 4, "SB_DFFESR": 3, "SB_DFF": 2, "SB_RAM40_4K": 5}
    assert cells_used(ice, ICE40) == Usage(10, 5, 5, 0)
    ecp = {"LUT4": 10, "CCU2C": 4, "TRELLIS_FF": 7, "DP16KD": 1, "PFUMX": 9, "MULT18X18D": 2}
    assert cells_used(ecp, ECP5) == Usage(18, 7, 1, 2)
    gowin = {"LUT1": 1, "LUT4": 5, "ALU": 7, "RAM16SDP4": 2, "DFFRE": 3, "DFF": 4, "pROM": 1}
    assert cells_used(gowin | {"SDPX9B": 2, "MULT9X9": 1}, GOWIN) == Usage(21, 7, 3, 1)
    xilinx = {"LUT6": 3, "LUT2": 4, "CARRY4": 5, "FDRE": 6, "RAMB18E1": 3, "MUXF7": 2, "RAM64M": 1}
    assert cells_used(xilinx, XC7) == Usage(11, 6, 1.5, 0)


def test_a_module_counts_as_often_as_it_is_there(tmp_path: Path):
    (tmp_path / "outer.v").write_text(COUNTER)
    lines: list[str] = []
    found = synthesise(ICE40, "outer", "outer", ["outer.v"], tmp_path, lines.append)
    assert found.total.flipflops == 16
    [module] = found.modules
    assert (module.name, module.count, module.usage.flipflops) == ("pair", 1, 16)
    assert found.own == Usage(luts=1)
    assert found.total == found.own + module.usage
    assert any("Executing SYNTH_ICE40" in line for line in lines)
    assert "SB_DFFE" in (tmp_path / "netlist.v").read_text()


def test_the_frame_connects_every_port_of_a_core(tmp_path: Path):
    """Yosys refuses ports that do not exist or whose width differs with `hierarchy -check`."""
    core = """
    module core (input wire aclk, input wire aresetn, input wire [15:0] s_axis_tdata,
        input wire s_axis_tvalid, input wire s_axis_tlast, output wire s_axis_tready,
        output reg [7:0] m_axis_tdata, output reg m_axis_tvalid, output reg m_axis_tlast,
        input wire m_axis_tready);
        assign s_axis_tready = m_axis_tready;
        always @(posedge aclk) begin
            m_axis_tdata <= s_axis_tdata[7:0] ^ s_axis_tdata[15:8];
            m_axis_tvalid <= s_axis_tvalid & aresetn;
            m_axis_tlast <= s_axis_tlast;
        end
    endmodule
    """
    (tmp_path / "core.v").write_text(core)
    (tmp_path / "frame.v").write_text(pin_frame("core", 16, 8))
    script = f"read_verilog core.v frame.v; hierarchy -check -top {TOP}; proc; check -assert"
    run_tool("yosys", ["-q", "-e", ".*", "-p", script], tmp_path, "yosys.log")
    found = synthesise(ICE40, TOP, "core", ["core.v", "frame.v"], tmp_path, lines_ignored)
    # Nothing of the core is optimised away, and the frame does not count.
    assert found.total == Usage(luts=9, flipflops=10)


def test_a_frame_on_gowin_has_a_place_for_every_port():
    device = device_named("gw1nr-9c")
    lines = frame_constraints(device.frame_pins).splitlines()
    assert lines[0] == 'IO_LOC "aclk" 52;'
    ports = re.findall(r"(?:input|output) wire (\w+)", pin_frame("core", 16, 8))
    assert [line.split('"')[1] for line in lines] == ports


def lines_ignored(line: str) -> None:
    """Progress that nobody watches."""


def test_a_failing_tool_shows_its_error(tmp_path: Path):
    (tmp_path / "bad.v").write_text("module bad (input wire a;\nendmodule\n")
    with pytest.raises(IrcError, match=r"yosys failed with exit code 1:\n.*bad\.v:1: ERROR"):
        run_tool("yosys", ["-p", "read_verilog bad.v"], tmp_path, "yosys.log")
    assert "syntax error" in (tmp_path / "yosys.log").read_text()


def test_missing_tools_and_devices_are_told(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(UsageError, match="unknown device 'up6k'; expected up5k, hx8k"):
        device_named("up6k")
    assert len({device.name for device in DEVICES}) == len(DEVICES)
    monkeypatch.setattr(tools, "_PACKAGES", {"nextpnr-ice40": ("no_such_package", "run")})
    monkeypatch.setenv("PATH", "")
    with pytest.raises(IrcError, match=r"nextpnr-ice40 was not found: pip install 'irc-bnn\[synth"):
        tool_command("nextpnr-ice40")


@pytest.mark.parametrize(("version", "taken"), [("0.1", False), ("1000.0", True), ("none", False)])
def test_a_tool_on_path_is_taken_if_it_is_newer(
    version: str, taken: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    tool = tmp_path / "yosys"
    tool.write_text(f'#!/bin/sh\necho "Yosys {version}+8 (git sha1 abc, g++ 12.2)"\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert (tool_command("yosys") == [str(tool)]) == taken
