"""Forks, sums, concatenations, slices and upsampling on streams: text, and what is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import Builtin, ModuleOp, TensorType
from xdsl.dialects.func import Func, FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.parser import Parser
from xdsl.utils.exceptions import VerifyException

from irc.dialects import bnn, dataflow
from irc.dialects.dataflow import BranchNode, Dataflow, DataflowNode, StreamType


def stream(shape: tuple[int, ...], lanes: int = 1, element: Attribute = bnn.bipolar) -> SSAValue:
    """A value that is a stream."""
    kind = StreamType.of(TensorType(element, shape), lanes)
    return Block(arg_types=[kind]).args[0]


def multipliers(*rows: list[int]) -> bnn.DenseAttr:
    return bnn.DenseAttr.from_integers(rows)


def test_the_text_reads_back() -> None:
    block = Block(arg_types=[StreamType.of(TensorType(bnn.bipolar, (4, 4, 2)), 2)])
    fork = dataflow.ForkOp(block.args[0], 3)
    first, second, third = fork.outputs
    times = multipliers([1, -2], [3, 0])
    added = dataflow.AddOp("sum", first, second, bnn.sint(4), times, 2)
    joined = dataflow.ConcatOp([third, third], 1, 2)
    part = dataflow.SliceOp(joined.output, (1, 0, 0), (3, 4, 2), (1, 2, 1), 2)
    grown = dataflow.UpsampleOp(part.output, (2, 3, 1), 2)
    plain = dataflow.AddOp("sum", grown.output, grown.output, bnn.sint(3))
    block.add_ops([fork, added, joined, part, grown, plain, ReturnOp(plain.output)])
    types = ([block.args[0].type], [plain.output.type])
    module = ModuleOp([FuncOp("net", types, Region(block))])
    module.verify()
    context = Context()
    for dialect in (Builtin, Func, bnn.Bnn, Dataflow):
        context.load_dialect(dialect)
    again = Parser(context, str(module)).parse_module()
    again.verify()
    assert str(again) == str(module)
    assert again.is_structurally_equivalent(module)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: dataflow.ForkOp(stream((4,)), 1), "a fork has at least 2 readers, not 1"),
        (
            lambda: dataflow.AddOp("s", stream((4,)), stream((2, 2)), bnn.sint(3)),
            "and their sum .* need one shape",
        ),
        (
            lambda: dataflow.AddOp("s", stream((4,)), stream((4,)), bnn.bipolar),
            "a sum is an integer, not bipolar",
        ),
        (
            lambda: dataflow.AddOp(
                "s", stream((4,)), stream((4,)), bnn.sint(3), multipliers([1] * 3, [1] * 3)
            ),
            r"multipliers must be integers \[2, 4\] or \[2, 1\]",
        ),
        (
            lambda: dataflow.AddOp(
                "s", stream((3, 2)), stream((3, 2)), bnn.sint(3), multipliers([1, 2], [1, 2]), 3
            ),
            "3 lanes are not possible here; possible are 1, 2",
        ),
        (lambda: dataflow.ConcatOp([stream((2, 3)), stream((3, 3))], 1), "differ beside axis 1"),
        (
            lambda: dataflow.ConcatOp([stream((2, 4)), stream((2, 6))], 1, 5),
            "5 lanes are not possible here; possible are 1, 2",
        ),
        (
            lambda: dataflow.ConcatOp([stream((4,)), stream((4,), 1, bnn.uint(2))], 0),
            "differ beside axis 0",
        ),
        (
            lambda: dataflow.SliceOp(stream((4, 6)), (0, 2), (4, 4), (1, 1), 4),
            "4 lanes are not possible here; possible are 1, 2",
        ),
        (
            lambda: dataflow.SliceOp(stream((4, 6)), (0, 0), (4, 3), (1, 2), 2),
            "2 lanes are not possible here; possible are 1",
        ),
        (
            lambda: dataflow.SliceOp(stream((4,)), (2,), (3,), (1,)),
            "3 elements from 2 on, 1 apart, are not in axis 0",
        ),
        (
            lambda: dataflow.UpsampleOp(stream((2, 2, 2)), (1, 2, 2)),
            "that of the channels is 1",
        ),
        (lambda: dataflow.UpsampleOp(stream((4,)), (1,)), "one or two axes in space"),
    ],
)
def test_mistakes_are_refused(make: Callable[[], Operation], message: str) -> None:
    with pytest.raises(VerifyException, match=message):
        make().verify()


@pytest.mark.parametrize(
    ("make", "lanes"),
    [
        # Multipliers of each channel come in groups of channels; without, lanes may cross pixels.
        (
            lambda: dataflow.AddOp("s", stream((3, 2)), stream((3, 2)), bnn.sint(3)),
            [1, 2, 3, 6],
        ),
        (
            lambda: dataflow.AddOp(
                "s", stream((3, 2)), stream((3, 2)), bnn.sint(4), multipliers([1, 2], [1, 2])
            ),
            [1, 2],
        ),
        (lambda: dataflow.ConcatOp([stream((3, 4)), stream((3, 8))], 1), [1, 2, 4]),
        (lambda: dataflow.ConcatOp([stream((3, 4)), stream((1, 4))], 0), [1, 2, 4]),
        (lambda: dataflow.SliceOp(stream((4, 4)), (0, 2), (4, 2), (1, 1)), [1, 2]),
        (lambda: dataflow.SliceOp(stream((4, 4)), (2, 0), (2, 4), (1, 1)), [1, 2, 4, 8]),
    ],
)
def test_lanes_that_are_possible(make: Callable[[], BranchNode], lanes: list[int]) -> None:
    assert make().lane_choices() == lanes


def test_cycles_are_the_beats_of_the_busier_side() -> None:
    units: list[tuple[DataflowNode, int]] = [
        (dataflow.ForkOp(stream((8,), 2), 2), 4),
        (dataflow.AddOp("s", stream((8,), 2), stream((8,), 2), bnn.sint(3), None, 2), 4),
        (dataflow.ConcatOp([stream((8,), 2), stream((4,), 2)], 0, 2), 6),
        (dataflow.SliceOp(stream((8,), 2), (2,), (4,), (1,), 2), 4),
        (dataflow.UpsampleOp(stream((2, 3, 4), 2), (2, 3, 1), 2), 2 * 3 * 2 * 6),
    ]
    for unit, cycles in units:
        unit.verify()
        assert unit.cycles() == cycles
        assert unit.resources().luts > 0


def test_multipliers_cost_registers() -> None:
    def unit(times: bnn.DenseAttr | None, lanes: int) -> dataflow.AddOp:
        return dataflow.AddOp("s", stream((4,)), stream((4,)), bnn.sint(4), times, lanes)

    assert unit(None, 2).latency() == 1
    # Shifts and one change of sign are wires to an adder.
    assert unit(multipliers([-1], [2]), 2).latency() == 1
    assert unit(multipliers([1, -4, 0, 1], [2, 1, -8, -1]), 4).latency() == 1
    assert unit(multipliers([-1], [-2]), 2).latency() == 2
    assert unit(multipliers([1], [3]), 2).latency() == 2
    assert unit(multipliers([1, 2, 3, 1], [2, 1, 1, 1]), 4).latency() == 2
    assert unit(multipliers([1, 2, 3, 1], [2, 1, 1, 1]), 2).latency() == 3


def test_upsampling_keeps_rows_only_where_rows_are_repeated() -> None:
    rows = dataflow.UpsampleOp(stream((2, 3, 4), 2), (2, 1, 1), 2)
    columns = dataflow.UpsampleOp(stream((2, 3, 4), 2), (1, 2, 1), 2)
    assert (rows.block_beats, columns.block_beats) == (6, 2)
    assert rows.offsets() == [0, 1, 2, 3, 4, 5] * 2
    assert columns.offsets() == [0, 1, 0, 1]
