"""The folder of target c builds on its own, documents itself, and notices a wrong weight."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from c_networks import tiny

import irc
from irc.backends.c.header import header_text
from irc.backends.c.project import write_c_project
from irc.backends.c.source import c_identifier, emit_c
from irc.backends.c.vectors import Vectors
from irc.errors import IrcError, UsageError


def make_test(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run `make test` in a generated folder."""
    return subprocess.run(["make", "test"], cwd=folder, capture_output=True, text=True, check=False)


def test_the_folder_tests_itself(tmp_path: Path) -> None:
    source = write_c_project(tiny(("mul", 0.1)), tmp_path / "out", name="net")
    folder = tmp_path / "out"
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert files == sorted(
        [
            "CMakeLists.txt",
            "Makefile",
            "README.md",
            "examples/main.c",
            "examples/net/frame.h",
            "examples/net/net.ino",
            "examples/zephyr/CMakeLists.txt",
            "examples/zephyr/prj.conf",
            "keywords.txt",
            "library.properties",
            "manifest.json",
            "net.c",
            "net.h",
            "test/test_net.c",
            "test/test_vectors.h",
            "zephyr/CMakeLists.txt",
            "zephyr/Kconfig",
            "zephyr/module.yml",
        ]
    )
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["macs"] == source.macs == 30
    assert set(manifest["files"]) == set(files) - {"manifest.json"}
    done = make_test(tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "net: 16 of 16 frames agree" in done.stdout


def test_a_flipped_weight_bit_fails_the_test_and_names_the_value(tmp_path: Path) -> None:
    write_c_project(tiny(), tmp_path / "out", name="net")
    path = tmp_path / "out" / "net.c"
    text = path.read_text()
    flipped = re.sub(r"0x000003ffu", "0x000003feu", text)
    assert flipped != text
    path.write_text(flipped)
    done = make_test(tmp_path / "out")
    assert done.returncode != 0
    assert re.search(r"frame \d+, out\[0\]: -?\d+, expected -?\d+", done.stdout)
    assert "net: 0 of 16 frames agree" in done.stdout


def test_vectors_come_from_the_caller(tmp_path: Path) -> None:
    frames = np.full((1, 2, 5), 200)
    wrong = Vectors([frames], [np.full((1, 3), 7, np.float32)])
    write_c_project(tiny(), tmp_path / "out", name="net", vectors=wrong)
    done = make_test(tmp_path / "out")
    assert done.returncode != 0
    assert "frame 0, out[0]: 10, expected 7" in done.stdout


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (
            Vectors([np.zeros((4, 10))], [np.zeros((4, 3), np.float32)]),
            "input 'in' must be N x 2 x 5, not 4 x 10",
        ),
        (
            Vectors([np.full((4, 2, 5), 256)], [np.zeros((4, 3), np.float32)]),
            "input 'in' has values that ui8 lacks",
        ),
        (Vectors([np.zeros((4, 2, 5))], []), "1 output arrays are needed, 0 given"),
    ],
)
def test_vectors_that_do_not_fit_leave_no_folder(
    tmp_path: Path, vectors: Vectors, message: str
) -> None:
    with pytest.raises(IrcError, match=re.escape(message)):
        write_c_project(tiny(), tmp_path / "out", vectors=vectors)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(IrcError, match="was not made by irc"):
        write_c_project(tiny(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_the_header_says_how_to_call() -> None:
    source = emit_c(tiny(("mul", 0.1)), metadata={"model": "tiny.onnx */ #error"})
    text = header_text(source)
    assert source.name == "tiny_net"
    for line in (
        "int tiny_net_run(const uint8_t *in, float *out);",
        "int tiny_net_run_arena(tiny_net_arena *arena, const uint8_t *in, float *out);",
        "#define TINY_NET_INPUT_SHAPE {2, 5}",
        "#define TINY_NET_INPUT_SCALE (1.0f / 255.0f)",
        "#define TINY_NET_OUTPUT_SIZE 3",
        f"#define TINY_NET_ARENA_BYTES {source.arena_bytes}",
        "in: uint8_t, 2x5, from 0 to 255; the model's float input is uint8/255",
    ):
        assert line in text
    assert "*/ #error" not in text


def test_the_arena_is_what_the_buffers_take() -> None:
    # 10 bits in one word of 32, and three sums of 8 bits, padded to the word.
    assert emit_c(tiny(("mul", 0.1))).arena_bytes == 8


def test_printing_needs_a_planned_arena() -> None:
    message = "run convert-bnn-to-packed,plan-arena first"
    with pytest.raises(IrcError, match=message):
        emit_c(tiny(level="bnn"))
    unplanned = irc.run_passes(tiny(level="bnn"), "convert-bnn-to-packed")
    with pytest.raises(IrcError, match="run plan-arena first"):
        emit_c(unplanned)


@pytest.mark.parametrize("name", ["2net", "my-net", "int", "a b", "é"])
def test_names_that_c_refuses_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="is not a C identifier"):
        emit_c(tiny(), name)


def test_any_function_name_becomes_an_identifier() -> None:
    names = ["torch-jit-export", "2net", "é", "int", "A.B"]
    assert [c_identifier(name) for name in names] == [
        "torch_jit_export",
        "net_2net",
        "model",
        "net_int",
        "a_b",
    ]


TWO_HEADS = """
func.func @net(%x: tensor<4xf32> {bnn.name = "audio"})
    -> (tensor<4xf32> {bnn.name = "mask"}, tensor<ui2> {bnn.name = "class */"}) {
  %0 = bnn.quantize "half_even" %x : tensor<4xf32> -> tensor<4xsi4>
  %1 = bnn.argmax %0 : tensor<4xsi4> -> tensor<ui2>
  %2 = bnn.cast %0 : tensor<4xsi4> -> tensor<4xf32>
  %3 = bnn.softmax "softmax" %2 : tensor<4xf32> -> tensor<4xf32>
  func.return %3, %1 : tensor<4xf32>, tensor<ui2>
}
"""


def test_a_model_with_two_outputs_and_floats_is_one_function(tmp_path: Path) -> None:
    module = irc.compile_to(irc.parse(TWO_HEADS), "packed")
    source = write_c_project(module, tmp_path / "out", name="net")
    header = (tmp_path / "out" / "net.h").read_text()
    for line in (
        "int net_run(const float *in, float *out0, uint8_t *out1);",
        "in: float, 4; the model's audio",
        "out0: float, 4; the model's mask",
        "out1: uint8_t, one number, the index of the largest of 4 values, the lowest of equals",
        "the model's class * /",
        "#define NET_OUTPUT0_SIZE 4",
        "#define NET_OUTPUT1_SIZE 1",
    ):
        assert line in header
    assert not source.is_reproducible
    done = make_test(tmp_path / "out")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "net: 16 of 16 frames agree" in done.stdout


def test_a_second_output_that_is_wrong_is_noticed(tmp_path: Path) -> None:
    module = irc.compile_to(irc.parse(TWO_HEADS), "packed")
    frames = np.array([[0, 0, 3, 0]], np.float32)
    first, second = irc.evaluate(module, frames)
    wrong = Vectors([frames], [first, second + 1])
    write_c_project(module, tmp_path / "out", name="net", vectors=wrong)
    done = make_test(tmp_path / "out")
    assert done.returncode != 0
    assert "frame 0, out1[0]: 2, expected 3" in done.stdout
