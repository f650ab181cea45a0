"""Make a network one of many: hardware that holds for any weights and thresholds of its shape."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, StringAttr, UnitAttr, i64
from xdsl.ir import Attribute
from xdsl.passes import ModulePass

from irc.dialects import bnn
from irc.dialects.dataflow_products import is_ternary
from irc.dialects.dense import BipolarType, DenseAttr, element_range, element_width, is_exact
from irc.errors import IrcError, UsageError
from irc.passes.analysis.any_weights import WEIGHTS, AnyWeightsAnalysis
from irc.passes.layer_names import layer_name
from irc.passes.rewriting import functions_of
from irc.passes.streamline.narrow_accumulators import fit_sums

Array = npt.NDArray[Any]

RELOADABLE = "bnn.reloadable"
"""Attribute of a function: its weights and thresholds are to be loaded at run time."""

_Weighted = bnn.LinearOp | bnn.ConvOp

FEW_LEVELS = 15
MOST_TIMES = 4
"""A layer has as many thresholds as its result has levels, the first one apart, if that is few or
not many times what it has now: retrained, it may use levels that it does not use now."""


@dataclass(frozen=True)
class MakeReloadable(ModulePass):
    """Remove from types and shapes what depends on the values of weights and thresholds.

    Sums get a type that holds those of any weights of the same type. A layer gets its thresholds
    for each channel, and one for each level of its result, those never or always reached included:
    `bias + Σ_i steps[i]·[y >= at[i]] = low + Σ_l [y >= at'[l]]`, where `at'[l]` is the least y with
    a code of `low + l` at least. Does nothing unless `enabled`.

    Weights −1, 0 and +1 of an integer type stay so. `weights` says what each layer takes, in order,
    where that must be as in an earlier network; weights that do not fit are an error.
    """

    name = "make-reloadable"

    enabled: bool = False
    """Whether weights are to be loaded at run time."""

    weights: tuple[str, ...] = ()
    """`bipolar`, `ternary`, or a type such as `int4` or `ui2`, for each layer with weights."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if not self.enabled:
            return
        for function in functions_of(op):
            layers = [op for op in function.body.block.ops if isinstance(op, _Weighted)]
            if self.weights and len(self.weights) != len(layers):
                raise IrcError(
                    f"the network has {len(layers)} layers with weights, the design "
                    f"{len(self.weights)}"
                )
            kinds = self.weights or [weight_kind(layer.weights) for layer in layers]
            for layer, kind in zip(layers, kinds, strict=True):
                _fit_weights(layer, kind)
                layer.attributes[WEIGHTS] = StringAttr(kind)
            fit_sums(function, AnyWeightsAnalysis())
            for threshold in function.body.block.ops:
                if isinstance(threshold, bnn.ThresholdOp):
                    _spread(threshold)
                    _unify(threshold)
            function.attributes[RELOADABLE] = UnitAttr()


def weight_kind(weights: DenseAttr) -> str:
    """What the option `weights` calls the weights of a layer."""
    if isinstance(weights.element_type, BipolarType):
        return "bipolar"
    if is_ternary(weights) and element_width(weights.element_type) == 2:
        return "ternary"
    sign = "u" if element_range(weights.element_type)[0] == 0 else ""
    return f"{sign}int{element_width(weights.element_type)}"


def reloadable_weights(op: _Weighted) -> str | None:
    """What a layer takes after this pass, as `dataflow.mvu` says it: `any` or `ternary`."""
    kind = op.attributes.get(WEIGHTS)
    if not isinstance(kind, StringAttr):
        return None
    return "ternary" if kind.data == "ternary" else "any"


def _fit_weights(op: _Weighted, kind: str) -> None:
    """Give a layer weights of a kind; raises `IrcError` where they are others."""
    have = weight_kind(op.weights)
    if have == kind:
        return
    target = _type_of_kind(kind)
    values = op.weights.numpy().astype(np.int64)
    low, high = (-1, 1) if kind == "ternary" else element_range(target)
    fits = low <= int(values.min(initial=0)) and int(values.max(initial=0)) <= high
    if not fits or (isinstance(target, BipolarType) and not values.all()):
        raise IrcError(
            f"layer '{layer_name(op, op.name)}': its weights, {have} from {values.min()} to "
            f"{values.max()}, do not fit the {kind} weights of the design",
            op.location,
        )
    op.properties["weights"] = DenseAttr.from_numpy(values, target)


def _type_of_kind(kind: str) -> Attribute:
    """The type of weights of a kind; raises `UsageError` for an unknown one."""
    if kind in ("bipolar", "ternary"):
        return bnn.bipolar if kind == "bipolar" else bnn.sint(2)
    found = re.fullmatch("(u?)i(?:nt)?([1-9][0-9]?)", kind)
    if found is None:
        raise UsageError(f"unknown weights '{kind}'; expected bipolar, ternary or such as int4")
    return (bnn.uint if found[1] else bnn.sint)(int(found[2]))


def _is_fused(op: bnn.ThresholdOp) -> bool:
    return isinstance(op.input.owner, bnn.LinearOp | bnn.ConvOp) and op.input.has_one_use()


def _spread(op: bnn.ThresholdOp) -> None:
    """Give every channel of a layer with weights thresholds of its own."""
    channels = bnn.frame_type(op.input).get_shape()[-1]
    if not _is_fused(op) or op.thresholds.shape[0] == channels:
        return
    for name in ("thresholds", "steps"):
        table = op.properties.get(name)
        if isinstance(table, DenseAttr):
            rows = np.repeat(table.numpy(), channels, axis=0)
            op.properties[name] = DenseAttr.from_numpy(rows, table.element_type)


def _unify(op: bnn.ThresholdOp) -> None:
    """One threshold for each level of the result but the lowest, without steps, where the codes
    rise with the sum and that does not take too many."""
    source, result = (bnn.frame_type(value).element_type for value in (op.input, op.output))
    if not is_exact(source) or not is_exact(result):
        return
    low, high = (0, 1) if isinstance(result, BipolarType) else element_range(result)
    levels = high - low
    if levels > max(FEW_LEVELS, MOST_TIMES * op.thresholds.shape[1]):
        return
    never, always = element_range(source)[1] + 1, element_range(source)[0]
    at = op.thresholds.numpy().astype(np.int64)
    steps = np.ones_like(at) if op.steps is None else op.steps.numpy().astype(np.int64)
    rows = [
        _levels(row_at, row_steps, op.bias.value.data, low, high, (always, never))
        for row_at, row_steps in zip(at, steps, strict=True)
    ]
    unified = [row for row in rows if row is not None]
    if len(unified) < len(rows):
        return
    op.properties["thresholds"] = DenseAttr.from_integers(np.array(unified))
    op.properties.pop("steps", None)
    op.properties["bias"] = IntegerAttr(low, i64)


def _levels(
    at: Array, steps: Array, bias: int, low: int, high: int, ends: tuple[int, int]
) -> list[int] | None:
    """For each code above `low` the least number that has it or a larger one, `ends` being those
    that are always and never reached; None where codes fall or leave the range."""
    always, never = ends
    path = [(always, bias)]
    for threshold in np.unique(at):
        code = path[-1][1] + int(steps[at == threshold].sum())
        if code < path[-1][1]:
            return None
        path.append((int(threshold), code))
    if bias < low or path[-1][1] > high:
        return None
    return [
        next((where for where, code in path if code >= level), never)
        for level in range(low + 1, high + 1)
    ]
