"""What the units of branches compute, against NumPy on whole frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Operation, Region, SSAValue

from irc.dialects import bnn, dataflow
from irc.interp.run import run_module

Array = npt.NDArray[Any]
Make = Callable[[Sequence[SSAValue]], Operation]

TIMES = np.array([[1, -2, 3, 0], [2, 5, -1, 1]])
INPUT = bnn.sint(3)


def run(shapes: Sequence[tuple[int, ...]], make: Make, lanes: int = 1) -> tuple[list[Array], Array]:
    """Random frames of the shapes, and the first result of the unit for them."""
    frames = [TensorType(INPUT, shape) for shape in shapes]
    block = Block(arg_types=frames)
    entries = [dataflow.ToStreamOp(argument, lanes) for argument in block.args]
    unit = make([entry.output for entry in entries])
    leaves = [dataflow.FromStreamOp(result) for result in unit.results]
    block.add_ops([*entries, unit, *leaves, ReturnOp(*(leave.output for leave in leaves))])
    results = [leave.output.type for leave in leaves]
    module = ModuleOp([FuncOp("net", (frames, results), Region(block))])
    module.verify()
    rng = np.random.default_rng(5)
    inputs = [rng.integers(-4, 4, (3, *shape)) for shape in shapes]
    given = run_module(module, inputs)
    assert all(np.array_equal(other, given[0]) for other in given)
    return inputs, given[0]


@pytest.mark.parametrize("lanes", [1, 2, 4])
def test_sums(lanes: int) -> None:
    constant = bnn.DenseAttr.from_integers(TIMES)
    (a, b), plain = run(
        [(3, 4)] * 2, lambda v: dataflow.AddOp("s", v[0], v[1], bnn.sint(4), None, lanes), lanes
    )
    assert np.array_equal(plain, a + b)
    (a, b), scaled = run(
        [(3, 4)] * 2, lambda v: dataflow.AddOp("s", v[0], v[1], bnn.sint(7), constant, lanes), lanes
    )
    assert np.array_equal(scaled, TIMES[0] * a + TIMES[1] * b)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_concatenations(axis: int) -> None:
    shapes = [[2, 3, 4], [2, 3, 4], [2, 3, 4]]
    shapes[1][axis] = 6
    sizes = [(s[0], s[1], s[2]) for s in shapes]
    parts, joined = run(sizes, lambda v: dataflow.ConcatOp(v, axis, 2), 2)
    assert np.array_equal(joined, np.concatenate(parts, axis=axis + 1))


def test_slices_forks_and_upsampling() -> None:
    (x,), part = run(
        [(5, 3, 4)], lambda v: dataflow.SliceOp(v[0], (1, 0, 2), (2, 3, 2), (2, 1, 1), 2), 2
    )
    assert np.array_equal(part, x[:, 1:5:2, :, 2:])
    (x,), same = run([(5, 4)], lambda v: dataflow.ForkOp(v[0], 3), 2)
    assert np.array_equal(same, x)
    (x,), grown = run([(2, 3, 4)], lambda v: dataflow.UpsampleOp(v[0], (2, 3, 1), 2), 2)
    assert np.array_equal(grown, x.repeat(2, axis=1).repeat(3, axis=2))
