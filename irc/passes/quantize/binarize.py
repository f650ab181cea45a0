"""Turn float weights into signs, with one scale an output channel."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from irc.errors import UsageError
from irc.passes.quantize.calibration import DEFAULT_FRAMES, Array
from irc.passes.quantize.layer_choice import layers_named, layers_of
from irc.passes.quantize.weight_pass import check_calibrated, load_frames, replace_all
from irc.passes.quantize.weight_scales import Quantized, binary_rows
from irc.passes.rewriting import functions_to_convert


@dataclass(frozen=True)
class Binarize(ModulePass):
    """Turn float weights into signs: W ≈ alpha · sign(W), alpha the mean of |W| in a row.

    All layers but the first and the last, and these too with `edges`; or only those that `layers`
    names. A network that was not trained for it loses much of what it knows. With `data`, frames
    to calibrate on, each bias makes up for what a row's sums lose on average; without, the pass
    stops, unless `uncalibrated`.
    """

    name = "binarize"
    changes_results = "weights become signs"

    layers: tuple[str, ...] = ()
    edges: bool = False
    data: str | None = None
    limit: int = DEFAULT_FRAMES
    uncalibrated: bool = False

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions_to_convert(op):
            found = layers_of(function)
            if self.layers:
                chosen = layers_named(found, self.layers, self.name)
            else:
                chosen = [x for x in found if self.edges or not (x.is_first or x.is_last)]
            chosen = [layer for layer in chosen if layer.is_float]
            if not chosen and any(layer.is_float for layer in found):
                raise UsageError(
                    f"{self.name}: the only layers with float weights are the first and the last, "
                    "which are kept unless edges=true or layers=NAME say otherwise"
                )
            choices = [(layer, 1) for layer in chosen]
            check_calibrated(self.name, self.data, self.uncalibrated, choices, _signs)
            frames = None
            if self.data is not None:
                frames = load_frames(function, self.name, self.data, self.limit)
            replace_all(function, choices, _signs, frames)


def _signs(rows: Array, bits: int) -> Quantized:
    return binary_rows(rows)
