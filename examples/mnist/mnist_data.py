"""Reading MNIST from any of its usual copies on disk.

Nothing here downloads anything: the path says where a copy lies.
"""

from __future__ import annotations

import gzip
import struct
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

IMAGE_SHAPE = (28, 28)
CLASSES = 10

_IDX_UNSIGNED_BYTE = 0x08
_IDX_NAMES = {
    "train": ("train-images", "train-labels"),
    "test": ("t10k-images", "t10k-labels"),
}


class Mnist(NamedTuple):
    """Images, uint8 [N, 28, 28] with ink near 255, and their digits, uint8 [N]."""

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint8]


def load_mnist(path: Path, split: str = "train") -> Mnist:
    """Read one `split` ("train" or "test") of MNIST.

    `path` is one of
    - an `.npz` with keys `x` and `y`, which is taken for the split that is asked for;
    - an `.npz` as Keras ships it, with `x_train`, `y_train`, `x_test` and `y_test`;
    - a folder that holds the IDX files of the original distribution
      (`train-images-idx3-ubyte`, …), each optionally compressed as `.gz`.

    Raises OSError when nothing can be read there, ValueError when it is not MNIST.
    """
    data = _load_idx_folder(path, split) if path.is_dir() else _load_npz(path, split)
    _check(path, data)
    return Mnist(data.images.astype(np.uint8), data.labels.astype(np.uint8))


def _load_npz(path: Path, split: str) -> Mnist:
    try:
        with np.load(path) as archive:
            keys = set(archive.files)
            for images, labels in ((f"x_{split}", f"y_{split}"), ("x", "y")):
                if {images, labels} <= keys:
                    return Mnist(archive[images], archive[labels])
    except (zipfile.BadZipFile, AttributeError, ValueError, EOFError) as error:
        raise ValueError(f"{path}: not an .npz archive and not a folder of IDX files") from error
    found = ", ".join(sorted(keys)) or "nothing"
    raise ValueError(f"{path}: expected the keys x, y or x_{split}, y_{split}; found {found}")


def _load_idx_folder(folder: Path, split: str) -> Mnist:
    images, labels = (_read_idx(_find_idx(folder, stem)) for stem in _IDX_NAMES[split])
    return Mnist(images, labels)


def _find_idx(folder: Path, stem: str) -> Path:
    """The IDX file `stem`: copies differ in `-idx3-` or `.idx3-` and in the suffix `.gz`."""
    matches = sorted(folder.glob(f"{stem}*"))
    if not matches:
        raise FileNotFoundError(f"{folder}: no file named {stem}-idx*-ubyte or .gz in this folder")
    return matches[0]


def _read_idx(path: Path) -> npt.NDArray[np.uint8]:
    """Decode one IDX file of unsigned bytes: 0, 0, type, rank, rank big-endian sizes, data."""
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    rank = content[3] if len(content) >= 4 else 0
    header = 4 + 4 * rank
    if content[:3] != bytes((0, 0, _IDX_UNSIGNED_BYTE)) or len(content) < header:
        raise ValueError(f"{path}: not an IDX file of unsigned bytes")
    shape = struct.unpack(f">{rank}I", content[4:header])
    values = np.frombuffer(content, dtype=np.uint8, offset=header)
    if values.size != np.prod(shape):
        raise ValueError(f"{path}: cut off: {values.size} values where the header says {shape}")
    return values.reshape(shape)


def _check(path: Path, data: Mnist) -> None:
    images, labels = data
    if images.ndim != 3 or images.shape[1:] != IMAGE_SHAPE or not images.size:
        raise ValueError(f"{path}: expected images [N, 28, 28], found {list(images.shape)}")
    if not np.issubdtype(images.dtype, np.integer) or images.min() < 0 or images.max() > 255:
        raise ValueError(f"{path}: expected whole numbers from 0 to 255 as pixels")
    if labels.shape != images.shape[:1]:
        raise ValueError(f"{path}: {len(images)} images, but labels of shape {list(labels.shape)}")
    if labels.min() < 0 or labels.max() >= CLASSES:
        raise ValueError(f"{path}: expected labels from 0 to {CLASSES - 1}")
