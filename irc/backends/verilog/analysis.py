"""What the printer needs to know about an `hw.module` before it writes a line."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from xdsl.dialects import comb, hw, seq
from xdsl.dialects.builtin import IntegerType, Signedness
from xdsl.ir import Attribute, Block, Operation, SSAValue

from irc.backends.verilog.expressions import SHIFT_AMOUNT_WIDTH
from irc.dialects import rtl
from irc.errors import IrcError, UnsupportedError
from irc.interp.rtl_order import evaluation_order

COMBINATIONAL = (
    comb.VariadicCombOperation,
    comb.BinCombOperation,
    comb.ICmpOp,
    comb.ExtractOp,
    comb.ConcatOp,
    comb.ReplicateOp,
    comb.MuxOp,
    hw.ConstantOp,
    hw.ArrayCreateOp,
    hw.ArrayGetOp,
    hw.BitcastOp,
    rtl.PopcountOp,
    rtl.WireOp,
)
"""Operations whose result follows their operands at once."""

STATEFUL = (seq.CompRegOp, rtl.RomOp, rtl.RamOp, hw.InstanceOp)
"""Operations whose results are available before any combinational logic is written."""

_SHIFTS = (comb.ShlOp, comb.ShrUOp, comb.ShrSOp)


def bits_of(value_type: Attribute) -> int:
    """Bits that a value of this type takes as a Verilog vector.

    Raises `UnsupportedError` for types that Verilog cannot carry.
    """
    match value_type:
        case seq.ClockType():
            return 1
        case IntegerType() if (
            value_type.width.data > 0 and value_type.signedness.data == Signedness.SIGNLESS
        ):
            return value_type.width.data
        case hw.ArrayType() if len(value_type) > 0:
            return len(value_type) * bits_of(value_type.get_element_type())
        case _:
            raise UnsupportedError(
                f"a value of type {value_type} has no Verilog form: "
                "expected !seq.clock, a signless integer of at least one bit, or an array of these"
            )


def width(value: SSAValue) -> int:
    """Bits of a value."""
    return bits_of(value.type)


def constant_of(value: SSAValue) -> int | None:
    """The unsigned value of an `hw.constant`, or None."""
    owner = value.owner
    if isinstance(owner, hw.ConstantOp):
        return owner.value.value.data & ((1 << width(value)) - 1)
    return None


@dataclass(frozen=True)
class Update:
    """What a register does at a clock edge: `if (enable) register <= value`."""

    enable: SSAValue | None
    value: SSAValue


def register_update(op: seq.CompRegOp) -> Update:
    """See a multiplexer that holds the register's own value as an enable."""
    owner = op.input.owner
    if isinstance(owner, comb.MuxOp) and owner.false_value is op.data:
        return Update(owner.cond, owner.true_value)
    return Update(None, op.input)


def operands_of(op: Operation) -> list[SSAValue]:
    """The operands that the text of `op` mentions."""
    if isinstance(op, seq.CompRegOp):
        update = register_update(op)
        candidates = [update.value, update.enable, op.clk, op.reset, op.reset_value]
        return [value for value in candidates if value is not None]
    return list(op.operands)


def _combinational_operands(op: Operation) -> list[Operation]:
    owners = (operand.owner for operand in op.operands)
    return [owner for owner in owners if isinstance(owner, COMBINATIONAL)]


@dataclass
class ModuleAnalysis:
    """Live operations in program order, uses, and an order of evaluation.

    Raises `IrcError` for operations without a Verilog form and for combinational loops.
    """

    module: hw.HWModuleOp
    live: list[Operation] = field(default_factory=list[Operation])
    """Operations that an output, an instance or a RAM depends on."""
    uses: Counter[SSAValue] = field(default_factory=Counter[SSAValue])
    """How often live operations mention a value."""
    selected: set[SSAValue] = field(default_factory=set[SSAValue])
    """Values of which bits are selected, which takes a name."""
    evaluation_order: list[Operation] = field(default_factory=list[Operation])
    """Live combinational operations, operands first."""

    def __post_init__(self) -> None:
        block = self.module.body.block
        live = self._reachable(block)
        self.live = [op for op in block.ops if op in live]
        for op in self.live:
            for operand in operands_of(op):
                self.uses[operand] += 1
            if isinstance(op, comb.ExtractOp | hw.ArrayGetOp):
                self.selected.add(op.operands[0])
            if isinstance(op, _SHIFTS) and width(op.rhs) > SHIFT_AMOUNT_WIDTH:
                self.selected.add(op.rhs)
        self.evaluation_order = self._order()

    def _reachable(self, block: Block) -> set[Operation]:
        pending: list[Operation] = [
            op for op in block.ops if isinstance(op, hw.InstanceOp | hw.OutputOp)
        ]
        live = set(pending)
        while pending:
            for operand in operands_of(pending.pop()):
                owner = operand.owner
                if isinstance(owner, Operation) and owner not in live:
                    if not isinstance(owner, COMBINATIONAL + STATEFUL):
                        raise self.error(owner, f"operation '{owner.name}' has no Verilog form")
                    live.add(owner)
                    pending.append(owner)
        return live

    def _order(self) -> list[Operation]:
        roots = [op for op in self.live if isinstance(op, COMBINATIONAL)]
        return evaluation_order(roots, _combinational_operands, self._loop)

    def _loop(self, loop: list[Operation]) -> IrcError:
        names = [op.results[0].name_hint or op.name for op in loop]
        return self.error(loop[0], f"combinational loop: {' <- '.join([*names, names[0]])}")

    def error(self, op: Operation, message: str) -> IrcError:
        """An error about one operation of this module."""
        return UnsupportedError(f"module '{self.module.sym_name.data}': {message}", op.location)
