"""What is said of folders that are not what a command needs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from irc.errors import IrcError
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
