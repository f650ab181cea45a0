"""`irc compile` writes the folder of a target, and says what is in it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from irc_runner import DECLARED, everything_in, rows, run_irc
from model_files import frames

pytestmark = pytest.mark.usefixtures("workplace")
every_target = pytest.mark.parametrize("target", ["c", "verilog", "host"])

COMPILE = ("compile", "net.onnx", *DECLARED)


@every_target
def test_the_folder_is_named_after_model_and_target(target: str):
    result = run_irc(*COMPILE, "--target", target)
    assert (result.code, result.err) == (0, "")
    assert result.out.endswith(f"wrote net-{target}\n")
    manifest = json.loads(Path(f"net-{target}/manifest.json").read_text())
    assert manifest["generator"].startswith("irc ")


@every_target
def test_a_folder_made_by_irc_is_replaced_whole(target: str):
    run_irc(*COMPILE, "--target", "host", "-o", "out")
    Path("out/left-over").write_text("of an older run")
    assert run_irc(*COMPILE, "--target", target, "-o", "out").code == 0
    assert not Path("out/left-over").exists()
    assert not [path for path in Path().iterdir() if path.name.startswith(".")]


@every_target
def test_the_same_twice(target: str):
    run_irc(*COMPILE, "--target", target, "-o", "one")
    run_irc(*COMPILE, "--target", target, "-o", "two")
    one, two = everything_in(Path("one")), everything_in(Path("two"))
    assert one.keys() == two.keys()
    # Compilers may stamp what they make.
    assert [name for name in one if one[name] != two[name] and not name.endswith(".so")] == []


def test_the_c_tests_itself_with_the_given_vectors():
    result = run_irc(*COMPILE, "--target", "c", "--data", "test.npz", "--vectors", "3")
    assert result.code == 0
    test = subprocess.run(["make", "-C", "net-c", "test"], capture_output=True, text=True)
    assert test.returncode == 0, test.stderr
    assert "3" in Path("net-c/test_vectors.h").read_text()


def test_the_library_answers_like_the_model():
    run_irc(*COMPILE, "--target", "host")
    np.save("x.npy", frames())
    code = "import net, numpy; numpy.save('y.npy', net.run_frames(numpy.load('x.npy')))"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": "net-host"})
    run_irc("run", "net.onnx", *DECLARED, "--data", "x.npy", "-o", "expected.npy")
    assert np.array_equal(np.load("y.npy"), np.load("expected.npy"))


def test_kernels_for_a_core():
    run_irc(*COMPILE, "--target", "c", "-o", "any")
    run_irc(*COMPILE, "--target", "c", "--cpu", "rv32imc-zbb", "-o", "zbb")
    assert "__builtin_popcount" not in Path("any/net.c").read_text()
    assert "__builtin_popcount" in Path("zbb/net.c").read_text()
    made = json.loads(Path("zbb/manifest.json").read_text())["metadata"]
    assert made["kernels"] == "popcount builtin, unroll 1280"


def test_a_choice_wins_over_that_for_a_core():
    chosen = ("--cpu", "rv32imc-zbb", "--popcount", "table", "--unroll", "64")
    assert run_irc(*COMPILE, "--target", "c", *chosen).code == 0
    assert "ones[256]" in Path("net-c/net.c").read_text()


def test_mistakes_about_kernels():
    result = run_irc(*COMPILE, "--target", "c", "--cpu", "z80")
    assert (result.code, "unknown core 'z80'; expected cortex-m0plus" in result.err) == (2, True)
    result = run_irc(*COMPILE, "--target", "verilog", "--unroll", "64")
    assert (result.code, "--unroll: only target c chooses kernels" in result.err) == (2, True)


def test_names():
    run_irc(*COMPILE, "--target", "c", "--name", "Digits2", "-o", "c")
    assert Path("c/Digits2.c").is_file()
    run_irc(*COMPILE, "--target", "verilog", "--name", "Digits2", "-o", "v")
    assert "module Digits2" in Path("v/rtl/Digits2.v").read_text()


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("2 layers.onnx", "net_2_layers"),
        ("int.onnx", "net_int"),
        ("é.onnx", "net"),
        ("a-b.onnx", "a_b"),
    ],
)
def test_names_made_from_file_names_are_identifiers(file: str, name: str):
    Path(file).write_bytes(Path("net.onnx").read_bytes())
    assert run_irc("compile", file, *DECLARED, "--target", "c", "-o", "out").code == 0
    assert Path(f"out/{name}.c").is_file()


def test_the_table_of_hardware_says_how_it_is_folded():
    Path("folding.txt").write_text('layer "fc1" { pe = 2 simd = 4 }\nlayer "fc2" { pe = 1 }\n')
    result = run_irc(*COMPILE, "--target", "verilog", "--fold", "folding.txt")
    table = rows(result.out, "layer")
    assert table[0] == [
        "layer",
        "operation",
        "shape",
        "weight bits",
        "MACs",
        "PE",
        "SIMD",
        "cycles",
    ]
    first = next(row for row in table if row[0] == "fc1")
    assert first == ["fc1", "mvu + threshold", "8 → 6", "48", "48", "2", "4", "6"]
    assert next(row for row in table if row[0] == "fc2")[5] == "1"


def test_a_folder_holds_the_folding_that_makes_it_again():
    Path("folding.txt").write_text('layer "fc1" { pe = 2 simd = 4 }\n')
    run_irc(*COMPILE, "--target", "verilog", "--fold", "folding.txt", "-o", "one")
    run_irc(*COMPILE, "--target", "verilog", "--fold", "one/folding.txt", "-o", "two")
    assert everything_in(Path("one")) == everything_in(Path("two"))


def test_json():
    run_irc(*COMPILE, "--target", "verilog", "--json", "compile.json")
    report = json.loads(Path("compile.json").read_text())
    assert set(report) == {"model", "target", "folder", "layers", "ambiguous"}
    assert (report["model"], report["target"], report["folder"]) == (
        "net.onnx",
        "verilog",
        "net-verilog",
    )
    assert [layer["name"] for layer in report["layers"]] == ["bits", "fc1", "fc2"]
    assert all(layer["cycles"] >= 1 for layer in report["layers"])


def test_vectors_do_not_depend_on_luck():
    """Random ones are the same in every run, and stay within the declared type."""
    run_irc("compile", "net.onnx", "--input", "x=uint4/15", "--target", "c", "-o", "one")
    run_irc("compile", "net.onnx", "--input", "x=uint4/15", "--target", "c", "-o", "two")
    assert Path("one/test_vectors.h").read_text() == Path("two/test_vectors.h").read_text()
