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

    In an archive NumPy takes a member `x`, if there is one, and `x.npy` otherwise.

    Raises `SizeError`, and whatever NumPy and `zipfile` raise for files that are neither.
    """
    with open(path, "rb") as file:
        if file.read(4) not in (b"PK\x03\x04", b"PK\x05\x06"):
            file.seek(0)
            _check_header(file, os.fstat(file.fileno()).st_size, "the array")
            return
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        for key in keys:
            for name in names.intersection((key, f"{key}.npy")):
                _check_member(archive, archive.getinfo(name), key, os.path.getsize(path))


def _check_member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, key: str, whole: int) -> None:
    # The directory may claim more packed bytes than the whole archive has.
    size, packed = entry.file_size, min(entry.compress_size, whole)
    if size > FREE_BYTES and size > MAX_RATIO * packed:
        raise SizeError(
            f"'{key}' unfolds from {packed:,} to {size:,} bytes; an archive that does is taken for "
            "a trap"
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
            # NumPy writes 3.0 for columns whose names are not Latin-1, and for nothing else.
            raise SizeError(
                f"{what} is in version {version[0]}.{version[1]} of NumPy's format; versions 1.0 "
                "and 2.0 are read, which hold all plain numbers"
            )
        shape, _, dtype = read(file)
    except ValueError:
        # No array at all: who loads it says so.
        return
    except (MemoryError, RecursionError):
        # Python's parser has no other words for deep nesting; the text is short.
        raise SizeError(f"damaged: the header of {what} is nested too deeply") from None
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
