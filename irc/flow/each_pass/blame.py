"""The first operation that went wrong: the one whose old value makes the answer right again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import UnknownLoc
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Operation, SSAValue

from irc.dialects.locations import location_names
from irc.flow.each_pass.answers import Machine, differing
from irc.flow.each_pass.trace import trace
from irc.flow.each_pass.values import encoded, is_float, plain
from irc.passes.layer_names import describe

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Blame:
    """An operation of the module after the pass, and where its value is not what it was."""

    op: Operation
    element: int
    before: float
    after: float
    is_certain: bool
    """Whether the old value in its place gives the old answer."""

    def __str__(self) -> str:
        doubt = "" if self.is_certain else " (others may be wrong as well)"
        return (
            f"{describe(self.op)}, element {self.element}: {self.before:.9g} before, "
            f"{self.after:.9g} after{doubt}"
        )


def blamed(
    before: Machine,
    after: Machine,
    clones: Mapping[SSAValue, SSAValue],
    frames: Sequence[Array],
) -> Blame | None:
    """Find the operation for one frame on which the answers differ.

    `clones` leads from values that the pass may have kept to those in the module before. Others
    are matched by the location that both came from. `None` where nothing can be matched.
    """
    if before.function is None or after.function is None:
        return None
    expected, old = trace(before.module, before.function, before.feed(frames))
    _, new = trace(after.module, after.function, after.feed(frames))
    pairs = _Pairs(before.function, old, clones)
    first = None
    for op in _ops(after.function):
        for result in op.results:
            now = plain(new[result], result.type)
            if now is None:
                continue
            known = pairs.counterparts(result, now)
            if any(_alike(now, was, is_float(result.type)) for was, _ in known):
                continue
            for was, is_like in known:
                if _mends(after, frames, result, was, expected):
                    return _blame(op, was, now, True)
                if first is None and is_like:
                    first = _blame(op, was, now, False)
    return first


def _blame(op: Operation, was: Array, now: Array, is_certain: bool) -> Blame:
    element = int(np.argmax((now[0] != was[0]) & ~(np.isnan(now[0]) & np.isnan(was[0]))))
    return Blame(op, element, float(was[0, element]), float(now[0, element]), is_certain)


def _ops(function: FuncOp) -> Iterator[Operation]:
    return (op for op in function.body.block.ops if not isinstance(op, ReturnOp))


def _alike(a: Array, b: Array, floats: bool) -> bool:
    if not floats:
        return bool(np.array_equal(a, b))
    return not differing([b], [a]).any()


def _mends(
    after: Machine,
    frames: Sequence[Array],
    value: SSAValue,
    was: Array,
    expected: Sequence[Array],
) -> bool:
    """Whether the old value gives the old answer."""
    forced = encoded(was, value.type)
    if forced is None or after.function is None:
        return False
    results, _ = trace(after.module, after.function, after.feed(frames), {value: forced})
    return not differing(expected, results).any()


class _Pairs:
    """Values of a module before the pass, by what they may be matched with."""

    def __init__(
        self, function: FuncOp, values: Mapping[SSAValue, Any], clones: Mapping[SSAValue, SSAValue]
    ) -> None:
        self._values = values
        self._clones = clones
        self._by_place: defaultdict[str, list[SSAValue]] = defaultdict(list)
        for op in _ops(function):
            for place in _places(op):
                self._by_place[place] += op.results

    def counterparts(self, value: SSAValue, now: Array) -> list[tuple[Array, bool]]:
        """What may have stood for a value before, [1, elements] each, and whether an operation of
        the same name made it: those first, then the last of each place before earlier ones.

        An operation that stands for several nodes, such as a layer with its thresholds, may match
        the value of any of them.
        """
        owner = value.owner
        if not isinstance(owner, Operation):
            return []
        candidates = [self._clones[value]] if value in self._clones else []
        for place in reversed(_places(owner)):
            candidates += reversed(self._by_place[place])
        found: list[tuple[Array, bool]] = []
        for candidate in dict.fromkeys(candidates):
            if candidate not in self._values:
                continue
            was = plain(self._values[candidate], candidate.type)
            if was is not None and was.shape == now.shape:
                found.append((was, _name(candidate) == owner.name))
        # Stable: those of the same name first.
        return sorted(found, key=lambda pair: not pair[1])


def _name(value: SSAValue) -> str:
    return value.owner.name if isinstance(value.owner, Operation) else ""


def _places(op: Operation) -> list[str]:
    """The names of the nodes that an operation stands for, or its place in a text."""
    names = location_names(op.location)
    if names:
        return names
    return [] if isinstance(op.location, UnknownLoc) else [str(op.location)]
