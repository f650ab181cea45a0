"""What every unit is made of: as it is folded, or as it would be."""

from __future__ import annotations

from xdsl.ir import Operation

from irc.dialects import dataflow
from irc.dialects.dataflow import Folding
from irc.passes.hardware.resource_model.mvu_structure import mvu_structure
from irc.passes.hardware.resource_model.plumbing_structure import (
    add_structure,
    concat_structure,
    converter_structure,
    fifo_structure,
    fork_structure,
    slice_structure,
    threshold_structure,
)
from irc.passes.hardware.resource_model.spatial_structure import (
    pad_structure,
    pool_structure,
    upsample_structure,
    window_structure,
)
from irc.passes.hardware.resource_model.structure import Structure


def structure_of(op: Operation, family: str) -> Structure:
    """What a unit is made of as it is folded, in devices of a family."""
    match op:
        case dataflow.FoldedNode():
            return layer_structure(op, op.folding, family)
        case dataflow.SpatialNode():
            return spatial_structure(op, op.lanes, family)
        case dataflow.WidthConverterOp():
            taken, given = (dataflow.stream_type(v).beat_width for v in (op.input, op.output))
            return converter_structure(taken, given, family)
        case dataflow.FifoOp():
            return fifo_structure(dataflow.stream_type(op.input).beat_width, op.depth, family)
        case dataflow.ForkOp():
            return fork_structure(len(op.outputs))
        case dataflow.AddOp():
            return add_structure(op, family)
        case dataflow.ConcatOp():
            return concat_structure(op, family)
        case dataflow.SliceOp():
            return slice_structure(op, family)
        case _:
            return Structure("none")


def layer_structure(node: dataflow.FoldedNode, folding: Folding, family: str) -> Structure:
    """What a layer is made of under a folding."""
    if isinstance(node, dataflow.MvuOp):
        return mvu_structure(node, folding, family)
    assert isinstance(node, dataflow.ThresholdOp)
    return threshold_structure(node, folding, family)


def spatial_structure(op: dataflow.SpatialNode, lanes: int, family: str) -> Structure:
    """What padding, a pool or the like is made of with so many channels a beat."""
    match op:
        case dataflow.WindowOp():
            return window_structure(op, lanes, op.groups, op.taps, op.mmv, op.pixels, family)
        case dataflow.MaxPoolOp() | dataflow.SumPoolOp():
            return pool_structure(op, lanes, family)
        case dataflow.PadOp():
            return pad_structure(op, lanes, family)
        case dataflow.UpsampleOp():
            return upsample_structure(op, lanes, family)
        case _:
            return Structure("none")
