"""What the exact threshold search found, layer by layer, for plots: thresholds and margins."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, SSAValue
from xdsl.passes import ModulePass

from irc.dialects import bnn
from irc.dialects.dense import is_exact
from irc.dialects.locations import location_name
from irc.errors import IrcError
from irc.passes.analysis.chain import Chain
from irc.passes.analysis.decision_margin import decisions_of
from irc.passes.analysis.function_chain import ExactChain, exact_chain
from irc.passes.analysis.margin import Ambiguity, find_ambiguous
from irc.passes.analysis.ranges import RangeAnalysis
from irc.passes.analysis.reachable import Reachable
from irc.passes.analysis.threshold_search import find_levels, is_tabulated, tabulate
from irc.passes.layer_names import UniqueNames
from irc.passes.rewriting import functions_of
from irc.passes.streamline.fold_thresholds import FoldThresholds, fold, margin_of

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Layer:
    """The thresholds of one quantizer over what can occur in front of it.

    `low`, `high` and `step` [C] are the reachable integers; `at` [C, T] the thresholds, of which
    those of the mask `real` decide something. `place` and `headroom` [C, T] are those of
    `Decisions`, `None` where the decision is about pairs of integers: a sum of two branches.
    `functions` are those between the integer and the quantizer; `codes` is the type of the result.
    """

    name: str
    location: Attribute
    codes: str
    functions: tuple[str, ...]
    full: Reachable
    at: Array
    real: Array
    place: Array | None
    headroom: Array | None
    ambiguous: list[Ambiguity]
    is_reproducible: bool

    @property
    def channels(self) -> int:
        """How many channels decide on their own."""
        return len(self.full.low)


@dataclass
class ThresholdRecorder:
    """Looks at a network just before its thresholds are folded.

    `layers` are in the order of the network, as the search sees them: later passes may drop
    channels and thresholds.
    """

    layers: list[Layer] = field(default_factory=list[Layer])

    def look(self, module_pass: ModulePass, module: ModuleOp) -> None:
        """See the module before a pass."""
        if module_pass.name != FoldThresholds.name:
            return
        # What can occur in front of a quantizer depends on how those before it are folded.
        for function in functions_of(module.clone()):
            # What cannot be folded the pass itself tells about, in a moment.
            with suppress(IrcError):
                self._look(function)

    def _look(self, function: FuncOp) -> None:
        analysis = RangeAnalysis()
        for op in list(function.body.block.ops):
            if isinstance(op, bnn.Quantizer):
                found = exact_chain(op.input)
                if found is not None and is_exact(bnn.frame_type(found.source).element_type):
                    self._add(op, found, analysis)
                    fold(op, found, analysis)

    def _add(self, op: bnn.Quantizer, found: ExactChain, analysis: RangeAnalysis) -> None:
        reachable = analysis.of(found.source)
        assert reachable is not None
        chain = Chain(found.functions, op)
        full = reachable.expanded(max(chain.channels, reachable.channels))
        direction = chain.direction()
        if direction is None or is_tabulated(chain, full):
            steps = tabulate(chain, full)
        else:
            steps = find_levels(chain, full, direction).steps(full)
        decisions = decisions_of(chain, steps, full)
        self.layers.append(
            Layer(
                location_name(op.location) or op.name,
                op.location,
                _codes(op.output),
                tuple(link.fn for link in chain.links),
                full,
                decisions.at,
                decisions.real,
                decisions.place,
                decisions.headroom,
                find_ambiguous(chain, full),
                chain.is_reproducible,
            )
        )

    def all_layers(self, function: FuncOp) -> list[Layer]:
        """Those and what else `function`, at level `bnn`, decides: in its order."""
        searched = list(self.layers)
        analysis, names = RangeAnalysis(), UniqueNames()
        found: list[Layer] = []
        for op in function.body.block.ops:
            if isinstance(op, bnn.ThresholdOp):
                plain = _plain_layer(op, analysis)
                alike = [layer for layer in searched if layer.name == plain.name]
                # A quantizer that was moved in front of a join is there for each of its parts.
                same = [layer for layer in alike if layer.channels == plain.channels]
                layer = next(iter((*same, *alike)), plain)
                if layer is not plain:
                    searched.remove(layer)
                # Ternary results of which one never occurs have become bipolar.
                found.append(replace(layer, codes=plain.codes))
        return [replace(layer, name=names.unique(layer.name)) for layer in (*found, *searched)]


def _plain_layer(op: bnn.ThresholdOp, analysis: RangeAnalysis) -> Layer:
    """Thresholds that no chain of functions of one integer led to."""
    reachable = analysis.of(op.input)
    assert reachable is not None
    at = op.thresholds.numpy().astype(np.int64)
    channels = max(len(at), reachable.channels)
    full = reachable.expanded(channels)
    at = np.sort(np.broadcast_to(at, (channels, at.shape[1])), axis=1)
    real = (at > full.low[:, None]) & (at <= full.high[:, None])
    margin = margin_of(op)
    return Layer(
        location_name(op.location) or op.name,
        op.location,
        _codes(op.output),
        (),
        full,
        at,
        real,
        None,
        None,
        margin or [],
        is_reproducible=margin == [],
    )


def _codes(value: SSAValue) -> str:
    return str(bnn.frame_type(value).element_type).removeprefix("!bnn.")
