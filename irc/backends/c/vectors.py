"""Test vectors: frames and what they must give, as a C header and a program that checks them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import Float32Type, ModuleOp

from irc.backends.c.ports import Port
from irc.backends.c.source import CSource
from irc.backends.c.text import array_definition, fill, literals, word_literals
from irc.errors import IrcError
from irc.interp.run import run_module

Array = npt.NDArray[Any]

RELATIVE_TOLERANCE = 1e-5
ABSOLUTE_TOLERANCE = 1e-6
"""By how much floats may differ where the C library has a say (exp, tanh, …); else by nothing."""


@dataclass(frozen=True)
class Vectors:
    """Frames for each function argument and the expected results, arrays [N, …]."""

    inputs: Sequence[Array]
    outputs: Sequence[Array]

    @property
    def count(self) -> int:
        """N: how many frames there are."""
        return len(self.inputs[0])


def expected_vectors(module: ModuleOp, *inputs: Array) -> Vectors:
    """Vectors whose results are those of the interpreter, at whichever level `module` is."""
    return Vectors(inputs, run_module(module, inputs))


def check_frames(ports: Sequence[Port], arrays: Sequence[Array], what: str) -> None:
    """Raise `IrcError` unless the arrays are [N, shape…] for one N and in the types' ranges."""
    if len(arrays) != len(ports):
        raise IrcError(f"{len(ports)} {what} arrays are needed, {len(arrays)} given")
    for port, array in zip(ports, arrays, strict=True):
        expected = " x ".join(map(str, ("N", *port.shape)))
        if array.shape[1:] != port.shape or len(array) != len(arrays[0]):
            given = " x ".join(map(str, array.shape))
            raise IrcError(f"{what} '{port.name}' must be {expected}, not {given}")
        if not port.admits(array):
            raise IrcError(f"{what} '{port.name}' has values that {port.element_type} lacks")


def vectors_header(source: CSource, vectors: Vectors) -> str:
    """The text of `test_vectors.h`; raises `IrcError` for arrays that do not fit."""
    check_frames(source.inputs, vectors.inputs, "input")
    check_frames(source.outputs, vectors.outputs, "output")
    parts = [
        "/* Frames and the results that they must give. */",
        "#ifndef TEST_VECTORS_H\n#define TEST_VECTORS_H",
        "#include <stdint.h>",
        f"#define TEST_FRAMES {vectors.count}",
    ]
    for stem, ports, arrays in (
        ("test", source.inputs, vectors.inputs),
        ("expected", source.outputs, vectors.outputs),
    ):
        for port, array in zip(ports, arrays, strict=True):
            words = port.stored(array)
            declaration = f"static const {port.c_type} {stem}_{port.name}[{words.size}]"
            parts.append(array_definition(declaration, port_literals(port, words)))
    return "\n\n".join([*parts, "#endif\n"])


def port_literals(port: Port, stored: Array) -> list[str]:
    """One C literal for each element of what `Port.stored` gives."""
    if port.bits is not None:
        return word_literals(stored)
    return literals(stored, port.element_type)


_PROGRAM = """
/* Runs $name on the frames of test_vectors.h; the exit code is 0 if every value agrees. */

#include <stdint.h>
#include <stdio.h>
$math

#include "../$name.h"
#include "test_vectors.h"

$buffers

int main(void)
{
    long frame;
    long wrong = 0;

    for (frame = 0; frame < TEST_FRAMES; ++frame) {
        long differences = 0;
        if ($call != 0) {
            printf("frame %ld: $name failed\\n", frame);
            return 1;
        }
        $checks
        wrong += differences != 0;
    }
    printf("$name: %ld of %d frames agree\\n", TEST_FRAMES - wrong, TEST_FRAMES);
    return wrong != 0;
}
"""

_CHECK = """
for (long i = 0; i < $size; ++i) {
    const $type got = $port[i];
    const $type expected = expected_$port[frame * $size + i];
    if ($differs) {
        printf("frame %ld, $port[%ld]: $format, expected $format\\n", frame, i, $got, $expected);
        ++differences;
    }
}
"""


def program_text(source: CSource) -> str:
    """The text of `test_NAME.c`."""
    arguments = [f"&test_{port.name}[frame * {port.size}]" for port in source.inputs]
    return checking_program(source, _PROGRAM, arguments, _CHECK, integer="long long")


def checking_program(
    source: CSource, template: str, arguments: list[str], check: str, *, integer: str
) -> str:
    """A program that calls the network with `arguments` and, after `check`, compares each result;
    integers are printed as the C type `integer`."""
    text = fill(
        template.replace("$name", source.name),
        math="" if source.is_reproducible else "#include <math.h>",
        buffers="\n".join(source.buffers),
        call=source.call(arguments),
        checks="\n".join(_check(source, port, check, integer) for port in source.outputs),
    )
    return text + "\n"


def _check(source: CSource, port: Port, template: str, integer: str) -> str:
    is_float = isinstance(port.element_type, Float32Type)
    cast = f"({'double' if is_float else integer})"
    formats = {"long": "%ld", "long long": "%lld"}
    return fill(
        template,
        size=str(port.size),
        type=port.c_type,
        port=port.name,
        format="%.9g" if is_float else formats[integer],
        got=f"{cast}got",
        expected=f"{cast}expected",
        differs=differs(port, source.is_reproducible),
    )


def differs(port: Port, exact: bool) -> str:
    """A C expression for whether `got` is not what is `expected`; `exact` says whether floats are
    to be the same to the bit."""
    if exact or not isinstance(port.element_type, Float32Type):
        return "got != expected"
    bound = f"{RELATIVE_TOLERANCE}f * fabsf(expected) + {ABSOLUTE_TOLERANCE}f"
    return f"!(fabsf(got - expected) <= {bound})"


def random_frames(ports: Sequence[Port], count: int, seed: int = 0) -> list[Array]:
    """Frames of uniformly random values of the ports' types."""
    generator = np.random.default_rng(seed)
    return [port.random(generator, count) for port in ports]
