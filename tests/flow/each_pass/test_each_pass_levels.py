"""Mistakes on the way from one level to the next are found as well, and named where they can be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from wrong_passes import NETWORK, OffByOne
from xdsl.dialects import comb
from xdsl.ir import Operation
from xdsl.rewriter import Rewriter

from irc.api import Context, ModuleOp, ModulePass, bnn, check_each, dataflow, packed, parse
from irc.errors import IrcError
from irc.flow.each_pass.checker import EachPassChecker
from irc.flow.each_pass.report import DifferenceError
from irc.frontend.import_onnx import import_model
from irc.fuzz.networks.random_mixed_network import random_mixed_network
from irc.passes.hardware.convert_bnn_to_dataflow import ConvertBnnToDataflow
from irc.passes.hardware.convert_dataflow_to_hw import ConvertDataflowToHw
from irc.passes.lift.lift_onnx_to_bnn import LiftOnnxToBnn
from irc.passes.software.convert_bnn_to_packed import ConvertBnnToPacked
from irc.passes.streamline import streamline
from irc.passes.streamline.split_sums import SplitSums
from irc.pipelines import level_of, steps_to
from irc.running import build_passes, run_passes
from irc.universe import discover


def raised(op: Operation, row: int) -> None:
    """Make the threshold of one row too high."""
    table = op.properties["thresholds"]
    assert isinstance(table, bnn.DenseAttr)
    at = table.numpy().astype(np.int64)
    at[row] += 4
    op.properties["thresholds"] = bnn.DenseAttr.from_integers(at)


class ToDataflow(ConvertBnnToDataflow):
    """The second unit gets a wrong threshold."""

    name = "to-dataflow"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        super().apply(ctx, op)
        units = [each for each in op.walk() if isinstance(each, dataflow.MvuOp)]
        raised(units[1], 1)


class ToPacked(ConvertBnnToPacked):
    """The second kernel gets a wrong threshold."""

    name = "to-packed"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        super().apply(ctx, op)
        kernels = [each for each in op.walk() if "thresholds" in each.properties]
        assert isinstance(kernels[1], packed.KernelOp)
        raised(kernels[1], 1)


class ToHw(ConvertDataflowToHw):
    """A gate is another."""

    name = "to-hw"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        super().apply(ctx, op)
        *_, gate = (each for each in op.walk() if isinstance(each, comb.XorOp))
        Rewriter.replace_op(gate, comb.OrOp(gate.operands, gate.result.type))


class Lift(LiftOnnxToBnn):
    """A float constant is off by a little, which no rounding explains."""

    name = "lift"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        super().apply(ctx, op)
        for each in op.walk():
            if isinstance(each, bnn.EwiseOp) and each.fn.data in ("mul", "add", "sub", "div"):
                assert each.constant is not None
                off = each.constant.numpy() * np.float32(1.3) + np.float32(0.01)
                each.properties["constant"] = bnn.DenseAttr.from_floats(off)


def found(module: ModuleOp, *passes: str | ModulePass) -> DifferenceError:
    steps: list[ModulePass] = []
    for each in passes:
        steps += build_passes(discover(), each) if isinstance(each, str) else [each]
    with pytest.raises(DifferenceError) as caught:
        check_each(module, steps)
    return caught.value


def test_a_unit_of_the_hardware() -> None:
    error = found(parse(NETWORK), ToDataflow())
    assert error.pass_name == "to-dataflow"
    # The unit stands for the layer and its thresholds, and bears the names of both.
    assert error.operation == "node 'fc2+act2' (dataflow.mvu)"


def test_a_kernel_of_the_software() -> None:
    error = found(parse(NETWORK), ToPacked())
    assert error.operation == "node 'fc2+act2' (packed.xnor_dense)"
    assert error.inputs[0].shape == (1, 8)


def test_a_gate() -> None:
    error = found(parse(NETWORK), "bnn-to-dataflow", ToHw())
    assert error.pass_name == "to-hw"
    assert "of 2 frames" in str(error)
    assert "answer: result 0 [" in str(error)


def test_what_lifting_makes_of_the_model() -> None:
    # A network in which the wrong constants decide.
    for seed in range(20):
        network = random_mixed_network(seed)
        module = import_model(network.model)
        try:
            error = found(module, "onnx-infer-shapes{batch=1},onnx-fold-constants", Lift())
        except (IrcError, pytest.fail.Exception):
            continue
        assert error.pass_name == "lift"
        return
    raise AssertionError("nobody noticed")


@pytest.mark.parametrize("seed", [1, 4])
def test_reasons_for_what_cannot_be_compared(seed: int) -> None:
    module = import_model(random_mixed_network(seed).model)
    checker = EachPassChecker(frames=4)
    text = ",".join(step.spec for step in steps_to(module, "bnn")[:4])
    run_passes(Context(), module, build_passes(discover(), text), observers=[checker])
    assert level_of(module) == "bnn"
    assert all(skipped.reason for skipped in checker.skipped)


def test_several_functions_are_not_compared_and_that_is_said() -> None:
    text = NETWORK + NETWORK.replace("@net", "@other")
    notes: list[Any] = []
    checker = EachPassChecker(note=notes.append)
    module = parse(text)
    # Twice, for what is not compared is counted by runs of passes.
    run_passes(Context(), module, [OffByOne(), OffByOne()], observers=[checker])
    reason = "not compared: it has 2 public functions; one can be checked"
    assert checker.skipped == [("off-by-one", reason, False)] * 2
    assert notes[0] == f"off-by-one {reason}"
    assert notes[-1].endswith("; not compared: 2")


def test_the_step_of_a_pass_that_repeats_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(module: ModuleOp) -> bool:
        """Offsets are lost."""
        for op in module.walk():
            if isinstance(op, bnn.EwiseOp) and op.fn.data == "add":
                op.properties["constant"] = bnn.DenseAttr.from_floats(0)
        return False

    def apply(self: ModulePass, ctx: Context, op: ModuleOp) -> None:
        broken(op)

    monkeypatch.setitem(streamline.ROUND, "split-sums", broken)
    monkeypatch.setattr(SplitSums, "apply", apply)
    text = (
        "func.func @net(%x: tensor<2xui2>) -> tensor<2xf32> {\n"
        "  %0 = bnn.cast %x : tensor<2xui2> -> tensor<2xf32>\n"
        '  %1 = bnn.ewise "add" %0, <tensor<f32>, [0.5]> : tensor<2xf32> -> tensor<2xf32>\n'
        "  func.return %1 : tensor<2xf32>\n"
        "}\n"
    )
    error = found(parse(text), "streamline")
    assert "pass 'streamline' (its step 'split-sums') changed what" in str(error)
