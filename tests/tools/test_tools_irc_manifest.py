"""`irc manifest`: what a folder was made from, and what changed in it since."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from irc_runner import DECLARED, FAILURE, fails, make_workplace, run_irc


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`net-c`, made of `net.onnx` and `test.npz`."""
    monkeypatch.chdir(tmp_path)
    make_workplace(tmp_path)
    assert (
        run_irc("compile", "net.onnx", *DECLARED, "--target", "c", "--data", "test.npz").code == 0
    )
    return Path("net-c")


def manifest() -> dict[str, Any]:
    return json.loads(Path("net-c/manifest.json").read_text())


def test_every_file_is_in_it() -> None:
    files = {
        str(path.relative_to("net-c")): path.read_bytes()
        for path in Path("net-c").rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }
    assert manifest()["outputs"] == {
        name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in sorted(files.items())
    }


def test_what_it_was_made_from() -> None:
    made = manifest()["made"]
    assert [(entry["role"], entry["file"]) for entry in made["inputs"]] == [
        ("model", "net.onnx"),
        ("data", "test.npz"),
    ]
    digest = hashlib.sha256(Path("net.onnx").read_bytes()).hexdigest()
    assert made["inputs"][0]["sha256"] == digest
    assert made["options"]["input"] == ["x=uint8/255"]
    assert set(made["versions"]) == {"irc", "xdsl", "numpy", "onnx"}


def test_an_intact_folder() -> None:
    result = run_irc("manifest", "net-c", "net.onnx", "test.npz")
    assert result.code == 0
    assert "net.onnx: its model" in result.out
    assert "test.npz: its data" in result.out
    count = len(manifest()["outputs"])
    assert f"{count} of {count} files are as irc wrote them" in result.out


def test_what_changed_is_named() -> None:
    Path("net-c/net.c").write_text("int main;")
    Path("net-c/net.h").unlink()
    Path("net-c/main.o").touch()
    result = run_irc("manifest", "net-c", "--json", "report.json")
    assert result.code == FAILURE
    for line in ("changed: net.c", "missing: net.h", "added: main.o"):
        assert line in result.out
    report = json.loads(Path("report.json").read_text())
    assert not report["intact"]
    assert (report["changed"], report["missing"]) == (["net.c"], ["net.h"])
    assert report["added"] == ["main.o"]


def test_files_that_came_later_do_no_harm() -> None:
    Path("net-c/main.o").touch()
    assert run_irc("manifest", "net-c").code == 0


def test_another_model() -> None:
    Path("other.onnx").write_bytes(b"other")
    result = run_irc("manifest", "net-c", "other.onnx")
    assert result.code == FAILURE
    assert "other.onnx: this folder was not made from it" in result.out


def test_another_version() -> None:
    content = manifest()
    content["made"]["versions"]["numpy"] = "1.0"
    Path("net-c/manifest.json").write_text(json.dumps(content))
    result = run_irc("manifest", "net-c")
    assert result.code == 0
    assert "numpy is " in result.out
    assert "and was 1.0: the same input may give other files" in result.out


@pytest.mark.parametrize(
    "content", ["{}", "[]", '{"outputs": 3}', '{"outputs": {}}', "{", "[" * 100_000]
)
def test_manifests_that_are_none(content: str) -> None:
    Path("net-c/manifest.json").write_text(content)
    assert "net-c/manifest.json: " in fails(FAILURE, "manifest", "net-c")


@pytest.mark.parametrize("name", ["../net.onnx", "/etc/passwd", "-o", "a/../../b", "C:\\x", ""])
def test_names_that_lead_out_of_the_folder(name: str) -> None:
    content = manifest()
    content["outputs"][name] = {"bytes": 0, "sha256": ""}
    content["sources"] = [name]
    Path("net-c/manifest.json").write_text(json.dumps(content))
    assert "which is no file of this folder" in fails(FAILURE, "manifest", "net-c")
    assert "not a file of this folder" in fails(FAILURE, "profile", "net-c", "--cpu", "cortex-m4")


def test_no_manifest() -> None:
    Path("empty").mkdir()
    assert "empty/manifest.json: " in fails(FAILURE, "manifest", "empty")
