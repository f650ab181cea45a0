"""The `onnx` dialect: one class per operator, attributes as Python values, verification."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from onnx import defs
from xdsl.dialects.builtin import ModuleOp, TensorType, f32
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.dialects.test import TestOp
from xdsl.ir import Block, Region
from xdsl.utils.exceptions import VerifyException

from irc.dialects import onnx
from irc.dialects.onnx_schema import QONNX_DOMAINS, op_specs
from irc.dialects.onnx_types import none
from irc.errors import UnsupportedError

TENSOR = TensorType(f32, [2, 3])


def value(kind: TensorType = TENSOR):
    """A value that comes from nowhere."""
    return TestOp(result_types=[kind]).results[0]


def module_with(*ops: onnx.OnnxOp, opset: int) -> ModuleOp:
    """A module of one opset around some operations."""
    function = FuncOp("f", ([], []), Region(Block([*ops, ReturnOp()])))
    imports = onnx.opset_imports({"": opset})
    return ModuleOp([function], {onnx.OPSETS: imports})


def test_importing_the_dialect_does_not_import_onnx():
    code = "import sys, irc.dialects.onnx; sys.exit('onnx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_operator_of_the_installed_schemas_has_a_class():
    names = {op.name for op in onnx.get_dialect().operations}
    missing = {s.name for s in defs.get_all_schemas() if f"onnx.{s.name}" not in names}
    assert not missing
    assert {"onnx.Quant", "onnx.BipolarQuant", "onnx.Trunc", "onnx.MultiThreshold"} <= names


def test_named_classes_are_those_of_the_dialect():
    assert onnx.op_class("MatMul") is onnx.MatMulOp
    assert onnx.op_class("Gelu") is onnx.op_class("Gelu")
    assert issubclass(onnx.IntQuantOp, onnx.QuantOp)
    with pytest.raises(KeyError):
        onnx.op_class("Matmul")


def test_attributes_of_old_opsets_are_known():
    assert op_specs()["Unsqueeze"].attributes["axes"] == {"INTS"}
    assert op_specs()["Clip"].attributes["min"] == {"FLOAT"}


def test_attributes_come_back_as_python_values():
    array = np.arange(3, dtype=np.int64)
    op = onnx.op_class("Scan").create(
        properties={
            name: onnx.to_attribute(given)
            for name, given in {
                "i": 3,
                "f": 0.5,
                "s": "text",
                "b": b"\xff",
                "ints": [1, -2],
                "floats": [0.5, 1.0],
                "strings": ["a", "b"],
                "t": array,
            }.items()
        }
    )
    assert op.attr("i") == 3
    assert op.attr("f") == 0.5
    assert op.attr("s") == "text"
    assert op.attr("b") == b"\xff"
    assert op.attr("ints") == [1, -2]
    assert op.attr("floats") == [0.5, 1.0]
    assert op.attr("strings") == ["a", "b"]
    assert np.array_equal(op.attr("t"), array)
    assert op.attr("absent", 7) == 7
    assert op.attr("absent") is None
    with pytest.raises(UnsupportedError, match=r"attribute 'i' is [^;]+; expected text"):
        op.str_attr("i", "")


@pytest.mark.parametrize(("opset", "axis"), [(12, 1), (13, -1)])
def test_a_missing_attribute_has_the_default_of_the_module_opset(opset: int, axis: int):
    op = onnx.SoftmaxOp.build([value()], [TENSOR])
    module_with(op, opset=opset)
    assert op.attr("axis") == axis
    assert onnx.opset_of(op) == opset


def test_inputs_by_position_and_name_and_omitted_ones():
    x, high, nothing = value(), value(), onnx.NoValueOp.new()
    op = onnx.ClipOp.build([x, nothing, high], [TENSOR])
    assert op.inputs == [x, None, high]
    assert op.input("input") is x
    assert op.input("min") is None
    assert op.input(2) is high
    assert op.input(3) is None
    assert len(onnx.ClipOp.build([x, None, None], [TENSOR]).operands) == 1
    with pytest.raises(ValueError, match="NoValueOp"):
        onnx.ClipOp.build([x, None, high], [TENSOR])


def test_quant_operators_have_a_domain():
    op = onnx.QuantOp.build([value()] * 4, [TENSOR], domain="finn.custom_op.general")
    assert op.domain == "finn.custom_op.general"
    assert onnx.QuantOp.build([value()] * 4, [TENSOR]).domain in QONNX_DOMAINS
    assert onnx.AddOp.build([value()] * 2, [TENSOR]).domain == ""


def test_the_label_is_the_node_name():
    op = onnx.AddOp.build([value()] * 2, [TENSOR], location=onnx.node_location("conv2/add"))
    assert op.label == "conv2/add"
    assert onnx.location_name(op.location) == "conv2/add"
    assert onnx.AddOp.build([value()] * 2, [TENSOR]).label == "Add"


def test_constants_share_memory_and_say_what_they_hold():
    array = np.array([[1.5, -2.0]], np.float32)
    op = onnx.ConstantOp.from_numpy(array)
    assert op.results[0].type == TensorType(f32, [1, 2])
    assert np.array_equal(op.numpy(), array)
    assert op.value is not None
    assert np.shares_memory(op.numpy(), np.frombuffer(op.value.raw, np.float32))
    assert not op.numpy().flags.writeable
    assert onnx.constant_value(op.results[0]) is not None
    assert onnx.constant_value(value()) is None


def test_sparse_constants_are_densified():
    kind = TensorType(f32, [2, 3])
    values = onnx.TensorAttr.from_numpy(np.array([5, 7], np.float32))
    for indices in ([1, 5], [[0, 1], [1, 2]]):
        sparse = onnx.SparseTensorAttr(kind, values, onnx.TensorAttr.from_numpy(np.array(indices)))
        op = onnx.ConstantOp.create(result_types=[kind], properties={"sparse_value": sparse})
        op.verify()
        assert op.numpy().tolist() == [[0, 5, 0], [0, 0, 7]]


def test_non_finite_constants_are_found():
    bad = onnx.ConstantOp.from_numpy(np.array([1, np.nan, np.inf, np.nan], np.float32))
    good = onnx.ConstantOp.from_numpy(np.array([1, 2]))
    text = onnx.ConstantOp.from_numpy(np.array(["nan"]))
    module = module_with(bad, good, text, opset=17)
    assert onnx.find_nonfinite(module) == [(bad, 3)]


@pytest.mark.parametrize(
    ("op", "message"),
    [
        (onnx.AddOp.build([value()], [TENSOR]), "1 inputs, expected 2"),
        (onnx.AddOp.build([value()] * 2, []), "0 outputs, expected 1"),
        (onnx.ClipOp.build([value()] * 4, [TENSOR]), "4 inputs, expected 1 to 3"),
        (
            onnx.TransposeOp.build([value()], [TENSOR], {"axes": [0]}),
            "no attribute 'axes'; known: perm",
        ),
        (onnx.AddOp.build([value()] * 2, [TENSOR], domain="x.y"), "domain 'x.y' has no operator"),
        (onnx.op_class("If").build([value()], [TENSOR]), "2 regions expected"),
        (onnx.ConstantOp.create(result_types=[TENSOR]), "needs either `value` or `sparse_value`"),
        (
            onnx.ConstantOp.create(
                result_types=[TENSOR],
                properties={"value": onnx.TensorAttr.from_numpy(np.zeros(2, np.float32))},
            ),
            "result is tensor<2x3xf32>",
        ),
        (onnx.NoValueOp.create(result_types=[TENSOR]), "one value of type none"),
        (onnx.YieldOp.create(result_types=[none]), "has no results"),
    ],
)
def test_what_does_not_verify(op: onnx.OnnxOp, message: str):
    with pytest.raises(VerifyException, match=message):
        op.verify_()
