"""Coverage guidance: bytes say which damage is done, and what falls is found."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

from irc.errors import UsageError
from irc.fuzz import corpus
from irc.fuzz.campaign import Settings
from irc.fuzz.coverage import ByteChoices, guided
from irc.fuzz.limits import Limits


def test_bytes_decide() -> None:
    choices = ByteChoices(bytes([3, 0xFF, 0x01]))
    assert choices.integer(0, 7) == 3
    assert choices.integer(10, 10 + 2**16 - 1) == 10 + 0x1FF
    assert choices.pick("abc") == "a"


def falls(arguments: Sequence[str]) -> int:
    """A reader with a fault that most damage reaches."""
    if b"\n\n" not in Path("case.mlir").read_bytes():
        raise KeyError("line")
    return 0


def ignore(_: object) -> None:
    return None


def test_it_needs_readers_and_time(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="give --seconds"):
        guided(Settings(tmp_path, readers=("mlir",)), {}, ignore)


@pytest.mark.slow
def test_atheris_finds_what_is_planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if find_spec("atheris") is None and not os.environ.get("CI"):
        pytest.skip("atheris is not installed")
    monkeypatch.setattr(corpus, "SAMPLES", 1)
    settings = Settings(
        tmp_path / "findings", seconds=5, readers=("mlir",), limits=Limits(5, 500), minimize=False
    )
    summary, interrupt = guided(settings, {"irc": falls, "irc-opt": falls}, ignore)
    assert interrupt is None
    assert [finding.kind for finding in summary.findings] == ["traceback"]
    assert len(list((tmp_path / "findings").iterdir())) == 1
