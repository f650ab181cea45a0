"""Running `irc` inside the test process, as if from a shell."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from model_files import save, save_data

from irc.tools import irc

FAILURE, USAGE = 1, 2
DECLARED = ("--input", "x=uint8/255")
FAST_LEVELS = ("--levels", "onnx,bnn,dataflow,packed")

COMMANDS: dict[str, tuple[str, ...]] = {
    "check": ("check",),
    "compile": ("compile", "--target", "c", "-o", "out"),
    "verify": ("verify", "--data", "test.npz", *FAST_LEVELS),
    "run": ("run", "--data", "test.npz"),
    "quantize": ("quantize", "-o", "out.mlir", "--data", "test.npz"),
}
"""Every command with what it needs besides a model and the declaration of its input."""


@dataclass
class Result:
    """What came out of a run."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Everything printed, with the words of table cells that were wrapped put together."""
        return " ".join((self.out + self.err).replace("│", " ").split())


def run_irc(*arguments: object) -> Result:
    """Run with these arguments; checks that whatever is wrong is told as the user's mistake."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = irc.main([str(argument) for argument in arguments])
    shown = out.getvalue() + err.getvalue()
    assert "Traceback" not in shown, shown
    assert "internal error" not in shown, shown
    return Result(code, out.getvalue(), err.getvalue())


def everything_in(folder: Path) -> dict[str, bytes | None]:
    """Every path below a folder, with the content of files."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def fails(code: int, *arguments: object) -> str:
    """Run; checks that it fails with this code and one message, says nothing on stdout and leaves
    the current folder as it was. Returns the message."""
    before = everything_in(Path())
    result = run_irc(*arguments)
    assert result.code == code, result.err
    assert result.out == ""
    assert result.err.count("error: ") == 1
    assert everything_in(Path()) == before
    return result.err


def rows(text: str, first: str) -> list[list[str]]:
    """The cells of a table whose first heading is `first`, the headings first."""
    table: list[list[str]] = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("┃│").replace("┃", "│").split("│")]
        if cells[0] == first:
            table = [cells]
        elif table and line.startswith("│"):
            table.append(cells)
        elif table and line.startswith("└"):
            return table
    raise AssertionError(f"no table with {first!r} in:\n{text}")


def make_workplace(folder: Path) -> None:
    """Write `net.onnx` and `test.npz`."""
    save(folder / "net.onnx")
    save_data(folder / "test.npz")
