"""What the layers share: properties of a folding, and checks."""

from __future__ import annotations

from xdsl.dialects.builtin import IntegerAttr, StringAttr, i64
from xdsl.ir import Attribute
from xdsl.utils.exceptions import VerifyException

from irc.dialects.dataflow_node import MEMORIES, Folding
from irc.dialects.dataflow_stream import StreamType
from irc.dialects.dense import DenseAttr, is_exact


def folding_properties(folding: Folding) -> dict[str, Attribute]:
    """The properties `pe` and `memory`."""
    return {"pe": IntegerAttr(folding.pe, i64), "memory": StringAttr(folding.memory)}


def verify_output(folding: Folding, result: StreamType) -> None:
    """Raise `VerifyException` unless the output has a lane a PE and the memory is known."""
    lanes = folding.pe * folding.mmv
    if result.lanes != lanes:
        each = f" for each of mmv = {folding.mmv}" if folding.mmv > 1 else ""
        raise VerifyException(
            f"pe = {folding.pe}{each} gives {lanes} lanes, not the {result.lanes} of {result}"
        )
    if folding.memory not in MEMORIES:
        raise VerifyException(f"unknown memory '{folding.memory}'; known are {', '.join(MEMORIES)}")


def verify_weighted_sums(
    source: StreamType, result: StreamType, weights: DenseAttr, groups: int, mmv: int
) -> None:
    """Raise `VerifyException` unless weights [M, K], M/G rows for each of G groups, make frames of
    `result` from those of `source`, whose vectors may come interleaved, `mmv` of them."""
    if len(weights.shape) != 2 or not is_exact(weights.element_type):
        raise VerifyException(f"weights must be exact [M, K], not {weights.type}")
    rows, columns = weights.shape
    if groups < 1 or rows % groups:
        raise VerifyException(f"{rows} rows are not {groups} equal groups")
    elements = columns * groups
    frames = {(*source.shape[:-1], elements)}
    if mmv > 1 and len(source.shape) > 1 and len(result.shape) > 1:
        frames.add((*result.shape[:-2], result.shape[-2] // mmv, elements * mmv))
    if not source.shape or source.shape not in frames:
        raise VerifyException(
            f"weights of {columns} columns do not fit {source}"
            + (f" in {groups} groups" if groups > 1 else "")
        )
    vectors = [*source.shape[:-1]]
    if source.channels != elements:
        vectors[-1] *= mmv
    if result.shape != (*vectors, rows):
        raise VerifyException(f"{rows} rows do not give {result}")


def verify_thresholds(thresholds: DenseAttr, steps: DenseAttr | None, channels: int) -> None:
    """Raise `VerifyException` unless both are integers [channels, T] or [1, T]."""
    for what, attribute in (("thresholds", thresholds), ("steps", steps)):
        if attribute is None:
            continue
        exact = is_exact(attribute.element_type)
        if not exact or len(attribute.shape) != 2 or attribute.shape[0] not in (1, channels):
            raise VerifyException(
                f"{what} must be integers [{channels}, T] or [1, T], not {attribute.type}"
            )
    if steps is not None and steps.shape != thresholds.shape:
        raise VerifyException(f"{steps.type} steps for {thresholds.type} thresholds")
