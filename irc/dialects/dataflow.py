"""The `dataflow` dialect: a network as hardware units with streams between them.

A function of this level takes and returns tensors of one frame, as at level `bnn`. Between
`dataflow.to_stream` and `dataflow.from_stream` lies what becomes hardware; `bnn` operations before
and after are left to the host. Every unit says how many cycles a frame takes and what it costs
(`DataflowNode`); PE and SIMD fold it (`FoldedNode`).
"""

from __future__ import annotations

from xdsl.ir import Dialect

from irc.dialects.dataflow_branch import AddOp, BranchNode, ConcatOp, ForkOp
from irc.dialects.dataflow_mvu import MvuOp
from irc.dialects.dataflow_node import (
    MEMORIES,
    UNFOLDED,
    DataflowNode,
    FoldedNode,
    Folding,
    Resources,
    divisors,
)
from irc.dialects.dataflow_pad import PadOp
from irc.dialects.dataflow_plumbing import (
    FifoOp,
    FromStreamOp,
    ReshapeOp,
    ToStreamOp,
    WidthConverterOp,
)
from irc.dialects.dataflow_pool import MaxPoolOp, SumPoolOp
from irc.dialects.dataflow_resample import SliceOp, UpsampleOp
from irc.dialects.dataflow_spatial import SpatialNode
from irc.dialects.dataflow_stream import StreamType, stream_type
from irc.dialects.dataflow_threshold import ThresholdOp
from irc.dialects.dataflow_window import WindowOp

__all__ = [
    "MEMORIES",
    "UNFOLDED",
    "AddOp",
    "BranchNode",
    "ConcatOp",
    "Dataflow",
    "DataflowNode",
    "FifoOp",
    "FoldedNode",
    "Folding",
    "ForkOp",
    "FromStreamOp",
    "MaxPoolOp",
    "MvuOp",
    "PadOp",
    "ReshapeOp",
    "Resources",
    "SliceOp",
    "SpatialNode",
    "StreamType",
    "SumPoolOp",
    "ThresholdOp",
    "ToStreamOp",
    "UpsampleOp",
    "WidthConverterOp",
    "WindowOp",
    "divisors",
    "stream_type",
]

Dataflow = Dialect(
    "dataflow",
    [
        ToStreamOp,
        FromStreamOp,
        ReshapeOp,
        MvuOp,
        ThresholdOp,
        PadOp,
        WindowOp,
        MaxPoolOp,
        SumPoolOp,
        ForkOp,
        AddOp,
        ConcatOp,
        SliceOp,
        UpsampleOp,
        WidthConverterOp,
        FifoOp,
    ],
    [StreamType],
)
