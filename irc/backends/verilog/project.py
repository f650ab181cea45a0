"""Writes the Verilog project: sources, memory contents, cocotb bench, vectors and README."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import metadata as package_metadata
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import ModuleOp

from irc.backends.node_comments import without_node_comments
from irc.backends.output import MARKER, atomic_dir
from irc.backends.seal import seal
from irc.backends.verilog.analysis import bits_of
from irc.backends.verilog.check import check_design
from irc.backends.verilog.printer import VerilogFile, check_level, print_module
from irc.backends.verilog.readme import readme
from irc.backends.verilog.target import find_top, reachable
from irc.errors import IrcError

Beats = npt.NDArray[np.uint8]
"""TDATA of beats: `[frames, beats, bytes]`, byte 0 being bits 7 to 0; unused bits are 0."""

STREAM_SIGNALS = ("tdata", "tvalid", "tready", "tlast")
STREAM_PORTS = {
    "aclk",
    "aresetn",
    *(f"{side}_axis_{signal}" for side in "sm" for signal in STREAM_SIGNALS),
}
"""The ports of a top module."""

CONFIGURATION_PORTS = {
    *(f"s_axis_cfg_{signal}" for signal in STREAM_SIGNALS),
    "cfg_busy",
    "cfg_error",
}
"""Further ports of a top module whose weights are loaded at run time."""

_BENCH_FILES = ("axis_source.v", "axis_sink.v", "bench.v")


@dataclass(frozen=True)
class Vectors:
    """What goes in and what must come out."""

    stimulus: Beats
    expected: Beats


@dataclass(frozen=True)
class StreamLayout:
    """What a stream carries: a tensor `shape` of `element`s, `lanes` of `lane_bits` bits a beat.

    Elements follow each other in row-major order, channels last; lane 0 is in the least
    significant bits.
    """

    shape: tuple[int, ...]
    element: str
    lanes: int
    lane_bits: int

    @property
    def beats(self) -> int:
        """Beats a frame."""
        return math.ceil(math.prod(self.shape) / self.lanes)

    @property
    def bits(self) -> int:
        """Bits of TDATA: whole bytes."""
        return math.ceil(self.lanes * self.lane_bits / 8) * 8


@dataclass(frozen=True)
class Configuration:
    """What loads weights at run time: `own` is the stream of the design's own, `other` that of
    others, with which `expected` is what comes out. `manifest` is what the manifest says of it."""

    own: bytes
    other: bytes
    expected: Beats
    manifest: Mapping[str, Any]


@dataclass(frozen=True)
class ProjectMetadata:
    """What the README and the bench say about the design.

    `cycles` is the model's number of clock cycles a frame when frames follow each other without a
    gap, `latency` the number from the first input beat to the last output beat of one frame.
    `layers` and `fifos` are the rows of tables: names of columns to values.
    """

    model: str
    input: StreamLayout
    output: StreamLayout
    cycles: int | None = None
    latency: int | None = None
    layers: list[Mapping[str, object]] = field(default_factory=list[Mapping[str, object]])
    fifos: list[Mapping[str, object]] = field(default_factory=list[Mapping[str, object]])
    estimate: Mapping[str, object] | None = None
    """What the design will take of the device that it is for, and its clock there."""
    configuration: Configuration | None = None
    """Of designs whose weights are loaded at run time."""


def write_verilog_project(
    module: ModuleOp,
    out_dir: Path,
    *,
    top: str,
    vectors: Vectors,
    metadata: ProjectMetadata,
    extra: Mapping[str, str] | None = None,
    derived: Callable[[Mapping[str, Any]], Mapping[str, str]] | None = None,
    made: Mapping[str, Any] | None = None,
) -> list[Path]:
    """Print and check the design and write the folder, whole or not at all.

    `extra` are further text files of the folder, by name; so is what `derived` makes of the
    manifest. `made` says what the folder is made from, for the manifest. Returns the files
    written. Raises `IrcError` for what has no Verilog form, for vectors that do not fit the ports,
    and for folders that cannot be written.
    """
    files = print_checked(module, top)
    _check_vectors(module, top, vectors, metadata)
    contents = {**_project_files(files, top, vectors, metadata), **(extra or {})}
    if derived is not None:
        contents |= derived(json.loads(contents[MARKER]))
    with atomic_dir(out_dir) as folder:
        for name, text in contents.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        (folder / "run.py").chmod(0o755)
        seal(folder, made)
    return [out_dir / name for name in contents]


def print_checked(module: ModuleOp, top: str) -> list[VerilogFile]:
    """The text of `top` and of all that it instantiates, parsed back and checked."""
    check_level(module)
    files = [print_module(op) for op in reachable(module, find_top(module, top))]
    check_design(files)
    return files


def hex_beats(beats: Beats, bits: int) -> str:
    """Beats as text, one a line, most significant digit first."""
    digits = math.ceil(bits / 4)
    flat = np.ascontiguousarray(beats.reshape(-1, beats.shape[-1])[:, ::-1])
    text = flat.tobytes().hex()
    step = 2 * flat.shape[1]
    return "".join(f"{text[end - digits : end]}\n" for end in range(step, len(text) + 1, step))


def _check_vectors(module: ModuleOp, top: str, vectors: Vectors, metadata: ProjectMetadata) -> None:
    (op,) = [op for op in reachable(module, top) if op.sym_name.data == top]
    ports = {port.port_name.data: bits_of(port.type) for port in op.module_type.ports}
    wanted = STREAM_PORTS
    if metadata.configuration is not None:
        wanted = STREAM_PORTS | CONFIGURATION_PORTS
    if set(ports) != wanted:
        raise IrcError(
            f"top module '{top}': the ports must be {', '.join(sorted(wanted))}; "
            f"they are {', '.join(ports)}"
        )
    for side, beats, layout in (
        ("s_axis", vectors.stimulus, metadata.input),
        ("m_axis", vectors.expected, metadata.output),
    ):
        bits = ports[f"{side}_tdata"]
        if bits != layout.bits or bits != 8 * beats.shape[2] or beats.shape[1] != layout.beats:
            raise IrcError(
                f"top module '{top}': {side}_tdata has {bits} bits, but the vectors have "
                f"{beats.shape[1]} beats of {8 * beats.shape[2]} bits a frame and the layout "
                f"{layout.beats} of {layout.bits}"
            )
    if vectors.stimulus.shape[0] != vectors.expected.shape[0] or not vectors.stimulus.shape[0]:
        raise IrcError(
            f"{vectors.stimulus.shape[0]} frames go in and {vectors.expected.shape[0]} come out: "
            "there must be as many of both, and at least one"
        )


def _project_files(
    files: list[VerilogFile], top: str, vectors: Vectors, metadata: ProjectMetadata
) -> dict[str, str]:
    """The texts of all files by relative path."""
    contents = {f"rtl/{file.name}.v": file.text for file in files}
    hex_files = {f"rtl/{n}": text for file in files for n, text in file.hex_files.items()}
    hex_files["tb/stimulus.hex"] = hex_beats(vectors.stimulus, metadata.input.bits)
    hex_files["tb/expected.hex"] = hex_beats(vectors.expected, metadata.output.bits)
    if metadata.configuration is not None:
        hex_files |= _configuration_files(metadata.configuration, metadata.output)
    bench = resources.files("irc.backends.verilog") / "bench"
    bench_files = {f"tb/{name}": (bench / name).read_text("utf-8") for name in _BENCH_FILES}
    bench_files["tb/bench_config.vh"] = _bench_config(top, metadata)
    sources = contents | bench_files
    frames = vectors.stimulus.shape[0]
    contents |= bench_files
    contents[f"tb/test_{top}.py"] = (bench / "cocotb_tests.py").read_text("utf-8")
    contents["run.py"] = (bench / "run.py").read_text("utf-8")
    contents["README.md"] = readme(top, metadata, frames)
    contents |= hex_files
    manifest = {
        "generator": f"irc {package_metadata.version('irc-bnn')}",
        "target": "verilog",
        "top": top,
        "model": metadata.model,
        "input": _stream_entry(metadata.input),
        "output": _stream_entry(metadata.output),
        "cycles": metadata.cycles,
        "latency": metadata.latency,
        "frames": frames,
        "sources": {
            name: {"crc32": _crc32(text), "logic_crc32": logic_checksum(text)}
            for name, text in sources.items()
        },
        "hex": {name: _hex_entry(text) for name, text in hex_files.items()},
        "layers": metadata.layers,
        "fifos": metadata.fifos,
        "estimate": metadata.estimate,
    }
    if metadata.configuration is not None:
        manifest["reload"] = metadata.configuration.manifest
    contents[MARKER] = json.dumps(manifest, indent=2) + "\n"
    return contents


def hex_bytes(data: bytes) -> str:
    """Bytes as text, one a line."""
    return "".join(f"{byte:02x}\n" for byte in data)


def _configuration_files(configuration: Configuration, output: StreamLayout) -> dict[str, str]:
    """What the bench loads, and what comes out with it."""
    return {
        "tb/weights.hex": hex_bytes(configuration.own),
        "tb/other_weights.hex": hex_bytes(configuration.other),
        "tb/other_expected.hex": hex_beats(configuration.expected, output.bits),
    }


def _stream_entry(layout: StreamLayout) -> dict[str, Any]:
    return {
        "shape": list(layout.shape),
        "element": layout.element,
        "lanes": layout.lanes,
        "lane_bits": layout.lane_bits,
        "beats": layout.beats,
        "bits": layout.bits,
    }


def _hex_entry(text: str) -> dict[str, int]:
    digits = text.index("\n")
    return {
        "words": len(text) // (digits + 1),
        "digits": digits,
        "crc32": _crc32(text),
    }


def logic_checksum(text: str) -> int:
    """The CRC-32 of a Verilog text without the names of ONNX nodes in its comments: equal hardware
    may come from nodes that are named otherwise."""
    return _crc32(without_node_comments(text))


def _crc32(text: str) -> int:
    return zlib.crc32(text.encode("utf-8"))


def _bench_config(top: str, metadata: ProjectMetadata) -> str:
    return (
        f"// What bench.v tests.\n"
        f"`define BENCH_DUT {top}\n"
        f"`define BENCH_IN_BITS {metadata.input.bits}\n"
        f"`define BENCH_IN_BEATS {metadata.input.beats}\n"
        f"`define BENCH_OUT_BITS {metadata.output.bits}\n"
        f"`define BENCH_OUT_BEATS {metadata.output.beats}\n"
        + ("" if metadata.configuration is None else "`define BENCH_CONFIGURATION\n")
    )
