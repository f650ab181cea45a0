"""Model files that are none: one message that names the file, whichever command reads it."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from irc_runner import COMMANDS, DECLARED, FAILURE, USAGE, fails, run_irc
from model_files import initializer, save
from onnx import ModelProto, TensorProto

from irc.tools import irc

every_command = pytest.mark.parametrize("command", list(COMMANDS))


def message_for(path: object, command: str = "check", code: int = FAILURE) -> str:
    """What a command says to a model file."""
    name, *rest = COMMANDS[command]
    return fails(code, name, path, *rest, *DECLARED)


@every_command
def test_a_file_that_is_not_there(command: str):
    assert message_for("nat.onnx", command) == "error: nat.onnx: no such file\n"
    assert message_for("no/net.onnx", command) == "error: no/net.onnx: no such file\n"


def test_text_that_is_not_there_comes_with_a_near_miss():
    Path("layer.mlir").write_text("builtin.module {}")
    message = message_for("laver.mlir")
    assert message == "error: laver.mlir: no such file; did you mean 'layer.mlir'?\n"


@every_command
def test_an_empty_file(command: str):
    Path("empty.onnx").touch()
    assert message_for("empty.onnx", command) == "error: empty.onnx: the file is empty\n"


@every_command
@pytest.mark.parametrize("part", [0.02, 0.3, 0.9, 0.999])
def test_a_file_cut_short(command: str, part: float):
    whole = Path("net.onnx").read_bytes()
    Path("cut.onnx").write_bytes(whole[: int(part * len(whole))])
    assert "cut.onnx: not an ONNX model, or cut short" in message_for("cut.onnx", command)


@every_command
@pytest.mark.parametrize(
    "content",
    [b"module {}\n", b"\x89PNG\r\n\x1a\n" + bytes(64), bytes(100), b"\xff" * 1000],
    ids=["text", "png", "zeros", "ones"],
)
def test_a_file_that_is_something_else(command: str, content: bytes):
    Path("odd.onnx").write_bytes(content)
    assert "odd.onnx: not an ONNX model" in message_for("odd.onnx", command)


def test_a_zip_archive():
    with zipfile.ZipFile("zip.onnx", "w") as archive:
        archive.write("net.onnx")
    assert "zip.onnx: not an ONNX model" in message_for("zip.onnx")


@every_command
def test_a_folder(command: str):
    Path("folder.onnx").mkdir()
    message = message_for("folder.onnx", command)
    assert message == "error: folder.onnx: is a directory; give the .onnx file itself\n"


def test_a_file_that_may_not_be_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    # Permissions do not stop root, who runs the tests in containers.
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert irc.main(["check", "net.onnx"]) == FAILURE
    shown = capsys.readouterr()
    assert shown.err == "error: net.onnx: cannot be read: Permission denied\n"
    assert shown.out == ""


@pytest.mark.parametrize("name", ["net", "net.onx", "net.txt"])
def test_a_name_that_does_not_say_what_the_file_is(name: str):
    Path(name).write_bytes(Path("net.onnx").read_bytes())
    message = message_for(name, code=USAGE)
    assert message.startswith(f"error: {name}: ")
    assert message.endswith("expected .onnx or .mlir\n")


def test_a_name_that_no_file_can_have():
    assert "cannot be read: embedded null byte" in message_for("a\0.onnx")


# IR text


def test_text_that_is_no_ir():
    Path("bad.mlir").write_text("func.func @f( {\n")
    assert message_for("bad.mlir", "run", FAILURE).startswith("bad.mlir:1:15: error: ")


@every_command
def test_text_that_holds_no_network(command: str):
    Path("bare.mlir").write_text("builtin.module {}\n")
    message = message_for("bare.mlir", command)
    assert message == "error: bare.mlir: holds no network at any level that irc knows\n"


def test_bytes_as_text():
    Path("bytes.mlir").write_bytes(b"\xff\xfe\0")
    assert "bytes.mlir:1: not IR text" in message_for("bytes.mlir")


TWO_FUNCTIONS = """
func.func @a(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = bnn.ewise "neg" %x : tensor<2xf32> -> tensor<2xf32>
  func.return %0 : tensor<2xf32>
}
func.func @b(%x: tensor<2xf32>) -> tensor<2xf32> {
  func.return %x : tensor<2xf32>
}
"""


@every_command
def test_two_networks_in_one_text(command: str):
    Path("two.mlir").write_text(TWO_FUNCTIONS)
    name, *rest = COMMANDS[command]
    assert "two.mlir: expected one public function, found 2" in fails(
        FAILURE, name, "two.mlir", *rest
    )


# External data


def external(location: str, **entries: str) -> Any:
    """A change to the model that puts its first weights into another file."""

    def change(model: ModelProto) -> None:
        weights = initializer(model, "w1")
        weights.ClearField("raw_data")
        weights.data_location = TensorProto.EXTERNAL
        for key, text in {"location": location, **entries}.items():
            weights.external_data.add(key=key, value=text)

    return change


BYTES = np.ones((8, 6), np.float32).tobytes()


def test_weights_beside_the_model_are_read():
    """What the tests below break works: otherwise they would prove nothing."""
    Path("w.bin").write_bytes(BYTES)
    save(Path("far.onnx"), external("w.bin"))
    assert run_irc("check", "far.onnx", *DECLARED).code == 0


@every_command
def test_missing_external_data(command: str):
    save(Path("far.onnx"), external("w.bin"))
    assert message_for("far.onnx", command) == (
        "error: far.onnx: initializer 'w1': external data file 'w.bin' is missing; "
        "it belongs beside the model, as w.bin\n"
    )


@every_command
@pytest.mark.parametrize("kind", ["absolute", "dots", "hidden dots", "link"])
def test_external_data_outside_of_the_folder(command: str, kind: str, tmp_path: Path):
    Path("w.bin").write_bytes(BYTES)
    folder = Path("model")
    folder.mkdir()
    location = {
        "absolute": str(tmp_path / "w.bin"),
        "dots": "../w.bin",
        "hidden dots": "a/../../w.bin",
        "link": "link.bin",
    }[kind]
    (folder / "link.bin").symlink_to(tmp_path / "w.bin")
    save(folder / "far.onnx", external(location))
    message = message_for("model/far.onnx", command)
    assert "initializer 'w1'" in message
    assert "lie outside the model's folder" in message


def test_external_data_cut_short():
    Path("w.bin").write_bytes(BYTES[:100])
    save(Path("far.onnx"), external("w.bin"))
    assert "external data 'w.bin' has 100 bytes, but 192 are needed" in message_for("far.onnx")


def test_external_data_beyond_the_end():
    Path("w.bin").write_bytes(BYTES)
    save(Path("far.onnx"), external("w.bin", offset="1000000000000"))
    assert "but 1000000000192 are needed" in message_for("far.onnx")
