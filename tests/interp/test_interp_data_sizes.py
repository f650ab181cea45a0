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


def test_a_zip_bomb(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("x.npy", "w", force_zip64=True) as file,
    ):
        file.write(header("(100, 1048576)"))
        for _ in range(100):
            file.write(bytes(2**20))
    assert path.stat().st_size < 2**20
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


def test_compressed_data_are_read(tmp_path: Path) -> None:
    frames = np.zeros((3000, 784), np.uint8)
    np.savez_compressed(tmp_path / "x.npz", x=frames)
    assert (load_data(tmp_path / "x.npz").x == frames).all()
