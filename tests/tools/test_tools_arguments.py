"""What `irc` says of names that it does not know: which one was probably meant."""

from __future__ import annotations

import pytest
from irc_runner import USAGE, run_irc


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("compil", "net.onnx"), "'manifest', 'fuzz'); did you mean 'compile'?\n"),
        (("compile", "net.onnx", "--target", "verlog"), "'host'); did you mean 'verilog'?\n"),
        (("compile", "net.onnx", "--target", "vhdl"), "'host')\n"),
        (
            ("compile", "net.onnx", "--target", "c", "--poppcount", "swar"),
            "unknown option '--poppcount'; did you mean '--popcount'?\n",
        ),
    ],
)
def test_near_misses(arguments: tuple[str, ...], hint: str) -> None:
    result = run_irc(*arguments)
    assert result.code == USAGE
    assert hint in result.err
