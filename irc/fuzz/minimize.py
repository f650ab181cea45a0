"""Findings made small: whatever a damaged file holds that the fault does not need goes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from google.protobuf.message import DecodeError, Message
from onnx import ModelProto

from irc.fuzz.job import Job
from irc.fuzz.mutate.proto import messages_in

MAX_TRIES = 400
MAX_SECONDS = 60.0

_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|[\w.$-]+|\s+|[^\w\s]')

Fails = Callable[[Job], bool]


class _Budget:
    """Tries and time that are left."""

    def __init__(self, job: Job, fails: Fails, tries: int, seconds: float) -> None:
        self.best = job
        self._fails = fails
        self._tries = tries
        self._until = time.monotonic() + seconds

    @property
    def is_spent(self) -> bool:
        return self._tries <= 0 or time.monotonic() > self._until

    def attempt(self, content: bytes) -> bool:
        """Keep a smaller file if it falls in the same way."""
        if self.is_spent or len(content) >= len(self.best.content):
            return False
        self._tries -= 1
        candidate = self.best.with_content(content)
        if self._fails(candidate):
            self.best = candidate
            return True
        return False


def minimize(
    job: Job, fails: Fails, *, tries: int = MAX_TRIES, seconds: float = MAX_SECONDS
) -> Job:
    """The smallest file found with which the command `fails` still."""
    budget = _Budget(job, fails, tries, seconds)
    if job.name.endswith(".onnx"):
        _minimize_model(budget)
    elif job.name.endswith((".mlir", ".txt", ".toml", ".json")):
        _minimize_pieces(budget, lambda data: data.splitlines(keepends=True))
        _minimize_pieces(budget, _tokens)
    else:
        _minimize_pieces(budget, lambda data: [data[i : i + 1] for i in range(len(data))])
    return budget.best


def _tokens(data: bytes) -> list[bytes]:
    text = data.decode("utf-8", "surrogatepass")
    return [token.encode("utf-8", "surrogatepass") for token in _TOKEN.findall(text)]


def _minimize_pieces(budget: _Budget, split: Callable[[bytes], Sequence[bytes]]) -> None:
    """Drop runs of pieces, the longest first."""
    pieces = list(split(budget.best.content))
    length = max(1, len(pieces) // 2)
    while not budget.is_spent:
        start = 0
        while start < len(pieces) and not budget.is_spent:
            rest = [*pieces[:start], *pieces[start + length :]]
            if budget.attempt(b"".join(rest)):
                pieces = rest
            else:
                start += length
        if length == 1:
            return
        length //= 2


def _minimize_model(budget: _Budget) -> None:
    model = ModelProto()
    try:
        model.ParseFromString(budget.best.content)
    except DecodeError:
        _minimize_pieces(budget, lambda data: [data[i : i + 1] for i in range(len(data))])
        return
    changed = True
    while changed and not budget.is_spent:
        changed = False
        position = 0
        while not budget.is_spent:
            smaller = ModelProto()
            smaller.CopyFrom(model)
            cuts = list(_cuts(smaller))
            if position >= len(cuts):
                break
            cuts[position]()
            if budget.attempt(smaller.SerializeToString(deterministic=True)):
                model, changed = smaller, True
            else:
                position += 1


def _cuts(message: Message) -> Iterator[Callable[[], Any]]:
    """Ways to make a message smaller, those that take the most away first."""
    for owner in messages_in(message):
        for field, value in owner.ListFields():
            if not field.is_repeated:
                yield _clearing(owner, field.name)
                continue
            length = len(value)
            while length:
                for start in range(0, len(value), length):
                    yield _deleting(value, start, length)
                length //= 2 if length <= 64 else 8


def _clearing(owner: Message, name: str) -> Callable[[], Any]:
    return lambda: owner.ClearField(name)


def _deleting(values: Any, start: int, length: int) -> Callable[[], Any]:
    return lambda: values.__delitem__(slice(start, start + length))
