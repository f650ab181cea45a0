"""Look-up tables of a whole network with all weights as constants: a frame in every cycle.

    python benchmarks/unrolled_network.py ../shared/models/tfc_1w1a_mnist.onnx --input 0=uint8/255

Every layer is folded so that it takes all its weights, or all its elements, at once. The network is
synthesised for seven-series devices, six minutes for 59,000 weights, and printed beside what others
have published for networks of the size that MNIST takes. With `--check` the netlist then answers
the test vectors, as the Verilog does.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from irc.backends.synth.devices import device_named
from irc.dialects import dataflow
from irc.dialects.dataflow_node import Folding
from irc.flow.compile import compile_model
from irc.flow.frames import load_data
from irc.flow.ladder import Ladder
from irc.flow.netlist_check import check_netlist
from irc.flow.synth import synthesise_folder
from irc.interp.dataflow_cycles import simulate_cycles
from irc.passes.hardware.design import design_of

PUBLISHED = (
    # Umuroglu et al., FINN, FPGA 2017: 784-256-256-256-10, binary, ZC706 at 200 MHz, Vivado.
    ("FINN SFC-max, 334,336 weights", 91_131, 16),
    ("FINN SFC-fix, 334,336 weights", 5_155, 16_400),
)
"""What others take for networks that classify MNIST: name, look-up tables, cycles a frame."""


def whole(layer: dataflow.FoldedNode) -> Folding:
    """All of a layer at once."""
    if isinstance(layer, dataflow.MvuOp):
        return Folding(layer.rows, layer.columns, "logic")
    return Folding(layer.pe_choices()[-1])


def folding_text(design_layers: list[dataflow.FoldedNode]) -> str:
    """A folding file that unrolls every layer."""
    lines: list[str] = []
    for layer in design_layers:
        folding = whole(layer)
        rest = f" simd = {folding.simd} memory = logic" if folding.memory == "logic" else ""
        lines.append(f'layer "{layer.layer_name}" {{ pe = {folding.pe}{rest} }}')
    return "\n".join(lines) + "\n"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model")
    parser.add_argument("--input", action="append", default=[], help="as irc compile takes it")
    parser.add_argument("--data", help="images for the test vectors (default: random ones)")
    parser.add_argument("--vectors", type=int, default=100)
    parser.add_argument("--device", default="xc7")
    parser.add_argument("--check", action="store_true", help="play the vectors through the netlist")
    options = parser.parse_args()
    inputs = tuple(options.input)
    with tempfile.TemporaryDirectory() as name:
        folder, folding = Path(name) / "net", Path(name) / "unrolled.fold"
        layers = design_of(Ladder(options.model, inputs).dataflow).layers
        folding.write_text(folding_text(layers), encoding="utf-8")
        ladder = Ladder(options.model, inputs, {"set-folding": {"file": (str(folding),)}})
        data = load_data(Path(options.data)) if options.data else None
        compile_model(ladder, "verilog", str(folder), data, options.vectors)
        design = design_of(ladder.dataflow)
        weights = sum(layer.weight_bits() for layer in design.layers)
        timing = simulate_cycles(design.units, design.source.beats)
        print(f"{weights:,} weight bits, latency {timing.latency} cycles")
        report = synthesise_folder(folder, device_named(options.device), Path(name) / "synth")
        for module in report.modules:
            print(f"  {module.layer or module.name:30}{module.usage.luts:>8,} {report.lut_name}")
        print(f"{'network':40}{'look-up tables':>16}{'cycles':>10}")
        for what, luts, cycles in (
            (f"irc, {weights:,} weights", report.total.luts, design.cycles()),
            *PUBLISHED,
        ):
            print(f"{what:40}{luts:>16,}{cycles:>10,}")
        print(f"{report.total.luts / weights:.3f} look-up tables a weight bit")
        if options.check:
            found = check_netlist(folder, Path(name) / "synth", device_named(options.device))
            print(f"netlist: {found.frames - len(found.wrong)} of {found.frames} frames agree")


if __name__ == "__main__":
    main()
