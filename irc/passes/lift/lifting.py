"""What the rules that lift ONNX nodes to the `bnn` dialect share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import Float32Type, LocationAttr, TensorType
from xdsl.ir import Attribute, Block, Operation, SSAValue

from irc.dialects import bnn, onnx
from irc.dialects.locations import fused_location
from irc.errors import UnsupportedError
from irc.passes.lift.quantized_constants import QuantizedConstant, QuantizedConstants

if TYPE_CHECKING:
    from irc.passes.lift.choices import Choice

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Obstacle:
    """Why one node cannot be lifted."""

    node: str
    op_type: str
    reason: str

    def __str__(self) -> str:
        return f"node '{self.node}' ({self.op_type}): {self.reason}"


class BlockedError(Exception):
    """A node uses a value that another obstacle has already made unavailable."""


@dataclass
class Lifting:
    """The state of lifting one function: where to emit, and what each ONNX value became.

    `batch` is the size of the leading dimension of every activation, which frames lack;
    `None` for a model that has no such dimension.
    """

    block: Block
    batch: int | None
    values: dict[SSAValue, SSAValue] = field(default_factory=dict[SSAValue, SSAValue])
    obstacles: list[Obstacle] = field(default_factory=list[Obstacle])
    blamed: set[SSAValue] = field(default_factory=set[SSAValue])
    node: onnx.OnnxOp | None = None
    quantized_constants: QuantizedConstants = field(default_factory=QuantizedConstants)
    constant_locations: dict[SSAValue, LocationAttr] = field(
        default_factory=dict[SSAValue, LocationAttr]
    )
    """Where constants come from that nodes of the model compute, such as quantized weights."""
    choices: dict[SSAValue, Choice] = field(default_factory=dict[SSAValue, "Choice"])
    """What is known of values that are one of some constants."""

    def emit(self, op: Operation) -> SSAValue:
        """Append an operation at the location of the current node, and of nodes that compute its
        constants; returns its first result."""
        if self.node is not None:
            op.location = self.location_of(self.node)
        self.block.add_op(op)
        return op.results[0]

    def location_of(self, node: onnx.OnnxOp) -> LocationAttr:
        """The location of a node, and of those that compute the constants that it reads."""
        known = self.constant_locations
        return fused_location(
            node.location, *(known[operand] for operand in node.operands if operand in known)
        )

    def fail(self, reason: str) -> UnsupportedError:
        """An error about the current node, to be raised."""
        assert self.node is not None
        return UnsupportedError(reason, self.node.location)

    def frame(self, value: SSAValue | None) -> SSAValue:
        """The lifted activation; raises if `value` is missing, a constant or not available."""
        if value is None:
            raise self.fail("a required input is missing")
        if value in self.values:
            return self.values[value]
        if self.constant(value) is not None:
            raise self.fail("an activation is expected where the model has a constant")
        raise BlockedError

    def floats(self, value: SSAValue | None) -> SSAValue:
        """The lifted activation as f32."""
        lifted = self.frame(value)
        element_type = bnn.frame_type(lifted).element_type
        if not isinstance(element_type, Float32Type):
            raise self.fail(f"arithmetic on {element_type} tensors; cast to float32 first")
        return lifted

    def constant(self, value: SSAValue | None) -> Array | None:
        """The array of a constant, dequantized where it is quantized; `None` for activations.

        NaN and infinity are errors.
        """
        found = onnx.constant_value(value)
        if found is None:
            quantized = self.quantized(value)
            if quantized is None:
                return None
            found = quantized.floats
        if found.dtype.kind == "f" and not np.isfinite(found).all():
            raise self.fail("a constant holds NaN or infinity")
        return found

    def quantized(self, value: SSAValue | None) -> QuantizedConstant | None:
        """The integers and scales of a constant behind a quantizer; `None` for anything else.

        A constant that cannot be quantized is an error at the first node that asks for it.
        """
        if value in self.blamed:
            raise BlockedError
        try:
            return self.quantized_constants.of(value)
        except UnsupportedError:
            if value is not None:
                self.blamed.add(value)
            raise

    def required_constant(self, value: SSAValue | None, what: str) -> Array:
        """The array of a constant; raises if it is missing or computed at run time."""
        found = self.constant(value)
        if found is None:
            raise self.fail(f"{what} must be a constant")
        return found

    def shape(self, value: SSAValue) -> tuple[int, ...]:
        """The static shape of an ONNX value, batch included; raises where it is unknown."""
        if not TensorType.constr().verifies(value.type):
            raise self.fail(f"the shape of {_name(value)} is unknown")
        shape = value.type.get_shape()
        if any(dim < 0 for dim in shape):
            raise self.fail(f"the shape of {_name(value)} is not static: {list(shape)}")
        return shape

    def frame_shape(self, value: SSAValue) -> tuple[int, ...]:
        """The shape of an ONNX activation without its batch; raises if the batch is not kept."""
        shape = self.shape(value)
        if self.batch is None:
            return shape
        if shape[:1] != (self.batch,):
            raise self.fail(
                f"the result of shape {list(shape)} mixes frames: its first dimension must stay "
                f"the batch, {self.batch}"
            )
        return shape[1:]

    def frame_axis(self, axis: int, rank: int) -> int:
        """The axis of a frame for one of an ONNX activation of `rank`; raises for the batch."""
        if not -rank <= axis < rank:
            raise self.fail(f"axis {axis} of an activation with {rank} axes")
        place = axis % rank - (self.batch is not None)
        if place < 0:
            raise self.fail(f"axis {axis} is the batch; only axes of a frame can be used")
        return place

    def frame_constant(self, constant: Array, rank: int) -> Array:
        """A constant that broadcasts to an activation of `rank`, made to broadcast to a frame."""
        if self.batch is not None and constant.ndim == rank:
            if constant.shape[0] != 1:
                raise self.fail("a constant differs between the frames of a batch")
            constant = constant[0]
        while constant.ndim > 1 and constant.shape[0] == 1:
            constant = constant[0]
        if constant.size == 1:
            constant = constant.reshape(())
        return constant.astype(np.float32)

    def ewise(
        self,
        fn: str,
        value: SSAValue,
        constant: npt.ArrayLike | None = None,
        constant_error: npt.ArrayLike | None = None,
    ) -> SSAValue:
        """Emit one element-wise function, of constants a channel with the channels last."""
        if _is_per_first_axis(constant) and _is_per_first_axis(constant_error, True):
            constant = np.reshape(constant, -1) if constant is not None else None
            constant_error = None if constant_error is None else np.reshape(constant_error, -1)
            last = self.ewise(fn, self.channels_last(value), constant, constant_error)
            return self.channels_first(last)
        floats = None if constant is None else bnn.DenseAttr.from_floats(constant)
        error = None if constant_error is None else bnn.DenseAttr.from_floats(constant_error)
        return self.emit(bnn.EwiseOp(fn, value, floats, constant_error=error))

    def channels_last(self, value: SSAValue) -> SSAValue:
        """The activation with ONNX's channel axis, the first of a frame, moved to the end."""
        rank = len(bnn.frame_type(value).get_shape())
        if rank < 2:
            return value
        return self.emit(bnn.TransposeOp(value, (*range(1, rank), 0)))

    def channels_first(self, value: SSAValue) -> SSAValue:
        """The inverse of `channels_last`."""
        rank = len(bnn.frame_type(value).get_shape())
        if rank < 2:
            return value
        return self.emit(bnn.TransposeOp(value, (rank - 1, *range(rank - 1))))


def _is_per_first_axis(constant: npt.ArrayLike | None, or_one: bool = False) -> bool:
    """Whether a constant [C, 1, …, 1] has one number for each index along the first axis."""
    shape = np.shape(constant) if constant is not None else ()
    if or_one and np.prod(shape) == 1:
        return True
    return len(shape) > 1 and shape[0] > 1 and set(shape[1:]) == {1}


def _name(value: SSAValue) -> str:
    return f"'{value.name_hint}'" if value.name_hint else "a value"


Rule = Callable[[Lifting, Any], SSAValue]
"""Lifts one node: emits its operations and returns what its first output becomes."""

RULES: dict[str, Rule] = {}


def rule(*op_types: str) -> Callable[[Rule], Rule]:
    """Register a lifting rule for ONNX operators."""

    def register(function: Rule) -> Rule:
        for op_type in op_types:
            assert op_type not in RULES, op_type
            RULES[op_type] = function
        return function

    return register


def element_type_of(value: SSAValue) -> Attribute:
    """The element type of a tensor value."""
    return bnn.frame_type(value).element_type
