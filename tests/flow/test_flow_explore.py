"""What `irc explore` collects: texts, changes, origins, costs and thresholds."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from residual_networks import residual_network
from xdsl.dialects.builtin import ArrayAttr, FusedLoc, NameLoc, NoneAttr, StringAttr, UnknownLoc

from irc.dialects import bnn, dataflow
from irc.dialects import onnx as onnx_dialect
from irc.errors import IrcError, UnsupportedError
from irc.flow.explore.data import page_data
from irc.flow.explore.diff import changes
from irc.flow.explore.exploration import Exploration, explore
from irc.flow.explore.origins import location_keys
from irc.flow.explore.stages import RecordedLadder
from irc.flow.hardware_estimate import estimate_of
from irc.flow.hardware_goal import HardwareGoal
from irc.passes.hardware.design import design_of
from irc.pipelines import PIPELINES
from irc.printing import print_ir


@pytest.fixture(scope="module")
def mnist(example_dir: Path) -> Exploration:
    """The example for a device."""
    return explore(
        RecordedLadder(
            example_dir / "mnist_64x3_1w1a.onnx",
            ("uint8/255",),
            HardwareGoal(device="up5k").passes(),
        )
    )


@pytest.fixture(scope="module")
def residual(tmp_path_factory: pytest.TempPathFactory) -> Exploration:
    """A network with a shortcut."""
    path = tmp_path_factory.mktemp("residual") / "net.onnx"
    path.write_bytes(residual_network("basic_block", 3).SerializeToString())
    return explore(RecordedLadder(path))


def test_there_is_a_stage_for_every_pass_of_every_pipeline(mnist: Exploration) -> None:
    stages = mnist.ladder.stages
    expected = ["", *(step.spec.partition("{")[0] for p in PIPELINES for step in p.steps)]
    assert [stage.spec.partition("{")[0] for stage in stages] == expected
    assert [stage.level for stage in stages if not stage.spec] == ["onnx"]
    # Both ways begin with the same network.
    last = max(i for i, stage in enumerate(stages) if stage.level == "bnn")
    first = [next(s for s in stages if s.level == level) for level in ("dataflow", "packed")]
    assert [stage.before for stage in first] == [last, last]


def test_the_text_is_that_of_the_module(mnist: Exploration) -> None:
    """But for the names of values and for what is cut."""
    ladder = mnist.ladder
    for level, module in (("bnn", ladder.bnn), ("hw", ladder.hw), ("packed", ladder.packed)):
        stage = [stage for stage in ladder.stages if stage.level == level][-1]
        plain = print_ir(module, elide=True).rstrip("\n").split("\n")
        assert len(plain) == len(stage.text.lines) == len(stage.text.origins)
        for ours, theirs in zip(stage.text.lines, plain, strict=True):
            assert ours.split("%")[0] == theirs.split("%")[0]


def test_values_keep_their_names_where_a_pass_leaves_them_alone(mnist: Exploration) -> None:
    stages = {stage.spec: stage for stage in mnist.ladder.stages}
    idle = stages["streamline-shuffles"]
    assert idle.before is not None
    assert idle.text.lines == mnist.ladder.stages[idle.before].text.lines
    # FIFOs go between operations that stay as they are, but for what they read.
    fifos = stages["insert-fifos"]
    assert fifos.before is not None
    before = set(mnist.ladder.stages[fifos.before].text.lines)
    names = {line.split(" = ")[0] for line in before if " = " in line}
    assert names < {line.split(" = ")[0] for line in fifos.text.lines if " = " in line}


def test_a_changed_constant_looks_changed(mnist: Exploration) -> None:
    """Rows of weights that are negated differ in what is cut, and in its checksum."""
    stages = {stage.spec: stage for stage in mnist.ladder.stages}
    cut = [line for line in stages["narrow-accumulators"].text.lines if "…" in line]
    assert cut
    sums = [part.split('"')[0] for line in cut for part in line.split("…")[1:]]
    assert len(set(sums)) == len(sums)
    assert all(len(each) == 8 and int(each, 16) >= 0 for each in sums)


def apply(before: Sequence[int], after: Sequence[int], hunks: list[tuple[int, ...]]) -> list[int]:
    """`before` with the changes made."""
    made: list[int] = []
    at = 0
    for i1, i2, j1, j2 in hunks:
        made += before[at:i1]
        made += after[j1:j2]
        at = i2
    return [*made, *before[at:]]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 4), max_size=30), st.lists(st.integers(0, 4), max_size=30))
def test_changes_lead_from_one_text_to_the_other(before: list[int], after: list[int]) -> None:
    hunks = changes(before, after)
    assert apply(before, after, list(hunks)) == after
    assert (hunks == []) == (before == after)
    at = 0
    for i1, i2, j1, j2 in hunks:
        assert i1 >= at
        assert i1 < i2 or j1 < j2
        # What lies between changes is the same in both.
        assert before[at:i1] == after[j1 - (i1 - at) : j1]
        at = i2


def test_changes_of_long_texts_take_no_quadratic_time() -> None:
    count = 200_000
    (hunk,) = changes(range(count), range(count, 2 * count))
    assert hunk == (0, count, 0, count)


def test_locations_name_all_nodes() -> None:
    one, other = (NameLoc(StringAttr(name), UnknownLoc()) for name in ("a", "b"))
    fused = FusedLoc(ArrayAttr([one, FusedLoc(ArrayAttr([other, one]), NoneAttr())]), NoneAttr())
    assert location_keys(fused) == ["a", "b"]
    assert location_keys(UnknownLoc()) == []


def test_every_node_with_weights_is_found_at_every_level(residual: Exploration) -> None:
    origins = residual.ladder.origins
    layers = [i for i, node in enumerate(origins.nodes) if node.operator in ("Conv", "MatMul")]
    assert len(layers) >= 3
    texts = {stage.level: stage.text.origins for stage in residual.ladder.stages}
    for name, files in residual.outputs.items():
        texts[name] = [origin for file in files for origin in file.text.origins]
    assert set(texts) == {"onnx", "bnn", "dataflow", "hw", "packed", "verilog", "c"}
    for level, sets in texts.items():
        found = {node for number in set(sets) for node in origins.sets[number]}
        assert set(layers) <= found, level


def test_verilog_lines_come_from_the_units_of_their_module(mnist: Exploration) -> None:
    origins = mnist.ladder.origins
    names = {i: node.name for i, node in enumerate(origins.nodes)}
    top, *modules = mnist.outputs["verilog"]
    for file in modules:
        of_file = {names[node] for node in origins.sets[file.origin]}
        assert of_file, file.name
        assert set(file.text.origins) == {file.origin}
        if "dense2" in file.name:
            assert "/dense2/MatMul" in of_file
    instance = next(i for i, line in enumerate(top.text.lines) if "_dense2_MatMul dense2" in line)
    found = {names[node] for node in origins.sets[top.text.origins[instance]]}
    assert "/dense2/MatMul" in found
    assert "/dense3/MatMul" not in found


def test_c_lines_come_from_their_layer(mnist: Exploration) -> None:
    origins = mnist.ladder.origins
    names = {i: node.name for i, node in enumerate(origins.nodes)}
    code = mnist.outputs["c"][1]

    def of(start: str) -> set[str]:
        line = next(i for i, text in enumerate(code.text.lines) if start in text)
        return {names[node] for node in origins.sets[code.text.origins[line]]}

    assert "/dense2/MatMul" in of("_dense2_matmul_weights[")
    assert "/dense3/MatMul" not in of("_dense2_matmul_weights[")
    # A kernel belongs to both layers that call it.
    assert {"/dense2/MatMul", "/dense3/MatMul"} <= of("_xnor_bits_2(")
    assert "/dense1/MatMul" not in of("_xnor_bits_2(")
    assert "/classify/MatMul" in of("    mnist_64x3_1w1a_xnor_dense(")
    # Long tables are cut, and the lines behind keep their numbers.
    assert sum(count for _, count in code.skipped) > 100


def test_costs_are_those_of_the_design(mnist: Exploration, residual: Exploration) -> None:
    for found in (mnist, residual):
        level = next(level for level in found.levels if level.name == "dataflow")
        design = design_of(found.ladder.dataflow)
        columns = {column.key: column for column in level.columns}
        assert columns["cycles"].total == design.cycles()
        units = [op for op in level.graph.ops if isinstance(op, dataflow.DataflowNode)]
        assert [v for v in columns["cycles"].values if v is not None] == [u.cycles() for u in units]
    estimate = estimate_of(mnist.ladder)
    assert estimate is not None
    columns = {column.key: column for column in mnist.levels[2].columns}
    assert columns["luts"].total == estimate.total.luts
    assert columns["rams"].total == estimate.total.block_rams
    shown = {label: value for label, value, _ in mnist.facts}
    assert shown["frames a second"] == f"{estimate.frames_per_second:,.0f}"


def test_buffers_that_live_at_once_lie_apart(mnist: Exploration, residual: Exploration) -> None:
    for found in (mnist, residual):
        level = found.levels[-1]
        assert level.name == "packed"
        assert level.arena
        # Elements of one type lie together; the arena is padded to the widest.
        most = max(buffer.offset + buffer.size for buffer in level.arena)
        assert most <= level.arena_bytes < most + 8
        for one, other in combinations(level.arena, 2):
            if one.first > other.last or other.first > one.last:
                continue
            # A kernel that goes element by element may write over what it reads.
            if one.last == other.first or other.last == one.first:
                continue
            apart = one.offset + one.size <= other.offset or other.offset + other.size <= one.offset
            assert apart, (one, other)


def test_graphs_have_every_operation_and_all_that_it_reads(residual: Exploration) -> None:
    for level in residual.levels:
        graph = level.graph
        assert all(source < target for source, target in graph.edges)
        for number, op in enumerate(graph.ops):
            read = {graph.ops[source] for source, target in graph.edges if target == number}
            owners = {
                v.owner for v in op.operands if not isinstance(v.owner, onnx_dialect.ConstantOp)
            }
            assert {owner for owner in owners if owner in graph.ops} == read


def test_thresholds_are_those_that_decide(mnist: Exploration) -> None:
    """Each threshold of the network is one that the search reports, and has headroom."""
    function = mnist.ladder.function
    ops = [op for op in function.body.block.ops if isinstance(op, bnn.ThresholdOp)]
    assert len(mnist.layers) == len(ops) == 4
    for op, layer in zip(ops, mnist.layers, strict=True):
        assert layer.headroom is not None
        assert bool((layer.headroom[layer.real] > 1).all())
        assert not layer.ambiguous
        decided = np.abs(layer.at[layer.real])
        final = np.abs(op.thresholds.numpy().astype(np.int64))
        # A row that was negated has its threshold mirrored, at most a step away.
        assert set(final.reshape(-1).tolist()) <= {
            int(x) + d for x in decided for d in (-2, -1, 0, 1, 2)
        }


def test_doubtful_decisions_have_no_headroom(tmp_path: Path) -> None:
    """What the margin report lists and the headroom says are found in two ways."""
    (tmp_path / "net.onnx").write_bytes(residual_network("dense_net", 3).SerializeToString())
    ladder = RecordedLadder(tmp_path / "net.onnx")
    doubtful = 0
    for layer in ladder.thresholds.all_layers(ladder.function):
        if layer.headroom is None:
            continue
        if not layer.ambiguous:
            assert bool((layer.headroom[layer.real] > 1).all()) or layer.is_reproducible
        for channel, first, last in layer.ambiguous:
            columns = layer.real[channel] & (layer.at[channel] >= first)
            columns &= layer.at[channel] - layer.full.step[channel] <= last
            assert bool((layer.headroom[channel][columns] <= 1).any())
            doubtful += 1
    assert doubtful


def test_the_data_are_json_and_complete(residual: Exploration) -> None:
    data: dict[str, Any] = json.loads(json.dumps(page_data(residual), allow_nan=False))
    assert [level["name"] for level in data["levels"]] == ["onnx", "bnn", "dataflow", "packed"]
    for stage, recorded in zip(data["stages"], residual.ladder.stages, strict=True):
        lines = [data["lines"][number] for number in stage["lines"]]
        assert lines == recorded.text.lines
        if stage["before"] is not None:
            before = data["stages"][stage["before"]]["lines"]
            hunks = [tuple(hunk) for hunk in stage["hunks"]]
            assert apply(before, stage["lines"], hunks) == stage["lines"]
    for runs in (stage["sets"] for stage in data["stages"]):
        assert max(runs[1::2]) < len(data["sets"])
    assert max(node for nodes in data["sets"] for node in nodes) < len(data["nodes"])


TRANSPOSED = """
builtin.module {
  func.func @net(%x: tensor<2x3x!bnn.bipolar>) -> tensor<3x2xsi4> {
    %0 = bnn.linear %x, <tensor<3x3x!bnn.bipolar>, "0x5700">
      : tensor<2x3x!bnn.bipolar> -> tensor<2x3xsi4>
    %1 = bnn.threshold %0 at <tensor<1x1xsi4>, [1]> bias 0
      : tensor<2x3xsi4> -> tensor<2x3x!bnn.bipolar>
    %2 = bnn.transpose %1 perm [1, 0] : tensor<2x3x!bnn.bipolar> -> tensor<3x2x!bnn.bipolar>
    %3 = bnn.linear %2, <tensor<2x2x!bnn.bipolar>, "0x0a">
      : tensor<3x2x!bnn.bipolar> -> tensor<3x2xsi4>
    func.return %3 : tensor<3x2xsi4>
  }
}
"""


def test_a_target_that_is_not_supported_is_told_beside_the_other(tmp_path: Path) -> None:
    """Hardware reorders no stream, C does."""
    path = tmp_path / "net.mlir"
    path.write_text(TRANSPOSED, encoding="utf-8")
    found = explore(RecordedLadder(path))
    assert set(found.outputs) == {"c"}
    assert "reorders a stream" in found.problems["verilog"]
    with pytest.raises(UnsupportedError, match="reorders a stream"):
        explore(RecordedLadder(path), ("verilog",))


def test_text_of_a_lower_level_is_explored_from_there(mnist: Exploration, tmp_path: Path) -> None:
    ladder = mnist.ladder
    for level, expected in (
        ("bnn", ["bnn", "dataflow", "packed"]),
        ("dataflow", ["dataflow"]),
        ("packed", ["packed"]),
    ):
        path = tmp_path / f"{level}.mlir"
        path.write_text(print_ir(getattr(ladder, level)), encoding="utf-8")
        found = explore(RecordedLadder(path))
        assert [each.name for each in found.levels] == expected
        assert found.ladder.origins.nodes
        last = found.ladder.stages[-1].text.origins
        assert any(found.ladder.origins.sets[number] for number in last)
    with pytest.raises(IrcError, match="level dataflow"):
        explore(RecordedLadder(tmp_path / "dataflow.mlir"), ("c",))


@pytest.mark.slow
def test_two_runs_give_the_same_page(example_dir: Path, tmp_path: Path) -> None:
    """Byte for byte, whatever the seed of hashes."""
    pages: list[bytes] = []
    for seed in ("1", "2"):
        command = [sys.executable, "-m", "irc.tools.irc", "explore", "--input", "uint8/255"]
        output = tmp_path / f"{seed}.html"
        subprocess.run(
            [
                *command,
                str(example_dir / "mnist_64x3_1w1a.onnx"),
                "--name",
                "net",
                "-o",
                str(output),
            ],
            check=True,
            capture_output=True,
            env={"PYTHONHASHSEED": seed, "PATH": ""},
        )
        pages.append(output.read_bytes().replace(f"{seed}: irc".encode(), b": irc"))
    assert pages[0] == pages[1]
