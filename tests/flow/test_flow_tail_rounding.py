"""What float32 rounding of a model's own last sums is allowed to change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from irc.flow.compare import compare
from irc.flow.frames import Data
from irc.flow.ladder import Ladder
from irc.flow.tail_rounding import tail_roundings
from irc.flow.verify import verify

RNG = np.random.default_rng(0)
LENGTH = 2000


def ladder(path: Path, tail: str | None = None) -> Ladder:
    """A long sum of bytes over 255, with signs times 0.037 as weights."""
    weights = RNG.choice([-1, 1], (LENGTH, 3)).astype(np.float32) * np.float32(0.037)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["s"], name="fc")]
    if tail is not None:
        nodes.append(helper.make_node(tail, ["s"], ["y"], name="tail"))
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, LENGTH])],
        [helper.make_tensor_value_info("s" if tail is None else "y", TensorProto.FLOAT, [1, 3])],
        initializer=[numpy_helper.from_array(weights, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return Ladder(path, ("x=uint8/255",))


def test_sums_may_be_off_by_their_rounding_but_not_by_half_a_step(tmp_path: Path):
    (rounding,) = tail_roundings(ladder(tmp_path / "net.onnx").function)
    assert 0 < rounding <= 0.037 / 255 / 2


def test_long_sums_agree(tmp_path: Path):
    frames = RNG.integers(0, 256, (200, LENGTH)).astype(np.uint8)
    for tail in (None, "Relu", "Softmax"):
        model = ladder(tmp_path / "net.onnx", tail)
        assert verify(model, Data("test", frames, None), ["onnx", "bnn"]).agrees


def test_a_wrong_sum_is_no_rounding():
    expected = np.array([[1.5, 2.5]], np.float32)
    assert compare("c", [expected + np.float32(1e-4)], [expected], [2e-4]).first is None
    assert compare("c", [expected + np.float32(3e-4)], [expected], [2e-4]).first is not None
    assert compare("c", [expected + np.float32(1e-4)], [expected]).first is not None
