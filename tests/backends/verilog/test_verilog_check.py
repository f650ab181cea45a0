"""Printed text is parsed back and checked; every kind of mistake is found, with its line."""

from __future__ import annotations

import time

import numpy as np
import pytest
from xdsl.dialects import hw

from irc.backends.verilog.check import check_design, check_verilog
from irc.backends.verilog.printer import VerilogFile, print_module
from irc.errors import IrcError
from irc.passes.hardware.hw_builder import CLOCK_RESET, HwBuilder, Port


def inner_module() -> hw.HWModuleOp:
    b = HwBuilder("inner", [*CLOCK_RESET, Port.input("x", 8), Port.output("count", 4)])
    b.output("count", b.delay("count_q", b.popcount(b.input("x"))))
    return b.finish()


def design() -> list[VerilogFile]:
    """A module with everything that the checker knows: two files, one of them with a hex file."""
    inner = inner_module()
    ports = [Port.input("x", 8), Port.input("a", 3), Port.output("y", 8), Port.output("z", 4)]
    b = HwBuilder("outer", [*CLOCK_RESET, *ports])
    bits = np.random.default_rng(0).integers(0, 2, (6, 7))
    word = b.rom("weights", bits, b.input("a"), init="readmemh")
    few = b.rom("biases", bits[:3, :2], b.extract(b.input("a"), 0, 2))
    total = b.named("total", b.add(b.zext(word, 8), b.input("x")))
    state = b.delay("hold", b.mux(b.slt(total, 3), total, b.sext(few, 8)), 7)
    b.output("y", state)
    b.output("z", b.instance("inner_0", inner, {"x": total})["count"])
    return [print_module(inner), print_module(b.finish())]


def test_what_the_printer_writes_passes() -> None:
    check_design(design())


def test_words_wider_than_a_line_pass() -> None:
    b = HwBuilder("wide", [*CLOCK_RESET, Port.input("a", 2), Port.output("y", 400)])
    bits = np.random.default_rng(0).integers(0, 2, (4, 400))
    b.output("y", b.rom("words", bits, b.input("a")))
    file = print_module(b.finish())
    assert "words[3] =\n" in file.text
    check_design([file])
    wrong = file.text.replace("400'h", "401'h", 1)
    with pytest.raises(IrcError, match="a word of 'words' has 401 bits, expected 400"):
        check_design([VerilogFile(file.name, wrong, file.hex_files)])


def broken(old: str, new: str) -> str:
    """The complaint about the design with a text in `outer` or `inner` replaced."""
    files = design()
    assert sum(file.text.count(old) for file in files) >= 1, old
    files = [VerilogFile(f.name, f.text.replace(old, new, 1), f.hex_files) for f in files]
    with pytest.raises(IrcError) as error:
        check_design(files)
    assert "a bug in irc" in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("? total", "? totals", "outer.v: line 30: 'totals' is not declared as a signal"),
        ("wire [7:0] total =", "wire [6:0] total =", "the value of 'total' has 8 bits, expected 7"),
        ("{1'b0, weights_q} + x", "weights_q + x", "operands have different widths: 7, 8"),
        ("reg [7:0] hold;", "", "'hold' is not declared as a signal"),
        ("reg [7:0] hold;", "reg [7:0] hold;\n  reg hold;", "'hold' is declared twice"),
        ("assign y = hold;", "", "'y' has 0 drivers, expected 1"),
        ("assign y = hold;", "assign y = hold;\n  assign y = x;", "'y' has 2 drivers"),
        ("assign y = hold;", "assign hold = x;", "'hold' is assigned, but it is not an output"),
        ("weights_q <= weights[a];", "weights_q <= weights[a]; hold <= x;", "'hold' has 2 drivers"),
        ("weights_q <= weights[a];", "weights[a] <= weights_q;", "'weights_q' has 0 drivers"),
        ("weights_q <= weights[a];", "total <= x;", "'total' is set at a clock edge, but it is no"),
        ("weights[a]", "weights[a[1:0]]", "the address of 'weights' has 2 bits, expected 3"),
        ("a[1:0]", "a[3:2]", "'a' of 3 bits has no bits 3 to 2"),
        ("if (~aresetn)", "if (x)", "a condition has 8 bits, expected 1"),
        ("8'sd3", "7'sd3", "operands have different widths: 8, 7"),
        ("hold <= 8'd7", "hold <= 8'd256", "8'd256 does not fit its width"),
        ("biases[1] = ", "biases[2] = ", "expected word 1 of 'biases'"),
        ("biases[1] = 2'h", "biases[1] = 3'h", "a word of 'biases' has 3 bits, expected 2"),
        ("[0:5];", "[0:6];", "outer_weights.hex has 6 words, expected 7"),
        ("outer_weights.hex", "other.hex", "there is no file other.hex"),
        ("inner inner_0 (", "outter inner_0 (", "module 'outter' is not part of the design"),
        ("    .x(total),\n", "", "ports x are not connected or do not exist"),
        (".x(total)", ".x(a)", "port 'x' has 8 bits, but 3 are connected"),
        (".count(inner_0_count)", ".count(z)", "output 'count' must be connected to a wire"),
        ("popcount4 = {1'b0", "popcount4 = {2'd0", "operands have different widths: 4, 3"),
        ("{1'b0, popcount4(x[7:4])}", "{1'b0, popcount4(x[7:5])}", "the operand of 'popcount4'"),
        ("posedge aclk", "negedge aclk", "not in the printed subset"),
        ("posedge aclk", "posedge x", "the clock 'x' has 8 bits, expected 1"),
        ("hold <= 8'd7", "hold = 8'd7", "not in the printed subset"),
        ("endmodule", "", "not in the printed subset"),
    ],
)
def test_mistakes_are_found(old: str, new: str, message: str) -> None:
    assert message in broken(old, new)


def test_hex_words_must_have_the_right_width() -> None:
    text = design()[1]
    (name,) = text.hex_files
    words = text.hex_files[name].splitlines()
    for damaged in (["80", *words[1:]], ["0", *words[1:]], [*words[:-1], "0x"], words[:-1]):
        with pytest.raises(IrcError, match=r"outer_weights\.hex"):
            check_design([design()[0], VerilogFile("outer", text.text, {name: _lines(damaged)})])


def _lines(words: list[str]) -> str:
    return "".join(f"{word}\n" for word in words)


def test_modules_must_be_defined_once() -> None:
    files = design()
    with pytest.raises(IrcError, match="module 'inner' is defined twice"):
        check_design([*files, files[0]])


def test_one_text_of_several_modules_is_checked_too() -> None:
    files = design()
    text = "\n".join(file.text for file in files)
    check_verilog(text, files[1].hex_files)
    with pytest.raises(IrcError, match="not part of the design"):
        check_verilog(files[1].text, files[1].hex_files)


def test_checking_costs_linear_time() -> None:
    def seconds(words: int) -> float:
        b = HwBuilder("m", [*CLOCK_RESET, Port.input("x", 64), Port.output("y", 64)])
        value = b.input("x")
        for _ in range(words):
            value = b.named("v", b.xor(b.add(value, 12345), value))
        b.output("y", value)
        file = print_module(b.finish())
        check_design([file])
        start = time.process_time()
        check_design([file])
        return time.process_time() - start

    assert seconds(4000) < 12 * max(seconds(500), 0.005)
