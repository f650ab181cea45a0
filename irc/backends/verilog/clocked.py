"""Clocked blocks: registers and memory accesses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from xdsl.dialects import seq
from xdsl.ir import Operation, SSAValue

from irc.backends.verilog.analysis import constant_of, register_update
from irc.backends.verilog.layout import Lines
from irc.backends.verilog.values import Values
from irc.dialects import rtl


def print_registers(lines: Lines, values: Values) -> None:
    """One `always` block for every clock and reset."""
    groups: dict[tuple[SSAValue, SSAValue | None], list[seq.CompRegOp]] = {}
    for op in values.analysis.live:
        if isinstance(op, seq.CompRegOp):
            groups.setdefault((op.clk, op.reset), []).append(op)
    for (clk, reset), registers in groups.items():
        lines.section()
        lines.add(f"  always @(posedge {values.read(clk).text}) begin")
        if reset is None:
            _updates(lines, values, registers, "    ")
        else:
            lines.add(f"    if ({values.read(reset).text}) begin")
            for op in registers:
                assert op.reset_value is not None
                initial = values.read(op.reset_value).text
                lines.add(f"      {values.name_of(op.data)} <= {initial};")
            lines.add("    end else begin")
            _updates(lines, values, registers, "      ")
            lines.add("    end")
        lines.add("  end")


def _updates(lines: Lines, values: Values, registers: Sequence[seq.CompRegOp], indent: str) -> None:
    """Next values; neighbours with the same enable share an `if`."""
    updates = [(op, register_update(op)) for op in registers]
    for enable, group in groupby(updates, key=lambda item: item[1].enable):
        statements = [
            f"{values.name_of(op.data)} <= {values.read(update.value).text};"
            for op, update in group
            if update.value is not op.data
        ]
        if enable is None or not statements:
            for statement in statements:
                lines.add(f"{indent}{statement}")
            continue
        condition = f"{indent}if ({values.read(enable).text})"
        if len(statements) == 1:
            lines.add(f"{condition} {statements[0]}")
            continue
        lines.add(f"{condition} begin")
        for statement in statements:
            lines.add(f"{indent}  {statement}")
        lines.add(f"{indent}end")


def print_memory_accesses(
    lines: Lines, values: Values, memory_names: Mapping[Operation, str]
) -> None:
    """One `always` block for every memory, in the form that synthesisers map to block RAM."""
    for op, memory in memory_names.items():
        assert isinstance(op, rtl.RomOp | rtl.RamOp)
        output = values.name_of(op.result)
        lines.section()
        lines.add(f"  always @(posedge {values.read(op.clk).text}) begin")
        if isinstance(op, rtl.RamOp):
            address = values.read(op.write_address).as_index
            data = values.read(op.write_data).text
            _when(lines, values, op.write_enable, f"{memory}[{address}] <= {data};")
            address, enable = values.read(op.read_address).as_index, op.read_enable
        else:
            address, enable = values.read(op.address).as_index, op.enable
        _when(lines, values, enable, f"{output} <= {memory}[{address}];")
        lines.add("  end")


def _when(lines: Lines, values: Values, condition: SSAValue, statement: str) -> None:
    if constant_of(condition) == 1:
        lines.add(f"    {statement}")
    else:
        lines.add(f"    if ({values.read(condition).text}) {statement}")
