"""Order of evaluation of combinational logic."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Generic, TypeVar

Node = TypeVar("Node", bound=Hashable)


class CombinationalLoop(Exception, Generic[Node]):  # noqa: N818
    """Nodes each of which depends on the next, and the last on the first."""

    def __init__(self, nodes: list[Node]) -> None:
        super().__init__("combinational loop")
        self.nodes = nodes


def evaluation_order(
    roots: Iterable[Node], dependencies: Callable[[Node], Iterable[Node]]
) -> list[Node]:
    """Every node that the roots reach, dependencies first; raises `CombinationalLoop`.

    Depth-first without recursion, so that deep logic does no harm; linear time.
    """
    order: list[Node] = []
    done: set[Node] = set()
    for root in roots:
        if root in done:
            continue
        stack: list[tuple[Node, Iterator[Node]]] = [(root, iter(dependencies(root)))]
        active: dict[Node, None] = {root: None}
        while stack:
            node, pending = stack[-1]
            for dependency in pending:
                if dependency in active:
                    path = list(active)
                    raise CombinationalLoop(path[path.index(dependency) :])
                if dependency not in done:
                    active[dependency] = None
                    stack.append((dependency, iter(dependencies(dependency))))
                    break
            else:
                stack.pop()
                del active[node]
                done.add(node)
                order.append(node)
    return order
