"""Small networks on which a rewrite rule has something to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
from xdsl.dialects.builtin import ModuleOp, TensorType, f32
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from irc.dialects import bnn
from irc.dialects.dense import element_range
from proofs.terms import Term, z3


class Net:
    """Appends operations; each method returns the result of one."""

    def __init__(self) -> None:
        self.ops: list[Operation] = []
        self._tags = 0

    def add(self, op: Operation) -> SSAValue:
        """Append an operation."""
        self.ops.append(op)
        return op.results[0]

    def tags(self, *shape: int, sign: int = 1) -> bnn.DenseAttr:
        """A float constant of numbers that occur nowhere else: each stands for any number."""
        values = sign * (np.arange(int(np.prod(shape, dtype=np.int64))) + self._tags + 2.25)
        self._tags += values.size
        return bnn.DenseAttr.from_floats(values.reshape(shape))

    def weight_tags(self, *shape: int) -> bnn.DenseAttr:
        """Integer weights that occur nowhere else: each stands for any integer."""
        size = int(np.prod(shape))
        signs = np.where(np.arange(size) % 3 == 1, -1, 1)
        values = signs * (np.arange(size) + self._tags + 3)
        self._tags += size
        return bnn.DenseAttr.from_numpy(values.reshape(shape), bnn.sint(12))

    def cast(self, value: SSAValue) -> SSAValue:
        """An exact value as floats."""
        return self.add(bnn.CastOp(value))

    def ewise(self, fn: str, value: SSAValue, constant: bnn.DenseAttr | None = None) -> SSAValue:
        """An element-wise function."""
        return self.add(bnn.EwiseOp(fn, value, constant))

    def affine(self, value: SSAValue, *shape: int, sign: int = 1) -> SSAValue:
        """`a · cast(value) + b`, with tags of this shape."""
        scaled = self.ewise("mul", self.cast(value), self.tags(*shape, sign=sign))
        return self.ewise("add", scaled, self.tags(*shape))

    def quantize(self, value: SSAValue, rounding: str = "half_even") -> SSAValue:
        """A quantizer to four bits, or to signs."""
        if rounding in bnn.SIGNS:
            return self.add(bnn.QuantizeOp(rounding, value, bnn.bipolar))
        return self.add(bnn.QuantizeOp(rounding, value, bnn.sint(4), -7, 6))

    def linear(
        self,
        value: SSAValue,
        weights: bnn.DenseAttr,
        element_type: Attribute = f32,
        scales: bnn.DenseAttr | None = None,
        offsets: bnn.DenseAttr | None = None,
    ) -> SSAValue:
        """A sum of products."""
        return self.add(bnn.LinearOp(value, weights, element_type, scales, offsets))


Build = (
    Callable[[Net, SSAValue], SSAValue | Sequence[SSAValue]]
    | Callable[[Net, SSAValue, SSAValue], SSAValue | Sequence[SSAValue]]
)
"""Appends the operations of a network to a `Net`, given that and the inputs; gives the results."""


def network(inputs: Sequence[tuple[Attribute, tuple[int, ...]]], build: Build) -> ModuleOp:
    """A module of one function, its inputs given by element type and shape."""
    block = Block(arg_types=[TensorType(kind, shape) for kind, shape in inputs])
    net = Net()
    results = cast(Callable[..., SSAValue | Sequence[SSAValue]], build)(net, *block.args)
    values = [results] if isinstance(results, SSAValue) else list(results)
    block.add_ops([*net.ops, ReturnOp(*values)])
    types = [a.type for a in block.args], [value.type for value in values]
    module = ModuleOp([FuncOp("f", types, Region(block))])
    module.verify()
    return module


def conditions(element_type: Attribute, term: Term) -> list[Term]:
    """The conditions that an integer is of an exact type."""
    low, high = element_range(element_type)
    if isinstance(element_type, bnn.BipolarType):
        return [z3.Or(term == -1, term == 1)]
    return [low <= term, term <= high]
