"""The programs of a board's folder for the host: messages, packing, the driver for PYNQ."""

from __future__ import annotations

import importlib.util
import json
import random
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from xdsl.dialects.builtin import TensorType

from irc.dialects.bnn import BipolarType
from irc.dialects.dataflow_stream import StreamType
from irc.dialects.dense import sint, uint
from irc.interp.beats import beats_to_frames, frames_to_beats
from irc.passes.hardware.units.reload_stream import framed


def load(name: str, path: Path | None = None) -> Any:
    """A program of the folder as a module."""
    source = path or Path(str(resources.files("irc.backends.boards") / "bench" / f"{name}.py"))
    spec = importlib.util.spec_from_file_location(name, source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def host() -> Any:
    return load("host")


@pytest.fixture
def loading(host: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setitem(sys.modules, "host", host)
    return load("loading")


WANTED = {"bytes": 306, "shape": 0xBEEF0001}
"""Of a stream of weights."""

STREAM = framed(0xBEEF0001, random.Random(8).randbytes(300))


MANIFEST: dict[str, Any] = {
    "input": {"shape": [12], "element": "ui6", "lanes": 4, "lane_bits": 6, "bits": 24},
    "output": {"shape": [3], "element": "si5", "lanes": 3, "lane_bits": 5, "bits": 16},
}

LAYOUTS = [(uint(8), 4), (sint(5), 3), (uint(1), 6), (BipolarType(), 2), (sint(12), 1)]


@pytest.mark.parametrize(("element", "lanes"), LAYOUTS)
def test_frames_are_packed_as_the_interpreter_does(element: Any, lanes: int, host: Any):
    stream = StreamType.of(TensorType(element, [2, 6]), lanes)
    rng = np.random.default_rng(1)
    if isinstance(element, BipolarType):
        frames = rng.choice(np.array([-1, 1]), (3, 2, 6))
    else:
        low = -(1 << (stream.element_width - 1)) if str(element).startswith("si") else 0
        frames = rng.integers(low, low + (1 << stream.element_width), (3, 2, 6))
    layout = {
        "shape": [2, 6],
        "element": str(element).removeprefix("!bnn."),
        "lanes": lanes,
        "lane_bits": stream.element_width,
        "bits": stream.tdata_width,
    }
    beats = frames_to_beats(frames, stream)
    for index in range(3):
        data = host.pack(frames[index].reshape(-1).tolist(), layout)
        assert data == beats[index].tobytes()
        assert host.unpack(data, layout) == frames[index].reshape(-1).tolist()
    assert np.array_equal(beats_to_frames(beats, stream), frames)


def test_the_class_is_the_first_of_the_largest(host: Any):
    layout = MANIFEST["output"]
    assert host.class_of(host.pack([-3, 7, 7], layout), layout) == 1
    assert host.class_of(host.pack([-3, -9, -4], layout), layout) == 0


def test_messages_are_found_between_noise(host: Any):
    rng = random.Random(3)
    sent = [(rng.choice(b"RiE"), index, rng.randbytes(rng.randrange(12))) for index in range(40)]
    data = b""
    for kind, number, payload in sent:
        data += bytes(rng.choice([0, 1, 255]) for _ in range(rng.randrange(4)))
        data += host.encode(kind, number, payload)
    decoder, found = host.Decoder(16), list[tuple[int, int, bytes]]()
    while data:
        size = rng.randrange(1, 9)
        found += decoder.feed(data[:size])
        data = data[size:]
    assert found == sent
    assert decoder.damaged == 0
    decoder = host.Decoder(16)
    assert list(decoder.feed(b"\xa5\x52" + host.encode(0x52, 3, b"ok"))) == [(0x52, 3, b"ok")]
    assert decoder.damaged > 0


class FakeBoard:
    """Answers every frame with its first two bytes; loses or damages some messages."""

    def __init__(self, host: Any, loss: float, seed: int) -> None:
        self.host, self.loss = host, loss
        self.random = random.Random(seed)
        self.decoder = host.Decoder(256)
        self.answers = bytearray()
        self.now = 0.0
        self.weights = bytearray()
        self.last, self.flags = 17, 0
        self.good = True

    def write(self, data: bytes) -> None:
        if self.random.random() < self.loss:
            return
        for kind, number, payload in self.decoder.feed(data):
            if kind == self.host.IDENTIFY:
                values = bytes([1]) + (99).to_bytes(4, "little") + bytes([8, 0, 2, 0])
                self.answers += self.host.encode(self.host.IDENTITY, number, values)
                continue
            if kind == self.host.FRAME:
                answer = bytearray(self.host.encode(self.host.RESULT, number, payload[:2]))
            else:
                self._take_weights(kind, number, payload)
                said = bytes([self.flags, self.last])
                answer = bytearray(self.host.encode(ord("w"), number, said))
            if self.random.random() < self.loss:
                answer[self.random.randrange(len(answer))] ^= 64
            self.answers += answer

    def _take_weights(self, kind: int, number: int, payload: bytes) -> None:
        if kind == ord("S") or number == self.last:
            return
        assert 1 <= len(payload) <= 127
        self.last = number
        if not self.flags & 4:
            self.weights.clear()
        self.weights += payload
        self.flags = 4 if kind == ord("W") else 2 * (not self.good)

    def read(self) -> bytes:
        self.now += 0.001
        data = bytes(self.answers[:5])
        del self.answers[:5]
        return data


@pytest.mark.parametrize("loss", [0.0, 0.15])
def test_a_lossy_line_costs_time_and_no_result(loss: float, host: Any):
    board = FakeBoard(host, loss, 5)
    link = host.Link(board.write, board.read, 2, 0.05, lambda: board.now)
    assert link.identify() == (1, 99, 8, 2)
    frames = [random.Random(index).randbytes(8) for index in range(300)]
    assert list(link.run(frames)) == [frame[:2] for frame in frames]
    assert bool(link.errors) == bool(loss)


def test_a_dead_board_is_told(host: Any, capsys: pytest.CaptureFixture[str]):
    link = host.Link(bytearray().extend, bytes, 2, 0.002)
    with pytest.raises(SystemExit):
        link.identify()
    assert "nobody answers: is the bitstream loaded" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        list(link.run([bytes(8)]))
    assert "no result after 10 attempts" in capsys.readouterr().err


class FakeLogic:
    """Registers and DMA of a Zynq: adds up the bytes of a frame, modulo 256."""

    def __init__(self, identity: int) -> None:
        self.words = {0x00: identity, 0x04: 1, 0x0C: 0x10, 0x10: 0, 0x14: 0, 0x18: 7, 0x28: 5}
        self.weights: list[int] = []
        self.controls: list[int] = []
        self.sendchannel = self.recvchannel = self
        self.target: Any = None

    def read(self, address: int) -> int:
        return self.words[address]

    def write(self, address: int, value: int) -> None:
        self.words[address] = value
        if address == 0x24:
            self.weights.append(value)
        if address == 0x08:
            self.controls.append(value)

    def transfer(self, buffer: Any) -> None:
        if self.target is None:
            self.target = buffer
            return
        self.target[:] = [sum(int(v) for v in buffer) % 256, 0]
        self.target = None

    def wait(self) -> None:
        """Done at once."""


class FakePynq:
    """What the driver asks of PYNQ."""

    @staticmethod
    def allocate(shape: tuple[int], dtype: str) -> Any:
        class Buffer(np.ndarray[Any, Any]):
            def flush(self) -> None: ...
            def invalidate(self) -> None: ...
            def freebuffer(self) -> None: ...

        return np.zeros(shape, dtype).view(Buffer)


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    bench = resources.files("irc.backends.boards") / "bench"
    (tmp_path / "board").mkdir()
    for name in ("host.py", "loading.py", "pynq_driver.py"):
        (tmp_path / "board" / name).write_text((bench / name).read_text("utf-8"))
    (tmp_path / "manifest.json").write_text(json.dumps(MANIFEST))
    board = {"identity": 42, "frame_bytes": 9, "result_bytes": 2, "weights": WANTED}
    (tmp_path / "board" / "board.json").write_text(json.dumps(board))
    monkeypatch.setattr(sys, "path", [str(tmp_path / "board"), *sys.path])
    for name in ("host", "loading"):
        sys.modules.pop(name, None)
    yield load("pynq_driver", tmp_path / "board" / "pynq_driver.py")
    for name in ("host", "loading"):
        sys.modules.pop(name, None)


def test_the_pynq_driver_moves_frames_and_reads_registers(driver: Any):
    logic = FakeLogic(42)
    network = driver.Network(cells=(logic, logic), pynq=FakePynq)
    assert logic.words[0x08] == driver.RUN | driver.CLEAR
    frames = [random.Random(index).randbytes(9) for index in range(300)]
    assert network.results(frames) == [bytes([sum(frame) % 256, 0]) for frame in frames]
    assert len(network.classes(np.zeros((4, 12), np.int64))) == 4
    status = network.status()
    assert (status["tlast_fault"], status["busy"], status["cycles"]) == (1, 0, 7)
    with pytest.raises(RuntimeError, match="the logic holds the network 0000002b, not 0000002a"):
        driver.Network(cells=(FakeLogic(43), logic), pynq=FakePynq)


@pytest.mark.parametrize(("loss", "seed"), [(0.0, 0), (0.2, 1), (0.2, 2)])
def test_weights_arrive_once_and_whole(loss: float, seed: int, host: Any, loading: Any):
    """Also where messages and answers are lost, and after a stream that stopped in the middle."""
    board = FakeBoard(host, loss, seed)
    link = host.Link(board.write, board.read, 2, 0.05, lambda: board.now)
    assert loading.Loader(link).load(STREAM)
    assert board.weights == STREAM
    host.Link(board.write, board.read, 2, 0.05, lambda: board.now).ask(
        loading.WEIGHTS, board.last + 1 & 255, loading.LOADING, 2, b"stops"
    )
    assert board.flags == loading.OPEN
    assert loading.Loader(link).load(STREAM)
    assert board.weights == STREAM
    board.good = False
    assert not loading.Loader(link).load(STREAM)


def test_files_for_other_networks_and_damaged_ones_are_told(tmp_path: Path, loading: Any):
    assert loading.what_is_wrong(STREAM, WANTED) is None
    other = framed(0xBEEF0002, STREAM[4:-2])
    assert "is for hardware of the shape beef0002, this one is beef0001" in loading.what_is_wrong(
        other, WANTED
    )
    assert loading.what_is_wrong(STREAM[:-1], WANTED) == "has 305 bytes, not 306"
    assert loading.what_is_wrong(b"", WANTED) == "has 0 bytes, not 306"
    for position in (4, 100, 305):
        damaged = bytearray(STREAM)
        damaged[position] ^= 2
        assert "its checksum is wrong" in loading.what_is_wrong(bytes(damaged), WANTED)
    (tmp_path / "w.hex").write_text("\n".join(f"{byte:02x}" for byte in STREAM))
    assert loading.read_stream(tmp_path / "w.hex") == STREAM


def test_the_pynq_driver_loads_weights(
    driver: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    logic = FakeLogic(42)
    network = driver.Network(cells=(logic, logic), pynq=FakePynq)
    (tmp_path / "w.bin").write_bytes(STREAM)
    network.load(tmp_path / "w.bin")
    assert logic.weights == [*STREAM[:-1], STREAM[-1] | driver.LAST_BYTE]
    assert network.status()["weights_fault"] == 0
    logic.controls.clear()
    logic.words[0x0C] |= driver.WEIGHTS_FAULT
    with pytest.raises(RuntimeError, match=r"w\.bin: the network refused the weights"):
        network.load(tmp_path / "w.bin")
    (tmp_path / "w.bin").write_bytes(STREAM[:-1] + b"?")
    with pytest.raises(ValueError, match=r"w\.bin: is damaged"):
        network.load(tmp_path / "w.bin")
    (tmp_path / "w.bin").write_bytes(STREAM)
    logic.words[0x0C] |= driver.LOADING
    monkeypatch.setattr(driver, "PATIENCE", 0.0)
    with pytest.raises(RuntimeError, match=r"w\.bin: the network waits: a frame has begun"):
        network.load(tmp_path / "w.bin")
    # Nothing waits where a stream was refused, and bytes without an end where it was given up.
    assert logic.controls == [driver.HOLD_RESET, driver.RUN]


def test_the_pynq_driver_leaves_nothing_waiting_when_it_is_interrupted(
    driver: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    logic = FakeLogic(42)
    network = driver.Network(cells=(logic, logic), pynq=FakePynq)
    (tmp_path / "w.bin").write_bytes(STREAM)
    logic.controls.clear()
    take = logic.write

    def interrupted(address: int, value: int) -> None:
        take(address, value)
        if address == 0x24 and len(logic.weights) == 7:
            raise KeyboardInterrupt

    monkeypatch.setattr(logic, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        network.load(tmp_path / "w.bin")
    assert logic.weights == list(STREAM[:7])
    assert logic.controls == [driver.HOLD_RESET, driver.RUN]
