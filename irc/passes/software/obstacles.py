"""What in a `bnn` function has no kernel in C, and why."""

from __future__ import annotations

from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Operation

from irc.dialects import bnn, packed
from irc.dialects.dense import is_exact
from irc.passes.obstacles import Obstacle

SUPPORTED = (
    bnn.AddOp,
    bnn.ArgmaxOp,
    bnn.CastOp,
    bnn.ConcatOp,
    bnn.ConvOp,
    bnn.EwiseOp,
    bnn.FloatThresholdOp,
    bnn.LinearOp,
    bnn.MaxPoolOp,
    bnn.PadOp,
    bnn.QuantizeOp,
    bnn.ReshapeOp,
    bnn.SliceOp,
    bnn.SoftmaxOp,
    bnn.SumPoolOp,
    bnn.ThresholdOp,
    bnn.TransposeOp,
    bnn.UpsampleOp,
)


def software_obstacles(function: FuncOp) -> list[Obstacle]:
    """Everything in the way of turning a `bnn` function into C, in program order."""
    reasons = ((op, _unsupported(op)) for op in function.body.block.ops)
    return [Obstacle(op, reason) for op, reason in reasons if reason is not None]


def _unsupported(op: Operation) -> str | None:
    match op:
        case bnn.QuantizeOp() if max(map(abs, op.bounds)) > packed.FLOAT_INTEGERS:
            return (
                "floats are quantized to integers beyond 2^24, which float32 does not tell apart; "
                "targets c and host quantize to at most 25 bits"
            )
        case bnn.LinearOp() | bnn.ConvOp() if not is_exact(bnn.frame_type(op.output).element_type):
            return "targets c and host need quantized weights and inputs, not floating-point ones"
        case bnn.PadOp() | bnn.MaxPoolOp() | bnn.SumPoolOp() if not is_exact(
            bnn.frame_type(op.input).element_type
        ):
            return "targets c and host pad and pool integers, not floating-point values"
        case _ if isinstance(op, SUPPORTED):
            empty = [
                v.type for v in (*op.operands, *op.results) if 0 in bnn.frame_type(v).get_shape()
            ]
            return f"{empty[0]} has no elements" if empty else None
        case ReturnOp():
            return None
        case _:
            return "targets c and host have no kernel for it"
