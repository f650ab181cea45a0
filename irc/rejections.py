"""Why rewrites were not made: what `irc-opt --explain-rejections` lists.

A pattern, of this project or of somebody else's, that nearly matched says what stopped it:

    from irc.rejections import reject

    if not op.input.has_one_use():
        reject(op, self, lambda: f"its operand {shared(op.input, op)}")
        return

in words that the model's author understands, with the names of nodes. Where nobody collects, the
function is not called, and nothing is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from irc.plain_text import one_line

if TYPE_CHECKING:
    from xdsl.ir import Operation, SSAValue

Reason = str | Callable[[], str]
"""Half a sentence, or a function that makes it where somebody wants to know."""


@dataclass(frozen=True)
class Rejection:
    """An operation that a pattern nearly rewrote, and what stopped it.

    `node` is the name of the ONNX node, empty where there is none; `place` is `file:line` of IR
    text, empty for models.
    """

    pass_name: str
    pattern: str
    node: str
    operation: str
    place: str
    reason: str

    @property
    def what(self) -> str:
        """The operation: `node 'fc1' (bnn.linear)`."""
        if self.node:
            return f"node '{self.node}' ({self.operation})"
        return f"{self.place}: {self.operation}" if self.place else self.operation

    def __str__(self) -> str:
        return f"{self.what}: {self.pattern}: {self.reason}"


class Recorder:
    """Collects rejections, pass by pass; `rejections` holds those of the passes that ended.

    What a pattern rejects at first and rewrites later in the same pass is not kept, and of several
    reasons for one operation and pattern the last one is.
    """

    def __init__(self) -> None:
        self.rejections: list[Rejection] = []
        self._open: dict[tuple[Operation, str], tuple[str, bool]] = {}

    def add(self, op: Operation, pattern: str, reason: str, final: bool = False) -> None:
        """Note a rejection of the pass at work."""
        self._open.pop((op, pattern), None)
        self._open[op, pattern] = reason, final

    def end_pass(self, name: str) -> None:
        """The pass of this name has ended: keep what was rejected of what is still there."""
        for (op, pattern), (reason, final) in self._open.items():
            if op.parent is None and not final:
                continue
            node, place = _origin(op)
            found = Rejection(name, pattern, node, op.name, place, reason)
            if found not in self.rejections:
                self.rejections.append(found)
        self._open = {}

    def text(self) -> str:
        """All of them for a terminal, under the names of the passes."""
        if not self.rejections:
            return "no pattern nearly matched without being applied\n"
        lines: list[str] = []
        for name in dict.fromkeys(each.pass_name for each in self.rejections):
            lines.append(f"{name}:")
            lines += [f"  {each}" for each in self.rejections if each.pass_name == name]
        return "\n".join(lines) + "\n"


_RECORDER: ContextVar[Recorder | None] = ContextVar("irc_rejections", default=None)


def recorder() -> Recorder | None:
    """Who collects; `None` where nobody does."""
    return _RECORDER.get()


def reject(op: Operation, pattern: object, reason: Reason, *, final: bool = False) -> None:
    """Say that `pattern` nearly rewrote `op`, and what stopped it.

    `pattern` is a name, or the pattern itself, which is called by its class. It counts if `op` is
    still there when the pass ends; with `final` in any case, as passes need it that convert
    everything one way or another.
    """
    found = _RECORDER.get()
    if found is not None:
        name = pattern if isinstance(pattern, str) else type(pattern).__name__
        found.add(op, name, reason if isinstance(reason, str) else reason(), final)


@contextmanager
def recording(recorder: Recorder) -> Generator[Recorder]:
    """Let `recorder` collect inside the `with`.

    Flows that run pipelines tell it when a pass ends; whoever runs a pass alone calls `end_pass`.
    """
    token = _RECORDER.set(recorder)
    try:
        yield recorder
    finally:
        _RECORDER.reset(token)


def named(op: Operation) -> str:
    """An operation in half a sentence: `node 'conv2' (bnn.linear)`, with a function's own name."""
    node, _ = _origin(op)
    function = op.properties.get("fn")
    kind = getattr(function, "data", op.name)
    return f"node '{node}' ({kind})" if node else f"'{kind}'"


def shared(value: SSAValue, reader: Operation) -> str:
    """That others than `reader` read a value: `has 2 consumers; the other is node 'add_3' (…)`."""
    others = list(dict.fromkeys(u.operation for u in value.uses if u.operation is not reader))
    if not others:
        return "has one consumer"
    count = len(others) + 1
    which = "the other is" if count == 2 else "the others are"
    names = ", ".join(
        "the end of the function" if op.name == "func.return" else named(op) for op in others[:3]
    )
    more = f" and {len(others) - 3} more" if len(others) > 3 else ""
    return f"has {_COUNTS.get(count, str(count))} consumers; {which} {names}{more}"


_COUNTS = {2: "two", 3: "three", 4: "four"}


def _origin(op: Operation) -> tuple[str, str]:
    """The ONNX node's name, and `file:line`, each empty where it is not known."""
    from xdsl.dialects.builtin import FileLineColLoc, FusedLoc, NameLoc

    pending = [op.location]
    place = ""
    while pending:
        match pending.pop(0):
            case NameLoc() as location if location.desc.data:
                return one_line(location.desc.data), place
            case FileLineColLoc() as location:
                place = place or f"{location.filename.data}:{location.line.data}"
            case FusedLoc() as location:
                pending = [*getattr(location.locations, "data", ()), *pending]
            case _:
                pass
    return "", place
