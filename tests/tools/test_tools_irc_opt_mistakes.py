"""Whatever a user gets wrong ends in one clear message, the right exit code, and no output file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from opt_runner import LAYER, run_opt

FAILURE = 1
USAGE = 2


@pytest.fixture
def layer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder holds `layer.mlir`, so that messages can be compared to the letter."""
    monkeypatch.chdir(tmp_path)
    Path("layer.mlir").write_text(LAYER, encoding="utf-8")
    return tmp_path


def fails(code: int, message: str, *arguments: object, stdin: str | bytes = "") -> None:
    """The run exits with `code`, prints exactly `message` to stderr and nothing to stdout."""
    result = run_opt(*arguments, stdin=stdin)
    assert result.err == message
    assert result.code == code
    assert result.out == ""


def test_unknown_pass(layer: Path) -> None:
    fails(
        USAGE,
        "error: unknown pass 'fold-treshold'; did you mean 'fold-thresholds'? "
        "(--list-passes names all)\n",
        *("layer.mlir", "-p", "cse,fold-treshold"),
    )


def test_underscores_in_a_pass_name(layer: Path) -> None:
    fails(
        USAGE,
        "error: unknown pass 'fold_thresholds'; did you mean 'fold-thresholds'? "
        "(--list-passes names all)\n",
        *("layer.mlir", "-p", "fold_thresholds"),
    )


def test_misspelt_option_names_the_options_of_the_pass(layer: Path) -> None:
    fails(
        USAGE,
        "error: pass 'declare-inputs' has no option 'input'; did you mean 'inputs'?\n"
        "its options are:\n"
        "  inputs: a string, or several separated by commas\n",
        *("layer.mlir", "-p", 'declare-inputs{input="0=uint8"}'),
    )


def test_option_for_a_pass_without_options(layer: Path) -> None:
    fails(
        USAGE,
        "error: pass 'fold-thresholds' has no option 'depth'\nit takes no options\n",
        *("layer.mlir", "-p", "fold-thresholds{depth=3}"),
    )


def test_wrong_type_of_an_option(layer: Path) -> None:
    fails(
        USAGE,
        "error: pass 'riscv-allocate-registers': option 'add-regalloc-stats' expects "
        "true or false, not '3'\n",
        *("layer.mlir", "-p", "riscv-allocate-registers{add-regalloc-stats=3}"),
    )


def test_required_option_missing(layer: Path) -> None:
    result = run_opt("layer.mlir", "-p", "apply-individual-rewrite")
    assert result.code == USAGE
    assert result.err.startswith(
        "error: pass 'apply-individual-rewrite' needs option 'matched-operation-index'\n"
        "its options are:\n  matched-operation-index: an integer (required)\n"
    )


def test_unbalanced_braces_in_a_pipeline(layer: Path) -> None:
    fails(
        USAGE,
        "error: pipeline: expected equals, space or end of arguments here\n"
        "  cse,declare-inputs{inputs\n"
        "                           ^\n"
        "expected NAME or NAME{OPTION=VALUE OPTION=VALUE}, passes separated by commas\n",
        *("layer.mlir", "-p", "cse, declare-inputs{inputs"),
    )


def test_options_for_a_named_pipeline(layer: Path) -> None:
    fails(
        USAGE,
        "error: pipeline 'onnx-to-bnn' takes no options; give them to one of its passes with "
        "'--with PASS{OPTION=VALUE}'\n",
        *("layer.mlir", "-p", "onnx-to-bnn{batch=1}"),
    )


def test_syntax_error_in_the_text(layer: Path) -> None:
    Path("bad.mlir").write_text(LAYER.replace("-> tensor<2xf32>\n  %1", "tensor\n  %1"))
    fails(
        FAILURE,
        "bad.mlir:2:43: error: expected '->'\n"
        '    %0 = bnn.ewise "neg" %x : tensor<2xf32> tensor\n'
        "                                            ^^^^^^\n",
        "bad.mlir",
    )


def test_text_that_stops_too_early(layer: Path) -> None:
    Path("cut.mlir").write_text(LAYER[:-2] + "\n\n")
    fails(
        FAILURE,
        "cut.mlir:4:33: error: expected an operation or '}' (the text ends here)\n"
        "    func.return %1 : tensor<2xf32>\n"
        "                                  ^\n",
        "cut.mlir",
    )


def test_value_that_is_never_defined(layer: Path) -> None:
    Path("bad.mlir").write_text(LAYER.replace("return %1", "return %nn"))
    fails(
        FAILURE,
        "bad.mlir:4:15: error: %nn used but not defined\n"
        "    func.return %nn : tensor<2xf32>\n"
        "                ^^^\n",
        "bad.mlir",
    )


def test_value_that_is_used_before_its_definition(layer: Path) -> None:
    lines = LAYER.splitlines(keepends=True)
    Path("bad.mlir").write_text("".join([lines[0], lines[2], lines[1], *lines[3:]]))
    fails(
        FAILURE,
        "bad.mlir:2:8: error: 'bnn.ewise': operand 0 is used before it is defined\n"
        '    %1 = bnn.ewise "relu" %0 : tensor<2xf32> -> tensor<2xf32>\n'
        "         ^^^^^^^^^\n",
        "bad.mlir",
    )


def test_verifier_error_shows_the_operation_and_nothing_else(layer: Path) -> None:
    Path("bad.mlir").write_text(LAYER.replace('"relu"', '"rleu"'))
    result = run_opt("bad.mlir")
    assert result.code == FAILURE
    head, *rest = result.err.splitlines()
    assert head.startswith("bad.mlir:3:8: error: 'bnn.ewise': ")
    assert "rleu" in head
    assert rest == [
        '    %1 = bnn.ewise "rleu" %0 : tensor<2xf32> -> tensor<2xf32>',
        "         ^^^^^^^^^",
    ]


def test_verifier_error_with_long_constants_stays_short(layer: Path) -> None:
    constant = f'<tensor<50000xf32>, "0x{"00" * 200_000}">'
    Path("bad.mlir").write_text(
        "func.func @f(%x: tensor<2xf32>) -> tensor<2xf32> {\n"
        f'  %0 = bnn.ewise "add" %x, {constant} : tensor<2xf32> -> tensor<2xf32>\n'
        "  func.return %0 : tensor<2xf32>\n}\n"
    )
    result = run_opt("bad.mlir")
    assert result.code == FAILURE
    assert result.err.startswith("bad.mlir:2:8: error: 'bnn.ewise': ")
    assert max(map(len, result.err.splitlines())) < 400


def test_wrong_constant_inside_an_operation(layer: Path) -> None:
    Path("bad.mlir").write_text(
        LAYER.replace('"neg" %x', '"add" %x, <tensor<2xf32>, "0x00">'),
    )
    fails(
        FAILURE,
        "bad.mlir:2:8: error: tensor<2xf32> takes 8 bytes, but 1 are given\n"
        '    %0 = bnn.ewise "add" %x, <tensor<2xf32>, "0x00"> : tensor<2xf32> -> tensor<2xf32>\n'
        "         ^^^^^^^^^\n",
        "bad.mlir",
    )


def test_unknown_operation_of_a_dialect(layer: Path) -> None:
    Path("bad.mlir").write_text(LAYER.replace('bnn.ewise "neg"', 'bnn.ewize "neg"'))
    fails(
        FAILURE,
        "bad.mlir:2:8: error: dialect 'bnn' has no operation 'bnn.ewize'; did you mean "
        "'bnn.ewise'?\n"
        '    %0 = bnn.ewize "neg" %x : tensor<2xf32> -> tensor<2xf32>\n'
        "         ^^^^^^^^^\n",
        "bad.mlir",
    )


def test_unknown_dialect(layer: Path) -> None:
    Path("bad.mlir").write_text(LAYER.replace('bnn.ewise "neg"', 'bnm.ewise "neg"'))
    fails(
        FAILURE,
        "bad.mlir:2:8: error: operation 'bnm.ewise': there is no dialect 'bnm'; did you mean "
        "'bnn'? (--list-dialects names all, --allow-unregistered-dialect accepts any)\n"
        '    %0 = bnm.ewise "neg" %x : tensor<2xf32> -> tensor<2xf32>\n'
        "         ^^^^^^^^^\n",
        "bad.mlir",
    )


def test_unknown_type(layer: Path) -> None:
    Path("bad.mlir").write_text("func.func private @f(tensor<2x!bnn.bipola>)\n")
    fails(
        FAILURE,
        "bad.mlir:1:32: error: dialect 'bnn' has no attribute or type 'bnn.bipola'; did you mean "
        "'bnn.bipolar'?\n"
        "  func.func private @f(tensor<2x!bnn.bipola>)\n"
        "                                 ^^^^^^^^^^\n",
        "bad.mlir",
    )


def test_deep_nesting(layer: Path) -> None:
    Path("deep.mlir").write_text("module {" * 5000 + "}" * 5000)
    fails(FAILURE, "error: deep.mlir: nested too deeply for this compiler\n", "deep.mlir")


def test_missing_file(layer: Path) -> None:
    fails(FAILURE, "error: nope.mlir: no such file\n", "nope.mlir")
    fails(
        FAILURE,
        "error: lyer.mlir: no such file; did you mean 'layer.mlir'?\n",
        "lyer.mlir",
    )
    fails(
        FAILURE,
        "error: sub/x.mlir: no such file (there is no folder 'sub')\n",
        "sub/x.mlir",
    )


def test_missing_model(layer: Path) -> None:
    fails(FAILURE, "error: nope.onnx: no such file\n", "nope.onnx")


def test_folder_as_input(layer: Path) -> None:
    Path("folder.mlir").mkdir()
    fails(FAILURE, "error: folder.mlir: is a folder; give the file itself\n", "folder.mlir")
    fails(FAILURE, "error: .: is a folder; give the file itself\n", ".")


def test_unreadable_file(layer: Path) -> None:
    if os.geteuid() == 0:
        # Root may read anything, but not a process's unmapped memory.
        message = "error: /proc/self/mem: cannot be read: Input/output error\n"
        fails(FAILURE, message, "/proc/self/mem", "-f", "mlir")
        return
    Path("layer.mlir").chmod(0)
    fails(FAILURE, "error: layer.mlir: cannot be read: Permission denied\n", "layer.mlir")


def test_unknown_extension(layer: Path) -> None:
    fails(
        USAGE,
        "error: net.pb: unknown extension '.pb'; expected .onnx or .mlir, or say what the file is "
        "with '--frontend onnx|mlir'\n",
        "net.pb",
    )


def test_binary_garbage(layer: Path) -> None:
    Path("bad.mlir").write_bytes(b"func.func\n\x00\xa7\xff")
    fails(
        FAILURE,
        "error: bad.mlir:2: not IR text: byte 0xa7 is not valid UTF-8 (an ONNX model is known by "
        "the extension .onnx, or by '--frontend onnx')\n",
        "bad.mlir",
    )


def test_garbage_in_place_of_a_model(layer: Path) -> None:
    Path("bad.onnx").write_bytes(b"\xff" * 100)
    result = run_opt("bad.onnx")
    assert result.code == FAILURE
    assert result.err.startswith("error: bad.onnx: not an ONNX model, or cut short")


@pytest.mark.parametrize("text", ["", "\n\n  \n"])
def test_empty_file(layer: Path, text: str) -> None:
    Path("empty.mlir").write_text(text)
    fails(
        FAILURE,
        "error: empty.mlir: the file is empty; expected IR text, such as a func.func\n",
        "empty.mlir",
    )


def test_empty_standard_input(layer: Path) -> None:
    fails(
        FAILURE,
        "error: <stdin>: the file is empty; expected IR text, such as a func.func\n",
    )


def test_syntax_error_on_standard_input(layer: Path) -> None:
    fails(
        FAILURE,
        "<stdin>:1:1: error: unknown operation 'hello': expected DIALECT.OPERATION, as in "
        "func.func\n  hello world\n  ^^^^^\n",
        stdin="hello world",
    )


def test_unknown_target(layer: Path) -> None:
    fails(
        USAGE,
        "error: unknown target 'verlog'; did you mean 'verilog'? (--list-targets names all)\n",
        *("layer.mlir", "-t", "verlog{top=net}"),
    )


def test_misspelt_option_of_a_target(layer: Path) -> None:
    result = run_opt("layer.mlir", "-t", "mlir{generic=true}")
    assert result.code == USAGE
    assert result.err.startswith("error: target 'mlir' has no option 'generic'\nits options are:\n")


def test_target_at_the_wrong_level(layer: Path) -> None:
    fails(
        FAILURE,
        "error: layer.mlir: target c prints level 'packed', but the module is at level 'bnn'; "
        "add --compile-to=packed\n",
        *("layer.mlir", "-t", "c{name=net}"),
    )


def test_unknown_level(layer: Path) -> None:
    fails(
        USAGE,
        "error: argument --compile-to: unknown level 'packd'; did you mean 'packed'? "
        "(expected onnx, bnn, dataflow, hw, packed)\n(irc-opt --help explains all options)\n",
        *("layer.mlir", "--compile-to=packd"),
    )
    result = run_opt("layer.mlir", "--compile-to=fpga")
    assert result.code == USAGE
    assert result.err.startswith("error: argument --compile-to: unknown level 'fpga' (expected ")


def test_level_above_the_input(layer: Path) -> None:
    fails(
        USAGE,
        "error: there is no way from level 'bnn' to level 'onnx'; from 'bnn' one gets to "
        "dataflow, packed, hw\n",
        *("layer.mlir", "--compile-to=onnx"),
    )


def test_nothing_to_compile(layer: Path) -> None:
    Path("other.mlir").write_text("func.func @f() {\n  func.return\n}\n")
    result = run_opt("other.mlir", "--compile-to=bnn")
    assert result.code == FAILURE
    assert "holds no operation of the onnx, bnn, dataflow, hw or packed dialects" in result.err


def test_misspelt_command_line_option(layer: Path) -> None:
    fails(
        USAGE,
        "error: unknown option '--print-debug-info'; did you mean '--print-debuginfo'?\n",
        *("layer.mlir", "--print-debug-info"),
    )


def test_two_input_files(layer: Path) -> None:
    fails(
        USAGE,
        "error: unexpected argument 'layer.mlir': irc-opt reads one input file\n",
        *("layer.mlir", "layer.mlir"),
    )


def test_option_without_its_argument(layer: Path) -> None:
    fails(
        USAGE,
        "error: argument -p/--passes: expected one argument\n"
        "(irc-opt --help explains all options)\n",
        *("layer.mlir", "-p"),
    )


def test_input_declaration_with_a_wrong_type(layer: Path) -> None:
    result = run_opt("layer.mlir", "--input", "x=uint99/255")
    assert result.code == USAGE
    assert "uint99/255" in result.err


def test_input_declaration_where_nothing_takes_it(layer: Path) -> None:
    model = layer / "identity.onnx"
    _write_identity(model)
    fails(
        USAGE,
        "error: --input declares inputs at the bnn level, and this pipeline does not get there; "
        "add --compile-to=bnn\n",
        *("identity.onnx", "--input", "x=uint8"),
    )


def _write_identity(path: Path) -> None:
    from onnx import TensorProto, helper

    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [x], [y])
    opset = helper.make_opsetid("", 17)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=8)
    path.write_bytes(model.SerializeToString())


def test_output_in_a_missing_folder(layer: Path) -> None:
    fails(
        FAILURE,
        "error: nope/x.mlir: cannot be written: there is no folder 'nope'\n",
        *("layer.mlir", "-o", "nope/x.mlir"),
    )


def test_output_that_is_a_folder(layer: Path) -> None:
    Path("out").mkdir()
    fails(
        FAILURE,
        "error: out: cannot be written: it is a folder\n",
        *("layer.mlir", "-o", "out"),
    )


def test_output_below_a_file(layer: Path) -> None:
    fails(
        FAILURE,
        "error: layer.mlir/x: cannot be written: Not a directory\n",
        *("layer.mlir", "-o", "layer.mlir/x"),
    )


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no /dev/full")
def test_full_device(layer: Path) -> None:
    fails(
        FAILURE,
        "error: /dev/full: cannot be written: No space left on device\n",
        *("layer.mlir", "-o", "/dev/full"),
    )


def test_full_disk_leaves_the_old_file(layer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    Path("out.mlir").write_text("old")
    monkeypatch.setattr("os.replace", no_space)
    fails(
        FAILURE,
        "error: out.mlir: cannot be written: No space left on device\n",
        *("layer.mlir", "-o", "out.mlir"),
    )
    assert Path("out.mlir").read_text() == "old"
    assert sorted(os.listdir()) == ["layer.mlir", "out.mlir"]


def test_failing_pass_leaves_no_output(layer: Path) -> None:
    result = run_opt("layer.mlir", "--input", "nope=uint8", "-o", "out.mlir")
    assert result.code != 0
    assert not Path("out.mlir").exists()
