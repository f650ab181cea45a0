"""What in a `bnn` function has no kernel in C, and why."""

from __future__ import annotations

from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Operation

from irc.dialects import bnn
from irc.dialects.dense import is_exact
from irc.passes.obstacles import Obstacle

SUPPORTED = (
    bnn.ArgmaxOp,
    bnn.CastOp,
    bnn.ConvOp,
    bnn.EwiseOp,
    bnn.LinearOp,
    bnn.MaxPoolOp,
    bnn.PadOp,
    bnn.ReshapeOp,
    bnn.SumPoolOp,
    bnn.ThresholdOp,
    bnn.TransposeOp,
)


def software_obstacles(function: FuncOp) -> list[Obstacle]:
    """Everything in the way of turning a `bnn` function into C, in program order."""
    reasons = ((op, _unsupported(op)) for op in function.body.block.ops)
    return [Obstacle(op, reason) for op, reason in reasons if reason is not None]


def _unsupported(op: Operation) -> str | None:
    match op:
        case bnn.QuantizeOp() | bnn.FloatThresholdOp():
            return (
                "floats that nothing made exact are quantized here; declare the model's input, "
                "as in --input x=uint8/255, and run fold-thresholds"
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
        case bnn.SoftmaxOp():
            return (
                "targets c and host compute no softmax; take it off the model's end: the largest "
                "logit is the most probable class, so that ArgMax gives the same without it"
            )
        case ReturnOp():
            return None
        case _:
            return "targets c and host have no kernel for it"
