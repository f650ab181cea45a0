"""Windows of which several elements, or several of which, leave at once; wide borders."""

from __future__ import annotations

from math import gcd
from typing import Any

import numpy as np
import pytest
from hardware_nets import Hardware, random_values
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spatial_nets import UnitSample, unit_module
from xdsl.dialects.builtin import TensorType
from xdsl.utils.exceptions import VerifyException

from irc.dialects import bnn, dataflow
from irc.dialects.bnn_spatial import window_counts
from irc.dialects.dataflow import StreamType
from irc.dialects.window_parallel import pixel_choices, tap_choices
from irc.interp.dataflow_cycles import simulate_cycles
from irc.interp.dataflow_host import hardware_outputs
from irc.passes.hardware.design import design_of

quietly = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def parallel_samples(draw: st.DrawFn, frames: int = 4) -> UnitSample:
    """A window unit with any number of taps, windows and pixels a beat."""
    space = [draw(st.integers(1, 9)) for _ in range(draw(st.sampled_from([1, 2, 2])))]
    channels = draw(st.sampled_from([1, 2, 3, 4]))
    kernel = [draw(st.integers(1, min(size, 4))) for size in space]
    strides = [draw(st.integers(1, 3)) for _ in space]
    dilations = [
        draw(st.integers(1, (size - 1) // (extent - 1))) if extent > 1 else 1
        for size, extent in zip(space, kernel, strict=True)
    ]
    counts = window_counts(space, kernel, strides, dilations)
    mmv = draw(st.sampled_from(dataflow.divisors(counts[-1])))
    pixels = draw(st.sampled_from(pixel_choices(space[-1], strides[-1] * mmv)))
    taps = draw(st.sampled_from(tap_choices(kernel)))
    groups = 1 if pixels > 1 else draw(st.sampled_from(dataflow.divisors(channels)))
    lanes = channels // groups
    if max(taps) == pixels == 1:
        lanes = draw(st.sampled_from(dataflow.divisors(lanes)))
    element_type = draw(st.sampled_from([bnn.bipolar, bnn.uint(3)]))
    source = StreamType.of(TensorType(element_type, (*space, channels)), lanes * pixels)
    module = unit_module(
        source,
        lambda value: dataflow.WindowOp(
            value, kernel, strides, dilations, lanes, groups, taps=taps, mmv=mmv, pixels=pixels
        ),
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return UnitSample(module, random_values(rng, element_type, (frames, *space, channels)))


@st.composite
def wide_pads(draw: st.DrawFn, frames: int = 4) -> UnitSample:
    """A border around beats of several elements in space."""
    space = [draw(st.integers(1, 8)) for _ in range(draw(st.sampled_from([1, 2])))]
    before, after = ([draw(st.integers(0, 5)) for _ in space] for _ in range(2))
    channels, element_type = (
        draw(st.integers(1, 3)),
        draw(st.sampled_from([bnn.bipolar, bnn.uint(2)])),
    )
    rows = gcd(space[-1], before[-1] + space[-1] + after[-1])
    lanes = channels * draw(st.sampled_from(dataflow.divisors(rows)))
    source = StreamType.of(TensorType(element_type, (*space, channels)), lanes)
    module = unit_module(
        source, lambda value: dataflow.PadOp(value, before, after, 1, element_type, lanes)
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return UnitSample(module, random_values(rng, element_type, (frames, *space, channels)))


@given(st.one_of(parallel_samples(), wide_pads()))
@settings(quietly, max_examples=60)
def test_they_leave_as_promised_in_the_cycles_promised(sample: UnitSample) -> None:
    design = design_of(sample.module)
    hardware = Hardware(sample.module)
    expected = hardware_outputs(sample.module, [sample.inputs])
    for source_stall, sink_stall in ((0.0, 0.0), (0.5, 0.1), (0.1, 0.6)):
        played = hardware.play(sample.inputs, source_stall, sink_stall)
        assert np.array_equal(hardware.values(played), expected)
        if source_stall == sink_stall == 0:
            report = simulate_cycles(design.units, design.source.beats, len(sample.inputs))
            assert [end - 1 for end in played.frame_ends] == report.nodes[-1].last
    report = simulate_cycles(design.units, design.source.beats, 12)
    assert report.interval == design.units[0].cycles()
    if not isinstance(design.units[0], dataflow.PadOp):
        assert report.latency == design.units[0].latency()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"taps": (3, 1)}, r"taps of \[3, 1\] are no part of a row of \[3, 3\], nor whole rows"),
        ({"taps": (1, 3), "lanes": 1}, "several taps leave with all channels of their group"),
        ({"mmv": 4}, "mmv = 4 does not divide the 6 windows of a row"),
        ({"pixels": 2, "lanes": 1}, "several pixels come with all their channels"),
        ({"pixels": 4, "mmv": 2}, "4 pixels divide not both the 8 of a row and the 2 from"),
    ],
)
def test_what_cannot_leave_at_once_is_refused(settings: dict[str, Any], message: str) -> None:
    source = StreamType.of(TensorType(bnn.bipolar, (5, 8, 2)), 2)
    options: dict[str, Any] = {"lanes": 2, **settings}
    with pytest.raises(VerifyException, match=message):
        unit_module(
            source, lambda value: dataflow.WindowOp(value, (3, 3), (1, 1), (1, 1), **options)
        )
