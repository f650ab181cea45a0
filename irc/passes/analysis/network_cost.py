"""What a network costs before any target is chosen: channels, bits of weights, multiplications."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from xdsl.dialects.func import FuncOp

from irc.counters import count
from irc.dialects import bnn
from irc.dialects.dense import element_width


@dataclass(frozen=True)
class NetworkCost:
    """Sums over all layers: output channels, bits of weights and of thresholds, multiplications of
    a frame, operations."""

    channels: int
    weight_bits: int
    threshold_bits: int
    macs: int
    operations: int

    @staticmethod
    def of(function: FuncOp) -> NetworkCost:
        """The cost of a function at level bnn."""
        channels = weights = thresholds = macs = operations = 0
        for op in function.body.block.ops:
            operations += 1
            match op:
                case bnn.LinearOp() | bnn.ConvOp():
                    channels += op.weights.shape[0]
                    weights += op.weights.size * element_width(op.weights.element_type)
                    places = prod(bnn.frame_type(op.output).get_shape()) // op.weights.shape[0]
                    macs += op.weights.size * places
                case bnn.ThresholdOp():
                    tables = (op.thresholds, op.steps)
                    thresholds += sum(
                        t.size * element_width(t.element_type) for t in tables if t is not None
                    )
                case _:
                    pass
        return NetworkCost(
            channels, weights, threshold_bits=thresholds, macs=macs, operations=operations
        )

    def count_savings(self, after: NetworkCost) -> None:
        """Publish what was saved since, for `irc-opt --pass-statistics`."""
        saved = {
            "channels saved": self.channels - after.channels,
            "bits of weights saved": self.weight_bits - after.weight_bits,
            "bits of thresholds saved": self.threshold_bits - after.threshold_bits,
            "multiplications a frame saved": self.macs - after.macs,
            "operations saved": self.operations - after.operations,
        }
        for what, amount in saved.items():
            if amount > 0:
                count(what, amount)
