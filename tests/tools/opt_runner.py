"""Running `irc-opt` inside the test process, as if from a shell."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass

from irc.tools import irc_opt


@dataclass
class Result:
    """What came out of a run."""

    code: int
    out: str
    err: str


def run_opt(*arguments: object, stdin: str | bytes = "") -> Result:
    """Run with these arguments and standard input; checks that no traceback is shown."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    out, err = io.StringIO(), io.StringIO()
    old = sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8")
    try:
        with redirect_stdout(out), redirect_stderr(err):
            code = irc_opt.main([str(argument) for argument in arguments])
    finally:
        sys.stdin = old
    assert "Traceback" not in err.getvalue() + out.getvalue()
    return Result(code, out.getvalue(), err.getvalue())


LAYER = """\
func.func @layer(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = bnn.ewise "neg" %x : tensor<2xf32> -> tensor<2xf32>
  %1 = bnn.ewise "relu" %0 : tensor<2xf32> -> tensor<2xf32>
  func.return %1 : tensor<2xf32>
}
"""
"""A small valid input."""
