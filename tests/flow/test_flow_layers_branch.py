"""The rows of the layer table for branches."""

from __future__ import annotations

from xdsl.parser import Parser

from irc.flow.layers import hardware_layers, software_layers
from irc.loading import new_context
from irc.passes.hardware.convert_bnn_to_dataflow import ConvertBnnToDataflow

NET = """
func.func @net(%x: tensor<4x3xui2>) -> tensor<6x3xsi5> {
  %a = bnn.slice %x offsets [1 : i64, 0 : i64] sizes [2 : i64, 3 : i64] strides [2 : i64, 1 : i64]
    : tensor<4x3xui2> -> tensor<2x3xui2>
  %b = bnn.upsample %a factors [2 : i64, 1 : i64] : tensor<2x3xui2> -> tensor<4x3xui2>
  %c = bnn.concat %b, %a axis 0 : tensor<4x3xui2>, tensor<2x3xui2> -> tensor<6x3xui2>
  %d = bnn.add %c, %c : tensor<6x3xui2>, tensor<6x3xui2> -> tensor<6x3xsi5>
  func.return %d : tensor<6x3xsi5>
}
"""


def test_rows_say_what_is_joined_and_how_long_it_takes() -> None:
    module = Parser(new_context(), NET).parse_module()
    module.verify()
    rows = [(row.operation, row.shape) for row in software_layers(module)]
    assert rows == [
        ("slice", "4×3 → 2×3"),
        ("upsample", "2×3 → 4×3"),
        ("concat", "4×3 + 2×3 → 6×3"),
        ("add", "6×3"),
    ]
    ConvertBnnToDataflow().apply(new_context(), module)
    hardware = hardware_layers(module)
    assert [(row.operation, row.shape) for row in hardware] == rows
    assert [row.cycles for row in hardware] == [12, 12, 18, 18]
