"""Test data: reading it, and giving it the shape and type that a model's input has."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import Float32Type
from xdsl.ir import Attribute

from irc.dialects import bnn
from irc.dialects.dense import element_range
from irc.errors import IrcError
from irc.interp.data_sizes import SizeError, check_sizes

Array = npt.NDArray[Any]


EXPECTED = "expected .npz with the inputs as x and, if known, the classes as y; or .npy with x"


@dataclass(frozen=True)
class Data:
    """Frames `x` [N, …] as they stand in a file, and labels `y` [N] where it has them."""

    source: str
    x: Array
    y: Array | None

    def limited(self, count: int | None) -> Data:
        """The first `count` frames."""
        if count is None or count >= len(self.x):
            return self
        return Data(self.source, self.x[:count], None if self.y is None else self.y[:count])


def load_data(path: str | os.PathLike[str]) -> Data:
    """Read `.npz` with the keys `x` and, optionally, `y`, or `.npy` with `x` alone.

    Nothing pickled is ever loaded. Raises `IrcError` that names the file.
    """
    name = os.fspath(path)
    try:
        check_sizes(name, ("x", "y"))
        loaded: Any = np.load(name, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return _checked(Data(name, cast(Array, loaded), None))
        with loaded:
            # Other keys stay unread: they may be anything.
            arrays: dict[str, Any] = {key: loaded[key] for key in ("x", "y") if key in loaded.files}
            keys = ", ".join(loaded.files) or "none"
        if "x" not in arrays:
            raise IrcError(f"{name}: has no key 'x'; its keys are {keys}")
        return _checked(Data(name, arrays["x"], arrays.get("y")))
    except (IrcError, MemoryError):
        raise
    except Exception as error:
        raise IrcError(f"{name}: {_reason(error, name)}") from None


def data_of(values: Any, source: str) -> Data:
    """Frames [N, …] that a caller gives as an array or as lists, checked as those of a file are.

    Raises `IrcError` that names `source`.
    """
    try:
        x = np.asarray(values)
    except ValueError as error:
        raise IrcError(f"{source}: no array of numbers: {error}") from None
    return _checked(Data(source, x, None))


def _reason(error: Exception, name: str) -> str:
    """What is wrong with a file, in words for somebody who does not know NumPy's."""
    if isinstance(error, SizeError):
        return str(error)
    if isinstance(error, FileNotFoundError):
        return f"no such file; {EXPECTED}"
    if isinstance(error, OSError) and os.path.isdir(name):
        return f"is a folder; {EXPECTED}"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read: {error.strerror}"
    text = str(error).strip().split("\n")[0]
    if "Object arrays" in text:
        return "holds Python objects, which are not loaded; save plain numbers"
    # What is no NumPy file at all is taken for a pickle.
    if "pickle" in text or not text:
        return f"is neither .npz nor .npy; {EXPECTED}"
    return f"damaged or cut short, or neither .npz nor .npy: {text}"


def _checked(data: Data) -> Data:
    x, y = data.x, data.y
    for key, array in (("x", x), ("y", y)):
        if array is not None and not isinstance(cast(object, array), np.ndarray):
            raise IrcError(f"{data.source}: '{key}' is no NumPy array")
    if x.ndim < 1 or len(x) == 0:
        raise IrcError(f"{data.source}: 'x' of shape {list(x.shape)} holds no frames")
    if x.dtype.kind not in "uifb":
        raise IrcError(f"{data.source}: 'x' of type {x.dtype}; expected numbers")
    if x.dtype.kind == "f" and not np.isfinite(x).all():
        raise IrcError(f"{data.source}: 'x' holds NaN or infinity")
    if y is None:
        return data
    if y.shape != (len(x),):
        raise IrcError(
            f"{data.source}: 'y' of shape {list(y.shape)} does not label the {len(x)} frames of "
            f"'x', of shape {list(x.shape)}; expected [{len(x)}]"
        )
    if y.dtype.kind not in "uif" or not np.array_equal(y, np.rint(y)):
        raise IrcError(f"{data.source}: 'y' of type {y.dtype}; expected the number of each class")
    return data


def shape_frames(data: Data, shape: tuple[int, ...], what: str) -> Array:
    """`x` as [N, *shape]: as it is, reshaped, or from channels last to channels first."""
    x = data.x
    if x.shape[1:] == shape:
        return x
    if len(shape) == 3 and x.shape[1:] == (*shape[1:], shape[0]) and shape[0] != 1:
        return np.ascontiguousarray(np.moveaxis(x, -1, 1))
    squeezed = tuple(dim for dim in x.shape[1:] if dim != 1)
    flat = int(np.prod(shape, dtype=np.int64))
    same_order = squeezed == tuple(dim for dim in shape if dim != 1) or len(squeezed) <= 1
    if int(np.prod(x.shape[1:], dtype=np.int64)) == flat and (same_order or len(shape) == 1):
        return x.reshape(len(x), *shape)
    expected = ", ".join(map(str, ("N", *shape)))
    raise IrcError(
        f"{data.source}: 'x' of shape {list(x.shape)} does not fit {what}; expected [{expected}]"
    )


def as_element_type(x: Array, element_type: Attribute, source: str) -> Array:
    """Frames in the interpreters' NumPy type; raises for values that the type lacks."""
    if isinstance(element_type, Float32Type):
        return x.astype(np.float32)
    low, high = element_range(element_type)
    if x.dtype.kind == "f" and not np.array_equal(x, np.rint(x)):
        raise IrcError(
            f"{source}: 'x' holds fractions, but the input is declared {element_type}; give the "
            "integers that the device will see, or declare the input otherwise"
        )
    if x.size and (x.min() < low or x.max() > high):
        raise IrcError(
            f"{source}: 'x' ranges from {x.min()} to {x.max()}, but the input is declared "
            f"{element_type}, {low} to {high}"
        )
    if isinstance(element_type, bnn.BipolarType):
        if bool((x == 0).any()):
            raise IrcError(
                f"{source}: 'x' holds 0, but the input is declared bipolar, -1 or 1; "
                "bits that count from 0 are uint1"
            )
        return x.astype(np.int8)
    return x.astype(np.int64)


def with_labels(data: Data, path: str | os.PathLike[str]) -> Data:
    """The same frames with the classes [N] of a `.npy` file; raises `IrcError` that names it."""
    labels = load_data(path).x
    if labels.shape != (len(data.x),):
        raise IrcError(
            f"{os.fspath(path)}: labels of shape {list(labels.shape)} for the {len(data.x)} frames "
            f"of {data.source}; expected [{len(data.x)}]"
        )
    return _checked(Data(data.source, data.x, labels))
