"""The arrays that a caller hands to generated code."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import Float32Type, StringAttr
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute

from irc.backends.c.text import c_type, word_type
from irc.dialects import packed
from irc.dialects.bnn import frame_type
from irc.dialects.dense import BipolarType, element_range
from irc.dialects.packed_interface import THRESHOLD, ZERO_POINT, integer_attribute
from irc.dialects.packed_types import BitsType, numpy_dtype, to_planes

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Port:
    """A function argument or result: the caller's array."""

    name: str
    shape: tuple[int, ...]
    element_type: Attribute
    c_type: str
    declared: str = ""
    """How a float input of the model follows from this one, such as `uint8/255`."""
    model_name: str = ""
    """What the model calls it."""
    bits: BitsType | None = None
    """How the caller's bits lie in words, where they are no array of elements."""
    threshold: int | None = None
    """The bit is 1 where the declared input is at least this."""
    zero_point: int | None = None
    """The declared input is the caller's integer less this."""
    classes: int | None = None
    """Of how many values the result is the index of the largest."""

    @property
    def size(self) -> int:
        """Elements of the C array."""
        return math.prod(self.shape) if self.bits is None else self.bits.length

    def stored(self, frames: Array) -> Array:
        """Frames [N, shape…] as the C arrays hold them, [N, size]."""
        flat = np.asarray(frames).reshape(len(frames), math.prod(self.shape))
        if self.bits is None:
            return np.ascontiguousarray(flat, self.dtype)
        rows = flat.reshape(len(flat), self.bits.rows, self.bits.width)
        words = to_planes(rows, self.bits.element_type, self.bits.word)
        return np.ascontiguousarray(words.reshape(len(flat), -1), f"u{self.bits.word // 8}")

    @property
    def dtype(self) -> np.dtype[Any]:
        """The NumPy type of the C type."""
        return numpy_dtype(self.element_type)

    def admits(self, array: Array) -> bool:
        """Whether every value is one of the element type."""
        if isinstance(self.element_type, Float32Type) or array.size == 0:
            return True
        low, high = element_range(self.element_type)
        if isinstance(self.element_type, BipolarType):
            return bool((np.abs(array.astype(np.int64)) == 1).all())
        is_whole = array.dtype.kind in "iub" or np.array_equal(array, np.rint(array))
        return is_whole and low <= int(array.min()) and int(array.max()) <= high

    def random(self, generator: np.random.Generator, count: int) -> Array:
        """`count` frames of uniformly random values of the type; floats from −1 to 1."""
        shape = (count, *self.shape)
        if isinstance(self.element_type, Float32Type):
            return generator.uniform(-1, 1, shape).astype(np.float32)
        if isinstance(self.element_type, BipolarType):
            return (2 * generator.integers(0, 2, shape) - 1).astype(np.int8)
        low, high = element_range(self.element_type)
        return generator.integers(low, high, shape, self.dtype, endpoint=True)


def parameter_list(inputs: list[Port], outputs: list[Port]) -> str:
    """The parameters of a generated function, after the arena."""
    texts = [f"const {port.c_type} *{port.name}" for port in inputs]
    return ", ".join(texts + [f"{port.c_type} *{port.name}" for port in outputs])


def function_ports(function: FuncOp, names: list[str], *, is_input: bool) -> list[Port]:
    """The arguments or the results of a function, under the names that C knows them by."""
    terminator = function.body.block.last_op
    assert isinstance(terminator, ReturnOp)
    values = function.body.block.args if is_input else terminator.arguments
    attributes = function.arg_attrs if is_input else function.res_attrs
    ports: list[Port] = []
    for index, (name, value) in enumerate(zip(names, values, strict=True)):
        frame = frame_type(value)
        kind = frame.element_type
        port = Port(name, frame.get_shape(), kind, c_type(kind))
        if is_input:
            port = _as_taken(port, function, index)
        elif isinstance(value.owner, packed.OutputOp):
            port = replace(port, classes=_classes(value.owner))
        if attributes:
            given = attributes.data[index].data
            port = replace(
                port,
                declared=_text(given.get("bnn.declared")),
                model_name=_text(given.get("bnn.name")),
            )
        ports.append(port)
    return ports


def _as_taken(port: Port, function: FuncOp, index: int) -> Port:
    """An input in the form in which the function takes it."""
    taken = next(
        use.operation.output.type
        for use in function.body.block.args[index].uses
        if isinstance(use.operation, packed.InputOp)
    )
    if isinstance(taken, BitsType):
        port = replace(port, bits=taken, c_type=word_type(taken.word))
    return replace(
        port,
        threshold=integer_attribute(function, index, THRESHOLD),
        zero_point=integer_attribute(function, index, ZERO_POINT),
    )


def _classes(output: packed.OutputOp) -> int | None:
    """How many classes there are where a result is one of them."""
    argmax = output.input.owner
    if not isinstance(argmax, packed.ArgmaxOp):
        return None
    return packed.array_type(argmax.input).length // packed.array_type(argmax.output).length


def _text(attribute: Attribute | None) -> str:
    """The text of a string attribute, on one line."""
    return " ".join(attribute.data.split()) if isinstance(attribute, StringAttr) else ""
