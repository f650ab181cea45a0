"""Synthesise the Verilog folder of a model, place and route it, and write the bitstream."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from irc.backends.output import MARKER, atomic_dir
from irc.backends.synth.devices import Device
from irc.backends.synth.pins import TOP, pin_frame
from irc.backends.synth.place_route import place_and_route
from irc.backends.synth.yosys import Usage, synthesise
from irc.errors import IrcError

Observer = Callable[[str], None]


@dataclass(frozen=True)
class ModuleUsage:
    """One module of the design; `usage` is of all its instances together."""

    name: str
    layer: str | None
    """The layer that it computes; `None` for what moves streams between layers."""
    count: int
    usage: Usage


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
    cycles: int | None
    """From one frame to the next."""
    clock: float | None
    """What place and route aimed at; `None` where there was none."""
    fmax: float | None
    frames_per_second: float | None
    utilisation: dict[str, tuple[int, int]]
    """Of the device by place and route, the frame of shift registers around the core included."""
    bitstream: str | None

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
) -> SynthReport:
    """Synthesise what `irc compile --target verilog` wrote to `folder`.

    The netlist, the tools' logs and the bitstream go to `output`, by default `synth-DEVICE` in the
    folder, whole or not at all. Raises `IrcError` for another folder, a missing tool or a design
    that does not fit.
    """
    manifest = _read_manifest(folder)
    core: str = manifest["top"]
    path = output if output is not None else folder / f"synth-{device.name}"
    with atomic_dir(path) as work:
        sources = _copy_sources(folder, manifest, work)
        top = core
        if device.route:
            frame = pin_frame(core, _bus_bits(manifest["input"]), _bus_bits(manifest["output"]))
            (work / f"{TOP}.v").write_text(frame, encoding="utf-8")
            sources.append(f"{TOP}.v")
            top = TOP
        observer(f"synthesise for {device.name}")
        synthesis = synthesise(
            device.family, top, core, sources, work, _watch_yosys(observer, device.name)
        )
        total, available = synthesis.total, (device.luts, device.block_rams)
        target = clock or device.clock
        routed = None
        if device.route:
            _check_fit(total, device)
            observer("place and route")
            routed = place_and_route(device, work, target, seed, None, _watch_nextpnr(observer))
        cycles: int | None = manifest.get("cycles")
        report = SynthReport(
            folder=str(path),
            device=device.name,
            lut_name=device.family.lut_name,
            seed=seed,
            modules=_by_layer(synthesis.modules, core, manifest),
            total=total,
            available=available,
            cycles=cycles,
            clock=target if routed else None,
            fmax=routed.fmax if routed else None,
            frames_per_second=routed.fmax * 1e6 / cycles if routed and cycles else None,
            utilisation=routed.utilisation if routed else {},
            bitstream=str(path / routed.bitstream) if routed else None,
        )
        (work / MARKER).write_text(
            json.dumps({"generator": manifest["generator"], "device": device.name}, indent=2),
            encoding="utf-8",
        )
    return report


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MARKER
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise IrcError(
            f"{path}: {error.strerror}; expected a folder that `irc compile --target verilog` wrote"
        ) from None
    except ValueError as error:
        raise IrcError(f"{path}: not JSON: {error}") from None
    if "target" not in manifest or manifest["target"] != "verilog":
        raise IrcError(
            f"{path}: not of a Verilog folder; write one with `irc compile --target verilog`"
        )
    return manifest


def _copy_sources(folder: Path, manifest: dict[str, Any], work: Path) -> list[str]:
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


def _by_layer(modules: list[Any], core: str, manifest: dict[str, Any]) -> list[ModuleUsage]:
    """The modules in the order of the layers; those that only move streams come last."""
    layers = [layer["name"] for layer in manifest["layers"]]
    found: list[ModuleUsage] = []
    for module in modules:
        short = module.name.removeprefix(f"{core}_")
        layer = next((name for name in layers if _identifier(name) == short), None)
        usage = module.usage.times(module.count)
        found.append(ModuleUsage(short, layer, module.count, usage))
    rank = {layer: index for index, layer in enumerate(layers)}
    return sorted(found, key=lambda item: (rank.get(item.layer or "", len(rank)), item.name))


def _identifier(name: str) -> str:
    return re.sub(r"\W", "_", name)


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
