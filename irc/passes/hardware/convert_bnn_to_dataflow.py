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
from irc.dialects.locations import fused_location
from irc.errors import UnsupportedError
from irc.passes.hardware import section_ends
from irc.passes.hardware.branch_units import branch_units, fork_streams
from irc.passes.hardware.hardware_section import hardware_obstacles, hardware_section
from irc.passes.hardware.make_reloadable import RELOADABLE, reloadable_weights
from irc.passes.hardware.spatial_units import pad_unit, pool_units, window_units
from irc.passes.layer_names import UniqueNames, layer_name
from irc.passes.rewriting import erase_dead, functions_to_convert
from irc.rejections import named, reject, shared


@dataclass(frozen=True)
class ConvertBnnToDataflow(ModulePass):
    """Stream from the first to the last exact layer; what comes before and after stays on the host.

    A `bnn.linear` and the `bnn.threshold` that alone reads it become one matrix-vector unit:
    `threshold(linear(x)) = mvu(x)` with the thresholds fused. A convolution is a matrix-vector
    unit on sliding windows. A stream that several units read goes through a fork. Where several
    values enter or leave, their frames follow each other in the one stream there is. Every unit
    starts unfolded. After `make-reloadable`, units with weights or thresholds are reloadable.
    """

    name = "convert-bnn-to-dataflow"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions_to_convert(op):
            obstacles = hardware_obstacles(function)
            if obstacles:
                text = "\n".join(map(str, obstacles))
                raise UnsupportedError(text, obstacles[0].op.location)
            _convert(function)


def _convert(function: FuncOp) -> None:
    erase_dead(function)
    section = hardware_section(function)
    build = _Builder(section_ends.hoist_entries(function, section))
    first, last = section.ops[0], section.ops[-1]
    joining, source = section_ends.join(section.entries)
    build.insert(joining, first)
    entry = dataflow.ToStreamOp(source, 1)
    build.insert([entry], first)
    streams: dict[SSAValue, SSAValue] = {}
    names = UniqueNames()
    made = section_ends.stream_parts(entry.output, section.entries, section, names)
    for value, (units, stream) in zip(section.entries, made, strict=True):
        build.insert(units, first)
        streams[value] = stream
    fused: set[Operation] = set()
    exits = section.exits
    reloadable = RELOADABLE in function.attributes
    for op in section.ops:
        if op in fused:
            continue
        thresholds = _fused_thresholds(op, exits)
        values = [streams[operand] for operand in op.operands]
        units = _units(op, thresholds, values, names, reloadable=reloadable)
        build.insert(units, op, *([thresholds] if thresholds else []))
        end = thresholds or op
        fused.add(end)
        streams[end.results[0]] = units[-1].results[0] if units else values[0]
        if units:
            units[-1].results[0].name_hint = end.results[0].name_hint
    joining, joined = section_ends.stream_join([streams[value] for value in exits])
    build.insert(joining, last)
    leave = dataflow.FromStreamOp(joined)
    build.insert([leave], last)
    frames = [bnn.frame_type(value) for value in exits]
    made = section_ends.parts(leave.output, frames)
    for value, (parts, part) in zip(exits, made, strict=True):
        build.insert(parts, last)
        value.replace_uses_with_if(part, lambda use: use.operation not in section.ops)
    fork_streams(build.ops)
    for op in reversed(section.ops):
        op.detach()
        op.erase()


class _Builder:
    """Inserts operations one after another."""

    def __init__(self, place: InsertPoint) -> None:
        self.place = place
        self.ops: list[Operation] = []

    def insert(self, ops: Sequence[Operation], origin: Operation, *others: Operation) -> None:
        """Insert, with the source location of `origin`; the last with those of `others` too."""
        for op in ops:
            op.location = origin.location
        if ops:
            ops[-1].location = fused_location(origin.location, *(op.location for op in others))
        for op in ops:
            Rewriter.insert_op(op, self.place)
            self.place = InsertPoint.after(op)
            self.ops.append(op)


def _fused_thresholds(op: Operation, exits: Sequence[SSAValue]) -> bnn.ThresholdOp | None:
    """The thresholds that alone read the sums of a linear operation."""
    if not isinstance(op, bnn.LinearOp | bnn.ConvOp) or op.output in exits:
        return None
    reader = op.output.get_user_of_unique_use()
    if isinstance(reader, bnn.ThresholdOp):
        return reader
    for use in op.output.uses:
        if isinstance(use.operation, bnn.ThresholdOp):
            _stays_apart(use.operation, op)
    return None


def _stays_apart(threshold: bnn.ThresholdOp, op: bnn.LinearOp | bnn.ConvOp) -> None:
    reject(
        threshold,
        "thresholds within the unit that sums",
        lambda: f"the sum of {named(op)} {shared(op.output, threshold)}",
        final=True,
    )


def _units(
    op: Operation,
    fused: bnn.ThresholdOp | None,
    values: Sequence[SSAValue],
    names: UniqueNames,
    *,
    reloadable: bool,
) -> Sequence[Operation]:
    """The units, one after another, that compute `op`, with the thresholds of `fused`, from the
    streams of its operands; none where the stream stays as it is."""
    value = values[0]
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
                reloadable=reloadable,
            )
            return [unit]
        case bnn.PadOp():
            return [pad_unit(op, value)]
        case bnn.MaxPoolOp() | bnn.SumPoolOp():
            return pool_units(op, value)
        case bnn.AddOp():
            return branch_units(op, values, names.unique(layer_name(op, "add")))
        case bnn.ConcatOp() | bnn.SliceOp() | bnn.UpsampleOp():
            return branch_units(op, values, "")
        case _:
            return [dataflow.ReshapeOp(value, bnn.frame_type(op.results[0]).get_shape())]


def _mvu(
    op: bnn.LinearOp | bnn.ConvOp,
    weights: bnn.DenseAttr,
    fused: bnn.ThresholdOp | None,
    value: SSAValue,
    names: UniqueNames,
) -> dataflow.MvuOp:
    """The unit that multiplies the vectors of `value`; the thresholds of `fused` belong to it."""
    name = names.unique(layer_name(op, "mvu"))
    groups, channels = 1, None
    if isinstance(op, bnn.ConvOp):
        groups, channels = op.groups, op.weights.shape[-1]
    if fused is None:
        element_type = bnn.frame_type(op.output).element_type
        return dataflow.MvuOp(
            name,
            value,
            weights,
            element_type,
            groups=groups,
            channels=channels,
            reloadable=reloadable_weights(op),
        )
    return dataflow.MvuOp(
        name,
        value,
        weights,
        bnn.frame_type(fused.output).element_type,
        fused.thresholds,
        fused.steps,
        fused.bias.value.data,
        groups=groups,
        channels=channels,
        reloadable=reloadable_weights(op),
    )
