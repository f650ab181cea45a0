"""What each layer of generated C costs: the table in the header, the README and on the screen."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from irc.dialects import packed
from irc.dialects.dense import element_width
from irc.dialects.packed_types import BitsType, storage_type


@dataclass(frozen=True)
class Layer:
    """One kernel call. Sizes are in bytes."""

    label: str
    kernel: str
    shape: str
    """Operand and result, such as `1x784 bipolar -> 1x64 bipolar`."""
    macs: int
    flash: int
    """Constants: weights, thresholds, steps."""
    weights: int
    """Those that are weights."""
    weight_bits: int
    """Bits of their types: what they would take without padding."""
    ram: int
    """The result, wherever it lies, and scratch; of patches one, as they never exist together."""
    within: str | None
    """The label of the layer in whose loops this one is computed, row by row, if it is."""

    def as_dict(self) -> dict[str, str | int | None]:
        """For manifests."""
        return asdict(self)


def describe_layer(op: packed.KernelOp, flash: int, weights: int) -> Layer:
    """The row of `op`, whose constants take `flash` bytes, `weights` of them its weights."""
    sources = ", ".join(_shape(packed.buffer_type(value)) for value in op.operands)
    result = packed.buffer_type(op.output)
    return Layer(
        op.label.data,
        op.name.removeprefix("packed."),
        f"{sources} -> {_shape(result)}",
        op.macs if isinstance(op, packed.DenseOp) else 0,
        flash,
        weights,
        _weight_bits(op) if weights else 0,
        op.slot_length * _element_bytes(result) + _scratch_bytes(op),
        _reader(op) if op.is_lazy else None,
    )


def _scratch_bytes(op: packed.KernelOp) -> int:
    buffer = op.scratch_buffer
    return 0 if buffer is None else buffer.length * _element_bytes(buffer)


def _reader(op: packed.KernelOp) -> str | None:
    readers = (use.operation for use in op.output.uses)
    return next((r.label.data for r in readers if isinstance(r, packed.KernelOp)), None)


def _weight_bits(op: packed.KernelOp) -> int:
    match op:
        case packed.SignDenseOp() | packed.XnorDenseOp():
            return op.channels * op.columns
        case packed.PlaneDenseOp() | packed.ChannelDenseOp():
            return op.channels * op.columns * element_width(op.weight_type)
        case packed.IntDenseOp() | packed.GroupDenseOp():
            return op.weights.size * element_width(op.weights.element_type)
        case _:
            return 0


def _shape(buffer: packed.BufferType) -> str:
    kind = str(buffer.element_type).removeprefix("!bnn.")
    if isinstance(buffer, BitsType):
        return f"{buffer.rows}x{buffer.width} {kind}"
    return f"{buffer.length} {kind}"


def _element_bytes(buffer: packed.BufferType) -> int:
    """Bytes of a word, or of an element of an array."""
    if isinstance(buffer, BitsType):
        return buffer.word // 8
    return element_width(storage_type(buffer.element_type)) // 8


def layer_table(layers: list[Layer]) -> list[str]:
    """Lines of a table in plain text, with a total."""
    head = (
        "layer",
        "kernel",
        "operand -> result",
        "MACs",
        "weights B",
        "per bit",
        "flash B",
        "RAM B",
    )
    rows = [
        (
            r.label,
            r.kernel,
            r.shape,
            str(r.macs),
            str(r.weights),
            _ratio(r),
            str(r.flash),
            str(r.ram),
        )
        for r in layers
    ]
    total = (
        "total",
        "",
        "",
        str(sum(r.macs for r in layers)),
        str(sum(r.weights for r in layers)),
        "",
        str(sum(r.flash for r in layers)),
        "",
    )
    table = [head, *rows, total]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    return ["  ".join(_aligned(row, widths)).rstrip() for row in table]


def _ratio(layer: Layer) -> str:
    """Bits of flash for a bit of weight."""
    return f"{8 * layer.weights / layer.weight_bits:.3f}" if layer.weight_bits else ""


def _aligned(row: tuple[str, ...], widths: list[int]) -> list[str]:
    texts = [cell.ljust(width) for cell, width in zip(row[:3], widths[:3], strict=True)]
    return texts + [cell.rjust(width) for cell, width in zip(row[3:], widths[3:], strict=True)]
