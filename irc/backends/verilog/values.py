"""The Verilog text of SSA values: names of signals, and expressions that stand in for values."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from xdsl.dialects import comb, hw
from xdsl.ir import Operation, SSAValue

from irc.backends.verilog import expressions as ex
from irc.backends.verilog import popcount
from irc.backends.verilog.analysis import ModuleAnalysis, constant_of, width
from irc.backends.verilog.expressions import Expr
from irc.dialects import rtl


class Values:
    """What stands for each value of a module, and which bits of each signal are read."""

    def __init__(self, analysis: ModuleAnalysis) -> None:
        self.analysis = analysis
        self._exprs: dict[SSAValue, Expr] = {}
        # For every signal, a mask of the bits that something reads; −1 is all of them.
        self._bits_read: dict[SSAValue, int] = {}

    def name_signal(self, value: SSAValue, name: str) -> None:
        """Let a signal of this name stand for the value."""
        self._exprs[value] = Expr(name)
        self._bits_read[value] = 0

    def inline(self, value: SSAValue, expr: Expr) -> None:
        """Let an expression stand for the value."""
        self._exprs[value] = expr

    def name_of(self, value: SSAValue) -> str:
        """The name of a signal that is written, not read."""
        return self._exprs[value].text

    def read(self, value: SSAValue) -> Expr:
        """The text of a whole value."""
        if value in self._bits_read:
            self._bits_read[value] = -1
        return self._exprs[value]

    def reads(self, values: Iterable[SSAValue]) -> list[Expr]:
        """The texts of whole values."""
        return [self.read(value) for value in values]

    def select(self, value: SSAValue, low: int, count: int) -> Expr:
        """The text of some bits of a signal or constant."""
        constant = constant_of(value)
        if constant is not None:
            return ex.constant((constant >> low) & ((1 << count) - 1), count)
        if value in self._bits_read:
            self._bits_read[value] |= ((1 << count) - 1) << low
        return ex.index(self.name_of(value), low + count - 1, low, width(value))

    def unread(self) -> list[Expr]:
        """The bits of signals that nothing reads."""
        return [
            ex.index(self.name_of(value), end - 1, low, width(value))
            for value, mask in self._bits_read.items()
            for low, end in _zero_runs(mask, width(value))
        ]

    def expression(self, op: Operation) -> Expr:
        """The text of a combinational operation on values that have theirs."""
        match op:
            case hw.ConstantOp():
                constant = constant_of(op.result)
                assert constant is not None
                return ex.constant(constant, width(op.result))
            case comb.XorOp() if _inverts(op):
                return ex.invert(ex.associative(comb.XorOp, self.reads(list(op.inputs)[:-1])))
            case comb.VariadicCombOperation():
                return ex.associative(type(op), self.reads(op.inputs))
            case comb.ShlOp() | comb.ShrUOp() | comb.ShrSOp():
                return ex.binary(type(op), self.read(op.lhs), self._shift_amount(op.rhs))
            case comb.BinCombOperation():
                return ex.binary(type(op), self.read(op.lhs), self.read(op.rhs))
            case comb.ICmpOp():
                return self._comparison(op)
            case comb.ExtractOp():
                return self.select(op.input, op.low_bit.value.data, width(op.result))
            case comb.ConcatOp() | hw.ArrayCreateOp():
                return ex.concat(self.reads(op.inputs))
            case comb.ReplicateOp():
                return ex.replicate(self.read(op.input), width(op.result) // width(op.input))
            case comb.MuxOp():
                return ex.mux(*self.reads((op.cond, op.true_value, op.false_value)))
            case hw.ArrayGetOp():
                return self._element(op)
            case rtl.PopcountOp():
                return popcount.call(self.read(op.input), width(op.input))
            case rtl.WireOp():
                return self.read(op.input)
            case hw.BitcastOp() if width(op.input) == width(op.result):
                return self.read(op.input)
            case _:
                raise self.analysis.error(op, f"operation '{op.name}' has no Verilog form")

    def _comparison(self, op: comb.ICmpOp) -> Expr:
        predicate = op.predicate.value.data
        is_equality = comb.ICMP_COMPARISON_OPERATIONS[predicate] == "eq"
        if is_equality and width(op.rhs) > 1 and constant_of(op.rhs) == (1 << width(op.rhs)) - 1:
            return ex.reduce_and(self.read(op.lhs))
        return ex.compare(predicate, self.read(op.lhs), self.read(op.rhs))

    def _shift_amount(self, amount: SSAValue) -> Expr:
        """An amount of at most 32 bits that shifts as far as `amount` does."""
        bits, limit = width(amount), ex.SHIFT_AMOUNT_WIDTH
        constant = constant_of(amount)
        if bits <= limit:
            return self.read(amount)
        if constant is not None:
            return ex.constant(min(constant, bits), limit)
        overflow = self.select(amount, limit - 1, bits - limit + 1)
        near = ex.concat([ex.constant(0, 1), self.select(amount, 0, limit - 1)])
        return ex.mux(ex.reduce_or(overflow), ex.constant(bits, limit), near)

    def _element(self, op: hw.ArrayGetOp) -> Expr:
        """An indexed part-select of the flat array."""
        array, position = self.read(op.input).text, self.read(op.index)
        step = width(op.result)
        if width(op.input) == step:
            return Expr(array)
        if step == 1:
            return Expr(f"{array}[{position.as_index}]")
        # The product is 32 bits wide, and would widen a sum too.
        return Expr(f"{array}[{position.as_index} * {step} +: {step}]")


def _inverts(op: comb.XorOp) -> bool:
    last = op.inputs[-1]
    return len(op.inputs) > 1 and constant_of(last) == (1 << width(last)) - 1


def _zero_runs(mask: int, total: int) -> list[tuple[int, int]]:
    """Ranges `[low, end)` of zero bits among the lowest `total` bits, from the top down."""
    if mask in (-1, 0):
        return [] if mask else [(0, total)]
    runs: list[tuple[int, int]] = []
    low = 0
    for bit, group in groupby(f"{mask:0{total}b}"[::-1]):
        end = low + len(list(group))
        if bit == "0":
            runs.append((low, end))
        low = end
    return runs[::-1]
