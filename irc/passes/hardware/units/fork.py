"""The hardware of forks: wires, and for each reader whether it has taken the beat that is there.

A beat is taken from the input when every reader has taken it or takes it now, so that one passes
in each cycle in which all are ready; readers that are ready earlier need not wait for the others.
"""

from __future__ import annotations

from xdsl.dialects import hw

from irc.dialects import dataflow
from irc.passes.hardware.units.pipeline import INPUT, OUTPUT, branch_builder, stream_names


def fork_module(op: dataflow.ForkOp, name: str) -> hw.HWModuleOp:
    """The module of a unit with one output for each reader."""
    width, readers = dataflow.stream_type(op.input).beat_width, len(op.outputs)
    b = branch_builder(name, [width], [width] * readers, op.location)
    outputs = stream_names(OUTPUT, readers)
    valid = b.input(f"{INPUT}_tvalid")
    done = [b.reg(f"done{index}", 1) for index in range(readers)]
    after = [
        b.named(f"after{index}", b.or_(flag.value, b.input(f"{output}_tready")))
        for index, (flag, output) in enumerate(zip(done, outputs, strict=True))
    ]
    ready = b.named("ready", b.and_(*after))
    b.output(f"{INPUT}_tready", ready)
    for flag, has_taken, output in zip(done, after, outputs, strict=True):
        flag.set_next(b.and_(has_taken, b.not_(ready)), valid)
        b.output(f"{output}_tvalid", b.and_(valid, b.not_(flag.value)))
        b.output(f"{output}_tdata", b.input(f"{INPUT}_tdata"))
    return b.finish()
