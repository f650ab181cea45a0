"""`irc quantize`: a float model into one that every level accepts."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from irc.errors import UsageError
from irc.tools.arguments import add_json, add_model, positive

if TYPE_CHECKING:
    from irc.flow.quantize import QuantizeOptions
    from irc.interp.data_files import Data

NAMED_WEIGHTS = {"binary": 1, "ternary": 2}

DESCRIPTION = """\
Quantize a float model after its training: round weights and activations to integers of few bits,
with ranges from calibration data, measure what that loses, and write the network as IR text that
compile, verify, run and check take.

  irc quantize float.onnx -o net.mlir --data calib.npz --input x=uint8/255
  irc quantize float.onnx -o net.mlir --data calib.npz --test test.npz --weights 4 --activations 4
  irc quantize float.onnx -o net.mlir --data calib.npz --weights binary --layer fc2=4

Eight bits lose little in any network, four bits often little. Binary weights lose most of what a
network knows unless it was trained for them: train with quantizers in place then, with Brevitas
or the like, and compile the model that this gives.
"""


def add_parser(commands: Any) -> None:
    """Register the subcommand."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "quantize",
        help="round a float model to few bits, and measure what is lost",
        description=DESCRIPTION,
    )
    add_model(parser, "a float model, .onnx, or .mlir at level bnn")
    parser.add_argument(
        "-o", "--output", required=True, metavar="FILE", help="the .mlir file to write"
    )
    _add_bits(parser)
    _add_calibration(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def _add_bits(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--weights",
        default="8",
        metavar="BITS",
        help="1 to 8, binary (1) or ternary (2) (default: %(default)s)",
    )
    parser.add_argument(
        "--activations",
        type=bits,
        default=8,
        metavar="BITS",
        help="what layers read, 1 to 8 (default: %(default)s)",
    )
    for edge in ("first", "last"):
        parser.add_argument(
            f"--{edge}",
            type=bits,
            default=8,
            metavar="BITS",
            help=f"weights of the {edge} layer (default: %(default)s)",
        )
    parser.add_argument(
        "--sums",
        type=bits,
        metavar="BITS",
        help="operands of residual additions (default: 2 more than activations, at most 8)",
    )
    parser.add_argument(
        "--layer",
        action="append",
        default=[],
        metavar="NAME=BITS",
        help="weights of one layer, or NAME=BITS/BITS: its weights and what it reads",
    )
    parser.add_argument(
        "--scales",
        choices=("mse", "max"),
        default="mse",
        help="scales of weights: with the least squared error, or so that no weight is clipped",
    )


def _add_calibration(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        metavar="FILE",
        help="calibration data: .npz with the inputs as x and, if known, the classes as y; or .npy",
    )
    parser.add_argument("--labels", metavar="FILE", help="the classes of --data, as .npy")
    parser.add_argument(
        "--test", metavar="FILE", help="measure on these data (default: on those of --data)"
    )
    parser.add_argument(
        "--frames",
        type=positive,
        default=512,
        metavar="N",
        help="take the ranges from the first N inputs of --data (default: %(default)s)",
    )
    parser.add_argument(
        "--limit", type=positive, metavar="N", help="use only the first N inputs of each file"
    )
    parser.add_argument(
        "--ranges",
        choices=("mse", "max", "percentile"),
        default="mse",
        help="ranges of activations: with the least squared error, all values, or all but the "
        "outermost 0.01 %% (default: %(default)s)",
    )
    parser.add_argument(
        "--range", type=number, metavar="NUMBER", help="no data: no activation is larger than that"
    )
    parser.add_argument(
        "--uncalibrated", action="store_true", help="no data: take the ranges from random inputs"
    )
    parser.add_argument(
        "--max-drop",
        type=number,
        metavar="POINTS",
        help="fail, and write nothing, if accuracy (without classes: agreement with the float "
        "network) falls by more percentage points",
    )


def bits(text: str) -> int:
    """A number of bits from 1 to 8, for argparse."""
    if not text.isdecimal() or not 1 <= int(text) <= 8:
        raise argparse.ArgumentTypeError(f"expected 1 to 8 bits, not '{text}'")
    return int(text)


def number(text: str) -> float:
    """A finite number that is not negative, for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number of at least 0, not '{text}'")
    return value


def run(options: argparse.Namespace) -> int:
    """Run the subcommand; returns the exit code."""
    import sys

    from irc.flow.check import check
    from irc.flow.ladder import Ladder
    from irc.flow.made_from import as_comment, made_from
    from irc.flow.quantize import quantize_model
    from irc.printing import print_ir
    from irc.tools.opt_output import write_result
    from irc.tools.quantize_tables import quantize_lines, warnings
    from irc.tools.step_progress import step_progress
    from irc.tools.tables import check_writable, show, write_json

    wanted = _options(options)
    if not options.output.endswith(".mlir"):
        raise UsageError(f"--output {options.output}: the network is written as IR text, .mlir")
    check_writable(options.output)
    check_writable(options.json)
    with step_progress() as progress:
        ladder = Ladder(options.model, tuple(options.input))
        module, report = quantize_model(ladder, wanted, progress)
    given = {name: getattr(options, name) for name in _TOLD if getattr(options, name)}
    made = as_comment(made_from(ladder, given, wanted.calibration))
    write_result(made + print_ir(module, locations=True), options.output)
    checked = check(Ladder(options.output))
    show(*quantize_lines(report, checked), f"wrote {options.output}", json=options.json)
    for line in warnings(report):
        print(line, file=sys.stderr)
    write_json(options.json, report)
    return 0


_TOLD = (
    *("weights", "activations", "first", "last", "sums", "layer", "scales", "frames", "limit"),
    *("ranges", "range", "uncalibrated"),
)
"""Options that decide what comes out, and are told in its first lines."""


def _options(options: argparse.Namespace) -> QuantizeOptions:
    """What the command line asks for; raises `UsageError`, and `IrcError` for bad data."""
    from irc.flow.quantize import QuantizeOptions
    from irc.interp.data_files import load_data, with_labels
    from irc.passes.quantize.insert_quantizers import ActivationChoice
    from irc.passes.quantize.quantize_weights import WeightChoice

    of_weights, of_activations = _exceptions(options.layer)
    if options.weights not in (*NAMED_WEIGHTS, *map(str, range(1, 9))):
        raise UsageError(
            f"--weights {options.weights}: expected 1 to 8, {' or '.join(NAMED_WEIGHTS)}"
        )
    width = NAMED_WEIGHTS.get(options.weights) or int(options.weights)
    method = "ternary" if options.weights == "ternary" else options.scales
    if options.labels is not None and options.data is None:
        raise UsageError(f"--labels {options.labels}: are the classes of --data, which is missing")
    if options.range == 0:
        raise UsageError("--range 0: expected a positive number")
    data: Data | None = None
    if options.data is not None:
        data = load_data(options.data)
        if options.labels is not None:
            data = with_labels(data, options.labels)
        data = data.limited(options.limit)
    test = None if options.test is None else load_data(options.test).limited(options.limit)
    return QuantizeOptions(
        WeightChoice(width, method, options.first, options.last, of_weights, "weights"),
        ActivationChoice(
            options.activations,
            options.ranges,
            sums=options.sums,
            exceptions=of_activations,
            where="activations",
        ),
        data,
        test,
        options.range,
        options.uncalibrated,
        options.frames,
        options.max_drop,
    )


def _exceptions(texts: list[str]) -> tuple[dict[str, int], dict[str, int]]:
    """`conv1=4/8` as bits of the weights and of what the layer reads, by its name."""
    weights: dict[str, int] = {}
    activations: dict[str, int] = {}
    for text in texts:
        name, equals, widths = text.rpartition("=")
        first, slash, second = widths.partition("/")
        parts = [first, second] if slash else [first]
        if not equals or not name or not all(p in map(str, range(1, 9)) for p in parts):
            raise UsageError(
                f"--layer {text}: expected NAME=BITS or NAME=BITS/BITS, 1 to 8 each, "
                "as in conv1=4 or conv1=4/8"
            )
        if name in weights:
            raise UsageError(f"--layer {text}: layer '{name}' is given twice")
        weights[name] = int(first)
        if slash:
            activations[name] = int(second)
    return weights, activations
