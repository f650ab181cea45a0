"""What the operations of the `bnn` dialect share: their value types and what they check."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import Float32Type, TensorType
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.utils.exceptions import VerifyException

from irc.dialects.dense import BipolarType, DenseAttr, is_exact

# Built once: this is asked for every value of every operation, whenever a module is verified.
_ANY_TENSOR = TensorType.constr()


def frame_type(value: SSAValue) -> TensorType[Attribute]:
    """The tensor type of a value; every value of this dialect has one, others are refused."""
    if not _ANY_TENSOR.verifies(value.type):
        raise VerifyException(f"expected a tensor, not {value.type}")
    return value.type


def like(value: SSAValue, element_type: Attribute) -> TensorType[Attribute]:
    """The type of `value` with another element type."""
    return TensorType(element_type, frame_type(value).get_shape())


def check_same_shape(op: Operation) -> None:
    """Raise unless the first result has the shape of the first operand."""
    source, result = frame_type(op.operands[0]), frame_type(op.results[0])
    if source.get_shape() != result.get_shape():
        raise VerifyException(f"{op.name} keeps the shape, but goes from {source} to {result}")


def check_float(value: SSAValue, what: str) -> None:
    """Raise unless `value` is f32; `what` names it in the message."""
    if not isinstance(frame_type(value).element_type, Float32Type):
        raise VerifyException(f"{what} must be f32, not {value.type}")


def check_exact(value: SSAValue, what: str) -> None:
    """Raise unless `value` is bipolar or integer."""
    if not is_exact(frame_type(value).element_type):
        raise VerifyException(f"{what} must be bipolar or integer, not {value.type}")


def check_floats(constant: DenseAttr, what: str) -> None:
    """Raise unless a constant is f32."""
    if not isinstance(constant.element_type, Float32Type):
        raise VerifyException(f"{what} must be f32, not {constant.type}")


def check_broadcast(constant: Sequence[int], frame: Sequence[int]) -> None:
    """Raise unless the shape of a constant broadcasts to that of a frame."""
    aligned = zip(reversed(constant), reversed(frame), strict=False)
    if len(constant) > len(frame) or any(c not in (1, f) for c, f in aligned):
        raise VerifyException(
            f"a constant of shape {list(constant)} does not broadcast to {list(frame)}"
        )


def check_weighted_sum(
    source: TensorType[Attribute],
    weights: DenseAttr,
    result: TensorType[Attribute],
    scales: DenseAttr | None,
    offsets: DenseAttr | None,
) -> None:
    """Raise unless the types of a sum of products fit: exact if input and weights are.

    `scales` and `offsets`, one a row of the weights or one for all, are for floats only.
    """
    exact = is_exact(source.element_type) and is_exact(weights.element_type)
    if exact != is_exact(result.element_type):
        raise VerifyException(f"the result must be {'integer' if exact else 'f32'}, not {result}")
    if isinstance(result.element_type, BipolarType):
        raise VerifyException("a sum is an integer, not bipolar")
    for what, attribute in (("scales", scales), ("offsets", offsets)):
        if attribute is None:
            continue
        if exact:
            raise VerifyException(f"an exact sum has no {what}")
        check_floats(attribute, what)
        check_broadcast(attribute.shape, weights.shape[:1])
