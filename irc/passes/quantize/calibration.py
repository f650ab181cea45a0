"""Frames to calibrate on, and what the values of a function are on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import Float32Type, FunctionType, ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, BlockArgument, SSAValue
from xdsl.rewriter import Rewriter

from irc.dialects import bnn
from irc.dialects.dense import element_range
from irc.errors import IrcError, UnsupportedError, UsageError
from irc.interp.data_files import Data, as_element_type, shape_frames
from irc.interp.run import Progress, frames_at_once, make_interpreter
from irc.passes.layer_names import describe
from irc.passes.streamline.declare_inputs import argument_name

Array = npt.NDArray[Any]

DEFAULT_FRAMES = 512
"""Frames that calibration takes of a file: ranges hardly move with more."""

RANDOM_FRAMES = 64
_SEED = 1

SAMPLE_SIZE = 1 << 16
"""Elements of a value that are kept to choose a scale."""


def only_one(ways: Mapping[str, bool], who: str = "") -> bool:
    """Whether one of several ways to learn ranges is given; `UsageError` where several are."""
    given = [option for option, is_given in ways.items() if is_given]
    if len(given) > 1:
        raise UsageError(f"{who}{' and '.join(given)} exclude each other")
    return bool(given)


def the_input(function: FuncOp) -> BlockArgument:
    """The one input of a function; raises `UnsupportedError` where it has several."""
    arguments = list(function.body.block.args)
    if len(arguments) != 1:
        names = ", ".join(argument_name(function, argument) for argument in arguments)
        raise UnsupportedError(
            f"the network has {len(arguments)} inputs ({names}); calibration needs exactly one"
        )
    return arguments[0]


def frames_of(function: FuncOp, data: Data) -> Array:
    """The data as frames [N, …] in the type of the function's input; raises `IrcError`."""
    argument = the_input(function)
    frame = bnn.frame_type(argument)
    what = f"input '{argument_name(function, argument)}'"
    shaped = shape_frames(data, frame.get_shape(), what)
    return as_element_type(shaped, frame.element_type, data.source)


def random_frames(function: FuncOp) -> Array:
    """Frames of the input's type: evenly distributed integers, normally distributed floats."""
    frame = bnn.frame_type(the_input(function))
    random = np.random.default_rng(_SEED)
    shape = (RANDOM_FRAMES, *frame.get_shape())
    if isinstance(frame.element_type, Float32Type):
        return random.standard_normal(shape).astype(np.float32)
    if isinstance(frame.element_type, bnn.BipolarType):
        return random.choice(np.array([-1, 1], np.int8), shape)
    low, high = element_range(frame.element_type)
    return random.integers(low, high + 1, shape)


def observe(
    function: FuncOp,
    values: Sequence[SSAValue],
    frames: Array,
    progress: Progress | None = None,
    step: int | None = None,
) -> Iterator[tuple[list[Array], list[Array]]]:
    """Run frames, `step` at a time: the results, and what `values` are, each [n, …].

    Raises `IrcError` where one of them is NaN or infinite.
    """
    module = _observed(function, values)
    interpreter = make_interpreter(module)
    outputs = len(function.function_type.outputs)
    step = frames_at_once(function) if step is None else step
    for start in range(0, len(frames), step):
        found = interpreter.call_op(function.sym_name.data, (frames[start : start + step],))
        for value, array in zip(values, found[outputs:], strict=True):
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                owner = value.owner
                where = "the input" if isinstance(owner, Block) else describe(owner)
                raise IrcError(f"{where} gives NaN or infinity on the calibration data")
        yield list(found[:outputs]), list(found[outputs:])
        if progress is not None:
            progress(min(start + step, len(frames)), len(frames))


def _observed(function: FuncOp, values: Sequence[SSAValue]) -> ModuleOp:
    """A module with a copy of the function that also returns `values`."""
    copies: dict[SSAValue, SSAValue] = {}
    copy = function.clone(value_mapper=copies)
    terminator = copy.body.block.last_op
    assert isinstance(terminator, ReturnOp)
    results = [*terminator.arguments, *(copies[value] for value in values)]
    Rewriter.replace_op(terminator, ReturnOp(*results))
    inputs = list(copy.function_type.inputs)
    copy.function_type = FunctionType.from_lists(inputs, [value.type for value in results])
    copy.res_attrs = None
    return ModuleOp([copy])


class Sample:
    """The extremes of a value, and some of its elements, drawn evenly from all frames."""

    def __init__(self, frames: int) -> None:
        self._frames = frames
        self._random = np.random.default_rng(_SEED)
        self._parts: list[Array] = []
        self.low, self.high = np.inf, -np.inf

    def add(self, values: Array) -> None:
        """Take in the value of some frames [n, …]."""
        flat = values.reshape(-1)
        self.low = min(self.low, float(flat.min()))
        self.high = max(self.high, float(flat.max()))
        wanted = -(-SAMPLE_SIZE * len(values) // self._frames)
        if wanted < len(flat):
            flat = flat[self._random.integers(0, len(flat), wanted)]
        self._parts.append(flat.astype(np.float64))

    @property
    def elements(self) -> Array:
        """What was kept, float64 [n]."""
        return np.concatenate(self._parts)


def samples(
    function: FuncOp, values: Sequence[SSAValue], frames: Array, progress: Progress | None = None
) -> list[Sample]:
    """A sample of each value on these frames."""
    found = [Sample(len(frames)) for _ in values]
    for _, arrays in observe(function, values, frames, progress):
        for sample, array in zip(found, arrays, strict=True):
            sample.add(array)
    return found


def means(
    function: FuncOp, values: Sequence[SSAValue], frames: Array, progress: Progress | None = None
) -> list[Array]:
    """The mean frame of each value, float64 in the shape of a frame."""
    totals: list[Array] = [np.zeros(bnn.frame_type(v).get_shape()) for v in values]
    for _, arrays in observe(function, values, frames, progress):
        for total, array in zip(totals, arrays, strict=True):
            total += array.sum(axis=0, dtype=np.float64)
    return [total / len(frames) for total in totals]
