"""Everything that is proven, in the order in which it is printed."""

from __future__ import annotations

from proofs import c_kernels, identities, mvu_datapath, rules, streams
from proofs.theorem import Theorem


def all_theorems() -> list[Theorem]:
    """The theorems of all families."""
    return [
        *identities.theorems(),
        *rules.theorems(),
        *mvu_datapath.theorems(),
        *streams.theorems(),
        *c_kernels.theorems(),
    ]
