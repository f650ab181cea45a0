"""The Verilog and the C, line by line, with the nodes of the model that each line came from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from xdsl.dialects import hw
from xdsl.dialects.builtin import ModuleOp

from irc.backends.c.header import header_text
from irc.backends.c.source import CSource
from irc.backends.verilog.printer import VerilogFile
from irc.dialects import packed
from irc.flow.explore.origins import Origins
from irc.flow.explore.text import Text
from irc.flow.hardware_estimate import unit_modules
from irc.interp.run import entry_function
from irc.passes.hardware.design import Design

MOST_NUMBERS = 8
"""Lines of nothing but numbers that are shown one after another."""


@dataclass(frozen=True)
class File:
    """A file of an output folder, and the origins of it as a whole.

    Of long tables of numbers only the first lines are here: `skipped` has pairs of a line and how
    many of the file's are left out in front of it.
    """

    name: str
    text: Text
    origin: int
    skipped: tuple[tuple[int, int], ...] = ()


def module_origins(design: Design, built: ModuleOp, origins: Origins) -> dict[str, int]:
    """What each hardware module came from: the nodes of all units that share it, and those of the
    modules that instantiate it; nothing for the top module."""
    found: dict[str, int] = {}
    for op, name in unit_modules(design, built).items():
        found[name] = origins.union([found.get(name, 0), origins.of(op.location)])
    modules = {op.sym_name.data: op for op in built.ops if isinstance(op, hw.HWModuleOp)}
    pending = list(found)
    while pending:
        name = pending.pop()
        for op in modules[name].body.walk():
            if isinstance(op, hw.InstanceOp):
                inner = op.module_name.root_reference.data
                both = origins.union([found.get(inner, 0), found[name]])
                if found.get(inner) != both:
                    found[inner] = both
                    pending.append(inner)
    return found


_INSTANCE = re.compile(r"  (\w+) (\w+) \(")


def verilog_files(
    files: list[VerilogFile], modules: Mapping[str, int], built: ModuleOp
) -> list[File]:
    """Each module's file. In the top module, instances and their wires are those of the unit."""
    instances = {
        module.sym_name.data: {
            op.instance_name.data: modules.get(op.module_name.root_reference.data, 0)
            for op in module.body.walk()
            if isinstance(op, hw.InstanceOp)
        }
        for module in built.ops
        if isinstance(module, hw.HWModuleOp)
    }
    found: list[File] = []
    for file in files:
        lines = file.text.rstrip("\n").split("\n")
        origin = modules.get(file.name, 0)
        own = [origin] * len(lines)
        if not origin:
            own = _top_origins(lines, modules, instances.get(file.name, {}))
        found.append(File(f"{file.name}.v", Text(lines, own), origin))
    return found


def _top_origins(
    lines: list[str], modules: Mapping[str, int], instances: Mapping[str, int]
) -> list[int]:
    found: list[int] = []
    current = 0
    # The longest name wins: `fc_1_q` belongs to instance `fc_1`, not to `fc`.
    names = sorted(instances, key=len, reverse=True)
    wire = re.compile(rf"  wire .*?\b({'|'.join(map(re.escape, names))})_\w+;") if names else None
    for number, line in enumerate(lines):
        match = _INSTANCE.match(line)
        if match and match[1] in modules:
            current = modules[match[1]]
            # The comment above it is its own.
            above = number - 1
            while lines[above].startswith("  //"):
                found[above] = current
                above -= 1
        declared = wire.match(line) if wire is not None and not current else None
        found.append(instances[declared[1]] if declared else current)
        if line.startswith("  );"):
            current = 0
    return found


def c_files(source: CSource, module: ModuleOp, origins: Origins) -> list[File]:
    """The header and the C files. Constants and calls are those of their layer; a function's are
    all layers that call it, also through another."""
    labels = {
        op.label.data: origins.of(op.location)
        for op in entry_function(module).body.block.ops
        if isinstance(op, packed.KernelOp)
    }
    files = {f"{source.name}.h": header_text(source), **source.files}
    lines = {name: text.rstrip("\n").split("\n") for name, text in files.items()}
    reader = _CReader(source.name, labels, origins)
    for name in source.files:
        reader.read(name, lines[name])
    reader.spread()
    found: list[File] = []
    for name, text in lines.items():
        own = [0] * len(text)
        for piece in reader.pieces.get(name, []):
            for line in range(piece.first, piece.last):
                own[line] = piece.lines.get(line, piece.origin)
        shared = [piece.origin for piece in reader.pieces.get(name, [])]
        origin = origins.union(shared) if len(lines) > 2 else 0
        found.append(_without_tables(name, text, own, origin))
    return found


_NUMBERS = re.compile(r"[-\s\dA-Fa-fxupULP.+,]*")


def _without_tables(name: str, lines: list[str], origins: list[int], origin: int) -> File:
    kept: list[int] = []
    skipped: list[tuple[int, int]] = []
    run = 0
    for number, line in enumerate(lines):
        run = run + 1 if line.strip() and _NUMBERS.fullmatch(line) else 0
        if run <= MOST_NUMBERS:
            kept.append(number)
        elif skipped and skipped[-1][0] == len(kept):
            skipped[-1] = (len(kept), skipped[-1][1] + 1)
        else:
            skipped.append((len(kept), 1))
    text = Text([lines[number] for number in kept], [origins[number] for number in kept])
    return File(name, text, origin, tuple(skipped))


@dataclass
class _Piece:
    """A definition: lines from `first` up to `last`, and single lines of other origins."""

    first: int
    last: int
    name: str
    words: set[str]
    origin: int
    lines: dict[int, int]


_NAME = re.compile(r"\b[A-Za-z_]\w*\b")
_DEFINED = re.compile(r"\b(\w+)(?:\(|\[\d+\])")


class _CReader:
    """Takes C apart into definitions. What the emitter prints has each at the left edge, with a
    blank line before it."""

    def __init__(self, name: str, labels: Mapping[str, int], origins: Origins) -> None:
        self.name = name
        self.labels = labels
        self.origins = origins
        self.pieces: dict[str, list[_Piece]] = {}
        self.text: dict[str, list[str]] = {}

    def read(self, file: str, lines: list[str]) -> None:
        start = 0
        self.text[file] = lines
        pieces = self.pieces.setdefault(file, [])
        for number, line in enumerate([*lines, ""]):
            ends = not line and (number + 1 >= len(lines) or not lines[number + 1].startswith(" "))
            if ends and number > start:
                pieces.append(self._piece(start, number, lines))
            if ends:
                start = number + 1

    def _piece(self, first: int, last: int, lines: list[str]) -> _Piece:
        text = lines[first:last]
        code = next((line for line in text if line and not line.startswith(("/*", " ", "#"))), "")
        defined = _DEFINED.search(code)
        name = defined[1] if defined else ""
        words = set(_NAME.findall("\n".join(text[:4000]))) - {name}
        return _Piece(first, last, name, words, self._of_name(name), self._calls(first, text))

    def _of_name(self, name: str) -> int:
        """The layer whose constant is called so."""
        rest = name.removeprefix(f"{self.name}_")
        fitting = [label for label in self.labels if rest.startswith(f"{label}_")]
        return self.labels[max(fitting, key=len)] if fitting else 0

    def _calls(self, first: int, text: list[str]) -> dict[int, int]:
        """The lines of each layer's calls: from its comment to the mark at its end."""
        found: dict[int, int] = {}
        current = 0
        for number, line in enumerate(text, first):
            comment = re.match(r"    /\* (\w+): ", line)
            if comment and comment[1] in self.labels:
                current = self.labels[comment[1]]
            if current:
                found[number] = current
            if "_LAYER_DONE(" in line:
                current = 0
        return found

    def spread(self) -> None:
        """Give functions the origins of those who call them."""
        by_name = {p.name: p for pieces in self.pieces.values() for p in pieces if p.name}
        pending: list[tuple[str, int]] = []
        for file, pieces in self.pieces.items():
            for piece in pieces:
                for line, origin in piece.lines.items():
                    for word in self._words(file, line):
                        pending.append((word, origin))
        while pending:
            name, origin = pending.pop()
            piece = by_name.get(name)
            if piece is None or piece.lines:
                continue
            both = self.origins.union([piece.origin, origin])
            if both != piece.origin:
                piece.origin = both
                pending += [(word, both) for word in piece.words if word in by_name]

    def _words(self, file: str, line: int) -> list[str]:
        return _NAME.findall(self.text[file][line])
