"""`irc-opt --load my_pass.py`: a user's Python file as a universe of passes and dialects."""

from __future__ import annotations

import importlib.util
import inspect
import os
import sys
import traceback
from collections.abc import Callable
from types import ModuleType
from typing import Any

from xdsl.ir import Dialect
from xdsl.passes import ModulePass
from xdsl.universe import Universe
from xdsl.utils.target import Target

from irc.diagnostics import Diagnostic, excerpt
from irc.errors import IrcError
from irc.near_misses import did_you_mean
from irc.universe import Registry


def load_file(registry: Registry, path: str) -> None:
    """Import a Python file and register what it defines; raises `IrcError` that names it.

    Counted are the `ModulePass`, `Target` classes that the file itself defines, and the `Dialect`
    and `Universe` objects that it holds.
    """
    module = _import(path)
    universe = _collect(module, path)
    if not (universe.all_passes or universe.all_dialects or universe.all_targets):
        raise IrcError(
            f"{path}: defines no pass: expected a class derived from ModulePass with a 'name', "
            "or a Dialect, Target or Universe"
        )
    registry.add(os.path.basename(path), universe)


def _import(path: str) -> ModuleType:
    if not path.endswith(".py"):
        raise IrcError(f"{path}: --load takes a Python file, with the extension .py")
    if not os.path.isfile(path):
        what = "is a folder" if os.path.isdir(path) else f"no such file{_similar_file(path)}"
        raise IrcError(f"{path}: {what}")
    stem = os.path.splitext(os.path.basename(path))[0]
    name = f"irc_loaded_{stem.replace('-', '_')}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by name.
    sys.modules[name] = module
    # A pass file may import its neighbours, as a script may.
    folder = os.path.dirname(os.path.abspath(path))
    sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise IrcError(_import_message(path, error)) from error
    finally:
        sys.path.remove(folder)
    return module


def _similar_file(path: str) -> str:
    folder, name = os.path.split(path)
    try:
        names = [other for other in os.listdir(folder or ".") if other.endswith(".py")]
    except OSError:
        return f" (there is no folder '{folder}')"
    return did_you_mean(name, names, 0.8)


def _import_message(path: str, error: Exception) -> str:
    if isinstance(error, SyntaxError) and error.lineno is not None:
        where = f"{error.filename}:{error.lineno}:{error.offset or 1}"
        lines = [f"{where}: {error.msg}"]
        if error.text:
            lines += excerpt(error.text.rstrip("\n"), error.offset or 1)
        return "\n".join(lines)
    if isinstance(error, OSError | UnicodeDecodeError):
        return f"{path}: cannot be read: {error}"
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if os.path.abspath(frame.filename) == os.path.abspath(path)
    ]
    line = frames[-1].lineno if frames else 1
    message = str(error) if isinstance(error, IrcError) else f"{type(error).__name__}: {error}"
    found = Diagnostic(message)
    text = [f"{path}:{line}: {found.message}"]
    if frames and frames[-1].line:
        text.append(f"  {frames[-1].line}")
    return "\n".join(text)


def _collect(module: ModuleType, path: str) -> Universe:
    passes: dict[str, Callable[[], type[ModulePass]]] = {}
    targets: dict[str, Callable[[], type[Target]]] = {}
    dialects: dict[str, Callable[[], Dialect]] = {}
    for value in list(vars(module).values()):
        if isinstance(value, Universe):
            passes.update(value.all_passes)
            targets.update(value.all_targets)
            dialects.update(value.all_dialects)
        elif isinstance(value, Dialect):
            dialects[value.name] = _constant(value)
        elif _is_own_class(value, module, ModulePass):
            _add(passes, _name_of(value, path), value, path)
        elif _is_own_class(value, module, Target):
            _add(targets, _name_of(value, path), value, path)
    return Universe(all_dialects=dialects, all_passes=passes, all_targets=targets)


def _constant(value: Any) -> Callable[[], Any]:
    return lambda: value


def _is_own_class(value: object, module: ModuleType, base: type) -> bool:
    return (
        isinstance(value, type)
        and issubclass(value, base)
        and value.__module__ == module.__name__
        and not inspect.isabstract(value)
    )


def _name_of(cls: Any, path: str) -> str:
    name = getattr(cls, "name", None)
    if not isinstance(name, str):
        raise IrcError(
            f'{path}: class {cls.__name__} has no name; add one, as in: name = "my-pass"'
        )
    return name


def _add(table: dict[str, Callable[[], Any]], name: str, cls: type, path: str) -> None:
    if name in table and table[name]() is not cls:
        raise IrcError(f"{path}: two classes have the name '{name}'")
    table[name] = _constant(cls)
