"""Lifting rules, by kind of operator; importing this package registers them all."""

from irc.passes.lift.lifting import RULES
from irc.passes.lift.rules import (
    casts,
    convolutions,
    elementwise,
    integer_products,
    linear,
    multithreshold,
    qdq,
    quantizers,
    selections,
    shapes,
    tails,
    trunc,
)

__all__ = [
    "RULES",
    "casts",
    "convolutions",
    "elementwise",
    "integer_products",
    "linear",
    "multithreshold",
    "qdq",
    "quantizers",
    "selections",
    "shapes",
    "tails",
    "trunc",
]
