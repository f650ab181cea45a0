"""The table of layers: what each does, its weights, how it is folded and what it costs."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from irc.dialects import bnn, dataflow, onnx
from irc.dialects.dense import element_width
from irc.interp.run import entry_function


@dataclass(frozen=True)
class Layer:
    """One row. `pe`, `simd` and `cycles` (per frame) exist in hardware only."""

    name: str
    operation: str
    shape: str
    weight_bits: int
    macs: int
    pe: int | None = None
    simd: int | None = None
    cycles: int | None = None


def software_layers(module: ModuleOp) -> list[Layer]:
    """Rows of a `bnn` module."""
    rows: list[Layer] = []
    for op in entry_function(module).body.block.ops:
        match op:
            case bnn.LinearOp():
                rows.append(_linear_row(op))
            case bnn.ThresholdOp() if not isinstance(op.input.owner, bnn.LinearOp):
                rows.append(Layer(_name(op), "threshold", _shape(op), 0, 0))
            case bnn.ArgmaxOp():
                rows.append(Layer(_name(op), "argmax", _shape(op), 0, 0))
            case _:
                pass
    return rows


def _linear_row(op: bnn.LinearOp) -> Layer:
    rows, columns = op.weights.shape
    vectors = 1
    for dim in bnn.frame_type(op.input).get_shape()[:-1]:
        vectors *= dim
    fused = any(isinstance(use.operation, bnn.ThresholdOp) for use in op.output.uses)
    bits = op.weights.size * element_width(op.weights.element_type)
    operation = "dense + threshold" if fused else "dense"
    return Layer(_name(op), operation, f"{columns} → {rows}", bits, rows * columns * vectors)


def hardware_layers(module: ModuleOp) -> list[Layer]:
    """Rows of a `dataflow` module."""
    rows: list[Layer] = []
    for op in entry_function(module).body.block.ops:
        match op:
            case dataflow.MvuOp():
                fused = op.thresholds is not None
                rows.append(
                    Layer(
                        op.layer_name,
                        "mvu + threshold" if fused else "mvu",
                        f"{op.columns} → {op.rows}",
                        op.weight_bits(),
                        op.macs(),
                        op.pe,
                        op.simd,
                        op.cycles(),
                    )
                )
            case dataflow.ThresholdOp():
                stream = op.input.type
                assert isinstance(stream, dataflow.StreamType)
                shape = "×".join(map(str, stream.shape))
                rows.append(
                    Layer(op.layer_name, "threshold", shape, 0, 0, op.pe, None, op.cycles())
                )
            case _:
                pass
    return rows


def _name(op: Operation) -> str:
    return onnx.location_name(op.location) or op.name


def _shape(op: Operation) -> str:
    return "×".join(map(str, bnn.frame_type(op.operands[0]).get_shape()))
