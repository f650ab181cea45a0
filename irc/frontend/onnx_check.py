"""What must hold of a graph before it can be represented; every fault with the node's name.

These checks do not replace `onnx.checker`: they are those that the compiler depends on, and they
accept what real exporters write.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence

from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, defs

from irc.dialects.onnx_schema import (
    DOMAINS_WITHOUT_SCHEMAS,
    RUNTIME_DOMAIN,
    is_known,
    op_specs,
    schema_at,
)
from irc.errors import IrcError, UnsupportedError

_STANDARD = ("", "ai.onnx")


def node_names(nodes: Sequence[NodeProto]) -> list[str]:
    """A name for every node: its own, or `<OpType>_<position>`."""
    return [node.name or f"{node.op_type}_{index}" for index, node in enumerate(nodes)]


def subgraphs(node: NodeProto) -> Iterator[GraphProto]:
    """The graph attributes of a node."""
    for attribute in node.attribute:
        if attribute.type == AttributeProto.GRAPH or attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def _all_nodes(graph: GraphProto) -> Iterator[tuple[str, NodeProto]]:
    for name, node in zip(node_names(graph.node), graph.node, strict=True):
        yield name, node
        for inner in subgraphs(node):
            yield from _all_nodes(inner)


def check_text(model: ModelProto, source: str) -> None:
    """`IrcError` unless every name is text: protobuf hands out damaged ones as bytes."""
    texts: list[object] = [
        model.producer_name,
        model.producer_version,
        model.domain,
        model.doc_string,
        *(entry.domain for entry in model.opset_import),
        *(text for entry in model.metadata_props for text in (entry.key, entry.value)),
        *_texts(model.graph),
    ]
    for text in texts:
        if not isinstance(text, str):
            raise IrcError(f"{source}: the name {text!r} is not UTF-8 text; the file is damaged")


def _texts(graph: GraphProto) -> Iterator[str]:
    yield graph.name
    for value in (*graph.input, *graph.output, *graph.value_info):
        yield value.name
        yield from (dim.dim_param for dim in value.type.tensor_type.shape.dim)
    yield from _initializer_names(graph)
    for node in graph.node:
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
        yield from (attribute.name for attribute in node.attribute)
        yield from (text for inner in subgraphs(node) for text in _texts(inner))


def opset_versions(model: ModelProto, source: str) -> dict[str, int]:
    """Opset version by domain; `UnsupportedError` for one that the installed onnx lacks."""
    opsets: dict[str, int] = {}
    for entry in model.opset_import:
        opsets["" if entry.domain == "ai.onnx" else entry.domain] = entry.version
    if not opsets and model.ir_version < 3:
        opsets[""] = 1
    newest = defs.onnx_opset_version()
    version = opsets.get("", newest)
    if not 1 <= version <= newest:
        raise UnsupportedError(
            f"{source}: opset {version} is not supported; the installed onnx knows 1 to {newest}"
        )
    return opsets


MAX_INLINED = 100_000
"""Nodes that a model's local functions may unfold to."""


def check_functions(model: ModelProto, source: str) -> None:
    """`IrcError` for local functions that call themselves, directly or through others, and for
    those that unfold to more nodes than any network has: each may call the next one twice."""
    bodies = {(entry.domain, entry.name): entry.node for entry in model.functions}
    sizes: dict[tuple[str, str], int] = {}

    def size_of(nodes: Iterable[NodeProto], callers: tuple[tuple[str, str], ...]) -> int:
        total = 0
        for node in nodes:
            key = (node.domain, node.op_type)
            if key in callers:
                raise IrcError(f"{source}: local function '{node.op_type}' calls itself")
            if key in bodies and key not in sizes:
                sizes[key] = size_of(bodies[key], (*callers, key))
            total += sizes.get(key, 1)
            total += sum(size_of(graph.node, callers) for graph in subgraphs(node))
        return total

    if (count := size_of(model.graph.node, ())) > MAX_INLINED:
        raise IrcError(
            f"{source}: its local functions unfold to {count:,} nodes; at most {MAX_INLINED:,} "
            "are accepted"
        )


def check_operators(model: ModelProto, opsets: dict[str, int], source: str) -> None:
    """`UnsupportedError` that lists every node whose operator the dialect lacks."""
    faults: list[str] = []
    for name, node in _all_nodes(model.graph):
        reason = _operator_fault(node, opsets)
        if reason:
            faults.append(f"  node '{name}' ({_qualified(node)}): {reason}")
    if faults:
        plural = "s" if len(faults) > 1 else ""
        listing = "\n".join(faults)
        raise UnsupportedError(
            f"{source}: {len(faults)} node{plural} with an unknown operator:\n{listing}"
        )


def _qualified(node: NodeProto) -> str:
    return f"{node.domain}::{node.op_type}" if node.domain else node.op_type


def _operator_fault(node: NodeProto, opsets: dict[str, int]) -> str:
    specs = op_specs()
    if not is_known(node.op_type, node.domain):
        if node.domain == RUNTIME_DOMAIN:
            return (
                "one of ONNX Runtime's own operators that irc lacks; give irc the model before "
                "ONNX Runtime optimized it, or quantize it in QDQ format"
            )
        spec = specs.get(node.op_type)
        if spec is not None:
            known = " or ".join(repr(domain) for domain in spec.domains)
            return f"domain {node.domain!r} is unknown; the operator exists in {known}"
        close = difflib.get_close_matches(node.op_type, specs, 1, 0.7)
        hint = f"; did you mean {close[0]}?" if close else ""
        return f"no such operator in ONNX or QONNX{hint}"
    if node.domain in DOMAINS_WITHOUT_SCHEMAS:
        return ""
    domain = "" if node.domain in _STANDARD else node.domain
    if domain not in opsets:
        return f"the model imports no opset of domain {domain!r}"
    if schema_at(node.op_type, domain, opsets[domain]) is None:
        return f"does not exist in opset {opsets[domain]}, which the model declares"
    return ""


def sort_nodes(graph: GraphProto, outer: Iterable[str], source: str) -> list[int]:
    """Positions of a graph's nodes in an order in which every value is defined before its use.

    The order of the file is kept where it already serves. `outer` are the names that enclosing
    graphs define. Raises `IrcError` for names defined twice, values that nothing defines, and
    cycles.
    """
    names = node_names(graph.node)
    producers = _producers(graph, names, source)
    available = set(outer)
    available.update(value.name for value in graph.input)
    available.update(_initializer_names(graph))
    waiting: list[set[int]] = []
    for index, node in enumerate(graph.node):
        needed: set[int] = set()
        for value in _uses(node):
            if value in producers:
                needed.add(producers[value])
            elif value not in available:
                raise _missing(value, names[index], node, [*producers, *available], source)
        waiting.append(needed)
    given: set[str] = set()
    for value in graph.output:
        if value.name in given:
            raise IrcError(f"{source}: graph output '{value.name}' is declared twice")
        given.add(value.name)
        if value.name not in producers and value.name not in available:
            raise IrcError(f"{source}: graph output '{value.name}' is computed by no node")
    return _topological(waiting, names, source)


def _initializer_names(graph: GraphProto) -> Iterator[str]:
    for tensor in graph.initializer:
        yield tensor.name
    for sparse in graph.sparse_initializer:
        yield sparse.values.name


def _producers(graph: GraphProto, names: list[str], source: str) -> dict[str, int]:
    seen: dict[str, str] = {}
    for value in graph.input:
        if value.name in seen:
            raise IrcError(f"{source}: graph input '{value.name}' is declared twice")
        seen[value.name] = "a graph input"
    initializers: set[str] = set()
    for name in _initializer_names(graph):
        if not name:
            raise IrcError(f"{source}: an initializer has no name")
        if name in initializers:
            raise IrcError(f"{source}: initializer '{name}' is defined twice")
        initializers.add(name)
        seen[name] = "an initializer"
    producers: dict[str, int] = {}
    for index, node in enumerate(graph.node):
        for output in node.output:
            if not output:
                continue
            where = f"{source}: node '{names[index]}' ({node.op_type})"
            if output in producers:
                other = names[producers[output]]
                raise IrcError(f"{where}: output '{output}' is also an output of node '{other}'")
            if output in seen:
                raise IrcError(f"{where}: output '{output}' is also {seen[output]}")
            producers[output] = index
    return producers


def _uses(node: NodeProto) -> Iterator[str]:
    """Names that a node reads, those that its subgraphs take from outside included."""
    yield from (name for name in node.input if name)
    for graph in subgraphs(node):
        local = {value.name for value in graph.input}
        local.update(_initializer_names(graph))
        for inner in graph.node:
            local.update(inner.output)
        for inner in graph.node:
            yield from (name for name in _uses(inner) if name not in local)
        yield from (value.name for value in graph.output if value.name not in local)


def _missing(value: str, name: str, node: NodeProto, known: Iterable[str], source: str) -> IrcError:
    close = difflib.get_close_matches(value, [k for k in known if k], 1, 0.8)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    return IrcError(
        f"{source}: node '{name}' ({node.op_type}): input '{value}' is neither a graph input, "
        f"an initializer nor the output of a node{hint}"
    )


def _topological(waiting: list[set[int]], names: list[str], source: str) -> list[int]:
    if all(all(before < index for before in needed) for index, needed in enumerate(waiting)):
        return list(range(len(waiting)))
    users: list[list[int]] = [[] for _ in waiting]
    for index, needed in enumerate(waiting):
        for before in needed:
            users[before].append(index)
    missing = [len(needed) for needed in waiting]
    ready = [index for index, count in enumerate(missing) if count == 0]
    order: list[int] = []
    while ready:
        index = ready.pop()
        order.append(index)
        for user in users[index]:
            missing[user] -= 1
            if missing[user] == 0:
                ready.append(user)
    if len(order) < len(waiting):
        cycle = _find_cycle(waiting, {i for i, count in enumerate(missing) if count})
        path = " -> ".join(f"'{names[index]}'" for index in cycle)
        raise IrcError(f"{source}: the graph has a cycle: {path}")
    return order


def _find_cycle(waiting: list[set[int]], stuck: set[int]) -> list[int]:
    """One cycle among nodes that all wait for another of them, in the direction of the data."""
    path: list[int] = []
    position: dict[int, int] = {}
    index = min(stuck)
    while index not in position:
        position[index] = len(path)
        path.append(index)
        index = min(waiting[index] & stuck)
    cycle = [*path[position[index] :], index]
    return cycle[::-1]
