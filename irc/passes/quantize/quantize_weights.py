"""Round float weights to integers of few bits, with one scale an output channel."""

from __future__ import annotations

from dataclasses import dataclass, field

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass

from irc.errors import UsageError
from irc.passes.quantize.calibration import DEFAULT_FRAMES
from irc.passes.quantize.layer_choice import (
    Layer,
    check_bits,
    layers_named,
    layers_of,
    parse_overrides,
)
from irc.passes.quantize.weight_pass import check_calibrated, load_frames, replace_all
from irc.passes.quantize.weight_scales import METHODS, Array, Quantized, quantize_rows
from irc.passes.rewriting import functions_to_convert


@dataclass(frozen=True)
class WeightChoice:
    """How many bits the weights of each layer get, and how their scale is chosen.

    `exceptions` are bits by layer name, and win over `first` and `last`, which win over `bits`.
    """

    bits: int = 8
    method: str = "mse"
    first: int = 8
    last: int = 8
    exceptions: dict[str, int] = field(default_factory=dict[str, int])
    where: str = "quantize-weights"

    def __post_init__(self) -> None:
        for option, bits in (("bits", self.bits), ("first", self.first), ("last", self.last)):
            check_bits(bits, f"{self.where}: {option}")
        if self.method not in METHODS:
            raise UsageError(
                f"{self.where}: unknown method '{self.method}'; expected {', '.join(METHODS)}"
            )
        if self.method == "ternary" and self.bits != 2:
            raise UsageError(f"{self.where}: method=ternary is for bits=2, not bits={self.bits}")

    def of(self, function: FuncOp) -> list[tuple[Layer, int]]:
        """The layers whose weights are floats, with their bits; raises `UsageError`."""
        layers = layers_of(function)
        layers_named(layers, self.exceptions, self.where)
        return [(layer, self._bits(layer)) for layer in layers if layer.is_float]

    def _bits(self, layer: Layer) -> int:
        if layer.name in self.exceptions:
            return self.exceptions[layer.name]
        edges = [self.first] * layer.is_first + [self.last] * layer.is_last
        return max(edges, default=self.bits)

    def quantize(self, rows: Array, bits: int) -> Quantized:
        """Rows [M, K] of a layer that gets `bits`; a ternary method is for those of two."""
        method = "mse" if self.method == "ternary" and bits != 2 else self.method
        return quantize_rows(rows, bits, method)


@dataclass(frozen=True)
class QuantizeWeights(ModulePass):
    """Round float weights to `bits` bits: W ≈ scale · integer, one scale a row.

    1 bit is the sign, as in `binarize`. The first and the last layer get `first` and `last` bits,
    the layers in `layers` their own: layers="conv2=4","fc=8". `method` is how a scale is chosen:
    mse (the least squared error), max (no weight is clipped) or ternary. With `data`, frames to
    calibrate on, each bias makes up for what a row's sums lose on average; without, the pass
    stops, unless `uncalibrated`.
    """

    name = "quantize-weights"
    changes_results = "weights are rounded"

    bits: int = 8
    method: str = "mse"
    first: int = 8
    last: int = 8
    layers: tuple[str, ...] = ()
    data: str | None = None
    limit: int = DEFAULT_FRAMES
    uncalibrated: bool = False

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        exceptions = parse_overrides(self.layers, self.name)
        choice = WeightChoice(self.bits, self.method, self.first, self.last, exceptions)
        for function in functions_to_convert(op):
            choices = choice.of(function)
            check_calibrated(self.name, self.data, self.uncalibrated, choices, choice.quantize)
            frames = None
            if self.data is not None:
                frames = load_frames(function, self.name, self.data, self.limit)
            replace_all(function, choices, choice.quantize, frames)
