"""Small networks at level packed for the tests of the C backend."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp

import irc
from irc.dialects.dense import DenseAttr

LAYERS = """
func.func @"Tiny.Net"(%x: tensor<2x5xui8> {bnn.declared = "uint8/255"}) -> tensor<3xf32> {
  %0 = bnn.reshape %x : tensor<2x5xui8> -> tensor<10xui8>
  %1 = bnn.threshold %0 at <tensor<1x1xui8>, [128]> bias 0
    : tensor<10xui8> -> tensor<10x!bnn.bipolar>
  %2 = bnn.linear %1, <tensor<3x10x!bnn.bipolar>, "0xff030015">
    : tensor<10x!bnn.bipolar> -> tensor<3xsi5>
  %3 = bnn.cast %2 : tensor<3xsi5> -> tensor<3xf32>
  FUNCTIONS
  func.return %RESULT : tensor<3xf32>
}
"""


def tiny(*functions: tuple[str, float | None], level: str = "packed") -> ModuleOp:
    """A network of one layer whose sums go through float functions with scalar constants."""
    lines: list[str] = []
    for number, (fn, constant) in enumerate(functions, 3):
        operand = "" if constant is None else f", {DenseAttr.from_floats(constant)}"
        lines.append(
            f'%{number + 1} = bnn.ewise "{fn}" %{number}{operand} : tensor<3xf32> -> tensor<3xf32>'
        )
    text = LAYERS.replace("FUNCTIONS", "\n  ".join(lines)).replace("#bnn.dense", "")
    module = irc.parse(text.replace("%RESULT", f"%{3 + len(functions)}"))
    return irc.compile_to(module, level)
