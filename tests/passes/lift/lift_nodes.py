"""Single nodes: the lift gives, in floats and to the bit, what ONNX Runtime gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from onnx import ModelProto
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from irc.errors import IrcError
from irc.frontend.import_onnx import import_model
from irc.interp.onnx_reference import OnnxReference
from irc.interp.run import run_module
from irc.passes.lift.lift_onnx_to_bnn import LiftOnnxToBnn
from irc.passes.lift.onnx_fold_constants import OnnxFoldConstantsPass
from irc.passes.lift.onnx_infer_shapes import OnnxInferShapesPass
from irc.passes.streamline.streamline_transposes import StreamlineTransposes

Array = npt.NDArray[Any]


def lifted_only(model: ModelProto) -> ModuleOp:
    """The model at the bnn level, with floats as they were."""
    module = import_model(model)
    for module_pass in (OnnxInferShapesPass(1), OnnxFoldConstantsPass(), LiftOnnxToBnn()):
        module_pass.apply(Context(), module)
    module.verify()
    return module


def normal_frames(*shape: int, count: int = 8, seed: int = 0) -> Array:
    """Random float32 frames."""
    return np.random.default_rng(seed).normal(size=(count, *shape)).astype(np.float32)


def assert_same_floats(model: ModelProto, frames: Array) -> ModuleOp:
    """Lifted, and after streamline-transposes, every result equals ONNX Runtime's to the bit."""
    expected = list(OnnxReference(model).run_frames(frames).values())
    module = lifted_only(model)
    for _ in range(2):
        found = run_module(module, [frames])
        assert len(found) == len(expected)
        for result, reference in zip(found, expected, strict=True):
            assert result.shape == reference.shape
            np.testing.assert_array_equal(result, reference)
        StreamlineTransposes().apply(Context(), module)
        module.verify()
    return module


def refused(model: ModelProto) -> str:
    """The message with which lifting refuses the model."""
    with pytest.raises(IrcError) as caught:
        lifted_only(model)
    return caught.value.message


def count_ops(module: ModuleOp, name: str) -> int:
    """How many operations of this name there are."""
    return sum(op.name == name for op in module.walk())
