"""Where a float network needs quantizers so that all its sums are of integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from xdsl.dialects.builtin import Float32Type
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, SSAValue

from irc.dialects import bnn
from irc.passes.quantize.layer_choice import Weighted
from irc.passes.streamline.streamline_pools import direction, only_guards_pools, rises

Sum = bnn.LinearOp | bnn.ConvOp | bnn.SumPoolOp

Movement = (
    bnn.ReshapeOp | bnn.TransposeOp | bnn.PadOp | bnn.MaxPoolOp | bnn.SliceOp | bnn.UpsampleOp
)
"""Operations that pass elements on, or borders of 0: what is behind them has the grid of what is
in front."""

_AFFINE = ("mul", "div", "add", "sub", "rsub", "neg")


@dataclass(eq=False)
class Site:
    """Values that share a grid and a step, since a concatenation joins them; most often one.

    `layers` read them, through operations that only move elements; `added_to` are the sites that
    are added to them.
    """

    values: list[SSAValue]
    layers: list[Weighted] = field(default_factory=list[Weighted])
    is_pooled: bool = False
    added_to: list[Site] = field(default_factory=list["Site"])

    @property
    def is_only_added(self) -> bool:
        """Whether nothing but additions reads the values."""
        return not self.layers and not self.is_pooled

    @property
    def is_input(self) -> bool:
        """Whether the values follow from an input of the network, without a sum in between."""
        return all(_is_of_input(value) for value in self.values)


def find_sites(function: FuncOp) -> list[Site]:
    """What is to be quantized, in the order of its definition: what sums and additions read, and
    max-pools between functions; unless it is an integer times a number already."""
    sites = _Sites()
    for op in function.body.block.ops:
        if isinstance(op, Sum) and _is_float(op.input):
            for site in sites.read(op.input):
                if isinstance(op, bnn.SumPoolOp):
                    site.is_pooled = True
                else:
                    site.layers.append(op)
        elif isinstance(op, bnn.AddOp) and _is_float(op.output):
            operands = [sites.read(value) for value in op.operands]
            if any(operands):
                # The step of an input, 1/255 for one, goes with no other.
                operands = [
                    found or sites.read(value, even_if_exact=_is_of_input(value))
                    for found, value in zip(operands, op.operands, strict=True)
                ]
            if all(operands):
                # The second operand may have been joined to the first: look it up again.
                one, other = (sites.of(found[0].values[0]) for found in operands)
                one.added_to.append(other)
                other.added_to.append(one)
        elif isinstance(op, bnn.MaxPoolOp) and _is_float(op.output) and _is_stuck(op):
            sites.read(op.input)
    return sites.in_order(function)


class _Sites:
    def __init__(self) -> None:
        self._of: dict[SSAValue, Site] = {}

    def of(self, value: SSAValue) -> Site:
        """The site that a value belongs to now."""
        return self._of[value]

    def read(self, value: SSAValue, even_if_exact: bool = False) -> list[Site]:
        """The site of the values behind `value`, none where they are exact already."""
        roots, path = _roots(value)
        if len(roots) == 1 and not even_if_exact and is_affine_of_exact(roots[0], path):
            return []
        if len(roots) > 1 and any(is_affine_of_exact(root, []) for root in roots):
            # Integers of another step are among them: all get a new one where they are joined.
            roots = [_join_of(value)]
        site = self._of.setdefault(roots[0], Site([]))
        for root in roots:
            self._merge(site, root)
        return [site]

    def _merge(self, site: Site, root: SSAValue) -> None:
        other = self._of.get(root)
        if other is None or other is site:
            if root not in site.values:
                site.values.append(root)
            self._of[root] = site
            return
        site.values += [value for value in other.values if value not in site.values]
        site.layers += other.layers
        site.is_pooled |= other.is_pooled
        site.added_to += other.added_to
        for value in other.values:
            self._of[value] = site
        for neighbour in other.added_to:
            neighbour.added_to = [site if s is other else s for s in neighbour.added_to]

    def in_order(self, function: FuncOp) -> list[Site]:
        """Every site once, by its first value."""
        values: list[SSAValue] = list(function.body.block.args)
        for op in function.body.block.ops:
            values += op.results
        found: list[Site] = []
        for value in values:
            site = self._of.get(value)
            if site is not None and not any(site is other for other in found):
                found.append(site)
        return found


def _is_float(value: SSAValue) -> bool:
    return isinstance(bnn.frame_type(value).element_type, Float32Type)


def passes_on(op: Movement) -> bool:
    """Whether the grid of the operand is that of the result: a border must be 0 or never seen."""
    return not isinstance(op, bnn.PadOp) or op.pad_value == 0 or only_guards_pools(op)


def _roots(value: SSAValue) -> tuple[list[SSAValue], list[Movement]]:
    """The computed values that `value` is made of, and the operations that move them there."""
    found: list[SSAValue] = []
    path: list[Movement] = []
    # Every value once: there may be any number of ways to it.
    seen: set[SSAValue] = set()
    pending = [value]
    while pending:
        value = pending.pop()
        if value in seen:
            continue
        seen.add(value)
        op = value.owner
        if isinstance(op, Movement) and passes_on(op):
            path.append(op)
            pending.append(op.input)
        elif isinstance(op, bnn.ConcatOp):
            pending += reversed(op.inputs)
        else:
            found.append(value)
    return found, path


def _join_of(value: SSAValue) -> SSAValue:
    """The result of the last concatenation that leads to `value`."""
    while isinstance(value.owner, Movement):
        value = value.owner.input
    return value


def is_affine_of_exact(value: SSAValue, path: Sequence[Movement]) -> bool:
    """Whether a value is a number times an exact one, plus a number, and stays so on its way.

    The path must not put borders of 0 around it if something is added, nor pools if it falls.
    """
    path = list(path)
    while isinstance(value.owner, bnn.EwiseOp | Movement):
        op = value.owner
        if isinstance(op, bnn.EwiseOp):
            if op.fn.data not in _AFFINE or (op.constant is not None and op.constant.size != 1):
                return False
            if op.fn.data not in ("mul", "div", "neg") and any(map(is_border_of_zeros, path)):
                return False
            if not rises(op) and any(isinstance(moved, bnn.MaxPoolOp) for moved in path):
                return False
        elif passes_on(op):
            path.append(op)
        else:
            return False
        value = op.input
    return isinstance(value.owner, bnn.CastOp)


def _is_stuck(op: bnn.MaxPoolOp) -> bool:
    """Whether a pool of floats may not get to integers by itself.

    It gets behind a quantizer if no function comes before that, and in front of a sum's scales if
    the functions in between are known to rise or fall.
    """
    if not _has_function_behind(op):
        return False
    value = op.input
    while isinstance(value.owner, bnn.EwiseOp | bnn.PadOp):
        if isinstance(value.owner, bnn.EwiseOp) and direction(value.owner) is None:
            return True
        value = value.owner.input
    return not isinstance(value.owner, Weighted)


def _has_function_behind(op: bnn.MaxPoolOp) -> bool:
    pending: list[SSAValue] = [op.output]
    while pending:
        for use in pending.pop().uses:
            if isinstance(use.operation, bnn.EwiseOp):
                return True
            if isinstance(use.operation, Movement):
                pending.append(use.operation.output)
    return False


def is_border_of_zeros(op: Movement) -> bool:
    """Whether the operation puts zeros around a frame."""
    return isinstance(op, bnn.PadOp) and op.pad_value == 0


def _is_of_input(value: SSAValue) -> bool:
    while isinstance(value.owner, bnn.EwiseOp | bnn.CastOp | Movement):
        value = value.owner.input
    return isinstance(value.owner, Block)
