"""The look-up tables of a matrix-vector unit's products and their sums, part by part."""

from __future__ import annotations

from functools import cache

from irc.dialects import dataflow
from irc.dialects.dataflow import Folding, MvuOp
from irc.dialects.dense import BipolarType, element_width
from irc.passes.hardware.resource_model.fabric import (
    FULL_ADDER,
    Fabric,
    compressor_luts,
    full_adders,
    plane_heights,
)
from irc.passes.hardware.units.counting import chains
from irc.passes.hardware.units.numbers import bits_for
from irc.passes.hardware.units.products import plane_weights


def product_luts(
    op: MvuOp, folding: Folding, style: str, fabric: Fabric, inputs: int, *, constant: bool
) -> dict[str, float]:
    """Those of all rows; `inputs` is the bits of a beat, and `constant` whether weights never
    change."""
    rows, simd = folding.mmv * folding.pe, folding.simd
    input_type = dataflow.stream_type(op.input).element_type
    weight_type = op.weights.element_type
    element, weight = element_width(input_type), element_width(weight_type)
    bipolar = isinstance(weight_type, BipolarType)
    counts = plane_weights(input_type)
    if style == "multiply":
        if bipolar:
            return _negations(fabric, rows, simd, element)
        if element == 1:
            return _summed(fabric, "products.masks", rows, (simd,) * weight, rows * simd * weight)
        if dsps_a_product(op, style, fabric):
            # What DSP blocks give is summed.
            return _summed(fabric, "products.multipliers", rows, (simd,) * (element + weight), 0)
        return _summed(
            fabric,
            "products.multipliers",
            rows,
            tuple(simd * min(i + 1, element, weight, element + weight - 1 - i)
                  for i in range(element + weight - 1)),
            rows * simd * element * weight,
        )  # fmt: skip
    if bipolar:
        complete = counts != [1] or simd == op.columns
        found = _matches(fabric, rows, simd, tuple(counts), complete, constant)
        found["products.encoder"] = _prefix_xors(simd) * inputs / simd / 2
        return found
    heights = plane_heights([abs(c) for c in counts])
    if op.is_ternary:
        leaves = rows * simd * element
        return _summed(fabric, "products.signed", rows, tuple(simd * h for h in heights), leaves)
    pairs = [abs(c) << j for j in range(weight) for c in counts]
    heights = tuple(simd * h for h in plane_heights(pairs))
    return _summed(fabric, "products.ands", rows, heights, rows * simd * element * weight)


def dsps_a_product(op: MvuOp, style: str, fabric: Fabric) -> int:
    """DSP blocks of a product of a weight and an input: a bit is masked, and a bipolar weight
    negates, without any."""
    element = dataflow.stream_type(op.input).element_width
    bipolar = isinstance(op.weights.element_type, BipolarType)
    width = element + element_width(op.weights.element_type)
    return int(style == "multiply" and element > 1 and not bipolar and fabric.has_dsp(width))


def _summed(
    fabric: Fabric, part: str, rows: int, heights: tuple[int, ...], leaves: float
) -> dict[str, float]:
    """Bits of partial products, the full adders that Yosys sums them with, and a last addition."""
    adders = full_adders(heights)
    width = len(heights) + max(heights).bit_length() - 1
    return {
        part: leaves,
        "products.adders": rows * FULL_ADDER * adders,
        "products.additions": rows * fabric.add(width) if max(heights) > 1 else 0,
    }


def _negations(fabric: Fabric, rows: int, simd: int, element: int) -> dict[str, float]:
    """The input or its complement; the sign comes with it, and is the same in all further bits."""
    heights = (simd,) * (element + 1)
    return _summed(fabric, "products.negations", rows, heights, rows * simd * element)


def _matches(
    fabric: Fabric, rows: int, simd: int, counts: tuple[int, ...], complete: bool, constant: bool
) -> dict[str, float]:
    """Matching bits counted in forms, as in `irc.passes.hardware.units.counting`."""
    sizes = chains(simd)
    pairs, odd = sum(size // 2 for size in sizes), len(sizes)
    planes = len(counts)
    if constant:
        # A majority of inputs and of complements; rows have few different ones to share.
        leaves = planes * pairs * min(rows, 4)
    elif fabric.lut_inputs >= 6:
        leaves = rows * planes * (pairs + odd)
    else:
        # One of a pair's forms is made, the other is in the majority's table.
        leaves = rows * planes * simd
    kind = "constant_" if constant else ""
    found: dict[str, float] = {f"products.{kind}matches": leaves}
    compressed = 0.0
    signs = [sign for sign in (1, -1) if any(sign * c > 0 for c in counts)]
    for sign in signs:
        columns = [0] * (planes + 1)
        for place, count in enumerate(counts):
            if count * sign > 0:
                columns[place] += odd
                columns[place + 1] += pairs
        bits = simd * sum(abs(c) for c in counts if c * sign > 0)
        if not complete and odd % 2 == 0:
            columns[0] -= 1
            bits -= 1
        compressed += rows * compressor_luts(tuple(columns), bits, fabric.lut_inputs)
    # Rows of constant weights have counts of the same bits in common.
    found[f"products.{kind}compressors"] = compressed * (0.6 if constant else 1)
    if len(signs) > 1:
        low = simd * sum(c for c in counts if c < 0)
        high = simd * sum(c for c in counts if c > 0)
        found["products.additions"] = rows * fabric.add(bits_for(low, high))
    return found


@cache
def _prefix_xors(bits: int) -> int:
    """Exclusive ors that the forms of so many bits take."""
    return sum((size - 1) // 2 + _prefixes(size // 2 + 1) for size in chains(bits))


@cache
def _prefixes(values: int) -> int:
    if values < 2:
        return 0
    half = values // 2
    return _prefixes(half) + _prefixes(values - half) + values - half
