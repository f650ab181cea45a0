"""Checks a printed design before it is written: what a tool would find, or would not.

Every identifier is declared before its use; widths agree; every net, register and memory has
exactly one driver; instances connect every port of a known module; memory files have exactly the
right number and width of words. Costs time linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from irc.backends.verilog.parse_back import parse_verilog
from irc.backends.verilog.printer import VerilogFile
from irc.backends.verilog.scope import Instance, Memory, Net, Scope, Signal, VerilogError
from irc.errors import IrcError

_HEX_DIGITS = re.compile("[0-9a-f]+")


def check_design(files: Iterable[VerilogFile]) -> None:
    """Check all files of a design together; raises `IrcError` with file and line."""
    scopes: list[tuple[str, Scope, Mapping[str, str]]] = []
    for file in files:
        try:
            scopes += [(file.name, scope, file.hex_files) for scope in parse_verilog(file.text)]
        except VerilogError as error:
            raise _internal(file.name, error) from error
    modules: dict[str, Scope] = {}
    for name, scope, _ in scopes:
        if scope.name in modules:
            raise _internal(name, VerilogError(1, f"module '{scope.name}' is defined twice"))
        modules[scope.name] = scope
    for name, scope, hex_files in scopes:
        try:
            _check_module(scope, modules, hex_files)
        except VerilogError as error:
            raise _internal(name, error) from error


def check_verilog(text: str, hex_files: Mapping[str, str] | None = None) -> None:
    """Check a self-contained text and the hex files that it reads, by name."""
    check_design([VerilogFile("verilog", text, dict(hex_files or {}))])


def _internal(name: str, error: VerilogError) -> IrcError:
    return IrcError(f"{name}.v: {error.message} (the printed Verilog is wrong: a bug in irc)")


def _check_module(scope: Scope, modules: Mapping[str, Scope], hex_files: Mapping[str, str]) -> None:
    for instance in scope.instances:
        _check_instance(scope, instance, modules)
    items: dict[str, Signal | Memory] = {**scope.signals, **scope.memories}
    for name, item in items.items():
        # A memory may be written and have contents from the beginning.
        drivers = max(item.drivers, item.initials) if isinstance(item, Memory) else item.drivers
        if drivers != 1:
            raise VerilogError(item.line, f"'{name}' has {drivers} drivers, expected 1")
    for name, memory in scope.memories.items():
        if memory.file is not None:
            _check_hex(name, memory, hex_files)


def _check_instance(scope: Scope, instance: Instance, modules: Mapping[str, Scope]) -> None:
    def fail(message: str) -> VerilogError:
        return VerilogError(instance.line, f"instance '{instance.name}': {message}")

    if instance.module not in modules:
        raise fail(f"module '{instance.module}' is not part of the design")
    ports = modules[instance.module].ports
    if ports.keys() != instance.connections.keys():
        different = ", ".join(sorted(ports.keys() ^ instance.connections.keys()))
        raise fail(f"ports {different} are not connected or do not exist")
    for name, value in instance.connections.items():
        port = ports[name]
        if value != port.width:
            raise fail(f"port '{name}' has {port.width} bits, but {value} are connected")
        if port.kind == "output":
            if not isinstance(value, Net) or scope.signals[value.name].kind != "wire":
                raise fail(f"output '{name}' must be connected to a wire")
            scope.signals[value.name].drivers += 1


def _check_hex(name: str, memory: Memory, hex_files: Mapping[str, str]) -> None:
    def fail(message: str) -> VerilogError:
        return VerilogError(memory.line, f"memory '{name}': {message}")

    text = hex_files.get(memory.file or "")
    if text is None:
        raise fail(f"there is no file {memory.file}")
    words = text.splitlines()
    digits = (memory.width + 3) // 4
    if len(words) != memory.depth or text.count("\n") != memory.depth:
        raise fail(f"{memory.file} has {len(words)} words, expected {memory.depth}")
    largest_top_digit = (1 << (memory.width - 4 * (digits - 1))) - 1
    for word in words:
        well_formed = len(word) == digits and _HEX_DIGITS.fullmatch(word)
        if not well_formed or int(word[0], 16) > largest_top_digit:
            raise fail(f"{memory.file}: '{word[:40]}' is no word of {memory.width} bits")
