"""Look-up tables of fully unrolled layers: weights as constants, threshold included.

    python benchmarks/unrolled.py --sizes 32 64 128 --families xc7 ecp5
    python benchmarks/unrolled.py --model ../shared/models/tfc_1w1a_mnist.onnx --input 0=uint8/255

A layer of binary weights and inputs, with a threshold for each row, is written in four ways:

    naive    a popcount of XNORs with constants, as a loop
    masked   2·P(x & w) − P(x), with P(x) shared by all rows
    da4ml    the sums by da4ml (pip install da4ml), which has no thresholds: a comparison is added
    irc      `memory = logic`

and synthesised with Yosys, its modules dissolved except for irc, which wants its counters kept.
Printed are look-up tables, and these per weight bit, thresholds included. `--model` takes the
layers of a trained network, not random ones.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.dialects import hw
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.dialects.test import TestOp

from irc.backends import toolchain
from irc.backends.synth.devices import ECP5, ICE40, XC7, Family
from irc.backends.synth.yosys import cells_used
from irc.backends.verilog.printer import print_design
from irc.dialects import bnn, dataflow
from irc.dialects.dense import DenseAttr
from irc.flow.ladder import Ladder
from irc.passes.hardware.units.unrolled import unrolled_modules

Array = npt.NDArray[Any]
FAMILIES = {"xc7": XC7, "ecp5": ECP5, "ice40": ICE40}


@dataclass(frozen=True)
class Layer:
    """Weights ±1 [M, K], and thresholds [M] on their sums with inputs ±1."""

    name: str
    weights: Array
    thresholds: Array

    @property
    def counts(self) -> Array:
        """Thresholds on how many products are +1, [M]: `2·count − K >= t`."""
        columns = self.weights.shape[1]
        return np.clip(-(-(self.thresholds + columns) // 2), 0, columns + 1)


def random_layer(size: int) -> Layer:
    """Weights at random, thresholds about the middle."""
    rng = np.random.default_rng(size)
    weights = rng.choice(np.array([-1, 1]), (size, size))
    return Layer(
        f"random {size}×{size}",
        weights,
        np.round(rng.normal(0, np.sqrt(size) / 2, size)).astype(int),
    )


def trained_layers(path: str, inputs: tuple[str, ...]) -> Iterator[Layer]:
    """The layers of a model that have binary weights and inputs and one threshold a row."""
    for op in Ladder(path, inputs).bnn.walk():
        if not isinstance(op, bnn.ThresholdOp) or not isinstance(op.input.owner, bnn.LinearOp):
            continue
        weights = op.input.owner.weights
        source = bnn.frame_type(op.input.owner.input).element_type
        if weights.element_type == source == bnn.bipolar and op.thresholds.shape[1] == 1:
            rows, columns = weights.shape
            at = np.broadcast_to(op.thresholds.numpy()[:, 0].astype(np.int64), (rows,))
            yield Layer(f"trained {rows}×{columns}", weights.numpy().astype(np.int64), at)


def _bits(row: Array) -> str:
    """A row of weights as a Verilog constant."""
    return f"{len(row)}'b" + "".join("1" if w > 0 else "0" for w in row[::-1])


def _text(layer: Layer, head: str, count: Callable[[int], str]) -> str:
    rows, columns = layer.weights.shape
    width = columns.bit_length()
    lines = [
        f"module layer (input wire clk, input wire [{columns - 1}:0] in, "
        f"output reg [{rows - 1}:0] out);",
        f"  reg [{columns - 1}:0] x;",
        "  always @(posedge clk) x <= in;",
        f"  function [{width - 1}:0] ones(input [{columns - 1}:0] v);",
        "    integer i;",
        "    begin",
        "      ones = 0;",
        f"      for (i = 0; i < {columns}; i = i + 1) ones = ones + v[i];",
        "    end",
        "  endfunction",
        head,
    ]
    for row in range(rows):
        lines.append(f"  always @(posedge clk) out[{row}] <= {count(row)};")
    return "\n".join([*lines, "endmodule", ""])


def naive(layer: Layer) -> dict[str, str]:
    """Popcounts of XNORs with constants."""
    counts = layer.counts
    return {
        "layer.v": _text(
            layer, "", lambda m: f"ones(x ~^ {_bits(layer.weights[m])}) >= {counts[m]}"
        )
    }


def masked(layer: Layer) -> dict[str, str]:
    """`P(x ~^ w) = 2·P(x & w) − P(x) + P(~w)`, so that it reaches t just if `2·P(x & w)` is at
    least `P(x) + t − P(~w)`."""
    counts, columns = layer.counts, layer.weights.shape[1]
    width = columns.bit_length()
    head = f"  wire [{width - 1}:0] all = ones(x);"

    def compare(m: int) -> str:
        offset = int(counts[m] - (layer.weights[m] < 0).sum())
        twice = f"$signed({{2'b0, ones(x & {_bits(layer.weights[m])}), 1'b0}})"
        return f"{twice} >= $signed({{3'b0, all}}) + ({offset})"

    return {"layer.v": _text(layer, head, compare)}


def da4ml(layer: Layer) -> dict[str, str] | None:
    """The sums as da4ml makes them, with comparisons behind; `None` without da4ml."""
    try:
        rtl: Any = import_module("da4ml.codegen.rtl.rtl_model")
        trace: Any = import_module("da4ml.trace")
        minimal_kif: Any = import_module("da4ml.types").minimal_kif
    except ImportError:
        return None
    rows, columns = layer.weights.shape
    bits = trace.FixedVariableArrayInput(columns).quantize(0, 1, 0)
    # Inputs are bits b: the sum of products ±1 is 2·Σ w·b − Σ w.
    sums = trace.comb_trace(bits, bits @ layer.weights.T.astype(np.float64))
    with tempfile.TemporaryDirectory() as folder:
        rtl.RTLModel(sums, "sums", folder, flavor="verilog").write()
        written = (Path(folder) / "src").rglob("*.v")
        files = {path.name: path.read_text() for path in written if "wrapper" not in path.name}
    at = -(-(layer.thresholds + layer.weights.sum(axis=1)) // 2)
    formats = [minimal_kif(interval) for interval in sums.out_qint]
    ends = np.cumsum([sum(map(int, kif)) for kif in formats]).tolist()
    lines = [
        f"module layer (input wire clk, input wire [{columns - 1}:0] in, "
        f"output reg [{rows - 1}:0] out);",
        f"  reg [{columns - 1}:0] x;",
        f"  wire [{ends[-1] - 1}:0] y;",
        "  sums s (.model_inp(x), .model_out(y));",
        "  always @(posedge clk) x <= in;",
    ]
    for row, (start, end, kif) in enumerate(zip([0, *ends], ends, formats, strict=False)):
        value = f"y[{end - 1}:{start}]"
        value = f"$signed({value})" if kif[0] else f"$signed({{1'b0, {value}}})"
        lines.append(f"  always @(posedge clk) out[{row}] <= {value} >= ({at[row]});")
    return {**files, "layer.v": "\n".join([*lines, "endmodule", ""])}


def ours(layer: Layer) -> dict[str, str]:
    """`memory = logic`, its handshakes and registers included."""
    rows, columns = layer.weights.shape
    stream = dataflow.StreamType.of(TensorType(bnn.bipolar, (columns,)), columns)
    source = TestOp(result_types=[stream])
    op = dataflow.MvuOp(
        "layer",
        source.results[0],
        DenseAttr.from_numpy(layer.weights, bnn.bipolar),
        bnn.bipolar,
        DenseAttr.from_integers(layer.thresholds[:, None]),
        folding=dataflow.Folding(rows, columns, "logic"),
    )
    op.verify()
    modules: list[hw.HWModuleOp] = unrolled_modules(op, "layer")
    modules[0].properties.pop("sym_visibility", None)
    return {f"{file.name}.v": file.text for file in print_design(ModuleOp(list(modules)))}


WAYS: dict[str, Callable[[Layer], dict[str, str] | None]] = {
    "naive": naive,
    "masked": masked,
    "da4ml": da4ml,
    "irc": ours,
}


def look_up_tables(files: dict[str, str], family: Family, flat: bool) -> int:
    """Look-up tables of the module `layer`, with all in it; `flat` dissolves its modules first."""
    synthesis = family.synthesis
    if flat:
        synthesis = synthesis.replace(" -noflatten", "") + (" -flatten" if family is XC7 else "")
    with tempfile.TemporaryDirectory(dir=".") as folder:
        for name, text in files.items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        script = f"read_verilog -defer {' '.join(files)}; {synthesis} -top layer; flatten; "
        script += "tee -q -o cells.json stat -json -top layer"
        subprocess.run([*toolchain.yosys_command(), "-q", "-p", script], cwd=folder, check=True)
        report = json.loads((Path(folder) / "cells.json").read_text(encoding="utf-8"))
    return cells_used(report["design"]["num_cells_by_type"], family).luts


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", nargs="*", type=int, default=[32, 64])
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=["xc7"])
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--model", help="take the layers of a model, not random ones")
    parser.add_argument("--input", action="append", default=[], help="as irc compile takes it")
    parser.add_argument("--most", type=int, help="weights of a layer of the model, if not any")
    options = parser.parse_args()
    layers = list(map(random_layer, [] if options.model else options.sizes))
    if options.model:
        found = trained_layers(options.model, tuple(options.input))
        layers = [x for x in found if options.most is None or x.weights.size <= options.most]
    print("layer               family  " + "".join(f"{way:>16}" for way in options.ways))
    for layer in layers:
        for family in options.families:
            print(f"{layer.name:20}{family:8}", end="", flush=True)
            for way in options.ways:
                files = WAYS[way](layer)
                share = "not installed"
                if files is not None:
                    luts = look_up_tables(files, FAMILIES[family], way != "irc")
                    share = f"{luts:,} {luts / layer.weights.size:.3f}"
                print(f"{share:>16}", end="", flush=True)
            print()


if __name__ == "__main__":
    main()
