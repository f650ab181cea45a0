"""The configuration stream that loads a retrained network into the hardware of an earlier one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from irc.backends.output import MARKER, write_files
from irc.backends.verilog.project import hex_bytes, logic_checksum, print_checked
from irc.errors import IrcError
from irc.flow.board_build import has_board
from irc.flow.ladder import Ladder
from irc.flow.lowering import StepObserver
from irc.flow.manifest import read_manifest
from irc.flow.options import pass_options
from irc.flow.reloadable import layer_shape, loaded_units, reloadable_passes
from irc.passes.hardware.design import design_of
from irc.passes.hardware.units.loader import design_memories
from irc.passes.hardware.units.reload_stream import design_stream
from irc.passes.layer_names import verilog_identifier


@dataclass(frozen=True)
class ReloadReport:
    """The files that were written, and the cycles that loading takes at the least."""

    model: str
    folder: str
    files: list[str]
    bytes: int
    cycles: int
    has_board: bool
    """Whether the hardware has a board around it, whose program sends the file."""


def reload_weights(
    folder: Path,
    model: str,
    output: Path,
    inputs: tuple[str, ...] = (),
    observer: StepObserver | None = None,
) -> ReloadReport:
    """Write the configuration stream of a model for the hardware in a folder: `output`, and beside
    it the same as text, a byte a line.

    `inputs` are declared as for the first model unless given. Raises `IrcError` where the model is
    not of the shape that the hardware has, naming the layer and what differs.
    """
    manifest = read_manifest(folder, "verilog", ("top", "sources"))
    entry = manifest.get("reload")
    if entry is None:
        raise IrcError(
            f"{folder}: its weights are fixed; compile the first network with "
            "`irc compile --target verilog --reloadable`"
        )
    ladder = _ladder(folder, model, inputs or tuple(entry["inputs"]), manifest, observer)
    top = verilog_identifier(ladder.name)
    _check_sources(folder, manifest, ladder, top)
    memories = design_memories(ladder.hw, top)
    stream = design_stream(ladder.hw, top)
    if len(stream) != entry["bytes"]:
        raise IrcError(
            f"{folder}: its stream would have {len(stream)} bytes, but {MARKER} says "
            f"{entry['bytes']}; written by another version?"
        )
    text = output.with_suffix(".hex")
    if text == output:
        raise IrcError(f"{output}: the name of the binary file must not end in .hex")
    write_files({output: stream, text: hex_bytes(stream).encode("ascii")})
    # One cycle a byte, those that the last byte needs through the chain, and those between states.
    cycles = len(stream) + len(memories) + 5
    files = [str(output), str(text)]
    return ReloadReport(model, str(folder), files, len(stream), cycles, has_board(folder))


def _ladder(
    folder: Path,
    model: str,
    inputs: tuple[str, ...],
    manifest: dict[str, Any],
    observer: StepObserver | None,
) -> Ladder:
    """The model, folded as the design is; raises `IrcError` where their layers differ."""
    entry = manifest["reload"]
    weights = reloadable_passes(tuple(entry["weights"]))
    device = {name: (entry[name],) for name in ("device", "clock") if entry[name] is not None}
    options = {**weights, "fold-layers": device} if device else weights
    unfolded = Ladder(model, inputs, options, observer, manifest["top"])
    _compare(model, folder, entry["layers"], unfolded, with_folding=False)
    folded = {**options, **pass_options(str(folder / "folding.txt"))}
    ladder = Ladder(model, inputs, folded, observer, manifest["top"])
    _compare(model, folder, entry["layers"], ladder, with_folding=True)
    return ladder


def _compare(
    model: str, folder: Path, wanted: list[dict[str, str]], ladder: Ladder, *, with_folding: bool
) -> None:
    """Demand the layers of the design; raises `IrcError` for the first that differs."""
    found = [layer_shape(unit) for unit in loaded_units(design_of(ladder.dataflow))]
    for have, want in zip(found, wanted, strict=False):
        wanted_name = want.get("name", "")
        if have["name"] != wanted_name:
            raise IrcError(
                f"{model}: layer '{have['name']}' stands where the design in {folder} has "
                f"'{wanted_name}'; layers must have the same names, in the same order"
            )
        for key in want:
            is_folding = key in _OF_FOLDING
            if is_folding != with_folding or have.get(key) == want[key]:
                continue
            raise IrcError(
                f"{model}: layer '{wanted_name}': {_WORDS.get(key, key)} {have.get(key)}, but "
                f"{want[key]} in {folder}; only networks of the same shape and types can be loaded"
            )
    if len(found) != len(wanted):
        raise IrcError(
            f"{model}: has {len(found)} layers with weights or thresholds, the design in {folder} "
            f"{len(wanted)}"
        )


_OF_FOLDING = ("folding",)

_WORDS = {
    "input": "takes",
    "output": "gives",
    "weights": "weights are",
    "thresholds": "thresholds are",
    "groups": "groups are",
    "folding": "is folded with",
}


def _check_sources(folder: Path, manifest: dict[str, Any], ladder: Ladder, top: str) -> None:
    """Demand the Verilog of the design, names of nodes aside, to the letter: what is in no memory
    cannot be loaded."""
    sources = {name: entry.get("logic_crc32") for name, entry in manifest["sources"].items()}
    made = {f"rtl/{file.name}.v": file.text for file in print_checked(ladder.hw, top)}
    for name in sorted(made.keys() | {name for name in sources if name.startswith("rtl/")}):
        text = made.get(name)
        if text is None or sources.get(name) != logic_checksum(text):
            raise IrcError(
                f"{ladder.path}: its hardware differs from the design in {folder} in {name}, not "
                "only in weights and thresholds: in the scales of a sum, say, or in a quantizer "
                "that is no memory"
            )
