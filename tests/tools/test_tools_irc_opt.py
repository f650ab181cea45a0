"""What `irc-opt` does for its user: reading, passes, printing, lists, watching, interruption."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from opt_runner import LAYER, run_opt

from irc.pipelines import LEVELS, PIPELINES
from irc.tools import opt_arguments
from irc.universe import DIALECTS, PASSES, TARGETS

PRINTED = """\
builtin.module {
  func.func @layer(%x: tensor<2xf32>) -> tensor<2xf32> {
    %0 = bnn.ewise "neg" %x : tensor<2xf32> -> tensor<2xf32>
    %1 = bnn.ewise "relu" %0 : tensor<2xf32> -> tensor<2xf32>
    func.return %1 : tensor<2xf32>
  }
}
"""

TWICE = LAYER.replace('%1 = bnn.ewise "relu" %0', '%1 = bnn.ewise "neg" %x')
"""Two equal operations, which `cse` merges."""


@pytest.fixture
def layer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder holds `layer.mlir`."""
    monkeypatch.chdir(tmp_path)
    Path("layer.mlir").write_text(LAYER, encoding="utf-8")
    return tmp_path


def start(*arguments: str) -> subprocess.Popen[str]:
    """Start the tool in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "irc.tools.irc_opt", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_without_passes_the_input_is_printed(layer: Path) -> None:
    result = run_opt("layer.mlir")
    assert (result.code, result.out, result.err) == (0, PRINTED, "")


@pytest.mark.parametrize("arguments", [(), ("-",)])
def test_reads_standard_input(arguments: tuple[str, ...]) -> None:
    assert run_opt(*arguments, stdin=LAYER).out == PRINTED


def test_what_is_printed_parses_back_with_locations(layer: Path) -> None:
    first = run_opt("layer.mlir", "--print-debuginfo").out
    assert '"neg" %x : tensor<2xf32> -> tensor<2xf32> loc("layer.mlir":2:8)\n' in first
    assert run_opt("--print-debuginfo", stdin=first).out == first


def test_an_explicit_location_wins(layer: Path) -> None:
    named = LAYER.replace("tensor<2xf32>\n  %1", 'tensor<2xf32> loc("Neg_1")\n  %1')
    assert 'loc("Neg_1")' in run_opt("--print-debuginfo", stdin=named).out


def test_generic_form(layer: Path) -> None:
    out = run_opt("layer.mlir", "--print-op-generic").out
    assert '"bnn.ewise"(%x) <{fn = "neg"}> : (tensor<2xf32>) -> tensor<2xf32>' in out
    assert run_opt(stdin=out).out == PRINTED


def test_passes_run_in_order_and_merge_over_several_options(layer: Path) -> None:
    result = run_opt("-p", "cse", "-p", "dce, canonicalize", "--timing", stdin=TWICE)
    assert result.code == 0
    assert result.out.count("bnn.ewise") == 1
    words = result.err.split()
    assert [word for word in words if word in ("cse", "dce", "canonicalize")] == [
        *("cse", "dce", "canonicalize"),
    ]


def test_unregistered_dialects_on_request() -> None:
    text = '"other.thing"() : () -> ()'
    assert run_opt(stdin=text).code == 1
    result = run_opt("--allow-unregistered-dialect", stdin=text)
    assert result.code == 0
    assert '"other.thing"() : () -> ()' in result.out


def test_split_input_reports_every_bad_piece_at_its_own_line(layer: Path) -> None:
    bad = LAYER.replace("bnn.ewise", "bnn.ewize")
    Path("three.mlir").write_text(f"{bad}// -----\n{LAYER}// -----\n{bad}")
    result = run_opt("three.mlir", "--split-input-file")
    assert result.code == 1
    heads = [line.split(" error")[0] for line in result.err.splitlines() if " error" in line]
    assert heads == ["three.mlir:2:8:", "three.mlir:14:8:"]
    assert result.out == PRINTED


def test_split_input_keeps_the_pieces_apart(layer: Path) -> None:
    Path("two.mlir").write_text(f"{LAYER}\n// -----\n\n{LAYER}")
    result = run_opt("two.mlir", "--split-input-file")
    assert result.code == 0
    assert result.out == f"{PRINTED}// -----\n{PRINTED}"


def test_long_constants_can_be_cut(layer: Path) -> None:
    constant = f'<tensor<64xf32>, "0x{"00" * 256}">'
    text = (
        "func.func @f(%x: tensor<64xf32>) -> tensor<64xf32> {\n"
        f'  %0 = bnn.ewise "add" %x, {constant} : tensor<64xf32> -> tensor<64xf32>\n'
        "  func.return %0 : tensor<64xf32>\n}\n"
    )
    assert "00" * 256 in run_opt(stdin=text).out
    elided = run_opt("--elide-constants", stdin=text).out
    assert "00" * 40 not in elided
    assert '…"> : tensor<64xf32>' in elided


def test_declared_inputs_reach_the_pass() -> None:
    declared = run_opt("--input", "0=uint8/255", stdin=LAYER)
    assert declared.code == 0
    assert "@layer(%x: tensor<2xui8>" in declared.out
    assert '"div"' in declared.out
    by_option = run_opt("-p", 'declare-inputs{inputs="0=uint8/255"}', stdin=LAYER)
    assert by_option.out == declared.out
    by_setting = run_opt(
        *("-p", "declare-inputs", "--with", 'declare-inputs{inputs="0=uint8/255"}'), stdin=LAYER
    )
    assert by_setting.out == declared.out


def test_compiling_to_the_level_of_the_input_changes_nothing() -> None:
    assert run_opt("--compile-to=bnn", stdin=LAYER).out == PRINTED


def test_output_file_is_complete_and_readable_for_others(layer: Path) -> None:
    umask = os.umask(0o022)
    try:
        result = run_opt("layer.mlir", "-o", "out.mlir")
    finally:
        os.umask(umask)
    assert (result.code, result.out) == (0, "")
    assert Path("out.mlir").read_text() == PRINTED
    assert stat.S_IMODE(Path("out.mlir").stat().st_mode) == 0o644
    assert sorted(os.listdir()) == ["layer.mlir", "out.mlir"]


def test_output_may_replace_the_input_and_keeps_its_mode(layer: Path) -> None:
    Path("layer.mlir").chmod(0o600)
    assert run_opt("layer.mlir", "-o", "layer.mlir").code == 0
    assert Path("layer.mlir").read_text() == PRINTED
    assert stat.S_IMODE(Path("layer.mlir").stat().st_mode) == 0o600


def test_output_through_a_link_keeps_the_link(layer: Path) -> None:
    Path("real.mlir").write_text("old")
    Path("link.mlir").symlink_to("real.mlir")
    assert run_opt("layer.mlir", "-o", "link.mlir").code == 0
    assert Path("link.mlir").is_symlink()
    assert Path("real.mlir").read_text() == PRINTED


def test_onnx_model_is_read_by_extension_or_from_standard_input(layer: Path) -> None:
    from onnx import TensorProto, helper

    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"], name="R1")], "g", [x], [y])
    opset = helper.make_opsetid("", 17)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=8)
    Path("net.onnx").write_bytes(model.SerializeToString())
    result = run_opt("net.onnx", "--print-debuginfo")
    assert result.code == 0
    assert 'onnx.Relu(%x) : (tensor<1x4xf32>) -> tensor<1x4xf32> loc("R1")' in result.out
    piped = run_opt("-f", "onnx", "--print-debuginfo", stdin=model.SerializeToString())
    assert piped.out == result.out


@pytest.fixture(scope="module")
def model() -> Path:
    """The network of the MNIST example."""
    (path,) = (Path(__file__).resolve().parents[2] / "examples" / "mnist").glob("*.onnx")
    return path


@pytest.mark.parametrize("level", LEVELS)
def test_text_of_every_level_parses_back(model: Path, level: str) -> None:
    declared = () if level == "onnx" else ("--input", "uint8/255")
    first = run_opt(model, f"--compile-to={level}", *declared, "--print-debuginfo")
    assert first.code == 0, first.err
    again = run_opt("--print-debuginfo", f"--compile-to={level}", stdin=first.out)
    assert again.err == ""
    assert again.out == first.out


def test_a_named_pipeline_stands_for_its_passes(model: Path) -> None:
    by_name = run_opt(model, "-p", "onnx-to-bnn", "--input", "uint8/255")
    assert by_name.code == 0, by_name.err
    assert by_name.out == run_opt(model, "--compile-to=bnn", "--input", "uint8/255").out


def test_targets_print_text_for_their_machines(model: Path) -> None:
    arguments = (model, "--input", "uint8/255")
    verilog = run_opt(*arguments, "--compile-to=hw", "-t", "verilog")
    assert verilog.code == 0, verilog.err
    assert verilog.out.count("endmodule") > 3
    c = run_opt(*arguments, "--compile-to=packed", "-t", "c{name=digits}")
    assert c.code == 0, c.err
    assert "int digits_run(" in c.out


def test_help_teaches() -> None:
    result = run_opt("--help")
    assert result.code == 0
    for option in ("--compile-to", "--load", "-t 'verilog{top=net}'", "exit code:", "examples:"):
        assert option in result.out
    groups = re.findall(r"^(\S[^\n]*):\n  -", result.out, re.MULTILINE)
    assert groups == [
        *("input", "passes", "output", "printing IR between passes (to standard error)"),
        *("measuring passes (to standard error)", "finding what is wrong", "what there is"),
    ]
    assert max(map(len, result.out.splitlines())) <= 100


def test_levels_in_the_help_are_those_of_the_pipelines() -> None:
    assert opt_arguments.LEVELS == LEVELS


def test_help_is_quick() -> None:
    """Under 0.6 s for the whole process, of which most is Python's own start."""

    def measure() -> float:
        begin = time.perf_counter()
        process = start("--help")
        process.communicate()
        return time.perf_counter() - begin

    assert min(measure() for _ in range(3)) < 0.6


def test_version_names_what_matters_in_a_bug_report() -> None:
    assert run_opt("--version").out.startswith("irc-opt 0.1.0 (xDSL 0.74")


def test_list_passes_describes_ours_first() -> None:
    result = run_opt("--list-passes")
    assert result.code == 0
    lines = result.out.splitlines()
    assert lines[0] == "irc: lift"
    before_xdsl = lines[: lines.index("xdsl")]
    for name in PASSES:
        (line,) = [line for line in before_xdsl if line.split()[:1] == [name]]
        assert len(line.split()) > 3, f"{name} has no description"
    declare = next(i for i, line in enumerate(lines) if line.split()[:1] == ["declare-inputs"])
    assert lines[declare + 1] == "      inputs: a string, or several separated by commas"
    assert any(line.startswith("  canonicalize ") for line in lines)


def test_list_dialects_and_targets() -> None:
    dialects = run_opt("--list-dialects").out
    assert dialects.startswith("irc\n  onnx ")
    targets = run_opt("--list-targets").out.splitlines()
    for name in DIALECTS:
        assert f"\n  {name} " in dialects
    for name in TARGETS:
        assert any(line.split()[:1] == [name] for line in targets)
    assert "not available" not in "\n".join(line for line in targets if "irc." in line)


def test_list_pipelines_says_why() -> None:
    out = run_opt("--list-pipelines").out
    for pipeline in PIPELINES:
        assert f"{pipeline.name}\n" in out
        for step in pipeline.steps:
            assert step.spec in out
            assert step.why in out


SLEEPING_PASS = """\
import time
from irc.api import Context, ModuleOp, ModulePass


class Sleep(ModulePass):
    '''Sleep.'''

    name = "sleep"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        print("asleep", flush=True)
        time.sleep(60)
"""


def test_interruption_is_clean(layer: Path) -> None:
    Path("sleep.py").write_text(SLEEPING_PASS)
    process = start("layer.mlir", "--load", "sleep.py", "-p", "sleep", "-o", "out.mlir")
    assert process.stdout is not None
    assert process.stdout.readline() == "asleep\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert err == "interrupted\n"
    assert sorted(set(os.listdir()) - {"__pycache__"}) == ["layer.mlir", "sleep.py"]


def test_a_reader_that_stops_reading_is_no_error(layer: Path) -> None:
    Path("long.mlir").write_text(
        "\n".join(LAYER.replace("@layer", f"@layer{index}") for index in range(500))
    )
    process = start("long.mlir")
    assert process.stdout is not None
    assert process.stdout.readline() == "builtin.module {\n"
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.wait(timeout=20)
    process.stderr.close()


def test_a_full_device_behind_standard_output_is_an_error(layer: Path) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("the system has no /dev/full")
    with open("/dev/full", "w") as full:
        run = subprocess.run(
            [sys.executable, "-m", "irc.tools.irc_opt", "layer.mlir"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert run.returncode == 1
    assert run.stderr == "error: standard output cannot be written: No space left on device\n"
