"""The `bnn` dialect: binary and low-bit networks on channels-last tensors of exact types.

A function describes one frame: types carry no batch dimension. Values are tensors of
`!bnn.bipolar`, `uiN`, `siN`, or `f32` where a network begins and ends. An imported network starts
out with `f32` throughout; the streamlining passes turn everything between the first quantizer and
the last linear operation into exact types.
"""

from __future__ import annotations

from xdsl.ir import Dialect

from irc.dialects.bnn_base import frame_type
from irc.dialects.bnn_branch import AddOp, ConcatOp, SliceOp, UpsampleOp
from irc.dialects.bnn_exact import LinearOp, ThresholdOp
from irc.dialects.bnn_float import (
    BINARY_FUNCTIONS,
    ROUNDINGS,
    SIGNS,
    UNARY_FUNCTIONS,
    CastOp,
    EwiseOp,
    QuantizeOp,
)
from irc.dialects.bnn_float_threshold import FloatThresholdOp
from irc.dialects.bnn_shape import ArgmaxOp, ReshapeOp, TransposeOp
from irc.dialects.bnn_softmax import SoftmaxOp
from irc.dialects.bnn_spatial import ConvOp, MaxPoolOp, PadOp, SumPoolOp
from irc.dialects.dense import (
    BipolarType,
    DenseAttr,
    PackedBytes,
    bipolar,
    sint,
    smallest_int,
    uint,
)

Bnn = Dialect(
    "bnn",
    [
        CastOp,
        EwiseOp,
        QuantizeOp,
        FloatThresholdOp,
        LinearOp,
        ThresholdOp,
        ReshapeOp,
        TransposeOp,
        ArgmaxOp,
        SoftmaxOp,
        ConvOp,
        PadOp,
        MaxPoolOp,
        SumPoolOp,
        AddOp,
        ConcatOp,
        SliceOp,
        UpsampleOp,
    ],
    [BipolarType, DenseAttr, PackedBytes],
)

Quantizer = QuantizeOp | FloatThresholdOp
"""What maps a float to an exact value, one element at a time, and never falls."""

__all__ = [
    "BINARY_FUNCTIONS",
    "ROUNDINGS",
    "SIGNS",
    "UNARY_FUNCTIONS",
    "AddOp",
    "ArgmaxOp",
    "BipolarType",
    "Bnn",
    "CastOp",
    "ConcatOp",
    "ConvOp",
    "DenseAttr",
    "EwiseOp",
    "FloatThresholdOp",
    "LinearOp",
    "MaxPoolOp",
    "PackedBytes",
    "PadOp",
    "QuantizeOp",
    "Quantizer",
    "ReshapeOp",
    "SliceOp",
    "SoftmaxOp",
    "SumPoolOp",
    "ThresholdOp",
    "TransposeOp",
    "UpsampleOp",
    "bipolar",
    "frame_type",
    "sint",
    "smallest_int",
    "uint",
]
