"""The files of a board beside a core: top module, bridge, constraints, host program, simulation."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from math import ceil, log2
from typing import Any

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from irc.backends.boards.axi import axi_top, block_design_script, package_script
from irc.backends.boards.board import Board
from irc.backends.boards.constraints import SUFFIX, constraints
from irc.backends.boards.readme import axi_readme, board_readme
from irc.backends.boards.wrapper import RESET_MICROSECONDS, board_top, core_clock
from irc.backends.verilog.project import print_checked
from irc.errors import UsageError
from irc.passes.hardware.bridge.bridge import BytePort, CoreStreams, bridge_modules
from irc.passes.hardware.bridge.registers import register_modules
from irc.passes.hardware.bridge.spi import MIN_CLOCKS_AN_SPI_BIT, spi_port
from irc.passes.hardware.bridge.uart import MIN_CLOCKS_A_BIT, Divider
from irc.passes.hardware.bridge.uart_port import uart_port

FOLDER = "board"
BOARD_FILE = "board.json"

UART_TOLERANCE = 0.02
"""How far the bit rates of two ends may differ: half a bit over the ten of a byte, less what the
sampling takes, and shared between the two."""

PAUSE_SECONDS = 0.01
"""A message in which nothing comes for this long is given up, at the earliest."""


@dataclass(frozen=True)
class BoardChoice:
    """A board and what is chosen there; `None` is the board's own choice. MHz and bit/s."""

    board: Board
    bridge: str | None = None
    baud: int | None = None
    clock: float | None = None
    file: str | None = None
    """Where the board is described, if not in irc itself."""


def board_files(manifest: Mapping[str, Any], choice: BoardChoice) -> dict[str, str]:
    """Texts by path in the project folder, all below `board/`, for the core of a manifest.

    Raises `UsageError` for a clock or bit rate that the board does not reach, and where it has not
    the pins.
    """
    board = choice.board
    streams = core_streams(manifest)
    identity = identity_of(manifest)
    payload = streams.payload(identity)
    make = _axi if (choice.bridge or board.bridge) == "axi" else _bridged
    part = make(manifest, choice, streams, identity)
    entry: dict[str, Any] = {
        "board": board.name,
        "description": board.description,
        "device": board.device.name,
        "part": board.part,
        "core": manifest["top"],
        "identity": identity,
        "frame_bytes": payload.frame,
        "result_bytes": payload.result,
        "beat_bytes": streams.input_bytes,
        # What a file of weights must be: its bytes, and the shape that it names.
        "weights": _weights(manifest),
        "program": board.program,
        **part.entry,
        "sources": {
            path: {"crc32": zlib.crc32(text.encode())} for path, text in part.sources.items()
        },
    }
    texts = {
        **part.sources,
        **part.texts,
        "host.py": _template("host.py"),
        "loading.py": _template("loading.py"),
        "simulate.py": _template("simulate.py"),
        BOARD_FILE: json.dumps(entry, indent=2) + "\n",
    }
    return {f"{FOLDER}/{path}": text for path, text in texts.items()}


@dataclass(frozen=True)
class _Part:
    """What one kind of bridge adds: files that are checked, others, and keys of board.json."""

    sources: dict[str, str]
    texts: dict[str, str]
    entry: dict[str, Any]


def _bridged(
    manifest: Mapping[str, Any], choice: BoardChoice, streams: CoreStreams, identity: int
) -> _Part:
    """UART or SPI: bridge, and a top module with the clock."""
    board, core = choice.board, manifest["top"]
    kind = choice.bridge or board.bridge
    clock = core_clock(board, choice.clock or board.clock.core)
    timeout_bits = ceil(log2(clock * 1e6 * PAUSE_SECONDS))
    name = f"{core}_bridge"
    baud: int | None = None
    if kind == "uart":
        baud = checked_baud(board, choice.baud, clock)
        port = uart_port(name, Divider.of(clock * 1e6, baud))
        bit_ps = 1e12 / baud
    else:
        port = _spi(board, name)
        bit_ps = 1e6 / clock * MIN_CLOCKS_AN_SPI_BIT
    modules = bridge_modules(name, streams, identity, port, timeout_bits)
    pins = [(pin.name, pin.is_input) for pin in port.pins]
    widths = 8 * streams.input_bytes, 8 * streams.output_bytes
    wrapper = board_top(board, core, pins, clock, *widths, reloadable=streams.reloadable)
    top = f"{core}_board"
    constraint_file = f"{board.name}.{SUFFIX[board.device.family.name]}"
    entry: dict[str, Any] = {
        "bridge": kind,
        "top": top,
        "bench": "board_bench",
        "clock": clock,
        "baud": baud,
        "bit_ps": bit_ps,
        "timeout_bits": timeout_bits,
        "reset_clocks": 64 + 2 * (1 << ceil(clock * RESET_MICROSECONDS).bit_length()),
        "button": board.reset is not None,
        "button_at_rest": int(board.reset is not None and board.reset.active_low),
        "constraints": constraint_file,
    }
    sources = {
        **_verilog(modules, name),
        f"{top}.v": wrapper.text,
        **_bench_files(top, [port.name for port in wrapper.ports]),
    }
    payload = streams.payload(identity)
    facts = {
        "frame_bytes": payload.frame,
        "result_bytes": payload.result,
        "identity": identity,
        "weights": _weights(manifest),
    }
    names = {
        "board": board.name,
        "description": board.description,
        "core": core,
        "program": board.program,
    }
    texts = {
        constraint_file: constraints(board, wrapper.ports),
        "tb/test_board.py": _template("board_tests.py"),
        "README.md": board_readme({**entry, **facts, **names}, manifest),
    }
    return _Part(sources, texts, entry)


def _axi(
    manifest: Mapping[str, Any], choice: BoardChoice, streams: CoreStreams, identity: int
) -> _Part:
    """AXI: registers, the wrapper, and the scripts for Vivado and PYNQ."""
    board, core = choice.board, manifest["top"]
    if board.device.family.name != "xc7":
        raise UsageError(
            f"board {board.name}: --bridge axi is for AMD's parts, whose tools package it; "
            "take uart or spi"
        )
    if choice.clock is not None and choice.clock != board.clock.core:
        board = replace(board, clock=replace(board.clock, core=choice.clock))
    name = f"{core}_registers"
    weights = _weights(manifest)
    shape = None if weights is None else weights["shape"]
    verilog = _verilog(register_modules(name, streams, identity, shape), name)
    widths = 8 * streams.input_bytes, 8 * streams.output_bytes
    verilog[f"{core}_axi.v"] = axi_top(core, *widths, reloadable=streams.reloadable)
    top = f"{core}_axi"
    bench = {
        "tb/axi_bench.v": _template("axi_bench.v"),
        "tb/axi_config.vh": (
            f"// What axi_bench.v tests.\n`define AXI_DUT {top}\n"
            f"`define AXI_IN_BITS {8 * streams.input_bytes}\n"
            f"`define AXI_OUT_BITS {8 * streams.output_bytes}\n"
        ),
    }
    rtl = sorted(f"../{path}" for path in manifest["sources"] if path.startswith("rtl/"))
    memories = sorted(f"../{path}" for path in manifest["hex"] if path.startswith("rtl/"))
    texts = {
        "package.tcl": package_script(board, core, [*rtl, *sorted(verilog)], memories),
        "pynq_driver.py": _template("pynq_driver.py"),
        "tb/test_board.py": _template("axi_tests.py"),
        "README.md": axi_readme(board, core, manifest),
    }
    design = block_design_script(board, core, streams.input_bytes, streams.output_bytes)
    if design is not None:
        texts["block_design.tcl"] = design
    entry = {
        "bridge": "axi",
        "top": top,
        "bench": "axi_bench",
        "clock": board.clock.core,
        "baud": None,
    }
    return _Part(verilog | bench, texts, {**entry, "constraints": None})


def _verilog(modules: Sequence[Operation], top: str) -> dict[str, str]:
    """The printed and checked modules, by file name."""
    return {f"{file.name}.v": file.text for file in print_checked(ModuleOp(list(modules)), top)}


def core_streams(manifest: Mapping[str, Any]) -> CoreStreams:
    """What the core of a manifest takes and gives."""
    source, result = manifest["input"], manifest["output"]
    return CoreStreams(
        source["beats"],
        source["bits"] // 8,
        result["beats"],
        result["bits"] // 8,
        reloadable="reload" in manifest,
    )


def _weights(manifest: Mapping[str, Any]) -> dict[str, Any] | None:
    """Of a configuration stream its bytes, shape, and whether it must come first; None where
    weights are fixed."""
    entry = manifest.get("reload")
    if entry is None:
        return None
    return {name: entry[name] for name in ("bytes", "shape", "must_load")}


def identity_of(manifest: Mapping[str, Any]) -> int:
    """32 bits that tell networks apart: the checksum of the checksums of the core's files."""
    files = {**manifest["sources"], **manifest["hex"]}
    lines = [
        f"{name} {entry['crc32']}"
        for name, entry in sorted(files.items())
        if name.startswith("rtl/")
    ]
    return zlib.crc32("\n".join(lines).encode())


def checked_baud(board: Board, wanted: int | None, clock: float) -> int:
    """The bit rate, if clock (MHz) and oscillator are good enough for it."""
    if board.uart is None:
        why = "its clock is too inexact" if board.clock.tolerance > UART_TOLERANCE else "no pins"
        raise UsageError(f"board {board.name} has no UART ({why}); take --bridge spi")
    baud = wanted or board.uart.baud
    if clock * 1e6 / baud < MIN_CLOCKS_A_BIT:
        raise UsageError(
            f"{baud:,} baud: a clock of {clock:g} MHz allows at most "
            f"{int(clock * 1e6 / MIN_CLOCKS_A_BIT):,}"
        )
    made = Divider.of(clock * 1e6, baud).baud(clock * 1e6)
    error = abs(made - baud) / baud + board.clock.tolerance
    if error > UART_TOLERANCE:
        raise UsageError(
            f"board {board.name}: {baud:,} baud would be off by up to {100 * error:.1f} %, a UART "
            f"bears {100 * UART_TOLERANCE:g} %; take --bridge spi"
        )
    return baud


def _spi(board: Board, bridge: str) -> BytePort:
    if board.spi is None:
        raise UsageError(f"board {board.name} names no pins for SPI")
    return spi_port(bridge)


def _bench_files(top: str, ports: list[str]) -> dict[str, str]:
    connections = ", ".join(f".{port}({port})" for port in ports if port in _BENCH_SIGNALS)
    unconnected = "".join(f", .{port}()" for port in ports if port not in _BENCH_SIGNALS)
    config = (
        f"// What board_bench.v tests.\n`define BOARD_TOP {top}\n"
        f"`define BOARD_PORTS {connections}{unconnected}\n"
    )
    return {
        "tb/board_bench.v": _template("board_bench.v"),
        "tb/primitives.v": _template("primitives.v"),
        "tb/board_config.vh": config,
    }


_BENCH_SIGNALS = {"clk", "button", "rx", "tx", "cs", "sck", "mosi", "miso"}


def _template(name: str) -> str:
    return (resources.files("irc.backends.boards") / "bench" / name).read_text("utf-8")
