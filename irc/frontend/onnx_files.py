"""Reading ONNX files, and the data that they keep beside them.

Everything here distrusts the file: a model may come from anywhere, and must not make the
compiler read outside its own folder.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.message import DecodeError
from onnx import (
    AttributeProto,
    FunctionProto,
    GraphProto,
    ModelProto,
    SparseTensorProto,
    TensorProto,
)

from irc.dialects.onnx_proto import ProtoError, check_dims, raw_size
from irc.dialects.onnx_types import ELEMENT_BITS
from irc.errors import IrcError

MAX_SHOWN = 200
"""Characters of a model's text that a message repeats."""

MAX_DIGITS = 20
"""Of an offset or a length: what 64 bits hold."""


@dataclass(frozen=True)
class Source:
    """Where a model came from: the name used in messages, and the folder of external data."""

    name: str
    folder: Path | None


def read_model(source: str | os.PathLike[str] | bytes | ModelProto) -> tuple[ModelProto, Source]:
    """The message in a file, a byte string or itself; external data stay where they are.

    Raises `IrcError` for what cannot be read or is not ONNX.
    """
    if isinstance(source, ModelProto):
        return source, Source("model", None)
    if isinstance(source, bytes):
        return _decode(source, "model"), Source("model", None)
    path = Path(source)
    return _decode(_read_file(path), str(path)), Source(str(path), path.parent)


def _read_file(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise IrcError(f"{path}: is a directory; give the .onnx file itself")
        return path.read_bytes()
    except FileNotFoundError:
        raise IrcError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise IrcError(f"{path}: cannot be read: {reason}") from None


def _decode(data: bytes, name: str) -> ModelProto:
    if not data:
        raise IrcError(f"{name}: the file is empty")
    model = ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError:
        raise IrcError(
            f"{name}: not an ONNX model, or cut short ({len(data)} bytes cannot be decoded)"
        ) from None
    if not model.HasField("graph"):
        raise IrcError(f"{name}: not an ONNX model, or cut short (it holds no graph)")
    return model


def external_files(path: str | os.PathLike[str]) -> list[str]:
    """Where a model keeps data beside itself: locations, each once; empty for what is no model.

    Raises `IrcError` for a location outside the model's folder, as importing would: tensors that
    the import passes over, in functions that nothing calls, are looked at as well.
    """
    if not Path(path).is_file():
        return []
    try:
        data = Path(path).read_bytes()
        # Most models have none, and need not be decoded to know that.
        if b"location" not in data:
            return []
        model = ModelProto()
        model.ParseFromString(data)
    except (OSError, ValueError, DecodeError):
        return []
    source = Source(str(path), Path(path).parent)
    found: set[str] = set()
    for tensor in _tensors(model):
        if is_external(tensor):
            location = _entries(tensor).get("location", "")
            try:
                _resolve(location, source)
            except ProtoError as error:
                raise IrcError(f"{source.name}: tensor {_quoted(tensor.name)}: {error}") from None
            found.add(location)
    return sorted(found)


def _tensors(model: ModelProto) -> Iterator[TensorProto]:
    """Every tensor of a model, of subgraphs, functions and sparse ones as well.

    What an attribute holds beside the value of its type means nothing, and is passed over.
    """
    bodies: list[GraphProto | FunctionProto] = [model.graph, *model.functions]
    while bodies:
        body = bodies.pop()
        attributes = [attribute for node in body.node for attribute in node.attribute]
        if isinstance(body, GraphProto):
            yield from body.initializer
            yield from _parts(body.sparse_initializer)
        else:
            attributes += body.attribute_proto
        for attribute in attributes:
            match attribute.type:
                case AttributeProto.TENSOR:
                    yield attribute.t
                case AttributeProto.TENSORS:
                    yield from attribute.tensors
                case AttributeProto.SPARSE_TENSOR:
                    yield from _parts([attribute.sparse_tensor])
                case AttributeProto.SPARSE_TENSORS:
                    yield from _parts(attribute.sparse_tensors)
                case AttributeProto.GRAPH:
                    bodies.append(attribute.g)
                case AttributeProto.GRAPHS:
                    bodies += attribute.graphs
                case _:
                    pass


def _parts(tensors: Iterable[SparseTensorProto]) -> Iterator[TensorProto]:
    for tensor in tensors:
        yield from (tensor.values, tensor.indices)


def is_external(tensor: TensorProto) -> bool:
    """Whether the data of a tensor lie in another file."""
    return tensor.data_location == TensorProto.EXTERNAL


def read_external(tensor: TensorProto, source: Source) -> bytes:
    """The data of an external tensor, `raw_data` layout.

    Raises `ProtoError` where the file is missing, too short, not plain, or outside the model's
    folder, by an absolute path, by `..` or through a symbolic link.
    """
    entries = _entries(tensor)
    location = entries.get("location", "")
    path = _resolve(location, source)
    if tensor.data_type not in ELEMENT_BITS:
        raise ProtoError(f"element type {tensor.data_type} cannot be stored in another file")
    needed = raw_size(tensor.data_type, check_dims(tensor.dims))
    offset = _number(entries, "offset", 0)
    length = _number(entries, "length", needed)
    if length != needed:
        raise ProtoError(
            f"shape {list(tensor.dims)} needs {needed} bytes, "
            f"but {length} are declared in external data {_quoted(location)}"
        )
    try:
        # A pipe without a writer would keep whoever opens it waiting for ever.
        with open(path, "rb", opener=_open_at_once) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ProtoError(f"external data {_quoted(location)} is not a plain file")
            if offset + length > status.st_size:
                raise ProtoError(
                    f"external data {_quoted(location)} has {status.st_size} bytes, "
                    f"but {offset + length} are needed"
                )
            file.seek(offset)
            data = file.read(length)
    except FileNotFoundError:
        raise ProtoError(
            f"external data file {_quoted(location)} is missing; it belongs beside the model, "
            f"as {path}"
        ) from None
    except OSError as error:
        raise ProtoError(
            f"external data {_quoted(location)} cannot be read: {error.strerror or error}"
        ) from None
    return data


def _entries(tensor: TensorProto) -> dict[str, str]:
    """Where the data of a tensor lie: of a key that is given twice, the last, as in ONNX."""
    return {entry.key: _text(entry.value) for entry in tensor.external_data}


def _text(value: str | bytes) -> str:
    """Text, which protobuf hands out as bytes where it is not UTF-8."""
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _resolve(location: str, source: Source) -> Path:
    if source.folder is None:
        raise ProtoError(
            f"data are external ({_quoted(location)}), but the model was not read from a file: "
            "load it by path, or with its data"
        )
    if not location or "\0" in location:
        raise ProtoError("external data name no file")
    # Backslashes would separate folders on another system, and hide a `..` on this one.
    parts = location.replace("\\", "/").split("/")
    if os.path.isabs(location) or parts[0] == "" or parts[0].endswith(":") or ".." in parts:
        raise ProtoError(f"external data {_quoted(location)} lie outside the model's folder")
    path = source.folder / location
    try:
        # The resolved folder, since the model itself may be reached through a link.
        outside = not path.resolve().is_relative_to(source.folder.resolve())
    except (OSError, RuntimeError):
        raise ProtoError(f"external data {_quoted(location)} cannot be resolved") from None
    if outside:
        raise ProtoError(
            f"external data {_quoted(location)} lie outside the model's folder, by a symbolic link"
        )
    return path


def _quoted(text: str) -> str:
    return repr(text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…")


def _number(entries: dict[str, str], key: str, default: int) -> int:
    text = entries.get(key, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > MAX_DIGITS:
        raise ProtoError(f"external data {key} {_quoted(text)} is not a number of bytes")
    return int(text)
