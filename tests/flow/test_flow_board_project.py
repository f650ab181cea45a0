"""The files of a board: clean in every tool, with the primitives' real ports, and told mistakes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from irc.backends.boards.board import board_names, load_board
from irc.backends.synth.tools import run_tool
from irc.backends.verilog.lint import lint_verilator
from irc.errors import UsageError
from irc.flow.board_build import board_build, load_choice
from irc.flow.board_project import BoardChoice, board_files

CORE = """\
module net (
    input wire aclk,
    input wire aresetn,
    input wire [23:0] s_axis_tdata,
    input wire s_axis_tvalid,
    output wire s_axis_tready,
    input wire s_axis_tlast,
    output reg [15:0] m_axis_tdata,
    output reg m_axis_tvalid,
    input wire m_axis_tready,
    output wire m_axis_tlast
);
    assign s_axis_tready = aresetn & (m_axis_tready | ~m_axis_tvalid);
    assign m_axis_tlast = 1'b1;
    always @(posedge aclk) begin
        if (!aresetn) m_axis_tvalid <= 1'b0;
        else if (s_axis_tready) m_axis_tvalid <= s_axis_tvalid & s_axis_tlast;
        if (s_axis_tready) m_axis_tdata <= s_axis_tdata[15:0] ^ {8'd0, s_axis_tdata[23:16]};
    end
endmodule
"""
"""A core that gives a beat for three."""

CELLS = {
    "ice40": "+/ice40/cells_sim.v",
    "ecp5": "+/ecp5/cells_bb.v +/ecp5/cells_sim.v",
    "gowin": "+/gowin/cells_sim.v",
}


def manifest(**changes: Any) -> dict[str, Any]:
    """Of that core."""
    found: dict[str, Any] = {
        "top": "net",
        "input": {"shape": [12], "element": "ui6", "lanes": 4, "lane_bits": 6},
        "output": {"shape": [3], "element": "si5", "lanes": 3, "lane_bits": 5},
        "sources": {"rtl/net.v": {"crc32": 1}, "tb/bench.v": {"crc32": 2}},
        "hex": {},
        "cycles": 3,
        "layers": [],
    }
    found["input"] |= {"beats": 3, "bits": 24}
    found["output"] |= {"beats": 1, "bits": 16}
    return found | changes


def files_for(name: str, **choice: Any) -> dict[str, str]:
    return board_files(manifest(), BoardChoice(load_board(name), **choice))


def entry_of(files: dict[str, str]) -> dict[str, Any]:
    return json.loads(files["board/board.json"])


BRIDGED = [(name, "spi" if name == "upduino-hfosc" else "uart") for name in board_names()]


@pytest.mark.parametrize(("name", "bridge"), BRIDGED)
def test_the_top_of_every_board_is_clean(name: str, bridge: str, tmp_path: Path):
    files = files_for(name, bridge=bridge)
    (tmp_path / "net.v").write_text(CORE)
    paths = [tmp_path / "net.v"]
    for path, text in files.items():
        if path.endswith(".v") and "/tb/" not in path:
            paths.append(tmp_path / Path(path).name)
            paths[-1].write_text(text)
    # The real ports and parameters of the primitives, as Yosys knows them.
    family = load_board(name).device.family.name
    cells = f"read_verilog -lib {CELLS[family]}; " if family in CELLS else ""
    sources = " ".join(path.name for path in paths)
    script = f"{cells}read_verilog {sources}; hierarchy -check -top net_board; proc; check -assert"
    run_tool("yosys", ["-q", "-e", ".*", "-p", script], tmp_path, "yosys.log")
    primitives = files["board/tb/primitives.v"].replace("`timescale 1ns / 1ps\n", "")
    (tmp_path / "primitives.v").write_text(primitives)
    # Those of ECP5 and Gowin have pins that nobody needs, of which Verilator warns.
    if family not in ("ecp5", "gowin"):
        complaints = lint_verilator([*paths, tmp_path / "primitives.v"], "net_board")
        for file in ("net_board.v", "net_bridge"):
            assert file not in complaints, complaints


@pytest.mark.parametrize(("name", "bridge"), BRIDGED)
def test_every_port_of_the_top_has_a_pin(name: str, bridge: str):
    files = files_for(name, bridge=bridge)
    text = files["board/net_board.v"]
    ports = [
        line.split()[-1].rstrip(",")
        for line in text[: text.index(");")].splitlines()
        if line.strip().startswith(("input", "output"))
    ]
    constraints = files[f"board/{entry_of(files)['constraints']}"]
    assert ports
    for port in ports:
        form = {
            "pcf": f"set_io {port} ",
            "lpf": f'LOCATE COMP "{port}" SITE',
            "cst": f'IO_LOC "{port}" ',
            "xdc": f"{{ {port} }}",
        }
        assert form[entry_of(files)["constraints"][-3:]] in constraints


def test_the_constraints_of_the_families():
    pcf = files_for("icebreaker")["board/icebreaker.pcf"]
    assert "set_io rx 6\nset_io tx 9\n" in pcf
    assert "set_frequency clk 12\n" in pcf
    lpf = files_for("ulx3s-85k")["board/ulx3s-85k.lpf"]
    assert 'LOCATE COMP "rx" SITE "M1";\nIOBUF PORT "rx" IO_TYPE=LVCMOS33 PULLMODE=UP;' in lpf
    assert 'FREQUENCY PORT "clk" 25 MHZ;' in lpf
    cst = files_for("tangnano9k")["board/tangnano9k.cst"]
    assert 'IO_LOC "rx" 18;\nIO_PORT "rx" IO_TYPE=LVCMOS33 PULL_MODE=UP;\n' in cst
    assert 'IO_LOC "led_active" 10;\nIO_PORT "led_active" IO_TYPE=LVCMOS18;\n' in cst
    assert cst.startswith("// ")
    xdc = files_for("arty-a7")["board/arty-a7.xdc"]
    assert "{ PACKAGE_PIN A9 IOSTANDARD LVCMOS33 } [get_ports { rx }]" in xdc
    assert "create_clock -name clk -period 10.000" in xdc


def test_no_vendor_primitive_lies_outside_of_the_top():
    for name in ("icebreaker", "ulx3s-85k", "upduino-hfosc", "tangnano20k"):
        files = files_for(name, bridge="spi")
        holders = [
            path
            for path, text in files.items()
            if path.endswith(".v")
            and any(word in text for word in ("SB_", "EHXPLLL", "rPLL"))
            and "/tb/" not in path
        ]
        assert holders == ["board/net_board.v"]


def test_identity_follows_the_core_and_nothing_else():
    first = entry_of(files_for("icebreaker"))["identity"]
    assert entry_of(files_for("ulx3s-85k", baud=500_000))["identity"] == first
    sources = {"rtl/net.v": {"crc32": 7}, "tb/bench.v": {"crc32": 2}}
    choice = BoardChoice(load_board("icebreaker"))
    assert entry_of(board_files(manifest(sources=sources), choice))["identity"] != first
    sources = {"rtl/net.v": {"crc32": 1}, "tb/bench.v": {"crc32": 7}}
    assert entry_of(board_files(manifest(sources=sources), choice))["identity"] == first


def test_what_a_board_cannot_do_is_told():
    with pytest.raises(
        UsageError, match=r"board upduino-hfosc has no UART \(its clock is too inex"
    ):
        files_for("upduino-hfosc", bridge="uart")
    with pytest.raises(
        UsageError, match="6,000,000 baud: a clock of 24 MHz allows at most 4,000,000"
    ):
        files_for("icebreaker", baud=6_000_000)
    with pytest.raises(
        UsageError, match="clock of 20 MHz: the oscillator of upduino-hfosc makes 48"
    ):
        files_for("upduino-hfosc", bridge="spi", clock=20)
    with pytest.raises(UsageError, match="--bridge axi is for AMD's parts"):
        files_for("icebreaker", bridge="axi")
    with pytest.raises(
        UsageError, match="clock of 50 MHz: arty-a7 has no PLL here; it runs at 100"
    ):
        files_for("arty-a7", clock=50)


def test_axi_comes_with_the_scripts_of_vivado():
    files = files_for("zybo-z7")
    package, design = files["board/package.tcl"], files["board/block_design.tcl"]
    assert "-part xc7z020clg400-1" in package
    for path in ("../rtl/net.v", "net_axi.v", "net_registers.v"):
        assert f"    {path}\n" in package
    assert "M_TDATA_NUM_BYTES 3 " in design
    assert "S_TDATA_NUM_BYTES 2 " in design
    for text in (package, design):
        assert text.count("{") == text.count("}")
        assert text.count("[") == text.count("]")
    # Without a processing system there is nothing to put into a block design.
    assert "board/block_design.tcl" not in files_for("arty-a7", bridge="axi")


def test_synthesis_finds_the_board_in_the_folder_or_makes_it(tmp_path: Path):
    assert board_build(tmp_path, manifest(), None) is None
    choice = load_choice("icebreaker", None, None, None)
    made = board_build(tmp_path, manifest(), choice)
    for path, text in files_for("icebreaker").items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    found = board_build(tmp_path, manifest(), None)
    assert found == made
    assert found is not None
    assert found.device.name == "up5k"
    assert found.program_command("x.bin") == "iceprog x.bin"
