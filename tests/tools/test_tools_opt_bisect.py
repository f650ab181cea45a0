"""`irc-opt --pass-limit` and `--bisect`: which pass is to blame; `--compile-from` and its level."""

from __future__ import annotations

from pathlib import Path

import pytest
from opt_runner import LAYER, run_opt

TWICE = LAYER.replace('%1 = bnn.ewise "relu" %0', '%1 = bnn.ewise "neg" %x')
"""Two equal operations, which `cse` merges."""

PASSES = ("-p", "canonicalize,dce,cse,dce,canonicalize")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: `both.mlir`, where `neg` reads `%x` twice."""
    monkeypatch.chdir(tmp_path)
    used = TWICE.replace(
        "func.return %1",
        "%2 = bnn.add %0, %1 : tensor<2xf32>, tensor<2xf32> -> tensor<2xf32>\n  func.return %2",
    )
    Path("both.mlir").write_text(used)
    return tmp_path


@pytest.mark.parametrize(
    ("limit", "left", "said"),
    [
        (0, 2, "0 of 5 passes; none"),
        (2, 2, "2 of 5 passes; the last is 'dce'"),
        (3, 1, "3 of 5 passes; the last is 'cse'"),
        (9, 1, "5 of 5 passes; the last is 'canonicalize'"),
    ],
)
def test_a_limit_stops_the_pipeline(folder: Path, limit: int, left: int, said: str) -> None:
    result = run_opt("both.mlir", *PASSES, f"--pass-limit={limit}")
    assert result.code == 0
    assert result.out.count('"neg"') == left
    assert result.err == f"pass limit: {said}\n"


def test_a_target_needs_the_whole_way() -> None:
    result = run_opt("--compile-to=packed", "-t", "c", "--pass-limit=1", stdin=LAYER)
    assert result.code == 1
    assert "'bnn'; leave out -t with --pass-limit\n" in result.err


COUNTS_TWO = """sh -c 'test $(grep -c "\\"neg\\"" "$1") = 2' counts"""
"""A command that takes a file and succeeds where two lines hold `"neg"`."""


def test_bisection_finds_the_first_bad_pass(folder: Path) -> None:
    result = run_opt("both.mlir", *PASSES, "--bisect", COUNTS_TWO)
    assert result.code == 0, result.err
    assert result.out == (
        "the first bad pass is 'cse', number 3 of 5: look at it with --pass-limit=3 "
        "--print-ir-after-change\n"
    )
    assert result.err.splitlines() == [
        "after 0 of 5 passes: the command succeeds",
        "after 5 of 5 passes: the command fails",
        "after 2 of 5 passes: the command succeeds",
        "after 3 of 5 passes: the command fails",
    ]


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        ("false", 1, "'false' fails on the input already: no pass is to blame"),
        ("true", 1, "'true' succeeds after all 5 passes: nothing to find"),
        ("./no-such-command", 1, "'./no-such-command' cannot be run: the shell exits with 127"),
    ],
)
def test_nothing_to_bisect(folder: Path, command: str, code: int, message: str) -> None:
    result = run_opt("both.mlir", *PASSES, "--bisect", command)
    assert result.code == code
    assert result.out == ""
    assert f"error: both.mlir: {message}\n" in result.err


def test_the_file_of_a_command_is_whole_ir(folder: Path) -> None:
    run_opt("both.mlir", *PASSES, "--bisect", "cp -t .")
    for count in (0, 5):
        text = Path(f"after-{count}-passes.mlir").read_text()
        assert run_opt("--print-debuginfo", stdin=text).out == text


def test_a_place_for_the_file(folder: Path) -> None:
    command = """test $(grep -c '"neg"' {}) = 2"""
    result = run_opt("both.mlir", *PASSES, "--bisect", command)
    assert result.out.startswith("the first bad pass is 'cse', number 3 of 5: "), result.err


def test_bisection_prints_no_result(folder: Path) -> None:
    result = run_opt("both.mlir", "--bisect", "true", "-o", "out.mlir")
    assert result.code == 2
    assert not Path("out.mlir").exists()


HALF = """\
func.func @net(%x: tensor<4x!bnn.bipolar>) -> tensor<1xsi4> {
  %a = bnn.linear %x, <tensor<1x4x!bnn.bipolar>, [1, 1, -1, 1]>
    : tensor<4x!bnn.bipolar> -> tensor<1xsi4>
  %s = dataflow.to_stream %a : tensor<1xsi4> -> !dataflow.stream<tensor<1xsi4>, 1>
  %b = dataflow.from_stream %s : !dataflow.stream<tensor<1xsi4>, 1> -> tensor<1xsi4>
  func.return %b : tensor<1xsi4>
}
"""
"""A network that is lowered in part."""


def test_a_level_to_start_from() -> None:
    furthest = run_opt("--compile-to=dataflow", stdin=HALF)
    assert furthest.code == 0
    assert "bnn.linear" in furthest.out
    named = run_opt("--compile-from=bnn", "--compile-to=dataflow", "--pass-limit=1", stdin=HALF)
    assert named.code == 0, named.err
    assert "the last is 'make-reloadable'" in named.err


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--compile-from=bnn",), 2, "--compile-from says where --compile-to starts; add"),
        (
            ("--compile-from=onnx", "--compile-to=hw"),
            1,
            "the module is at level 'dataflow' and holds no operation of level 'onnx' to start",
        ),
        (
            ("--compile-from=packd", "--compile-to=hw"),
            2,
            "argument --compile-from: unknown level 'packd'; did you mean 'packed'?",
        ),
    ],
)
def test_a_level_that_is_not_there(options: tuple[str, ...], code: int, message: str) -> None:
    result = run_opt(*options, stdin=HALF)
    assert result.code == code
    assert message in result.err


@pytest.mark.parametrize(
    "option",
    [
        *("--print-ir-before=cse", "--print-ir-before-all", "--print-ir-after=cse"),
        *("--print-ir-after-all", "--print-ir-after-change", "--print-ir-diff"),
        *("--print-ir-after-failure", "--timing", "--pass-statistics", "--check-each"),
        *("--explain-rejections", "--crash-reproducer=crash.mlir"),
    ],
)
def test_bisection_watches_no_passes(folder: Path, option: str) -> None:
    result = run_opt("both.mlir", *PASSES, "--bisect", "true", option)
    assert result.code == 2
    assert f"--bisect goes without {option.partition('=')[0]}:" in result.err
