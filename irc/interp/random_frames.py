"""Random frames of what a tensor type holds."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import Float32Type, TensorType
from xdsl.ir import Attribute

from irc.dialects.dense import BipolarType, element_range

Array = npt.NDArray[Any]


def random_frames(kind: Attribute, frames: int, generator: np.random.Generator) -> Array:
    """`frames` random values of a tensor type, shaped [frames, …], over all that it holds."""
    if not isinstance(kind, TensorType):
        raise ValueError(f"no random values for {kind}: only for tensors")
    tensor = cast("TensorType[Attribute]", kind)
    shape, element = (frames, *tensor.get_shape()), tensor.element_type
    if isinstance(element, Float32Type):
        return generator.normal(0.0, 2.0, shape).astype(np.float32)
    if isinstance(element, BipolarType):
        return (2 * generator.integers(0, 2, shape) - 1).astype(np.int8)
    low, high = element_range(element)
    return generator.integers(low, min(high, 2**63 - 1), shape, np.int64, endpoint=True)
