"""C for sums of two buffers."""

from __future__ import annotations

from irc.backends.c.kernels.sink import result_arguments, thresholding_sink
from irc.backends.c.text import c_type, fill, integer_literal, word_type, work_type
from irc.backends.c.unit import Moving, Unit
from irc.dialects import packed
from irc.dialects.dense import BipolarType
from irc.dialects.packed_types import BitsType, plane_weights

_ADD = """
/* Two by two: acc = $sum. */
static void $name($operands, size_t results$multipliers$parameters)
{
    $declare
    for (size_t m = 0; m < results; ++m) {
        const $acc a = ($acc)$first;
        const $acc b = ($acc)$second;
        const $acc acc = ($acc)($sum);
        $consume
    }
}
"""


def emit_add(unit: Unit, op: packed.AddOp) -> None:
    """Row by row where bits or constants have rows; else in one go."""
    acc = c_type(op.accumulator)
    sink = thresholding_sink(unit, op, op.width)
    operands: list[str] = []
    elements: list[str] = []
    addresses: list[str | Moving] = []
    for name, value in zip("xz", op.operands, strict=True):
        buffer = packed.buffer_type(value)
        address = unit.address(value)
        if isinstance(buffer, BitsType):
            operands.append(f"const {word_type(buffer.word)} *{name}")
            elements.append(f"{element_function(unit, buffer, acc)}({name}, m)")
            addresses.append(Moving(address, buffer.planes * buffer.words))
        else:
            operands.append(f"const {c_type(buffer.element_type)} *{name}")
            elements.append(f"{name}[m]")
            addresses.append(Moving(address, op.width))
    text, parameters, factors = _sum(unit, op, acc)
    function = unit.function(
        "add",
        _ADD,
        sum=text,
        operands=", ".join(operands),
        multipliers="".join(f", {parameter}" for parameter in parameters),
        acc=acc,
        first=elements[0],
        second=elements[1],
        **sink.parts(),
    )
    arguments = [*addresses, f"{op.width}u", *factors, *result_arguments(unit, sink, op)]
    unit.call_rows(function, op.rows, arguments)


def _sum(unit: Unit, op: packed.AddOp, acc: str) -> tuple[str, list[str], list[str]]:
    """The sum as C, the parameters of its multipliers and their arguments."""
    if op.multipliers is None:
        return "a + b", [], []
    if op.multipliers.shape[1] == 1:
        factors = [integer_literal(int(value)) for value in op.multipliers.numpy()[:, 0]]
        return "p * a + q * b", [f"{acc} p", f"{acc} q"], factors
    kind = c_type(op.multipliers.element_type)
    name = unit.constant(op.label.data, "multipliers", op.multipliers)
    parameters = [f"$const {kind} *p", f"$const {kind} *q"]
    text = f"({acc})p[m] * a + ({acc})q[m] * b"
    return text, parameters, [name, f"{name} + {op.multipliers.shape[1]}u"]


_ELEMENT = """
/* Element m of a row of $what. */
static $acc $name(const $word *x, size_t m)
{
    const $word *const at = x + m / $width;
    const unsigned shift = (unsigned)(m % $width);
    return ($acc)($sum);
}
"""


def element_function(unit: Unit, bits: BitsType, acc: str) -> str:
    """The function that reads one element of a row of bits; returns its name."""
    terms = ""
    for plane, count in enumerate(plane_weights(bits.element_type)):
        word = "*at" if plane == 0 else f"at[{plane * bits.words}u]"
        scaled = f"({acc})((({work_type(bits.word)}){word} >> shift) & 1u)"
        scaled = scaled if abs(count) == 1 else f"{abs(count)} * {scaled}"
        sign = " - " if count < 0 else " + "
        terms += sign + scaled
    terms = f"-{terms[3:]}" if terms.startswith(" - ") else terms[3:]
    if isinstance(bits.element_type, BipolarType):
        terms = f"2 * {terms} - 1"
    kind = str(bits.element_type).removeprefix("!bnn.")
    return unit.function(
        "element",
        _ELEMENT,
        what=kind if bits.planes == 1 else f"{kind}, {bits.words} words a plane",
        acc=acc,
        word=word_type(bits.word),
        width=f"{bits.word}u",
        sum=terms,
    )


_FLOAT_ADD = """
/* Sums of floats. */
static void $name(const float *x, const float *z, size_t size, float *y)
{
    for (size_t i = 0; i < size; ++i) {
        y[i] = x[i] + z[i];
    }
}
"""


def emit_float_add(unit: Unit, op: packed.FloatAddOp) -> None:
    """One rounding an element; what is added has been rounded when it was stored."""
    function = unit.function("float_add", fill(_FLOAT_ADD))
    size = f"{packed.array_type(op.output).length}u"
    addresses = [unit.address(value) for value in op.operands]
    unit.call(function, [*addresses, size, unit.address(op.output)])
