"""Single units with any number of streams: random ones, and a bench that drives their ports."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from hardware_nets import Array, random_values
from hypothesis import strategies as st
from xdsl.dialects import hw
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.ir import Attribute, Block, Operation, SSAValue

from irc.dialects import bnn, dataflow
from irc.dialects.dataflow import DataflowNode, StreamType
from irc.interp.beats import beats_to_frames, frames_to_beats, from_lanes, to_lanes
from irc.interp.dataflow_cycles import unit_cycles
from irc.interp.rtl import HwSimulator
from irc.interp.run import make_interpreter
from irc.passes.hardware.units.add import add_module
from irc.passes.hardware.units.concat import concat_module
from irc.passes.hardware.units.fork import fork_module
from irc.passes.hardware.units.slice import slice_module
from irc.passes.hardware.units.upsample import upsample_module

KINDS = ("fork", "add", "concat", "slice", "upsample")


def unit_of(op: Operation) -> hw.HWModuleOp:
    """The module `unit` of an operation."""
    match op:
        case dataflow.ForkOp():
            return fork_module(op, "unit")
        case dataflow.AddOp():
            return add_module(op, "unit")
        case dataflow.ConcatOp():
            return concat_module(op, "unit")
        case dataflow.SliceOp():
            return slice_module(op, "unit")
        case dataflow.UpsampleOp():
            return upsample_module(op, "unit")
        case _:
            raise AssertionError(op.name)


@dataclass(frozen=True)
class BranchUnit:
    """A unit, and for each of its inputs frames that come in."""

    op: DataflowNode
    block: Block
    inputs: list[Array]

    @staticmethod
    def of(
        sources: Sequence[StreamType],
        make: Callable[[Sequence[SSAValue]], DataflowNode],
        rng: np.random.Generator,
        frames: int = 3,
    ) -> BranchUnit:
        """The operation that `make` builds on values of the types `sources`."""
        block = Block(arg_types=list(sources))
        op = make(block.args)
        block.add_op(op)
        op.verify()
        inputs = [random_values(rng, s.element_type, (frames, *s.shape)) for s in sources]
        return BranchUnit(op, block, inputs)

    def expected(self) -> list[Array]:
        """What the interpreter of the level dataflow gives on each output."""
        lanes = [
            to_lanes(frames, dataflow.stream_type(value))
            for frames, value in zip(self.inputs, self.op.operands, strict=True)
        ]
        results = make_interpreter(ModuleOp([])).run_op(self.op, tuple(lanes))
        return [
            from_lanes(beats, dataflow.stream_type(value))
            for beats, value in zip(results, self.op.results, strict=True)
        ]


@dataclass(frozen=True)
class Played:
    """What came out on each output, in which cycle each beat did, and when each input's went in."""

    values: list[Array]
    given: list[list[int]]
    taken: list[list[int]]


def play(unit: BranchUnit, gaps: Sequence[float], stalls: Sequence[float], seed: int = 0) -> Played:
    """Send the frames to every input, with gaps, and take them from every output, with stalls.

    In every cycle the handshakes must be those of the cycle model. Chances are one for each
    stream; a beat that is offered stays until it is taken, and so must those of the unit.
    """
    rng = random.Random(seed)
    model = unit_cycles(unit.op)
    simulator = HwSimulator(ModuleOp([unit_of(unit.op)]), "unit", seed=seed)
    simulator.reset()
    sources, results = (
        [dataflow.stream_type(value) for value in values]
        for values in (unit.op.operands, unit.op.results)
    )
    waiting = [_beats(frames, s) for frames, s in zip(unit.inputs, sources, strict=True)]
    came: list[list[int]] = [[] for _ in results]
    given: list[list[int]] = [[] for _ in results]
    taken: list[list[int]] = [[] for _ in sources]
    wanted = [len(unit.inputs[0]) * result.beats for result in results]
    offered, held = [False] * len(sources), [-1] * len(results)
    inputs, outputs = _names("s_axis", len(sources)), _names("m_axis", len(results))
    cycle = 0
    while [len(beats) for beats in came] != wanted or any(waiting):
        offered = [
            bool(beats) and (still or rng.random() >= gap)
            for beats, still, gap in zip(waiting, offered, gaps, strict=True)
        ]
        readies = [rng.random() >= stall for stall in stalls]
        signals: dict[str, int] = {"aresetn": 1}
        for name, beats, valid in zip(inputs, waiting, offered, strict=True):
            signals[f"{name}_tvalid"] = int(valid)
            signals[f"{name}_tdata"] = beats[0] if valid else 0
        for name, ready in zip(outputs, readies, strict=True):
            signals[f"{name}_tready"] = int(ready)
        seen = simulator.step(signals)
        in_readies, valids = list(model.readies(offered, readies)), list(model.valids(offered))
        assert [bool(seen[f"{name}_tready"]) for name in inputs] == in_readies, f"cycle {cycle}"
        assert [bool(seen[f"{name}_tvalid"]) for name in outputs] == valids, f"cycle {cycle}"
        model.clock(offered, readies)
        for index, name in enumerate(outputs):
            data = seen[f"{name}_tdata"] if valids[index] else -1
            assert held[index] in (-1, data), f"cycle {cycle}: a beat changed before it was taken"
            held[index] = -1 if readies[index] else data
            if valids[index] and readies[index]:
                came[index].append(data)
                given[index].append(cycle)
        for index, ready in enumerate(in_readies):
            if offered[index] and ready:
                waiting[index].pop(0)
                taken[index].append(cycle)
                offered[index] = False
        cycle += 1
        assert cycle < 100_000, "stuck"
    values = [_frames(beats, result) for beats, result in zip(came, results, strict=True)]
    return Played(values, given, taken)


def _names(prefix: str, count: int) -> list[str]:
    return [prefix] if count == 1 else [f"{prefix}{index}" for index in range(count)]


def _beats(frames: Array, stream: StreamType) -> list[int]:
    beats = frames_to_beats(frames, stream)
    return [int.from_bytes(beat.tobytes(), "little") for beat in beats.reshape(-1, beats.shape[-1])]


def _frames(beats: Sequence[int], stream: StreamType) -> Array:
    size = stream.tdata_width // 8
    data = b"".join(beat.to_bytes(size, "little") for beat in beats)
    return beats_to_frames(np.frombuffer(data, np.uint8).reshape(-1, stream.beats, size), stream)


element_types = st.sampled_from([bnn.bipolar, bnn.uint(3), bnn.sint(3)])


@st.composite
def branch_units(draw: st.DrawFn, kinds: Sequence[str] = KINDS) -> BranchUnit:
    """Any unit with branches, or that cuts or repeats, of any shape and lanes."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(kinds))
    element_type = draw(element_types)
    shape = tuple(draw(st.lists(st.integers(1, 5), min_size=1, max_size=3)))
    match kind:
        case "fork":
            stream = StreamType.of(TensorType(element_type, shape), _divisor(draw, shape[-1]))
            readers = draw(st.integers(2, 3))
            return BranchUnit.of([stream], lambda x: dataflow.ForkOp(x[0], readers), rng)
        case "add":
            return _add(draw, rng, element_type, shape)
        case "concat":
            return _concat(draw, rng, element_type, shape)
        case "slice":
            return _slice(draw, rng, element_type, shape)
        case _:
            space = tuple(draw(st.lists(st.integers(1, 5), min_size=1, max_size=2)))
            shape = (*space, draw(st.sampled_from([1, 2, 4])))
            lanes = _divisor(draw, shape[-1])
            factors = [*(draw(st.integers(1, 3)) for _ in space), 1]
            stream = StreamType.of(TensorType(element_type, shape), lanes)
            return BranchUnit.of([stream], lambda x: dataflow.UpsampleOp(x[0], factors, lanes), rng)


def _divisor(draw: st.DrawFn, number: int) -> int:
    return draw(st.sampled_from(dataflow.divisors(number)))


def _add(
    draw: st.DrawFn, rng: np.random.Generator, element_type: Attribute, shape: tuple[int, ...]
) -> BranchUnit:
    columns = draw(st.sampled_from([0, 1, shape[-1]]))
    multipliers = None
    if columns:
        largest = draw(st.sampled_from([1, 4, 100]))
        multipliers = bnn.DenseAttr.from_integers(rng.integers(-largest, largest + 1, (2, columns)))
    lanes = _divisor(draw, shape[-1])
    types = [TensorType(t, shape) for t in (element_type, draw(element_types))]
    wide = bnn.sint(draw(st.sampled_from([12, 17])))

    return BranchUnit.of(
        [StreamType.of(t, lanes) for t in types],
        lambda x: dataflow.AddOp("sum", x[0], x[1], wide, multipliers, lanes),
        rng,
    )


def _concat(
    draw: st.DrawFn, rng: np.random.Generator, element_type: Attribute, shape: tuple[int, ...]
) -> BranchUnit:
    axis = draw(st.integers(0, len(shape) - 1))
    shapes = [
        (*shape[:axis], draw(st.integers(1, 4)), *shape[axis + 1 :])
        for _ in range(draw(st.integers(1, 3)))
    ]
    parts = [int(np.prod(s[axis:])) for s in shapes]
    lanes = _divisor(draw, int(np.gcd.reduce(parts)))
    streams = [StreamType.of(TensorType(element_type, s), lanes) for s in shapes]
    return BranchUnit.of(streams, lambda x: dataflow.ConcatOp(x, axis, lanes), rng)


def _slice(
    draw: st.DrawFn, rng: np.random.Generator, element_type: Attribute, shape: tuple[int, ...]
) -> BranchUnit:
    shape = tuple(size * draw(st.sampled_from([1, 2])) for size in shape)
    cuts: list[tuple[int, int, int]] = []
    for extent in shape:
        offset = draw(st.integers(0, extent - 1))
        stride = draw(st.integers(1, 3))
        cuts.append((offset, draw(st.integers(1, (extent - offset - 1) // stride + 1)), stride))
    offsets, sizes, strides = zip(*cuts, strict=True)
    whole = StreamType.of(TensorType(element_type, shape), 1)
    probe = dataflow.SliceOp(Block(arg_types=[whole]).args[0], offsets, sizes, strides)
    lanes = draw(st.sampled_from(probe.lane_choices()))
    return BranchUnit.of(
        [whole.with_lanes(lanes)],
        lambda x: dataflow.SliceOp(x[0], offsets, sizes, strides, lanes),
        rng,
    )
