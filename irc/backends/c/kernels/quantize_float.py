"""C for what takes floats to codes or to probabilities."""

from __future__ import annotations

from irc.backends.c.kernels.code_sink import packing_sink
from irc.backends.c.kernels.float_chain import emit_float_op
from irc.backends.c.kernels.sink import Sink, add_storing, add_thresholds, result_arguments
from irc.backends.c.text import fill, float_literal
from irc.backends.c.unit import Moving, Unit
from irc.dialects import packed
from irc.dialects.dense import BipolarType
from irc.dialects.packed_base import Staircase
from irc.dialects.packed_types import BitsType

CODE = "int32_t"
CODE_WIDTH = 32

_TO_NEAREST = {"half_even": "rintf", "floor": "floorf", "ceil": "ceilf", "down": "truncf"}
"""Roundings that math.h has under a name; `rintf` in the default rounding mode."""

_OF_MAGNITUDE = {"half_up": ("floorf", " + 0.5f"), "half_down": ("ceilf", " - 0.5f")}
"""Roundings of the magnitude: a function of it, after an addition that rounds to float32."""


def _rounding(unit: Unit, name: str) -> list[str]:
    """C that rounds `v` into `u`; not a number stays so."""
    unit.needs_math |= name in _TO_NEAREST or name in _OF_MAGNITUDE or name == "up"
    if name in _TO_NEAREST:
        return [f"u = {_TO_NEAREST[name]}(v);"]
    if name in _OF_MAGNITUDE:
        function, addition = _OF_MAGNITUDE[name]
        magnitude = f"v = (u < 0.0f ? -u : u){addition};"
        return ["u = v;", magnitude, f"u = u < 0.0f ? -{function}(v) : {function}(v);"]
    if name == "up":
        return ["u = v;", "u = u < 0.0f ? floorf(u) : ceilf(u);"]
    if name == "sign":
        return ["u = v;", "u = u > 0.0f ? 1.0f : u < 0.0f ? -1.0f : u;"]
    return ["u = v;"]


_KEYS = """
/* Floats into codes: the bits of floats ascend with them, once those of negative ones are turned
   round; what is no number comes before all others. */
static void $name(const float *x, size_t results$parameters)
{
    $declare
    $loop
}
"""

_KEY = """
union {
    float number;
    uint32_t bits;
} at;
at.number = *x;
++x;
const uint32_t positive = at.bits ^ 0x80000000u;
uint32_t key = positive > 0x7FFFFFFFu ? positive : ~at.bits;
if (key > 0xFF800000u) {
    key = 0;
}
"""


def _emit_keys(unit: Unit, op: packed.FloatQuantizeOp) -> None:
    """Integers compare, as many times as there are codes but one."""
    assert op.keys is not None
    result = packed.buffer_type(op.output)
    low = 0 if isinstance(result.element_type, BipolarType) else op.bounds[0]
    keys = [f"0x{key:08X}u" for key in op.keys.numpy().tolist()]
    lines = [f"uint32_t code = (uint32_t){low};" if low < 0 else f"uint32_t code = {low}u;"]
    lines += [f"code += (uint32_t)(key >= {key});" for key in keys]
    if isinstance(result, BitsType):
        sink = packing_sink(result, lines)
    else:
        sink = Sink(consume=lines)
        add_storing(sink, op, "(int32_t)code" if low < 0 else "code", CODE_WIDTH, op.row)
    function = unit.function("float_codes", _KEYS, loop=sink.loop(fill(_KEY)), **sink.parts())
    x = Moving(unit.address(op.input), op.row)
    arguments = [x, f"{op.row}u", *result_arguments(unit, sink, op)]
    unit.call_rows(function, packed.array_type(op.input).length // op.row, arguments)


def emit_float_quantize(unit: Unit, op: packed.FloatQuantizeOp) -> None:
    """Compared before it is converted, for C converts nothing that does not fit."""
    if op.keys is not None:
        _emit_keys(unit, op)
        return
    low, high = op.bounds
    rounding = op.rounding.data
    ending = _rounding(unit, rounding)
    if isinstance(packed.buffer_type(op.output).element_type, BipolarType):
        # The code is the bit.
        bit = f"u {'>=' if rounding == 'bipolar' else '>'} 0.0f"
        code = str(int(low > 0)) if low == high else f"({CODE})({bit})"
    else:
        ends = float_literal(float(low)), float_literal(float(high))
        code = f"u >= {ends[1]} ? {high} : u > {ends[0]} ? ({CODE})u : {low}"
    sink = Sink(consume=[f"const {CODE} code = {code};"])
    add_storing(sink, op, "code", CODE_WIDTH, op.row)
    emit_float_op(unit, op, "float_quantize", ending, sink)


def emit_float_threshold(unit: Unit, op: packed.FloatThresholdOp) -> None:
    """The sink of integers, comparing floats."""
    unit.needs_math |= bool((abs(op.thresholds.numpy()) == float("inf")).any())
    sink = Sink()
    staircase = Staircase(op.thresholds, None, 0)
    add_thresholds(unit, sink, op.label.data, staircase, op.row, ("float", CODE))
    add_storing(sink, op, "code", CODE_WIDTH, op.row)
    emit_float_op(unit, op, "float_threshold", ["u = v;", "const float acc = u;"], sink)


_SOFTMAX = """
/* $what of each element of a row. */
static void $name(const float *x, size_t size, float *y)
{
    float largest = x[0];
    double total = 0.0;
    for (size_t i = 1; i < size; ++i) {
        largest = x[i] > largest ? x[i] : largest;
    }
    for (size_t i = 0; i < size; ++i) {
        y[i] = expf(x[i] - largest);
        total += (double)y[i];
    }
    for (size_t i = 0; i < size; ++i) {
        y[i] = $result;
    }
}
"""


def emit_softmax(unit: Unit, op: packed.SoftmaxOp) -> None:
    """The sum is the one thing in double: in float32 it depends on the order of the elements."""
    unit.needs_math = True
    is_logarithm = op.fn.data == "log_softmax"
    function = unit.function(
        op.fn.data,
        fill(_SOFTMAX),
        what="The logarithm of the probability" if is_logarithm else "The probability",
        result="(x[i] - largest) - logf((float)total)" if is_logarithm else "y[i] / (float)total",
    )
    size = packed.array_type(op.input).length // op.rows
    x, y = (Moving(unit.address(value), size) for value in (op.input, op.output))
    unit.call_rows(function, op.rows, [x, f"{size}u", y])
