"""What Yosys made of designs, kept by their text: what did not change is not synthesised again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from irc.backends.synth.devices import FAMILIES
from irc.backends.synth.yosys import Usage, mapping
from irc.backends.verilog.printer import VerilogFile


class Results:
    """Usages of modules, in a file if one is given, which `save` writes; `frozen`
    where nothing is to be synthesised."""

    def __init__(self, path: Path | None = None, *, frozen: bool = False) -> None:
        self.path = path
        self.frozen = frozen
        self.known: dict[str, dict[str, list[float]]] = {}
        if path is not None and path.exists():
            self.known = json.loads(path.read_text(encoding="utf-8"))

    def key(self, family: str, files: Sequence[VerilogFile]) -> str:
        """What tells a design and the flow that it goes through from others."""
        text = mapping(FAMILIES[family], "")
        for file in files:
            text += [file.text, *(f"{n}={body}" for n, body in file.hex_files.items())]
        return hashlib.sha256("\0".join(text).encode()).hexdigest()

    def has(self, key: str, modules: Sequence[str]) -> bool:
        """Whether all these modules of a design are known."""
        known = self.known.get(key, {})
        return all(module in known for module in modules)

    def wants(self, key: str, modules: Sequence[str]) -> bool:
        """Whether a design is to be synthesised."""
        return not self.frozen and not self.has(key, modules)

    def get(self, key: str, module: str) -> Usage:
        """What a module of a design takes."""
        luts, flipflops, block_rams, dsps = self.known[key][module]
        return Usage(int(luts), int(flipflops), block_rams, int(dsps))

    def add(self, key: str, module: str, usage: Usage) -> None:
        """Remember it."""
        counts = [usage.luts, usage.flipflops, usage.block_rams, usage.dsps]
        self.known.setdefault(key, {})[module] = counts

    def save(self) -> None:
        """Write the file, whole."""
        if self.path is not None:
            beside = self.path.with_suffix(".new")
            beside.write_text(json.dumps(self.known), encoding="utf-8")
            beside.replace(self.path)
