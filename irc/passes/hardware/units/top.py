"""The module that a design shows to the world: AXI4-Stream in, AXI4-Stream out.

TDATA holds `lanes` elements, lane 0 in the least significant bits, each at its own width (bipolar
as its bit, integers in two's complement), channels last; unused bits are 0 and ignored on input.
Frames follow each other without a gap and are counted by their beats: `s_axis_tlast` is ignored,
`m_axis_tlast` marks the last beat of each frame. `aresetn` clears everything, frames under way
included; nothing is accepted during reset or in the cycle after it.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import hw

from irc.dialects.dataflow import StreamType
from irc.passes.hardware.hw_builder import CLOCK_RESET, HwBuilder, Wire, axis_ports
from irc.passes.hardware.units.pipeline import INPUT, OUTPUT, counter


def top_module(
    name: str,
    source: StreamType,
    result: StreamType,
    units: Sequence[tuple[str, hw.HWModuleOp]],
) -> hw.HWModuleOp:
    """Connect `units`, pairs of instance name and module, one after another."""
    ports = [
        *CLOCK_RESET,
        *axis_ports(INPUT, source.tdata_width, slave=True),
        *axis_ports(OUTPUT, result.tdata_width, slave=False),
    ]
    b = HwBuilder(name, ports, public=True)
    resetn = b.input("aresetn")
    # One cycle late after reset, hence nothing is accepted in the cycle after it.
    running = b.reg("running", 1)
    running.set_next(1)
    open_ = b.named("open", b.and_(running.value, resetn))

    data = b.trunc(b.input(f"{INPUT}_tdata"), source.beat_width)
    valid = b.and_(b.input(f"{INPUT}_tvalid"), open_)
    ready: Wire | None = None
    for instance, module in units:
        taken = b.wire(f"{instance}_ready", 1)
        outputs = b.instance(
            instance,
            module,
            {f"{INPUT}_tdata": data, f"{INPUT}_tvalid": valid, f"{OUTPUT}_tready": taken.value},
        )
        accepts = outputs[f"{INPUT}_tready"]
        if ready is None:
            b.output(f"{INPUT}_tready", b.and_(accepts, open_))
        else:
            ready.drive(accepts)
        data, valid, ready = outputs[f"{OUTPUT}_tdata"], outputs[f"{OUTPUT}_tvalid"], taken

    assert ready is not None
    ready.drive(b.input(f"{OUTPUT}_tready"))
    offered = b.and_(valid, resetn)
    given = b.and_(offered, b.input(f"{OUTPUT}_tready"))
    b.output(f"{OUTPUT}_tdata", b.zext(data, result.tdata_width))
    b.output(f"{OUTPUT}_tvalid", offered)
    b.output(f"{OUTPUT}_tlast", counter(b, "beat", result.beats, given).is_last)
    return b.finish()
