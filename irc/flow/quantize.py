"""Quantize a float model: weights, then activations, then the streamlined network, all measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import Float32Type, ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass
from xdsl.utils.arg_spec import ArgSpec

from irc.dialects import bnn
from irc.errors import IrcError, UnsupportedError, UsageError
from irc.flow.ladder import Ladder, classes_of
from irc.flow.quantize_layers import LayerReport, measure_layers
from irc.flow.verify import LevelProgress
from irc.interp.data_files import Data
from irc.interp.run import Progress, entry_function, run_module
from irc.passes.lift.lift_onnx_to_bnn import LiftError
from irc.passes.quantize.activation_sites import find_sites
from irc.passes.quantize.calibration import (
    DEFAULT_FRAMES,
    frames_of,
    only_one,
    random_frames,
    the_input,
)
from irc.passes.quantize.insert_quantizers import ActivationChoice
from irc.passes.quantize.layer_choice import Layer
from irc.passes.quantize.quantize_activations import quantize_activations
from irc.passes.quantize.quantize_weights import WeightChoice
from irc.passes.quantize.replace_weights import decibels
from irc.passes.quantize.weight_pass import describe_choices, replace_all, weights_sqnr
from irc.passes.streamline.declare_inputs import argument_name
from irc.pipelines import LIFTING, STREAMLINING
from irc.running import Observer, build_passes, run_passes
from irc.universe import discover

Array = npt.NDArray[Any]

WARN_POINTS = 1.0
"""Percentage points of accuracy, or of agreement with the float network, whose loss is told."""


@dataclass(frozen=True)
class QuantizeOptions:
    """What to make of a float network, and where the ranges of its activations come from.

    `calibration` and `test` are frames as in files; without `test` the result is measured on the
    calibration frames. Instead of them `largest` bounds every activation, or `uncalibrated` takes
    the ranges from random inputs. `frames` of the calibration data are used for ranges. A drop of
    more than `max_drop` percentage points is an error.
    """

    weights: WeightChoice
    activations: ActivationChoice
    calibration: Data | None = None
    test: Data | None = None
    largest: float | None = None
    uncalibrated: bool = False
    frames: int = DEFAULT_FRAMES
    max_drop: float | None = None


@dataclass(frozen=True)
class QuantizeReport:
    """What became of a model, measured on `frames` of `measured_on`.

    The accuracies are parts of 1, `None` without labels; `same_class` is the part of the frames
    that both networks put into one class. `sqnr` is the signal to noise ratio of the results in
    dB. `rounded_otherwise` counts the frames in which float32 rounding of the quantized network
    decided otherwise than the integers that it became.
    """

    model: str
    measured_on: str
    frames: int
    accuracy_before: float | None
    accuracy_after: float | None
    same_class: float
    sqnr: float
    rounded_otherwise: int
    layers: list[LayerReport]
    notes: list[str]

    @property
    def drop(self) -> float:
        """Percentage points lost: of accuracy, or without labels of agreement."""
        if self.accuracy_before is None or self.accuracy_after is None:
            return 100 * (1 - self.same_class)
        return 100 * (self.accuracy_before - self.accuracy_after)


def quantize_model(
    ladder: Ladder, options: QuantizeOptions, progress: LevelProgress | None = None
) -> tuple[ModuleOp, QuantizeReport]:
    """The quantized network at level bnn, streamlined, and what it lost.

    Raises `IrcError` for models without anything to quantize, data that do not fit, missing data,
    and for a loss beyond what the options allow.
    """
    original = _float_network(ladder)
    module = original.clone()
    function = entry_function(module)
    choices = options.weights.of(function)
    options.activations.check_names(function)
    if not choices and not find_sites(function):
        raise IrcError(f"{ladder.path}: nothing to quantize: it works on integers already")
    _refuse_blindness(ladder, options, choices)
    given = options.calibration
    frames = None if given is None else frames_of(function, given.limited(options.frames))

    observe = _counter(progress, "calibrate weights")
    sqnr = weights_sqnr(choices, options.weights.quantize)
    replace_all(function, choices, options.weights.quantize, frames, observe)
    observe = _counter(progress, "calibrate activations")
    quantize_activations(function, options.activations, frames, options.largest, observe)

    test = options.test if options.test is not None else given
    tested = random_frames(function) if test is None else frames_of(function, test)
    observe = _counter(progress, "measure layers")
    layers, before, after = measure_layers(
        entry_function(original), function, sqnr, tested, observe
    )
    _run(ladder, module, STREAMLINING.name, progress)
    entry_function(module).sym_name = StringAttr(ladder.name)
    results = run_module(module, [tested], _counter(progress, "measure the network"))
    labels = None if test is None else test.y
    notes = _notes(options, entry_function(original))
    report = _report(ladder, options, before, after, results, labels, layers, notes)
    if options.max_drop is not None and report.drop > options.max_drop:
        raise IrcError(
            f"{ladder.path}: quantization loses {loss_text(report)}, more than the "
            f"{options.max_drop:g} allowed; nothing was written"
        )
    return module, report


def loss_text(report: QuantizeReport) -> str:
    """What was lost, in words."""
    if report.accuracy_before is None:
        return f"{report.drop:.1f} points of agreement with the float network"
    return f"{report.drop:.1f} points of accuracy"


def _float_network(ladder: Ladder) -> ModuleOp:
    if ladder.level not in ("onnx", "bnn"):
        raise IrcError(
            f"{ladder.path}: is at level {ladder.level}; expected a model, or text at level bnn"
        )
    module = ladder.source.clone()
    if ladder.level == "onnx":
        try:
            _run(ladder, module, LIFTING.name, None)
        except LiftError as error:
            raise UnsupportedError("\n".join(map(str, error.obstacles))) from error
    the_input(entry_function(module))
    return module


def _refuse_blindness(
    ladder: Ladder, options: QuantizeOptions, choices: Sequence[tuple[Layer, int]]
) -> None:
    """Raise `UsageError` where nothing says how large activations get."""
    ways = {
        "--data": options.calibration is not None,
        "--range": options.largest is not None,
        "--uncalibrated": options.uncalibrated,
    }
    if only_one(ways):
        return
    lines = describe_choices(choices, options.weights.quantize)
    activations = f"activations of {options.activations.bits} bits, whose ranges are not known"
    raise UsageError(
        f"{ladder.path}: no calibration data: what would be done could destroy the network, and "
        "nothing would tell:\n"
        + "".join(f"  {line}\n" for line in [*lines, activations])
        + "give --data FILE (.npz with inputs as x and, if known, classes as y); or --range "
        "NUMBER, the largest activation; or --uncalibrated, to take ranges from random inputs"
    )


def _report(
    ladder: Ladder,
    options: QuantizeOptions,
    before: list[Array],
    after: list[Array],
    results: list[Array],
    labels: Array | None,
    layers: list[LayerReport],
    notes: list[str],
) -> QuantizeReport:
    """`before` are the float network's outputs, `after` the quantized one's, `results` those of
    the integer network."""
    classes = classes_of(before[0]), classes_of(results[0])
    count = len(classes[0])
    differs = np.zeros(count, np.bool_)
    for ours, theirs in zip(results, after, strict=True):
        differs |= (ours.astype(np.float32) != theirs).reshape(count, -1).any(axis=1)
    signal = before[0].astype(np.float64)
    noise = signal - results[0].reshape(signal.shape)
    test = options.test if options.test is not None else options.calibration
    return QuantizeReport(
        ladder.path,
        "random inputs" if test is None else test.source,
        count,
        None if labels is None else float((classes[0] == labels).mean()),
        None if labels is None else float((classes[1] == labels).mean()),
        float((classes[0] == classes[1]).mean()),
        decibels(float(np.square(signal).sum()), float(np.square(noise).sum())),
        int(np.count_nonzero(differs)),
        layers,
        notes,
    )


def _notes(options: QuantizeOptions, function: FuncOp) -> list[str]:
    """What a user may have overlooked."""
    found: list[str] = []
    data = options.calibration
    if data is None:
        found.append(
            "measured on random inputs, which says little about real ones: give --test FILE"
            if options.test is None
            else "the ranges of activations do not come from data"
        )
    elif options.test is None:
        found.append("measured on the calibration data: --test FILE measures on others")
    argument = the_input(function)
    is_float = isinstance(bnn.frame_type(argument).element_type, Float32Type)
    if data is not None and is_float and data.x.dtype.kind in "ui" and int(data.x.max()) > 1:
        name = argument_name(function, argument)
        found.append(
            f"input '{name}' is float32, but {data.source} holds whole numbers up to "
            f"{data.x.max()}: if the network was trained on scaled ones, declare it, as in "
            f"--input {name}=uint8/255"
        )
    return found


class _Announcer(Observer):
    def __init__(self, progress: LevelProgress) -> None:
        self._progress = progress

    def before_pass(self, module_pass: ModulePass, module: ModuleOp) -> None:
        self._progress(module_pass.name, 0, 1)


def _run(ladder: Ladder, module: ModuleOp, pipeline: str, progress: LevelProgress | None) -> None:
    settings = {"declare-inputs": ArgSpec("declare-inputs", {"inputs": ladder.inputs})}
    passes = build_passes(discover(), pipeline, settings)
    observers = [] if progress is None else [_Announcer(progress)]
    run_passes(ladder.ctx, module, passes, observers=observers)


def _counter(progress: LevelProgress | None, name: str) -> Progress | None:
    if progress is None:
        return None
    return lambda done, total: progress(name, done, total)


def is_bad(report: QuantizeReport) -> bool:
    """Whether so much was lost that somebody should hear of it."""
    return not math.isfinite(report.drop) or report.drop > WARN_POINTS
