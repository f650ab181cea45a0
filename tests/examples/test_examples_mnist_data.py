"""`mnist_data` reads every usual copy of MNIST alike, and says what is wrong with anything else."""

from __future__ import annotations

import gzip
import importlib
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pytest

Bytes = npt.NDArray[np.uint8]

RANDOM = np.random.default_rng(7)
IMAGES: Bytes = RANDOM.integers(0, 256, (12, 28, 28), dtype=np.uint8)
LABELS: Bytes = RANDOM.integers(0, 10, 12, dtype=np.uint8)
# What the other split holds: taking it for the wrong one must show.
OTHER_IMAGES: Bytes = 255 - IMAGES
OTHER_LABELS: Bytes = 9 - LABELS


@pytest.fixture
def mnist_data(example_dir: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(sys, "path", [str(example_dir), *sys.path])
    return importlib.import_module("mnist_data")


def idx(values: Bytes) -> bytes:
    header = struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
    return header + values.tobytes()


def write_plain(folder: Path) -> Path:
    np.savez(folder / "mnist.npz", x=IMAGES, y=LABELS)
    return folder / "mnist.npz"


def write_keras(folder: Path) -> Path:
    np.savez(
        folder / "mnist.npz",
        x_train=OTHER_IMAGES,
        y_train=OTHER_LABELS,
        x_test=IMAGES,
        # Some copies widen the labels.
        y_test=LABELS.astype(np.int64),
    )
    return folder / "mnist.npz"


def write_idx(folder: Path) -> Path:
    (folder / "train-images-idx3-ubyte").write_bytes(idx(OTHER_IMAGES))
    (folder / "train-labels-idx1-ubyte").write_bytes(idx(OTHER_LABELS))
    (folder / "t10k-images-idx3-ubyte").write_bytes(idx(IMAGES))
    (folder / "t10k-labels-idx1-ubyte").write_bytes(idx(LABELS))
    return folder


def write_compressed_idx(folder: Path) -> Path:
    (folder / "t10k-images.idx3-ubyte.gz").write_bytes(gzip.compress(idx(IMAGES)))
    (folder / "t10k-labels.idx1-ubyte.gz").write_bytes(gzip.compress(idx(LABELS)))
    return folder


@pytest.mark.parametrize("write", [write_plain, write_keras, write_idx, write_compressed_idx])
def test_every_copy_gives_the_same_images(
    mnist_data: ModuleType, tmp_path: Path, write: Callable[[Path], Path]
) -> None:
    images, labels = mnist_data.load_mnist(write(tmp_path), split="test")
    assert images.dtype == labels.dtype == np.uint8
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(labels, LABELS)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": IMAGES}, "expected the keys x, y or x_test, y_test; found images"),
        ({"x": IMAGES[:0], "y": LABELS[:0]}, r"images \[N, 28, 28\], found \[0, 28, 28\]"),
        ({"x": IMAGES.reshape(12, 784), "y": LABELS}, r"images \[N, 28, 28\], found \[12, 784\]"),
        ({"x": IMAGES / 255.0, "y": LABELS}, "whole numbers from 0 to 255 as pixels"),
        ({"x": IMAGES - 128.0, "y": LABELS}, "whole numbers from 0 to 255 as pixels"),
        ({"x": IMAGES.astype(int) + 1, "y": LABELS}, "whole numbers from 0 to 255 as pixels"),
        ({"x": IMAGES, "y": LABELS[:5]}, r"12 images, but labels of shape \[5\]"),
        ({"x": IMAGES, "y": LABELS + 10}, "labels from 0 to 9"),
    ],
)
def test_an_archive_of_something_else_is_refused(
    mnist_data: ModuleType, tmp_path: Path, arrays: dict[str, Bytes], message: str
) -> None:
    path = tmp_path / "other.npz"
    np.savez(path, **arrays)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match=message):
        mnist_data.load_mnist(path, split="test")


def test_a_cut_off_idx_file_is_refused(mnist_data: ModuleType, tmp_path: Path) -> None:
    write_idx(tmp_path)
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx(IMAGES)[:-1])
    with pytest.raises(ValueError, match="cut off: 9407 values where the header says"):
        mnist_data.load_mnist(tmp_path, split="test")


def test_a_file_that_is_not_idx_is_refused(mnist_data: ModuleType, tmp_path: Path) -> None:
    write_idx(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(b"\0")
    with pytest.raises(ValueError, match="not an IDX file of unsigned bytes"):
        mnist_data.load_mnist(tmp_path, split="test")


def test_a_folder_without_images_is_named(mnist_data: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no file named t10k-images-idx"):
        mnist_data.load_mnist(tmp_path, split="test")
