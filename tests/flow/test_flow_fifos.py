"""The table of FIFOs names the units on either side."""

from __future__ import annotations

from xdsl.context import Context
from xdsl.dialects.builtin import Builtin
from xdsl.dialects.func import Func
from xdsl.parser import Parser

from irc.backends.verilog.project import ProjectMetadata, StreamLayout
from irc.backends.verilog.readme import readme
from irc.dialects.bnn import Bnn
from irc.dialects.dataflow import Dataflow
from irc.flow.fifos import Fifo, hardware_fifos

S = "!dataflow.stream<tensor<4x!bnn.bipolar>, 1>"
W = "!dataflow.stream<tensor<4x!bnn.bipolar>, 2>"
SUM = "!dataflow.stream<tensor<4xsi3>, 2>"
TEXT = f"""
func.func @net(%x: tensor<4x!bnn.bipolar>) -> tensor<4xsi3> {{
  %s = dataflow.to_stream %x : tensor<4x!bnn.bipolar> -> {S}
  %a = dataflow.threshold "sign" %s at <tensor<1x1xui1>, [0]> bias 0 pe 1 memory "auto" : {S} -> {S}
  %b, %c = dataflow.fork %a : {S} -> {S}, {S}
  %d = dataflow.fifo %b depth 2 : {S} -> {S}
  %e = dataflow.width_converter %d : {S} -> {W}
  %f = dataflow.width_converter %c : {S} -> {W}
  %g = dataflow.fifo %f depth 50 : {W} -> {W}
  %h = dataflow.add "sum" %e, %g : {W}, {W} -> {SUM}
  %y = dataflow.from_stream %h : {SUM} -> tensor<4xsi3>
  func.return %y : tensor<4xsi3>
}}
"""


def test_fifos_lie_between_units_that_have_names() -> None:
    context = Context()
    for dialect in (Builtin, Func, Bnn, Dataflow):
        context.load_dialect(dialect)
    assert hardware_fifos(Parser(context, TEXT).parse_module()) == [
        Fifo("sign", "sum", 2, 1, "registers"),
        Fifo("sign", "sum", 50, 2, "RAM"),
    ]


def test_the_readme_lists_them_where_there_are_any() -> None:
    layout = StreamLayout((4,), "bipolar", 1, 1)
    rows = [{"source": "sign", "reader": "sum", "depth": 50}]
    with_fifos = readme("net", ProjectMetadata("net.onnx", layout, layout, fifos=[*rows]), 1)
    assert "## FIFOs\n\n| source | reader | depth |\n" in with_fifos
    assert "| sign | sum | 50 |" in with_fifos
    assert "FIFOs" not in readme("net", ProjectMetadata("net.onnx", layout, layout), 1)
