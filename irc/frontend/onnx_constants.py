"""The forms that the value of a `Constant` node can take."""

from __future__ import annotations

import numpy as np
from onnx import AttributeProto

from irc.dialects.onnx_proto import ProtoError
from irc.dialects.onnx_tensor import TensorAttr


def plain_constant(attribute: AttributeProto) -> TensorAttr:
    """The tensor of `value_int` and its like (int64, float32 or strings)."""
    match attribute.name:
        case "value_int":
            return TensorAttr.from_numpy(np.array(attribute.i, np.int64))
        case "value_ints":
            return TensorAttr.from_numpy(np.array(attribute.ints, np.int64))
        case "value_float":
            return TensorAttr.from_numpy(np.array(attribute.f, np.float32))
        case "value_floats":
            return TensorAttr.from_numpy(np.array(attribute.floats, np.float32))
        case "value_string":
            return TensorAttr.from_strings([], [attribute.s])
        case "value_strings":
            return TensorAttr.from_strings([len(attribute.strings)], list(attribute.strings))
        case _:
            raise ProtoError("is no form of a constant")
