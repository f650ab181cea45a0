"""The output folder of target c: sources, a test program with vectors, Makefile, README."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xdsl.dialects.builtin import ModuleOp

from irc import __version__
from irc.backends.c.example import example_files
from irc.backends.c.header import header_text
from irc.backends.c.integrations import cmake_target, integration_files
from irc.backends.c.interface import describe_port
from irc.backends.c.layers import layer_table
from irc.backends.c.source import CSource, emit_c
from irc.backends.c.text import fill
from irc.backends.c.vectors import (
    Vectors,
    expected_vectors,
    program_text,
    random_frames,
    vectors_header,
)
from irc.backends.output import MARKER, atomic_dir
from irc.backends.seal import seal
from irc.plain_text import markdown

DEFAULT_VECTORS = 16
"""Random frames that a folder gets where the caller has none."""


def write_c_project(
    module: ModuleOp,
    out_dir: Path | str,
    *,
    name: str | None = None,
    vectors: Vectors | None = None,
    metadata: Mapping[str, str] | None = None,
    made: Mapping[str, Any] | None = None,
) -> CSource:
    """Write the folder of a `packed` module, whole or not at all, and return what was printed.

    `vectors` are frames with the results that they must give; without them, random frames run
    through the interpreter. `metadata`, such as the model's hash, goes into the header and the
    manifest; `made` says there what the folder is made from. Raises `IrcError` for a module that is
    not ready, for vectors that do not fit it, and for a folder that cannot be written.
    """
    source = emit_c(module, name, metadata)
    if vectors is None:
        vectors = expected_vectors(module, *random_frames(source.inputs, DEFAULT_VECTORS))
    files = project_files(source, vectors)
    with atomic_dir(Path(out_dir)) as folder:
        write_files(folder, files)
        seal(folder, made)
    return source


def project_files(source: CSource, vectors: Vectors) -> dict[str, str]:
    """The texts of the folder's files by path, the manifest last."""
    files = {
        **core_files(source, vectors),
        **example_files(source, vectors),
        **integration_files(source),
        "README.md": _readme(source, vectors),
    }
    return {**files, MARKER: manifest_text(source, "c", list(files))}


def core_files(source: CSource, vectors: Vectors) -> dict[str, str]:
    """The sources and what tests them."""
    return {
        f"{source.name}.h": header_text(source),
        **source.files,
        f"test/test_{source.name}.c": program_text(source),
        "test/test_vectors.h": vectors_header(source, vectors),
        "Makefile": _makefile(source),
    }


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write texts, with the line ends that make and compilers expect everywhere."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def manifest_text(source: CSource, target: str, files: list[str]) -> str:
    """What the folder holds and how it was made, for programs to read."""
    content = {
        "generator": f"irc {__version__}",
        "target": target,
        "name": source.name,
        "files": files,
        "sources": source.c_files,
        "entry": source.entry,
        "metadata": dict(source.metadata),
        "arena_bytes": source.arena_bytes,
        "flash_bytes": source.flash_bytes,
        "shared_bytes": source.shared_bytes,
        "weight_bytes": source.weight_bytes,
        "weight_bits": source.weight_bits,
        "macs": source.macs,
        "layers": [layer.as_dict() for layer in source.layers],
    }
    return json.dumps(content, indent=2) + "\n"


_MAKEFILE = """
# make test: build $name with its vectors and run it. make example: one frame, with its results.
# make lib: $library for firmware: make lib CC=arm-none-eabi-gcc CFLAGS="-mcpu=cortex-m4 -O2"

CC ?= cc
AR ?= ar
CFLAGS ?= -O2 -Wall -Wextra -Wconversion -Wshadow
SOURCES = $sources
HEADERS = $headers

.PHONY: test example lib clean

test: test/test_$name
\t./test/test_$name

test/test_$name: test/test_$name.c test/test_vectors.h $(SOURCES) $(HEADERS)
\t$(CC) -std=$standard $(CFLAGS) -o $@ test/test_$name.c $(SOURCES)$libraries

example: examples/example_$name
\t./examples/example_$name

examples/example_$name: examples/main.c examples/$name/frame.h $(SOURCES) $(HEADERS)
\t$(CC) -std=$standard $(CFLAGS) -o $@ examples/main.c $(SOURCES)$libraries

lib: $library

$library: $(SOURCES:.c=.o)
\t$(AR) rcs $@ $(SOURCES:.c=.o)

%.o: %.c $(HEADERS)
\t$(CC) -std=$standard $(CFLAGS) -c -o $@ $<

clean:
\trm -f test/test_$name examples/example_$name $library $(SOURCES:.c=.o)
"""


def _makefile(source: CSource) -> str:
    needs_math = source.needs_math or not source.is_reproducible
    text = fill(
        _MAKEFILE.replace("$name", source.name),
        sources=" ".join(source.c_files),
        headers=" ".join([f"{source.name}.h", *source.inner_headers]),
        library=f"lib{source.name}.a",
        # The qualifier of program memory is no part of standard C.
        standard="gnu99" if source.placement.program_memory else "c99",
        libraries=" -lm" if needs_math else "",
    )
    return text + "\n"


_README = """
# $name

A neural network in portable C99, generated by irc $version. It needs nothing but `<stdint.h>` and
`<string.h>`$math: no heap, no other library.

```c
#include "$name.h"

$buffers
$call;
```

`$name.h` says how the arrays lie in memory, and what each layer costs:

$ports

| | bytes |
|---|---|
| constants in flash, besides code | $flash |
| arena in RAM | $ram |

```
$table
```

## Building it

| with | how |
|---|---|
| your own files | add $sources and the header$s to them |
| make | `make test`, `make example`, `make lib CC=arm-none-eabi-gcc CFLAGS="-mcpu=cortex-m4 -O2"` |
| CMake | `add_subdirectory(this folder)`, `target_link_libraries(app $target)` |
| Arduino | copy the folder into `libraries`, or zip it and add it as a library; *File → Examples* |
| Zephyr | a module: `west build -b BOARD examples/zephyr`, or `CONFIG_$option=y` in your project |

`examples/$name/frame.h` holds a frame and what it must give; the examples compare, so that a new
board shows at once whether it computes what it should. `make test` compiles the network with $count
frames in `test/test_vectors.h` and compares every value; `make test CC=clang CFLAGS=-O3` does so
with another compiler. $accuracy.

## How it was made

$metadata
"""


def _readme(source: CSource, vectors: Vectors) -> str:
    upper = source.name.upper()
    buffers: list[str] = []
    for kind, group in (("INPUT", source.inputs), ("OUTPUT", source.outputs)):
        for index, port in enumerate(group):
            number = str(index) if len(group) > 1 else ""
            buffers.append(f"static {port.c_type} {port.name}[{upper}_{kind}{number}_SIZE];")
    if source.placement.arena == "caller":
        buffers.append(f"static {source.name}_arena arena;")
    ports = [*source.inputs, *source.outputs]
    described = [line for port in ports for line in describe_port(port)]
    text = fill(
        _README.replace("$name", source.name).replace("$option", f"IRC_{upper}"),
        version=__version__,
        target=cmake_target(source.name),
        math=", and `<math.h>`" if source.needs_math else "",
        buffers="\n".join(buffers),
        call=source.call([port.name for port in source.inputs]),
        ports="\n".join(["```", *described, "```"]),
        sources=", ".join(f"`{file}`" for file in source.c_files),
        s="s" if source.inner_headers else "",
        flash=str(source.flash_bytes),
        ram=str(source.arena_bytes),
        table="\n".join(layer_table(source.layers)),
        count=str(vectors.count),
        accuracy="Results are the same to the bit on every machine"
        if source.is_reproducible
        else "Floats may differ in the last digits, for they use the C library's functions",
        metadata="\n".join(f"- {key}: {markdown(value)}" for key, value in source.metadata.items()),
    )
    return text.rstrip("\n") + "\n"
