"""Look-up tables of a whole network with all weights as constants: a frame in every cycle.

    python benchmarks/unrolled_network.py ../shared/models/tfc_1w1a_mnist.onnx --input 0=uint8/255

    python benchmarks/unrolled_network.py ../shared/models/tfc_1w1a_mnist.onnx --input 0=uint8/255 \
        --data ../shared/data/mnist_test.npz --simulate 1000

Every layer is folded so that it takes all its weights, or all its elements, at once. The network is
synthesised for seven-series devices, six minutes for 59,000 weights, and printed beside what others
have published for networks of the size that MNIST takes. With `--check` the netlist then answers
the test vectors, as the Verilog does. `--simulate` plays images through the Verilog instead, and
compares all answers with those of ONNX Runtime.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

from irc.backends.synth.devices import device_named
from irc.backends.verilog.simulate import simulate_frames
from irc.dialects import dataflow
from irc.dialects.dataflow_node import Folding
from irc.flow.compare import compare
from irc.flow.compile import compile_model
from irc.flow.frames import Data, load_data
from irc.flow.hardware_project import write_hardware
from irc.flow.ladder import Ladder
from irc.flow.levels import FrameRunner
from irc.flow.netlist_check import check_netlist
from irc.flow.synth import synthesise_folder
from irc.interp.beats import beats_to_frames, frames_to_beats
from irc.interp.dataflow_cycles import simulate_cycles
from irc.interp.dataflow_host import hardware_inputs, host_outputs
from irc.passes.hardware.design import design_of


@dataclass(frozen=True)
class Published:
    """A network of others: what it takes, cycles a frame, and where it is said."""

    name: str
    luts: int
    cycles: int
    source: str


PUBLISHED = (
    Published(
        "FINN SFC-max, MNIST 95.8 %, 334,336 weights of 1 bit",
        91_131,
        16,
        "Umuroglu et al., FPGA 2017; ZC706 at 200 MHz, 12.3 million frames a second",
    ),
    Published(
        "LUTNet, MNIST 98.01 %, fully unrolled",
        58_192,
        1,
        "github.com/awai54st/LUTNet, README: 200 million frames a second",
    ),
    Published(
        "LogicNets JSC-L, jets 72.6 %, sparse",
        38_925,
        1,
        "github.com/Xilinx/logicnets, examples/jet_substructure; 485 MHz",
    ),
    Published(
        "LogicNets JSC-M, jets 71.5 %, sparse",
        14_576,
        1,
        "github.com/Xilinx/logicnets, examples/jet_substructure; 597 MHz",
    ),
)
"""Of networks for tasks of the size of MNIST, as their authors publish them, all by Vivado."""


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


def simulate(ladder: Ladder, data: Data, images: int, simulator: str) -> None:
    """Print how many images a simulator answers as ONNX Runtime does, and how long it takes."""
    runner = FrameRunner(ladder, data.limited(images))
    (expected,) = runner.run("onnx", images)
    module, frames = ladder.dataflow, runner.frames[:images]
    design = design_of(module)
    beats = frames_to_beats(hardware_inputs(module, [frames]), design.source)
    with tempfile.TemporaryDirectory(prefix="irc-unrolled-") as name:
        project = Path(name) / ladder.name
        write_hardware(ladder, project, frames[:4])
        played = simulate_frames(project, beats, simulator=simulator)
    (found,) = host_outputs(module, [frames], beats_to_frames(played.beats, design.result))
    agreement = compare("rtl", [found], [expected])
    print(
        f"{simulator}: {agreement.equal} of {agreement.images} images as ONNX Runtime says, "
        f"{played.cycles:.1f} cycles an image, {played.seconds:.1f} s with the build"
    )


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
    parser.add_argument("--simulate", type=int, metavar="N", help="play N images of --data instead")
    parser.add_argument("--simulator", choices=("verilator", "icarus"), default="icarus")
    parser.add_argument("--check", action="store_true", help="play the vectors through the netlist")
    options = parser.parse_args()
    inputs = tuple(options.input)
    with tempfile.TemporaryDirectory() as name:
        folder, folding = Path(name) / "net", Path(name) / "unrolled.fold"
        layers = design_of(Ladder(options.model, inputs).dataflow).layers
        folding.write_text(folding_text(layers), encoding="utf-8")
        ladder = Ladder(options.model, inputs, {"set-folding": {"file": (str(folding),)}})
        data = load_data(Path(options.data)) if options.data else None
        if options.simulate is not None:
            if data is None:
                parser.error("--simulate needs images: give --data")
            simulate(ladder, data, options.simulate, options.simulator)
            return
        compile_model(ladder, "verilog", str(folder), data, options.vectors)
        design = design_of(ladder.dataflow)
        weights = sum(layer.weight_bits() for layer in design.layers)
        timing = simulate_cycles(design.units, design.source.beats)
        print(f"{weights:,} weight bits, latency {timing.latency} cycles")
        report = synthesise_folder(folder, device_named(options.device), Path(name) / "synth")
        for module in report.modules:
            print(f"  {module.layer or module.name:30}{module.usage.luts:>8,} {report.lut_name}")
        ours = Published(
            f"irc, {weights:,} weights", report.total.luts, design.cycles(), "this script, by Yosys"
        )
        print(f"{'network':54}{'look-up tables':>16}{'cycles':>8}  source")
        for each in (ours, *PUBLISHED):
            print(f"{each.name:54}{each.luts:>16,}{each.cycles:>8,}  {each.source}")
        print(f"{report.total.luts / weights:.3f} look-up tables a weight bit")
        if options.check:
            found = check_netlist(folder, Path(name) / "synth", device_named(options.device))
            print(f"netlist: {found.frames - len(found.wrong)} of {found.frames} frames agree")


if __name__ == "__main__":
    main()
