"""A small core behind a bridge, in the cycle-accurate simulator, and the host's side of a UART."""

from __future__ import annotations

import binascii
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from hw_designs import xnor_accumulator, xnor_accumulator_model
from xdsl.dialects import hw
from xdsl.dialects.builtin import ModuleOp

from irc.interp.rtl import HwSimulator
from irc.passes.hardware.bridge.bridge import CoreStreams, bridge_modules
from irc.passes.hardware.bridge.protocol import SYNC
from irc.passes.hardware.bridge.uart import Divider
from irc.passes.hardware.bridge.uart_port import uart_port
from irc.passes.hardware.crc import CRC_FIRST
from irc.passes.hardware.hw_builder import CLOCK_RESET, HwBuilder, Port

BEATS = 12
CLOCKS_A_BIT = 8
TIMEOUT_BITS = 11
PAUSE = (1 << TIMEOUT_BITS) + 200
IDENTITY = 0x12345678
STREAMS = CoreStreams(BEATS, 1, 1, 2)

WEIGHTS = np.random.default_rng(0).integers(0, 2, (BEATS, 8), np.uint8)


def result_of(frame: bytes) -> bytes:
    """What the core makes of a frame."""
    beats: npt.NDArray[np.uint8] = np.frombuffer(frame, np.uint8).reshape(1, BEATS, 1)
    return xnor_accumulator_model(WEIGHTS, beats).tobytes()


def system(stuck: bool = False, reloadable: bool = False) -> ModuleOp:
    """Module `system`: `rx`, `tx`, `active`, `failed`; a stuck core takes and gives nothing.
    Weights of a reloadable one come out at `cfg`: valid, last, and the byte."""
    streams = replace(STREAMS, reloadable=reloadable)
    core = xnor_accumulator("core", WEIGHTS, public=False)
    divider = Divider.of(CLOCKS_A_BIT, 1)
    modules = bridge_modules(
        "bridge", streams, IDENTITY, uart_port("bridge", divider), TIMEOUT_BITS
    )
    bridge = modules[0]
    assert isinstance(bridge, hw.HWModuleOp)
    ports = [Port.input("rx", 1), Port.output("tx", 1)]
    ports += [Port.output("active", 1), Port.output("failed", 1)]
    if reloadable:
        ports.append(Port.output("cfg", 10))
    b = HwBuilder("system", [*CLOCK_RESET, *ports], public=True)
    back = {name: b.wire(name, bits) for name, bits in (("data", 16), ("valid", 1), ("last", 1))}
    ready = b.wire("ready", 1)
    said = b.instance(
        "bridge",
        bridge,
        {
            "rx": b.input("rx"),
            "m_axis_tready": ready.value,
            "s_axis_tdata": back["data"].value,
            "s_axis_tvalid": back["valid"].value,
            "s_axis_tlast": back["last"].value,
            **({"m_axis_cfg_tready": 1, "cfg_busy": 0, "cfg_error": 0} if reloadable else {}),
        },
    )
    given = b.instance(
        "core",
        core,
        {
            "s_axis_tdata": said["m_axis_tdata"],
            "s_axis_tvalid": b.const(0, 1) if stuck else said["m_axis_tvalid"],
            "s_axis_tlast": said["m_axis_tlast"],
            "m_axis_tready": said["s_axis_tready"],
        },
    )
    for name, wire in back.items():
        wire.drive(given[f"m_axis_t{name}"])
    ready.drive(b.const(0, 1) if stuck else given["s_axis_tready"])
    for name in ("tx", "active", "failed"):
        b.output(name, said[name])
    if reloadable:
        signals = ("tvalid", "tlast", "tdata")
        b.output("cfg", b.concat(*(said[f"m_axis_cfg_{signal}"] for signal in signals)))
    return ModuleOp([b.finish(), core, *modules])


class UartHost:
    """Drives `rx` and listens to `tx`, clock by clock."""

    def __init__(self, module: ModuleOp, seed: int = 0) -> None:
        self.simulator = HwSimulator(module, "system", seed=seed)
        self.simulator.reset()
        self.outputs: dict[str, int] = {}
        self.heard = bytearray()
        self.loaded = bytearray()
        """Bytes of configuration streams, and"""
        self.ends: list[int] = []
        """how many there were at the end of each stream."""
        self._byte: list[int] | None = None

    def levels(self, bits: list[int], clocks: int = CLOCKS_A_BIT) -> None:
        """Levels on `rx`, so many clocks each."""
        for bit in bits:
            for _ in range(clocks):
                self._clock(bit)

    def send(self, data: bytes) -> None:
        """Bytes, 8N1, without gaps."""
        for byte in data:
            self.levels([0, *(byte >> index & 1 for index in range(8)), 1])

    def wait(self, clocks: int) -> None:
        """An idle line."""
        self.levels([1], clocks)

    def listen(self, clocks: int = 2500) -> list[tuple[int, int, bytes]]:
        """The messages that have come since the last call, after so many clocks more."""
        self.wait(clocks)
        data, found = bytes(self.heard), list[tuple[int, int, bytes]]()
        self.heard.clear()
        while data:
            size = 7 + int.from_bytes(data[3:5], "little")
            assert data[0] == SYNC
            assert binascii.crc_hqx(data[1:size], CRC_FIRST) == 0
            found.append((data[1], data[2], data[5 : size - 2]))
            data = data[size:]
        return found

    def _clock(self, rx: int) -> None:
        self.outputs = self.simulator.step({"aresetn": 1, "rx": rx})
        weights = self.outputs.get("cfg", 0)
        if weights >> 9:
            self.loaded.append(weights & 0xFF)
            if weights >> 8 & 1:
                self.ends.append(len(self.loaded))
        tx = self.outputs["tx"]
        if self._byte is None:
            self._byte = [tx] if tx == 0 else None
            return
        self._byte.append(tx)
        if len(self._byte) == 10 * CLOCKS_A_BIT - CLOCKS_A_BIT // 4:
            middles = self._byte[CLOCKS_A_BIT // 2 :: CLOCKS_A_BIT]
            assert middles[9] == 1, "no stop bit"
            self.heard.append(sum(bit << index for index, bit in enumerate(middles[1:9])))
            self._byte = None


def message(kind: int, number: int, payload: bytes = b"") -> bytes:
    """A message as the host sends it."""
    body = bytes([kind, number]) + len(payload).to_bytes(2, "little") + payload
    return bytes([SYNC]) + body + binascii.crc_hqx(body, CRC_FIRST).to_bytes(2, "big")
