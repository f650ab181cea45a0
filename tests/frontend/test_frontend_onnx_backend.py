"""Import, export and text on all single-node cases of ONNX's own backend tests.

What ONNX Runtime answers on a case has to be what it answers on the model after import and
export, to the bit, and after a way through text as well.
"""

from __future__ import annotations

import importlib
import os
import warnings
from collections import Counter
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pytest
from onnx import ModelProto, OptionalProto, SequenceProto, TensorProto, defs, numpy_helper
from xdsl.context import Context
from xdsl.dialects.builtin import Builtin
from xdsl.dialects.func import Func
from xdsl.parser import Parser

from irc.dialects import onnx as dialect
from irc.frontend.export_onnx import export_model
from irc.frontend.import_onnx import import_model

runtime: Any = importlib.import_module("onnxruntime")

MAX_RUNTIME_IR_VERSION = 13
"""Newest IR version that ONNX Runtime 1.31 reads; the cases are newer than they need to be."""

RUNTIME_OPSET = 26
"""Newest opset whose operators ONNX Runtime 1.31 has."""

NEWEST_OPSET = defs.onnx_opset_version()

BUILTIN = 1
"""What `dtype.isbuiltin` is for NumPy's own types; for those of `ml_dtypes` it is 2."""

MIN_COMPARED = 1600
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
    if isinstance(value, TensorProto):
        array: Any = numpy_helper.to_array(value)
        if array.dtype.isbuiltin == BUILTIN:
            return array
        bits = array.view(np.uint16 if array.dtype.itemsize == 2 else np.uint8)
        return runtime.OrtValue.ortvalue_from_numpy_with_onnx_type(bits, value.data_type)
    if isinstance(value, SequenceProto):
        return numpy_helper.to_list(value)
    if isinstance(value, OptionalProto):
        return numpy_helper.to_optional(value)
    if not hasattr(value, "dtype"):
        return value
    array = np.asarray(value)
    return array if array.dtype.isbuiltin == BUILTIN else feed(numpy_helper.from_array(array))


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
        return len(cast(Any, left)) == len(right) and all(map(same, cast(Any, left), right))
    if left is None or right is None:
        return left is right
    a, b = np.asarray(left), np.asarray(right)
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    return np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")


def capped(model: ModelProto, opset: int) -> ModelProto:
    """The model as a runtime may take it, its opset no newer than given."""
    copy = ModelProto()
    copy.CopyFrom(model)
    copy.ir_version = min(copy.ir_version, MAX_RUNTIME_IR_VERSION)
    for entry in copy.opset_import:
        if not entry.domain:
            entry.version = min(entry.version, opset)
    return copy


def answered(case: Any) -> tuple[ModelProto, list[Any]] | None:
    """The case as ONNX Runtime answers it, if need be in the last opset that it knows.

    An operator of a newer opset is often the same as before but for its types.
    """
    for opset in (NEWEST_OPSET, RUNTIME_OPSET):
        model = capped(case.model, opset)
        try:
            return model, run(model, case.data_sets[0][0])
        except Exception:
            continue
    return None


def fault(case: Any, context: Context, counts: Counter[str]) -> str:
    """What goes wrong with a case; empty if nothing does."""
    counts["total"] += 1
    found = answered(case)
    model, expected = found or (case.model, [])
    module = import_model(model)
    module.verify()
    text = str(module)
    again = Parser(context, text).parse_module()
    again.verify()
    if not again.is_structurally_equivalent(module) or str(again) != text:
        return "text does not parse back to the same module"
    exported, exported_again = export_model(module), export_model(again)
    if found is None:
        counts["refused by ONNX Runtime"] += 1
        return ""
    counts["compared"] += 1
    inputs = case.data_sets[0][0]
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
