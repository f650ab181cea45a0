"""Synthesise the Verilog folder of a model, place and route it, and write the bitstream."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from irc.backends.output import MARKER, atomic_dir
from irc.backends.seal import seal
from irc.backends.synth.devices import Device
from irc.backends.synth.pins import CONSTRAINTS, TOP, frame_constraints, pin_frame
from irc.backends.synth.place_route import place_and_route
from irc.backends.synth.yosys import Usage, synthesise
from irc.devices import figures_of
from irc.errors import IrcError
from irc.flow.board_build import BoardBuild
from irc.flow.manifest import read_manifest

Observer = Callable[[str], None]

_NEEDED = ("generator", "top", "sources", "hex", "input", "output", "layers")
"""What the manifest must say."""


@dataclass(frozen=True)
class ModuleUsage:
    """One module of the design; `usage` is of all its instances together."""

    name: str
    layer: str | None
    """The layer that it computes; `None` for what moves streams between layers."""
    count: int
    usage: Usage
    estimate: Usage | None = None
    """What the resource model said of all its instances, where the folder was compiled for a device
    of this family."""


@dataclass(frozen=True)
class SynthReport:
    """What a design takes on a device, and how fast it is there.

    The counts are of the core alone; clocks are in MHz, the latency in microseconds.
    """

    folder: str
    device: str
    lut_name: str
    seed: int
    modules: list[ModuleUsage]
    total: Usage
    available: tuple[int, float]
    """Look-up tables and block RAMs of the device."""
    estimate: Usage | None
    """What the resource model said of the core."""
    cycles: int | None
    """From one frame to the next."""
    latency_cycles: int | None
    """From the cycle in which the first beat of a frame is taken to that in which its last one is
    given, while neither side stalls and no frame is before it; None where it is not known."""
    latency: float | None
    clock: float | None
    """What place and route aimed at; `None` where there was none."""
    fmax: float | None
    frames_per_second: float | None
    utilisation: dict[str, tuple[int, int]]
    """Of the device by place and route, the frame of shift registers around the core included."""
    bitstream: str | None
    board: str | None = None
    around: Usage | None = None
    """What the board's top module and bridge take besides the core."""
    program: str | None = None
    """The command that loads the bitstream onto the board."""

    @property
    def meets_clock(self) -> bool:
        """Whether the clock asked for is reached; true where nothing was routed."""
        return self.fmax is None or self.clock is None or self.fmax >= self.clock


def synthesise_folder(
    folder: Path,
    device: Device,
    output: Path | None = None,
    clock: float | None = None,
    seed: int = 1,
    observer: Observer = lambda step: None,
    board: BoardBuild | None = None,
) -> SynthReport:
    """Synthesise what `irc compile --target verilog` wrote to `folder`.

    With a board, its top module, pins and clock take the place of a frame of shift registers.

    The netlist, the tools' logs and the bitstream go to `output`, by default `synth-DEVICE` in the
    folder, whole or not at all. Raises `IrcError` for another folder, a missing tool or a design
    that does not fit.
    """
    manifest = read_manifest(folder, "verilog", _NEEDED)
    core: str = manifest["top"]
    name = device.name if board is None else board.name
    path = output if output is not None else folder / f"synth-{name}"
    with atomic_dir(path) as work:
        sources = copy_sources(folder, manifest, work)
        top, pins = core, None
        if board is not None:
            sources += board.write(work)
            top, clock = board.top, board.clock
            pins = None if board.constraints is None else board.constraints[0]
        elif device.route:
            frame = pin_frame(
                core,
                _bus_bits(manifest["input"]),
                _bus_bits(manifest["output"]),
                reloadable="reload" in manifest,
            )
            (work / f"{TOP}.v").write_text(frame, encoding="utf-8")
            sources.append(f"{TOP}.v")
            top = TOP
            if device.frame_pins:
                pins = CONSTRAINTS
                (work / pins).write_text(frame_constraints(device.frame_pins), encoding="utf-8")
        observer(f"synthesise for {device.name}")
        synthesis = synthesise(
            device.family, top, core, sources, work, _watch_yosys(observer, device.name)
        )
        total, available = synthesis.total, (device.luts, device.block_rams)
        target = clock or device.clock
        routed = None
        if device.route:
            whole = total if board is None else synthesis.whole
            _check_fit(whole, device)
            observer("place and route")
            routed = place_and_route(
                device, whole.luts, work, target, seed, pins, _watch_nextpnr(observer)
            )
        cycles: int | None = manifest.get("cycles")
        latency: int | None = manifest.get("latency")
        estimates = _estimates(manifest, device.family.name)
        # A board runs at the clock that its PLL makes, however fast the design could be.
        rate = target if board is not None else routed.fmax if routed else None
        bitstream = str(path / routed.bitstream) if routed else None
        report = SynthReport(
            folder=str(path),
            device=device.name,
            lut_name=device.family.lut_name,
            seed=seed,
            modules=_with_estimates(
                modules_by_layer(synthesis.modules, core, manifest), core, estimates
            ),
            total=total,
            available=available,
            estimate=estimates.get(core),
            cycles=cycles,
            latency_cycles=latency,
            latency=latency / rate if rate and routed and latency else None,
            clock=target if routed else None,
            fmax=routed.fmax if routed else None,
            frames_per_second=rate * 1e6 / cycles if rate and routed and cycles else None,
            utilisation=routed.utilisation if routed else {},
            bitstream=bitstream,
            board=None if board is None else board.name,
            around=None if board is None else synthesis.whole.less(total),
            program=board.program_command(bitstream) if board and bitstream else None,
        )
        (work / MARKER).write_text(
            json.dumps({"generator": manifest["generator"], "device": device.name}, indent=2),
            encoding="utf-8",
        )
        seal(work, None)
    return report


def _estimates(manifest: dict[str, Any], family: str) -> dict[str, Usage]:
    """What was estimated for devices of a family, by module; the core's is of all."""
    estimate = manifest.get("estimate")
    if estimate is None or figures_of(estimate["device"]).family != family:
        return {}
    found = {name: Usage(**usage) for name, usage in estimate["modules"].items()}
    return {**found, manifest["top"]: Usage(**estimate["total"])}


def _with_estimates(
    modules: list[ModuleUsage], core: str, estimates: dict[str, Usage]
) -> list[ModuleUsage]:
    return [replace(m, estimate=estimates.get(f"{core}_{m.name}")) for m in modules]


def copy_sources(folder: Path, manifest: dict[str, Any], work: Path) -> list[str]:
    """Copy the design and its memories into one folder; the names of its Verilog files."""
    sources: list[str] = []
    for name in [*manifest["sources"], *manifest["hex"]]:
        source = folder / name
        if not name.startswith("rtl/"):
            continue
        if not source.is_file():
            raise IrcError(f"{source}: missing, although {folder / MARKER} lists it")
        shutil.copyfile(source, work / source.name)
        if source.suffix == ".v":
            sources.append(source.name)
    return sources


def _bus_bits(stream: dict[str, Any]) -> int:
    """Bits of TDATA: whole bytes."""
    return (stream["bits"] + 7) // 8 * 8


def _check_fit(total: Usage, device: Device) -> None:
    """Raise `IrcError` before an hour of placing what cannot fit."""
    over = [
        f"{used:,g} {what} of {held:,g}"
        for what, used, held in (
            (f"{device.family.lut_name}s", total.luts, device.luts),
            ("block RAMs", total.block_rams, device.block_rams),
        )
        if used > held
    ]
    if over:
        raise IrcError(
            f"the design does not fit {device.name}: it takes {' and '.join(over)}; "
            "fold it further (irc compile --fold), or take a larger device"
        )


def modules_by_layer(modules: list[Any], core: str, manifest: dict[str, Any]) -> list[ModuleUsage]:
    """The modules in the order of the layers; those that only move streams come last."""
    layers = [layer["name"] for layer in manifest["layers"]]
    # Equal layers share a module, which is then listed under the first of them.
    layer_of = {layer.get("module"): layer["name"] for layer in reversed(manifest["layers"])}
    found: list[ModuleUsage] = []
    for module in modules:
        short = module.name.removeprefix(f"{core}_")
        layer = layer_of.get(module.name)
        usage = module.usage.times(module.count)
        found.append(ModuleUsage(short, layer, module.count, usage))
    rank = {layer: index for index, layer in enumerate(layers)}
    return sorted(found, key=lambda item: (rank.get(item.layer or "", len(rank)), item.name))


_YOSYS_STEP = re.compile(r"^\d+(?:\.\d+)?\. Executing (.*?)(?: pass)?[. (]")


def _watch_yosys(observer: Observer, device: str) -> Callable[[str], None]:
    def watch(line: str) -> None:
        if match := _YOSYS_STEP.match(line):
            observer(f"synthesise for {device}: {match[1]}")

    return watch


_NEXTPNR_STEPS = ("Packing", "Creating initial", "Running", "Placed", "Routing", "Router")


def _watch_nextpnr(observer: Observer) -> Callable[[str], None]:
    def watch(line: str) -> None:
        text = line.removeprefix("Info: ")
        if text.startswith(_NEXTPNR_STEPS):
            observer(f"place and route: {text.rstrip('.')[:60]}")

    return watch
