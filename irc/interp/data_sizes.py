"""What a data file claims to hold, looked at before it is read: small files can unfold to much."""

from __future__ import annotations

import math
import os
import zipfile
from typing import IO, Any

import numpy as np

MAX_BYTES = 2**34
"""What one array may take: 16 GiB, forty times the largest data set of a small network."""

MAX_RATIO = 200
"""Images compress to a half, sparse labels to a hundredth; what is compressed more is a trap…"""

FREE_BYTES = 2**26
"""…unless it is small all the same."""


class SizeError(Exception):
    """A file that claims more than it can hold, or more than anybody wants; says so in words."""


def check_sizes(path: str, keys: tuple[str, ...]) -> None:
    """Look at the headers of a `.npy` file, or at those of the arrays `keys` of a `.npz` archive.

    Raises `SizeError`, and whatever NumPy and `zipfile` raise for files that are neither.
    """
    with open(path, "rb") as file:
        if file.read(4) != b"PK\x03\x04":
            file.seek(0)
            _check_header(file, os.fstat(file.fileno()).st_size, "the array")
            return
    with zipfile.ZipFile(path) as archive:
        for key in keys:
            if f"{key}.npy" in archive.namelist():
                _check_member(archive, archive.getinfo(f"{key}.npy"), key)


def _check_member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, key: str) -> None:
    size = entry.file_size
    if size > FREE_BYTES and size > MAX_RATIO * entry.compress_size:
        raise SizeError(
            f"'{key}' unfolds from {entry.compress_size:,} to {size:,} bytes; an archive that does "
            "is taken for a trap"
        )
    with archive.open(entry) as file:
        _check_header(file, size, f"'{key}'")


def _check_header(file: IO[bytes], size: int, what: str) -> None:
    """Compare what an array's header claims with the bytes that there are."""
    try:
        version = np.lib.format.read_magic(file)
        read: Any = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }.get(version)
        if read is None:
            return
        shape, _, dtype = read(file)
    except ValueError:
        # No array at all: who loads it says so.
        return
    claimed = math.prod(shape) * dtype.itemsize
    if claimed > size and not dtype.hasobject:
        raise SizeError(
            f"damaged or cut short: {what} of shape {list(shape)} takes {claimed:,} bytes, and the "
            f"file has {size:,}"
        )
    if claimed > MAX_BYTES:
        raise SizeError(
            f"{what} of shape {list(shape)} takes {claimed:,} bytes; at most {MAX_BYTES:,} are read"
        )
