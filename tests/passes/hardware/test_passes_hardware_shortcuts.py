"""A queue on a shortcut that is too small stalls the hardware, as the cycle model says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hardware_nets import Hardware, Sample, fold, to_dataflow
from residual_designs import Net
from xdsl.rewriter import InsertPoint, Rewriter

from irc.dialects import bnn, dataflow
from irc.dialects.dataflow import Folding
from irc.errors import IrcError
from irc.interp.dataflow_cycles import CycleReport, simulate_cycles
from irc.interp.dataflow_host import hardware_outputs
from irc.passes.hardware.design import Design, design_of


@dataclass(frozen=True)
class Shortcut:
    """A convolution, and a shortcut around it with a queue of `depth` beats put there by hand."""

    sample: Sample
    design: Design
    hardware: Hardware

    @staticmethod
    def of(depth: int, size: int) -> Shortcut:
        """With a kernel of `size` elements each way, and every channel at once."""
        net = Net(bnn.uint(2), (6, 6, 2), 0)
        sample = net.finish(net.add(net.conv(net.x, 2, size), net.x), frames=3)
        to_dataflow(sample.module)
        design = fold(sample.module, [Folding(2, 2)], fifos=False)
        (add,) = (unit for unit in design.units if isinstance(unit, dataflow.AddOp))
        fifo = dataflow.FifoOp(add.rhs, depth)
        Rewriter.insert_op(fifo, InsertPoint.before(add))
        add.operands[1] = fifo.output
        return Shortcut(sample, design_of(sample.module), Hardware(sample.module))

    def report(self) -> CycleReport | None:
        """What the cycle model says; None where it says that nothing moves any more."""
        try:
            return simulate_cycles(self.design.units, self.design.source.beats, 3)
        except IrcError:
            return None

    def check(self, report: CycleReport) -> None:
        """Let the hardware compute, in the cycles of the report."""
        played = self.hardware.play(self.sample.inputs)
        assert [end - 1 for end in played.frame_ends] == report.nodes[-1].last
        expected = hardware_outputs(self.sample.module, [self.sample.inputs])
        assert np.array_equal(self.hardware.values(played), expected)


def test_a_shortcut_without_room_stops_the_hardware() -> None:
    """A shortcut must hold what the other branch takes in before it gives anything: all beats of
    the rows above the middle of the first windows, and some of the next."""
    depth = next(depth for depth in range(2, 36) if Shortcut.of(depth, 3).report())
    assert depth > 6
    enough = Shortcut.of(depth, 3)
    report = enough.report()
    assert report is not None
    enough.check(report)
    with pytest.raises(IrcError, match="stuck: 0 of"):
        Shortcut.of(depth - 1, 3).hardware.play(enough.sample.inputs)


def test_a_shortcut_with_too_little_room_slows_the_hardware_down() -> None:
    """Beats that are under way in the other branch must have room, for one to leave a cycle."""
    intervals: dict[int, int | None] = {}
    for depth in (2, 3, 8):
        shortcut = Shortcut.of(depth, 1)
        report = shortcut.report()
        assert report is not None
        shortcut.check(report)
        intervals[depth] = report.interval
    assert intervals[8] == Shortcut.of(8, 1).design.cycles() == 36
    assert intervals[2] is not None
    assert intervals[2] > 36
