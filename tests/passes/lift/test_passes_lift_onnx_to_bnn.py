"""What the lift makes of single nodes, and what it says of those that it does not take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from onnx import ModelProto, TensorProto
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from irc.dialects import bnn
from irc.frontend.import_onnx import import_model
from irc.fuzz.networks.graph import Export, Graph
from irc.interp.onnx_reference import OnnxReference
from irc.interp.run import run_module
from irc.passes.lift.lift_onnx_to_bnn import LiftError, LiftOnnxToBnn
from irc.passes.lift.onnx_fold_constants import OnnxFoldConstantsPass
from irc.passes.lift.onnx_infer_shapes import OnnxInferShapesPass
from irc.passes.lift.quantized_constants import QuantizedConstant
from irc.passes.lift.rules.linear import as_integers

Array = npt.NDArray[Any]
F = np.float32
Build = Callable[[Graph], str]


def model(build: Build, shape: tuple[int, ...] = (4,), opset: int = 17) -> ModelProto:
    """A model of the nodes that `build` adds to input `x`."""
    graph = Graph(Export(opset, "qonnx.custom_op.general", False, False))
    return graph.model(TensorProto.FLOAT, shape, build(graph), TensorProto.FLOAT, 1)


def lifted(proto: ModelProto) -> ModuleOp:
    """The model at the bnn level, with floats as they were."""
    module = import_model(proto)
    for module_pass in (OnnxInferShapesPass(1), OnnxFoldConstantsPass(), LiftOnnxToBnn()):
        module_pass.apply(Context(), module)
    module.verify()
    return module


def obstacles(build: Build, shape: tuple[int, ...] = (4,)) -> list[str]:
    """Everything that the lift has to say."""
    with pytest.raises(LiftError) as caught:
        lifted(model(build, shape))
    return str(caught.value).splitlines()


def quant(
    graph: Graph, x: str, scale: Any = 1, zero: Any = 0, bits: Any = 4, **options: Any
) -> str:
    given_options = {"signed": 1, "narrow": 0, "rounding_mode": "ROUND", **options}
    return graph.qonnx(
        "Quant",
        x,
        graph.constant(scale),
        graph.constant(zero),
        graph.constant(bits),
        **given_options,
    )


def matmul(weights: Any) -> Build:
    return lambda graph: graph.node("MatMul", "x", graph.constant(weights))


def batch_norm(graph: Graph, x: str, channels: int) -> str:
    rng = np.random.default_rng(channels)
    constants = [rng.normal(size=channels) for _ in range(3)] + [rng.uniform(0.1, 2, channels)]
    return graph.node("BatchNormalization", x, *map(graph.constant, constants))


NODES: dict[str, tuple[Build, tuple[int, ...]]] = {
    "batch norm": (lambda g: batch_norm(g, "x", 4), (4,)),
    "batch norm of images": (lambda g: g.node("Flatten", batch_norm(g, "x", 3)), (3, 2, 2)),
    "clip without maximum": (lambda g: g.node("Clip", "x", g.constant(-0.5)), (4,)),
    "hard sigmoid": (lambda g: g.node("HardSigmoid", "x", alpha=0.3, beta=0.4), (4,)),
    "leaky relu": (lambda g: g.node("LeakyRelu", "x", alpha=0.1), (4,)),
    "prelu": (lambda g: g.node("PRelu", "x", g.constant([0.1, -0.2, 0, 2])), (4,)),
    "power": (lambda g: g.node("Pow", "x", g.constant(2)), (4,)),
    "constant first": (lambda g: g.node("Sub", g.constant([1, 2, 3, 4]), "x"), (4,)),
    "constant of the batch": (lambda g: g.node("Add", "x", g.constant([[1, 2, 3, 4]])), (4,)),
    "quant by channel": (lambda g: quant(g, "x", [0.1, 0.2, 0.3, 0.4], [0, 1, -1, 2]), (4,)),
    "transposed image": (
        lambda g: g.node("Flatten", g.node("Transpose", "x", perm=[0, 2, 1])), (2, 3)
    ),
    "identity": (lambda g: g.node("Identity", g.node("Dropout", "x")), (4,)),
    "gemm": (
        lambda g: g.node("Gemm", "x", g.constant([[1, -1]] * 4), g.constant([5]), alpha=0.5), (4,)
    ),
    "weights transposed, reshaped and quantized": (
        lambda g: g.node(
            "MatMul",
            "x",
            g.node(
                "Transpose",
                g.node(
                    "Reshape",
                    quant(g, g.constant(np.linspace(-2, 2, 8)[:, None]), np.full((8, 1), 0.25)),
                    g.constant([2, 4], np.int64),
                ),
            ),
        ),
        (4,),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NODES)
def test_nodes_compute_what_onnx_runtime_does(name: str) -> None:
    build, shape = NODES[name]
    proto = model(build, shape)
    frames = np.random.default_rng(0).normal(0, 2, (16, *shape)).astype(F)
    frames[0] = 0
    (expected,) = OnnxReference(proto).run_frames(frames).values()
    (found,) = run_module(lifted(proto), [frames])
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


def quantized(values: Any, **options: Any) -> Build:
    """A product with weights that pass through a `Quant`."""
    weights = np.broadcast_to(np.array(values, F), (4, 2))
    return lambda g: g.node("MatMul", "x", quant(g, g.constant(weights), **options))


def binarized(value: float) -> Build:
    """A product with weights that pass through a `BipolarQuant`."""
    weights = np.full((4, 2), value)
    return lambda g: g.node(
        "MatMul", "x", g.qonnx("BipolarQuant", g.constant(weights), g.constant(1))
    )


REJECTED: dict[str, Build] = {
    "node 'matmul0' (MatMul): a constant holds NaN or infinity": matmul(np.full((4, 2), np.nan)),
    "node 'bipolarquant0' (BipolarQuant): a constant holds NaN or infinity": binarized(np.nan),
    "node 'quant0' (Quant): a constant holds NaN or infinity": quantized(np.inf),
    "node 'quant0' (Quant): a scale of 0": quantized(1, scale=0),
    "node 'quant0' (Quant): bit width 2.5; expected one integer from 1 to 32": quantized(
        1, bits=2.5
    ),
    "node 'quant0' (Quant): rounding mode 'ODD'; known are ROUND": quantized(
        1, rounding_mode="ODD"
    ),
    "node 'quant0' (Quant): a zero point that is no integer": quantized(1, zero=0.5),
    "node 'quant0' (Quant): bit width 17.0; expected one integer from 1 to 16": lambda g: quant(
        g, "x", bits=17
    ),
    "node 'quant0' (Quant): a scale must be positive": lambda g: quant(g, "x", scale=-1),
    "node 'quant0' (Quant): bit width [3.0, 4.0, 5.0, 6.0]; expected one": lambda g: quant(
        g, "x", bits=[3, 4, 5, 6]
    ),
    "node 'quant0' (Quant): the scale of shape [2, 1] for a tensor [1, 4]": lambda g: quant(
        g, "x", scale=[[1], [2]]
    ),
    "node 'add0' (Add): a constant that enlarges the activation by broadcasting": lambda g: g.node(
        "Add", "x", g.constant([[1], [2]])
    ),
    "node 'pow0' (Pow): a constant raised to the power of an activation": lambda g: g.node(
        "Pow", g.constant(2), "x"
    ),
    "node 'matmul0' (MatMul): constant weights on the left": lambda g: g.node(
        "MatMul", g.constant(np.ones((1, 1))), "x"
    ),
    "node 'argmax0' (ArgMax): axis 0 of 2": lambda g: g.node("ArgMax", "x", axis=0),
    "node 'cast0' (Cast): a cast from f32 to si32": lambda g: g.node(
        "Cast", "x", to=TensorProto.INT32
    ),
    "node 'reshape0' (Reshape): the result of shape [2, 2] mixes frames": lambda g: g.node(
        "Reshape", "x", g.constant([2, 2], np.int64)
    ),
    "node 'sin0' (Sin): this operator is not supported": lambda g: g.node("Sin", "x"),
    "node 'gemm1' (Gemm): alpha = 0.1": lambda g: g.node(
        "Gemm",
        "x",
        g.qonnx("BipolarQuant", g.constant(np.ones((4, 1))), g.constant(0.3)),
        alpha=0.1,
    ),
}


@pytest.mark.parametrize("message", REJECTED)
def test_what_is_not_taken_is_named(message: str) -> None:
    (line,) = obstacles(REJECTED[message])
    assert line.startswith(message)


def test_all_obstacles_are_named_at_once() -> None:
    def build(graph: Graph) -> str:
        value = graph.node("Add", graph.node("Selu", "x"), graph.constant(1))
        other = graph.node("Add", "x", graph.constant([[1], [2]]))
        return graph.node("Add", value, graph.node("Celu", other))

    assert [line.split(":")[0] for line in obstacles(build)] == [
        "node 'selu0' (Selu)",
        "node 'add2' (Add)",
        "node 'celu3' (Celu)",
    ]


def split(weights: Any) -> tuple[Array, Array]:
    return as_integers(QuantizedConstant(np.array(weights, F), np.ones((), F)))


def bits_of(weights: Any) -> tuple[list[list[int]], list[float]]:
    integers, scales = split(weights)
    return integers.tolist(), scales.tolist()


def test_weights_of_one_magnitude_are_signs_and_a_scale() -> None:
    assert bits_of([[0.3, -0.3], [0.3, 0.3]]) == ([[1, -1], [1, 1]], [F(0.3)])


def test_rows_of_several_magnitudes_have_scales_of_their_own() -> None:
    assert bits_of([[0.5, -0.5], [0, 2]]) == ([[1, -1], [0, 1]], [0.5, 2])


def test_a_row_of_zeros_does_not_spoil_the_rest() -> None:
    assert bits_of([[0, 0], [0.5, -0.5]]) == ([[0, 0], [1, -1]], [0.5])
    assert bits_of([[0, 0]]) == ([[0, 0]], [1])


def test_whole_numbers_are_integers() -> None:
    integers, scales = as_integers(
        QuantizedConstant(np.array([[3, -7], [0, 1]], F), np.ones((), F))
    )
    assert integers.dtype.kind == "i"
    assert (integers.tolist(), scales.tolist()) == ([[3, -7], [0, 1]], [1])


def test_other_floats_stay() -> None:
    integers, _ = split([[0.3141, 0.2718281, 0.70710677, 0.5772]])
    assert integers.dtype == F


@given(st.data())
def test_integers_and_scales_are_the_weights_exactly(data: st.DataObject) -> None:
    shape = data.draw(hnp.array_shapes(min_dims=2, max_dims=2, max_side=4))
    elements = st.sampled_from((0, 1, -1, 3, -3, 0.5, -0.5, 0.1, -0.1, -128, 127))
    values = data.draw(hnp.arrays(F, shape, elements=elements.map(lambda x: float(F(x)))))
    given_scales = data.draw(
        hnp.arrays(F, st.sampled_from(((), (shape[0], 1))), elements=st.sampled_from((1, -2, 0.75)))
    )
    if data.draw(st.booleans()):
        values = np.rint(values).astype(np.int8)
    constant = QuantizedConstant(values, given_scales)
    integers, scales = as_integers(constant)
    product = integers.astype(F) * np.broadcast_to(scales, shape[:1])[:, None]
    np.testing.assert_array_equal(product, constant.floats)


def test_a_cast_to_a_wider_integer_is_nothing() -> None:
    def build(graph: Graph) -> str:
        return graph.node("Cast", graph.node("ArgMax", "x", axis=1), to=TensorProto.INT32)

    (op,) = (op for op in lifted(model(build)).walk() if op.name.startswith("bnn."))
    assert isinstance(op, bnn.ArgmaxOp)
