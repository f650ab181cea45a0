"""How deep FIFOs are in small designs: enough for the rate of the slowest unit, and hardly more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, StringAttr, TensorType, i64
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from irc.counters import collect
from irc.dialects import bnn, dataflow
from irc.dialects.dataflow import Folding
from irc.errors import IrcError, UsageError
from irc.interp.dataflow_cycles import simulate_cycles
from irc.passes.hardware import fifo_depths as depths_module
from irc.passes.hardware.delays import Delays
from irc.passes.hardware.design import DEVICE, Design, design_of
from irc.passes.hardware.fifo_depths import fifo_depths
from irc.passes.hardware.insert_fifos import InsertFifos, ready_chain
from irc.passes.hardware.stream_schedule import Stream, Timetable

Array = npt.NDArray[Any]

U3 = bnn.uint(3)


class Flow:
    """Appends units; each method returns what one gives."""

    def __init__(self) -> None:
        self.ops: list[Operation] = []

    def add(self, op: Operation) -> SSAValue:
        self.ops.append(op)
        return op.results[0]

    def fork(self, value: SSAValue, readers: int = 2) -> list[SSAValue]:
        fork = dataflow.ForkOp(value, readers)
        self.ops.append(fork)
        return list(fork.results)

    def converted(self, value: SSAValue, lanes: int) -> SSAValue:
        return self.add(dataflow.WidthConverterOp(value, lanes))

    def mvu(self, value: SSAValue, rows: int, pe: int, simd: int) -> SSAValue:
        """Signs, and thresholds that give the type."""
        columns = dataflow.stream_type(value).channels
        weights = np.where(np.arange(rows * columns) % 3 == 1, -1, 1).reshape(rows, columns)
        return self.add(
            dataflow.MvuOp(
                f"layer{len(self.ops)}",
                value,
                bnn.DenseAttr.from_numpy(weights, bnn.bipolar),
                U3,
                bnn.DenseAttr.from_integers(np.arange(7)[None, :]),
                folding=Folding(pe, simd),
            )
        )

    def sum(self, a: SSAValue, b: SSAValue) -> SSAValue:
        lanes = dataflow.stream_type(a).lanes
        return self.add(dataflow.AddOp(f"sum{len(self.ops)}", a, b, bnn.uint(4), lanes=lanes))


def design(
    shape: Sequence[int],
    lanes: int,
    build: Callable[[Flow, SSAValue], SSAValue],
    kind: Attribute = U3,
) -> tuple[ModuleOp, Design]:
    frame = TensorType(kind, shape)
    block = Block(arg_types=[frame])
    flow = Flow()
    leave = dataflow.FromStreamOp(build(flow, flow.add(dataflow.ToStreamOp(block.args[0], lanes))))
    block.add_ops([*flow.ops, leave, ReturnOp(leave.output)])
    module = ModuleOp([FuncOp("net", ([frame], [leave.output.type]), Region(block))])
    module.verify()
    return module, design_of(module)


def rate(module: ModuleOp) -> int | None:
    """Cycles a frame in steady state; None where it is stuck."""
    found = design_of(module)
    try:
        return simulate_cycles(found.units, found.source.beats, 8).interval
    except IrcError:
        return None


def fifos(module: ModuleOp) -> list[dataflow.FifoOp]:
    return [op for op in module.walk() if isinstance(op, dataflow.FifoOp)]


def shortcut(rows: int, pe: int, simd: int) -> Callable[[Flow, SSAValue], SSAValue]:
    """x + conv(x) over a line."""

    def build(flow: Flow, x: SSAValue) -> SSAValue:
        a, b = flow.fork(x)
        padded = flow.add(dataflow.PadOp(a, (1,), (1,), 0, U3))
        window = flow.add(dataflow.WindowOp(padded, (3,), (1,), (1,)))
        sums = flow.mvu(flow.converted(window, simd), rows, pe, simd)
        return flow.sum(flow.converted(sums, 1) if pe > 1 else sums, b)

    return build


def behind_a_layer(flow: Flow, x: SSAValue) -> SSAValue:
    """What a fork holds up goes on by itself once there are FIFOs behind the fork."""
    return shortcut(2, 1, 2)(flow, flow.mvu(x, 2, 1, 2))


def pooled_shortcut(flow: Flow, x: SSAValue) -> SSAValue:
    """A pool on either side of a sum, one of it behind a layer."""
    a, b = flow.fork(x)
    layer = flow.mvu(flow.converted(a, 2), 2, 1, 2)
    return flow.sum(
        flow.add(dataflow.MaxPoolOp(layer, (2,), (2,), U3)),
        flow.add(dataflow.MaxPoolOp(b, (2,), (2,), U3)),
    )


def in_turn(flow: Flow, x: SSAValue) -> SSAValue:
    """A concatenation takes one branch while the other waits."""
    a, b = flow.fork(x)
    grown = flow.add(dataflow.UpsampleOp(a, (2, 1), 4))
    return flow.add(dataflow.ConcatOp([flow.converted(grown, 1), flow.converted(b, 1)], 0))


def three_readers(flow: Flow, x: SSAValue) -> SSAValue:
    a, b, c = flow.fork(x, 3)
    quick = flow.mvu(flow.converted(a, 2), 2, 1, 2)
    slow = flow.mvu(flow.mvu(flow.converted(b, 2), 4, 2, 2), 2, 1, 2)
    return flow.add(dataflow.AddOp("last", flow.sum(quick, slow), c, bnn.uint(5), lanes=1))


def layers(flow: Flow, x: SSAValue) -> SSAValue:
    """A layer whose results come in a burst, in front of one that reads a vector at a time."""
    first = flow.mvu(x, 8, 4, 2)
    second = flow.mvu(flow.converted(first, 2), 4, 1, 2)
    return flow.mvu(flow.converted(second, 4), 4, 1, 4)


def padded_layers(flow: Flow, x: SSAValue) -> SSAValue:
    """While a border leaves, what comes from the layer waits."""
    first = flow.mvu(x, 2, 2, 2)
    padded = flow.add(dataflow.PadOp(first, (2,), (2,), 0, U3, 2))
    return flow.mvu(padded, 2, 2, 2)


Build = Callable[[Flow, SSAValue], SSAValue]

DESIGNS: dict[str, tuple[Sequence[int], int, Build, list[int], list[int]]] = {
    "shortcut": ((6, 2), 1, shortcut(2, 1, 2), [2, 7], [2, 7]),
    "shortcut around a slow layer": ((6, 4), 1, shortcut(4, 1, 1), [8], [8]),
    "shortcut in a RAM": ((6, 12), 1, shortcut(12, 3, 3), [6, 9, 27], [2, 6, 9, 27]),
    "shortcut behind a layer": ((6, 2), 2, behind_a_layer, [2, 7], [2, 2, 7]),
    "pools": ((8, 2), 1, pooled_shortcut, [4], [2, 2, 5]),
    "in turn": ((3, 4), 4, in_turn, [3], [3]),
    "three readers": ((6, 2), 1, three_readers, [4, 7], [2, 2, 2, 4, 8]),
    "layers": ((4, 4), 2, layers, [], [2, 2]),
    "border": ((6, 2), 2, padded_layers, [3], [3]),
}
"""Shape of the input, its lanes, the units, and the depths in order of size: as they are, and where
no more than two units in a row may be without a FIFO."""


@pytest.mark.parametrize("name", DESIGNS)
def test_depths_are_enough(name: str) -> None:
    shape, lanes, build, expected, _ = DESIGNS[name]
    module, found = design(shape, lanes, build)
    assert sorted(fifo_depths(found).values()) == expected
    InsertFifos().apply(Context(), module)
    module.verify()
    assert sorted(fifo.depth for fifo in fifos(module)) == expected
    assert rate(module) == found.cycles()
    # What is there already is enough.
    assert fifo_depths(design_of(module)) == {}


@pytest.mark.parametrize("name", ["shortcut", "shortcut around a slow layer", "pools"])
def test_with_two_beats_less_the_rate_is_lost(name: str) -> None:
    shape, lanes, build, _, _ = DESIGNS[name]
    module, found = design(shape, lanes, build)
    InsertFifos().apply(Context(), module)
    fifo = max(fifos(module), key=lambda each: each.depth)
    fifo.properties["depth"] = IntegerAttr(fifo.depth - 2, i64)
    assert rate(module) != found.cycles()


@pytest.mark.parametrize("name", DESIGNS)
def test_fifos_of_two_beats_keep_paths_of_tready_short(name: str) -> None:
    shape, lanes, build, _, expected = DESIGNS[name]
    _, found = design(shape, lanes, build)
    assert sorted(fifo_depths(found, 2).values()) == expected


def test_slack_comes_on_top() -> None:
    shape, lanes, build, expected, _ = DESIGNS["three readers"]
    module, _ = design(shape, lanes, build)
    InsertFifos(slack=5).apply(Context(), module)
    assert sorted(fifo.depth for fifo in fifos(module)) == [depth + 5 for depth in expected]
    with pytest.raises(UsageError, match="slack must not be negative, unlike -1"):
        InsertFifos(slack=-1).apply(Context(), module)


def test_a_clock_needs_a_device() -> None:
    shape, lanes, build, _, _ = DESIGNS["layers"]
    module, _ = design(shape, lanes, build)
    with pytest.raises(UsageError, match="mhz needs a design that is folded for a device"):
        InsertFifos(mhz=1).apply(Context(), module)
    with pytest.raises(UsageError, match="mhz must be positive, not 0"):
        InsertFifos(mhz=0).apply(Context(), module)


def row_of_layers(flow: Flow, x: SSAValue) -> SSAValue:
    for _ in range(12):
        x = flow.mvu(x, 2, 2, 2)
    return x


def test_a_clock_takes_fifos_that_a_slower_one_does_not() -> None:
    """Eight units in a row at most, however slow the clock; fewer where it is fast."""
    depths: dict[float | None, list[int]] = {}
    for mhz in (None, 1, 100):
        module, _ = design((2,), 2, row_of_layers)
        function = next(op for op in module.walk() if isinstance(op, FuncOp))
        function.attributes[DEVICE] = StringAttr("up5k")
        with collect() as counters:
            InsertFifos(mhz=mhz).apply(Context(), module)
        depths[mhz] = [fifo.depth for fifo in fifos(module)]
        assert counters["elements of FIFOs"] == sum(depths[mhz])
    assert depths[None] == depths[1] == [2]
    assert depths[100] == [2] * 11


def test_how_many_units_tready_passes_at_a_clock() -> None:
    """`(1000 / mhz / 1.1 − ends) / level` levels, two of them at the ends, 1.25 a unit."""
    delays = Delays(ends=1.0, level=2.0, carry=0.1, memory=1.0)
    # 33 ns are 30 with a margin: 14.5 levels, 12.5 of them for 10 units.
    assert ready_chain(delays, 1000 / 33.01) == 10
    assert ready_chain(delays, 1000 / 32.99) == 9
    assert ready_chain(delays, 1000) == 1


def test_more_frames_are_scheduled_until_they_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    """A first guess of one frame, or two, leads to the same depths as four."""
    for name in ("shortcut", "three readers", "border"):
        shape, lanes, build, expected, _ = DESIGNS[name]
        _, found = design(shape, lanes, build)
        for frames in (2, 3, 8):
            monkeypatch.setattr(depths_module, "FIRST_FRAMES", frames)
            assert sorted(fifo_depths(found).values()) == expected


def stream_of(offered: Array, taken: Array, width: int) -> Stream:
    """A stream of beats of so many bits."""
    frame = TensorType(bnn.uint(width), (len(offered),))
    value = Block(arg_types=[dataflow.StreamType.of(frame, 1)]).args[0]
    stream = Stream(value, [], dataflow.FifoOp(value, 2), 0)
    stream.offered, stream.taken = offered, taken
    return stream


def test_a_fifo_holds_what_waits() -> None:
    """Beat by beat: those that were offered and have not left when the next one comes."""
    rng = np.random.default_rng(6)
    for _ in range(20):
        offered = np.cumsum(rng.integers(1, 4, 12))
        taken = np.maximum.accumulate(offered + rng.integers(1, 12, 12)) + np.arange(12)
        start = int(rng.integers(0, 6))
        for width in (1, 16):
            stream = stream_of(offered, taken, width)
            waiting = [sum(taken[j] >= offered[i] for j in range(i + 1)) for i in range(start, 12)]
            assert stream.fit(start) == (max(waiting) != 0)
            assert stream.depth == max(2, *waiting)
            assert stream.in_ram == (stream.depth > 2 and stream.depth * width > 64)
            assert np.array_equal(stream.left(), offered)
            if not stream.in_ram:
                assert not stream.fit(start)
                continue
            # In a RAM, a beat leaves for the output register a cycle behind its offer at least,
            # and when the one before it has been taken.
            left = [max(offered[j] + 1, taken[j - 1] if j else 0) for j in range(12)]
            waiting = [sum(left[j] >= offered[i] for j in range(i + 1)) for i in range(start, 12)]
            before = stream.depth
            assert stream.fit(start) == (stream.depth != before)
            assert stream.depth == max(2, max(waiting) + 1)


def test_a_ram_holds_a_beat_more_on_its_way_to_the_output() -> None:
    """What is taken as soon as it can be is in the RAM for a cycle, and then in its register."""
    at_once = np.arange(12)
    stream = stream_of(at_once, at_once, 64)
    stream.depth, stream.in_ram = 9, True
    assert stream.fit(0)
    assert (stream.depth, stream.in_ram) == (3, True)


def test_small_fifos_are_no_rams() -> None:
    """Two beats of any width are registers, and so are 64 bits."""
    at_once = np.arange(12)
    for late, width, in_ram in ((2, 60, False), (3, 21, False), (3, 22, True), (3, 64, True)):
        stream = stream_of(at_once, at_once + late - 1, width)
        stream.fit(0)
        assert (stream.depth, stream.in_ram) == (late, in_ram)
    stream = stream_of(at_once, at_once + 3, 16)
    stream.fit(0)
    assert (stream.depth, stream.in_ram) == (4, False)


def test_latency_of_fifos() -> None:
    at_once = np.arange(4)
    stream = stream_of(at_once, at_once, 8)
    assert stream.at_reader(at_once).tolist() == [0, 1, 2, 3]
    stream.depth = 2
    assert stream.at_reader(at_once).tolist() == [1, 2, 3, 4]
    stream.in_ram = True
    assert stream.at_reader(at_once).tolist() == [2, 3, 4, 5]


def test_so_many_frames_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice as many until they repeat, and no more than 32."""
    _, found = design(*DESIGNS["border"][:3])
    tried: list[int] = []
    steady_from = [0]

    class Watched(Timetable):
        def __init__(self, design: Design, frames: int) -> None:
            super().__init__(design, frames)
            tried.append(frames)

        def is_steady(self) -> bool:
            return self.frames >= steady_from[0]

    monkeypatch.setattr(depths_module, "Timetable", Watched)
    for first, frames in ((4, [4]), (5, [4, 8]), (32, [4, 8, 16, 32]), (99, [4, 8, 16, 32])):
        tried.clear()
        steady_from[0] = first
        assert sorted(fifo_depths(found).values()) == [3]
        assert tried == frames


def test_when_frames_repeat() -> None:
    _, found = design(*DESIGNS["shortcut"][:3])
    table = Timetable(found, 8)
    depths_module._fit(table, None)  # pyright: ignore[reportPrivateUsage]
    assert table.is_steady()
    stream = next(s for s in table.streams.values() if s.depth)
    stream.taken = stream.taken + np.arange(len(stream.taken))
    assert not table.is_steady()
