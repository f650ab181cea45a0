"""The rows of the layer table for convolutions and pools."""

from __future__ import annotations

from collections.abc import Callable

from xdsl.dialects.builtin import ModuleOp
from xdsl.parser import Parser

from irc.dialects import dataflow
from irc.dialects.dataflow import Folding
from irc.flow.layers import Layer, hardware_layers, software_layers
from irc.loading import new_context
from irc.passes.hardware.convert_bnn_to_dataflow import ConvertBnnToDataflow
from irc.pipelines import level_of
from irc.tools.tables import layer_table

ONES = "[1 : i64, 1 : i64]"
TWOS = "[2 : i64, 2 : i64]"
NET = f"""
func.func @net(%x: tensor<6x6x2x!bnn.bipolar>) -> tensor<2x2x2xsi4> {{
  %a = bnn.conv %x, <tensor<2x3x3x1x!bnn.bipolar>, "0x0f3c02"> strides {ONES} dilations {ONES}
    groups 2 : tensor<6x6x2x!bnn.bipolar> -> tensor<4x4x2xsi5>
  %b = bnn.threshold %a at <tensor<2x1xui1>, [0, 1]> bias 0
    : tensor<4x4x2xsi5> -> tensor<4x4x2x!bnn.bipolar>
  %c = bnn.max_pool %b kernel {TWOS} strides {TWOS} dilations {ONES}
    : tensor<4x4x2x!bnn.bipolar> -> tensor<2x2x2x!bnn.bipolar>
  %d = bnn.conv %c, <tensor<2x1x1x2x!bnn.bipolar>, [1, 1, -1, 1]> strides {ONES} dilations {ONES}
    groups 1 : tensor<2x2x2x!bnn.bipolar> -> tensor<2x2x2xsi4>
  func.return %d : tensor<2x2x2xsi4>
}}
"""


def parsed() -> ModuleOp:
    module = Parser(new_context(), NET).parse_module()
    module.verify()
    assert level_of(module) == "bnn"
    return module


LEFT = ["weight bits", "MACs"]


def layer_cells(
    module: ModuleOp, rows: Callable[[ModuleOp], list[Layer]] = hardware_layers
) -> list[list[object]]:
    """The headings and cells of the table that people see."""
    table = layer_table(rows(module))
    headings: list[object] = [column.header for column in table.columns]
    return [headings, *map(list, zip(*(column.cells for column in table.columns), strict=True))]


def test_rows_say_kernel_groups_and_shapes() -> None:
    rows = [(row.operation, row.shape, row.macs) for row in software_layers(parsed())]
    assert rows == [
        ("conv 3×3 in 2 groups + threshold", "6×6×2 → 4×4×2", 16 * 2 * 9),
        ("max pool 2×2", "4×4×2 → 2×2×2", 0),
        ("conv 1×1", "2×2×2 → 2×2×2", 4 * 2 * 2),
    ]


def test_rows_of_hardware_say_the_same_and_cycles() -> None:
    module = parsed()
    ConvertBnnToDataflow().apply(new_context(), module)
    rows = [(row.operation, row.shape, row.macs, row.cycles) for row in hardware_layers(module)]
    assert rows == [
        ("conv 3×3 in 2 groups + threshold", "6×6×2 → 4×4×2", 16 * 2 * 9, 16 * 2 * 9),
        ("max pool 2×2", "4×4×2 → 2×2×2", 0, 32),
        ("mvu", "2 → 2", 4 * 2 * 2, 4 * 2 * 2),
    ]


def test_rows_say_how_many_pixels_at_once_and_how_products_are_made() -> None:
    module = parsed()
    ConvertBnnToDataflow().apply(new_context(), module)
    first, pool, last = hardware_layers(module)
    assert [(row.mmv, row.products) for row in (first, pool, last)] == [(None, None)] * 3

    wide = Parser(new_context(), NET.replace("!bnn.bipolar>, [1, 1", "si2>, [1, 1")).parse_module()
    ConvertBnnToDataflow().apply(new_context(), wide)
    (layer,) = (op for op in wide.walk() if isinstance(op, dataflow.MvuOp) and op.groups == 1)
    layer.set_folding(Folding(2, 2, products="multiply", mmv=2))
    last = hardware_layers(wide)[-1]
    assert (last.pe, last.simd, last.mmv, last.products) == (2, 2, 2, "multiply")
    assert layer_cells(wide)[0][3:] == [*LEFT, "PE", "SIMD", "MMV", "products", "cycles"]
    assert layer_cells(module)[0][3:] == [*LEFT, "PE", "SIMD", "cycles"]
    assert layer_cells(parsed(), software_layers)[0][3:] == LEFT
