"""What is said of folders that are not what a command needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from irc.errors import IrcError
from irc.flow.board_build import board_build
from irc.flow.manifest import read_manifest


def test_a_manifest_is_read(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({"target": "c", "macs": 3}))
    assert read_manifest(tmp_path, "c", ("macs",)) == {"target": "c", "macs": 3}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "expected a folder that `irc compile --target verilog` wrote"),
        ("{", "not JSON"),
        ("[1]", "not of a Verilog folder; write one with `irc compile --target verilog`"),
        ('{"target": "c"}', "not of a Verilog folder"),
        ('{"target": "verilog"}', r"lacks sources, top; written by another version\?"),
    ],
)
def test_another_folder_is_refused(text: str | None, message: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(IrcError, match=message):
        read_manifest(tmp_path, "verilog", ("top", "sources"))


STREAM = {"shape": [8], "element": "ui8", "lanes": 8, "lane_bits": 8, "beats": 1, "bits": 64}
RELOAD: dict[str, Any] = {
    "bytes": 20,
    "shape": 7,
    "must_load": False,
    "device": None,
    "clock": None,
    "inputs": ["x=uint8/255"],
    "weights": ["bipolar"],
    "layers": [{"name": "fc1"}],
}
VERILOG: dict[str, Any] = {
    "target": "verilog",
    "top": "net",
    "sources": {"rtl/net.v": {"crc32": 1}},
    "hex": {"rtl/net_fc1.hex": {"words": 1, "digits": 2, "crc32": 1}},
    "input": STREAM,
    "output": STREAM,
    "cycles": None,
    "layers": [{"name": "fc1", "module": "net_fc1"}],
    "estimate": None,
    "reload": RELOAD,
}
C: dict[str, Any] = {"target": "c", "name": "net", "files": ["net.c"], "layers": []}

ESCAPES = (
    "a; tee -o ../../pwned help",
    "rtl/ ; tee -o pwned2.txt help; log z.v",
    "rtl/a b.v",
    "../net.v",
    "rtl/../../net.v",
    "/net.v",
    "-net.v",
    "rtl/-net.v",
    "@net.v",
    "rtl\\..\\net.v",
    "rtl/net.v\n",
    "rtl/",
    "",
)


def refusal(folder: Path, manifest: dict[str, Any], needed: tuple[str, ...] = ()) -> str:
    """What is said of a manifest."""
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(IrcError) as caught:
        read_manifest(folder, manifest["target"], needed)
    assert str(folder / "manifest.json") in caught.value.message
    return caught.value.message


@pytest.mark.parametrize("name", ESCAPES)
def test_no_name_is_a_command_or_leaves_the_folder(name: str, tmp_path: Path) -> None:
    said = f"is {name!r}, not a file of this folder"
    for key in ("sources", "hex"):
        entries = {name: next(iter(VERILOG[key].values()))}
        assert f"a key of {key} {said}" in refusal(tmp_path, {**VERILOG, key: entries})
    assert f"files[0] {said}" in refusal(tmp_path, {**C, "files": [name]})
    assert f"top is {name!r}, not an identifier" in refusal(tmp_path, {**VERILOG, "top": name})
    assert f"name is {name!r}, not an identifier" in refusal(tmp_path, {**C, "name": name})


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"reload": {}}, "reload lacks bytes"),
        ({"reload": {**RELOAD, "layers": [3]}}, "reload.layers[0] is 3, not an object"),
        ({"reload": {**RELOAD, "must_load": 1}}, "reload.must_load is 1, not true or false"),
        ({"sources": ["rtl/net.v"]}, "sources is ['rtl/net.v'], not an object"),
        ({"sources": {"a.v": {}}}, "sources.a.v lacks crc32"),
        ({"input": {**STREAM, "bits": "8"}}, "input.bits is '8', not a whole number from 1"),
        ({"output": {**STREAM, "beats": 0}}, "output.beats is 0, not a whole number from 1"),
        ({"cycles": True}, "cycles is True, not a whole number from 0"),
        ({"cycles": 10**400}, "not a whole number from 0"),
        ({"estimate": {"device": "up5k", "clock": float("nan")}}, "estimate.clock is nan, not a"),
        ({"layers": {"fc1": 1}}, "layers is {'fc1': 1}, not a list"),
        ({"layers": [{"name": "fc1", "module": "a b"}]}, "layers[0].module is 'a b', not an"),
    ],
)
def test_a_manifest_of_another_form_is_refused(
    changed: dict[str, Any], message: str, tmp_path: Path
) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps(VERILOG))
    assert read_manifest(tmp_path, "verilog", ("top",)) == VERILOG
    assert message in refusal(tmp_path, {**VERILOG, **changed})


BOARD: dict[str, Any] = {
    "board": "my board",
    "description": "",
    "device": "up5k",
    "top": "net_board",
    "clock": 24.0,
    "sources": {"net_board.v": {"crc32": 1}},
    "constraints": "my board.pcf",
    "program": None,
}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"top": "a; tee -o x help"}, "top is 'a; tee -o x help', not an identifier"),
        ({"constraints": "../x"}, "constraints is '../x', not a plain name"),
        ({"constraints": "-x"}, "constraints is '-x', not a plain name"),
        ({"board": "../../x"}, "board is '../../x', not a plain name"),
        ({"sources": {"a;b.v": {"crc32": 1}}}, "a key of sources is 'a;b.v', not a file"),
        ({"sources": []}, "sources is [], not an object"),
        ({"clock": 0}, "clock is 0, not a number from 0.001"),
        ({"program": "iceprog"}, "program is 'iceprog', not a list"),
    ],
)
def test_a_board_of_another_form_is_refused(
    changed: dict[str, Any], message: str, tmp_path: Path
) -> None:
    folder = tmp_path / "board"
    folder.mkdir()
    for name in ("net_board.v", "my board.pcf"):
        (folder / name).write_text(name)
    (folder / "board.json").write_text(json.dumps(BOARD))
    build = board_build(tmp_path, {}, None)
    assert build is not None
    assert build.constraints == ("my board.pcf", "my board.pcf")
    (folder / "board.json").write_text(json.dumps({**BOARD, **changed}))
    with pytest.raises(IrcError) as caught:
        board_build(tmp_path, {}, None)
    assert caught.value.message.startswith(f"{folder / 'board.json'}: {message}")
