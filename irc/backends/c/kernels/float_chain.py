"""C for chains of float functions: float32, one operation after another, as ONNX executes them.

Every intermediate result passes through a `volatile float`. A compiler may otherwise contract a
multiplication and an addition into one fused operation with one rounding (gcc does by default
where the target has it, across statements, and ignores `#pragma STDC FP_CONTRACT`), or keep more
precision than float32 has (x87). The accesses keep the operations apart under every compiler and
option, and cost a store and a load for each of a handful of results.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from irc.backends.c.kernels.sink import Sink, result_arguments
from irc.backends.c.text import c_type, float_literal
from irc.backends.c.unit import Moving, Unit
from irc.dialects import packed
from irc.dialects.dense import DenseAttr

_CHAIN = """
/* $what, each rounded to float32 before the next. */
static void $name(const $in *x, size_t results$constants$parameters)
{
    $declare
    for (size_t m = 0; m < results; ++m) {
        volatile float v = (float)x[m];
        float u;
        $steps
        $consume
        $advance
    }
}
"""

_PLAIN = {
    "add": "u + $c",
    "sub": "u - $c",
    "rsub": "$c - u",
    "mul": "u * $c",
    "div": "u / $c",
    "rdiv": "$c / u",
    "max": "u >= $c || u != u ? u : $c",
    "min": "u <= $c || u != u ? u : $c",
    "prelu": "u < 0.0f ? u * $c : u",
    "neg": "-u",
    "relu": "u >= 0.0f || u != u ? u : 0.0f",
    "abs": "u <= 0.0f ? 0.0f - u : u",
    "reciprocal": "1.0f / u",
    "sign": "u > 0.0f ? 1.0f : u < 0.0f ? -1.0f : u",
    "softsign": "u / (1.0f + (u <= 0.0f ? 0.0f - u : u))",
}
"""Functions that need no library. Comparisons are ordered so that NaN stays NaN."""

_LIBRARY = {
    "pow": "powf(u, $c)",
    "exp": "expf(u)",
    "log": "logf(u)",
    "sqrt": "sqrtf(u)",
    "floor": "floorf(u)",
    "ceil": "ceilf(u)",
    "round": "rintf(u)",
    "tanh": "tanhf(u)",
    "erf": "erff(u)",
    "sigmoid": "u >= 0.0f ? 1.0f / (1.0f + expf(-u)) : expf(u) / (1.0f + expf(u))",
    "softplus": "(u > 0.0f ? u : 0.0f) + log1pf(expf(-fabsf(u)))",
}
"""Functions of math.h; `round` is half to even, in the default rounding mode."""

_INEXACT = {"pow", "exp", "log", "tanh", "erf", "sigmoid", "softplus"}


def is_reproducible(steps: Sequence[tuple[str, DenseAttr | None]]) -> bool:
    """Whether IEEE 754 fixes every bit of the result, libraries notwithstanding."""
    return not any(fn in _INEXACT for fn, _ in steps)


@dataclass
class _Constants:
    """Constants of a chain: parameters, their arguments, and how they are read along."""

    parameters: list[str] = field(default_factory=list[str])
    arguments: list[str | Moving] = field(default_factory=list[str | Moving])
    declare: list[str] = field(default_factory=list[str])
    advance: list[str] = field(default_factory=list[str])

    def add(self, unit: Unit, op: packed.FloatOp, number: int, constant: DenseAttr) -> str:
        """The C expression for the constant of step `number`; one number stands in the code."""
        if constant.size == 1:
            literal = float_literal(float(constant.numpy()[0]))
            unit.needs_math |= "INFINITY" in literal
            return literal
        name = f"c{number}"
        self.parameters.append(f"$const float *{name}")
        array = unit.constant(op.label.data, f"{op.steps[number][0]}{number}", constant)
        # One number for every element of the frame, or rows of them that repeat.
        self.arguments.append(Moving(array, op.row) if constant.size > op.row else array)
        if constant.size >= op.row:
            return f"{name}[m]"
        index = f"i{number}"
        self.declare.append(f"size_t {index} = 0;")
        self.advance.append(f"{index} = {index} + 1u == {constant.size}u ? 0 : {index} + 1u;")
        return f"{name}[{index}]"


def emit_float_op(unit: Unit, op: packed.FloatOp, what: str, ending: list[str], sink: Sink) -> None:
    """The functions of an op, then `ending`, which finds their result in `v`, then the sink."""
    source = packed.array_type(op.input)
    constants = _Constants()
    steps: list[str] = []
    for number, (fn, constant) in enumerate(op.steps):
        operand = "" if constant is None else constants.add(unit, op, number, constant)
        unit.needs_math |= fn in _LIBRARY
        expression = (_PLAIN.get(fn) or _LIBRARY[fn]).replace("$c", operand)
        steps += ["u = v;", f"v = {expression};"]
    parts = sink.parts()
    function = unit.function(
        what,
        _CHAIN,
        **{"in": c_type(source.element_type)},
        what=", ".join(["float", *(fn for fn, _ in op.steps)]),
        constants="".join(f", {parameter}" for parameter in constants.parameters),
        parameters=parts["parameters"],
        declare="\n".join([*constants.declare, *sink.declare]),
        steps="\n".join([*steps, *ending]),
        consume=parts["consume"],
        advance="\n".join(constants.advance),
    )
    x = Moving(unit.address(op.input), op.row)
    arguments = [x, f"{op.row}u", *constants.arguments, *result_arguments(unit, sink, op)]
    unit.call_rows(function, source.length // op.row, arguments)


def emit_float_chain(unit: Unit, op: packed.FloatChainOp) -> None:
    """Scalars stand in the code; vectors of constants are read along with the elements."""
    sink = Sink(["float *y"], consume=["y[m] = u;"])
    emit_float_op(unit, op, "float_chain", ["u = v;"], sink)
