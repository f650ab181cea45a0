"""`irc reload`: weights of a retrained network for the hardware of an earlier one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from irc_runner import DECLARED, FAILURE, USAGE, fails, run_irc
from model_files import initializer, node_named, resized, save
from onnx import ModelProto, numpy_helper

FOLD = """\
layer "fc1" { pe = 2 simd = 4 memory = spram }
layer "fc2" { pe = 1 simd = 3 }
"""


def retrain(model: ModelProto) -> None:
    """Other weights, and a BatchNormalization some of whose slopes fall."""
    random = np.random.default_rng(11)
    for name in ("w1", "w2", "gamma", "beta", "mean"):
        tensor = initializer(model, name)
        values = random.standard_normal(numpy_helper.to_array(tensor).shape)
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float32), name))


def require_icarus() -> None:
    """Skip where Icarus Verilog is not installed, but fail in CI, where it must be."""
    if shutil.which("iverilog") is None:
        if os.environ.get("CI"):
            pytest.fail("CI is set, but iverilog is not installed")
        pytest.skip("iverilog is not installed")


def refused(code: int, message: str, *arguments: object) -> None:
    """A command fails with a message and leaves everything as it was."""
    assert message in " ".join(fails(code, *arguments).split())


def compile_reloadable(model: str, folder: str, *options: object) -> None:
    result = run_irc(
        "compile", model, *DECLARED, "--target", "verilog", "--reloadable", "-o", folder, *options
    )
    assert result.code == 0, result.text


def simulate(folder: Path) -> None:
    """Run the tests of a folder, some of whose files have been replaced."""
    command = [sys.executable, "run.py", "--sim", "icarus", "--no-checksums"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "reload_weights" in done.stdout


@pytest.mark.parametrize("options", [(), ("--device", "up5k", "--fold", "net.fold")])
def test_the_hardware_of_one_network_answers_like_another(
    workplace: Path, options: tuple[str, ...]
) -> None:
    """The stream of B into the Verilog of A, in Icarus Verilog: what B's interpreter answers."""
    require_icarus()
    Path("net.fold").write_text(FOLD)
    save(workplace / "retrained.onnx", retrain)
    compile_reloadable("net.onnx", "a_hw", *options)
    compile_reloadable("retrained.onnx", "b_hw", *options)
    a, b = workplace / "a_hw", workplace / "b_hw"
    result = run_irc("reload", "a_hw", "retrained.onnx", "-o", "new.bin")
    assert result.code == 0, result.text
    own, new = Path("a_hw/tb/weights.hex").read_text(), Path("new.hex").read_text()
    assert own != new
    assert bytes(int(line, 16) for line in new.split()) == Path("new.bin").read_bytes()
    assert len(new.split()) == json.loads((a / "manifest.json").read_text())["reload"]["bytes"]
    shutil.copy("new.hex", a / "tb" / "other_weights.hex")
    assert (a / "tb/stimulus.hex").read_text() == (b / "tb/stimulus.hex").read_text()
    assert (a / "tb/expected.hex").read_text() != (b / "tb/expected.hex").read_text()
    shutil.copy(b / "tb" / "expected.hex", a / "tb" / "other_expected.hex")
    simulate(a)


def test_the_readme_says_how_to_load(workplace: Path) -> None:
    compile_reloadable("net.onnx", "a_hw")
    text = Path("a_hw/README.md").read_text()
    size = json.loads(Path("a_hw/manifest.json").read_text())["reload"]["bytes"]
    assert f"`s_axis_cfg` takes {size} bytes" in text
    assert "| fc1 | weights |" in text


def test_networks_of_another_shape_are_refused_by_layer(workplace: Path) -> None:
    compile_reloadable("net.onnx", "a_hw")

    def widen(model: ModelProto) -> None:
        resized(model, "w1", (8, 5))
        resized(model, "w2", (5, 4))
        for name in ("gamma", "beta", "mean", "variance"):
            resized(model, name, (5,))

    save(workplace / "wide.onnx", widen)
    refused(
        FAILURE,
        "wide.onnx: layer 'fc1': gives 5 of bipolar, but 6 of bipolar in a_hw; only networks of "
        "the same shape and types can be loaded",
        "reload",
        "a_hw",
        "wide.onnx",
    )

    def rename(model: ModelProto) -> None:
        node_named(model, "fc2").name = "head"

    save(workplace / "renamed.onnx", rename)
    refused(
        FAILURE,
        "renamed.onnx: layer 'head' stands where the design in a_hw has 'fc2'; layers must have "
        "the same names, in the same order",
        "reload",
        "a_hw",
        "renamed.onnx",
    )
    assert not Path("weights.bin").exists()


def test_nodes_within_layers_may_be_renamed(workplace: Path) -> None:
    """Their names stand in comments of the Verilog, which are no hardware."""

    def rename(model: ModelProto) -> None:
        node_named(model, "norm").name = "batch_normalisation_of_the_second_training" * 3
        node_named(model, "sign1").name = "sign_of_the_second_training" * 3

    save(workplace / "renamed.onnx", retrain, rename)
    save(workplace / "retrained.onnx", retrain)
    compile_reloadable("net.onnx", "a_hw")
    compile_reloadable("renamed.onnx", "b_hw")
    assert "+norm" in Path("a_hw/rtl/net_fc1.v").read_text()
    assert "+batch_normalisation" in Path("b_hw/rtl/renamed_fc1.v").read_text()
    for model in ("renamed", "retrained"):
        result = run_irc("reload", "a_hw", f"{model}.onnx", "-o", f"{model}.bin")
        assert result.code == 0, result.text
    # The shape of the hardware, which the stream begins with, does not depend on names either.
    assert Path("renamed.bin").read_bytes() == Path("retrained.bin").read_bytes()


def test_what_is_no_reloadable_folder_is_refused(workplace: Path) -> None:
    run_irc("compile", "net.onnx", *DECLARED, "--target", "verilog", "-o", "fixed_hw")
    refused(
        FAILURE,
        "fixed_hw: its weights are fixed; compile the first network with "
        "`irc compile --target verilog --reloadable`",
        "reload",
        "fixed_hw",
        "net.onnx",
    )
    compile_reloadable("net.onnx", "a_hw")
    refused(
        FAILURE,
        "w.hex: the name of the binary file must not end in .hex",
        "reload", "a_hw", "net.onnx", "-o", "w.hex",
    )  # fmt: skip


def test_reloadable_is_for_hardware_in_memories(workplace: Path) -> None:
    refused(
        USAGE,
        "--reloadable: only hardware of target verilog takes weights by a stream",
        "compile", "net.onnx", *DECLARED, "--target", "c", "--reloadable",
    )  # fmt: skip
    Path("logic.fold").write_text('layer "fc1" { pe = 6 simd = 8 memory = logic }')
    refused(
        FAILURE,
        "layer 'fc1': memory = logic holds weights as constants, which cannot be reloaded",
        "compile", "net.onnx", *DECLARED, "--target", "verilog", "--reloadable",
        "--fold", "logic.fold",
    )  # fmt: skip
    Path("net.fold").write_text(FOLD)
    refused(
        FAILURE,
        "layer 'fc1': memory = spram begins without contents: weights must be reloadable",
        "compile", "net.onnx", *DECLARED, "--target", "verilog", "--fold", "net.fold",
    )  # fmt: skip
    refused(
        FAILURE,
        "layer 'fc1': memory = spram is in up5k only, not in hx8k",
        "compile", "net.onnx", *DECLARED, "--target", "verilog", "--reloadable",
        "--fold", "net.fold", "--device", "hx8k",
    )  # fmt: skip
