"""The Python module beside a shared library, for people who do not have irc."""

from __future__ import annotations

from irc.backends.c.ports import Port
from irc.backends.c.source import CSource

OTHER_PROCESSOR = -2
"""What `NAME_run_frames` gives where the processor lacks what the library was compiled for."""

FRAMES_A_THREAD = 32
"""A thread takes about as long to start as the fastest networks take for so many frames."""

_LOADER = '''"""$name, compiled for this machine."""

import ctypes
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

# Shape of a frame and type of an element, for each input and output.
INPUTS = $inputs
OUTPUTS = $outputs

_library = ctypes.CDLL(str(Path(__file__).resolve().parent / "lib$name.so"))
_run = _library.$name_run_frames
_run.restype = ctypes.c_int
_run.argtypes = [ctypes.c_size_t] + [ctypes.c_void_p] * (len(INPUTS) + len(OUTPUTS))


# A thread takes about as long to start as the fastest networks take for so many frames.
FRAMES_A_THREAD = $share


def _run_part(arrays, start, end):
    status = _run(end - start, *(array[start:].ctypes.data for array in arrays))
    if status == $other:
        raise RuntimeError("lib$name.so was compiled for another processor; see README.md")
    if status != 0:
        raise RuntimeError(f"$name_run failed with {status}")


def run_frames(*inputs, threads=None):
    """Results for frames [N, ...] of each input: an array, or a list if there are several.

    Many frames are shared out among threads: by default as many as there are processors.
    """
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
    frames, arrays = len(arrays[0]), arrays + results
    parts = max(1, min(threads or os.cpu_count() or 1, frames // FRAMES_A_THREAD))
    if parts == 1:
        _run_part(arrays, 0, frames)
    else:
        bounds = [frames * part // parts for part in range(parts + 1)]
        with ThreadPoolExecutor(parts) as pool:
            list(pool.map(lambda i: _run_part(arrays, bounds[i], bounds[i + 1]), range(parts)))
    return results[0] if len(results) == 1 else results
'''


def loader_text(source: CSource) -> str:
    """The text of `NAME.py`."""
    text = _LOADER.replace("$inputs", _table(source.inputs))
    text = text.replace("$outputs", _table(source.outputs)).replace("$name", source.name)
    return text.replace("$share", str(FRAMES_A_THREAD)).replace("$other", str(OTHER_PROCESSOR))


def _table(ports: list[Port]) -> str:
    return repr([(port.shape, port.dtype.name) for port in ports])
