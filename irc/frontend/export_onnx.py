"""From a module at the `onnx` level to an ONNX file."""

from __future__ import annotations

import os
from pathlib import Path

from onnx import ModelProto
from xdsl.dialects.builtin import ModuleOp

from irc.dialects.onnx_to_proto import module_to_proto
from irc.errors import IrcError

MAX_MESSAGE_BYTES = 2**31 - 1
"""What a protobuf message can be serialized to."""


def export_model(module: ModuleOp) -> ModelProto:
    """The ONNX message for a module, as ONNX Runtime accepts it (IR version 10 or lower).

    Node names come from locations, names of inputs and outputs from their attributes; names of
    other values are kept where they can be. Raises `IrcError` for what is not of the onnx level.
    """
    return module_to_proto(module)


def save_model(module: ModuleOp, path: str | os.PathLike[str]) -> None:
    """Write a module to an `.onnx` file.

    Raises `IrcError` where the file cannot be written or would pass 2 GB.
    """
    model = export_model(module)
    target = Path(path)
    if model.ByteSize() > MAX_MESSAGE_BYTES:
        raise IrcError(f"{target}: the model is larger than the 2 GB that one ONNX file can hold")
    try:
        target.write_bytes(model.SerializeToString())
    except OSError as error:
        raise IrcError(f"{target}: cannot be written: {error.strerror or error}") from None
