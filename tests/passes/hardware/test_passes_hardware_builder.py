"""HwBuilder: what folds while it is built means what it would have meant."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.dialects import comb, hw
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from irc.interp.rtl import HwSimulator
from irc.passes.hardware.hw_builder import CLOCK_RESET, HwBuilder, Port

Build = Callable[[HwBuilder, SSAValue, SSAValue, SSAValue], SSAValue]

OPERATIONS: dict[str, Build] = {
    "add": lambda b, x, y, c: b.add(x, y, 3),
    "sub": lambda b, x, y, c: b.sub(x, y),
    "mul": lambda b, x, y, c: b.mul(x, y),
    "and": lambda b, x, y, c: b.and_(x, y),
    "or": lambda b, x, y, c: b.or_(x, y),
    "xor": lambda b, x, y, c: b.xor(x, y, 5),
    "xnor": lambda b, x, y, c: b.xnor(x, y),
    "not": lambda b, x, y, c: b.not_(b.not_(b.not_(x))),
    "shl": lambda b, x, y, c: b.shl(x, b.and_(y, 3)),
    "shr": lambda b, x, y, c: b.shr(x, b.and_(y, 3)),
    "sar": lambda b, x, y, c: b.sar(x, b.and_(y, 3)),
    "eq": lambda b, x, y, c: b.eq(x, y),
    "ne": lambda b, x, y, c: b.ne(x, y),
    "ult": lambda b, x, y, c: b.ult(x, y),
    "ule": lambda b, x, y, c: b.ule(x, y),
    "ugt": lambda b, x, y, c: b.ugt(x, y),
    "uge": lambda b, x, y, c: b.uge(x, y),
    "slt": lambda b, x, y, c: b.slt(x, y),
    "sle": lambda b, x, y, c: b.sle(x, y),
    "sgt": lambda b, x, y, c: b.sgt(x, y),
    "sge": lambda b, x, y, c: b.sge(x, y),
    "all": lambda b, x, y, c: b.all(x),
    "any": lambda b, x, y, c: b.any(x),
    "mux": lambda b, x, y, c: b.mux(c, x, y),
    "mux of bits": lambda b, x, y, c: b.mux(c, b.bit(x, 0), b.bit(y, -1)),
    "mux of a constant and its inverse": lambda b, x, y, c: b.mux(c, 0, b.const(1, 1)),
    "extract": lambda b, x, y, c: b.extract(b.concat(x, y, c), 3, 2),
    "concat": lambda b, x, y, c: b.concat(x, b.bit(y, 1), b.bit(y, 0), c),
    "slices": lambda b, x, y, c: b.concat(*reversed(b.slices(x, 1))),
    "replicate": lambda b, x, y, c: b.replicate(x, 3),
    "sext": lambda b, x, y, c: b.sext(x, 12),
    "zext": lambda b, x, y, c: b.zext(b.trunc(x, 2), 9),
    "popcount": lambda b, x, y, c: b.popcount(x),
    "select of slices": lambda b, x, y, c: b.select(b.slices(b.zext(x, 8), 2), b.extract(y, 0, 2)),
    "select": lambda b, x, y, c: b.select([x, y, b.add(x, y), x], b.extract(y, 0, 2)),
}


def result(build: Build, width: int, values: tuple[int, int, int], constant: int) -> int:
    """The value of an operation; bit i of `constant` says that operand i is one."""
    names = ("x", "y", "c")
    widths = (width, width, 1)
    b = HwBuilder("m", [Port.input(name, w) for name, w in zip(names, widths, strict=True)])
    operands = [
        b.const(value, w) if constant >> i & 1 else b.input(name)
        for i, (name, w, value) in enumerate(zip(names, widths, values, strict=True))
    ]
    out = build(b, operands[0], operands[1], operands[2])
    b.ports = (*b.ports, Port.output("out", b.width(out)))
    b.output("out", out)
    module = ModuleOp([b.finish()])
    module.verify()
    return HwSimulator(module, "m").step(dict(zip(names, values, strict=True)))["out"]


@pytest.mark.parametrize("name", OPERATIONS)
@settings(max_examples=12, deadline=None)
@given(st.data())
def test_folding_changes_nothing(name: str, data: st.DataObject) -> None:
    width = data.draw(st.integers(3, 8))
    extremes = st.sampled_from([0, 1, (1 << width) - 1, 1 << (width - 1)])
    number = st.one_of(extremes, st.integers(0, (1 << width) - 1))
    values = (data.draw(number), data.draw(number), data.draw(st.integers(0, 1)))
    build = OPERATIONS[name]
    results = {result(build, width, values, constant) for constant in range(8)}
    assert len(results) == 1


def empty() -> HwBuilder:
    return HwBuilder("m", [*CLOCK_RESET, Port.input("x", 8), Port.output("y", 8)])


def test_constants_leave_no_operations() -> None:
    b = empty()
    value = b.mux(b.ult(b.const(3, 8), 5), b.add(b.const(250, 8), 10), b.input("x"))
    assert isinstance(value.owner, hw.ConstantOp)
    b.output("y", value)
    assert not any(isinstance(op, comb.MuxOp | comb.ICmpOp | comb.AddOp) for op in b.block.ops)


def test_equal_operations_are_built_once() -> None:
    b = empty()
    x = b.input("x")
    assert b.add(x, 1) is b.add(x, 1)
    assert b.const(-1, 8) is b.const(255, 8)
    assert b.add(x, 1) is not b.add(x, 2)


def test_comparisons_that_cannot_fail_fold() -> None:
    b = empty()
    x = b.input("x")
    for value, expected in (
        (b.uge(x, 0), 1),
        (b.ult(x, 0), 0),
        (b.ule(x, 255), 1),
        (b.ugt(x, 255), 0),
        (b.sge(x, -128), 1),
        (b.sgt(x, 127), 0),
        (b.ule(b.const(0, 8), x), 1),
    ):
        assert value is b.const(expected, 1)


MISTAKES: list[tuple[Callable[[HwBuilder, SSAValue], object], str]] = [
    (lambda b, x: b.add(x, b.bit(x, 0)), "expected 8 bits, got i1"),
    (lambda b, x: b.const(256, 8), "256 does not fit 8 bits"),
    (lambda b, x: b.add(1, 2), "an operation on constants only has no width"),
    (lambda b, x: b.extract(x, 5, 4), "bits 5 to 8 lie outside i8"),
    (lambda b, x: b.zext(x, 7), "cannot widen i8 to 7 bits"),
    (lambda b, x: b.output("y", b.bit(x, 0)), "expected 8 bits, got i1"),
    (lambda b, x: b.finish(), "module m: output y has no driver"),
]


@pytest.mark.parametrize(("wrong", "message"), MISTAKES)
def test_mistakes_are_named(wrong: Callable[[HwBuilder, SSAValue], object], message: str) -> None:
    b = empty()
    x = b.input("x")
    with pytest.raises(ValueError, match=message):
        wrong(b, x)


def test_undriven_wires_and_unknown_ports_are_named() -> None:
    b = empty()
    b.output("y", b.wire("ring", 8).value)
    with pytest.raises(ValueError, match="module m: wire ring has no driver"):
        b.finish()
    inner = empty()
    inner.output("y", inner.input("x"))
    module = inner.finish()
    outer = empty()
    with pytest.raises(ValueError, match="instance i of m: no x given"):
        outer.instance("i", module, {})
    with pytest.raises(ValueError, match="m has no input z"):
        outer.instance("i", module, {"x": 1, "z": 1})
