"""Runs the network on a Zynq board under PYNQ: an overlay with the packaged IP and an AXI DMA.

    from pynq_driver import Network
    network = Network("NAME.bit")
    print(network.classes(images))          # integers [N, *shape of the input]
    print(network.status())
    network.load("weights.bin")             # of irc reload, where the network takes weights

NAME.bit and NAME.hwh come from block_design.tcl; manifest.json and board.json lie beside as they do
in the folder that was compiled. host.py has the packing.
"""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import host

HERE = Path(__file__).resolve().parent

ID, VERSION, CONTROL, STATUS = 0x00, 0x04, 0x08, 0x0C
FRAMES_IN, FRAMES_OUT, CYCLES, FRAME_BYTES, RESULT_BYTES = 0x10, 0x14, 0x18, 0x1C, 0x20
WEIGHTS, WEIGHTS_ROOM, SHAPE = 0x24, 0x28, 0x2C
RUN, CLEAR, HOLD_RESET = 1, 2, 4
LOADING, WEIGHTS_FAULT = 1 << 5, 1 << 6
LAST_BYTE = 1 << 8

PATIENCE = 2.0
"""Seconds without a byte of weights taken after which loading is given up."""

BATCH = 256
"""Frames a transfer: the DMA moves less than 64 MB at once."""


class Network:
    """The network in the programmable logic.

    `cells` are the IP and the DMA of an overlay that is loaded already; without it `bitfile` is
    loaded. Raises `RuntimeError` where the logic holds another network.
    """

    def __init__(
        self, bitfile: str | None = None, cells: tuple[Any, Any] | None = None, pynq: Any = None
    ) -> None:
        self.pynq = importlib.import_module("pynq") if pynq is None else pynq
        if cells is None:
            overlay: Any = self.pynq.Overlay(bitfile)
            cells = overlay.network, overlay.dma
        self.registers, self.dma = cells
        self.board: dict[str, Any] = json.loads((HERE / "board.json").read_text())
        manifest: dict[str, Any] = json.loads((HERE.parent / "manifest.json").read_text())
        self.input, self.output = manifest["input"], manifest["output"]
        found = self.registers.read(ID)
        if (found, self.registers.read(VERSION)) != (self.board["identity"], host.VERSION):
            raise RuntimeError(
                f"the logic holds the network {found:08x}, not {self.board['identity']:08x}"
            )
        self.reset()

    def reset(self) -> None:
        """Drop what is under way, clear the counters, run."""
        self.registers.write(CONTROL, HOLD_RESET)
        self.registers.write(CONTROL, RUN | CLEAR)

    def status(self) -> dict[str, int]:
        """Registers by name; the bits of STATUS apart."""
        status = self.registers.read(STATUS)
        names = ("busy", "input_waits", "output_waits", "tkeep_fault", "tlast_fault")
        if self.board["weights"] is not None:
            names += ("loading", "weights_fault")
        found = {name: status >> bit & 1 for bit, name in enumerate(names)}
        found["frames_in"] = self.registers.read(FRAMES_IN)
        found["frames_out"] = self.registers.read(FRAMES_OUT)
        found["cycles"] = self.registers.read(CYCLES)
        return found

    def load(self, path: str | Path) -> None:
        """Load a file of `irc reload`, with no frame under way. Raises `ValueError` for one that is
        damaged or for another network, `RuntimeError` where the network refuses it. Where it ends
        in the middle, the network is reset and has no weights until some are loaded."""
        wanted = self.board["weights"]
        if wanted is None:
            raise RuntimeError("the weights are fixed: compile the network with --reloadable")
        loading = importlib.import_module("loading")
        stream: bytes = loading.read_stream(Path(path))
        wrong = loading.what_is_wrong(stream, wanted)
        if wrong is not None:
            raise ValueError(f"{path}: {wrong}")
        try:
            self._send(stream, path)
        except BaseException:
            # What waits, and has no end, would be the beginning of the next stream.
            self.registers.write(CONTROL, HOLD_RESET)
            self.registers.write(CONTROL, RUN)
            raise
        if self.registers.read(STATUS) & WEIGHTS_FAULT:
            raise RuntimeError(f"{path}: the network refused the weights")

    def _send(self, stream: bytes, path: str | Path) -> None:
        """Write a stream as there is room, and wait until it is taken."""
        sent, moved_at = 0, time.monotonic()
        while sent < len(stream) or self.registers.read(STATUS) & LOADING:
            for byte in stream[sent : sent + self.registers.read(WEIGHTS_ROOM)]:
                sent, moved_at = sent + 1, time.monotonic()
                self.registers.write(WEIGHTS, byte | (LAST_BYTE if sent == len(stream) else 0))
            if time.monotonic() - moved_at > PATIENCE:
                raise RuntimeError(f"{path}: the network waits: a frame has begun and does not end")

    def results(self, frames: Iterable[bytes]) -> list[bytes]:
        """TDATA of results for TDATA of frames."""
        waiting, answers = list(frames), list[bytes]()
        while waiting:
            batch, waiting = waiting[:BATCH], waiting[BATCH:]
            answers += self._transfer(batch)
        return answers

    def _transfer(self, batch: list[bytes]) -> list[bytes]:
        """One frame after another: TLAST ends each transfer of the DMA."""
        answers: list[bytes] = []
        source = self.pynq.allocate((self.board["frame_bytes"],), "u1")
        target = self.pynq.allocate((self.board["result_bytes"],), "u1")
        try:
            for frame in batch:
                source[:] = list(frame)
                source.flush()
                self.dma.recvchannel.transfer(target)
                self.dma.sendchannel.transfer(source)
                self.dma.sendchannel.wait()
                self.dma.recvchannel.wait()
                target.invalidate()
                answers.append(bytes(int(value) for value in target))
        finally:
            source.freebuffer()
            target.freebuffer()
        return answers

    def classes(self, images: Any) -> list[int]:
        """The class of every image; integers [N, *shape of the input]."""
        frames = (host.pack(image.reshape(-1).tolist(), self.input) for image in images)
        return [host.class_of(result, self.output) for result in self.results(frames)]
