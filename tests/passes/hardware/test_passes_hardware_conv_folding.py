"""Convolutions folded over taps of the kernel, over groups, and over output pixels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hardware_nets import (
    CONTEXT,
    Array,
    Hardware,
    fold,
    network,
    random_values,
    threshold,
    to_dataflow,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spatial_nets import conv, max_pool, pad
from xdsl.dialects.builtin import FileLineColLoc, ModuleOp, TensorType

from irc.dialects import bnn, dataflow
from irc.dialects.dataflow import Folding
from irc.errors import IrcError
from irc.interp.dataflow_cycles import simulate_cycles
from irc.interp.run import run_module
from irc.passes.hardware.design import Design, design_of
from irc.passes.hardware.fold_layers import FoldLayers
from irc.passes.hardware.folding_file import format_folding
from irc.passes.hardware.folding_search import FoldingTable
from irc.passes.hardware.lanes import folded_cycles
from irc.passes.hardware.set_folding import SetFolding
from irc.passes.hardware.surroundings import surrounding_area

quietly = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@dataclass(frozen=True)
class Convolution:
    """A network of one convolution, frames for it, and its results."""

    module: ModuleOp
    inputs: Array
    expected: Array

    def __repr__(self) -> str:
        return str(self.module)


def convolution(
    space: list[int],
    kernel: list[int],
    strides: list[int],
    groups: int,
    group_channels: int,
    group_rows: int,
    seed: int = 0,
) -> Convolution:
    """Bipolar weights, 2-bit inputs, and thresholds per channel."""
    rng = np.random.default_rng(seed)
    rows, channels = groups * group_rows, groups * group_channels
    weights = random_values(rng, bnn.bipolar, (rows, *kernel, group_channels))
    layers = [
        conv(weights, bnn.bipolar, strides, [1] * len(space), groups),
        threshold(rng.integers(-3, 4, (rows, 1)), bnn.bipolar),
    ]
    module = network(TensorType(bnn.uint(2), (*space, channels)), layers)
    inputs = random_values(rng, bnn.uint(2), (3, *space, channels))
    return Convolution(module, inputs, run_module(module, [inputs])[0])


@st.composite
def convolutions(draw: st.DrawFn) -> Convolution:
    """On images or sequences, in groups or not."""
    space = draw(st.lists(st.integers(1, 8), min_size=1, max_size=2))
    kernel = [draw(st.integers(1, min(3, size))) for size in space]
    strides = [draw(st.integers(1, 2)) for _ in space]
    sizes = [draw(st.integers(1, 3)) for _ in range(3)]
    return convolution(space, kernel, strides, *sizes, seed=draw(st.integers(0, 2**32 - 1)))


def every_folding(layer: dataflow.FoldedNode) -> list[Folding]:
    """Every PE, SIMD and MMV that go together and need no buffer."""
    assert isinstance(layer, dataflow.MvuOp)
    foldings = [
        Folding(pe, simd, mmv=mmv)
        for pe in layer.pe_choices()
        for simd in layer.simd_choices()
        for mmv in layer.mmv_choices()
        if layer.channels % simd == 0 or simd % layer.channels == 0
    ]
    return [folding for folding in foldings if layer.unfit(folding) is None]


def check(sample: Convolution, design: Design, cycles: int) -> None:
    """Values at level dataflow and in hardware, and cycles, are as promised."""
    module = sample.module
    assert np.array_equal(run_module(module, [sample.inputs])[0], sample.expected)
    assert design.cycles() == cycles
    assert simulate_cycles(design.units, design.source.beats, 14).interval == cycles
    hardware = Hardware(module)
    for stall in (0.0, 0.4):
        played = hardware.play(sample.inputs, stall, stall)
        assert np.array_equal(hardware.values(played), sample.expected)
        if not stall:
            report = simulate_cycles(design.units, design.source.beats, len(sample.inputs))
            assert [end - 1 for end in played.frame_ends] == report.nodes[-1].last


@given(convolutions(), st.integers(0, 2**32 - 1))
@settings(quietly, max_examples=40)
def test_any_folding_is_exact_in_values_and_cycles(sample: Convolution, seed: int) -> None:
    (layer,) = to_dataflow(sample.module).layers
    foldings = every_folding(layer)
    folding = foldings[seed % len(foldings)]
    cycles = folded_cycles(layer, folding)
    check(sample, fold(sample.module, [folding]), cycles)


def test_a_depthwise_convolution_takes_channels_and_taps_at_once() -> None:
    """OH·OW · C/PE · K²/SIMD cycles, as long as the frame itself comes in that time."""
    for pe, simd in ((1, 1), (4, 1), (1, 3), (4, 3), (2, 9)):
        sample = convolution([9, 8], [3, 3], [1, 1], 4, 1, 1)
        (layer,) = to_dataflow(sample.module).layers
        assert layer.pe_choices() == [1, 2, 4]
        promised = max(7 * 6 * (4 // pe) * (9 // simd), 9 * 8 * (4 // pe))
        check(sample, fold(sample.module, [Folding(pe, simd)]), promised)


def test_a_convolution_takes_its_taps_at_once() -> None:
    """One pixel a cycle, where PE and SIMD cover all: not one channel of one tap."""
    sample = convolution([6, 8], [3, 3], [1, 1], 1, 2, 3)
    to_dataflow(sample.module)
    check(sample, fold(sample.module, [Folding(3, 18)]), 6 * 8)


def test_windows_hold_no_more_taps_than_the_layer_has_time_for() -> None:
    sample = convolution([6, 8], [3, 3], [1, 1], 1, 2, 9)
    to_dataflow(sample.module)
    design = fold(sample.module, [Folding(1, 18)])
    (window,) = (unit for unit in design.units if isinstance(unit, dataflow.WindowOp))
    assert not window.is_parallel
    assert window.cycles() == 4 * 6 * 9 == design.cycles()


def test_neighbouring_pixels_are_computed_at_once() -> None:
    """Four pixels a cycle, on either side."""
    for space, kernel in (([8, 18], [3, 3]), ([66], [3])):
        sample = convolution(space, kernel, [1] * len(space), 1, 2, 3)
        (layer,) = to_dataflow(sample.module).layers
        taps = int(np.prod(kernel))
        check(
            sample,
            fold(sample.module, [Folding(3, 2 * taps, mmv=4)]),
            int(np.prod(space)) // 2,
        )
        assert dataflow.stream_type(layer.operands[0]).shape[-1] == 4 * 2 * taps


def test_the_search_takes_several_pixels_only_where_nothing_else_helps() -> None:
    (layer,) = to_dataflow(convolution([6, 8], [3, 3], [1, 1], 1, 2, 3).module).layers
    table = FoldingTable(layer)
    assert table.folding(48) == Folding(3, 18)
    assert table.folding(47).mmv > 1
    assert all(table.folding(cycles).mmv == 1 for cycles in table.cycles if cycles >= 48)


def test_padding_passes_on_as_many_pixels_as_the_windows_take() -> None:
    rng = np.random.default_rng(3)
    weights = random_values(rng, bnn.bipolar, (2, 3, 3, 2))
    layers = [pad((1, 1), (1, 3), 0, bnn.uint(2)), conv(weights, bnn.bipolar)]
    module = network(TensorType(bnn.uint(2), (4, 8, 2)), layers)
    inputs = random_values(rng, bnn.uint(2), (3, 4, 8, 2))
    sample = Convolution(module, inputs, run_module(module, [inputs])[0])
    to_dataflow(module)
    design = fold(module, [Folding(2, 18, mmv=2)])
    assert design.source.lanes == 2 * 2
    check(sample, design, (4 + 2) * (8 + 4) // 2)


def test_the_search_counts_what_stands_around_a_layer() -> None:
    """Wide windows are paid for by the layer that wants them, pools by the one before them."""
    module = convolution([9, 8], [3, 3], [1, 1], 4, 1, 1).module
    (layer,) = to_dataflow(module).layers
    narrow, wide = Folding(4, 1), Folding(4, 9)
    assert surrounding_area(layer, wide) > 2 * surrounding_area(layer, narrow) > 0
    fold(module, [wide])
    window = layer.operands[0].owner
    assert isinstance(window, dataflow.WindowOp)
    assert window.resources().luts == surrounding_area(layer, wide)

    rng = np.random.default_rng(0)
    layers = [
        conv(random_values(rng, bnn.bipolar, (4, 1, 1, 2)), bnn.bipolar),
        max_pool((2, 2), (2, 2)),
    ]
    (layer,) = to_dataflow(network(TensorType(bnn.bipolar, (4, 4, 2)), layers)).layers
    pool = layer.results[0].get_user_of_unique_use()
    assert isinstance(pool, dataflow.MaxPoolOp)
    assert surrounding_area(layer, Folding(4, 1)) == pool.resources_at(4).luts


def pooled() -> ModuleOp:
    """A convolution on 14×14, a pool, which takes a pixel a cycle at most, and another layer."""
    rng = np.random.default_rng(1)
    layers = [
        pad((1, 1), (1, 1), 1, bnn.bipolar),
        conv(random_values(rng, bnn.bipolar, (4, 3, 3, 2)), bnn.bipolar),
        threshold(np.zeros((4, 1), np.int64), bnn.bipolar),
        max_pool((2, 2), (2, 2)),
        conv(random_values(rng, bnn.bipolar, (2, 1, 1, 4)), bnn.bipolar),
    ]
    module = network(TensorType(bnn.bipolar, (14, 14, 2)), layers)
    to_dataflow(module)
    return module


def test_no_layer_is_faster_than_what_cannot_keep_up_with_it() -> None:
    module = pooled()
    FoldLayers().apply(CONTEXT, module)
    design = design_of(module)
    pool = next(unit for unit in design.units if isinstance(unit, dataflow.MaxPoolOp))
    assert pool.cycles() == design.cycles() == 14 * 14
    # Two pixels of the padded frame, of 256, are needed to keep up; no more than one behind.
    assert [layer.folding.mmv for layer in design.layers] == [2, 1]
    assert design.layers[-1].cycles() == 14 * 14


def test_a_target_that_a_pool_cannot_reach_names_it() -> None:
    with pytest.raises(IrcError) as raised:
        FoldLayers(target_cycles=130).apply(CONTEXT, pooled())
    assert str(raised.value) == (
        "target-cycles=130 is out of reach:\n"
        "  'dataflow.max_pool' takes at least 196 cycles a frame"
    )


def write_and_fold(text: str, path: Path) -> ModuleOp:
    """A convolution of three rows on six pixels, folded by a file."""
    module = convolution([4, 8], [3, 3], [1, 1], 1, 2, 3).module
    (layer,) = to_dataflow(module).layers
    path.write_text(text.replace("NAME", layer.layer_name), encoding="utf-8")
    SetFolding(str(path)).apply(CONTEXT, module)
    module.verify()
    return module


def test_a_folding_file_asks_for_pixels_and_is_written_back(tmp_path: Path) -> None:
    text = 'layer "NAME" { pe = 3 simd = 2 mmv = 3 memory = auto }\n'
    module = write_and_fold(text, tmp_path / "net.fold")
    (layer,) = (op for op in module.walk() if isinstance(op, dataflow.MvuOp))
    assert (layer.mmv, layer.cycles()) == (3, 2 * 6 // 3 * 9)
    assert format_folding(module).splitlines()[1] + "\n" == text.replace("NAME", layer.layer_name)


@pytest.mark.parametrize("text", ["pe = 3 simd = 6 mmv = 1", "pe = 1 simd = 6", "simd = 2"])
def test_a_file_that_folds_without_pixels_leaves_none_of_those_chosen_before(
    text: str, tmp_path: Path
) -> None:
    """PE and SIMD are for one pixel unless the file says otherwise, as the file written back does;
    settings of another kind keep the pixels."""

    def folded(settings: str) -> ModuleOp:
        module = convolution([4, 8], [3, 3], [1, 1], 1, 2, 3).module
        (layer,) = to_dataflow(module).layers
        FoldLayers().apply(CONTEXT, module)
        assert layer.folding.mmv > 1
        path = tmp_path / "net.fold"
        path.write_text(settings.replace("NAME", layer.layer_name), encoding="utf-8")
        SetFolding(str(path)).apply(CONTEXT, module)
        module.verify()
        return module

    module = folded(f'layer "NAME" {{ {text} }}')
    (layer,) = design_of(module).layers
    assert layer.folding.mmv == 1
    assert str(folded(format_folding(module))) == str(module)

    module = folded('layer "NAME" { memory = block products = multiply }')
    (layer,) = design_of(module).layers
    assert layer.folding.mmv > 1
    assert str(folded(format_folding(module))) == str(module)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("pe = 1 mmv = 2", "mmv = 2 needs all rows at once, pe = 3"),
        ("pe = 3 mmv = 4", "mmv = 4 does not divide layer 'NAME'; possible are 1, 2, 3, 6"),
    ],
)
def test_pixels_that_do_not_fit_name_the_layer(settings: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "net.fold"
    with pytest.raises(IrcError) as raised:
        write_and_fold(f'layer "NAME" {{ {settings} }}', path)
    name = path.read_text(encoding="utf-8").split('"')[1]
    assert message.replace("NAME", name) in str(raised.value)
    assert f"layer '{name}'" in str(raised.value)
    assert isinstance(raised.value.location, FileLineColLoc)
