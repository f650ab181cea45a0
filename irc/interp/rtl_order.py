"""Order of evaluation of combinational logic."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TypeVar

Node = TypeVar("Node", bound=Hashable)


def evaluation_order(
    roots: Iterable[Node],
    dependencies: Callable[[Node], Iterable[Node]],
    on_loop: Callable[[list[Node]], Exception],
) -> list[Node]:
    """Every node that the roots reach, dependencies first.

    Where nodes depend on each other in a circle, raises what `on_loop` makes of these nodes.
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
                    raise on_loop(path[path.index(dependency) :])
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
