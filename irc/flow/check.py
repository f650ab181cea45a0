"""Say what in a model stands in the way of each target: everything, before anything is done."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass

from xdsl.dialects.builtin import Float32Type, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, BlockArgument, Operation, SSAValue

from irc.dialects import bnn, onnx
from irc.dialects.dense import is_exact
from irc.errors import UnsupportedError
from irc.flow.ladder import Ladder
from irc.flow.layers import Layer, software_layers
from irc.interp.run import entry_function
from irc.passes.analysis.margin import Ambiguity
from irc.passes.hardware.hardware_section import hardware_obstacles
from irc.passes.software.convert_bnn_to_packed import software_obstacles
from irc.passes.streamline.declare_inputs import argument_name
from irc.passes.streamline.exact_sums import REASON
from irc.passes.streamline.fold_thresholds import margin_of

TARGETS = ("verilog", "c", "host")
"""What `irc compile` can make; `c` and `host` support the same networks."""


@dataclass(frozen=True)
class Finding:
    """One obstacle: the node, why it is one, and which targets it stops."""

    node: str
    reason: str
    targets: tuple[str, ...]


@dataclass(frozen=True)
class AmbiguousLayer:
    """A layer at which float32 rounding may decide: accumulators from first to last, by channel."""

    node: str
    intervals: list[Ambiguity]


@dataclass(frozen=True)
class CheckReport:
    """What was found. `layers` is empty where the model could not be lifted.

    `on_host` are the layers on floats that target verilog leaves to the host, before and after
    the hardware.
    """

    model: str
    findings: list[Finding]
    layers: list[Layer]
    ambiguous: list[AmbiguousLayer]
    on_host: list[str]

    def supports(self, target: str) -> bool:
        """Whether nothing stops `target`."""
        return not any(target in finding.targets for finding in self.findings)


def check(ladder: Ladder) -> CheckReport:
    """Lift and streamline the model, and collect what stands in the way of each target.

    Raises `IrcError` for files that hold no model at all.
    """
    try:
        module = ladder.bnn
    except UnsupportedError as error:
        return CheckReport(ladder.path, _lift_findings(ladder, error), [], [], [])
    function = entry_function(module)
    findings = [*_input_findings(function), *_layer_findings(function)]
    return CheckReport(
        ladder.path,
        findings,
        software_layers(module),
        ambiguous_layers(function),
        _left_to_host(function),
    )


def _left_to_host(function: FuncOp) -> list[str]:
    stopped = {obstacle.op for obstacle in hardware_obstacles(function)}
    if function in stopped:
        return []
    return [
        describe(op)
        for op in function.body.block.ops
        if isinstance(op, bnn.LinearOp | bnn.Quantizer)
        and _works_on_floats(op)
        and op not in stopped
    ]


def _input_findings(function: FuncOp) -> list[Finding]:
    """Inputs that test data and compiled networks cannot have."""
    arguments = function.body.block.args
    return [
        Finding(
            f"input '{argument_name(function, argument)}'",
            f"is one of {len(arguments)} inputs; networks with one are supported",
            TARGETS,
        )
        for argument in arguments[1:]
    ]


def _layer_findings(function: FuncOp) -> list[Finding]:
    """What a target cannot hold; for floats that spread, where they come from instead."""
    hardware, software = hardware_obstacles(function), software_obstacles(function)
    stopped = {("verilog",): {o.op for o in hardware}, ("c", "host"): {o.op for o in software}}
    findings = _float_findings(function, stopped)
    reasons: dict[tuple[str, str], tuple[str, ...]] = {}
    for obstacles, targets in ((hardware, ("verilog",)), (software, ("c", "host"))):
        for obstacle in obstacles:
            if findings and _works_on_floats(obstacle.op):
                continue
            key = (describe(obstacle.op), obstacle.reason)
            reasons[key] = reasons.get(key, ()) + targets
    return findings + [Finding(*key, targets) for key, targets in reasons.items()]


def _works_on_floats(op: Operation) -> bool:
    """Whether an operation gives floats, or quantizes them."""
    if isinstance(op, bnn.Quantizer):
        return True
    return any(
        isinstance(bnn.frame_type(result).element_type, Float32Type) for result in op.results
    )


_NODE_LINE = re.compile(r"\s*node '(?P<name>.*?)' \((?P<kind>.*?)\): (?P<reason>.*)")
"""How passes and the importer list what they find, a node a line."""


def _lift_findings(ladder: Ladder, error: UnsupportedError) -> list[Finding]:
    message = error.message.removeprefix(f"{ladder.path}: ")
    nodes = [match for line in message.split("\n") if (match := _NODE_LINE.fullmatch(line))]
    if not nodes:
        node = onnx.location_name(error.location) if error.location else ""
        return [Finding(node or "model", message.removeprefix("the model "), TARGETS)]
    return [
        Finding(f"{match['name']} ({match['kind']})", match["reason"], TARGETS) for match in nodes
    ]


def describe(op: Operation) -> str:
    """The node that an operation came from, and what it is now."""
    if isinstance(op, FuncOp):
        return "model"
    name = onnx.location_name(op.location)
    return f"{name} ({op.name})" if name else op.name


def ambiguous_layers(function: FuncOp) -> list[AmbiguousLayer]:
    """Layers whose thresholds another order of float32 rounding could move."""
    return [
        AmbiguousLayer(describe(op), intervals)
        for op in function.body.block.ops
        if isinstance(op, bnn.ThresholdOp) and (intervals := margin_of(op))
    ]


def _float_findings(
    function: FuncOp, stopped: Mapping[tuple[str, ...], Set[Operation]]
) -> list[Finding]:
    """Floats before the last layer: quantizers and sums that no integer feeds, with the reason.

    `stopped` says which targets each operation stops.
    """
    found: dict[str, Finding] = {}
    for op in function.body.block.ops:
        targets = sum((names for names, ops in stopped.items() if op in ops), ())
        if targets and isinstance(op, _LAYERS) and _works_on_floats(op):
            node, reason = _blame(function, op)
            known = found[node].targets if node in found else ()
            found[node] = Finding(
                node, reason, tuple(t for t in TARGETS if t in (*known, *targets))
            )
    return list(found.values())


_LAYERS = (
    bnn.LinearOp,
    bnn.ConvOp,
    bnn.Quantizer,
    bnn.MaxPoolOp,
    bnn.SumPoolOp,
    bnn.PadOp,
    bnn.AddOp,
    bnn.ConcatOp,
    bnn.SliceOp,
    bnn.UpsampleOp,
)


def _blame(function: FuncOp, op: Operation) -> tuple[str, str]:
    """Where the floats come from that reach `op`, and what would be right."""
    if isinstance(op, bnn.LinearOp | bnn.ConvOp) and not is_exact(op.weights.element_type):
        return describe(op), (
            "its weights are floats that no quantizer produced; train it with quantized weights "
            "(such as Brevitas'), or quantize or binarize it with 'irc quantize'"
        )
    if isinstance(reason := op.attributes.get(REASON), StringAttr):
        return describe(op), reason.data
    source = _origin(op.operands[0])
    if isinstance(source, BlockArgument):
        name = argument_name(function, source)
        return f"input '{name}'", (
            f"is float32; say what it is made from, as in --input {name}=uint8/255"
        )
    if isinstance(op, bnn.PadOp) and isinstance(source.owner, bnn.CastOp):
        return describe(op), (
            f"its border of {op.pad_value:g} is not what one integer stands for in every channel; "
            "pad behind a quantizer, with 0 or another of its values"
        )
    if isinstance(source.owner, bnn.LinearOp | bnn.ConvOp | bnn.SumPoolOp):
        return describe(op), f"works on the float sums of {describe(source.owner)}"
    assert not isinstance(source.owner, Block)
    if isinstance(reason := source.owner.attributes.get(REASON), StringAttr):
        return describe(source.owner), reason.data
    return describe(op), f"works on floats that {describe(source.owner)} leaves unquantized"


def _origin(value: SSAValue) -> SSAValue:
    """The first value of the chain of operations that leads to `value`, or where it stops."""
    while isinstance(value.owner, bnn.EwiseOp | bnn.ReshapeOp | bnn.TransposeOp):
        value = value.owner.input
    return value
