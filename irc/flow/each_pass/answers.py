"""What a module answers to frames, at any level, and where two answers differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

from irc.errors import IrcError
from irc.flow.compare import FLOAT_TOLERANCE_ULPS
from irc.flow.each_pass.ports import Port, function_ports, onnx_ports, stream_ports
from irc.flow.each_pass.rounding import TRIALS, Jitter
from irc.flow.each_pass.trace import trace
from irc.flow.each_pass.values import is_float
from irc.interp.beats import beats_to_frames, frames_to_beats
from irc.interp.dataflow_host import hardware_inputs, hardware_outputs
from irc.interp.onnx_reference import OnnxReference
from irc.interp.rtl import HwSimulator
from irc.interp.rtl_axis import run_axis
from irc.interp.run import frames_at_once, run_module
from irc.passes.hardware.convert_dataflow_to_hw import stream_attributes
from irc.passes.rewriting import functions_of
from irc.pipelines import level_of

Array = npt.NDArray[Any]

FRAMES_AT_ONCE = 512

LARGEST = float(np.nextafter(np.finfo(np.float32).max, np.float32(0)))
"""The largest float32 with a successor, and hence with a unit in the last place."""


class Machine:
    """A module with what it runs on.

    Raises `IrcError` for modules that nothing runs.
    """

    def __init__(self, module: ModuleOp) -> None:
        self.module = module
        self.level = level_of(module)
        self.function: FuncOp | None = None
        self._reference: OnnxReference | None = None
        if self.level == "onnx":
            self._reference = OnnxReference(module)
            self.ports: list[Port] = onnx_ports(self._reference)
        elif self.level == "hw":
            self.ports = stream_ports(module)
        else:
            self.function = _entry(module)
            self.ports = function_ports(self.function)

    @property
    def most_frames(self) -> float:
        """How many frames are worth running: simulated hardware takes its time."""
        return 2 if self.level == "hw" else math.inf

    @property
    def frames_at_once(self) -> int:
        """How many frames are run together: fewer where every frame is large."""
        return FRAMES_AT_ONCE if self.function is None else frames_at_once(self.function)

    def feed(self, frames: Sequence[Array]) -> list[Array]:
        """Frames of each input in the shapes and types that this level takes."""
        return [port.typed(x) for port, x in zip(self.ports, frames, strict=True)]

    def run(self, frames: Sequence[Array]) -> list[Array]:
        """The results [N, …] for frames [N, …] of each input."""
        frames = self.feed(frames)
        if self._reference is not None:
            return self._run_model(self._reference, frames)
        if self.level == "hw":
            return [self._run_hardware(frames[0])]
        return run_module(self.module, frames)

    def _run_model(self, reference: OnnxReference, frames: Sequence[Array]) -> list[Array]:
        if len(frames) == 1:
            return list(reference.run_frames(frames[0]).values())
        rows: list[list[Array]] = []
        for index in range(len(frames[0])):
            feeds = {
                port.name: frame[index].reshape([abs(dim) for dim in port.shape or ()])
                for port, frame in zip(reference.inputs, frames, strict=True)
            }
            rows.append([np.asarray(value) for value in reference.run(feeds).values()])
        return [np.stack(results) for results in zip(*rows, strict=True)]

    def _run_hardware(self, frames: Array) -> Array:
        top, source, result = stream_attributes(self.module)
        simulator = HwSimulator(self.module, top)
        beats = run_axis(
            simulator, frames_to_beats(frames, source), result.beats, result.tdata_width // 8
        ).beats
        return beats_to_frames(beats, result)

    def spread(self, frames: Sequence[Array]) -> tuple[list[Array], list[Array]]:
        """The least and the largest results that roundings of floats can lead to."""
        results = self.run(frames)
        low, high = results, results
        if self.function is None or not _has_floats(self.function):
            return low, high
        for trial in range(TRIALS):
            fed = self.feed(frames)
            moved, _ = trace(self.module, self.function, fed, jitter=Jitter(trial))
            low = [np.fmin(a, b) for a, b in zip(low, moved, strict=True)]
            high = [np.fmax(a, b) for a, b in zip(high, moved, strict=True)]
        return low, high


class HardwareShare(Machine):
    """What of a dataflow function becomes hardware: to compare with the hardware."""

    @property
    def most_frames(self) -> float:
        """As few as are simulated."""
        return 2

    def run(self, frames: Sequence[Array]) -> list[Array]:
        """What leaves the hardware for frames of the function."""
        return [hardware_outputs(self.module, self.feed(frames))]

    def spread(self, frames: Sequence[Array]) -> tuple[list[Array], list[Array]]:
        """Hardware does not round."""
        return self.run(frames), self.run(frames)


class FedHardware(Machine):
    """Hardware that gets what the host makes of the frames of the function it came from."""

    def __init__(self, module: ModuleOp, host: ModuleOp) -> None:
        super().__init__(module)
        self._host = host
        self.ports = function_ports(_entry(host))

    def run(self, frames: Sequence[Array]) -> list[Array]:
        """What leaves the hardware for frames of the function."""
        return [self._run_hardware(hardware_inputs(self._host, self.feed(frames)))]


def _entry(module: ModuleOp) -> FuncOp:
    public = [
        function
        for function in functions_of(module)
        if function.sym_visibility is None or function.sym_visibility.data == "public"
    ]
    if len(public) != 1:
        raise IrcError(f"it has {len(public)} public functions; one can be checked")
    if len(public[0].body.blocks) != 1:
        raise IrcError("its function has several blocks")
    return public[0]


def _has_floats(function: FuncOp) -> bool:
    return any(is_float(result.type) for op in function.body.block.ops for result in op.results)


@dataclass(frozen=True)
class Difference:
    """The first result that differs, in numbers before and after."""

    frame: int
    result: int
    index: tuple[int, ...]
    before: float
    after: float
    count: int
    """How many frames differ."""

    def __str__(self) -> str:
        place = f"result {self.result} [{', '.join(map(str, self.index))}]"
        return f"{place}: {self.before:.9g} before, {self.after:.9g} after"


def differing(old: Sequence[Array], new: Sequence[Array]) -> Array:
    """In which frames [N] two answers differ, floats by more than a few units in the last place.

    How shapes are written does not count. Raises `IrcError` for answers of other sizes.
    """
    return np.asarray(_wrong(old, new).any(axis=1))


def _wrong(old: Sequence[Array], new: Sequence[Array]) -> Array:
    return np.concatenate([_wrong_values(a, a, b, b) for a, b in _pairs(old, new)], axis=1)


def _pairs(old: Sequence[Array], new: Sequence[Array]) -> list[tuple[Array, Array]]:
    if len(old) != len(new):
        raise IrcError(f"it gives {len(new)} results; before it gave {len(old)}")
    pairs = [(_flat(a), _flat(b)) for a, b in zip(old, new, strict=True)]
    for number, (a, b) in enumerate(pairs):
        if a.shape != b.shape:
            raise IrcError(f"result {number} has {b.shape[1]} values; before it had {a.shape[1]}")
    return pairs


def _flat(values: Array) -> Array:
    return values.reshape(len(values), -1).astype(np.float64)


def _wrong_values(low: Array, high: Array, new_low: Array, new_high: Array) -> Array:
    """Where two ranges [N, n] are apart by more than floats' last places.

    These are of the frame's largest finite value: an infinity differs from all else.
    """
    whole = bool((low == np.rint(low)).all()) and bool((low == high).all())
    tolerance: Any = 0
    if not whole:
        finite = np.where(np.isfinite(high), np.abs(high), 0)
        largest = np.minimum(finite.max(axis=1, initial=0), LARGEST).astype(np.float32)
        tolerance = FLOAT_TOLERANCE_ULPS * np.spacing(largest)[:, None]
    apart = (new_low > high + tolerance) | (new_high < low - tolerance)
    return apart | (np.isnan(low) != np.isnan(new_low))


def first_difference(before: Machine, after: Machine, frames: Sequence[Array]) -> Difference | None:
    """The first frame on which two modules differ for another reason than rounding."""
    found: Difference | None = None
    step = min(before.frames_at_once, after.frames_at_once)
    for start in range(0, len(frames[0]), step):
        here = _difference_among(before, after, [x[start : start + step] for x in frames])
        if here is not None and found is None:
            found = replace(here, frame=start + here.frame)
        elif here is not None and found is not None:
            found = replace(found, count=found.count + here.count)
    return found


def _difference_among(
    before: Machine, after: Machine, frames: Sequence[Array]
) -> Difference | None:
    old, new = before.run(frames), after.run(frames)
    suspects = np.flatnonzero(differing(old, new))
    if not len(suspects):
        return None
    chosen = [x[suspects] for x in frames]
    lows, highs = before.spread(chosen)
    new_lows, new_highs = after.spread(chosen)
    wrong = np.concatenate(
        [
            _wrong_values(*map(_flat, bounds))
            for bounds in zip(lows, highs, new_lows, new_highs, strict=True)
        ],
        axis=1,
    )
    bad = np.flatnonzero(wrong.any(axis=1))
    if not len(bad):
        return None
    frame = int(suspects[bad[0]])
    return _located(frame, int(np.argmax(wrong[bad[0]])), old, new, len(bad))


def _located(
    frame: int, position: int, old: Sequence[Array], new: Sequence[Array], count: int
) -> Difference:
    """What stands at a position of all results of a frame, one behind the other."""
    for number, values in enumerate(old):
        size = values[frame].size
        if position < size:
            index = np.unravel_index(position, values.shape[1:] or (1,))
            place = tuple(int(i) for i in index)
            was, now = (float(a[number][frame].reshape(-1)[position]) for a in (old, new))
            return Difference(frame, number, place, was, now, count)
        position -= size
    raise AssertionError(position)
