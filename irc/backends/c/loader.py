"""The Python module beside a shared library, for people who do not have irc."""

from __future__ import annotations

from irc.backends.c.ports import Port
from irc.backends.c.source import CSource

_LOADER = '''"""$name, compiled for this machine."""

import ctypes
from pathlib import Path

import numpy as np

# Shape of a frame and type of an element, for each input and output.
INPUTS = $inputs
OUTPUTS = $outputs

_library = ctypes.CDLL(str(Path(__file__).resolve().parent / "lib$name.so"))
_run = _library.$name_run_frames
_run.restype = ctypes.c_int
_run.argtypes = [ctypes.c_size_t] + [ctypes.c_void_p] * (len(INPUTS) + len(OUTPUTS))


def run_frames(*inputs):
    """Results for frames [N, ...] of each input: an array, or a list if there are several."""
    if len(inputs) != len(INPUTS):
        raise TypeError(f"{len(INPUTS)} arrays are needed, {len(inputs)} given")
    arrays = []
    for array, (shape, dtype) in zip(inputs, INPUTS):
        array = np.asarray(array)
        if array.shape[1:] != shape or len(array) != len(inputs[0]):
            raise ValueError(f"frames must be [N, {', '.join(map(str, shape))}], not {array.shape}")
        converted = np.ascontiguousarray(array, dtype)
        if not np.array_equal(converted, array):
            raise ValueError(f"an input has values that {np.dtype(dtype)} lacks")
        arrays.append(converted)
    results = [np.empty((len(arrays[0]), *shape), dtype) for shape, dtype in OUTPUTS]
    status = _run(len(arrays[0]), *(array.ctypes.data for array in arrays + results))
    if status != 0:
        raise RuntimeError(f"$name_run failed with {status}")
    return results[0] if len(results) == 1 else results
'''


def loader_text(source: CSource) -> str:
    """The text of `NAME.py`."""
    text = _LOADER.replace("$inputs", _table(source.inputs))
    return text.replace("$outputs", _table(source.outputs)).replace("$name", source.name)


def _table(ports: list[Port]) -> str:
    return repr([(port.shape, port.dtype.name) for port in ports])
