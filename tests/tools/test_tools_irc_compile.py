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

from irc import api
from irc.errors import UsageError

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
    assert "3" in Path("net-c/test/test_vectors.h").read_text()


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


def make_test(folder: str) -> str:
    """What the folder's own test prints; it must succeed."""
    done = subprocess.run(["make", "-C", folder, "test"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("options", "declaration"),
    [
        (("--arena", "caller"), "int net_run_arena(net_arena *arena, const uint8_t *in"),
        (("--arena", "static"), "int net_run(const uint8_t *in"),
        (("--weights-section", ".flash_weights"), "section .flash_weights"),
        (("--progmem", "--word", "8"), "placement: program_memory"),
        (("--file-per-layer",), "placement: files layers"),
        (("--input-format", "int8"), "int net_run(const int8_t *in"),
        (("--input-format", "bits"), "int net_run(const uint32_t *in"),
        (("--output-format", "class"), "int net_run(const uint8_t *in, uint8_t *out)"),
        (("--popcount", "swar", "--unroll", "0"), "kernels: popcount swar, unroll 0"),
    ],
)
def test_c_that_fits_into_firmware_tests_itself(options: tuple[str, ...], declaration: str):
    result = run_irc(*COMPILE, "--target", "c", "--data", "test.npz", *options)
    assert result.code == 0, result.err
    assert "5 of 5 frames agree" in make_test("net-c")
    assert declaration in Path("net-c/net.h").read_text()


def test_an_arena_has_one_owner():
    run_irc(*COMPILE, "--target", "c", "--arena", "caller", "-o", "caller")
    run_irc(*COMPILE, "--target", "c", "--arena", "static", "-o", "static")
    texts = {owner: Path(f"{owner}/net.h").read_text() for owner in ("caller", "static")}
    assert "net_run(" not in texts["caller"]
    assert "net_run_arena" not in texts["static"]


def test_weights_lie_in_the_section_that_was_asked_for():
    run_irc(*COMPILE, "--target", "c", "--weights-section", ".my_flash$1")
    subprocess.run(["cc", "-c", "net.c"], cwd="net-c", check=True)
    listing = subprocess.run(["objdump", "-h", "net-c/net.o"], capture_output=True, text=True)
    assert ".my_flash$1" in listing.stdout.split()


def test_all_choices_at_once_and_from_the_library():
    chosen = ("--arena", "caller", "--progmem", "--file-per-layer", "--word", "16")
    formats = ("--input-format", "bits", "--output-format", "class")
    run_irc(*COMPILE, "--target", "c", *chosen, *formats, "-o", "tool")
    assert "16 of 16 frames agree" in make_test("tool")
    firmware = api.FirmwareOptions(
        arena="caller", program_memory=True, files="layers", word=16, input="bits", output="class"
    )
    api.compile_model("net.onnx", "c", "library", inputs=DECLARED[1:], firmware=firmware)
    subprocess.run(["make", "-C", "tool", "clean"], check=True, capture_output=True)
    assert everything_in(Path("tool")) == everything_in(Path("library"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--weights-section", 'x")) int y; //'), "is not the name of a section; expected letters"),
        (("--weights-section", ""), "--weights-section: expected the name of a section"),
        (("--weights-section", ".a", "--progmem"), "not allowed with argument"),
        (("--input-format", "packed"), "invalid choice: 'packed'"),
        (("--unroll", "-1"), "--unroll"),
    ],
)
def test_mistakes_about_firmware(options: tuple[str, ...], message: str):
    result = run_irc(*COMPILE, "--target", "c", *options)
    assert (result.code, message in result.err) == (2, True), result.err
    assert not Path("net-c").exists()


def test_firmware_is_c():
    result = run_irc(*COMPILE, "--target", "verilog", "--output-format", "class")
    assert (result.code, "--output-format: only target c is made to fit" in result.err) == (2, True)
    with pytest.raises(UsageError, match="target host: cpu, popcount, unroll and firmware are for"):
        api.compile_model("net.onnx", "host", inputs=DECLARED[1:], cpu="cortex-m4")


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
    one, two = everything_in(Path("one")), everything_in(Path("two"))
    # Manifests tell which folding file went in.
    assert {**one, "manifest.json": None} == {**two, "manifest.json": None}


def test_json():
    run_irc(*COMPILE, "--target", "verilog", "--json", "compile.json")
    report = json.loads(Path("compile.json").read_text())
    assert set(report) == {
        "model",
        "target",
        "folder",
        "layers",
        "ambiguous",
        "estimate",
        "removed",
    }
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
    assert (
        Path("one/test/test_vectors.h").read_text() == Path("two/test/test_vectors.h").read_text()
    )
