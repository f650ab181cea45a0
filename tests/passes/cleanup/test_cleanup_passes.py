"""What is merged or erased changes no result, and is counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.utils.arg_spec import ArgSpec

from irc.counters import collect
from irc.flow.each_pass.checker import EachPassChecker
from irc.fuzz.networks.random_mixed_network import random_mixed_network
from irc.interp.run import entry_function, run_module
from irc.loading import load_file, new_context
from irc.passes.cleanup.erase_unused_operations import EraseUnusedOperations
from irc.passes.cleanup.merge_equal_operations import MergeEqualOperations
from irc.pipelines import steps_to
from irc.running import build_passes, run_passes
from irc.universe import discover
from irc.verifying import verify_module

MNIST = Path(__file__).resolve().parents[3] / "examples/mnist/mnist_64x3_1w1a.onnx"


def mnist(level: str) -> ModuleOp:
    """A trained network at a level."""
    module = load_file(new_context(), MNIST)
    settings = {"declare-inputs": ArgSpec("declare-inputs", {"inputs": ("image=uint8/255",)})}
    text = ",".join(step.spec for step in steps_to(module, level))
    run_passes(new_context(), module, build_passes(discover(), text, settings))
    return module


def operations(module: ModuleOp) -> int:
    return sum(1 for _ in module.walk())


@pytest.mark.parametrize("level", ["bnn", "dataflow", "packed", "hw"])
def test_a_trained_network_keeps_its_answers(level: str) -> None:
    module = mnist(level)
    checker = EachPassChecker(frames=8)
    passes = [MergeEqualOperations(), EraseUnusedOperations()]
    run_passes(new_context(), module, passes, observers=[checker])
    assert not checker.skipped
    # The pipelines have done the same: nothing is left to do.
    assert checker.unchanged[-1] == "erase-unused-operations"


@pytest.mark.parametrize("seed", range(6))
def test_a_network_beside_itself_is_one(seed: int) -> None:
    network = random_mixed_network(seed)
    module = network.lowered("bnn")
    expected = run_module(module, [network.frames])
    before = operations(module)
    function = entry_function(module)
    block = function.body.block
    last = block.last_op
    assert last is not None
    mapped: dict[SSAValue, SSAValue] = {argument: argument for argument in block.args}
    for op in list(block.ops)[:-1]:
        block.insert_op_before(op.clone(mapped), last)
    last.operands = [*last.operands, *(mapped[value] for value in last.operands)]
    function.update_function_type()
    with collect() as counters:
        MergeEqualOperations().apply(Context(), module)
    verify_module(module)
    assert operations(module) <= before
    assert counters["equal operations merged"] >= before - 4
    results = run_module(module, [network.frames])
    for old, new in zip([*expected, *expected], results, strict=True):
        np.testing.assert_array_equal(new, old)


def test_savings_are_counted() -> None:
    module = mnist("bnn")
    function = entry_function(module)
    block = function.body.block
    mapped: dict[SSAValue, SSAValue] = {argument: argument for argument in block.args}
    last = block.last_op
    assert last is not None
    for op in list(block.ops)[:-1]:
        block.insert_op_before(op.clone(mapped), last)
    with collect() as counters:
        EraseUnusedOperations().apply(Context(), module)
    weights = 784 * 64 + 2 * 64 * 64 + 64 * 10
    assert counters["bits of weights saved"] == weights
    assert counters["multiplications a frame saved"] == weights
    assert counters["channels saved"] == 3 * 64 + 10
    assert counters["unused operations erased"] == counters["operations saved"] > 0


def test_xdsl_s_own_passes_do_the_same_in_functions() -> None:
    module = mnist("dataflow")
    before = operations(module)
    run_passes(new_context(), module, build_passes(discover(), "cse,dce"))
    assert operations(module) == before
    # The design is still one: no stream has two readers, and hardware follows from it.
    run_passes(new_context(), module, build_passes(discover(), "dataflow-to-hw"))
