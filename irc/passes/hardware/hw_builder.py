"""Builds `hw.module`s of `comb`, `seq` and `rtl` operations with explicit widths.

Values are SSA values of signless integers. Where two operands must have the same width, one may
be a Python integer, which takes the width of the other. Equal pure operations are built once and
constants fold as they are built, so that lowerings can be written without special cases.

    b = HwBuilder("counter", [*CLOCK_RESET, Port.input("en", 1), Port.output("count", 8)])
    count = b.reg("count", 8, reset=0)
    count.set_next(b.add(count.value, 1), enable=b.input("en"))
    b.output("count", count.value)
    module_op = b.finish()
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy.typing as npt
from xdsl.dialects import hw, seq
from xdsl.dialects.builtin import (
    ArrayAttr,
    IntegerType,
    LocationAttr,
    StringAttr,
    SymbolRefAttr,
)
from xdsl.ir import Block, Operation, Region, SSAValue, TypeAttribute

from irc.dialects import rtl
from irc.dialects.dense import DenseAttr
from irc.passes.hardware.hw_core import Value
from irc.passes.hardware.hw_expressions import HwExpressions

__all__ = ["CLOCK_RESET", "HwBuilder", "Port", "Reg", "Value", "Wire", "axis_ports"]


@dataclass(frozen=True)
class Port:
    """A port of a module: `width` bits, or a clock where `width` is None."""

    name: str
    is_input: bool
    width: int | None

    @staticmethod
    def input(name: str, width: int) -> Port:
        """An input of `width` bits."""
        return Port(name, True, width)

    @staticmethod
    def output(name: str, width: int) -> Port:
        """An output of `width` bits."""
        return Port(name, False, width)

    @staticmethod
    def clock(name: str) -> Port:
        """A clock input."""
        return Port(name, True, None)

    @property
    def type(self) -> TypeAttribute:
        """The type of the value at this port."""
        return seq.clock if self.width is None else IntegerType(self.width)


CLOCK_RESET = (Port.clock("aclk"), Port.input("aresetn", 1))
"""The clock and the synchronous active-low reset of every module."""


def axis_ports(prefix: str, bits: int, *, slave: bool, last: bool = True) -> list[Port]:
    """The AXI4-Stream ports `<prefix>_tdata/tvalid/tready/tlast`, for `bits` bits of TDATA.

    A slave takes data in, a master (`slave=False`) gives data out.
    """
    ports = [Port(f"{prefix}_tdata", slave, bits), Port(f"{prefix}_tvalid", slave, 1)]
    ports.append(Port(f"{prefix}_tready", not slave, 1))
    if last:
        ports.append(Port(f"{prefix}_tlast", slave, 1))
    return ports


@dataclass(frozen=True)
class Reg:
    """A register whose next value is given later; until then it holds its value."""

    builder: HwBuilder
    op: seq.CompRegOp

    @property
    def value(self) -> SSAValue:
        """The current value."""
        return self.op.data

    def set_next(self, value: Value, enable: SSAValue | None = None) -> None:
        """Load `value` at every clock edge, or at those where `enable` is 1."""
        value = self.builder.as_value(value, self.builder.width(self.value))
        if enable is not None:
            value = self.builder.mux(enable, value, self.value)
        self.op.operands[0] = value


@dataclass(frozen=True)
class Wire:
    """A named wire whose driver is given later."""

    builder: HwBuilder
    op: rtl.WireOp

    @property
    def value(self) -> SSAValue:
        """The value of the wire."""
        return self.op.result

    def drive(self, value: Value) -> None:
        """Drive the wire; must be called exactly once before `finish`."""
        self.op.operands[0] = self.builder.as_value(value, self.builder.width(self.value))


class HwBuilder(HwExpressions):
    """Builds one `hw.module`; `finish` returns it.

    Registers and memories use the ports `aclk` and `aresetn` where nothing else is given.
    `location`, where given, is put on every operation that is built.
    """

    def __init__(
        self,
        name: str,
        ports: Sequence[Port],
        *,
        public: bool = False,
        location: LocationAttr | None = None,
    ) -> None:
        self.ports = tuple(ports)
        block = Block(arg_types=[port.type for port in ports if port.is_input])
        super().__init__(block, location)
        self.name = name
        self.public = public
        inputs = [port.name for port in ports if port.is_input]
        self._inputs = dict(zip(inputs, block.args, strict=True))
        for port, value in self._inputs.items():
            value.name_hint = port
        self._outputs: dict[str, SSAValue] = {}

    def input(self, name: str) -> SSAValue:
        """The value of an input port."""
        return self._inputs[name]

    def output(self, name: str, value: Value) -> None:
        """Drive an output port; every one must be driven once before `finish`."""
        port = next(port for port in self.ports if port.name == name and not port.is_input)
        if name in self._outputs:
            raise ValueError(f"module {self.name}: output {name} is driven twice")
        assert port.width is not None
        self._outputs[name] = self.as_value(value, port.width)

    @property
    def reset(self) -> SSAValue:
        """The active-high reset, `not aresetn`."""
        return self.not_(self.input("aresetn"))

    def reg(
        self,
        name: str,
        width: int,
        reset: int | None = 0,
        *,
        clk: SSAValue | None = None,
        power_on: int | None = None,
    ) -> Reg:
        """A register of `width` bits; `reset` is its value after reset, None for no reset;
        `power_on` its value before that, unspecified where None."""
        clk = self.input("aclk") if clk is None else clk
        initial = self.const(reset or 0, width)
        op = seq.CompRegOp(
            initial,
            clk,
            None if reset is None else (self.reset, initial),
            None if power_on is None else self.const(power_on, width),
        )
        op.operands[0] = op.data
        self.insert(op)
        op.data.name_hint = name
        return Reg(self, op)

    def delay(
        self, name: str, value: SSAValue, reset: int | None = 0, enable: SSAValue | None = None
    ) -> SSAValue:
        """`value` one clock later."""
        reg = self.reg(name, self.width(value), reset)
        reg.set_next(value, enable)
        return reg.value

    def wire(self, name: str, width: int) -> Wire:
        """A wire that is driven later; feedback between instances is made with it."""
        op = rtl.WireOp(name, self.const(0, width))
        op.operands[0] = op.result
        self.insert(op)
        op.result.name_hint = name
        return Wire(self, op)

    def rom(
        self,
        name: str,
        data: DenseAttr | npt.ArrayLike,
        address: SSAValue,
        enable: Value = 1,
        *,
        style: str = "auto",
        init: str = "auto",
    ) -> SSAValue:
        """The word that `address` pointed at, one clock later; see `rtl.RomOp` for `data`."""
        op = rtl.RomOp(
            name,
            data,
            address,
            self.input("aclk"),
            self.as_value(enable, 1),
            style=style,
            init=init,
        )
        self.insert(op)
        op.result.name_hint = f"{name}_q"
        return op.result

    def ram(
        self,
        name: str,
        depth: int,
        *,
        write_enable: SSAValue,
        write_address: SSAValue,
        write_data: SSAValue,
        read_address: SSAValue,
        read_enable: Value = 1,
        style: str = "auto",
    ) -> SSAValue:
        """The word that `read_address` pointed at, one clock later; see `rtl.RamOp`."""
        op = rtl.RamOp(
            name,
            depth,
            self.input("aclk"),
            write_enable,
            write_address,
            write_data,
            self.as_value(read_enable, 1),
            read_address,
            style=style,
        )
        self.insert(op)
        op.result.name_hint = f"{name}_q"
        return op.result

    def instance(
        self, name: str, module: hw.HWModuleOp, inputs: Mapping[str, Value]
    ) -> dict[str, SSAValue]:
        """Instantiate `module`; `aclk` and `aresetn` are connected where not given.

        Returns the values of the outputs by port name.
        """
        operands: list[tuple[str, SSAValue]] = []
        results: list[tuple[str, TypeAttribute]] = []
        given = dict(inputs)
        for port in module.module_type.ports:
            port_name = port.port_name.data
            if not port.dir.data.is_input_like():
                results.append((port_name, port.type))
                continue
            if port_name in ("aclk", "aresetn"):
                given.setdefault(port_name, self.input(port_name))
            if port_name not in given:
                raise ValueError(f"instance {name} of {module.sym_name.data}: no {port_name} given")
            value = given.pop(port_name)
            operands.append((port_name, self.of_type(value, port.type)))
        if given:
            raise ValueError(f"{module.sym_name.data} has no input {next(iter(given))}")
        op = hw.InstanceOp(name, SymbolRefAttr(module.sym_name), operands, results)
        self.insert(op)
        for (port_name, _), value in zip(results, op.outputs, strict=True):
            value.name_hint = f"{name}_{port_name}"
        return {port: value for (port, _), value in zip(results, op.outputs, strict=True)}

    def finish(self) -> hw.HWModuleOp:
        """The module; raises `ValueError` for an output or a wire without a driver."""
        outputs: list[SSAValue | Operation] = []
        for port in self.ports:
            if not port.is_input:
                if port.name not in self._outputs:
                    raise ValueError(f"module {self.name}: output {port.name} has no driver")
                outputs.append(self._outputs[port.name])
        for op in self.block.ops:
            if isinstance(op, rtl.WireOp) and op.input is op.result:
                raise ValueError(f"module {self.name}: wire {op.sym_name.data} has no driver")
        self.insert(hw.OutputOp(outputs))
        ports = [
            hw.ModulePort(
                StringAttr(port.name),
                port.type,
                hw.DirectionAttr(hw.Direction.INPUT if port.is_input else hw.Direction.OUTPUT),
            )
            for port in self.ports
        ]
        module = hw.HWModuleOp(
            StringAttr(self.name),
            hw.ModuleType(ArrayAttr(ports)),
            Region(self.block),
            visibility=None if self.public else "private",
        )
        if self.location is not None:
            module.location = self.location
        return module
