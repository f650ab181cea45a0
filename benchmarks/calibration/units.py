"""The designed set: units of every kind, in sizes that tell what each part of them costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from xdsl.dialects.builtin import FunctionType, ModuleOp, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from irc.dialects import bnn, dataflow
from irc.dialects.dataflow import Folding
from irc.dialects.dense import BipolarType, DenseAttr, element_range

Build = Callable[[SSAValue], Operation | list[Operation]]


@dataclass(frozen=True)
class Unit:
    """A design of one unit, or a few that cannot be alone, such as a fork and what joins again."""

    name: str
    module: ModuleOp

    @property
    def weights(self) -> int:
        """How many weights it has."""
        return sum(op.weights.size for op in self.module.walk() if isinstance(op, dataflow.MvuOp))


def unit(name: str, frame: TensorType[Attribute], lanes: int, build: Build) -> Unit:
    """A design that streams `frame` through one unit, or several that belong together."""
    block = Block(arg_types=[frame])
    entry = dataflow.ToStreamOp(block.args[0], lanes)
    built = build(entry.output)
    ops = built if isinstance(built, list) else [built]
    leave = dataflow.FromStreamOp(ops[-1].results[0])
    block.add_ops([entry, *ops, leave, ReturnOp(leave.output)])
    kind = FunctionType.from_lists([frame], [leave.output.type])
    module = ModuleOp([FuncOp(name, kind, Region(block))])
    module.verify()
    return Unit(name, module)


def _weights(
    rng: np.random.Generator, kind: Attribute, shape: tuple[int, int], *, ternary: bool = False
) -> DenseAttr:
    if isinstance(kind, BipolarType):
        return DenseAttr.from_numpy((2 * rng.integers(0, 2, shape) - 1).astype(np.int8), kind)
    low, high = (-1, 1) if ternary else element_range(kind)
    return DenseAttr.from_numpy(rng.integers(low, high + 1, shape).astype(np.int8), kind)


def mvu(
    name: str,
    rows: int,
    columns: int,
    folding: Folding,
    *,
    weights: Attribute = bnn.bipolar,
    inputs: Attribute = bnn.bipolar,
    levels: int = 1,
    ternary: bool = False,
    vectors: int = 1,
) -> Unit:
    """A matrix-vector unit with random weights; `levels` thresholds a row, or none with 0."""
    rng = np.random.default_rng(len(name) + rows * columns)
    matrix = _weights(rng, weights, (rows, columns), ternary=ternary)
    values = matrix.numpy().astype(np.int64)
    low, high = element_range(inputs)
    ends = (
        np.minimum(values * low, values * high).sum(1),
        np.maximum(values * low, values * high).sum(1),
    )
    smallest, largest = int(ends[0].min()), int(ends[1].max())
    thresholds, result = None, bnn.smallest_int(min(0, smallest), max(0, largest))
    if levels:
        spread = (largest - smallest) // 8 + 1
        at = np.sort(rng.integers(-spread, spread + 1, (rows, levels)), axis=1)
        thresholds = DenseAttr.from_integers(at)
        result = bnn.bipolar if levels == 1 else bnn.uint(levels.bit_length())
    shape = (columns,) if vectors == 1 else (vectors, columns)

    def build(value: SSAValue) -> Operation:
        return dataflow.MvuOp(name, value, matrix, result, thresholds, folding=folding)

    return unit(name, TensorType(inputs, shape), folding.simd * folding.mmv, build)


_BINARY = (
    (64, 64, 1, 1),
    (64, 64, 1, 8),
    (64, 64, 2, 32),
    (64, 64, 4, 16),
    (64, 64, 8, 8),
    (64, 64, 64, 1),
    (64, 64, 4, 64),
    (32, 784, 1, 98),
    (16, 784, 16, 14),
    (256, 256, 8, 8),
    (128, 576, 4, 36),
    (32, 36, 32, 3),
    (64, 36, 4, 36),
    (64, 64, 16, 16),
    (64, 64, 8, 64),
)
"""Rows, columns, PE and SIMD of units of bits."""


def _mvus() -> Iterator[Unit]:
    for rows, columns, pe, simd in _BINARY:
        yield mvu(f"xnor{rows}x{columns}_{pe}_{simd}", rows, columns, Folding(pe, simd))
    for memory, pe, simd in (("distributed", 4, 8), ("distributed", 8, 16), ("block", 2, 64)):
        yield mvu(f"{memory}64x64_{pe}_{simd}", 64, 64, Folding(pe, simd, memory))
    for stages in (0, 2, 3):
        folding = Folding(4, 64, stages=stages)
        yield mvu(f"staged64x128_{stages}", 64, 128, folding)
    for rows, columns, pe, simd in ((64, 64, 4, 8), (10, 64, 1, 8), (10, 512, 5, 8)):
        name = f"sums{rows}x{columns}_{pe}_{simd}"
        yield mvu(name, rows, columns, Folding(pe, simd), levels=0)
    for bits, pe, simd in ((2, 4, 8), (2, 1, 32), (4, 2, 16), (8, 2, 9)):
        columns = 36 if simd == 9 else 64
        for products in ("planes", "multiply"):
            name = f"xnor_by{bits}_{products}_{pe}_{simd}"
            yield mvu(
                name,
                16,
                columns,
                Folding(pe, simd, products=products),
                inputs=bnn.uint(bits),
                levels=3 if bits == 2 else 1,
            )
    for weight_bits, bits, ternary in ((2, 1, True), (2, 2, True), (2, 2, False), (4, 4, False)):
        for products in ("planes", "multiply"):
            name = f"w{weight_bits}{'t' if ternary else ''}_by{bits}_{products}"
            yield mvu(
                name,
                16,
                64,
                Folding(2, 8, products=products),
                weights=bnn.sint(weight_bits),
                inputs=bnn.bipolar if bits == 1 else bnn.uint(bits),
                ternary=ternary,
                levels=1 if bits == 1 else 3,
            )


def _unrolled() -> Iterator[Unit]:
    for rows, columns in ((16, 16), (32, 32), (16, 64), (64, 27), (10, 64), (64, 64), (16, 256)):
        folding = Folding(rows, columns, "logic")
        yield mvu(f"logic{rows}x{columns}", rows, columns, folding, levels=int(rows != 10))
    yield mvu("logic16x64_3", 16, 64, Folding(16, 64, "logic"), levels=3)
    folding = Folding(16, 64, "logic")
    yield mvu("logic_t16x64", 16, 64, folding, weights=bnn.sint(2), ternary=True)
    for rows, columns in ((16, 32), (10, 64), (32, 18)):
        yield mvu(f"whole{rows}x{columns}", rows, columns, Folding(rows, columns))
    for bits in (2, 4):
        folding = Folding(16, 27, "logic")
        yield mvu(f"logic_by{bits}", 16, 27, folding, inputs=bnn.uint(bits))
        folding = Folding(8, 18, "logic")
        yield mvu(f"logic_w_by{bits}", 8, 18, folding, weights=bnn.sint(3), inputs=bnn.uint(bits))


def _image(size: int, channels: int, kind: Attribute) -> TensorType[Attribute]:
    return TensorType(kind, (size, size, channels))


def _spatial() -> Iterator[Unit]:
    for size, channels, kernel, lanes in ((8, 4, 3, 4), (16, 16, 3, 2), (30, 64, 3, 32)):
        frame = _image(size, channels, bnn.bipolar)

        def window(value: SSAValue, kernel: int = kernel, lanes: int = lanes) -> Operation:
            return dataflow.WindowOp(value, (kernel,) * 2, (1, 1), (1, 1), lanes)

        yield unit(f"window{size}x{channels}_{lanes}", frame, lanes, window)
    for size, channels, taps, mmv, pixels in (
        (8, 4, (1, 3), 1, 1),
        (8, 4, (3, 3), 1, 1),
        (16, 16, (3, 3), 1, 1),
        (32, 3, (1, 3), 2, 1),
        (16, 8, (3, 3), 2, 2),
    ):
        frame = _image(size, channels, bnn.bipolar)

        def banks(
            value: SSAValue,
            channels: int = channels,
            taps: tuple[int, int] = taps,
            mmv: int = mmv,
            pixels: int = pixels,
        ) -> Operation:
            return dataflow.WindowOp(
                value, (3, 3), (1, 1), (1, 1), channels, taps=taps, mmv=mmv, pixels=pixels
            )

        name = f"banks{size}x{channels}_{taps[0]}{taps[1]}_{mmv}_{pixels}"
        if (size - 2) % mmv == 0:
            yield unit(name, frame, channels * pixels, banks)
    for size, channels, lanes in ((8, 16, 4), (14, 64, 64), (28, 32, 16)):
        for kind in (bnn.bipolar, bnn.uint(2)):
            frame = _image(size, channels, kind)

            def pool(value: SSAValue, lanes: int = lanes, kind: Attribute = kind) -> Operation:
                return dataflow.MaxPoolOp(value, (2, 2), (2, 2), kind, lanes)

            yield unit(f"pool{size}x{channels}_{lanes}_{kind_name(kind)}", frame, lanes, pool)

        def pad(value: SSAValue, lanes: int = lanes) -> Operation:
            return dataflow.PadOp(value, (1, 1), (1, 1), 0, bnn.uint(2), lanes)

        yield unit(f"pad{size}x{channels}_{lanes}", _image(size, channels, bnn.uint(2)), lanes, pad)
    for size, channels, lanes in ((4, 8, 4), (7, 16, 16)):

        def total(value: SSAValue, size: int = size, lanes: int = lanes) -> Operation:
            kind = bnn.uint(2 + (size * size).bit_length())
            return dataflow.SumPoolOp(value, (size, size), (size, size), kind, lanes)

        yield unit(f"sum{size}x{channels}", _image(size, channels, bnn.uint(2)), lanes, total)


def kind_name(kind: Attribute) -> str:
    """A type within an identifier."""
    return "".join(c for c in str(kind) if c.isalnum())


def _plumbing() -> Iterator[Unit]:
    for have, want, kind in (
        (1, 8, bnn.bipolar),
        (4, 64, bnn.bipolar),
        (16, 64, bnn.uint(4)),
        (8, 1, bnn.bipolar),
        (64, 4, bnn.bipolar),
        (64, 16, bnn.uint(4)),
        (64, 32, bnn.bipolar),
    ):

        def convert(value: SSAValue, want: int = want) -> Operation:
            return dataflow.WidthConverterOp(value, want)

        name = f"convert{have}_{want}_{kind_name(kind)}"
        yield unit(name, TensorType(kind, (64,)), have, convert)
    for lanes, depth in ((1, 16), (4, 4), (8, 7), (64, 2), (8, 64), (16, 100), (32, 20), (2, 300)):

        def fifo(value: SSAValue, depth: int = depth) -> Operation:
            return dataflow.FifoOp(value, depth)

        yield unit(f"fifo{lanes}x{depth}", TensorType(bnn.bipolar, (64,)), lanes, fifo)
    for pe, levels, shared in ((1, 1, True), (8, 1, True), (4, 3, True), (4, 3, False)):
        rng = np.random.default_rng(pe)
        at = DenseAttr.from_integers(np.sort(rng.integers(1, 255, (1 if shared else 16, levels))))

        def threshold(
            value: SSAValue, pe: int = pe, at: DenseAttr = at, levels: int = levels
        ) -> Operation:
            kind = bnn.bipolar if levels == 1 else bnn.uint(2)
            return dataflow.ThresholdOp("sign", value, at, kind, folding=Folding(pe))

        name = f"threshold{pe}_{levels}_{'one' if shared else 'each'}"
        yield unit(name, TensorType(bnn.uint(8), (16,)), pe, threshold)


def _branches() -> Iterator[Unit]:
    for channels, lanes, kind in (
        (16, 4, bnn.bipolar),
        (32, 16, bnn.uint(2)),
        (64, 32, bnn.sint(4)),
    ):
        frame = _image(4, channels, kind)
        rng = np.random.default_rng(channels)
        factors = DenseAttr.from_numpy(
            rng.integers(-7, 8, (2, channels)).astype(np.int8), bnn.sint(4)
        )

        def added(
            value: SSAValue, lanes: int = lanes, factors: DenseAttr | None = None
        ) -> list[Operation]:
            fork = dataflow.ForkOp(value, 2)
            width = 6 if factors is None else 10
            lhs, rhs = fork.outputs
            return [fork, dataflow.AddOp("sum", lhs, rhs, bnn.sint(width), factors, lanes)]

        def scaled(
            value: SSAValue, lanes: int = lanes, factors: DenseAttr = factors
        ) -> list[Operation]:
            return added(value, lanes, factors)

        def joined(value: SSAValue, lanes: int = lanes) -> list[Operation]:
            fork = dataflow.ForkOp(value, 3)
            return [fork, dataflow.ConcatOp(fork.outputs, 2, lanes)]

        def cut(value: SSAValue, channels: int = channels, lanes: int = lanes) -> Operation:
            return dataflow.SliceOp(value, (1, 0, 0), (2, 3, channels), (1, 1, 1), lanes)

        def repeated(value: SSAValue, lanes: int = lanes) -> Operation:
            return dataflow.UpsampleOp(value, (2, 2, 1), lanes)

        for name, build in (
            ("add", added),
            ("scaled", scaled),
            ("concat", joined),
            ("slice", cut),
            ("upsample", repeated),
        ):
            yield unit(f"{name}{channels}_{lanes}_{kind_name(kind)}", frame, lanes, build)


def designed_units() -> list[Unit]:
    """All of them."""
    return [*_branches(), *_plumbing(), *_spatial(), *_unrolled(), *_mvus()]
