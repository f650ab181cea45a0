"""What the passes that quantize weights share: choosing, refusing, replacing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from xdsl.dialects.func import FuncOp

from irc.errors import IrcError, UsageError
from irc.interp.data_files import load_data
from irc.interp.run import Progress
from irc.passes.quantize.calibration import Array, frames_of, means, only_one
from irc.passes.quantize.layer_choice import Layer
from irc.passes.quantize.replace_weights import (
    bias_correction,
    float_rows,
    replace_weights,
    signal_to_noise,
)
from irc.passes.quantize.weight_scales import Quantized

Choice = tuple[Layer, int]
"""A layer, and how many bits its weights are to have."""


def replace_all(
    function: FuncOp,
    choices: Sequence[Choice],
    quantize: Callable[[Array, int], Quantized],
    frames: Array | None,
    progress: Progress | None = None,
) -> None:
    """Quantize the float weights [M, K] of the layers; with frames, correct each bias for it."""
    layers = [layer for layer, _ in choices]
    found = None
    if frames is not None:
        found = means(function, [layer.op.input for layer in layers], frames, progress)
    for index, (layer, bits) in enumerate(choices):
        quantized = quantize(float_rows(layer.op), bits)
        correction = None if found is None else bias_correction(layer.op, quantized, found[index])
        replace_weights(layer, quantized, correction)


def check_calibrated(
    name: str,
    data: str | None,
    uncalibrated: bool,
    choices: Sequence[Choice],
    quantize: Callable[[Array, int], Quantized],
) -> None:
    """Raise `UsageError` unless there are data or somebody does without them on purpose.

    Says what would become of the weights of each layer.
    """
    ways = {"data=": data is not None, "uncalibrated=true": uncalibrated}
    if only_one(ways, f"{name}: ") or not choices:
        return
    lines = [f"  {line}" for line in describe_choices(choices, quantize)]
    raise UsageError(
        f"{name}: without calibration data nothing tells what this does to the network:\n"
        + "\n".join(lines)
        + '\ngive data="calib.npz" (inputs as x) to correct each bias by, or uncalibrated=true to '
        "go on without"
    )


def describe_choices(
    choices: Sequence[Choice], quantize: Callable[[Array, int], Quantized]
) -> list[str]:
    """For each layer how many bits its weights get and how much of them that leaves, in dB."""
    ratios = weights_sqnr(choices, quantize)
    return [
        f"'{layer.name}': weights of {bits} bit{'' if bits == 1 else 's'}, "
        f"{ratios[layer.name]:.1f} dB signal to noise"
        for layer, bits in choices
    ]


def weights_sqnr(
    choices: Sequence[Choice], quantize: Callable[[Array, int], Quantized]
) -> dict[str, float]:
    """The signal to noise ratio of the weights of each layer, in dB, by its name."""
    found: dict[str, float] = {}
    for layer, bits in choices:
        rows = float_rows(layer.op)
        found[layer.name] = signal_to_noise(rows, rows - quantize(rows, bits).values)
    return found


def load_frames(function: FuncOp, name: str, data: str, limit: int) -> Array:
    """The first `limit` frames of a file; raises `IrcError` that names pass or file."""
    if limit < 1:
        raise UsageError(f"{name}: limit={limit}: expected at least 1")
    try:
        return frames_of(function, load_data(data).limited(limit))
    except IrcError as error:
        raise type(error)(f"{name}: {error.message}") from None
