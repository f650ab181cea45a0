"""Units on windows: their text, what they refuse, their cycles and buffers."""

from __future__ import annotations

import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import Builtin, ModuleOp
from xdsl.dialects.func import Func
from xdsl.parser import Parser
from xdsl.utils.exceptions import VerifyException

from irc.dialects.bnn import Bnn
from irc.dialects.dataflow import (
    Dataflow,
    DataflowNode,
    MaxPoolOp,
    PadOp,
    SumPoolOp,
    WindowOp,
)
from irc.dialects.window_geometry import WindowGeometry


def parse(text: str) -> ModuleOp:
    """Parse and verify."""
    context = Context()
    for dialect in (Builtin, Func, Bnn, Dataflow):
        context.load_dialect(dialect)
    module = Parser(context, text).parse_module()
    module.verify()
    return module


def unit(body: str, source: str, result: str) -> str:
    """A function of one unit; streams are written `8x6x4xui2|2`, lanes last."""
    types = [
        "!dataflow.stream<tensor<{}>, {}>".format(*stream.split("|")) for stream in (source, result)
    ]
    return (
        f"func.func @net(%x: {types[0]}) -> {types[1]} {{\n"
        f"  %y = dataflow.{body} : {types[0]} -> {types[1]}\n"
        f"  func.return %y : {types[1]}\n}}"
    )


def integers(*values: int) -> str:
    return "[" + ", ".join(f"{value} : i64" for value in values) + "]"


WINDOW = f"window %x kernel {integers(3, 3)} strides {integers(1, 1)} dilations {integers(1, 1)}"
POOL = f"max_pool %x kernel {integers(2, 2)} strides {integers(2, 2)}"
SUM = f"sum_pool %x kernel {integers(3)} strides {integers(3)}"
PAD = f"pad %x before {integers(1, 0)} after {integers(2, 1)} value 0.0"


def only_unit(text: str) -> DataflowNode:
    """The unit of a function, after its text has been parsed back."""
    module = parse(text)
    assert str(parse(str(module))) == str(module)
    (found,) = (op for op in module.walk() if isinstance(op, DataflowNode))
    return found


def test_units_know_their_cycles_and_sizes() -> None:
    window = only_unit(unit(WINDOW, "8x6x4xui2|2", "6x4x36xui2|2"))
    assert isinstance(window, WindowOp)
    # 24 windows of 18 beats; three rows of six elements of two beats, and two rows ahead.
    assert (window.cycles(), window.latency()) == (24 * 18, 2)
    assert window.resources().block_bits == 5 * 6 * 2 * 4
    pool = only_unit(unit(POOL, "5x6x4x!bnn.bipolar|4", "2x3x4x!bnn.bipolar|4"))
    assert isinstance(pool, MaxPoolOp)
    assert (pool.cycles(), pool.latency()) == (30, 7 + 2)
    assert pool.resources().block_bits == 3 * 4
    sums = only_unit(unit(SUM, "7x4xsi2|2", "2x4xsi4|2"))
    assert isinstance(sums, SumPoolOp)
    assert (sums.cycles(), sums.latency()) == (14, 4 + 2)
    pad = only_unit(unit(PAD, "5x6x4x!bnn.bipolar|4", "8x7x4xsi2|4"))
    assert isinstance(pad, PadOp)
    assert pad.cycles() == 56
    assert [i for i, inside in enumerate(pad.inside()) if inside][:7] == [7, 8, 9, 10, 11, 12, 14]


def test_few_inputs_to_many_windows_and_the_reverse() -> None:
    """The unit takes as long as the longer of its two streams."""
    text = f"window %x kernel {integers(1, 1)} strides {integers(3, 3)} dilations {integers(1, 1)}"
    window = only_unit(unit(text, "7x7x2xui2|1", "3x3x2xui2|1"))
    assert window.cycles() == 98


@pytest.mark.parametrize(
    ("body", "source", "result", "message"),
    [
        (WINDOW, "8x6x4xui2|3", "6x4x36xui2|3", "3 lanes do not divide the 4 channels"),
        (WINDOW, "8x6x4xui2|2", "6x4x32xui2|2", "are \\[6, 4, 36\\], not"),
        (
            WINDOW,
            "2x6x4xui2|2",
            "1x4x36xui2|2",
            "a window of \\[3, 3\\] does not fit into \\[2, 6\\]",
        ),
        (WINDOW, "6x4xui2|2", "4x12xui2|2", "do not have one entry for each of the 1 axes"),
        (f"{WINDOW} groups 3", "8x6x4xui2|2", "6x4x36xui2|2", "channels of 3 groups"),
        (f"{WINDOW} groups 4", "8x6x4xui2|2", "6x4x36xui2|2", "channels of 4 groups"),
        (POOL, "5x6x4xui2|4", "2x3x4xui3|4", "the largest element has the type of all"),
        (
            POOL.replace("strides [2", "strides [1"),
            "5x6x4xui2|4",
            "4x3x4xui2|4",
            "windows of \\[2, 2\\] every \\[1, 2\\] overlap: lay them out by dataflow.window first",
        ),
        (SUM, "7x4xsi2|2", "2x4x!bnn.bipolar|2", "a sum is an integer, not bipolar"),
        (SUM, "7x4xsi2|2", "3x4xsi4|2", "the result has shape \\[2, 4\\]"),
        (PAD, "5x6x4x!bnn.bipolar|4", "8x7x4x!bnn.bipolar|4", "holds not both 0 and every value"),
        (PAD, "5x6x4xui2|4", "8x6x4xui2|4", "the result has shape \\[8, 7, 4\\]"),
    ],
)
def test_what_does_not_fit_is_refused(body: str, source: str, result: str, message: str) -> None:
    with pytest.raises(VerifyException, match=message):
        parse(unit(body, source, result))


def test_groups_are_read_one_after_another() -> None:
    geometry = WindowGeometry.of((3, 3), (2, 2), (1, 1), (1, 1), chunks=4, groups=2)
    assert geometry.offsets() == [0, 1, 4, 5, 12, 13, 16, 17, 2, 3, 6, 7, 14, 15, 18, 19]
    # The steps lead from each beat of a window to the next.
    assert (geometry.column_step, geometry.row_step, geometry.group_step) == (3, 7, -15)


def test_a_buffer_holds_a_window_s_rows_and_those_of_the_next_frame() -> None:
    geometry = WindowGeometry.of((32, 32), (3, 3), (1, 1), (1, 1), chunks=2)
    assert geometry.span == 2 * (2 * 32 + 3)
    assert geometry.buffer_beats == (3 + 2) * 64
    assert geometry.output_beats == 30 * 30 * 9 * 2
