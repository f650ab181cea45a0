"""The network as a graph, level by level."""

from __future__ import annotations

from dataclasses import dataclass, field

from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.dialects.func import ReturnOp
from xdsl.ir import Attribute, Operation, SSAValue

from irc.dialects import dataflow, onnx, packed
from irc.dialects.locations import location_name
from irc.flow.explore.origins import Origins
from irc.interp.run import entry_function

PLUMBING = (
    dataflow.FifoOp,
    dataflow.WidthConverterOp,
    dataflow.ForkOp,
    dataflow.ReshapeOp,
    dataflow.ToStreamOp,
    dataflow.FromStreamOp,
    packed.InputOp,
    packed.OutputOp,
)
"""What moves data, and computes nothing."""


@dataclass(frozen=True)
class GraphNode:
    """`kind` is the operation without its dialect; `detail` says what it gives. `small` ones only
    move data. `origin` is the number of its set of nodes of the model."""

    name: str
    kind: str
    detail: str
    origin: int
    small: bool


@dataclass(frozen=True)
class Graph:
    """Operations of a function in its order, and which reads what of which: each edge once, with
    the type of what it carries."""

    nodes: list[GraphNode]
    edges: list[tuple[int, int]]
    types: list[str]
    ops: list[Operation] = field(default_factory=list[Operation])


def graph_of(module: ModuleOp, origins: Origins) -> Graph:
    """The graph of a module's function; constants and the return are no part of it."""
    ops = [
        op
        for op in entry_function(module).body.block.ops
        if not isinstance(op, onnx.ConstantOp | ReturnOp)
    ]
    numbers = {op: number for number, op in enumerate(ops)}
    edges: dict[tuple[int, int], str] = {}
    for op in ops:
        for operand in _read(op):
            source = numbers.get(operand.owner) if isinstance(operand.owner, Operation) else None
            if source is not None:
                edges.setdefault((source, numbers[op]), type_text(operand.type))
    nodes = [_node(op, origins) for op in ops]
    return Graph(nodes, list(edges), list(edges.values()), ops)


def _read(op: Operation) -> list[SSAValue]:
    """What an operation reads, its regions included."""
    within = {value for inner in op.walk() for value in inner.results}
    return [value for inner in op.walk() for value in inner.operands if value not in within]


def _node(op: Operation, origins: Origins) -> GraphNode:
    dialect, _, kind = op.name.partition(".")
    name = location_name(op.location)
    if isinstance(op, dataflow.FoldedNode):
        name = op.layer_name
    elif isinstance(op, packed.KernelOp):
        name = op.label.data
    kind = kind if dialect in ("onnx", "dataflow", "packed") else op.name
    detail = type_text(op.results[0].type) if op.results else ""
    small = isinstance(op, PLUMBING)
    return GraphNode(name, kind, detail, origins.of(op.location), small)


def type_text(kind: Attribute) -> str:
    """A type as short as it can be said: `64×bipolar`, `784×ui8, 7 a beat`."""
    match kind:
        case dataflow.StreamType():
            lanes = f", {kind.lanes} a beat"
            return _tensor(kind.shape, kind.element_type) + lanes
        case TensorType():
            return _tensor(kind.get_shape(), kind.element_type)
        case packed.BitsType():
            return f"{kind.rows}×{kind.width}×{_element(kind.element_type)}"
        case packed.ArrayType():
            return f"{kind.length}×{_element(kind.element_type)}"
        case _:
            return str(kind)


def _tensor(shape: tuple[int, ...], element: Attribute) -> str:
    return "×".join([*("?" if size < 0 else str(size) for size in shape), _element(element)])


def _element(kind: Attribute) -> str:
    return str(kind).removeprefix("!bnn.").removeprefix("!onnx.")
