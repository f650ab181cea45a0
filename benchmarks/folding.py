"""How long choosing a folding takes, and what is chosen, for each device.

    python benchmarks/folding.py ../shared/models/cnv_1w1a_cifar10.onnx
    python benchmarks/folding.py net.onnx --input uint8/255 --device up5k

The time is the processor's, of `fold-layers` alone, of a network at level dataflow: the cost of
every folding of every layer, the search, and the estimate of the design that it leads to.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from irc.devices import FIGURES, figures_of
from irc.errors import IrcError
from irc.flow.ladder import Ladder
from irc.passes.hardware.built_cost import built_cost
from irc.passes.hardware.convert_bnn_to_dataflow import ConvertBnnToDataflow
from irc.passes.hardware.design import design_of
from irc.passes.hardware.fold_layers import FoldLayers


def measure(ladder: Ladder, device: str, goal: str) -> None:
    """Print one line: the time, the rate, what the design takes, and what limits it."""
    module = ladder.bnn.clone()
    ConvertBnnToDataflow().apply(ladder.ctx, module)
    start = time.process_time()
    try:
        FoldLayers(device=device, goal=goal).apply(ladder.ctx, module)
    except IrcError as error:
        print(f"{device:9} {goal:8} {time.process_time() - start:5.2f} s  {error}")
        return
    seconds = time.process_time() - start
    design, figures = design_of(module), figures_of(device)
    cost = built_cost(design, [layer.folding for layer in design.layers], figures.family)
    rate = figures.clock * 1e6 / design.cycles()
    print(
        f"{device:9} {goal:8} {seconds:5.2f} s  {design.cycles():>9,} cycles a frame, "
        f"{rate:>11,.0f} frames/s at {figures.clock:g} MHz: about {cost.luts:,} "
        f"{figures.lut_name}s, {cost.block_rams:g} block RAMs, {cost.dsps:g} DSPs"
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="+", type=Path, help="networks, .onnx")
    parser.add_argument("--input", action="append", default=[], help="as irc compile takes it")
    parser.add_argument("--device", action="append", help="(default: all)")
    options = parser.parse_args()
    for path in options.models:
        ladder = Ladder(path, tuple(options.input))
        print(path.stem)
        for device in options.device or [figures.name for figures in FIGURES]:
            for goal in ("smallest", "fastest"):
                measure(ladder, device, goal)


if __name__ == "__main__":
    main()
