"""Whole models at the `onnx` level, run by ONNX Runtime: the truth that everything is held to."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt
from onnx import ModelProto
from onnx.reference import ReferenceEvaluator
from xdsl.dialects.builtin import DYNAMIC_INDEX, ModuleOp

from irc.dialects.onnx_proto import type_from_proto
from irc.dialects.onnx_to_proto import MAX_IR_VERSION, module_to_proto
from irc.dialects.onnx_types import PLAIN_NUMPY, data_type, ranked
from irc.errors import IrcError
from irc.interp.onnx_expand import expand_qonnx

Array = npt.NDArray[Any]
Feeds = Mapping[str, Array]
Engine = Literal["onnxruntime", "reference"]

CHUNK = 256
"""Frames given at once to a model with a dynamic batch."""


@dataclass(frozen=True)
class Port:
    """An input of a model: its name, NumPy dtype (None if it is no plain tensor) and shape
    (None if unknown; −1 for dynamic dimensions)."""

    name: str
    dtype: np.dtype[Any] | None
    shape: tuple[int, ...] | None


class OnnxReference:
    """A model that can be run, node by node as the file says: one thread, nothing fused.

    QONNX operators are expanded into standard ones first. The engine is ONNX Runtime, and
    ONNX's own (slow) reference implementation for models that use what it lacks, or on request;
    `engine` says which is in use.

    Raises `IrcError` where ONNX Runtime is not installed, or neither engine takes the model.
    """

    def __init__(self, model: ModuleOp | ModelProto, engine: Engine = "onnxruntime") -> None:
        proto = module_to_proto(model) if isinstance(model, ModuleOp) else model
        proto = expand_qonnx(proto)
        self.inputs = _ports(proto)
        self.output_names = [output.name for output in proto.graph.output]
        self.engine: Engine = engine
        self._run = self._open(proto)

    def _open(self, proto: ModelProto) -> Callable[[dict[str, Array]], list[Any]]:
        if self.engine == "onnxruntime":
            try:
                return _onnxruntime(proto, self.output_names)
            except _RejectedError as refusal:
                self.engine = "reference"
                try:
                    return _reference(proto)
                except Exception:
                    raise IrcError(f"ONNX Runtime does not take the model: {refusal}") from None
        return _reference(proto)

    def run(self, inputs: Feeds) -> dict[str, Any]:
        """All outputs by name, for all inputs by name, in the model's own shapes and dtypes.

        Raises `IrcError` for a missing or unknown input, and for wrong shapes and dtypes.
        """
        known = {port.name: port for port in self.inputs}
        for name in inputs:
            if name not in known:
                raise IrcError(f"the model has no input '{name}'; it has {_list(known)}")
        for name, port in known.items():
            if name not in inputs:
                raise IrcError(f"input '{name}' is missing")
            # Sequences are given as lists, which carry no shape of their own.
            if isinstance(cast(object, inputs[name]), np.ndarray):
                _check(inputs[name], port)
        try:
            results = self._run(dict(inputs))
        except Exception as error:
            raise IrcError(f"the model cannot be run: {_first_line(error)}") from None
        return dict(zip(self.output_names, results, strict=True))

    def run_frames(self, frames: Array) -> dict[str, Array]:
        """Outputs, frame by frame along a new or existing first axis, for `frames` [N, …].

        The model has one input, whose first dimension is the batch. A frame may have any shape
        with as many elements as the model's. Where the batch is dynamic, frames run in chunks,
        else as many at once as the model says, the last batch filled up with its last frame. A
        model that takes a plain vector has no batch: the vector is a frame.
        """
        if len(self.inputs) != 1:
            raise IrcError(f"expected a model with one input; it has {_list(self.names)}")
        port = self.inputs[0]
        shape = port.shape
        if not shape or any(dim < 0 for dim in shape[1:]) or shape[0] == 0:
            raise IrcError(f"input '{port.name}': cannot feed frames one by one to {shape}")
        if len(shape) == 1 and shape[0] > 0:
            rows = [self.run({port.name: row}) for row in frames.reshape(len(frames), -1)]
            return {name: np.stack([row[name] for row in rows]) for name in self.output_names}
        per_frame = int(np.prod(shape[1:], dtype=np.int64))
        if frames.ndim == 0 or frames[:1].size not in (per_frame, 0):
            raise IrcError(
                f"input '{port.name}': a frame has {frames[:1].size} values, "
                f"the model takes {per_frame} ({shape[1:]})"
            )
        data = np.ascontiguousarray(frames).reshape(-1, *shape[1:])
        count, step = len(data), CHUNK if shape[0] < 0 else shape[0]
        if shape[0] > 0 and count % step:
            data = np.concatenate([data, np.repeat(data[-1:], -count % step, axis=0)])
        parts = [
            self._chunk(port.name, data[start : start + step])
            for start in range(0, len(data), step)
        ]
        if not parts:
            raise IrcError("there are no frames to run")
        return {name: np.concatenate([part[name] for part in parts])[:count] for name in parts[0]}

    @property
    def names(self) -> list[str]:
        """Names of the inputs."""
        return [port.name for port in self.inputs]

    def _chunk(self, name: str, data: Array) -> dict[str, Array]:
        results = self.run({name: data})
        count = len(data)
        arrays = {key: np.asarray(value) for key, value in results.items()}
        if all(array.ndim and len(array) == count for array in arrays.values()):
            return arrays
        if count == 1:
            return {key: array[np.newaxis] for key, array in arrays.items()}
        # The batch is declared dynamic, but something in the model fixes it: one by one then.
        singles = [self._chunk(name, data[index : index + 1]) for index in range(count)]
        return {key: np.concatenate([single[key] for single in singles]) for key in arrays}


class _RejectedError(Exception):
    """ONNX Runtime cannot load the model."""


def _onnxruntime(proto: ModelProto, outputs: list[str]) -> Callable[[dict[str, Array]], list[Any]]:
    try:
        runtime: Any = importlib.import_module("onnxruntime")
    except ImportError:
        raise IrcError(
            "ONNX Runtime is not installed; it comes with the extra `verify`: "
            "pip install 'irc-bnn[verify]'"
        ) from None
    options = runtime.SessionOptions()
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    options.log_severity_level = 4
    if proto.ir_version > MAX_IR_VERSION:
        lowered = ModelProto()
        lowered.CopyFrom(proto)
        lowered.ir_version = MAX_IR_VERSION
        proto = lowered
    try:
        session = runtime.InferenceSession(
            proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:
        raise _RejectedError(_first_line(error)) from None
    return lambda feeds: session.run(outputs, feeds)


def _reference(proto: ModelProto) -> Callable[[dict[str, Array]], list[Any]]:
    evaluator: Any = ReferenceEvaluator(proto)
    return lambda feeds: evaluator.run(None, feeds)


def _ports(proto: ModelProto) -> list[Port]:
    constants = {tensor.name for tensor in proto.graph.initializer}
    ports: list[Port] = []
    for value in proto.graph.input:
        if value.name in constants:
            continue
        kind = type_from_proto(value.type)
        tensor = ranked(kind)
        shape = dtype = None
        if tensor is not None:
            shape = tuple(-1 if dim == DYNAMIC_INDEX else dim for dim in tensor.get_shape())
            code = PLAIN_NUMPY.get(data_type(tensor.element_type))
            dtype = None if code is None else np.dtype(code)
        ports.append(Port(value.name, dtype, shape))
    return ports


def _check(given: Array, port: Port) -> None:
    if port.dtype is not None and given.dtype != port.dtype:
        raise IrcError(f"input '{port.name}': the model takes {port.dtype}, not {given.dtype}")
    if port.shape is None:
        return
    fits = len(port.shape) == given.ndim and all(
        dim in (-1, size) for dim, size in zip(port.shape, given.shape, strict=True)
    )
    if not fits:
        shown = "×".join("?" if dim < 0 else str(dim) for dim in port.shape) or "a scalar"
        raise IrcError(f"input '{port.name}': the model takes {shown}, not {given.shape}")


def _list(names: Any) -> str:
    return ", ".join(f"'{name}'" for name in names) or "none"


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
