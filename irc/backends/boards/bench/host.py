#!/usr/bin/env python3
"""Sends frames to the board over a serial line or SPI and reads the results.

    python host.py --port /dev/ttyUSB1                     the test vectors of this project, checked
    python host.py --port /dev/ttyUSB1 --data test.npz     inputs x, and classes y where known
    python host.py --spi 0.0                               over /dev/spidev0.0
    python host.py --port /dev/ttyUSB1 --weights new.bin   load what `irc reload` wrote, then --data

Shows the class of each frame, frames a second, and errors. A message that was lost or damaged is
sent again. Needs pyserial (`pip install pyserial`) or spidev, and NumPy for --data.
"""

from __future__ import annotations

import argparse
import binascii
import importlib
import json
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent

SYNC = 0xA5
FRAME, IDENTIFY, RESULT, IDENTITY, ERROR = b"FIRiE"
VERSION = 1
CRC_FIRST = 0xFFFF
HEADER_BYTES, CRC_BYTES = 5, 2

WINDOW = 3
"""Frames under way at once: less than the bridge takes, so that a slow result does no harm."""

RETRIES = 10

FAULTS = {
    1: "damaged byte",
    2: "wrong header",
    3: "wrong checksum",
    4: "message broke off",
    5: "bridge was full",
}


def fail(message: str) -> NoReturn:
    """Print an error and leave."""
    print(f"error: {message}", file=sys.stderr)
    sys.exit(1)


def encode(kind: int, sequence: int, payload: bytes = b"") -> bytes:
    """A message as bytes."""
    body = bytes([kind, sequence]) + len(payload).to_bytes(2, "little") + payload
    return bytes([SYNC]) + body + binascii.crc_hqx(body, CRC_FIRST).to_bytes(2, "big")


class Decoder:
    """Finds messages in a stream of bytes; what is damaged is skipped and counted."""

    def __init__(self, longest: int) -> None:
        self.longest = longest
        self.buffer = bytearray()
        self.damaged = 0

    def feed(self, data: bytes) -> Iterator[tuple[int, int, bytes]]:
        """Kind, sequence number and payload of every message that is now complete."""
        self.buffer += data
        while True:
            start = self.buffer.find(SYNC)
            del self.buffer[: start if start >= 0 else len(self.buffer)]
            if len(self.buffer) < HEADER_BYTES:
                return
            length = int.from_bytes(self.buffer[3:5], "little")
            if length > self.longest:
                self._skip()
                continue
            size = HEADER_BYTES + length + CRC_BYTES
            if len(self.buffer) < size:
                return
            if binascii.crc_hqx(bytes(self.buffer[1:size]), CRC_FIRST):
                self._skip()
                continue
            message = bytes(self.buffer[:size])
            del self.buffer[:size]
            yield message[1], message[2], message[HEADER_BYTES:-CRC_BYTES]

    def _skip(self) -> None:
        self.damaged += 1
        del self.buffer[0]


class Link:
    """Frames to results, whatever carries the bytes.

    `write` sends bytes, `read` returns those that have come, after some milliseconds at most;
    what has no answer after `patience` seconds of `clock` is sent again.
    """

    def __init__(
        self,
        write: Callable[[bytes], object],
        read: Callable[[], bytes],
        result_bytes: int,
        patience: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.write = write
        self.read = read
        self.patience = patience
        self.clock = clock
        self.decoder = Decoder(max(result_bytes, 16))
        self.errors: dict[str, int] = {}

    def note(self, what: str) -> None:
        """Count an error."""
        self.errors[what] = self.errors.get(what, 0) + 1

    def ask(self, kind: int, number: int, answer: int, size: int, payload: bytes = b"") -> bytes:
        """Send a message until one of kind `answer` comes, with its number and `size` bytes."""
        for _ in range(RETRIES):
            self.write(encode(kind, number, payload))
            end = self.clock() + self.patience
            while self.clock() < end:
                for found, sequence, data in self.decoder.feed(self.read()):
                    if (found, sequence, len(data)) == (answer, number, size):
                        return data
                    if found == ERROR:
                        self.note(FAULTS.get(data[0], f"fault {data[0]}"))
        fail("nobody answers: is the bitstream loaded, and are port and baud rate right?")

    def identify(self) -> tuple[int, int, int, int]:
        """Version, identity, bytes a frame and bytes a result of whoever answers."""
        data = self.ask(IDENTIFY, 0, IDENTITY, 9)
        return (
            data[0],
            int.from_bytes(data[1:5], "little"),
            int.from_bytes(data[5:7], "little"),
            int.from_bytes(data[7:9], "little"),
        )

    def run(self, frames: Iterable[bytes]) -> Iterator[bytes]:
        """The result of every frame, in order."""
        source = enumerate(frames)
        waiting: deque[tuple[int, bytes]] = deque()
        done: dict[int, bytes] = {}
        sent_at = self.clock()
        failures = 0
        exhausted = False
        while True:
            while not exhausted and len(waiting) < WINDOW:
                index, frame = next(source, (-1, b""))
                if index < 0:
                    exhausted = True
                    break
                waiting.append((index, frame))
                self.write(encode(FRAME, index & 0xFF, frame))
                sent_at = self.clock()
            if not waiting:
                return
            lost = False
            for kind, sequence, payload in self.decoder.feed(self.read()):
                if kind == ERROR:
                    self.note(FAULTS.get(payload[0], f"fault {payload[0]}"))
                    lost = True
                elif kind == RESULT:
                    for index, _ in waiting:
                        if index & 0xFF == sequence and index not in done:
                            done[index] = payload
                            failures = 0
                            sent_at = self.clock()
                            break
            while waiting and waiting[0][0] in done:
                yield done.pop(waiting.popleft()[0])
            if waiting and self.clock() - sent_at > self.patience:
                if not lost:
                    self.note("no answer")
                failures += 1
                if failures > RETRIES:
                    fail(f"no result after {RETRIES} attempts; errors: {self.errors}")
                # Whatever the bridge still holds comes late, and is taken for what it is.
                for index, frame in waiting:
                    if index not in done:
                        self.write(encode(FRAME, index & 0xFF, frame))
                sent_at = self.clock()


def read_hex(path: Path, beats: int, bits: int) -> list[bytes]:
    """Frames of TDATA from a hex file of the test bench, byte 0 of each beat first."""
    words = [bytes.fromhex(line.zfill(bits // 4))[::-1] for line in path.read_text().split()]
    return [b"".join(words[i : i + beats]) for i in range(0, len(words), beats)]


def pack(values: Iterable[int], layout: dict[str, Any]) -> bytes:
    """The elements of a frame as TDATA; bipolar elements are +1 and -1."""
    lanes, bits = layout["lanes"], layout["lane_bits"]
    bipolar = layout["element"] == "bipolar"
    codes = [int(v > 0) if bipolar else int(v) & ((1 << bits) - 1) for v in values]
    data = b""
    for start in range(0, len(codes), lanes):
        beat = sum(code << (bits * i) for i, code in enumerate(codes[start : start + lanes]))
        data += beat.to_bytes(layout["bits"] // 8, "little")
    return data


def unpack(data: bytes, layout: dict[str, Any]) -> list[int]:
    """The elements of a frame of TDATA."""
    lanes, bits, size = layout["lanes"], layout["lane_bits"], layout["bits"] // 8
    signed = layout["element"].startswith("si")
    count = 1
    for extent in layout["shape"]:
        count *= extent
    values: list[int] = []
    for start in range(0, len(data), size):
        beat = int.from_bytes(data[start : start + size], "little")
        for lane in range(lanes):
            code = beat >> (bits * lane) & ((1 << bits) - 1)
            if layout["element"] == "bipolar":
                code = 2 * code - 1
            elif signed and code >> (bits - 1):
                code -= 1 << bits
            values.append(code)
    return values[:count]


def class_of(result: bytes, layout: dict[str, Any]) -> int:
    """The largest logit's index, the first of equals; a single value is the class itself."""
    values = unpack(result, layout)
    return values[0] if len(values) == 1 else values.index(max(values))


def load_module(name: str, package: str) -> Any:
    """A module that not everybody needs."""
    try:
        return importlib.import_module(name)
    except ImportError:
        fail(f"{name} was not found: pip install {package}")


def open_serial(port: str, baud: int) -> tuple[Callable[[bytes], object], Callable[[], bytes]]:
    """A serial port through pyserial."""
    serial = load_module("serial", "pyserial")
    try:
        line: Any = serial.Serial(port, baud, timeout=0.02)
    except (OSError, ValueError) as error:
        fail(str(error))
    line.reset_input_buffer()
    return line.write, lambda: line.read(max(1, line.in_waiting))


def open_spi(name: str, hertz: int) -> tuple[Callable[[bytes], object], Callable[[], bytes]]:
    """A Linux SPI device, BUS.DEVICE; what comes while something is sent is kept."""
    spidev = load_module("spidev", "spidev")
    bus, _, chip = name.partition(".")
    device: Any = spidev.SpiDev()
    device.open(int(bus), int(chip or 0))
    device.max_speed_hz, device.mode = hertz, 0
    heard = bytearray()

    def write(data: bytes) -> None:
        for start in range(0, len(data), 2048):
            heard.extend(device.xfer2(list(data[start : start + 2048])))

    def read() -> bytes:
        # Idle bytes are 0; they are no SYNC and cost nothing.
        heard.extend(device.xfer2([0] * 32))
        data = bytes(heard)
        heard.clear()
        return data

    return write, read


def load_data(path: Path, layout: dict[str, Any]) -> tuple[list[bytes], list[int] | None]:
    """Frames from a .npz (x, and y where there are classes) or .npy file of integers."""
    numpy = load_module("numpy", "numpy")
    loaded: Any = numpy.load(path)
    x = loaded if path.suffix == ".npy" else loaded["x"]
    y = None if path.suffix == ".npy" or "y" not in loaded else loaded["y"].reshape(-1).tolist()
    count = 1
    for extent in layout["shape"]:
        count *= extent
    if x.size % count or x.shape[0] * count != x.size:
        fail(f"{path}: shape {x.shape} is no batch of frames of shape {layout['shape']}")
    return [pack(frame.reshape(-1).tolist(), layout) for frame in x], y


def parse_arguments(board: dict[str, Any]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    line = parser.add_mutually_exclusive_group(required=True)
    line.add_argument("--port", help="serial port, such as /dev/ttyUSB1 or COM3")
    line.add_argument("--spi", metavar="BUS.DEVICE", help="Linux SPI device, such as 0.0")
    parser.add_argument("--baud", type=int, default=board.get("baud"), help="default: %(default)s")
    parser.add_argument("--hertz", type=int, default=1_000_000, help="of SPI (%(default)s)")
    parser.add_argument("--data", type=Path, help=".npz with x (and y), or .npy")
    if board["weights"] is not None:
        parser.add_argument("--weights", type=Path, help="what `irc reload` wrote: load it first")
    parser.add_argument("--quiet", action="store_true", help="no line for every frame")
    return parser.parse_args()


def load_weights(link: Link, path: Path | None, wanted: dict[str, Any]) -> None:
    """Load a file of weights, or tell where there are none."""
    loading = importlib.import_module("loading")
    loader = loading.Loader(link)
    if path is None:
        if loader.status()[0] & loading.ERROR:
            print("the weights are missing, or the last ones were refused: see --weights")
        return
    try:
        stream = loading.read_stream(path)
    except (OSError, ValueError) as error:
        fail(f"{path}: {error}")
    wrong = loading.what_is_wrong(stream, wanted)
    if wrong is not None:
        fail(f"{path}: {wrong}")
    if not loader.load(stream):
        fail(f"{path}: the network refused the weights")
    print(f"{path}: {len(stream):,} bytes of weights loaded")


def main() -> int:
    """Send everything, show what comes back."""
    manifest: dict[str, Any] = json.loads((PROJECT / "manifest.json").read_text())
    board: dict[str, Any] = json.loads((HERE / "board.json").read_text())
    arguments = parse_arguments(board)
    layout_in, layout_out = manifest["input"], manifest["output"]
    expected: list[bytes] | None = None
    classes: list[int] | None = None
    if arguments.data is None:
        frames = read_hex(PROJECT / "tb/stimulus.hex", layout_in["beats"], layout_in["bits"])
        expected = read_hex(PROJECT / "tb/expected.hex", layout_out["beats"], layout_out["bits"])
    else:
        frames, classes = load_data(arguments.data, layout_in)
    if arguments.spi is not None:
        write, read = open_spi(arguments.spi, arguments.hertz)
        rate = arguments.hertz / 8
    else:
        write, read = open_serial(arguments.port, arguments.baud)
        rate = arguments.baud / 10
    frame_bytes = board["frame_bytes"]
    patience = 0.5 + 2 * (WINDOW + 1) * (frame_bytes + board["result_bytes"]) / rate
    link = Link(write, read, board["result_bytes"], patience)
    version, identity, frame, result = link.identify()
    if (version, identity) != (VERSION, board["identity"]):
        fail(f"the board runs another network (identity {identity:08x}): load this bitstream")
    print(f"{manifest['top']}: {frame} bytes a frame, {result} bytes a result")
    if board["weights"] is not None:
        load_weights(link, arguments.weights, board["weights"])
        if arguments.weights is not None and arguments.data is None:
            # What is expected of the test vectors is for the weights of this folder.
            return 0
    start, right = time.monotonic(), 0
    for index, data in enumerate(link.run(frames)):
        answer = class_of(data, layout_out)
        note = ""
        if expected is not None:
            right += data == expected[index]
            note = "" if data == expected[index] else "  NOT as expected"
        elif classes is not None:
            right += answer == classes[index]
        if note or not arguments.quiet:
            print(f"frame {index}: class {answer}{note}")
    seconds = time.monotonic() - start
    print(f"{len(frames)} frames in {seconds:.2f} s: {len(frames) / seconds:,.0f} frames a second")
    for what, count in sorted({**link.errors, "damaged answer": link.decoder.damaged}.items()):
        if count:
            print(f"{count} × {what}")
    if expected is not None or classes is not None:
        print(f"{right} of {len(frames)} {'as expected' if expected is not None else 'right'}")
    return 0 if expected is None or right == len(frames) else 1


if __name__ == "__main__":
    sys.exit(main())
