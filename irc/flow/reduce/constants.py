"""Constants made simpler: all zeros, or half of what is not zero."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.ir import Attribute

from irc.dialects.dense import DenseAttr, element_range, is_exact
from irc.dialects.onnx_tensor import TensorAttr

Array = npt.NDArray[Any]
Constant = DenseAttr | TensorAttr


def values_of(attribute: Attribute) -> Array | None:
    """The numbers of a constant; `None` for anything else."""
    if isinstance(attribute, DenseAttr):
        return attribute.numpy()
    if isinstance(attribute, TensorAttr):
        values = attribute.numpy()
        return values if values.dtype.kind in "fiub" else None
    return None


def with_values(attribute: Attribute, values: Array) -> Attribute:
    """The same constant with other numbers, of any shape."""
    if isinstance(attribute, DenseAttr):
        return DenseAttr.from_numpy(values, attribute.element_type)
    old = values_of(attribute)
    assert old is not None
    return TensorAttr.from_numpy(values.astype(old.dtype))


def zero_of(attribute: Attribute) -> int:
    """What stands for nothing in a constant: 0, or −1 where there is no 0."""
    if isinstance(attribute, DenseAttr) and is_exact(attribute.element_type):
        low, high = element_range(attribute.element_type)
        return -1 if (low, high) == (-1, 1) and _is_bipolar(attribute) else max(low, 0)
    return 0


def _is_bipolar(attribute: DenseAttr) -> bool:
    from irc.dialects.dense import BipolarType

    return isinstance(attribute.element_type, BipolarType)


def zeroed(attribute: Attribute) -> Attribute | None:
    """All zeros; `None` where it is no constant, or is zero already."""
    values = values_of(attribute)
    if values is None or not (values != (zero := zero_of(attribute))).any():
        return None
    return with_values(attribute, np.full_like(values, zero))


def halved(attribute: Attribute) -> Attribute | None:
    """The first half of what is not zero set to zero; a single number made smaller."""
    values = values_of(attribute)
    if values is None:
        return None
    flat, zero = values.reshape(-1).copy(), zero_of(attribute)
    active = np.flatnonzero(flat != zero)
    if not len(active):
        return None
    if len(active) > 1:
        flat[active[: len(active) // 2]] = zero
    else:
        (index,) = active
        less = np.trunc(flat[index] / 2) if flat.dtype.kind == "f" else flat[index] // 2
        flat[index] = less if less != flat[index] else zero
    return with_values(attribute, flat.reshape(values.shape))
