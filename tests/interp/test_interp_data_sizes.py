"""Data files that claim or unfold to more than they hold are refused before anything is read."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from irc.errors import IrcError
from irc.interp.data_files import load_data


def header(shape: str) -> bytes:
    """The start of a `.npy` file."""
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00v\x00" + text.encode()


def write_bomb(path: Path, member: str = "x.npy") -> None:
    """An archive of 100 kB whose array takes 100 MiB."""
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(member, "w", force_zip64=True) as file,
    ):
        file.write(header("(100, 1048576)"))
        for _ in range(100):
            file.write(bytes(2**20))
    assert path.stat().st_size < 2**20


@pytest.mark.parametrize("member", ["x.npy", "x", "y.npy", "y"])
def test_a_zip_bomb(member: str, tmp_path: Path) -> None:
    write_bomb(tmp_path / "bomb.npz", member)
    with pytest.raises(IrcError, match=rf"'{member[0]}' unfolds from .* is taken for a trap"):
        load_data(tmp_path / "bomb.npz")


def test_a_zip_bomb_behind_a_harmless_namesake(tmp_path: Path) -> None:
    write_bomb(tmp_path / "bomb.npz", "x")
    with zipfile.ZipFile(tmp_path / "bomb.npz", "a") as archive:
        archive.writestr("x.npy", header("(1,)") + bytes(1))
    with pytest.raises(IrcError, match=r"'x' unfolds from .* is taken for a trap"):
        load_data(tmp_path / "bomb.npz")


def test_a_zip_bomb_that_claims_many_packed_bytes(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    write_bomb(path)
    content = bytearray(path.read_bytes())
    # The packed size in the directory, 20 bytes behind its signature.
    place = content.rindex(b"PK\x01\x02") + 20
    content[place : place + 4] = (2**30).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(IrcError, match=r"'x' unfolds from .* is taken for a trap"):
        load_data(path)


def test_a_zip_bomb_that_begins_like_an_empty_archive(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    write_bomb(path)
    path.write_bytes(b"PK\x05\x06" + path.read_bytes())
    with pytest.raises(IrcError, match=r"'x' unfolds from .* is taken for a trap"):
        load_data(path)


@pytest.mark.parametrize("name", ["x.npz", "x.npy"])
def test_a_header_that_claims_more_than_there_is(name: str, tmp_path: Path) -> None:
    path, content = tmp_path / name, header("(1000000, 1000000)") + bytes(100)
    if name == "x.npz":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x.npy", content)
    else:
        path.write_bytes(content)
    with pytest.raises(IrcError, match=r"damaged or cut short: .* takes 1,000,000,000,000 bytes"):
        load_data(path)


@pytest.mark.parametrize("name", ["x.npz", "x.npy"])
def test_another_version_of_the_format(name: str, tmp_path: Path) -> None:
    first = header("(1000000, 1000000)")
    path, content = tmp_path / name, b"\x93NUMPY\x03\x00v\x00\x00\x00" + first[10:] + bytes(100)
    if name == "x.npz":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x.npy", content)
    else:
        path.write_bytes(content)
    with pytest.raises(IrcError, match=r"is in version 3\.0 of NumPy's format; versions 1\.0 and"):
        load_data(path)


def test_version_2_of_the_format(tmp_path: Path) -> None:
    frames = np.arange(12, dtype=np.uint8).reshape(3, 4)
    with open(tmp_path / "x.npy", "wb") as file:
        np.lib.format.write_array(file, frames, version=(2, 0))
    assert (load_data(tmp_path / "x.npy").x == frames).all()


def test_a_header_nested_too_deeply(tmp_path: Path) -> None:
    text = b"-" * 9000 + b"1"
    path = tmp_path / "x.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text)
    with pytest.raises(IrcError, match=r"damaged: the header of the array is nested too deeply"):
        load_data(path)


def test_too_little_memory_is_not_blamed_on_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    np.save(tmp_path / "x.npy", np.zeros((3, 4)))
    monkeypatch.setattr(np, "load", fail)
    with pytest.raises(MemoryError):
        load_data(tmp_path / "x.npy")


def test_compressed_data_are_read(tmp_path: Path) -> None:
    frames = np.zeros((3000, 784), np.uint8)
    np.savez_compressed(tmp_path / "x.npz", x=frames)
    assert (load_data(tmp_path / "x.npz").x == frames).all()
