"""The dataflow dialect: its text, what it refuses, and what units say about themselves."""

from __future__ import annotations

import numpy as np
import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import Builtin, ModuleOp
from xdsl.dialects.func import Func
from xdsl.parser import Parser
from xdsl.utils.exceptions import ParseError, VerifyException

from irc.dialects.bnn import Bnn
from irc.dialects.dataflow import Dataflow, DataflowNode, FifoOp, FoldedNode, Folding, divisors

BIPOLAR = "!dataflow.stream<tensor<{}x!bnn.bipolar>, {}>"

CHAIN = """
func.func @net(%x: tensor<2x6xui8>) -> tensor<2x4xsi4> {
  %s = dataflow.to_stream %x : tensor<2x6xui8> -> !dataflow.stream<tensor<2x6xui8>, 3>
  %t = dataflow.threshold "in" %s at <tensor<6x1xui8>, [1, 2, 3, 4, 5, 6]> bias 0 pe 3 memory "auto"
    : !dataflow.stream<tensor<2x6xui8>, 3> -> !dataflow.stream<tensor<2x6x!bnn.bipolar>, 3>
  %f = dataflow.fifo %t depth 40
    : !dataflow.stream<tensor<2x6x!bnn.bipolar>, 3> -> !dataflow.stream<tensor<2x6x!bnn.bipolar>, 3>
  %w = dataflow.width_converter %f
    : !dataflow.stream<tensor<2x6x!bnn.bipolar>, 3> -> !dataflow.stream<tensor<2x6x!bnn.bipolar>, 1>
  %m = dataflow.mvu "fc" %w weights <tensor<4x6x!bnn.bipolar>, "0x0f3c5a">
    pe 2 simd 1 memory "block"
    : !dataflow.stream<tensor<2x6x!bnn.bipolar>, 1> -> !dataflow.stream<tensor<2x4xsi4>, 2>
  %y = dataflow.from_stream %m : !dataflow.stream<tensor<2x4xsi4>, 2> -> tensor<2x4xsi4>
  func.return %y : tensor<2x4xsi4>
}
"""


def parse(text: str) -> ModuleOp:
    """Parse and verify."""
    context = Context()
    for dialect in (Builtin, Func, Bnn, Dataflow):
        context.load_dialect(dialect)
    module = Parser(context, text).parse_module()
    module.verify()
    return module


def test_text_parses_back() -> None:
    module = parse(CHAIN)
    assert str(parse(str(module))) == str(module)


def test_units_know_their_cycles_and_sizes() -> None:
    threshold, fifo, converter, mvu = (
        op for op in parse(CHAIN).walk() if isinstance(op, DataflowNode)
    )
    assert (threshold.cycles(), threshold.latency()) == (4, 2)
    assert (fifo.cycles(), fifo.latency()) == (4, 2)
    assert (converter.cycles(), converter.latency()) == (12, 1)
    assert (mvu.cycles(), mvu.latency()) == (2 * 6 * 2, 6 + 3)
    assert (mvu.macs(), mvu.weight_bits()) == (48, 24)
    assert mvu.resources().block_bits >= mvu.weight_bits()
    assert isinstance(mvu, FoldedNode)
    assert isinstance(threshold, FoldedNode)
    assert (mvu.pe_choices(), mvu.simd_choices()) == ([1, 2, 4], [1, 2, 3, 6])
    assert (threshold.pe_choices(), threshold.simd_choices()) == ([1, 2, 3, 6], [])
    assert mvu.folding == Folding(2, 1, "block")
    assert mvu.folded_cycles(Folding(4, 6)) == 2


def test_small_fifos_are_made_of_registers() -> None:
    (fifo,) = (
        op for op in parse(CHAIN.replace("depth 40", "depth 21")).walk() if isinstance(op, FifoOp)
    )
    assert (fifo.in_registers, fifo.latency()) == (True, 1)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("6xui8>, 3>", "6xui8>, 5>", "5 lanes do not divide the 12 elements of tensor<2x6xui8>"),
        ("2x6xui8>, 3>", "2x6xf32>, 3>", "a stream carries exact elements, not f32"),
        ("depth 40", "depth 1", "a FIFO holds at least 2 beats, not 1"),
        ("pe 2 simd 1", "pe 2 simd 4", "simd = 4 does not divide the 6 elements of a vector"),
        ("pe 2 simd 1", "pe 3 simd 1", "pe = 3 does not divide the 4 rows"),
        ("pe 2 simd 1", "pe 4 simd 1", "pe = 4 gives 4 lanes, not the 2 of"),
        ('memory "block"', 'memory "ram"', "unknown memory 'ram'; known are auto, block"),
        ('"fc" %w', '"fc" %f', "type"),
        ("pe 2 simd", "bias 3 pe 2 simd", "steps and bias belong to thresholds"),
        ('4x6x!bnn.bipolar>, "0x0f3c5a', '3x8x!bnn.bipolar>, "0x0f3c5a', "weights of 8 columns"),
        ("<tensor<6x1xui8>, [1, 2, 3, 4, 5, 6]>", "<tensor<2x1xui8>, [1, 2]>", "[6, T] or [1, T]"),
    ],
)
def test_mistakes_are_refused(old: str, new: str, message: str) -> None:
    assert old in CHAIN
    with pytest.raises((VerifyException, ParseError)) as raised:
        parse(CHAIN.replace(old, new))
    assert message in str(raised.value)


def test_lanes_of_a_threshold_keep_to_whole_channels() -> None:
    four = BIPOLAR.format("2x6", 4)
    with pytest.raises(VerifyException, match="pe = 4 does not divide the 6 channels"):
        parse(
            f"func.func @f(%a: {four}) -> {four} {{\n"
            f'  %b = dataflow.threshold "t" %a at <tensor<6x1xui1>, [0, 1, 0, 1, 0, 1]> bias 0 '
            f'pe 4 memory "auto" : {four} -> {four}\n'
            f"  func.return %b : {four}\n}}"
        )


def test_a_stream_gives_its_own_frames() -> None:
    two = BIPOLAR.format(6, 2)
    with pytest.raises(VerifyException, match="gives its frames, not tensor<2x3x"):
        parse(
            f"func.func @f(%a: {two}) -> tensor<2x3x!bnn.bipolar> {{\n"
            f"  %b = dataflow.from_stream %a : {two} -> tensor<2x3x!bnn.bipolar>\n"
            f"  func.return %b : tensor<2x3x!bnn.bipolar>\n}}"
        )


def test_converters_need_lanes_that_divide() -> None:
    three, two = BIPOLAR.format(6, 3), BIPOLAR.format(6, 2)
    with pytest.raises(VerifyException, match="of 3 and 2 lanes neither divides the other"):
        parse(
            f"func.func @f(%a: {three}) -> {two} {{\n"
            f"  %b = dataflow.width_converter %a : {three} -> {two}\n"
            f"  func.return %b : {two}\n}}"
        )


def test_divisors_are_all_and_ascending() -> None:
    for number in range(1, 200):
        assert divisors(number) == [d for d in range(1, number + 1) if number % d == 0]
    assert len(divisors(int(np.prod([2**5, 3**3, 5])))) == 6 * 4 * 2
