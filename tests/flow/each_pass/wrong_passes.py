"""Passes with mistakes, as their authors make them; also for `irc-opt --load`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from xdsl.dialects.builtin import FunctionType, TensorType
from xdsl.dialects.func import FuncOp
from xdsl.rewriter import Rewriter

from irc.api import Context, ModuleOp, ModulePass, bnn

NETWORK = """\
func.func @net(%x: tensor<8xui3> {bnn.name = "x"}) -> tensor<3xsi8> {
  %0 = bnn.linear %x, <tensor<4x8x!bnn.bipolar>, "0x0f3c55aa">
    : tensor<8xui3> -> tensor<4xsi8> loc("fc1")
  %1 = bnn.threshold %0 at <tensor<4x1xsi8>, [1, 2, 3, 4]> bias 0
    : tensor<4xsi8> -> tensor<4x!bnn.bipolar> loc("act1")
  %2 = bnn.linear %1, <tensor<4x4x!bnn.bipolar>, "0x3c96">
    : tensor<4x!bnn.bipolar> -> tensor<4xsi4> loc("fc2")
  %3 = bnn.threshold %2 at <tensor<4x1xsi4>, [0, 1, 0, 1]> bias 0
    : tensor<4xsi4> -> tensor<4x!bnn.bipolar> loc("act2")
  %4 = bnn.linear %3, <tensor<3x4x!bnn.bipolar>, "0x9a05">
    : tensor<4x!bnn.bipolar> -> tensor<3xsi8> loc("fc3")
  func.return %4 : tensor<3xsi8>
}
"""


def _thresholds(module: ModuleOp) -> list[bnn.ThresholdOp]:
    return [op for op in module.walk() if isinstance(op, bnn.ThresholdOp)]


@dataclass(frozen=True)
class OffByOne(ModulePass):
    """The threshold of one channel of the second layer is too high."""

    name = "off-by-one"

    added: int = 4

    @staticmethod
    def harmless() -> OffByOne:
        """The same without the mistake."""
        return OffByOne(0)

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if not self.added:
            return
        threshold = _thresholds(op)[1]
        at = threshold.thresholds.numpy() + np.array([[0], [self.added], [0], [0]])
        threshold.properties["thresholds"] = bnn.DenseAttr.from_integers(at)


class FlipsRow(ModulePass):
    """Negates rows of weights, `−w·x >= 1 − t`, and forgets one of the thresholds."""

    name = "flips-row"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        threshold = _thresholds(op)[0]
        layer = threshold.input.owner
        assert isinstance(layer, bnn.LinearOp)
        weights = layer.weights.numpy().astype(np.int64)
        weights[:2] *= -1
        at = threshold.thresholds.numpy().astype(np.int64)
        at[0] = 1 - at[0]
        other = bnn.LinearOp(
            layer.input, bnn.DenseAttr.from_numpy(weights, bnn.bipolar), bnn.sint(8)
        )
        other.location = layer.location
        Rewriter.replace_op(layer, other)
        threshold.properties["thresholds"] = bnn.DenseAttr.from_integers(at)


class Swaps(ModulePass):
    """Drops a row of the last layer."""

    name = "drops-row"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        layer = [each for each in op.walk() if isinstance(each, bnn.LinearOp)][-1]
        weights = bnn.DenseAttr.from_numpy(layer.weights.numpy()[:2], bnn.bipolar)
        other = bnn.LinearOp(layer.input, weights, bnn.sint(8))
        Rewriter.replace_op(layer, other)
        _function(op).update_function_type()


class DropsInput(ModulePass):
    """Takes half of the input."""

    name = "drops-input"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        function = _function(op)
        argument = function.body.block.args[0]
        layer = next(each for each in op.walk() if isinstance(each, bnn.LinearOp))
        weights = bnn.DenseAttr.from_numpy(layer.weights.numpy()[:, :4], bnn.bipolar)
        Rewriter.replace_value_with_new_type(argument, TensorType(bnn.uint(3), [4]))
        layer.properties["weights"] = weights
        outputs = list(function.function_type.outputs)
        function.function_type = FunctionType.from_lists(
            [function.body.block.args[0].type], outputs
        )


class RoundsMore(OffByOne):
    """A pass that says that it changes results."""

    name = "rounds-more"
    changes_results = "it rounds"


def _function(module: ModuleOp) -> FuncOp:
    return next(op for op in module.ops if isinstance(op, FuncOp))
