"""The table of layers: what each does, its weights, how it is folded and what it costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue

from irc.dialects import bnn, dataflow, onnx
from irc.dialects.dense import element_width
from irc.dialects.locations import location_names
from irc.interp.run import entry_function


@dataclass(frozen=True)
class Layer:
    """One row. `pe`, `simd` and `cycles` (per frame) exist in hardware only; `mmv` there only where
    it is more than 1, and `products` where there is more than one way to multiply."""

    name: str
    operation: str
    shape: str
    weight_bits: int
    macs: int
    pe: int | None = None
    simd: int | None = None
    mmv: int | None = None
    products: str | None = None
    cycles: int | None = None
    nodes: tuple[str, ...] = ()
    """The ONNX nodes that the layer stands for; the first is what it is called by."""


def software_layers(module: ModuleOp) -> list[Layer]:
    """Rows of a `bnn` module."""
    rows: list[Layer] = []
    for op in entry_function(module).body.block.ops:
        match op:
            case bnn.LinearOp() | bnn.ConvOp():
                rows.append(_at(op, _weighted_row(op)))
            case bnn.ThresholdOp() if not isinstance(op.input.owner, bnn.LinearOp | bnn.ConvOp):
                rows.append(_at(op, Layer(_name(op), "threshold", _shape(op), 0, 0)))
            case bnn.MaxPoolOp() | bnn.SumPoolOp():
                kind = f"{_kind(op)} {times(op.kernel)}"
                rows.append(_at(op, Layer(_name(op), kind, _shapes(op), 0, 0)))
            case bnn.PadOp() | bnn.UpsampleOp() | bnn.SliceOp() | bnn.ConcatOp():
                rows.append(_at(op, Layer(_name(op), _kind(op), _shapes(op), 0, 0)))
            case bnn.AddOp():
                rows.append(_at(op, Layer(_name(op), "add", _shape(op), 0, 0)))
            case bnn.ArgmaxOp():
                rows.append(_at(op, Layer(_name(op), "argmax", _shape(op), 0, 0)))
            case _:
                pass
    return rows


def _at(op: Operation, row: Layer) -> Layer:
    """A row with the nodes of its operation."""
    return replace(row, nodes=tuple(dict.fromkeys([*location_names(op.location), *row.nodes])))


def _weighted_row(op: bnn.LinearOp | bnn.ConvOp) -> Layer:
    readers = [use.operation for use in op.output.uses]
    fused = [reader for reader in readers if isinstance(reader, bnn.ThresholdOp)]
    nodes = tuple(name for reader in fused for name in location_names(reader.location))
    bits = op.weights.size * element_width(op.weights.element_type)
    vectors = math.prod(bnn.frame_type(op.output).get_shape()[:-1])
    if isinstance(op, bnn.ConvOp):
        grouped = f" in {op.groups} groups" if op.groups > 1 else ""
        kind, shape = f"conv {times(op.kernel)}{grouped}", _shapes(op)
    else:
        kind, shape = "dense", f"{op.weights.shape[1]} → {op.weights.shape[0]}"
    operation = f"{kind} + threshold" if fused else kind
    macs = op.weights.size * vectors
    return Layer(_name(op), operation, shape, bits, macs, nodes=nodes)


def hardware_layers(module: ModuleOp) -> list[Layer]:
    """Rows of a `dataflow` module."""
    rows: list[Layer] = []
    for op in entry_function(module).body.block.ops:
        match op:
            case dataflow.MvuOp():
                rows.append(_at(op, _mvu_row(op)))
            case dataflow.ThresholdOp():
                shape = times(dataflow.stream_type(op.input).shape)
                row = Layer(op.layer_name, "threshold", shape, 0, 0)
                rows.append(_at(op, replace(row, pe=op.pe, cycles=op.cycles())))
            case dataflow.MaxPoolOp() | dataflow.SumPoolOp():
                kind = f"{_kind(op)} {times(op.kernel)}"
                row = Layer(_name(op), kind, _stream_shapes(op.input, op.output), 0, 0)
                rows.append(_at(op, replace(row, pe=op.lanes, cycles=op.cycles())))
            case dataflow.AddOp():
                shape = times(dataflow.stream_type(op.output).shape)
                row = Layer(op.layer.data, "add", shape, 0, 0)
                rows.append(_at(op, replace(row, pe=op.lanes, cycles=op.cycles())))
            case (
                dataflow.PadOp() | dataflow.UpsampleOp() | dataflow.SliceOp() | dataflow.ConcatOp()
            ):
                row = Layer(_name(op), _kind(op), _stream_shapes(*op.operands, op.output), 0, 0)
                rows.append(_at(op, replace(row, pe=op.lanes, cycles=op.cycles())))
            case _:
                pass
    return rows


def _mvu_row(op: dataflow.MvuOp) -> Layer:
    """A matrix-vector unit, with the windows before it a convolution."""
    window = op.input.owner
    while isinstance(window, dataflow.WidthConverterOp | dataflow.FifoOp):
        window = window.input.owner
    if isinstance(window, dataflow.WindowOp):
        grouped = f" in {op.groups} groups" if op.groups > 1 else ""
        kind = f"conv {times(window.kernel)}{grouped}"
        shape = _stream_shapes(window.input, op.output)
    else:
        kind, shape = "mvu", f"{op.columns} → {op.rows}"
    operation = kind if op.thresholds is None else f"{kind} + threshold"
    has_choice = len(set(op.product_choices()) - {"auto"}) > 1
    return Layer(
        op.layer_name,
        operation,
        shape,
        op.weight_bits(),
        op.macs(),
        op.pe,
        op.simd,
        op.mmv if op.mmv > 1 else None,
        op.product_style(op.folding) if has_choice else None,
        op.cycles(),
    )


def times(numbers: Sequence[int]) -> str:
    """`3×3`, `32×32×3`."""
    return "×".join(map(str, numbers))


def _kind(op: Operation) -> str:
    """`bnn.max_pool` as `max pool`."""
    return op.name.split(".")[-1].replace("_", " ")


def _stream_shapes(*values: SSAValue) -> str:
    """`3×4 + 3×5 → 3×9`; the last value is the result."""
    *sources, result = (times(dataflow.stream_type(value).shape) for value in values)
    return f"{' + '.join(sources)} → {result}"


def _shapes(op: Operation) -> str:
    *sources, result = (
        times(bnn.frame_type(value).get_shape()) for value in (*op.operands, op.results[0])
    )
    return f"{' + '.join(sources)} → {result}"


def _name(op: Operation) -> str:
    return onnx.location_name(op.location) or op.name


def _shape(op: Operation) -> str:
    return times(bnn.frame_type(op.operands[0]).get_shape())
