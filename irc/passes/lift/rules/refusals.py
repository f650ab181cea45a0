"""Operators that networks use and no target has: each with the reason, and the way round it."""

from __future__ import annotations

from xdsl.ir import SSAValue

from irc.dialects import onnx
from irc.passes.lift.lifting import Lifting, rule

_REASONS = {
    "DepthToSpace": "moves channels into space, which no target does; a nearest Resize with a "
    "Conv behind it enlarges as well",
    "SpaceToDepth": "moves space into channels, which no target does; a Conv with kernel and "
    "stride of the block size does the same work",
    "CumSum": "sums along an axis step by step, which is not supported",
    "NonZero": "its shape follows from the data",
    "ScatterND": "writes at computed positions; only Slice, Split, Concat and Pad move elements",
    "ScatterElements": "writes at computed positions; only Slice, Split, Concat and Pad move "
    "elements",
    "GatherND": "reads at computed positions; Gather and Slice with constant indices are supported",
    "GatherElements": "reads at computed positions; Gather and Slice with constant indices are "
    "supported",
    "GridSample": "reads at computed positions; nearest Resize is supported",
    "RoiAlign": "reads at computed positions; nearest Resize is supported",
    "Einsum": "only MatMul and Gemm with constant weights are supported",
    "LSTM": "recurrence is not supported; unroll the network into MatMul and quantizers",
    "GRU": "recurrence is not supported; unroll the network into MatMul and quantizers",
    "RNN": "recurrence is not supported; unroll the network into MatMul and quantizers",
    "Loop": "control flow is not supported; export with a fixed number of steps, unrolled",
    "If": "control flow is not supported; export the branch that inference takes",
    "Scan": "control flow is not supported; export with a fixed number of steps, unrolled",
    "Elu": "has no step-wise form here yet; use Relu, LeakyRelu or Clip in front of a quantizer",
    "Selu": "has no step-wise form here yet; use Relu, LeakyRelu or Clip in front of a quantizer",
    "Celu": "has no step-wise form here yet; use Relu, LeakyRelu or Clip in front of a quantizer",
    "ThresholdedRelu": "jumps at its threshold; use Relu or Clip in front of a quantizer",
    "Shrink": "jumps at its threshold; use Relu or Clip in front of a quantizer",
    "HardSwish": "multiplies an activation by itself; use Relu or Clip",
    "Mish": "multiplies an activation by a function of itself; use Relu or Clip",
    "Gelu": "multiplies an activation by a function of itself; use Relu or Clip",
    "Swish": "multiplies an activation by a function of itself; use Relu or Clip",
    "LRN": "normalizes by neighbouring channels at run time; train with BatchNormalization instead",
    "MeanVarianceNormalization": "normalizes each frame by its own statistics, which no threshold "
    "can absorb; train with BatchNormalization instead",
    "LpPool": "only AveragePool and MaxPool are supported",
    "MaxUnpool": "needs the positions of largest elements; use a nearest Resize",
    "SplitToSequence": "sequences are not supported; use Split",
    "SequenceAt": "sequences are not supported; use Split",
}


@rule(*_REASONS)
def refuse(lifting: Lifting, op: onnx.OnnxOp) -> SSAValue:
    """Refused, whether or not its operands were, so that one run names every such node."""
    raise lifting.fail(_REASONS[op.op_type])
