"""Import, export and text on all single-node cases of ONNX's own backend tests.

What ONNX Runtime answers on a case has to be what it answers on the model after import and
export, to the bit, and after a way through text as well.
"""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import ModelProto, OptionalProto, SequenceProto, TensorProto, numpy_helper
from xdsl.context import Context
from xdsl.dialects.builtin import Builtin
from xdsl.dialects.func import Func
from xdsl.parser import Parser

from irc.dialects import onnx as dialect
from irc.frontend.export_onnx import export_model
from irc.frontend.import_onnx import import_model

runtime: Any = onnxruntime

MAX_RUNTIME_IR_VERSION = 13
"""Newest IR version that ONNX Runtime 1.31 reads; the cases are newer than they need to be."""

MIN_COMPARED = 1450
"""Far fewer cases would mean that the comparison itself has broken."""


@pytest.fixture(scope="module")
def cases() -> list[Any]:
    """Every test case with a model; the collection takes some seconds."""
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [case for case in collect_testcases() if case.model is not None]


@pytest.fixture(scope="module")
def context() -> Context:
    """What a parser at the onnx level needs."""
    ctx = Context()
    ctx.load_dialect(Builtin)
    ctx.load_dialect(Func)
    ctx.register_dialect("onnx", dialect.get_dialect)
    return ctx


def session(model: ModelProto) -> Any:
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return runtime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def feed(value: Any) -> Any:
    """A test value as ONNX Runtime takes it; narrow types go in as their bits."""
    match value:
        case TensorProto():
            array: Any = numpy_helper.to_array(value)
            if array.dtype.isbuiltin:
                return array
            bits = array.view(np.uint16 if array.dtype.itemsize == 2 else np.uint8)
            return runtime.OrtValue.ortvalue_from_numpy_with_onnx_type(bits, value.data_type)
        case SequenceProto():
            return numpy_helper.to_list(value)
        case OptionalProto():
            return numpy_helper.to_optional(value)
        case np.ndarray() if not value.dtype.isbuiltin:
            return feed(numpy_helper.from_array(value))
        case np.generic():
            return feed(np.asarray(value))
        case _:
            return value


def run(model: ModelProto, inputs: Sequence[Any]) -> list[Any]:
    """Outputs of a model, bound by position, since that is how the cases give their inputs."""
    loaded = session(model)
    feeds = {p.name: feed(x) for p, x in zip(loaded.get_inputs(), inputs, strict=False)}
    if not any(isinstance(x, runtime.OrtValue) for x in feeds.values()):
        return loaded.run(None, feeds)
    wrapped = {
        name: x if isinstance(x, runtime.OrtValue) else runtime.OrtValue.ortvalue_from_numpy(x)
        for name, x in feeds.items()
    }
    return [value.numpy() for value in loaded.run_with_ort_values(None, wrapped)]


def same(left: Any, right: Any) -> bool:
    """Equal in type, shape and every bit that can be told apart (NaN equals NaN)."""
    if isinstance(left, list):
        lefts: list[Any] = left
        return len(lefts) == len(right) and all(map(same, lefts, right))
    if left is None or right is None:
        return left is right
    a, b = np.asarray(left), np.asarray(right)
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    return np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")


def fault(case: Any, context: Context, counts: Counter[str]) -> str:
    """What goes wrong with a case; empty if nothing does."""
    original = ModelProto()
    original.CopyFrom(case.model)
    original.ir_version = min(original.ir_version, MAX_RUNTIME_IR_VERSION)
    inputs = case.data_sets[0][0]
    counts["total"] += 1
    module = import_model(case.model)
    module.verify()
    text = str(module)
    again = Parser(context, text).parse_module()
    again.verify()
    if not again.is_structurally_equivalent(module) or str(again) != text:
        return "text does not parse back to the same module"
    exported, exported_again = export_model(module), export_model(again)
    try:
        expected = run(original, inputs)
    except Exception:
        counts["refused by ONNX Runtime"] += 1
        return ""
    counts["compared"] += 1
    if not same(run(exported, inputs), expected):
        return "another answer after import and export"
    if not same(run(exported_again, inputs), expected):
        return "another answer after text"
    counts["passed"] += 1
    return ""


def check(cases: Sequence[Any], context: Context, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    # The cases use opsets that ONNX Runtime knows but does not officially support yet.
    monkeypatch.setenv("ALLOW_RELEASED_ONNX_OPSET_ONLY", "0")
    counts: Counter[str] = Counter()
    faults: list[str] = []
    for case in cases:
        try:
            message = fault(case, context, counts)
        except Exception as error:
            message = f"{type(error).__name__}: {error}"
        if message:
            faults.append(f"{case.name}: {message}")
    print(f"\nONNX backend node cases: {dict(counts)}")
    assert not faults, "\n".join(faults)
    return counts


def test_a_sample_of_the_backend_cases(
    cases: list[Any], context: Context, monkeypatch: pytest.MonkeyPatch
):
    names = ("matmul", "conv", "gemm", "batchnorm", "sign", "reshape", "if", "loop", "clip")
    sample = [c for c in cases if any(f"test_{name}" in c.name for name in names)]
    assert check(sample, context, monkeypatch)["compared"] > 50


@pytest.mark.slow
def test_all_backend_cases_answer_the_same(
    cases: list[Any], context: Context, monkeypatch: pytest.MonkeyPatch
):
    counts = check(cases, context, monkeypatch)
    assert counts["passed"] == counts["compared"] > MIN_COMPARED
    assert os.environ["ALLOW_RELEASED_ONNX_OPSET_ONLY"] == "0"
