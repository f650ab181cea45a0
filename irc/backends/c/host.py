"""Target host: generated C as a shared library for this machine."""

from __future__ import annotations

import ctypes
import os
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import ModuleOp

from irc.backends.c.compiler import build_library, find_compiler
from irc.backends.c.header import header_text
from irc.backends.c.kernels.vector import choose_vectors
from irc.backends.c.loader import FRAMES_A_THREAD, OTHER_PROCESSOR, loader_text
from irc.backends.c.project import core_files, manifest_text, write_files
from irc.backends.c.source import CSource, emit_c
from irc.backends.c.target import override_popcount
from irc.backends.c.text import fill
from irc.backends.c.vectors import Vectors, check_frames, expected_vectors, random_frames
from irc.backends.output import MARKER, atomic_dir
from irc.backends.seal import seal
from irc.errors import IrcError
from irc.interp.bnn import to_element_type

Array = npt.NDArray[Any]

LIBRARY_SUFFIX = ".so"

_BATCH = """
/* Many frames in one call; for $name.py, which may make several at once. */

#include <stddef.h>
#include <stdlib.h>

#include "$name.h"

int $name_run_frames(size_t frames, $parameters);

/* Whether this processor has what the compiler, told to use whatever its own has, made use of. */
static int $name_is_supported(void)
{
    int supported = 1;
#if defined(__GNUC__) && defined(__x86_64__)
    __builtin_cpu_init();
#ifdef __AVX2__
    supported = supported && __builtin_cpu_supports("avx2");
#endif
#ifdef __AVX512F__
    supported = supported && __builtin_cpu_supports("avx512f");
#endif
#ifdef __AVX512VNNI__
    supported = supported && __builtin_cpu_supports("avx512vnni");
#endif
#ifdef __AVX512VPOPCNTDQ__
    supported = supported && __builtin_cpu_supports("avx512vpopcntdq");
#endif
#endif
    return supported;
}

int $name_run_frames(size_t frames, $parameters)
{
    int status = $name_is_supported() ? 0 : $other;
    $name_arena *arena = status == 0 ? malloc(sizeof *arena) : NULL;
    if (status == 0 && arena == NULL) {
        status = -1;
    }
    for (size_t frame = 0; frame < frames && status == 0; ++frame) {
        status = $name_run_arena(arena, $arguments);
    }
    free(arena);
    return status;
}
"""


def batch_text(source: CSource) -> str:
    """The text of `NAME_batch.c`: a loop over frames, which Python would be too slow for."""
    ports = [*source.inputs, *source.outputs]
    text = fill(
        _BATCH.replace("$name", source.name),
        parameters=source.parameters,
        other=str(OTHER_PROCESSOR),
        arguments=", ".join(f"{port.name} + frame * {port.size}u" for port in ports),
    )
    return text + "\n"


def _processors() -> int:
    """How many processors this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


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

    def run(self, *inputs: Array, threads: int | None = None) -> list[Array]:
        """Results for frames [N, …] of each input, in the types that the interpreters use.

        Frames are shared out among `threads`, by default as many as there are processors, if each
        gets `FRAMES_A_THREAD` at least.
        """
        ports = self.source.inputs
        arrays = [np.asarray(array) for array in inputs]
        check_frames(ports, arrays, "input")
        frames = len(arrays[0])
        given = [port.stored(array) for port, array in zip(ports, arrays, strict=True)]
        results = [np.empty((frames, *port.shape), port.dtype) for port in self.source.outputs]
        arrays = [*given, *results]
        most = max(1, min(threads or _processors(), frames // FRAMES_A_THREAD))
        bounds = [frames * part // most for part in range(most + 1)]

        def run_part(part: int) -> None:
            start, end = bounds[part : part + 2]
            self.call(end - start, *(array[start:].ctypes.data for array in arrays))

        if most == 1:
            run_part(0)
        else:
            # Foreign functions run without the interpreter's lock.
            with ThreadPoolExecutor(most) as pool:
                list(pool.map(run_part, range(most)))
        outputs = zip(self.source.outputs, results, strict=True)
        return [to_element_type(array, port.element_type) for port, array in outputs]

    def call(self, frames: int, *addresses: int) -> None:
        """Call the library on arrays as it takes them; raises `IrcError` where it fails.

        `addresses` are those of all inputs, then of all outputs, `frames` frames each.
        """
        status = self._run(frames, *addresses)
        if status == OTHER_PROCESSOR:
            raise IrcError(f"the library of {self.source.name} was compiled for another processor")
        if status != 0:
            raise IrcError(f"{self.source.name}_run failed with {status}")

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
    source = host_source(module, name, None)
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


def host_source(module: ModuleOp, name: str | None, metadata: Mapping[str, str] | None) -> CSource:
    native = module.clone()
    override_popcount(native, "builtin")
    choose_vectors(native)
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
    made: Mapping[str, Any] | None = None,
) -> CSource:
    """Write the folder of target host: that of target c, a shared library and a Python loader.

    Parameters and errors are those of `write_c_project` and `compile_host`.
    """
    command = find_compiler(compiler)
    source = host_source(module, name, metadata)
    if vectors is None:
        vectors = expected_vectors(module, *random_frames(source.inputs, 16))
    files = core_files(source, vectors)
    files[f"{source.name}_batch.c"] = batch_text(source)
    files[f"{source.name}.py"] = loader_text(source)
    files["README.md"] = _readme(source)
    with atomic_dir(Path(out_dir)) as folder:
        write_files(folder, files)
        library = _build(command, source, folder)
        manifest = manifest_text(source, "host", [*files, library])
        write_files(folder, {MARKER: manifest})
        seal(folder, made)
    return source


def _readme(source: CSource) -> str:
    name, library = source.name, f"lib{source.name}{LIBRARY_SUFFIX}"
    arrays = [f"frames{index or ''}" for index in range(len(source.inputs))]
    math = " -lm" if source.needs_math else ""
    return (
        f"# {name} in Python\n\n"
        f"```python\nimport {name}\n\nresult = {name}.run_frames({', '.join(arrays)})\n```\n\n"
        f"takes and gives NumPy arrays with the frames as their first axis. Many frames are\n"
        f"shared out among threads: as many as there are processors, or as `threads=` says.\n\n"
        f"`{name}.py` loads `{library}`, compiled from `{name}.c`\n"
        f"with the vectors of the processor that it was made on. On another one, or anew:\n\n"
        f"    cc -O3 -march=native -fPIC -shared {name}.c {name}_batch.c -o {library}{math}\n\n"
        f"`{name}.h` says how to call the C, `make test` tests it.\n"
    )
