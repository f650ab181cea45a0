"""Options that are misspelt, out of range or contradictory: exit code 2 and what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest
from irc_runner import DECLARED, FAILURE, USAGE, fails, run_irc
from model_files import node_named, save
from onnx import ModelProto, TensorProto

CHECK = ("check", "net.onnx")
COMPILE = ("compile", "net.onnx", "--target", "c", "-o", "out")
VERIFY = ("verify", "net.onnx", "--data", "test.npz")
HARDWARE = ("compile", "net.onnx", "--target", "verilog", "-o", "out", *DECLARED)

LINES: dict[str, tuple[tuple[str, ...], str]] = {
    "command": (("compil", "net.onnx"), "invalid choice: 'compil'"),
    "no model": (("check",), "the following arguments are required: MODEL"),
    "two models": ((*CHECK, "net.onnx"), "unexpected argument 'net.onnx'"),
    "no data": (("verify", "net.onnx"), "the following arguments are required: --data"),
    "no target": (("compile", "net.onnx"), "the following arguments are required: --target"),
    "target": (
        ("compile", "net.onnx", "--target", "vhdl"),
        "invalid choice: 'vhdl' (choose from 'c', 'verilog', 'host')",
    ),
    "misspelt": ((*VERIFY, "--limt", "3"), "unknown option '--limt'; did you mean '--limit'?"),
    "misspelt with =": ((*VERIFY, "--limt=3"), "unknown option '--limt=3'; did you mean '--limit'"),
    "abbreviated": ((*VERIFY, "--lim", "3"), "unknown option '--lim'; did you mean '--limit'?"),
    "of another command": ((*CHECK, "--vectors", "3"), "unknown option '--vectors'"),
    "without its value": ((*VERIFY, "--limit"), "argument --limit: expected one argument"),
    "--limit 0": ((*VERIFY, "--limit", "0"), "expected a whole number of at least 1, not '0'"),
    "--limit -3": ((*VERIFY, "--limit=-3"), "expected a whole number of at least 1, not '-3'"),
    "--rtl-limit 0": ((*VERIFY, "--rtl-limit", "0"), "--rtl-limit: expected a whole number"),
    "--vectors 0": ((*COMPILE, "--vectors", "0"), "--vectors: expected a whole number of at"),
    "--vectors many": ((*COMPILE, "--vectors", "many"), "at least 1, not 'many'"),
    "--vectors 1.5": ((*COMPILE, "--vectors", "1.5"), "at least 1, not '1.5'"),
    "level": (
        (*VERIFY, "--levels", "onnx,rlt"),
        "unknown level 'rlt'; expected onnx, bnn, dataflow, packed, c, rtl",
    ),
    "no level": ((*VERIFY, "--levels", ""), "unknown level ''; expected onnx, bnn"),
    "comma too many": ((*VERIFY, "--levels", "onnx,"), "unknown level ''; expected onnx, bnn"),
    "a level without frames": ((*VERIFY, "--levels", "hw"), "unknown level 'hw'; expected onnx"),
    "empty output": ((*COMPILE[:-1], ""), "output folder '': expected the name of a folder"),
    "output with a zero": ((*COMPILE[:-1], "a\0b"), "expected the name of a folder"),
    "folding for c": ((*COMPILE, "--fold", "f"), "--fold f: target c is not folded"),
}


@pytest.mark.parametrize("case", list(LINES))
def test_wrong_command_lines(case: str):
    arguments, words = LINES[case]
    message = fails(USAGE, *arguments)
    assert words in message
    assert "usage:" not in message


def test_nothing_at_all_shows_what_there_is():
    result = run_irc()
    assert (result.code, result.out) == (USAGE, "")
    assert result.err.startswith("usage: irc [-h] [--version] COMMAND ...")


SYNTAX = "expected TYPE, TYPE/NUMBER or TYPE*NUMBER"
NUMBERS = "the numbers must be finite as float32, and the factor not 0"

DECLARATIONS = {
    "y=uint8/255": "input 'y': the model's inputs are 'x'",
    "x=uint99": f"input declaration 'uint99': {SYNTAX}",
    "x=uint0": SYNTAX,
    "x=float32": SYNTAX,
    "x=uint8/nan": SYNTAX,
    "x=uint8/255/2": SYNTAX,
    "x": f"input declaration 'x': {SYNTAX}",
    "x=": SYNTAX,
    "": SYNTAX,
    "=uint8": "input declaration '=uint8' has no name before '='",
    "x=uint8/0": f"input declaration 'uint8/0': {NUMBERS}",
    "x=uint8/1e-50": NUMBERS,
    "x=uint8*1e39": NUMBERS,
    "x=uint8/255+1e400": NUMBERS,
}


@pytest.mark.parametrize("command", ["check", "compile", "verify"])
@pytest.mark.parametrize("declaration", list(DECLARATIONS))
def test_wrong_declarations(declaration: str, command: str):
    arguments = {"check": CHECK, "compile": COMPILE, "verify": VERIFY}[command]
    assert DECLARATIONS[declaration] in fails(USAGE, *arguments, "--input", declaration)


def test_declarations_are_read_before_the_model():
    assert SYNTAX in fails(USAGE, "check", "missing.onnx", "--input", "x=uint99")


@pytest.mark.parametrize("second", ["x=uint8/255", "x=int4"])
def test_an_input_declared_twice(second: str):
    message = fails(USAGE, *CHECK, *DECLARED, "--input", second)
    assert message == "error: input 'x' is declared twice\n"


def test_a_declaration_for_an_input_of_integers():
    def integers(model: ModelProto) -> None:
        model.graph.input[0].type.tensor_type.elem_type = TensorProto.UINT8
        subtract = node_named(model, "centred")
        subtract.op_type = "Cast"
        del subtract.input[1:]
        subtract.attribute.add(name="to", type=2, i=TensorProto.FLOAT)

    save(Path("ints.onnx"), integers)
    assert run_irc("check", "ints.onnx").code == 0
    message = fails(USAGE, "check", "ints.onnx", *DECLARED)
    assert "input 'x' is declared uint8/255, but the model takes ui8 there" in message


def test_a_declaration_below_the_level_of_models():
    Path("low.mlir").write_text(
        "func.func @f(%x: tensor<2xui8>) -> tensor<2xf32> {\n"
        "  %0 = bnn.cast %x : tensor<2xui8> -> tensor<2xf32>\n"
        "  func.return %0 : tensor<2xf32>\n}\n"
    )
    for command in (("run", "--data", "test.npz"), ("check",), ("compile", "--target", "c")):
        message = fails(USAGE, command[0], "low.mlir", *command[1:], *DECLARED)
        assert "--input x=uint8/255: low.mlir is at level bnn" in message


@pytest.mark.parametrize(
    "name", ["int", "while", "always", "wire", "3x", "a b", "x-y", "_a", "é", "", "a.b", "a/b"]
)
@pytest.mark.parametrize("target", ["c", "verilog"])
def test_names_that_are_no_identifiers(name: str, target: str):
    message = fails(
        USAGE, "compile", "net.onnx", "--target", target, *DECLARED, "--name", name, "-o", "out"
    )
    assert f"name {name!r}: expected a letter, then letters, digits and underscores" in message


def test_a_name_that_c_does_not_leave_to_us():
    assert "'main'" in fails(USAGE, *COMPILE, *DECLARED, "--name", "main")


FOLDINGS = {
    'layer "fc1" { pe = 5 }': "folding.txt:1:20: error: pe = 5 does not divide layer 'fc1'",
    'layer "fc1" { pe = 0 }': "pe = 0 does not divide layer 'fc1'; possible are 1, 2, 3, 6",
    'layer "fc9" { pe = 1 }': "unknown layer 'fc9'; did you mean",
    'layer "x" {}\nlayer "fc1" { simd = 1 }': "folding.txt:1:7: error: unknown layer 'x'",
    "layer fc1": "unexpected 'fc1': expected layers such as: layer",
    'layer "fc1" {': "the file ends too early: expected layers such as",
    'layer "fc1" { pe = 1 pe = 1 }': "'pe' is set twice for layer 'fc1'",
    'layer "fc1" { speed = 1 }': "unknown setting 'speed'; there are pe, simd, mmv, stages",
    'layer "fc1" { memory = gold }': "unknown memory 'gold'; there are auto, block, distributed",
    'layer "bits" { simd = 2 }': "layer 'bits' has no simd: only pe folds it",
    "\xff": "folding.txt: a folding file is UTF-8 text, and this is not",
}


@pytest.mark.parametrize("text", list(FOLDINGS))
def test_wrong_folding_files(text: str):
    Path("folding.txt").write_bytes(text.encode("latin-1"))
    assert FOLDINGS[text] in fails(FAILURE, *HARDWARE, "--fold", "folding.txt")


@pytest.mark.parametrize("arguments", [HARDWARE, (*VERIFY, *DECLARED, "--levels", "onnx,bnn")])
def test_folding_files_that_are_not_there(arguments: tuple[str, ...]):
    message = fails(FAILURE, *arguments, "--fold", "no.txt")
    assert message == "error: no.txt: no such file; expected a folding file\n"
    message = fails(FAILURE, *arguments, "--fold", ".")
    assert message == "error: .: is no file; expected a folding file\n"
