"""What a kernel does with each result: threshold it, pack it, store it.

A sink is C text for the end of a loop over `m`, the results of one row. It consumes `acc`, of the
op's accumulator type, and owns the parameters `t`, `stride`, … and `y`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from irc.backends.c.text import c_type, fill, word_type, work_type
from irc.backends.c.unit import Moving, Unit
from irc.dialects import packed
from irc.dialects.dense import BipolarType
from irc.dialects.packed_base import Staircase, ThresholdingOp
from irc.dialects.packed_types import BitsType, container_width, plane_weights


@dataclass
class Sink:
    """The text of a sink: parameters, their arguments, and what goes where."""

    parameters: list[str] = field(default_factory=list[str])
    arguments: list[str] = field(default_factory=list[str])
    declare: list[str] = field(default_factory=list[str])
    consume: list[str] = field(default_factory=list[str])
    y_stride: int = 0
    """By how much `y` advances from row to row."""
    word: int = 0
    """Results are bits collected in words of so many bits, without `m`: see `loop`; 0: they are
    not."""
    stores: str = "bits"
    """What is stored of a word then."""
    planes: int = 0
    """Variables of bits, numbered, for as many planes; 0: one, which is called `bits`."""

    def loop(self, body: str) -> str:
        """The loop over the results: `body`, which computes `acc`, and what consumes it."""
        whole = "\n".join([body, *self.consume])
        if not self.word:
            return fill(_LOOP, body=whole)
        kind = word_type(self.word)
        numbers = [str(j) for j in range(self.planes)] or [""]
        stores = [
            fill(_STORE, type=kind, at=_PLACES.get(j, f"y[{j}u * plane]"), stores=self.stores + j)
            for j in numbers
        ]
        return fill(
            _WORDS,
            body=whole,
            type=kind,
            width=f"{self.word}u",
            last=f"{self.word - 1}u",
            zeros="\n".join(f"{kind} bits{j} = 0;" for j in numbers),
            stores="\n".join(stores),
        )

    def parts(self) -> dict[str, str]:
        """The parts for a kernel's template."""
        return {
            "parameters": "".join(f", {parameter}" for parameter in self.parameters),
            "declare": "\n".join(self.declare),
            "consume": "\n".join(self.consume),
        }


_LOOP = """
for (size_t m = 0; m < results; ++m) {
    $body
}
"""

_WORDS = """
while (results > 0) {
    size_t n = results < $width ? results : $width;
    const unsigned unused = (unsigned)(($width - n) % $width);
    $zeros
    results -= n;
    do {
        $body
        --n;
    } while (n > 0);
    $stores
    ++y;
}
"""

_STORE = "$at = ($type)(($type)($stores) >> unused);"
_PLACES = {"": "*y", "0": "*y", "1": "y[plane]"}

_BIT = """
bits = ($type)(bits >> 1);
if (acc >= t[0]) {
    bits = ($type)(bits | $top);
}
"""

_NO_BIT = """
/* Negative differences, which their top bit tells, are zeros. */
bits = (bits >> 1) | ((uint32_t)((int32_t)acc - t[0]) & 0x80000000u);
"""


def is_one_bit(op: ThresholdingOp, width: int) -> bool:
    """Whether `bit_sink` takes the results: bits of one threshold."""
    result, staircase = packed.buffer_type(op.output), op.staircase
    return (
        staircase is not None
        and isinstance(result, BitsType)
        and plane_weights(result.element_type) == (1,)
        and (staircase.levels, staircase.steps, staircase.bias) == (1, None, 0)
        and staircase.channels in (1, width)
    )


def bit_sink(unit: Unit, op: ThresholdingOp) -> Sink:
    """The sink of an op with `is_one_bit`, which puts it into `Sink.loop`."""
    result, staircase = packed.bits_type(op.output), op.staircase
    assert staircase is not None
    sink = Sink(word=result.word, y_stride=result.words)
    thresholds = staircase.thresholds
    kind, word = c_type(thresholds.element_type), word_type(result.word)
    sink.parameters = [f"$const {kind} *t", f"{word} *y"]
    sink.arguments = [unit.constant(op.label.data, "thresholds", thresholds)]
    top = f"0x{'80' + '00' * (result.word // 8 - 1)}u"
    # The difference of two wider numbers could be too large.
    if result.word == 32 and op.accumulator.width.data == 16:
        sink.stores = "~bits"
        sink.consume = fill(_NO_BIT).split("\n")
    else:
        comparison = _BIT
        if op.accumulator.width.data > container_width(thresholds.element_type):
            comparison = comparison.replace("t[0]", f"({c_type(op.accumulator)})t[0]")
        sink.consume = fill(comparison, type=word, top=top).split("\n")
    if staircase.channels > 1:
        sink.consume.append("++t;")
    return sink


def thresholding_sink(unit: Unit, op: ThresholdingOp, width: int) -> Sink:
    """The sink of an op whose rows have `width` results."""
    sink = Sink()
    if op.staircase is None:
        add_storing(sink, op, "acc", op.accumulator.width.data, width)
        return sink
    acc = c_type(op.accumulator)
    add_thresholds(unit, sink, op.label.data, op.staircase, width, (acc, acc))
    add_storing(sink, op, "code", op.accumulator.width.data, width)
    return sink


def add_storing(sink: Sink, op: packed.KernelOp, code: str, code_width: int, width: int) -> None:
    """Store a C expression of so many bits as one of the `width` results of a row.

    Of bipolar results, the code is the bit; only sums of the type itself are stored as they are.
    """
    result = packed.buffer_type(op.output)
    if isinstance(result, BitsType):
        add_packing(sink, result, as_unsigned(code, code_width))
        return
    if code == "code" and isinstance(result.element_type, BipolarType):
        code = "(2 * code - 1)"
    kind = c_type(result.element_type)
    sink.parameters.append(f"{kind} *y")
    sink.consume.append(f"y[m] = ({kind}){code};")
    sink.y_stride = width


_SUM = """
$code code = bias;
for (size_t i = 0; i < levels; ++i) {
    code = ($code)(code + $step);
}
"""


def add_thresholds(
    unit: Unit, sink: Sink, label: str, staircase: Staircase, width: int, types: tuple[str, str]
) -> None:
    """`code = bias + Σ_i s[i]·[acc >= t[i]]`, with `t` and `s` moving from channel to channel.

    `types` are the C types of what is compared and of the code.
    """
    acc, code = types
    is_shared = staircase.channels == 1
    wraps = not is_shared and staircase.channels != width
    vectors = [("t", "thresholds", staircase.thresholds)]
    if staircase.steps is not None:
        vectors.append(("s", "steps", staircase.steps))
    for short, what, constant in vectors:
        sink.parameters.append(f"$const {c_type(constant.element_type)} *{short}")
        sink.arguments.append(unit.constant(label, what, constant))
    if staircase.levels == 1 and staircase.steps is None and staircase.bias == 0:
        sink.consume.append(f"const {code} code = ({code})(acc >= ({acc})t[0]);")
    else:
        sink.parameters += ["size_t levels", f"{code} bias"]
        sink.arguments += [f"{staircase.levels}u", str(staircase.bias)]
        step = f"(acc >= ({acc})t[i])"
        if staircase.steps is not None:
            step = f"(acc >= ({acc})t[i] ? ({code})s[i] : 0)"
        sink.consume += fill(_SUM, code=code, step=step).split("\n")
    if is_shared:
        return
    levels = str(staircase.levels) if "size_t levels" not in sink.parameters else "levels"
    sink.consume += [f"{short} += {levels};" for short, _, _ in vectors]
    if wraps:
        sink.parameters.append("size_t period")
        sink.arguments.append(f"{staircase.channels}u")
        sink.declare.append("size_t channel = 0;")
        sink.consume += ["if (++channel == period) {", "    channel = 0;"]
        sink.consume += [f"    {short} -= period * {levels};" for short, _, _ in vectors]
        sink.consume.append("}")


_ONE_PLANE = """
bits = ($word)(bits | (($word)($code & 1u) << (m & $mask)));
if ((m & $mask) == $mask || m + 1u == results) {
    *y = bits;
    ++y;
    bits = 0;
}
"""

_PLANES = """
for (unsigned j = 0; j < $planes; ++j) {
    const $word bit = ($word)(($code >> j) & 1u);
    bits[j] = ($word)(bits[j] | (bit << (m & $mask)));
}
if ((m & $mask) == $mask || m + 1u == results) {
    for (unsigned j = 0; j < $planes; ++j) {
        y[j * plane] = bits[j];
        bits[j] = 0;
    }
    ++y;
}
"""


def as_unsigned(expression: str, width: int) -> str:
    """A C expression of so many bits, as an unsigned one in which shifts are defined."""
    operand = expression if re.fullmatch(r"[\w\[\]]+", expression) else f"({expression})"
    narrow = f"({word_type(width)}){operand}"
    return f"({work_type(width)}){narrow}" if width <= 16 else narrow


def add_packing(sink: Sink, result: BitsType, code: str) -> None:
    """Collect the bits of `code`, an unsigned C expression, and store a word when it is full.

    The kernel calls the number of results in a row `results`.
    """
    word = word_type(result.word)
    parts = {"word": word, "code": code, "mask": f"{result.word - 1}u"}
    sink.parameters.append(f"{word} *y")
    sink.y_stride = result.planes * result.words
    if result.planes == 1:
        sink.declare.append(f"{word} bits = 0;")
        sink.consume += fill(_ONE_PLANE, **parts).split("\n")
        return
    sink.parameters.append("size_t plane")
    sink.declare.append(f"{word} bits[{result.planes}] = {{0}};")
    sink.consume += fill(_PLANES, planes=f"{result.planes}u", **parts).split("\n")


def result_arguments(unit: Unit, sink: Sink, op: packed.KernelOp) -> list[str | Moving]:
    """The arguments for the sink's parameters."""
    result = packed.buffer_type(op.output)
    arguments: list[str | Moving] = [*sink.arguments]
    address = unit.address(op.output)
    arguments.append(address if op.is_lazy else Moving(address, sink.y_stride))
    if isinstance(result, BitsType) and result.planes > 1:
        arguments.append(f"{result.words}u")
    return arguments
