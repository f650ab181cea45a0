"""`irc-opt --timing` and `--pass-statistics`: tables of what passes took and did."""

from __future__ import annotations

from pathlib import Path

from opt_runner import LAYER, run_opt

NEGATIONS = """\
func.func @f(%x: tensor<2xsi4>) -> tensor<2xsi4> {
  %0 = bnn.cast %x : tensor<2xsi4> -> tensor<2xf32>
  func.return %x : tensor<2xsi4>
}
func.func @g(%x: tensor<3x1x1xf32>) -> tensor<1x1x3xf32> {
  %0 = bnn.transpose %x perm [1 : i64, 2 : i64, 0 : i64] : tensor<3x1x1xf32> -> tensor<1x1x3xf32>
  %1 = bnn.ewise "neg" %0 : tensor<1x1x3xf32> -> tensor<1x1x3xf32>
  func.return %1 : tensor<1x1x3xf32>
}
"""

COUNTING = """\
from irc.api import Context, IrcError, ModuleOp, ModulePass, count


class Counting(ModulePass):
    '''Count, then fail.'''

    name = "counting"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for inner in op.walk():
            count("operations looked at")
        count("bits saved", 4096)
        raise IrcError("enough")
"""


def cells(err: str) -> list[list[str]]:
    """The rows of all tables."""
    rows = [line for line in err.splitlines() if line[:1] in "│┃"]
    return [[cell.strip() for cell in row.replace("┃", "│").strip("│").split("│")] for row in rows]


def test_timing_is_a_table_on_standard_error() -> None:
    result = run_opt("-p", "cse,dce", "--timing", stdin=LAYER)
    rows = cells(result.err)
    assert rows[0] == ["pass", "ms", "%", "operations"]
    names = [row[0] for row in rows]
    assert names == [
        *("pass", "(read)", "(verify input)", "cse", "dce", "(print)", "(write)"),
        *("(verify after passes)", "total"),
    ]
    assert rows[names.index("cse")][3] == "4 → 4"
    shares = [float(row[2]) for row in rows[1:-1]]
    assert abs(sum(shares) - 100) < 1
    assert "total" not in result.out


def test_without_verification_none_is_measured() -> None:
    rows = cells(run_opt("-p", "cse", "--timing", "--disable-verify", stdin=LAYER).err)
    (verify,) = [row for row in rows if row[0] == "(verify after passes)"]
    assert verify[1:3] == ["0.0", "0.0"]


def test_statistics_count_patterns_and_operations() -> None:
    result = run_opt("-p", "streamline-transposes,dce", "--pass-statistics", stdin=NEGATIONS)
    assert result.code == 0, result.err
    rows = cells(result.err)
    assert rows[0] == ["pass", "what", "times", "before", "after"]
    assert rows[1][0] == "streamline-transposes"
    counted = {row[1]: row[2:] for row in rows[1:] if row[1]}
    assert int(counted["unused operations erased"][0]) >= 1
    assert counted["bnn.cast"] == ["", "1", "0"]
    # Patterns go by the names of their classes.
    assert any(name[0].isupper() and row[0] for name, row in counted.items())
    assert [row[0] for row in rows if row[0]] == ["pass", "streamline-transposes", "dce"]


def test_passes_publish_counters_and_a_failing_one_too(tmp_path: Path) -> None:
    file = tmp_path / "counting.py"
    file.write_text(COUNTING)
    result = run_opt("--load", file, "-p", "cse,counting", "--pass-statistics", stdin=LAYER)
    assert result.code == 1
    rows = cells(result.err)
    assert ["counting", "bits saved", "4,096", "", ""] in rows
    assert ["", "operations looked at", "5", "", ""] in rows
