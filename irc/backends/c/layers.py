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
    ram: int
    """The result, wherever it lies; of patches only one, as they never exist together."""

    def as_dict(self) -> dict[str, str | int]:
        """For manifests."""
        return asdict(self)


def describe_layer(op: packed.KernelOp, flash: int) -> Layer:
    """The row of `op`, whose constants take `flash` bytes."""
    sources = ", ".join(_shape(packed.buffer_type(value)) for value in op.operands)
    result = packed.buffer_type(op.output)
    return Layer(
        op.label.data,
        op.name.removeprefix("packed."),
        f"{sources} -> {_shape(result)}",
        op.macs if isinstance(op, packed.DenseOp) else 0,
        flash,
        op.slot_length * _element_bytes(result),
    )


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
    head = ("layer", "kernel", "operand -> result", "MACs", "flash B", "RAM B")
    rows = [(r.label, r.kernel, r.shape, str(r.macs), str(r.flash), str(r.ram)) for r in layers]
    total = (
        "total",
        "",
        "",
        str(sum(r.macs for r in layers)),
        str(sum(r.flash for r in layers)),
        "",
    )
    table = [head, *rows, total]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    return ["  ".join(_aligned(row, widths)).rstrip() for row in table]


def _aligned(row: tuple[str, ...], widths: list[int]) -> list[str]:
    texts = [cell.ljust(width) for cell, width in zip(row[:3], widths[:3], strict=True)]
    return texts + [cell.rjust(width) for cell, width in zip(row[3:], widths[3:], strict=True)]
