"""The text of the `onnx` dialect parses back to the same IR."""

from __future__ import annotations

from io import StringIO
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from xdsl.context import Context
from xdsl.dialects.builtin import Builtin, ModuleOp
from xdsl.dialects.func import Func
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import ParseError, VerifyException

from irc.dialects import onnx

PLAIN = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?", "c8", "c16"]
NARROW = [
    ml_dtypes.bfloat16,
    ml_dtypes.float8_e4m3fn,
    ml_dtypes.float8_e4m3fnuz,
    ml_dtypes.float8_e5m2,
    ml_dtypes.float8_e5m2fnuz,
    ml_dtypes.float8_e8m0fnu,
    ml_dtypes.float6_e2m3fn,
    ml_dtypes.float6_e3m2fn,
    ml_dtypes.float4_e2m1fn,
    ml_dtypes.int4,
    ml_dtypes.uint4,
    ml_dtypes.int2,
    ml_dtypes.uint2,
]


def parser(text: str) -> Parser:
    """A parser that knows what a module at the onnx level holds."""
    ctx = Context()
    ctx.load_dialect(Builtin)
    ctx.load_dialect(Func)
    ctx.register_dialect("onnx", onnx.get_dialect)
    return Parser(ctx, text)


def reparsed(attribute: onnx.TensorAttr) -> onnx.TensorAttr:
    result = parser(str(attribute)).parse_attribute()
    assert isinstance(result, onnx.TensorAttr)
    return result


SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(PLAIN).flatmap(lambda dtype: hnp.arrays(dtype, SHAPES)))
def test_constants_print_and_parse_to_the_same_bits(array: np.ndarray[Any, Any]):
    attribute = onnx.TensorAttr.from_numpy(array)
    again = reparsed(attribute)
    assert again == attribute
    assert again.numpy().tobytes() == array.tobytes()
    assert again.shape == array.shape
    assert again.numpy().dtype == array.dtype


@pytest.mark.parametrize("dtype", NARROW, ids=lambda dtype: dtype.__name__)
def test_constants_of_narrow_types_keep_their_values(dtype: Any):
    array = np.array([0, 1, 1, 0, 1, 1, 1], np.float32).astype(dtype)
    attribute = onnx.TensorAttr.from_numpy(array)
    attribute.verify()
    again = reparsed(attribute)
    assert again == attribute
    assert again.numpy().dtype == array.dtype
    assert again.numpy().tobytes() == array.tobytes()


@given(st.lists(st.binary(max_size=6), max_size=5))
def test_string_constants_keep_every_byte(items: list[bytes]):
    attribute = onnx.TensorAttr.from_strings([len(items)], items)
    assert reparsed(attribute).strings == items


def test_powers_of_ten_are_written_as_the_lexer_wants_them():
    attribute = onnx.TensorAttr.from_numpy(np.array([1e16, 5e-324, 1e-5, 2.0]))
    assert reparsed(attribute) == attribute


def test_small_constants_are_readable_and_large_ones_are_packed():
    small = onnx.TensorAttr.from_numpy(np.array([0.5, -0.0], np.float32))
    assert str(small) == "#onnx.tensor<tensor<2xf32>, [0.5, -0.0]>"
    flags = onnx.TensorAttr.from_numpy(np.array([True, False]))
    assert str(flags) == "#onnx.tensor<tensor<2xi1>, [1, 0]>"
    large = onnx.TensorAttr.from_numpy(np.zeros(1000, np.int8))
    assert str(large) == f'#onnx.tensor<tensor<1000xsi8>, "0x{"00" * 1000}">'
    nan = onnx.TensorAttr.from_numpy(np.array([np.nan], np.float32))
    assert str(nan) == '#onnx.tensor<tensor<1xf32>, "0x0000c07f">'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("#onnx.tensor<f32, [1.0]>", "expected a tensor type"),
        ("#onnx.tensor<tensor<2xf32>, [1.0]>", "has 2 elements, 1 given"),
        ("#onnx.tensor<tensor<1xsi8>, [300]>", "does not fit"),
        ("#onnx.tensor<tensor<1xsi8>, [0.5]>", "holds integers only"),
        ("#onnx.tensor<tensor<1xf32>, [1.0e60]>", "does not fit"),
        ("#onnx.tensor<tensor<1xsi4>, [1]>", 'can only be written as "0x'),
        ('#onnx.tensor<tensor<2xf32>, "0x00">', "takes 8 bytes, but 1 are given"),
        ('#onnx.tensor<tensor<2xf32>, "0xzz">', "hexadecimal digits"),
        ('#onnx.tensor<tensor<?xf32>, "0x00">', "static shape"),
        ('#onnx.tensor<tensor<1xindex>, "0x00">', "no element type"),
        ('#onnx.tensor<tensor<2x!onnx.string>, ["a"]>', "takes 2 strings, but 1 are given"),
    ],
)
def test_wrong_constants_are_refused_where_they_stand(text: str, message: str):
    with pytest.raises((ParseError, VerifyException), match=message):
        parser(text).parse_attribute()


MODULE = """
builtin.module attributes {onnx.ir_version = 8 : i64, onnx.opset_imports = {"" = 17 : i64}} {
  func.func @net(%x: tensor<?x4xf32> {onnx.name = "x", onnx.dims = ["N", ""]}, %c: tensor<i1>)
      -> (tensor<?x4xf32> {onnx.name = "y"}) {
    %none = onnx.NoValue
    %w = onnx.Constant #onnx.tensor<tensor<4xf32>, [1.0, 0.1, -0.0, 1.0e-40]>
    %high = onnx.Constant #onnx.tensor<tensor<f32>, [6.0]> {onnx.note = "kept"}
    %s = onnx.Constant #onnx.sparse_tensor<tensor<4xf32>,
      #onnx.tensor<tensor<1xf32>, [2.0]>, #onnx.tensor<tensor<1xsi64>, [3]>>
    %a = onnx.Mul(%x, %w) : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
    %b = onnx.Clip(%a, %none, %high)
      : (tensor<?x4xf32>, none, tensor<f32>) -> tensor<?x4xf32>
    %r = onnx.If(%c) ({
      %d = onnx.Add(%b, %s) : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
      onnx.Yield(%d) : tensor<?x4xf32>
    }, {
      onnx.Yield(%b) : tensor<?x4xf32>
    }) : (tensor<i1>) -> tensor<?x4xf32>
    %seq = onnx.SequenceEmpty() {dtype = 1 : i64} : () -> !onnx.seq<tensor<*xf32>>
    %opt = onnx.Optional() {type = tensor<2x!onnx.string>}
      : () -> !onnx.optional<tensor<2x!onnx.string>>
    %q = onnx.Quant(%r, %high, %high, %high)
      {narrow = 0 : i64, rounding_mode = "ROUND", signed = 1 : i64, onnx.domain = "onnx.brevitas"}
      : (tensor<?x4xf32>, tensor<f32>, tensor<f32>, tensor<f32>) -> tensor<?x4xf32>
    %y, %no_mask = onnx.Dropout(%q) : (tensor<?x4xf32>) -> (tensor<?x4xf32>, none)
    func.return %y : tensor<?x4xf32>
  }
}
"""


def test_modules_print_and_parse_to_the_same_module():
    module = parser(MODULE).parse_module()
    module.verify()
    text = str(module)
    again = parser(text).parse_module()
    again.verify()
    assert isinstance(again, ModuleOp)
    assert again.is_structurally_equivalent(module)
    assert str(again) == text


def test_the_generic_form_parses_to_the_same_module():
    module = parser(MODULE).parse_module()
    out = StringIO()
    Printer(out, print_generic_format=True).print_op(module)
    assert parser(out.getvalue()).parse_module().is_structurally_equivalent(module)


def test_node_names_survive_text_with_debug_information():
    module = parser(MODULE).parse_module()
    for op in module.walk():
        if isinstance(op, onnx.OnnxOp):
            op.location = onnx.node_location(f"the {op.op_type}")
    out = StringIO()
    Printer(out, print_debuginfo=True).print_op(module)
    again = parser(out.getvalue()).parse_module()
    labels = {op.label for op in again.walk() if isinstance(op, onnx.OnnxOp)}
    assert {"the Mul", "the If", "the Constant", "the Quant"} <= labels


def test_text_of_an_unknown_operator_is_refused():
    with pytest.raises(ParseError, match=r"onnx\.MatMull is not registered"):
        parser("%0 = onnx.MatMull() : () -> tensor<1xf32>").parse_module()
