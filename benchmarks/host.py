"""The library of `--target host` beside ONNX Runtime, float32 and int8, on one thread.

    python benchmarks/host.py ../shared/models/*.onnx
    python benchmarks/host.py net.onnx --input x=uint8/255 --rounds 50

The same network on the same frame at batch 1, called from Python each. What is compared runs in
turns within one process, a burst of calls each, so that a machine whose speed drifts drifts for
all; the table shows the median of the bursts, and of the ratios within each turn. Times are those
that the one thread computed, whatever else the machine did. Int8 is what onnxruntime.quantization
makes of the model, statically in two formats and dynamically; the fastest one counts.
"""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx as onnx_module
import onnxruntime as onnxruntime_module  # pyright: ignore[reportMissingTypeStubs]
from onnx import numpy_helper as numpy_helper_module
from onnxruntime import (  # pyright: ignore[reportMissingTypeStubs]
    quantization as quantization_module,
)
from rich.console import Console
from rich.table import Table

from irc.backends.c.host import HostModel, compile_host
from irc.flow.ladder import Ladder

# They state few types.
onnx: Any = onnx_module
onnxruntime: Any = onnxruntime_module
numpy_helper: Any = numpy_helper_module
quantization: Any = quantization_module

Array = npt.NDArray[Any]
Call = Callable[[], object]

BURST_SECONDS = 0.02
"""How long a burst of calls takes, about."""
CALIBRATION_FRAMES = 16


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="+", type=Path)
    parser.add_argument("--input", action="append", default=[], metavar="NAME=TYPE")
    parser.add_argument("--rounds", type=int, default=30, help="turns (default: %(default)s)")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    # Both warn of what is tried on purpose.
    logging.disable(logging.WARNING)
    onnxruntime.set_default_logger_severity(3)
    headings = ("network", "irc µs", "in a batch", "float32 µs", "ratio", "int8 µs", "ratio")
    table = Table(*headings, "int8 model")
    figures: list[dict[str, object]] = []
    for path in options.models:
        measured = measure(path, tuple(options.input), options.rounds)
        figures.append(measured)
        table.add_row(*(_cell(value) for value in measured.values()))
    Console(width=100).print(table)
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def _cell(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def measure(path: Path, inputs: tuple[str, ...], rounds: int) -> dict[str, object]:
    """The figures of one model; raises `SystemExit` where results disagree."""
    ladder = Ladder(path, inputs)
    ours = compile_host(ladder.packed, name=ladder.name)
    reference = session(onnx.load(path).SerializeToString())
    port = reference.get_inputs()[0]
    frames = random_frames(port, CALIBRATION_FRAMES)
    given = to_device(ladder, ours, frames)
    check(reference.run(None, {port.name: frames[:1]})[0], ours.run(given[:1])[0], path)
    floats = folded(onnx.load(path))
    calls: dict[str, Call] = {
        "irc": caller(ours, given[:1]),
        "float32": session_call(session(floats.SerializeToString()), frames[:1]),
    }
    for kind, model in quantized(floats, frames).items():
        calls[kind] = session_call(session(model), frames[:1])
    times = in_turns(calls, rounds)
    int8 = min((k for k in times if k.startswith("int8")), key=lambda k: median(times[k]))
    many = np.ascontiguousarray(np.resize(given, (200, *given.shape[1:])))
    batch = in_turns({"batch": caller(ours, many)}, 5)["batch"]
    return {
        "network": path.stem,
        "irc_us": median(times["irc"]),
        "irc_batch_us": median(batch) / len(many),
        "float32_us": median(times["float32"]),
        "float32_ratio": paired(times["float32"], times["irc"]),
        "int8_us": median(times[int8]),
        "int8_ratio": paired(times[int8], times["irc"]),
        "int8": int8.removeprefix("int8 "),
    }


def caller(model: HostModel, frames: Array) -> Call:
    """A call of the library on frames that lie ready, as its Python loader makes it."""
    results = [np.empty((len(frames), *port.shape), port.dtype) for port in model.source.outputs]
    arguments = [frames.ctypes.data, *(array.ctypes.data for array in results)]
    # The arrays have to live as long as their addresses are used.
    return lambda keep=(frames, results): model.call(len(frames), *arguments)


def session(model: bytes) -> Any:
    """ONNX Runtime on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def session_call(model: Any, frame: Array) -> Call:
    """A call of ONNX Runtime with its input and output bound ahead, which costs it least."""
    binding = model.io_binding()
    value = onnxruntime.OrtValue.ortvalue_from_numpy(frame)
    binding.bind_ortvalue_input(model.get_inputs()[0].name, value)
    for output in model.get_outputs():
        binding.bind_output(output.name)
    return lambda: model.run_with_iobinding(binding)


def random_frames(port: Any, count: int) -> Array:
    """Frames [N, …] of random bytes, in the type of the model's input."""
    shape = [count, *(size for size in port.shape[1:])]
    frames = np.random.default_rng(0).integers(0, 256, shape)
    if port.type == "tensor(float)":
        return (frames / np.float32(255)).astype(np.float32)
    return frames.astype(port.type.removeprefix("tensor(").removesuffix(")"))


def to_device(ladder: Ladder, ours: HostModel, frames: Array) -> Array:
    """The frames as the library takes them."""
    port = ours.source.inputs[0]
    if ladder.inputs and frames.dtype == np.float32:
        frames = np.rint(frames * 255)
    return np.ascontiguousarray(frames.reshape(len(frames), *port.shape), port.dtype)


def check(expected: Array, got: Array, path: Path) -> None:
    """Whatever is timed has to compute the same."""
    if not np.array_equal(expected.reshape(-1), got.reshape(-1).astype(expected.dtype)):
        raise SystemExit(f"{path}: the library and ONNX Runtime disagree")


def folded(model: Any) -> Any:
    """The float model: constants behind casts become floats, for quantizers to find them."""
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in list(model.graph.node):
        if node.op_type == "Cast" and node.input[0] in constants:
            to = next(a.i for a in node.attribute if a.name == "to")
            value = numpy_helper.to_array(constants[node.input[0]])
            cast = value.astype(onnx.helper.tensor_dtype_to_np_dtype(to))
            model.graph.initializer.append(numpy_helper.from_array(cast, node.output[0]))
            model.graph.node.remove(node)
    read = {name for node in model.graph.node for name in node.input}
    for name in constants.keys() - read:
        model.graph.initializer.remove(constants[name])
    return model


class _Frames(quantization_module.CalibrationDataReader):
    """Calibration data, one frame at a time."""

    def __init__(self, name: str, frames: Array) -> None:
        self._left = [{name: frame[None]} for frame in frames]

    # It ends with None, whatever its type says.
    def get_next(self) -> Any:
        return self._left.pop() if self._left else None


def quantized(model: Any, frames: Array) -> dict[str, bytes]:
    """The model in 8 bits, calibrated on the frames, and with ranges found when it runs."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        onnx.save(model, folder / "float.onnx")
        quantization.shape_inference.quant_pre_process(folder / "float.onnx", folder / "pre.onnx")
        found: dict[str, bytes] = {}
        kinds = quantization.QuantType
        for form, activations in itertools.product(
            (quantization.QuantFormat.QDQ, quantization.QuantFormat.QOperator),
            (kinds.QUInt8, kinds.QInt8),
        ):
            quantization.quantize_static(
                folder / "pre.onnx",
                folder / "int8.onnx",
                _Frames(model.graph.input[0].name, frames),
                quant_format=form,
                activation_type=activations,
            )
            name = f"int8 static, {form.name}, {activations.name}"
            found[name] = (folder / "int8.onnx").read_bytes()
        quantization.quantize_dynamic(folder / "pre.onnx", folder / "int8.onnx")
        found["int8 dynamic"] = (folder / "int8.onnx").read_bytes()
        return found


def in_turns(calls: dict[str, Call], rounds: int) -> dict[str, list[float]]:
    """Microseconds a call of each, once for every round."""
    repeats: dict[str, int] = {}
    for name, call in calls.items():
        call()
        start = time.thread_time()
        call()
        repeats[name] = max(1, round(BURST_SECONDS / (time.thread_time() - start)))
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.thread_time()
            for _ in range(repeats[name]):
                call()
            times[name].append((time.thread_time() - start) / repeats[name] * 1e6)
    return times


def median(values: list[float]) -> float:
    """The one in the middle."""
    return statistics.median(values)


def paired(slower: list[float], faster: list[float]) -> float:
    """The median of the ratios, turn by turn."""
    return median([a / b for a, b in zip(slower, faster, strict=True)])


if __name__ == "__main__":
    main()
