"""Output folders appear whole or not at all, and replace nothing that irc did not make."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from irc.backends.output import MARKER, atomic_dir, is_ours
from irc.errors import IrcError


def write_ours(folder: Path, content: str) -> None:
    (folder / MARKER).write_text('{\n  "generator": "irc 0.1.0"\n}\n')
    (folder / "content").write_text(content)


def test_a_new_folder_appears_at_the_end(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "out"
    with atomic_dir(target) as folder:
        write_ours(folder, "one")
        assert not target.exists()
    assert (target / "content").read_text() == "one"
    assert is_ours(target)
    assert os.listdir(target.parent) == ["out"]


def test_our_own_folder_is_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with atomic_dir(target) as folder:
        write_ours(folder, "one")
        (folder / "stale").touch()
    with atomic_dir(target) as folder:
        write_ours(folder, "two")
    assert sorted(os.listdir(target)) == ["content", MARKER]
    assert (target / "content").read_text() == "two"
    assert os.listdir(tmp_path) == ["out"]


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    with atomic_dir(target) as folder:
        write_ours(folder, "one")
    assert (target / "content").exists()


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, SystemExit])
def test_nothing_is_left_where_something_fails(
    tmp_path: Path, failure: type[BaseException]
) -> None:
    target = tmp_path / "out"
    with atomic_dir(target) as folder:
        write_ours(folder, "old")
    with pytest.raises(failure), atomic_dir(target) as folder:  # noqa: PT012
        write_ours(folder, "new")
        raise failure
    assert (target / "content").read_text() == "old"
    assert os.listdir(tmp_path) == ["out"]


def test_folders_of_others_are_not_touched(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.mkdir()
    (target / "thesis.tex").write_text("…")
    with pytest.raises(IrcError, match="not empty and was not made by irc"), atomic_dir(target):
        pass
    assert os.listdir(target) == ["thesis.tex"]
    (tmp_path / "file").write_text("")
    with pytest.raises(IrcError, match="exists and is not a folder"), atomic_dir(tmp_path / "file"):
        pass


def test_a_full_disk_is_said_in_words(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with (
        pytest.raises(IrcError, match=r"out: cannot write: no space left on the device"),
        atomic_dir(target),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert os.listdir(tmp_path) == []


def test_paths_below_a_file_are_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(IrcError, match="cannot write"), atomic_dir(tmp_path / "file" / "out"):
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_unwritable_places_are_said_in_words(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(IrcError, match="permission denied"), atomic_dir(tmp_path / "out"):
        pass
    tmp_path.chmod(0o700)
