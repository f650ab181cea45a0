"""The compile-time benchmark measures what it says: its networks, and the growth it fits."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from irc.dialects import bnn
from irc.flow.ladder import Ladder


@pytest.fixture
def benchmarks_dir(repo_root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", [str(repo_root / "benchmarks"), *sys.path])
    return repo_root / "benchmarks"


@pytest.fixture
def generate(benchmarks_dir: Path) -> ModuleType:
    return importlib.import_module("generate")


@pytest.fixture
def compile_time(benchmarks_dir: Path) -> ModuleType:
    return importlib.import_module("compile_time")


@pytest.mark.parametrize("style", ["int8", "bipolar"])
def test_networks_have_the_stated_size(generate: ModuleType, style: str) -> None:
    shape = generate.NetworkShape(3, 32, style)
    model = generate.generate(shape)
    onnx.checker.check_model(model)  # pyright: ignore[reportUnknownMemberType]
    assert len(model.graph.node) == shape.nodes
    matrices = [numpy_helper.to_array(t) for t in model.graph.initializer if len(t.dims) == 2]
    assert sum(matrix.size for matrix in matrices) == shape.weights
    assert all(set(np.unique(matrix)) == {-1, 1} for matrix in matrices)


def test_networks_are_as_large_as_wished(generate: ModuleType) -> None:
    for weights in (100_000, 50_000_000):
        assert generate.NetworkShape.of_weights(weights, 4).weights == pytest.approx(
            weights, rel=0.05
        )


@pytest.mark.parametrize("style", ["int8", "bipolar"])
def test_networks_become_binary_layers(generate: ModuleType, style: str, tmp_path: Path) -> None:
    path = tmp_path / "network.onnx"
    path.write_bytes(generate.generate(generate.NetworkShape(4, 16, style)).SerializeToString())
    ops = list(Ladder(path).function.body.block.ops)
    linear = [op for op in ops if isinstance(op, bnn.LinearOp)]
    assert len(linear) == 4
    assert all(op.weights.element_type == bnn.bipolar for op in linear)
    assert all(bnn.frame_type(op.input).element_type == bnn.bipolar for op in linear)


@pytest.mark.parametrize("power", [1, 2])
def test_the_exponent_is_that_of_the_growth(compile_time: ModuleType, power: int) -> None:
    def measured(weights: int) -> object:
        cost = compile_time.Cost(0.0, 0.5 + (weights / 1e6) ** power, 0.0)
        return compile_time.Measurement("weights", "bnn", 1, 1, weights, 1, cost)

    sizes = (0, 1_000, 1_000_000, 5_000_000, 50_000_000)
    assert compile_time.exponent([measured(size) for size in sizes]) == pytest.approx(power)
    assert compile_time.exponent([measured(size) for size in sizes[:3]]) is None


def test_a_failing_process_stops_the_benchmark(compile_time: ModuleType) -> None:
    with pytest.raises(SystemExit, match="no such model"):
        compile_time.run([sys.executable, "-c", "raise SystemExit('no such model')"])


def test_a_process_costs_its_own_time_and_memory(compile_time: ModuleType) -> None:
    cost = compile_time.run([sys.executable, "-c", "x = bytearray(200 << 20); sum(range(10**6))"])
    assert cost.memory >= 200
    assert 0 < cost.cpu < 60
