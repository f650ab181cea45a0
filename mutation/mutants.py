"""Small mistakes in Python code, each as a new syntax tree.

A library of mutations would run the whole suite, or map it by coverage, in processes that each
import everything anew. Here few functions matter, and the tests of each are known.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}

_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
    ast.Pow: ast.Mult,
    ast.MatMult: ast.Add,
}

_NAMES = {
    "min": "max",
    "minimum": "maximum",
    "any": "all",
    "argmin": "argmax",
    "floor": "ceil",
    "rint": "floor",
    "first": "last",
    "low": "high",
    "and_": "or_",
    "xor": "xnor",
    "add": "sub",
    "zext": "sext",
    "before": "after",
    "int64": "int8",
    "append": "remove",
    "zeros_like": "ones_like",
}
"""Names that are easily taken for one another; either way."""

_SWAPPED = {**_NAMES, **{b: a for a, b in _NAMES.items()}}


@dataclass(frozen=True)
class Mutant:
    """A module with one mistake."""

    module: str
    function: str
    line: int
    change: str
    """The expression or statement before and after, as text."""
    occurrence: int
    """Which of those in the function that read alike, from 0."""
    _whole: ast.Module = field(repr=False)
    _mutation: _Mutation = field(repr=False)

    @property
    def tree(self) -> ast.Module:
        """The module with the mistake."""
        return _replaced(self._whole, self._mutation)

    @property
    def key(self) -> str:
        """What names it, whatever stands above it in the file."""
        which = f" #{self.occurrence}" if self.occurrence else ""
        return f"{self.module}:{self.function}: {self.change}{which}"


def mutants_of(module: str, source: str, functions: Sequence[str]) -> list[Mutant]:
    """All mistakes in the named functions and classes, `Class.method` or `*` for the whole module.

    Raises `ValueError` for a name that the module lacks.
    """
    tree = ast.parse(source)
    scopes = dict(_scopes(tree))
    wanted = [name for name in scopes if _is_wanted(name, functions)]
    lacking = [f for f in functions if f != "*" and not any(_is_wanted(n, [f]) for n in wanted)]
    if lacking:
        raise ValueError(f"{module} has no {', '.join(lacking)}")
    found: list[Mutant] = []
    for name in wanted:
        seen: dict[str, int] = {}
        for mutation in _Mutations().of(scopes[name]):
            occurrence = seen.get(mutation.change, 0)
            seen[mutation.change] = occurrence + 1
            line, change = mutation.node.lineno, mutation.change
            found.append(Mutant(module, name, line, change, occurrence, tree, mutation))
    return found


def _is_wanted(name: str, functions: Sequence[str]) -> bool:
    return any(f == "*" or name == f or name.startswith(f"{f}.") for f in functions)


def _scopes(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, ast.FunctionDef]]:
    """The functions of a module and of its classes; those within functions belong to these."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            yield prefix + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from _scopes(node, f"{prefix}{node.name}.")


@dataclass(frozen=True)
class _Mutation:
    """Another node in the place of one; None for no statement at all."""

    node: ast.expr | ast.stmt
    other: ast.AST | None
    change: str


class _Mutations:
    """Finds the mutations of a function."""

    def of(self, function: ast.FunctionDef) -> Iterator[_Mutation]:
        """In the order of the text, without docstrings, annotations and messages of errors."""
        body = function.body
        if _is_docstring(body[0]):
            body = body[1:]
        for default in [*function.args.defaults, *function.args.kw_defaults]:
            if default is not None:
                yield from self._node(default)
        for statement in body:
            yield from self._node(statement)

    def _node(self, node: ast.AST) -> Iterator[_Mutation]:
        if isinstance(node, ast.Raise | ast.Assert | ast.JoinedStr | ast.Import | ast.ImportFrom):
            return
        if isinstance(node, ast.expr | ast.stmt):
            for other in self._others(node):
                text = "nothing" if other is None else ast.unparse(other)
                change = f"{_short(ast.unparse(node))} -> {_short(text)}"
                yield _Mutation(node, other, change)
        if isinstance(node, ast.FunctionDef):
            yield from self.of(node)
            return
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list"):
                continue
            children = cast(list[object], value if isinstance(value, list) else [value])
            for child in children:
                if isinstance(child, ast.AST) and not _is_docstring(child):
                    yield from self._node(child)

    def _others(self, node: ast.expr | ast.stmt) -> Iterator[ast.AST | None]:
        match node:
            case ast.Compare(left, [op], right) if type(op) in _COMPARISONS:
                yield ast.Compare(left, [_COMPARISONS[type(op)]()], right)
            case ast.Compare(left, [first, second], right):
                for ops in (
                    [_COMPARISONS[type(first)](), second],
                    [first, _COMPARISONS[type(second)]()],
                ):
                    yield ast.Compare(left, ops, right)
            case ast.BinOp(left, op, right) if type(op) in _OPERATORS and not _is_text(node):
                yield ast.BinOp(left, _OPERATORS[type(op)](), right)
            case ast.BoolOp(op, values):
                yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
            case ast.UnaryOp(ast.USub() | ast.Not() | ast.Invert(), operand):
                yield operand
            case ast.Constant(value):
                yield from _other_constants(value)
            case ast.IfExp(test, body, orelse):
                yield ast.IfExp(ast.UnaryOp(ast.Not(), test), body, orelse)
            case ast.If(test, body, orelse) if not isinstance(body[0], ast.Raise):
                yield ast.If(ast.UnaryOp(ast.Not(), test), body, orelse)
            case ast.While(test, body, orelse):
                yield ast.While(ast.Constant(False), body, orelse)
            case ast.Attribute(value, attr, context) if attr in _SWAPPED:
                yield ast.Attribute(value, _SWAPPED[attr], context)
            case ast.Name(name, context) if name in _SWAPPED and isinstance(context, ast.Load):
                yield ast.Name(_SWAPPED[name], context)
            case ast.Expr(ast.Call()) | ast.AugAssign():
                yield None
            case ast.Continue():
                yield ast.Break()
            case _:
                pass


def _other_constants(value: object) -> Iterator[ast.AST]:
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int | float):
        yield ast.Constant(value + 1)
        if value > 0:
            yield ast.Constant(value - 1)


def _is_docstring(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _is_text(node: ast.BinOp) -> bool:
    """Whether an operator joins or formats texts, which messages are made of."""
    return any(
        isinstance(side, ast.JoinedStr)
        or (isinstance(side, ast.Constant) and isinstance(side.value, str))
        for side in (node.left, node.right)
    )


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 100 else f"{line[:97]}..."


class _Replace(ast.NodeTransformer):
    def __init__(self, node: ast.AST, other: ast.AST | None) -> None:
        self.node, self.other = node, other

    def visit(self, node: ast.AST) -> ast.AST:
        if node is self.node:
            return ast.copy_location(self.other or ast.Pass(), node)
        return self.generic_visit(node)


def _replaced(tree: ast.Module, mutation: _Mutation) -> ast.Module:
    """The tree with one node replaced; the original stays."""
    number = next(i for i, node in enumerate(ast.walk(tree)) if node is mutation.node)
    mutated = copy.deepcopy(tree)
    node = next(node for i, node in enumerate(ast.walk(mutated)) if i == number)
    _Replace(node, copy.deepcopy(mutation.other)).visit(mutated)
    return ast.fix_missing_locations(mutated)
