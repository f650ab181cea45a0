"""Programs to begin with: one frame through the network, on a desk, on Zephyr and on Arduino."""

from __future__ import annotations

from irc.backends.c.source import CSource
from irc.backends.c.text import array_definition, fill
from irc.backends.c.vectors import Vectors, checking_program, port_literals

_FRAME = """
/* A frame of the test vectors and what it gives, to see that a board computes what it should.
 * Replace it by what your sensor sees. */
#ifndef $upper_FRAME_H
#define $upper_FRAME_H

#include <stdint.h>

$arrays

#endif
"""

_MAIN = """
/* Runs $name on one frame and compares the result: for a desk, for Zephyr, for any board with a
 * standard output. */

#include <stdio.h>
$math

#include "../$name.h"
#include "$name/frame.h"

$buffers

int main(void)
{
    int wrong = 0;

    if ($call != 0) {
        printf("$name: failed\\n");
        return 1;
    }
    $checks
    printf("$name: %s\\n", wrong == 0 ? "as expected" : "not as expected");
    return wrong != 0;
}
"""

_CHECK = """
for (int i = 0; i < $size; ++i) {
    const $type got = $port[i];
    const $type expected = expected_$port[i];
    printf("$port[%d] = $format\\n", i, $got);
    if ($differs) {
        ++wrong;
    }
}
"""

_SKETCH = """
// Runs $name on one frame, again and again, and says how long it takes.

#include <$name.h>
#include "frame.h"

$buffers

void setup() {
  Serial.begin(115200);
}

void loop() {
  int wrong = 0;
  const unsigned long started = micros();
  const int status = $call;
  const unsigned long taken = micros() - started;

  $checks
  Serial.print(status == 0 && wrong == 0 ? "as expected" : "not as expected");
  Serial.print(", microseconds: ");
  Serial.println(taken);
  delay(1000);
}
"""

_PRINT = """
for (int i = 0; i < $size; i++) {
  const $type got = $port[i];
  const $type expected = expected_$port[i];
  Serial.print(got);
  Serial.print(i + 1 < $size ? ", " : ": ");
  if ($differs) {
    wrong++;
  }
}
"""


def example_files(source: CSource, vectors: Vectors) -> dict[str, str]:
    """The texts of the examples by path: a sketch's folder must have its name."""
    name = source.name
    files = {f"examples/{name}/frame.h": _frame(source, vectors)}
    files[f"examples/{name}/{name}.ino"] = _program(source, _SKETCH, _PRINT)
    files["examples/main.c"] = _program(source, _MAIN, _CHECK)
    return files


def _frame(source: CSource, vectors: Vectors) -> str:
    arrays: list[str] = []
    for stem, ports, given in (
        ("frame", source.inputs, vectors.inputs),
        ("expected", source.outputs, vectors.outputs),
    ):
        for port, array in zip(ports, given, strict=True):
            stored = port.stored(array[:1])
            declaration = f"static const {port.c_type} {stem}_{port.name}[{stored.size}]"
            arrays.append(array_definition(declaration, port_literals(port, stored)))
    template = _FRAME.replace("$upper", source.name.upper())
    return fill(template, arrays="\n\n".join(arrays)) + "\n"


def _program(source: CSource, template: str, check: str) -> str:
    arguments = [f"frame_{port.name}" for port in source.inputs]
    return checking_program(source, template, arguments, check, integer="long")


__all__ = ["example_files"]
