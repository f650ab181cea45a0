"""What a module takes and gives, at any level, and frames to feed it with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import Float32Type, ModuleOp, TensorType, f32
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute

from irc.dialects.bnn import frame_type
from irc.dialects.dense import element_range
from irc.errors import IrcError
from irc.flow.frames import as_element_type, shape_frames
from irc.interp.bnn import to_element_type
from irc.interp.data_files import Data
from irc.interp.onnx_reference import OnnxReference
from irc.interp.random_frames import random_frames
from irc.passes.hardware.convert_dataflow_to_hw import stream_attributes
from irc.passes.streamline.declare_inputs import InputDeclaration, argument_name

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Port:
    """An input: its name, the shape of a frame, the type of an element.

    `dtype` is what ONNX Runtime takes, `None` below level onnx.
    """

    name: str
    shape: tuple[int, ...]
    element_type: Attribute
    dtype: np.dtype[Any] | None = None

    def __str__(self) -> str:
        return f"'{self.name}' {list(self.shape)} of {self.element_type}"

    def typed(self, values: Array) -> Array:
        """Numbers [N, …] in the shape and the NumPy type that this input takes."""
        shaped = values.reshape(len(values), *self.shape)
        if self.dtype is not None:
            return shaped.astype(self.dtype)
        return to_element_type(shaped, self.element_type)


def onnx_ports(reference: OnnxReference) -> list[Port]:
    """The inputs of a model; raises `IrcError` where a shape is not known, the batch aside."""
    ports: list[Port] = []
    for port in reference.inputs:
        # A plain vector has no batch.
        shape = port.shape and (port.shape[1:] if len(port.shape) > 1 else port.shape)
        if shape is None or port.dtype is None or any(dim < 0 for dim in shape):
            raise IrcError(f"input '{port.name}' has no static shape")
        if port.dtype.kind not in "fiu":
            raise IrcError(f"input '{port.name}' takes {port.dtype}; numbers are needed")
        ports.append(Port(port.name, shape, _element_type(port.dtype), port.dtype))
    return ports


def _element_type(dtype: np.dtype[Any]) -> Attribute:
    from irc.dialects.dense import sint, uint

    if dtype.kind == "f":
        return f32
    # Wide integers of a model, such as indices, mean something small.
    width = min(dtype.itemsize * 8, 8)
    return uint(width) if dtype.kind == "u" else sint(width)


def function_ports(function: FuncOp) -> list[Port]:
    """The arguments of a function; raises `IrcError` for types other than tensors of numbers."""
    ports: list[Port] = []
    for argument in function.body.block.args:
        if not isinstance(argument.type, TensorType):
            raise IrcError(f"argument {argument.index} is {argument.type}, not a tensor")
        frame = frame_type(argument)
        if any(size < 0 for size in frame.get_shape()):
            raise IrcError(f"argument {argument.index} is {frame}, of no static shape")
        name = argument_name(function, argument)
        ports.append(Port(name, tuple(frame.get_shape()), frame.element_type))
    return ports


def stream_ports(module: ModuleOp) -> list[Port]:
    """The stream that hardware takes."""
    _, source, _ = stream_attributes(module)
    return [Port("s_axis", source.shape, source.element_type)]


@dataclass(frozen=True)
class FrameSource:
    """Where frames come from: `data` from a file, or random ones that `seed` decides.

    `declarations` say what float inputs are made from, by name: they get no other floats.
    """

    data: Data | None
    count: int
    seed: int
    declarations: Mapping[str, InputDeclaration]

    @property
    def total(self) -> int:
        """How many frames there are."""
        return self.count if self.data is None else min(self.count, len(self.data.x))

    def words(self) -> str:
        """What the frames are, for messages."""
        if self.data is not None:
            return f"{self.total} frames of {self.data.source}"
        return f"{self.total} random frames, seed {self.seed}"

    def frames(self, ports: list[Port]) -> list[Array]:
        """Frames [N, *shape] for each input; raises `IrcError` where the data do not fit."""
        if self.data is not None and len(ports) != 1:
            raise IrcError(
                f"{self.data.source}: test data feed one input, and there are {len(ports)}"
            )
        return [self._feed(port, index) for index, port in enumerate(ports)]

    def _feed(self, port: Port, index: int) -> Array:
        declaration = self.declarations.get(port.name) or self.declarations.get("")
        is_float = isinstance(port.element_type, Float32Type)
        if declaration is None or not is_float:
            return self._values(port, port.element_type, index)
        return declaration.to_float(self._values(port, declaration.element_type, index))

    def rest(self, port: Port) -> float:
        """The value of an input that stands for nothing."""
        declaration = self.declarations.get(port.name) or self.declarations.get("")
        if declaration is None or not isinstance(port.element_type, Float32Type):
            return rest_value(port.element_type)
        return float(declaration.to_float(np.array(rest_value(declaration.element_type))))

    def _values(self, port: Port, kind: Attribute, index: int) -> Array:
        if self.data is None:
            return _random(port.shape, kind, self.count, self.seed + index)
        shaped = shape_frames(self.data.limited(self.total), port.shape, f"input '{port.name}'")
        return as_element_type(shaped, kind, self.data.source)


def _random(shape: tuple[int, ...], kind: Attribute, count: int, seed: int) -> Array:
    """Random frames, and with them the corners: all at one value, and mostly at it.

    Sums of uniform noise are all alike; thresholds at the ends of a range see nothing of it.
    """
    generator = np.random.default_rng(seed)
    frames = random_frames(TensorType(kind, shape), count, generator)
    low, high = (-4, 4) if isinstance(kind, Float32Type) else element_range(kind)
    rest = rest_value(kind)
    for index, value in enumerate((rest, high, low)):
        if count > 2 * index + 2:
            frames[index] = value
    sparse = frames[3 : count // 2]
    if prod(shape) > 1:
        chance = generator.uniform(0.02, 0.9, (len(sparse), *(1 for _ in shape)))
        frames[3 : count // 2] = np.where(generator.random(sparse.shape) < chance, sparse, rest)
    return frames


def rest_value(kind: Attribute) -> int:
    """What stands for nothing: 0, or −1 where there is no 0."""
    if isinstance(kind, Float32Type):
        return 0
    low, high = element_range(kind)
    return 0 if low <= 0 <= high and (low, high) != (-1, 1) else low
