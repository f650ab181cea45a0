"""Lifting rules, by kind of operator; importing this package registers them all."""

from irc.passes.lift.lifting import RULES
from irc.passes.lift.rules import convolutions, elementwise, linear, qdq, quantizers, shapes

__all__ = ["RULES", "convolutions", "elementwise", "linear", "qdq", "quantizers", "shapes"]
