"""Small ONNX models in the making, and the promise that lifting keeps to their reference."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from xdsl.dialects.builtin import Float32Type, ModuleOp
from xdsl.dialects.func import ReturnOp

from irc.dialects import bnn
from irc.errors import IrcError
from irc.flow.lowering import lower_to
from irc.frontend.import_onnx import import_model
from irc.fuzz.networks.checks import run_watched
from irc.interp.onnx_reference import OnnxReference
from irc.interp.run import entry_function
from irc.loading import new_context
from irc.passes.streamline.declare_inputs import InputDeclaration

Array = npt.NDArray[Any]

QONNX = "qonnx.custom_op.general"


@dataclass
class Net:
    """A model with the input `x` of `shape`, batch included; node by node."""

    shape: tuple[int, ...]
    opset: int = 17
    dtype: int = TensorProto.FLOAT
    nodes: list[NodeProto] = field(default_factory=list[NodeProto])
    initializers: list[TensorProto] = field(default_factory=list[TensorProto])

    def const(self, values: npt.ArrayLike, dtype: npt.DTypeLike = np.float32) -> str:
        """An initializer."""
        return self.tensor(numpy_helper.from_array(np.asarray(values, dtype)))

    def tensor(self, tensor: TensorProto) -> str:
        """An initializer of any type."""
        tensor.name = f"c{len(self.initializers)}"
        self.initializers.append(tensor)
        return tensor.name

    def add(self, op_type: str, *inputs: str, outputs: int = 1, **attributes: Any) -> str:
        """A node; returns its first output."""
        name = f"n{len(self.nodes)}"
        results = [name, *(f"{name}_{i}" for i in range(1, outputs))]
        self.nodes.append(
            helper.make_node(op_type, inputs, results, f"{op_type.lower()}_{name}", **attributes)
        )
        return name

    def model(self, output: str, output_type: int = TensorProto.FLOAT) -> ModelProto:
        """The finished model with one result."""
        graph = helper.make_graph(
            self.nodes,
            "net",
            [helper.make_tensor_value_info("x", self.dtype, self.shape)],
            [helper.make_tensor_value_info(output, output_type, None)],
            initializer=self.initializers,
        )
        domains = {"": self.opset, **{n.domain: 1 for n in self.nodes if n.domain}}
        opsets = [helper.make_opsetid(*item) for item in domains.items()]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def lowered(model: ModelProto, declaration: str) -> ModuleOp:
    """The model after the whole pipeline to the bnn level."""
    module = import_model(model)
    lower_to(new_context(), module, "bnn", {"declare-inputs": {"inputs": (declaration,)}})
    return module


def assert_lifts_exactly(model: ModelProto, declaration: str, frames: Array) -> ModuleOp:
    """The bnn level gives, to the bit, what ONNX Runtime gives, on all frames; nothing is in
    doubt, and floats are left in the tail only. Frames are integers, with a leading axis.
    """
    module, doubtful = _compared(model, declaration, frames)
    assert not doubtful.any()
    return module


def assert_lifts_within_margin(model: ModelProto, declaration: str, frames: Array) -> ModuleOp:
    """The same, for numbers whose sums round: equal but where the margin says that they may
    differ, which is in few frames."""
    module, doubtful = _compared(model, declaration, frames)
    assert doubtful.mean() < 0.2
    return module


def _compared(model: ModelProto, declaration: str, frames: Array) -> tuple[ModuleOp, Array]:
    """The lifted model, and in which frames rounding may decide."""
    module = lowered(model, declaration)
    code = model.graph.input[0].type.tensor_type.elem_type
    given = InputDeclaration.parse(declaration).to_float(frames)
    if code != TensorProto.FLOAT:
        given = frames.astype(helper.tensor_dtype_to_np_dtype(code))
    (reference,) = OnnxReference(model).run_frames(given).values()
    results, watcher = run_watched(module, frames)
    terminator = entry_function(module).body.block.last_op
    assert isinstance(terminator, ReturnOp)
    expected = reference.astype(np.float64)
    low, high = (end.reshape(expected.shape) for end in watcher.bounds(terminator.operands[0]))
    wrong = ((expected < low) | (expected > high)).reshape(len(expected), -1).any(axis=1)
    wrong &= ~watcher.doubtful
    if wrong.any():
        frame = int(np.flatnonzero(wrong)[0])
        raise AssertionError(f"frame {frame}: {expected[frame]} expected, got {results[frame]}")
    assert_floats_are_in_the_tail(module)
    return module, watcher.doubtful


def assert_floats_are_in_the_tail(module: ModuleOp) -> None:
    """Every operation but the last casts and element-wise functions gives exact values."""
    block = entry_function(module).body.block
    floats = [
        op
        for op in block.ops
        if not isinstance(op, ReturnOp)
        and isinstance(bnn.frame_type(op.results[0]).element_type, Float32Type)
    ]
    tail = (bnn.CastOp, bnn.EwiseOp, bnn.ReshapeOp, bnn.TransposeOp)
    for op in floats:
        assert isinstance(op, tail), op.name
        for use in op.results[0].uses:
            readers = (*tail, bnn.ArgmaxOp, ReturnOp)
            assert isinstance(use.operation, readers), f"{op.name} feeds {use.operation.name}"


def frames_for(declaration: str, shape: tuple[int, ...], count: int = 64, seed: int = 0) -> Array:
    """Random integers for a declared input of `shape`, without batch."""
    from irc.dialects.dense import element_range

    parsed = InputDeclaration.parse(declaration)
    generator = np.random.default_rng(seed)
    if isinstance(parsed.element_type, bnn.BipolarType):
        return (2 * generator.integers(0, 2, (count, *shape)) - 1).astype(np.int8)
    low, high = element_range(parsed.element_type)
    return generator.integers(low, high, (count, *shape), endpoint=True)


def every_integer(declaration: str, channels: int) -> Array:
    """Frames [n, channels] in which every channel takes every value of the declared type."""
    from irc.dialects.dense import element_range

    low, high = element_range(InputDeclaration.parse(declaration).element_type)
    return np.repeat(np.arange(low, high + 1)[:, None], channels, axis=1)


def refusal(model: ModelProto, declaration: str = "uint8/255") -> str:
    """The message with which lifting refuses the model."""
    with pytest.raises(IrcError) as caught:
        lowered(model, declaration)
    return caught.value.message
