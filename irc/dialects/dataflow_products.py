"""How a matrix-vector unit multiplies, and what that costs.

`planes` counts bits: one popcount for each pair of a bit of the weights and a bit of the input.
`multiply` sums products, each of which the synthesiser makes as it likes. Bipolar weights or
inputs are one bit; weights −1, 0 and +1 one too, beside their mask.

The costs are look-up tables a lane and row, fitted to what Yosys makes of eight lanes for iCE40,
with weights and inputs of 1 to 8 bits; for bipolar weights, of eight rows that share parities of
the inputs. `benchmarks/products.py` prints both and the choice. Counting wins up to four pairs of
bits, and always for bipolar and ternary weights; beyond, a synthesiser shares the sum of partial
products better on its own. On a device with multipliers to spare, a folding file says
`products = multiply`.
"""

from __future__ import annotations

import numpy as np
from xdsl.ir import Attribute

from irc.dialects.dense import BipolarType, DenseAttr, element_width

PRODUCTS = ("auto", "planes", "multiply")
"""How a layer may multiply; `auto` is the smaller one."""


def is_ternary(weights: DenseAttr) -> bool:
    """Whether weights are −1, 0 and +1 in a type of more than one bit."""
    if isinstance(weights.element_type, BipolarType) or element_width(weights.element_type) < 2:
        return False
    values = weights.numpy()
    return int(np.min(values)) == -1 and int(np.max(values)) <= 1


def product_luts(
    style: str, weights: DenseAttr, input_type: Attribute, *, ternary: bool | None = None
) -> float:
    """Look-up tables of one lane of one row, its share of the sum included; `ternary` says whether
    the weights are, where their values do not."""
    masked = style == "planes" and (is_ternary(weights) if ternary is None else ternary)
    weight_bits = 1 if masked else element_width(weights.element_type)
    partial_products = weight_bits * element_width(input_type)
    if style == "planes" and isinstance(weights.element_type, BipolarType):
        return 2 * partial_products - 0.25
    if style == "planes":
        return 3.35 * partial_products - 1.35
    return 2.75 * partial_products + 1.35


def product_choices(weights: DenseAttr, input_type: Attribute) -> tuple[str, ...]:
    """How products of these encodings can be made; one bit times one bit needs no multiplier."""
    one_bit = element_width(weights.element_type) == element_width(input_type) == 1
    return ("auto", "planes") if one_bit else PRODUCTS


def smaller_products(
    weights: DenseAttr, input_type: Attribute, *, ternary: bool | None = None
) -> str:
    """`planes` or `multiply`, whichever takes fewer look-up tables; `ternary` as above."""
    styles = product_choices(weights, input_type)[1:]
    return min(styles, key=lambda s: product_luts(s, weights, input_type, ternary=ternary))
