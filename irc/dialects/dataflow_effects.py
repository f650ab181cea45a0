"""The effect that every unit of the `dataflow` dialect has: it makes a stream."""

from __future__ import annotations

from xdsl.ir import Operation
from xdsl.traits import EffectInstance, MemoryEffect, MemoryEffectKind


class MakesStream(MemoryEffect):
    """The results are streams, which exist once and are read once.

    As an allocation of its results, a unit goes when nobody reads them. Two equal units must not
    become one, as pure operations do: their stream would have two readers, and a `dataflow.fork`
    would be missing.
    """

    @classmethod
    def get_effects(cls, op: Operation) -> set[EffectInstance]:
        """An allocation of each result."""
        return {EffectInstance(MemoryEffectKind.ALLOC, result) for result in op.results}
