"""The `rtl` dialect: what hardware needs beyond xDSL's `hw`, `comb` and `seq`.

Memories with a synchronous read (ROM and simple dual-port RAM), a population count, and a named
wire. Everything is two-state; modules are graph regions, so an operand may be defined further
down, which is how feedback is written.

Timing of both memories: at a rising edge of the clock where the read enable is 1, the output
becomes the word at the address; it holds otherwise. What it shows before the first enabled edge,
and at an address beyond the depth, is unspecified.
"""

from __future__ import annotations

from typing import ClassVar, cast

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import I64, IntegerAttr, IntegerType, Signedness, StringAttr, i1, i64
from xdsl.dialects.seq import ClockType
from xdsl.ir import Dialect, Operation, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    VarConstraint,
    base,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from irc.dialects.dense import DenseAttr, uint

__all__ = [
    "INITS",
    "INLINE_ROM_BITS",
    "STYLES",
    "PopcountOp",
    "RamOp",
    "RomOp",
    "Rtl",
    "WireOp",
    "address_width",
    "popcount_width",
]

STYLES = ("auto", "block", "distributed", "huge")
"""Where a memory lies: left to the synthesiser, in block RAM, in look-up tables, or in the large
single-ported RAM of iCE40 UltraPlus, which begins without contents."""

INITS = ("auto", "inline", "readmemh")
"""How a ROM's contents are written: chosen by size, in the Verilog text, or in a hex file."""

INLINE_ROM_BITS = 4096
"""`init = auto` writes ROMs of at most this many bits inline.

Synthesis time is why: at 1 Mbit, Yosys takes 163 s over inline contents and 9 s over a file.
"""


def address_width(depth: int) -> int:
    """Bits of the address of a memory of `depth` words: ceil(log2(depth)), at least 1."""
    return max(1, (depth - 1).bit_length())


def popcount_width(bits: int) -> int:
    """Bits of the population count of `bits` bits: ceil(log2(bits + 1))."""
    return bits.bit_length()


def width_of(value: SSAValue) -> int:
    """Bits of a signless integer value; raises `VerifyException` for another type."""
    match value.type:
        case IntegerType() as integer if integer.signedness.data == Signedness.SIGNLESS:
            return integer.width.data
        case other:
            raise VerifyException(f"expected a signless integer, got {other}")


def _check_address(address: SSAValue, depth: int, what: str) -> None:
    if width_of(address) != address_width(depth):
        raise VerifyException(
            f"{what} of {depth} words must be {address_width(depth)} bits, not {width_of(address)}"
        )


def _check_choice(value: StringAttr, choices: tuple[str, ...], what: str) -> None:
    if value.data not in choices:
        raise VerifyException(f"{what} must be one of {', '.join(choices)}, not '{value.data}'")


@irdl_op_definition
class RomOp(IRDLOperation):
    """A read-only memory with synchronous read: `if (enable) result <= data[address]`.

    `data` is `tensor<DEPTHxWIDTHxui1>`, bit 0 of each word first. `sym_name` names the memory in
    the Verilog text and the hex file `<module>_<sym_name>.hex`.
    """

    name = "rtl.rom"

    sym_name = prop_def(StringAttr)
    data = prop_def(DenseAttr)
    style = prop_def(StringAttr)
    init = prop_def(StringAttr)
    address = operand_def(IntegerType)
    clk = operand_def(ClockType)
    enable = operand_def(i1)
    result = result_def(IntegerType)

    assembly_format = (
        "$sym_name `[` $address `]` `clock` $clk `enable` $enable `style` $style `init` $init "
        "$data attr-dict `:` type($address) `->` type($result)"
    )

    def __init__(
        self,
        sym_name: str,
        data: DenseAttr | npt.ArrayLike,
        address: SSAValue | Operation,
        clk: SSAValue | Operation,
        enable: SSAValue | Operation,
        *,
        style: str = "auto",
        init: str = "auto",
    ) -> None:
        """`data`: the contents, or a 0/1 array `[depth, width]` with bit 0 first."""
        if not isinstance(data, DenseAttr):
            data = DenseAttr.from_numpy(data, uint(1))
        super().__init__(
            operands=[address, clk, enable],
            result_types=[IntegerType(data.shape[-1])],
            properties={
                "sym_name": StringAttr(sym_name),
                "data": data,
                "style": StringAttr(style),
                "init": StringAttr(init),
            },
        )

    @property
    def depth(self) -> int:
        """How many words there are."""
        return self.data.shape[0]

    @property
    def width(self) -> int:
        """Bits of a word."""
        return self.data.shape[1]

    @property
    def inline(self) -> bool:
        """Whether the contents belong in the Verilog text rather than in a hex file."""
        if self.init.data == "auto":
            return self.depth * self.width <= INLINE_ROM_BITS
        return self.init.data == "inline"

    def bits(self) -> npt.NDArray[np.uint8]:
        """The contents as 0/1, `[depth, width]`, bit 0 first."""
        return cast("npt.NDArray[np.uint8]", self.data.numpy())

    def verify_(self) -> None:
        _check_choice(self.style, STYLES, "style")
        _check_choice(self.init, INITS, "init")
        if len(self.data.shape) != 2 or 0 in self.data.shape or self.data.element_type != uint(1):
            raise VerifyException(
                f"contents must be tensor<DEPTHxWIDTHxui1> with no empty dimension, "
                f"not {self.data.type}"
            )
        _check_address(self.address, self.depth, "the address of a ROM")
        if width_of(self.result) != self.width:
            raise VerifyException(
                f"words are {self.width} bits, but the result is {self.result.type}"
            )


@irdl_op_definition
class RamOp(IRDLOperation):
    """A simple dual-port memory: one write port, one synchronous read port, one clock.

    Reading a word in the cycle in which it is written gives the old word. `initial`, laid out as
    the `data` of a ROM, are the contents at power-on, read from a hex file; without, they are
    unspecified until written.
    """

    name = "rtl.ram"

    WORD: ClassVar = VarConstraint("Word", base(IntegerType))

    sym_name = prop_def(StringAttr)
    depth_attr = prop_def(IntegerAttr[I64], prop_name="depth")
    style = prop_def(StringAttr)
    initial = opt_prop_def(DenseAttr)
    clk = operand_def(ClockType)
    write_enable = operand_def(i1)
    write_address = operand_def(IntegerType)
    write_data = operand_def(WORD)
    read_enable = operand_def(i1)
    read_address = operand_def(IntegerType)
    result = result_def(WORD)

    assembly_format = (
        "$sym_name `depth` $depth `style` $style (`initial` $initial^)? `clock` $clk "
        "`write` $write_enable `[` $write_address `]` $write_data "
        "`read` $read_enable `[` $read_address `]` attr-dict "
        "`:` type($write_address) `,` type($write_data) `,` type($read_address)"
    )

    def __init__(
        self,
        sym_name: str,
        depth: int,
        clk: SSAValue | Operation,
        write_enable: SSAValue | Operation,
        write_address: SSAValue | Operation,
        write_data: SSAValue | Operation,
        read_enable: SSAValue | Operation,
        read_address: SSAValue | Operation,
        *,
        style: str = "auto",
        initial: DenseAttr | None = None,
    ) -> None:
        super().__init__(
            operands=[clk, write_enable, write_address, write_data, read_enable, read_address],
            result_types=[SSAValue.get(write_data).type],
            properties={
                "sym_name": StringAttr(sym_name),
                "depth": IntegerAttr(depth, i64),
                "style": StringAttr(style),
                "initial": initial,
            },
        )

    @property
    def depth(self) -> int:
        """How many words there are."""
        return self.depth_attr.value.data

    @property
    def width(self) -> int:
        """Bits of a word."""
        return width_of(self.result)

    def bits(self) -> npt.NDArray[np.uint8] | None:
        """The contents at power-on as 0/1, `[depth, width]`, bit 0 first, if there are any."""
        if self.initial is None:
            return None
        return cast("npt.NDArray[np.uint8]", self.initial.numpy())

    def verify_(self) -> None:
        _check_choice(self.style, STYLES, "style")
        if self.initial is not None and (
            self.initial.shape != (self.depth, self.width) or self.initial.element_type != uint(1)
        ):
            raise VerifyException(
                f"initial contents must be tensor<{self.depth}x{self.width}xui1>, "
                f"not {self.initial.type}"
            )
        if self.depth < 1:
            raise VerifyException(f"depth must be positive, not {self.depth}")
        _check_address(self.write_address, self.depth, "the write address of a RAM")
        _check_address(self.read_address, self.depth, "the read address of a RAM")


@irdl_op_definition
class PopcountOp(IRDLOperation):
    """The number of ones in a value; the result has ceil(log2(bits + 1)) bits."""

    name = "rtl.popcount"

    input = operand_def(IntegerType)
    result = result_def(IntegerType)

    assembly_format = "$input attr-dict `:` type($input) `->` type($result)"
    traits = traits_def(Pure())

    def __init__(self, value: SSAValue | Operation) -> None:
        value = SSAValue.get(value)
        super().__init__(
            operands=[value], result_types=[IntegerType(popcount_width(width_of(value)))]
        )

    def verify_(self) -> None:
        expected = popcount_width(width_of(self.input))
        if width_of(self.result) != expected:
            raise VerifyException(
                f"the population count of {self.input.type} has {expected} bits, "
                f"not {width_of(self.result)}"
            )


@irdl_op_definition
class WireOp(IRDLOperation):
    """A named wire: the result equals the input.

    It gives a value a name in the Verilog text, and lets a builder use a value before it knows
    what drives it.
    """

    name = "rtl.wire"

    T: ClassVar = VarConstraint("T", base(IntegerType))

    sym_name = prop_def(StringAttr)
    input = operand_def(T)
    result = result_def(T)

    assembly_format = "$sym_name $input attr-dict `:` type($input)"
    traits = traits_def(Pure())

    def __init__(self, sym_name: str, value: SSAValue | Operation) -> None:
        value = SSAValue.get(value)
        super().__init__(
            operands=[value],
            result_types=[value.type],
            properties={"sym_name": StringAttr(sym_name)},
        )


Rtl = Dialect("rtl", [RomOp, RamOp, PopcountOp, WireOp])
