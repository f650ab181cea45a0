"""Turn the exact part of a network into hardware units connected by streams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from irc.dialects import bnn, dataflow
from irc.dialects.dense import is_exact
from irc.errors import UnsupportedError
from irc.passes.hardware.layer_names import UniqueNames, describe, layer_name
from irc.passes.hardware.spatial_units import pad_unit, pool_units, spatial_obstacle, window_units
from irc.passes.obstacles import Obstacle
from irc.passes.rewriting import functions_of


@dataclass(frozen=True)
class ConvertBnnToDataflow(ModulePass):
    """Stream from the first to the last exact layer; what comes before and after stays on the host.

    A `bnn.linear` and the `bnn.threshold` that alone reads it become one matrix-vector unit:
    `threshold(linear(x)) = mvu(x)` with the thresholds fused. A convolution is a matrix-vector
    unit on sliding windows. Every unit starts unfolded.
    """

    name = "convert-bnn-to-dataflow"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions_of(op):
            obstacles = hardware_obstacles(function)
            if obstacles:
                text = "\n".join(map(str, obstacles))
                raise UnsupportedError(text, obstacles[0].op.location)
            _convert(function)


def hardware_obstacles(function: FuncOp) -> list[Obstacle]:
    """Everything in the way of putting a `bnn` function into hardware, in program order."""
    section = _section(function)
    if not section:
        return [
            Obstacle(
                function,
                "no linear or threshold operation on exact values, nothing to put in hardware",
            )
        ]
    found: list[Obstacle] = []
    previous: Operation | None = None
    for op in section:
        reason = _unsupported(op)
        if reason is None and previous is not None and op.operands[0] not in previous.results:
            reason = "it does not follow the layer before it: hardware has no branches yet"
        if reason is None and op is not section[-1] and not op.results[0].has_one_use():
            readers = sorted(describe(use.operation) for use in op.results[0].uses)
            reason = f"{' and '.join(readers)} read its result: hardware has no branches yet"
        if reason is not None:
            found.append(Obstacle(op, reason))
        previous = op
    return found


def _section(function: FuncOp) -> list[Operation]:
    """The operations from the first exact layer to the last, in program order."""
    ops = list(function.body.block.ops)
    layers = [index for index, op in enumerate(ops) if _is_layer(op)]
    return ops[layers[0] : layers[-1] + 1] if layers else []


def _is_layer(op: Operation) -> bool:
    match op:
        case bnn.ThresholdOp():
            return True
        case bnn.LinearOp() | bnn.ConvOp() | bnn.PadOp() | bnn.MaxPoolOp() | bnn.SumPoolOp():
            return is_exact(bnn.frame_type(op.output).element_type)
        case _:
            return False


def _unsupported(op: Operation) -> str | None:
    match op:
        case bnn.TransposeOp() if not _keeps_order(op):
            return (
                f"transposing by {list(op.axes)} reorders a stream, which hardware has no unit for"
            )
        case bnn.LinearOp() | bnn.ConvOp() if not _is_layer(op):
            return "its weights or inputs are floating-point numbers, between exact layers"
        case bnn.PadOp() | bnn.MaxPoolOp() | bnn.SumPoolOp() if not _is_layer(op):
            return "floating-point arithmetic between exact layers has no hardware"
        case bnn.ConvOp() | bnn.PadOp() | bnn.MaxPoolOp() | bnn.SumPoolOp():
            return spatial_obstacle(op)
        case bnn.LinearOp() | bnn.ThresholdOp() | bnn.ReshapeOp() | bnn.TransposeOp():
            return None
        case bnn.CastOp() | bnn.EwiseOp() | bnn.QuantizeOp() | bnn.FloatThresholdOp():
            return "floating-point arithmetic between exact layers has no hardware"
        case _:
            return "hardware has no unit for it"


def _keeps_order(op: bnn.TransposeOp) -> bool:
    """Whether only axes of extent 1 move."""
    shape = bnn.frame_type(op.input).get_shape()
    kept = [axis for axis in op.axes if shape[axis] != 1]
    return kept == sorted(kept)


def _convert(function: FuncOp) -> None:
    section = _section(function)
    names = UniqueNames()
    entry = dataflow.ToStreamOp(section[0].operands[0], 1)
    entry.location = section[0].location
    Rewriter.insert_op(entry, InsertPoint.before(section[0]))
    value: SSAValue = entry.output
    result = section[-1].results[0]
    remaining = iter(section)
    for op in remaining:
        fused = next(remaining) if op is not section[-1] and _fuses(op) else None
        for unit in _units(op, fused, value, names):
            unit.location = op.location
            Rewriter.insert_op(unit, InsertPoint.before(section[0]))
            value = unit.results[0]
        value.name_hint = (fused or op).results[0].name_hint
    leave = dataflow.FromStreamOp(value)
    leave.location = section[-1].location
    Rewriter.insert_op(leave, InsertPoint.before(section[0]))
    result.replace_all_uses_with(leave.output)
    for op in reversed(section):
        op.detach()
        op.erase()


def _fuses(op: Operation) -> bool:
    """Whether a linear operation is followed by thresholds; nothing else reads its sums then."""
    if not isinstance(op, bnn.LinearOp | bnn.ConvOp):
        return False
    return isinstance(op.output.get_user_of_unique_use(), bnn.ThresholdOp)


def _units(
    op: Operation, fused: Operation | None, value: SSAValue, names: UniqueNames
) -> Sequence[Operation]:
    """The units, one after another, that compute `op`, with the thresholds of `fused`, from the
    stream `value`."""
    match op:
        case bnn.ConvOp():
            windows = window_units(op, value)
            source = windows[-1].results[0] if windows else value
            rows = op.weights.numpy().reshape(op.weights.shape[0], -1)
            weights = bnn.DenseAttr.from_numpy(rows, op.weights.element_type)
            return [*windows, _mvu(op, weights, fused, source, names)]
        case bnn.LinearOp():
            return [_mvu(op, op.weights, fused, value, names)]
        case bnn.ThresholdOp():
            unit = dataflow.ThresholdOp(
                names.unique(layer_name(op, "threshold")),
                value,
                op.thresholds,
                bnn.frame_type(op.output).element_type,
                op.steps,
                op.bias.value.data,
            )
            return [unit]
        case bnn.PadOp():
            return [pad_unit(op, value)]
        case bnn.MaxPoolOp() | bnn.SumPoolOp():
            return pool_units(op, value)
        case _:
            return [dataflow.ReshapeOp(value, bnn.frame_type(op.results[0]).get_shape())]


def _mvu(
    op: bnn.LinearOp | bnn.ConvOp,
    weights: bnn.DenseAttr,
    fused: Operation | None,
    value: SSAValue,
    names: UniqueNames,
) -> dataflow.MvuOp:
    """The unit that multiplies the vectors of `value`; the thresholds of `fused` belong to it."""
    name = names.unique(layer_name(op, "mvu"))
    groups = op.groups if isinstance(op, bnn.ConvOp) else 1
    if not isinstance(fused, bnn.ThresholdOp):
        element_type = bnn.frame_type(op.output).element_type
        return dataflow.MvuOp(name, value, weights, element_type, groups=groups)
    return dataflow.MvuOp(
        name,
        value,
        weights,
        bnn.frame_type(fused.output).element_type,
        fused.thresholds,
        fused.steps,
        fused.bias.value.data,
        groups=groups,
    )
