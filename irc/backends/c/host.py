"""Target host: generated C as a shared library for this machine."""

from __future__ import annotations

import ctypes
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import ModuleOp

from irc.backends.c.compiler import build_library, find_compiler
from irc.backends.c.header import header_text
from irc.backends.c.loader import loader_text
from irc.backends.c.project import manifest_text, project_files, write_files
from irc.backends.c.source import CSource, emit_c
from irc.backends.c.target import override_popcount
from irc.backends.c.text import fill
from irc.backends.c.vectors import Vectors, check_frames, expected_vectors, random_frames
from irc.backends.output import MARKER, atomic_dir
from irc.errors import IrcError
from irc.interp.bnn import to_element_type

Array = npt.NDArray[Any]

LIBRARY_SUFFIX = ".so"

_BATCH = """
/* Many frames in one call; for $name.py. */

#include <stddef.h>

#include "$name.h"

int $name_run_frames(size_t frames, $parameters);

int $name_run_frames(size_t frames, $parameters)
{
    $name_arena arena;
    for (size_t frame = 0; frame < frames; ++frame) {
        const int status = $name_run_arena(&arena, $arguments);
        if (status != 0) {
            return status;
        }
    }
    return 0;
}
"""


def batch_text(source: CSource) -> str:
    """The text of `NAME_batch.c`: a loop over frames, which Python would be too slow for."""
    ports = [*source.inputs, *source.outputs]
    text = fill(
        _BATCH.replace("$name", source.name),
        parameters=source.parameters,
        arguments=", ".join(f"{port.name} + frame * {port.size}u" for port in ports),
    )
    return text + "\n"


class HostModel:
    """A network compiled for this machine and loaded."""

    def __init__(self, source: CSource, library: Path) -> None:
        """Load `library`, which `build_library` made from `source`; raises `IrcError`."""
        self.source = source
        try:
            self._run = getattr(ctypes.CDLL(str(library)), f"{source.name}_run_frames")
        except (OSError, AttributeError) as error:
            raise IrcError(f"cannot load {library.name}: {error}") from None
        self._run.restype = ctypes.c_int
        pointers = [ctypes.c_void_p] * (len(source.inputs) + len(source.outputs))
        self._run.argtypes = [ctypes.c_size_t, *pointers]

    def run(self, *inputs: Array) -> list[Array]:
        """Results for frames [N, …] of each input, in the types that the interpreters use."""
        ports = self.source.inputs
        arrays = [np.asarray(array) for array in inputs]
        check_frames(ports, arrays, "input")
        frames = len(arrays[0])
        given = [
            np.ascontiguousarray(array, port.dtype)
            for port, array in zip(ports, arrays, strict=True)
        ]
        results = [np.empty((frames, *port.shape), port.dtype) for port in self.source.outputs]
        status = self._run(frames, *(array.ctypes.data for array in [*given, *results]))
        if status != 0:
            raise IrcError(f"{self.source.name}_run failed with {status}")
        outputs = zip(self.source.outputs, results, strict=True)
        return [to_element_type(array, port.element_type) for port, array in outputs]

    def run_frames(self, *inputs: Array) -> Array:
        """The first result for frames [N, …]: what a network with one output gives."""
        return self.run(*inputs)[0]


def compile_host(
    module: ModuleOp, *, name: str | None = None, compiler: str | None = None
) -> HostModel:
    """Compile a `packed` module for this machine and load it.

    Bits are counted with the compiler's builtin, whatever the module says: it becomes the
    processor's instruction. Raises `IrcError` where there is no compiler or it fails.
    """
    command = find_compiler(compiler)
    source = _host_source(module, name, None)
    with tempfile.TemporaryDirectory(prefix="irc-host-") as temporary:
        folder = Path(temporary)
        write_files(
            folder,
            {
                f"{source.name}.h": header_text(source),
                f"{source.name}.c": source.body,
                f"{source.name}_batch.c": batch_text(source),
            },
        )
        library = _build(command, source, folder)
        # The mapping outlives the file.
        return HostModel(source, folder / library)


def _host_source(module: ModuleOp, name: str | None, metadata: Mapping[str, str] | None) -> CSource:
    native = module.clone()
    override_popcount(native, "builtin")
    return emit_c(native, name, metadata)


def _build(command: Sequence[str], source: CSource, folder: Path) -> str:
    library = f"lib{source.name}{LIBRARY_SUFFIX}"
    sources = [f"{source.name}.c", f"{source.name}_batch.c"]
    build_library(command, sources, library, folder, math=source.needs_math)
    return library


def write_host_project(
    module: ModuleOp,
    out_dir: Path | str,
    *,
    name: str | None = None,
    vectors: Vectors | None = None,
    metadata: Mapping[str, str] | None = None,
    compiler: str | None = None,
) -> CSource:
    """Write the folder of target host: that of target c, a shared library and a Python loader.

    Parameters and errors are those of `write_c_project` and `compile_host`.
    """
    command = find_compiler(compiler)
    source = _host_source(module, name, metadata)
    if vectors is None:
        vectors = expected_vectors(module, *random_frames(source.inputs, 16))
    files = project_files(source, vectors)
    files.pop(MARKER)
    files[f"{source.name}_batch.c"] = batch_text(source)
    files[f"{source.name}.py"] = loader_text(source)
    files["README.md"] = _readme(source) + "\n" + files["README.md"]
    with atomic_dir(Path(out_dir)) as folder:
        write_files(folder, files)
        library = _build(command, source, folder)
        manifest = manifest_text(source, "host", [*files, library])
        write_files(folder, {MARKER: manifest})
    return source


def _readme(source: CSource) -> str:
    name = source.name
    arguments = ", ".join(port.name for port in source.inputs)
    return (
        f"# {name} in Python\n\n"
        f"```python\nimport {name}\n\nresult = {name}.run_frames({arguments})\n```\n\n"
        f"takes and gives NumPy arrays with the frames as their first axis. `{name}.py` loads\n"
        f"`lib{name}{LIBRARY_SUFFIX}`, compiled for the machine that made it from the C below.\n"
    )
