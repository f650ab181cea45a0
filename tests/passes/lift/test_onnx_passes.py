"""Passes that stay at the `onnx` level: shapes, folding, dead nodes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import ModelProto, helper, numpy_helper
from xdsl.context import Context
from xdsl.dialects.builtin import Builtin, ModuleOp
from xdsl.dialects.func import Func
from xdsl.parser import Parser
from xdsl.passes import ModulePass

from irc.dialects import onnx as dialect
from irc.dialects.onnx_to_proto import entry_function
from irc.errors import UsageError
from irc.frontend.import_onnx import import_model
from irc.interp.onnx_reference import OnnxReference
from irc.passes.lift.onnx_dce import OnnxDcePass
from irc.passes.lift.onnx_fold_constants import OnnxFoldConstantsPass
from irc.passes.lift.onnx_infer_shapes import OnnxInferShapesPass

F32 = np.float32


def parse(body: str, inputs: str = "%x: tensor<?x4xf32>", opset: int = 13) -> ModuleOp:
    """A module whose function is `body`."""
    text = (
        f'builtin.module attributes {{onnx.opset_imports = {{"" = {opset} : i64}}}} {{\n'
        f"func.func @net({inputs}) -> (!onnx.unknown) {{\n{body}\n"
        "func.return %y : !onnx.unknown\n}\n}"
    )
    ctx = Context()
    ctx.load_dialect(Builtin)
    ctx.load_dialect(Func)
    ctx.register_dialect("onnx", dialect.get_dialect)
    return Parser(ctx, text).parse_module()


def apply(module: ModuleOp, *passes: ModulePass) -> None:
    for each in passes:
        each.apply(Context(), module)
        module.verify()


def kinds(module: ModuleOp) -> list[str]:
    """Operators of the main graph, constants left out."""
    ops = entry_function(module).body.block.ops
    names = [op.op_type for op in ops if isinstance(op, dialect.OnnxOp)]
    return [name for name in names if name != "Constant"]


def signature(module: ModuleOp) -> str:
    return str(entry_function(module).function_type)


RELU = "%y = onnx.Relu(%x) : (tensor<?x4xf32>) -> !onnx.unknown"


def test_the_batch_is_set_and_types_follow():
    module = parse(RELU)
    apply(module, OnnxInferShapesPass())
    assert signature(module) == "(tensor<1x4xf32>) -> tensor<1x4xf32>"
    apply(module := parse(RELU), OnnxInferShapesPass(batch=8))
    assert signature(module) == "(tensor<8x4xf32>) -> tensor<8x4xf32>"
    apply(module := parse(RELU), OnnxInferShapesPass(batch=0))
    assert signature(module) == "(tensor<?x4xf32>) -> tensor<?x4xf32>"


def test_other_dynamic_dimensions_stay():
    module = parse(RELU.replace("?x4", "?x?"), "%x: tensor<?x?xf32>")
    apply(module, OnnxInferShapesPass())
    assert signature(module) == "(tensor<1x?xf32>) -> tensor<1x?xf32>"


def test_dimensions_of_the_same_name_are_set_together():
    inputs = (
        '%x: tensor<?x4xf32> {onnx.name = "x", onnx.dims = ["N", ""]}, '
        '%z: tensor<4x?xf32> {onnx.name = "z", onnx.dims = ["", "N"]}, '
        '%s: tensor<?x?xf32> {onnx.name = "s", onnx.dims = ["N", "T"]}'
    )
    module = parse(RELU, inputs)
    apply(module, OnnxInferShapesPass(batch=2))
    assert signature(module).startswith("(tensor<2x4xf32>, tensor<4x2xf32>, tensor<2x?xf32>)")
    assert '"N"' not in str(module)
    assert 'onnx.dims = ["", "T"]' in str(module)


def test_a_negative_batch_is_a_usage_error():
    with pytest.raises(UsageError, match="batch is -1; expected 0 or more"):
        apply(parse(RELU), OnnxInferShapesPass(batch=-1))


def test_shapes_that_contradict_each_other_stay_unknown():
    body = """
    %w = onnx.Constant #onnx.tensor<tensor<3x2xf32>, [0.0, 0.0, 0.0, 0.0, 0.0, 0.0]>
    %y = onnx.MatMul(%x, %w) : (tensor<?x4xf32>, tensor<3x2xf32>) -> !onnx.unknown"""
    module = parse(body)
    apply(module, OnnxInferShapesPass())
    assert "x2xf32" not in signature(module)


def test_shapes_pass_through_quantizers():
    body = """
    %s = onnx.Constant #onnx.tensor<tensor<f32>, [1.0]>
    %q = onnx.BipolarQuant(%x, %s) {onnx.domain = "onnx.brevitas"}
      : (tensor<?x4xf32>, tensor<f32>) -> !onnx.unknown
    %y = onnx.Transpose(%q) : (!onnx.unknown) -> !onnx.unknown"""
    module = parse(body)
    apply(module, OnnxInferShapesPass(batch=3))
    assert signature(module) == "(tensor<3x4xf32>) -> tensor<4x3xf32>"


SHAPE_ARITHMETIC = """
    %zero = onnx.Constant #onnx.tensor<tensor<si64>, [0]>
    %rest = onnx.Constant #onnx.tensor<tensor<1xsi64>, [-1]>
    %shape = onnx.Shape(%x) : (tensor<?x2x2xf32>) -> tensor<3xsi64>
    %n = onnx.Gather(%shape, %zero) {axis = 0 : i64}
      : (tensor<3xsi64>, tensor<si64>) -> tensor<si64>
    %n1 = onnx.Unsqueeze(%n) {axes = array<i64: 0>} : (tensor<si64>) -> tensor<1xsi64>
    %target = onnx.Concat(%n1, %rest) {axis = 0 : i64}
      : (tensor<1xsi64>, tensor<1xsi64>) -> tensor<2xsi64>
    %y = onnx.Reshape(%x, %target) : (tensor<?x2x2xf32>, tensor<2xsi64>) -> !onnx.unknown"""


def test_shape_arithmetic_of_old_exports_disappears():
    module = parse(SHAPE_ARITHMETIC, "%x: tensor<?x2x2xf32>", opset=9)
    apply(module, OnnxInferShapesPass(), OnnxFoldConstantsPass())
    assert kinds(module) == ["Reshape"]
    assert signature(module) == "(tensor<1x2x2xf32>) -> tensor<1x4xf32>"


def test_shapes_that_are_not_static_are_not_folded():
    module = parse(SHAPE_ARITHMETIC, "%x: tensor<?x2x2xf32>", opset=9)
    apply(module, OnnxFoldConstantsPass())
    assert kinds(module) == ["Shape", "Gather", "Unsqueeze", "Concat", "Reshape"]


def test_a_slice_of_a_shape_folds():
    body = """
    %z = onnx.Shape(%x) {start = 1 : i64, end = -1 : i64} : (tensor<2x3x4xf32>) -> tensor<1xsi64>
    %y = onnx.Concat(%z, %z) {axis = 0 : i64} : (tensor<1xsi64>, tensor<1xsi64>) -> !onnx.unknown"""
    module = parse(body, "%x: tensor<2x3x4xf32>", opset=15)
    apply(module, OnnxFoldConstantsPass())
    assert kinds(module) == []
    assert "[3, 3]" in str(module)


WEIGHTS = """
    %w = onnx.Constant #onnx.tensor<tensor<2x3xf32>, [1.0, -1.0, 1.0, 1.0, 1.0, -1.0]>
    %s = onnx.Constant #onnx.tensor<tensor<f32>, [0.5]>
    %q = QUANT : (tensor<2x3xf32>, tensor<f32>REST) -> tensor<2x3xf32>
    %y = onnx.Transpose(%q) {perm = array<i64: 1, 0>} : (tensor<2x3xf32>) -> !onnx.unknown"""
FOUR = ", tensor<f32>, tensor<f32>"


@pytest.mark.parametrize(
    ("quant", "rest", "kind"),
    [
        ('onnx.BipolarQuant(%w, %s) {onnx.domain = "onnx.brevitas"}', "", "BipolarQuant"),
        ('onnx.Quant(%w, %s, %s, %s) {onnx.domain = "onnx.brevitas"}', FOUR, "Quant"),
        ('onnx.IntQuant(%w, %s, %s, %s) {onnx.domain = "onnx.brevitas"}', FOUR, "IntQuant"),
    ],
)
def test_quantizers_of_weights_and_what_follows_them_stay(quant: str, rest: str, kind: str):
    module = parse(WEIGHTS.replace("QUANT", quant).replace("REST", rest))
    apply(module, OnnxFoldConstantsPass())
    assert kinds(module) == [kind, "Transpose"]


def test_quantize_linear_on_weights_stays():
    body = """
    %w = onnx.Constant #onnx.tensor<tensor<2xsi8>, [1, -1]>
    %s = onnx.Constant #onnx.tensor<tensor<f32>, [0.5]>
    %y = onnx.DequantizeLinear(%w, %s) : (tensor<2xsi8>, tensor<f32>) -> !onnx.unknown"""
    module = parse(body)
    apply(module, OnnxFoldConstantsPass())
    assert kinds(module) == ["DequantizeLinear"]


def test_transposed_and_cast_weights_fold_and_keep_the_name_of_the_node():
    body = """
    %w = onnx.Constant #onnx.tensor<tensor<2x3xsi8>, [1, 2, 3, 4, 5, 6]>
    %f = onnx.Cast(%w) {to = 1 : i64} : (tensor<2x3xsi8>) -> tensor<2x3xf32>
    %y = onnx.Transpose(%f) : (tensor<2x3xf32>) -> !onnx.unknown"""
    module = parse(body)
    for op in module.walk():
        if isinstance(op, dialect.TransposeOp):
            op.location = dialect.node_location("turn")
    apply(module, OnnxFoldConstantsPass())
    (constant,) = [op for op in module.walk() if isinstance(op, dialect.ConstantOp)]
    assert constant.label == "turn"
    assert constant.numpy().tolist() == [[1, 4], [2, 5], [3, 6]]
    assert constant.numpy().dtype == F32


@pytest.mark.parametrize(
    "body",
    [
        # Two random tensors of one description differ.
        "%y = onnx.RandomNormal() {shape = array<i64: 2>} : () -> !onnx.unknown",
        # The result would be much larger than what makes it.
        "%s = onnx.Constant #onnx.tensor<tensor<2xsi64>, [4096, 4096]>\n"
        "%z = onnx.ConstantOfShape(%s) : (tensor<2xsi64>) -> tensor<4096x4096xf32>\n"
        "%y = onnx.Relu(%z) : (tensor<4096x4096xf32>) -> !onnx.unknown",
        # A sequence is no tensor.
        "%y = onnx.SequenceEmpty() {dtype = 1 : i64} : () -> !onnx.unknown",
    ],
)
def test_what_is_not_folded(body: str):
    module = parse(body)
    before = kinds(module)
    apply(module, OnnxFoldConstantsPass())
    assert kinds(module) == before


def test_folding_inside_regions_and_captures_keep_their_definitions():
    body = """
    %c = onnx.Constant #onnx.tensor<tensor<i1>, [1]>
    %a = onnx.Constant #onnx.tensor<tensor<f32>, [1.0]>
    %b = onnx.Neg(%a) : (tensor<f32>) -> tensor<f32>
    %dead = onnx.Neg(%b) : (tensor<f32>) -> tensor<f32>
    %y = onnx.If(%c) ({
      %t = onnx.Add(%b, %b) : (tensor<f32>, tensor<f32>) -> tensor<f32>
      onnx.Yield(%t) : tensor<f32>
    }, {
      %unused = onnx.Relu(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
      onnx.Yield(%b) : tensor<f32>
    }) : (tensor<i1>) -> !onnx.unknown"""
    module = parse(body)
    apply(module, OnnxFoldConstantsPass())
    assert kinds(module) == ["If"]
    assert "onnx.Relu" not in str(module)
    assert "[-2.0]" in str(module)
    assert "[-1.0]" in str(module)


def test_dead_nodes_disappear_with_all_that_they_alone_use():
    body = """
    %none = onnx.NoValue
    %w = onnx.Constant #onnx.tensor<tensor<f32>, [1.0]>
    %a = onnx.Add(%x, %w) : (tensor<?x4xf32>, tensor<f32>) -> tensor<?x4xf32>
    %b = onnx.Clip(%a, %none, %w) : (tensor<?x4xf32>, none, tensor<f32>) -> tensor<?x4xf32>
    """
    module = parse(body + RELU)
    apply(module, OnnxDcePass())
    assert [op.name for op in entry_function(module).body.block.ops] == ["onnx.Relu", "func.return"]


def test_every_pass_describes_itself():
    for each in (OnnxInferShapesPass, OnnxFoldConstantsPass, OnnxDcePass):
        assert each.__doc__
        assert len(each.__doc__.splitlines()) == 1


def random_model(draw: Any) -> tuple[ModelProto, Any]:
    """A chain of operators on `x` [2, 3], some of whose operands are computed from constants."""
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    nodes: list[Any] = []
    weights: dict[str, Any] = {}
    value = "x"
    for index in range(draw(st.integers(1, 6))):
        weights[f"w{index}"] = rng.normal(size=(3,)).astype(F32)
        weights[f"v{index}"] = rng.normal(size=(3,)).astype(F32)
        operand = f"c{index}"
        inner = draw(st.sampled_from(["Add", "Mul", "Sub", "Max"]))
        nodes.append(helper.make_node(inner, [f"w{index}", f"v{index}"], [operand]))
        outer = draw(st.sampled_from(["Add", "Mul", "Sub", "Min", "Greater", "BipolarQuant"]))
        following = f"a{index}"
        match outer:
            case "Greater":
                nodes.append(helper.make_node(outer, [value, operand], [f"g{index}"]))
                nodes.append(helper.make_node("Cast", [f"g{index}"], [following], to=1))
            case "BipolarQuant":
                node = helper.make_node(
                    outer, [value, operand], [following], domain="onnx.brevitas"
                )
                nodes.append(node)
            case _:
                nodes.append(helper.make_node(outer, [value, operand], [following]))
        value = following
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", 1, [2, 3])],
        [helper.make_empty_tensor_value_info(value)],
        [numpy_helper.from_array(w, n) for n, w in weights.items()],
    )
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("onnx.brevitas", 1)]
    x = rng.normal(size=(2, 3)).astype(F32)
    return helper.make_model(graph, opset_imports=imports, ir_version=8), x


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_passes_keep_the_answers_of_random_models(data: st.DataObject):
    model, x = random_model(data.draw)
    module = import_model(model)
    (expected,) = OnnxReference(module).run({"x": x}).values()
    apply(module, OnnxInferShapesPass(), OnnxFoldConstantsPass(), OnnxDcePass())
    (found,) = OnnxReference(module).run({"x": x}).values()
    assert np.array_equal(found, expected)
    operands = [op for op in module.walk() if isinstance(op, dialect.MaxOp)]
    assert not operands


@pytest.mark.slow
def test_the_cost_is_linear_in_the_number_of_nodes():
    from time import perf_counter

    def seconds(layers: int) -> float:
        nodes = [helper.make_node("Relu", ["x" if i == 0 else f"a{i}"], [f"a{i + 1}"])
                 for i in range(layers)]  # fmt: skip
        graph = helper.make_graph(
            nodes,
            "deep",
            [helper.make_tensor_value_info("x", 1, ["N", 4])],
            [helper.make_tensor_value_info(f"a{layers}", 1, ["N", 4])],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        start = perf_counter()
        module = import_model(model)
        OnnxInferShapesPass().apply(Context(), module)
        OnnxFoldConstantsPass().apply(Context(), module)
        return perf_counter() - start

    seconds(100)
    small, large = seconds(1000), seconds(8000)
    # Quadratic cost would be 64 times as much; the machine may be busy.
    assert large < 24 * small
