"""Every module that streams pass through, in small, and what the interpreter says of its frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from xdsl.dialects import hw
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.ir import Attribute, Block, Operation, SSAValue

from irc.backends.verilog.printer import print_design
from irc.dialects import bnn, dataflow
from irc.dialects.dataflow import Folding, StreamType
from irc.interp.beats import beats_to_frames, frames_to_beats
from irc.interp.run import make_interpreter
from irc.passes.hardware.units.add import add_module
from irc.passes.hardware.units.concat import concat_module
from irc.passes.hardware.units.fifo import fifo_module
from irc.passes.hardware.units.fork import fork_module
from irc.passes.hardware.units.mvu import mvu_module
from irc.passes.hardware.units.pad import pad_module
from irc.passes.hardware.units.pool import pool_module
from irc.passes.hardware.units.slice import slice_module
from irc.passes.hardware.units.threshold import threshold_module
from irc.passes.hardware.units.unrolled import unrolled_modules
from irc.passes.hardware.units.upsample import upsample_module
from irc.passes.hardware.units.width_converter import width_converter_module
from irc.passes.hardware.units.window import window_module
from irc.passes.hardware.units.window_banks import parallel_window_module
from proofs.stream_monitor import Monitored, OutputBit, StreamPorts

Array = npt.NDArray[Any]

PATIENCE = 24
"""Cycles within which something moves: more than any unit here needs for a frame."""

Make = Callable[[SSAValue], Operation] | Callable[[SSAValue, SSAValue], Operation]

Emit = Callable[[Any, str], hw.HWModuleOp | list[hw.HWModuleOp]]


@dataclass(frozen=True)
class StreamUnit:
    """A unit: its name in the table, the operation on its input streams, and its lowering."""

    name: str
    inputs: tuple[StreamType, ...]
    make: Make
    emit: Emit

    def op(self) -> Operation:
        """The operation, on arguments of a block."""
        make = cast(Callable[..., Operation], self.make)
        found = make(*Block(arg_types=list(self.inputs)).args)
        found.verify()
        return found

    def verilog(self) -> str:
        """What is emitted for it."""
        made = self.emit(self.op(), "unit_under_proof")
        modules = made if isinstance(made, list) else [made]
        return "\n".join(part.text for part in print_design(ModuleOp(modules)))

    def monitored(self) -> Monitored:
        """Its ports, and every bit of its output frames as a function of its input frames."""
        op = self.op()
        inputs = _ports("s_axis", self.inputs)
        results = tuple(dataflow.stream_type(value) for value in op.results)
        return Monitored(
            "unit_under_proof",
            inputs,
            _ports("m_axis", results),
            _functions(op, self.inputs, results),
            PATIENCE,
        )


def _ports(prefix: str, streams: Sequence[StreamType]) -> tuple[StreamPorts, ...]:
    names = [prefix] if len(streams) == 1 else [f"{prefix}{i}" for i in range(len(streams))]
    return tuple(
        StreamPorts(name, stream.beat_width, stream.beats)
        for name, stream in zip(names, streams, strict=True)
    )


def _functions(
    op: Operation, inputs: Sequence[StreamType], outputs: Sequence[StreamType]
) -> tuple[tuple[tuple[OutputBit, ...], ...], ...]:
    """Bits of output beats, from what the interpreter makes of all input frames that there are."""
    sizes = [stream.beats * stream.beat_width for stream in inputs]
    count = 1 << sum(sizes)
    bits = (np.arange(count)[:, None] >> np.arange(sum(sizes)) & 1).astype(np.uint8)
    frames: list[Array] = []
    sources: list[tuple[int, int]] = []
    for index, (stream, size) in enumerate(zip(inputs, sizes, strict=True)):
        part = bits[:, len(sources) : len(sources) + size]
        beats = part.reshape(count, stream.beats, stream.beat_width)
        frames.append(beats_to_frames(np.packbits(beats, axis=-1, bitorder="little"), stream))
        sources += [(index, bit) for bit in range(size)]
    results = make_interpreter(ModuleOp([])).run_op(op, tuple(frames))
    found: list[tuple[tuple[OutputBit, ...], ...]] = []
    for result, stream in zip(results, outputs, strict=True):
        words = frames_to_beats(result, stream)
        given = np.unpackbits(words, axis=-1, count=stream.beat_width, bitorder="little")
        found.append(
            tuple(
                tuple(_bit(given[:, beat, bit], sources) for bit in range(stream.beat_width))
                for beat in range(stream.beats)
            )
        )
    return tuple(found)


def _bit(values: Array, sources: Sequence[tuple[int, int]]) -> OutputBit:
    """A function of all source bits, given for each number that they make."""
    numbers = np.arange(len(values))
    support = [bit for bit in range(len(sources)) if (values != values[numbers ^ (1 << bit)]).any()]
    places = [
        sum((number >> i & 1) << bit for i, bit in enumerate(support))
        for number in range(1 << len(support))
    ]
    table = tuple(int(values[place]) for place in places)
    return OutputBit(tuple(sources[bit] for bit in support), table)


def _stream(element_type: Attribute, shape: Sequence[int], lanes: int = 1) -> StreamType:
    return StreamType.of(TensorType(element_type, shape), lanes)


def _rows(*rows: list[int]) -> bnn.DenseAttr:
    return bnn.DenseAttr.from_integers(np.array(rows))


def _signs(*rows: list[int]) -> bnn.DenseAttr:
    return bnn.DenseAttr.from_numpy(np.array(rows), bnn.bipolar)


BIT, TWO = bnn.bipolar, bnn.uint(2)


def _fifo(depth: int) -> Make:
    return lambda x: dataflow.FifoOp(x, depth)


def _converter(lanes: int) -> Make:
    return lambda x: dataflow.WidthConverterOp(x, lanes)


def _fork(readers: int) -> Make:
    return lambda x: dataflow.ForkOp(x, readers)


def _concat(axis: int) -> Make:
    return lambda x, y: dataflow.ConcatOp([x, y], axis)


def _pool(kind: type[dataflow.MaxPoolOp] | type[dataflow.SumPoolOp], result: Attribute) -> Make:
    return lambda x: kind(x, (2,), (2,), result)


def _mvu(pe: int, simd: int, **more: Any) -> Callable[[SSAValue], Operation]:
    """Two rows of four signs, with thresholds unless `plain`."""

    def make(x: SSAValue) -> Operation:
        plain = more.get("plain", False)
        at = None if plain else _rows([1], [-1])
        kind = bnn.sint(4) if plain else bnn.bipolar
        folding = Folding(pe, simd, stages=more.get("stages", 1))
        return dataflow.MvuOp(
            "layer", x, _signs([1, -1, 1, 1], [-1, -1, 1, -1]), kind, at, folding=folding
        )

    return make


def _mvu_unrolled(x: SSAValue) -> Operation:
    weights = _signs([1, -1, 1, 1], [-1, -1, 1, -1])
    folding = Folding(2, 4, memory="logic")
    return dataflow.MvuOp("layer", x, weights, bnn.bipolar, _rows([1], [-1]), folding=folding)


def units() -> Iterator[StreamUnit]:
    """Every kind of unit, in the shapes that make its hardware differ."""
    for depth in (2, 3):
        yield StreamUnit(
            f"fifo-registers-{depth}",
            (_stream(BIT, (2,)),),
            _fifo(depth),
            fifo_module,
        )
    yield StreamUnit(
        "fifo-ram-4",
        (_stream(BIT, (17,), 17),),
        _fifo(4),
        fifo_module,
    )
    for wide, narrow in ((4, 1), (3, 1), (4, 2)):
        yield StreamUnit(
            f"width-down-{wide}-to-{narrow}",
            (_stream(BIT, (2 * wide,), wide),),
            _converter(narrow),
            width_converter_module,
        )
        yield StreamUnit(
            f"width-up-{narrow}-to-{wide}",
            (_stream(BIT, (2 * wide,), narrow),),
            _converter(wide),
            width_converter_module,
        )
    for readers in (2, 3):
        yield StreamUnit(
            f"fork-{readers}",
            (_stream(TWO, (2,)),),
            _fork(readers),
            fork_module,
        )
    pair = (_stream(TWO, (2,)), _stream(BIT, (2,)))
    yield StreamUnit("add", pair, lambda x, y: dataflow.AddOp("a", x, y, bnn.sint(4)), add_module)
    yield StreamUnit(
        "add-multiplied",
        pair,
        lambda x, y: dataflow.AddOp("a", x, y, bnn.sint(5), _rows([3], [-2])),
        add_module,
    )
    yield StreamUnit(
        "add-by-channel",
        pair,
        lambda x, y: dataflow.AddOp("a", x, y, bnn.sint(5), _rows([3, 1], [-2, 2])),
        add_module,
    )
    parts = (_stream(TWO, (2, 1)), _stream(TWO, (2, 1)))
    for axis in (0, 1):
        yield StreamUnit(
            f"concat-axis{axis}",
            parts,
            _concat(axis),
            concat_module,
        )
    yield StreamUnit(
        "slice",
        (_stream(BIT, (3, 2)),),
        lambda x: dataflow.SliceOp(x, (0, 1), (2, 1), (2, 1)),
        slice_module,
    )
    yield StreamUnit(
        "upsample",
        (_stream(BIT, (2, 2, 1)),),
        lambda x: dataflow.UpsampleOp(x, (2, 2, 1)),
        upsample_module,
    )
    yield StreamUnit(
        "pad-line",
        (_stream(BIT, (3, 1)),),
        lambda x: dataflow.PadOp(x, (1,), (2,), 0, bnn.sint(2)),
        pad_module,
    )
    yield StreamUnit(
        "pad-image",
        (_stream(BIT, (2, 2, 1)),),
        lambda x: dataflow.PadOp(x, (1, 1), (0, 1), -1, BIT),
        pad_module,
    )
    yield StreamUnit(
        "pad-two-pixels",
        (_stream(BIT, (2, 2, 1), 2),),
        lambda x: dataflow.PadOp(x, (1, 1), (0, 1), 1, BIT, 2),
        pad_module,
    )
    yield StreamUnit(
        "window-line",
        (_stream(BIT, (4, 1)),),
        lambda x: dataflow.WindowOp(x, (2,), (1,), (1,)),
        window_module,
    )
    yield StreamUnit(
        "window-image",
        (_stream(BIT, (3, 3, 1)),),
        lambda x: dataflow.WindowOp(x, (2, 2), (1, 1), (1, 1)),
        window_module,
    )
    yield StreamUnit(
        "window-parallel",
        (_stream(BIT, (3, 3, 1)),),
        lambda x: dataflow.WindowOp(x, (2, 2), (1, 1), (1, 1), taps=(2, 2)),
        parallel_window_module,
    )
    for kind, make in (("max", dataflow.MaxPoolOp), ("sum", dataflow.SumPoolOp)):
        result = TWO if kind == "max" else bnn.uint(3)
        yield StreamUnit(
            f"{kind}-pool-line",
            (_stream(TWO, (4, 1)),),
            _pool(make, result),
            pool_module,
        )
    yield StreamUnit(
        "max-pool-image",
        (_stream(BIT, (2, 4, 1)),),
        lambda x: dataflow.MaxPoolOp(x, (2, 2), (2, 2), BIT),
        pool_module,
    )
    yield StreamUnit(
        "threshold",
        (_stream(bnn.sint(3), (2,)),),
        lambda x: dataflow.ThresholdOp("t", x, _rows([-1, 2], [0, 1]), TWO),
        threshold_module,
    )
    for name, pe, simd, more in (
        ("mvu-whole", 2, 4, {}),
        ("mvu-synapse-folds", 2, 2, {}),
        ("mvu-neuron-folds", 1, 4, {}),
        ("mvu-both-folds", 1, 2, {}),
        ("mvu-sums", 1, 2, {"plain": True}),
        ("mvu-no-stage", 1, 2, {"stages": 0}),
        ("mvu-two-stages", 1, 2, {"stages": 2}),
    ):
        yield StreamUnit(name, (_stream(BIT, (4,), simd),), _mvu(pe, simd, **more), mvu_module)
    yield StreamUnit("mvu-unrolled", (_stream(BIT, (4,), 4),), _mvu_unrolled, unrolled_modules)
