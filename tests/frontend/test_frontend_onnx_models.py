"""Real exported models keep their answers through import, folding, text and export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import Builtin
from xdsl.dialects.func import Func
from xdsl.parser import Parser

from irc.dialects import onnx as dialect
from irc.dialects.onnx_to_proto import entry_function
from irc.frontend.export_onnx import export_model
from irc.frontend.import_onnx import import_model
from irc.interp.onnx_reference import OnnxReference
from irc.passes.lift.onnx_fold_constants import OnnxFoldConstantsPass
from irc.passes.lift.onnx_infer_shapes import OnnxInferShapesPass

MODELS = {
    "tfc_1w1a_mnist": ("mnist_test", 0.9296),
    "tfc_1w2a_mnist": ("mnist_test", 0.9474),
    "lfc_1w1a_mnist": ("mnist_test", 0.9845),
    "cnv_1w1a_cifar10": ("cifar10_test_1000", 0.758),
}
"""Data and golden accuracy of each model."""


def frames(shared: Path, model: str, limit: int) -> tuple[Any, Any]:
    """Inputs as the model takes them, and labels."""
    with np.load(shared / "data" / f"{MODELS[model][0]}.npz") as data:
        x, y = data["x"][:limit], data["y"][:limit]
    if x.ndim == 4:
        x = x.transpose(0, 3, 1, 2)
    if model.startswith("tfc"):
        x = x.astype(np.float32) / np.float32(255)
    return np.ascontiguousarray(x), y


def context() -> Context:
    ctx = Context()
    ctx.load_dialect(Builtin)
    ctx.load_dialect(Func)
    ctx.register_dialect("onnx", dialect.get_dialect)
    return ctx


def logits(reference: OnnxReference, x: Any) -> Any:
    assert reference.engine == "onnxruntime"
    (result,) = reference.run_frames(x).values()
    return result


@pytest.mark.parametrize("name", MODELS)
def test_answers_survive_text_and_export(shared_dir: Path, name: str):
    x, _ = frames(shared_dir, name, 20)
    module = import_model(shared_dir / "models" / f"{name}.onnx")
    expected = logits(OnnxReference(module), x)
    again = Parser(context(), str(module)).parse_module()
    assert again.is_structurally_equivalent(module)
    exported = import_model(export_model(again).SerializeToString())
    assert np.array_equal(logits(OnnxReference(exported), x), expected)


@pytest.mark.parametrize("name", MODELS)
def test_folding_keeps_the_answers_and_makes_every_shape_static(shared_dir: Path, name: str):
    x, _ = frames(shared_dir, name, 20)
    module = import_model(shared_dir / "models" / f"{name}.onnx")
    expected = logits(OnnxReference(module), x)
    OnnxInferShapesPass(batch=1).apply(Context(), module)
    OnnxFoldConstantsPass().apply(Context(), module)
    module.verify()
    assert "?" not in str(module)
    assert "*x" not in str(module)
    kinds = {op.name for op in entry_function(module).body.block.ops}
    assert not kinds & {"onnx.Shape", "onnx.Gather", "onnx.Unsqueeze", "onnx.Concat", "onnx.Pow"}
    found = logits(OnnxReference(module), x)
    # Sums may be taken in another order for another batch, the last layer scales them.
    assert np.allclose(found, expected, rtol=1e-6, atol=1e-5)
    assert np.array_equal(found.argmax(1), expected.argmax(1))


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_the_reference_reaches_the_golden_accuracy(shared_dir: Path, name: str):
    x, y = frames(shared_dir, name, 10_000)
    reference = OnnxReference(import_model(shared_dir / "models" / f"{name}.onnx"))
    accuracy = float((logits(reference, x).argmax(1) == y).mean())
    assert accuracy == pytest.approx(MODELS[name][1], abs=1e-9)
