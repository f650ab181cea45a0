"""C for chains of float functions: float32, one operation after another, as ONNX executes them.

Every intermediate result passes through a `volatile float`. A compiler may otherwise contract a
multiplication and an addition into one fused operation with one rounding (gcc does by default
where the target has it, across statements, and ignores `#pragma STDC FP_CONTRACT`), or keep more
precision than float32 has (x87). The accesses keep the operations apart under every compiler and
option, and cost a store and a load for each of a handful of results.
"""

from __future__ import annotations

from collections.abc import Sequence

from irc.backends.c.text import c_type, float_literal
from irc.backends.c.unit import Unit
from irc.dialects import packed
from irc.dialects.dense import DenseAttr

_CHAIN = """
/* $what, each rounded to float32 before the next. */
static void $name(const $in *x, size_t size, float *y$parameters)
{
    $declare
    for (size_t i = 0; i < size; ++i) {
        volatile float v = (float)x[i];
        float u;
        $steps
        y[i] = v;
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


def emit_float_chain(unit: Unit, op: packed.FloatChainOp) -> None:
    """Scalars stand in the code; vectors of constants are read along with the elements."""
    source = packed.array_type(op.input)
    parameters: list[str] = []
    arguments: list[str] = []
    declare: list[str] = []
    advance: list[str] = []
    steps: list[str] = []
    for number, (fn, constant) in enumerate(op.steps):
        operand = ""
        if constant is not None and constant.size == 1:
            operand = float_literal(float(constant.numpy()[0]))
            unit.needs_math |= "INFINITY" in operand
        elif constant is not None:
            name = f"c{number}"
            parameters.append(f"const float *{name}")
            arguments.append(unit.constant(op.label.data, f"{fn}{number}", constant))
            index = "i"
            if constant.size < source.length:
                index = f"i{number}"
                declare.append(f"size_t {index} = 0;")
                advance.append(f"{index} = {index} + 1u == {constant.size}u ? 0 : {index} + 1u;")
            operand = f"{name}[{index}]"
        unit.needs_math |= fn in _LIBRARY
        expression = (_PLAIN.get(fn) or _LIBRARY[fn]).replace("$c", operand)
        steps += ["u = v;", f"v = {expression};"]
    function = unit.function(
        "float_chain",
        _CHAIN,
        **{"in": c_type(source.element_type)},
        what=", ".join(["float", *(fn for fn, _ in op.steps)]),
        parameters="".join(f", {parameter}" for parameter in parameters),
        declare="\n".join(declare),
        steps="\n".join(steps) or "u = v;\nv = u;",
        advance="\n".join(advance),
    )
    addresses = [unit.address(op.input), f"{source.length}u", unit.address(op.output)]
    unit.call(function, addresses + arguments)
