"""Yosys proves that counts from forms are those of XNOR and popcount, for all x and w."""

from __future__ import annotations

from pathlib import Path

import pytest
from xdsl.dialects import hw
from xdsl.dialects.builtin import ModuleOp

from irc.backends.synth.tools import run_tool
from irc.backends.verilog.printer import print_design
from irc.errors import IrcError
from irc.passes.hardware.hw_builder import HwBuilder, Port
from irc.passes.hardware.units.counting import count_matches, forms_of, matching_forms


def ports(bits: int) -> list[Port]:
    """x and w, and their number of matches."""
    return [Port.input("x", bits), Port.input("w", bits), Port.output("y", bits.bit_length())]


def plain(bits: int) -> hw.HWModuleOp:
    """XNOR and popcount."""
    b = HwBuilder("plain", ports(bits), public=True)
    b.output("y", b.popcount(b.xnor(b.input("x"), b.input("w"))))
    return b.finish()


def from_forms(bits: int, lut_inputs: int, wrong: bool) -> hw.HWModuleOp:
    """Counts from forms; `wrong` exchanges two of them."""
    b = HwBuilder("forms", ports(bits), public=True)
    x = forms_of(b, b.slices(b.input("x"), 1))
    w = forms_of(b, b.slices(b.not_(b.input("w")), 1))
    if wrong:
        w[1], w[2] = w[2], w[1]
    word, beat = b.concat(*reversed(w)), b.concat(*reversed(x))
    digits, _ = count_matches(b, matching_forms(b, [beat], word, bits), lut_inputs)
    b.output("y", b.concat(*reversed(digits)))
    return b.finish()


def prove(folder: Path, modules: list[hw.HWModuleOp]) -> None:
    """Raises `IrcError` where the modules differ for any input."""
    for file in print_design(ModuleOp(modules)):
        (folder / f"{file.name}.v").write_text(file.text, encoding="utf-8")
    script = (
        "read_verilog plain.v forms.v; proc; miter -equiv -flatten -make_assert plain forms miter; "
        "hierarchy -top miter; opt -full; sat -verify -prove-asserts -set-def-inputs miter"
    )
    run_tool("yosys", ["-p", script], folder, "proof.log")


@pytest.mark.parametrize("lut_inputs", [4, 6])
@pytest.mark.parametrize("bits", [4, 9])
def test_counts_from_forms_are_exact(bits: int, lut_inputs: int, tmp_path: Path) -> None:
    prove(tmp_path, [plain(bits), from_forms(bits, lut_inputs, wrong=False)])


def test_exchanged_forms_are_refuted(tmp_path: Path) -> None:
    with pytest.raises(IrcError, match="proof did fail"):
        prove(tmp_path, [plain(9), from_forms(9, 6, wrong=True)])
