"""Run the streamlining passes in rounds, until none of them finds anything to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from irc.passes.streamline.fit_affine_chains import fit_affine_chains
from irc.passes.streamline.fold_residual_adds import Refused, fold_residual_adds
from irc.passes.streamline.split_chains import split_chains
from irc.passes.streamline.split_sums import split_sums
from irc.passes.streamline.streamline_branches import streamline_branches
from irc.passes.streamline.streamline_linear import streamline_linear
from irc.passes.streamline.streamline_pads import streamline_pads
from irc.passes.streamline.streamline_pools import streamline_pools
from irc.passes.streamline.streamline_reshapes import streamline_reshapes
from irc.stages import stage

ROUND: dict[str, Callable[[ModuleOp], bool]] = {
    "split-chains": split_chains,
    "streamline-reshapes": streamline_reshapes,
    "streamline-pools": streamline_pools,
    "streamline-pads": streamline_pads,
    "streamline-branches": streamline_branches,
    "fit-affine-chains": fit_affine_chains,
    "streamline-linear": streamline_linear,
    "split-sums": split_sums,
    "fold-residual-adds": fold_residual_adds,
}
"""The passes of a round in their order, each saying whether it changed anything."""


@dataclass(frozen=True)
class Streamline(ModulePass):
    """Repeat the streamlining passes until a round changes nothing.

    split-chains, streamline-reshapes, streamline-pools, streamline-pads, streamline-branches,
    fit-affine-chains, streamline-linear, split-sums and fold-residual-adds, in this order. Most of
    a network is done in the first round, whatever its depth: between two quantizers everything is
    independent of the rest. Sums, pools and joins without a quantizer between them take more.
    """

    name = "streamline"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        again = partial(fold_residual_adds, refused=Refused())
        passes = {**ROUND, "fold-residual-adds": again}
        # Every round brings exact values past an operation that there was before.
        for _ in range(10 + sum(1 for _ in op.walk())):
            changes = [_run(name, run, op) for name, run in passes.items()]
            if not any(changes):
                return


def _run(name: str, run: Callable[[ModuleOp], bool], module: ModuleOp) -> bool:
    with stage(name, module):
        return run(module)
