"""Runs tests against a mutant, in a child process in which one function is another.

No file is written. The parent has collected the tests, so that all modules are there; each child is
a fork of it, puts the code of the mutated function into the original one, which every module that
imported it then has too, and runs the tests.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import gc
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, cast

import pytest

ROOT = Path(__file__).resolve().parents[1]

MEMORY = 8 << 30
"""Bytes that a child may take."""

KILLED, SURVIVED, SLOW = "killed", "survived", "killed by time"


def source_of(module: str) -> Path:
    """The file of a module."""
    return ROOT / f"{module.replace('.', '/')}.py"


_CACHE = type(functools.cache(lambda: None))

Work = Callable[["Tests"], None]


class Tests:
    """Tests that pytest has collected, to be run over and over, each time in a child."""

    def __init__(self, session: pytest.Session) -> None:
        self._session = session
        self._items = list(session.items)
        caches: list[Any] = [each for each in gc.get_objects() if type(each) is _CACHE]
        self._caches = caches

    def run(self, limit: float, change: Callable[[], None] = lambda: None) -> str:
        """What the tests say after a change of this process, which only the child sees; they are
        stopped after `limit` seconds."""
        child = os.fork()
        if child == 0:
            self._run_child(change)
        status = _wait(child, time.monotonic() + limit)
        if status is None:
            return SLOW
        code = os.waitstatus_to_exitcode(status)
        if 0 < code <= len(self._items):
            # What noticed one mistake often notices the next.
            self._items.insert(0, self._items.pop(code - 1))
        return SURVIVED if code == 0 else KILLED

    def _run_child(self, change: Callable[[], None]) -> None:
        """Does not return; the exit status is the number of the test that failed, from 1."""
        code = 255
        try:
            os.setpgid(0, 0)
            # Many mutants go round in circles: they are not to take the memory of the machine.
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            change()
            for cached in self._caches:
                cached.cache_clear()
            items = self._items
            for index, item in enumerate(items):
                following = items[index + 1] if index + 1 < len(items) else None
                item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
                if self._session.testsfailed:
                    os._exit(min(index + 1, 254))
            code = 0
        except BaseException:
            code = 255
        finally:
            os._exit(code)


class _Plugin:
    """Does other work where pytest would run what it has collected."""

    def __init__(self, work: Work) -> None:
        self.work = work

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Called once, behind the collection."""
        if session.testsfailed or not session.items:
            raise pytest.UsageError("the tests cannot be collected")
        self.work(Tests(session))
        return True


def with_tests(tests: Sequence[str], work: Work) -> None:
    """Let `work` run tests as often as it likes; they are collected once.

    Raises `RuntimeError` where they cannot be collected.
    """
    os.chdir(ROOT)
    # Examples that failed would be tried first next time: each run is to be like the others.
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = tempfile.mkdtemp(prefix="irc-mutation-")
    arguments = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    with _silence():
        code = pytest.main([*tests, *arguments], plugins=[_Plugin(work)])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise RuntimeError(f"pytest cannot collect {', '.join(tests)}: {code!r}")


@contextlib.contextmanager
def _silence() -> Generator[None]:
    """Nothing that is printed is seen, by this process or others."""
    kept = [os.dup(stream) for stream in (1, 2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    try:
        yield
    finally:
        for stream, old in zip((1, 2), kept, strict=True):
            os.dup2(old, stream)
            os.close(old)
        os.close(nowhere)


def replace_function(module: str, name: str, tree: ast.Module) -> None:
    """Give a function of a loaded module, `Class.method`, the code that it has in `tree`."""
    loaded = sys.modules[module]
    other = ModuleType(module)
    other.__dict__.update(__file__=loaded.__file__, __package__=loaded.__package__)
    exec(compile(tree, str(source_of(module)), "exec"), other.__dict__)
    old, new = _function(loaded, name), _function(other, name)
    old.__code__ = new.__code__
    old.__defaults__, old.__kwdefaults__ = new.__defaults__, new.__kwdefaults__


def _function(module: ModuleType, name: str) -> FunctionType:
    """A function or method, without what decorators made of it."""
    found = functools.reduce(_member, name.split("."), cast(Any, module))
    for attribute in ("fget", "func", "__func__", "__wrapped__"):
        # Of a property, of one that is cached, of a static method and of a cached function.
        if not isinstance(found, FunctionType) and hasattr(found, attribute):
            found = getattr(found, attribute)
    assert isinstance(found, FunctionType)
    # Other decorators keep what they wrap in a closure.
    while found.__code__.co_name != name.rpartition(".")[2]:
        inner = [cell.cell_contents for cell in found.__closure__ or ()]
        found = next(each for each in inner if isinstance(each, FunctionType))
    return found


def _member(owner: Any, name: str) -> Any:
    """What a module or class has under a name, a property itself and not its value."""
    return owner.__dict__[name]


def _wait(child: int, deadline: float) -> int | None:
    """The exit status; None, and all that the child started is gone, once it is too late."""
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            _end_group(child)
            return status
        time.sleep(0.01)
    _end_group(child)
    os.waitpid(child, 0)
    return None


def _end_group(child: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
