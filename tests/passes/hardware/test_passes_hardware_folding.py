"""Choosing a folding, writing it down, and taking one that a person wrote."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hardware_nets import (
    CONTEXT,
    Layer,
    linear,
    network,
    random_values,
    reshape,
    threshold,
    to_dataflow,
)
from spatial_nets import conv, max_pool
from xdsl.dialects.builtin import FileLineColLoc, ModuleOp, TensorType

from irc.dialects import bnn
from irc.dialects.dataflow import Folding
from irc.errors import IrcError, UsageError
from irc.interp.dataflow_cycles import simulate_cycles
from irc.passes.hardware.design import Design, design_of
from irc.passes.hardware.fold_layers import FoldLayers
from irc.passes.hardware.folding_file import format_folding
from irc.passes.hardware.folding_search import FoldingTable, balanced_target
from irc.passes.hardware.insert_fifos import InsertFifos
from irc.passes.hardware.insert_width_converters import InsertWidthConverters, conversion_steps
from irc.passes.hardware.lanes import possible_foldings
from irc.passes.hardware.set_folding import SetFolding


def mnist_like() -> tuple[ModuleOp, Design]:
    """784-64-10 at level dataflow, unfolded."""
    rng = np.random.default_rng(1)
    layers = [
        threshold(np.array([[128]]), bnn.bipolar, name="sign"),
        linear(random_values(rng, bnn.bipolar, (64, 784)), bnn.bipolar, "fc1"),
        threshold(rng.integers(-9, 9, (64, 1)), bnn.bipolar),
        linear(random_values(rng, bnn.bipolar, (10, 64)), bnn.bipolar, "fc2"),
    ]
    module = network(TensorType(bnn.uint(8), (784,)), layers)
    return module, to_dataflow(module)


def foldings(module: ModuleOp) -> dict[str, tuple[int, int]]:
    """PE and SIMD by layer."""
    layers = design_of(module).layers
    return {layer.layer_name: (layer.folding.pe, layer.folding.simd) for layer in layers}


@pytest.mark.parametrize("target", [1, 16, 100, 784, 10_000, 10**9])
def test_a_target_is_met_by_the_smallest_units(target: int) -> None:
    module, _ = mnist_like()
    FoldLayers(target_cycles=target).apply(CONTEXT, module)
    module.verify()
    for layer in design_of(module).layers:
        assert layer.cycles() <= target
        within = [f for f in possible_foldings(layer) if layer.folded_cycles(f) <= target]
        assert layer.folded_area(layer.folding) == min(map(layer.folded_area, within))


def test_an_unreachable_target_names_the_layers() -> None:
    rng = np.random.default_rng(1)
    at = rng.integers(0, 4, (6, 1))
    module = network(TensorType(bnn.uint(2), (5, 6)), [threshold(at, bnn.bipolar, name="sign")])
    to_dataflow(module)
    with pytest.raises(IrcError) as raised:
        FoldLayers(target_cycles=4).apply(CONTEXT, module)
    assert str(raised.value) == (
        "target-cycles=4 is out of reach:\n  layer 'sign' takes at least 5 cycles a frame"
    )
    with pytest.raises(UsageError, match="target-cycles must be positive, not 0"):
        FoldLayers(target_cycles=0).apply(CONTEXT, module)


def test_the_default_is_the_fastest_within_its_area() -> None:
    _, design = mnist_like()
    tables = [FoldingTable(layer) for layer in design.layers]
    for area in (200, 1200, 20_000):
        target = balanced_target(tables, area)
        assert sum(table.area(target) for table in tables) <= area
        faster = [cycles for table in tables for cycles in table.cycles if cycles < target]
        assert not faster or sum(table.area(max(faster)) for table in tables) > area


def test_windows_do_not_slow_the_default_down() -> None:
    """A VGG-like network of nine layers is as fast as its layers alone would be: what windows,
    padding and pools take at the least comes on top of the default area."""
    rng = np.random.default_rng(1)

    def weighted(shape: tuple[int, ...]) -> list[Layer]:
        weights = random_values(rng, bnn.bipolar, shape)
        layer = linear(weights, bnn.bipolar) if len(shape) == 2 else conv(weights, bnn.bipolar)
        return [layer, threshold(np.zeros((shape[0], 1), np.int64), bnn.bipolar)]

    layers: list[Layer] = []
    channels = 3
    for index, rows in enumerate((64, 64, 128, 128, 256, 256)):
        layers += weighted((rows, 3, 3, channels))
        channels = rows
        if index in (1, 3):
            layers.append(max_pool((2, 2), (2, 2)))
    layers.append(reshape(256))
    for rows, columns in ((512, 256), (512, 512), (10, 512)):
        layers += weighted((rows, columns))
    design = to_dataflow(network(TensorType(bnn.sint(8), (32, 32, 3)), layers))
    tables = [FoldingTable(layer) for layer in design.layers]
    assert sum(table.overhead for table in tables) > 0
    assert balanced_target(tables) == 230_400


def test_the_written_file_gives_the_same_folding_back(tmp_path: Path) -> None:
    module, _ = mnist_like()
    FoldLayers(target_cycles=500).apply(CONTEXT, module)
    text = format_folding(module)
    assert text == (
        "# net: 448 cycles a frame\n"
        'layer "sign" { pe = 2 memory = auto }\n'
        'layer "fc1" { pe = 2 simd = 56 memory = auto }\n'
        'layer "fc2" { pe = 1 simd = 2 memory = auto }\n'
    )
    path = tmp_path / "net.fold"
    path.write_text(text, encoding="utf-8")
    again, _ = mnist_like()
    SetFolding(str(path)).apply(CONTEXT, again)
    again.verify()
    assert str(again) == str(module)


def test_a_file_changes_only_what_it_mentions(tmp_path: Path) -> None:
    module, _ = mnist_like()
    FoldLayers(target_cycles=500).apply(CONTEXT, module)
    before = foldings(module)
    path = tmp_path / "net.fold"
    path.write_text('# wider\nlayer "fc1" { simd = 49 // lanes\n memory = bram }\n', "utf-8")
    SetFolding(str(path)).apply(CONTEXT, module)
    module.verify()
    assert foldings(module) == {**before, "fc1": (before["fc1"][0], 49)}
    assert design_of(module).layers[1].folding == Folding(before["fc1"][0], 49, "block")


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        (
            'layer "fc1" { pe = 5 }',
            (1, 20),
            "pe = 5 does not divide layer 'fc1'; possible are 1, 2, 4, 8, 16, 32, 64",
        ),
        ('\n  layer "fc11" {}', (2, 9), "unknown layer 'fc11'; did you mean 'fc1'?"),
        ('layer "x" {}', (1, 7), "unknown layer 'x'; there are sign, fc1, fc2"),
        (
            'layer "sign" { simd = 2 }',
            (1, 16),
            "layer 'sign' has no simd: only pe folds it",
        ),
        ('layer "fc1" { pe = two }', (1, 20), "'pe' is a number, not 'two'"),
        ('layer "fc1" { pe = 2 pe = 4 }', (1, 22), "'pe' is set twice for layer 'fc1'"),
        ('layer "fc1" {} layer "fc1" {}', (1, 22), "layer 'fc1' is folded twice"),
        (
            'layer "fc1" { memory = blok }',
            (1, 24),
            "unknown memory 'blok'; did you mean 'block'?",
        ),
        ('layer "fc1" { sind = 2 }', (1, 15), "unknown setting 'sind'; did you mean 'simd'?"),
        (
            'layer "fc1" { pe = 2',
            (1, 20),
            "the file ends too early: expected layers such as: "
            'layer "fc1" { pe = 16 simd = 49 memory = block }',
        ),
        (
            "layer fc1 {}",
            (1, 7),
            "unexpected 'fc1': expected layers such as: "
            'layer "fc1" { pe = 16 simd = 49 memory = block }',
        ),
        (
            "\n\n%",
            (3, 1),
            "unexpected '%': expected layers such as: "
            'layer "fc1" { pe = 16 simd = 49 memory = block }',
        ),
    ],
)
def test_mistakes_have_a_line_a_column_and_a_remedy(
    text: str, place: tuple[int, int], message: str, tmp_path: Path
) -> None:
    module, _ = mnist_like()
    path = tmp_path / "net.fold"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(IrcError) as raised:
        SetFolding(str(path)).apply(CONTEXT, module)
    location = raised.value.location
    assert str(raised.value) == message
    assert isinstance(location, FileLineColLoc)
    assert location.filename.data == str(path)
    assert (location.line.data, location.column.data) == place


def test_a_number_of_many_digits_is_no_crash(tmp_path: Path) -> None:
    module, _ = mnist_like()
    path = tmp_path / "net.fold"
    path.write_text(f'layer "fc1" {{ pe = {"9" * 5000} }}', encoding="utf-8")
    with pytest.raises(IrcError, match="does not divide layer 'fc1'"):
        SetFolding(str(path)).apply(CONTEXT, module)


def test_a_folding_file_is_text(tmp_path: Path) -> None:
    path = tmp_path / "net.fold"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(IrcError, match="a folding file is UTF-8 text"):
        SetFolding(str(path)).apply(CONTEXT, mnist_like()[0])


def test_conversions_go_by_the_least_common_multiple() -> None:
    assert conversion_steps(4, 4) == []
    assert conversion_steps(2, 8) == [8]
    assert conversion_steps(8, 2) == [2]
    assert conversion_steps(4, 6) == [12, 6]


def test_without_fifos_the_rate_is_lost() -> None:
    module, _ = mnist_like()
    FoldLayers(target_cycles=500).apply(CONTEXT, module)
    InsertWidthConverters().apply(CONTEXT, module)
    design = design_of(module)
    without = simulate_cycles(design.units, design.source.beats).interval
    InsertFifos().apply(CONTEXT, module)
    design = design_of(module)
    assert simulate_cycles(design.units, design.source.beats).interval == design.cycles()
    assert without is not None
    assert without > design.cycles()
