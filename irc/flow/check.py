"""Say what in a model stands in the way of each target: everything, before anything is done."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.builtin import Float32Type
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, BlockArgument, Operation, SSAValue

from irc.dialects import bnn, onnx
from irc.dialects.dense import is_exact
from irc.errors import UnsupportedError
from irc.flow.ladder import Ladder
from irc.flow.layers import Layer, software_layers
from irc.interp.run import entry_function
from irc.passes.analysis.margin import Ambiguity
from irc.passes.hardware.convert_bnn_to_dataflow import hardware_obstacles
from irc.passes.lift.lift_onnx_to_bnn import LiftError
from irc.passes.software.convert_bnn_to_packed import software_obstacles
from irc.passes.streamline.declare_inputs import argument_name
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
    """What was found. `layers` is empty where the model could not be lifted."""

    model: str
    findings: list[Finding]
    layers: list[Layer]
    ambiguous: list[AmbiguousLayer]

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
        return CheckReport(ladder.path, _lift_findings(error), [], [])
    function = entry_function(module)
    findings = _float_findings(function)
    if not findings:
        hardware = {(describe(o.op), o.reason): ("verilog",) for o in hardware_obstacles(function)}
        software = {(describe(o.op), o.reason): ("c", "host") for o in software_obstacles(function)}
        for key in {**hardware, **software}:
            targets = hardware.get(key, ()) + software.get(key, ())
            findings.append(Finding(*key, targets))
    return CheckReport(ladder.path, findings, software_layers(module), ambiguous_layers(function))


def _lift_findings(error: UnsupportedError) -> list[Finding]:
    cause = error.__cause__
    if not isinstance(cause, LiftError):
        return [
            Finding(
                onnx.location_name(error.location) if error.location else "model",
                error.message,
                TARGETS,
            )
        ]
    return [
        Finding(f"{obstacle.node} ({obstacle.op_type})", obstacle.reason, TARGETS)
        for obstacle in cause.obstacles
    ]


def describe(op: Operation) -> str:
    """The node that an operation came from, and what it is now."""
    name = onnx.location_name(op.location)
    return f"{name} ({op.name})" if name else op.name


def ambiguous_layers(function: FuncOp) -> list[AmbiguousLayer]:
    """Layers whose thresholds another order of float32 rounding could move."""
    return [
        AmbiguousLayer(describe(op), intervals)
        for op in function.body.block.ops
        if isinstance(op, bnn.ThresholdOp) and (intervals := margin_of(op))
    ]


def _float_findings(function: FuncOp) -> list[Finding]:
    """Floats before the last layer: quantizers and sums that no integer feeds, with the reason."""
    findings: list[Finding] = []
    blamed: set[str] = set()
    for op in function.body.block.ops:
        is_float_sum = isinstance(op, bnn.LinearOp) and not is_exact(
            bnn.frame_type(op.output).element_type
        )
        if not is_float_sum and not isinstance(op, bnn.QuantizeOp):
            continue
        node, reason = _blame(function, op)
        if node not in blamed:
            blamed.add(node)
            findings.append(Finding(node, reason, TARGETS))
    return findings


def _blame(function: FuncOp, op: Operation) -> tuple[str, str]:
    """Where the floats come from that reach `op`, and what would be right."""
    if isinstance(op, bnn.LinearOp) and not is_exact(op.weights.element_type):
        return describe(op), (
            "its weights are floats that no quantizer produced; train it with quantized weights "
            "(such as Brevitas') or binarize it"
        )
    source = _origin(op.operands[0])
    if isinstance(source, BlockArgument):
        name = argument_name(function, source)
        return f"input '{name}'", (
            f"is float32; say what it is made from, as in --input {name}=uint8/255"
        )
    if isinstance(source.owner, bnn.LinearOp):
        return describe(op), f"works on the float sums of {describe(source.owner)}"
    assert not isinstance(source.owner, Block)
    return describe(op), f"works on floats that {describe(source.owner)} leaves unquantized"


def _origin(value: SSAValue) -> SSAValue:
    """The first value of the chain of operations that leads to `value`, or where it stops."""
    while isinstance(value.owner, bnn.EwiseOp | bnn.ReshapeOp | bnn.TransposeOp):
        value = value.owner.input
    if isinstance(value, BlockArgument):
        element_type = bnn.frame_type(value).element_type
        assert isinstance(element_type, Float32Type) or is_exact(element_type)
    return value
