"""`-t verilog{top=net}`: a design as one Verilog text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, ClassVar

from xdsl.context import Context
from xdsl.dialects import hw
from xdsl.dialects.builtin import ModuleOp
from xdsl.utils.target import Target

from irc.backends.verilog.check import check_design
from irc.backends.verilog.printer import check_level, print_module
from irc.errors import IrcError


def find_top(module: ModuleOp, top: str | None) -> str:
    """The name of the top module: `top`, or the only public `hw.module`; raises `IrcError`."""
    modules = [op for op in module.ops if isinstance(op, hw.HWModuleOp)]
    if not modules:
        raise IrcError(
            "there is no hw.module to print: lower to the hw level first (irc-opt --compile-to=hw)"
        )
    names = [op.sym_name.data for op in modules]
    if top is not None:
        if top not in names:
            raise IrcError(f"there is no hw.module '{top}'; there are {', '.join(names)}")
        return top
    public = [
        op.sym_name.data
        for op in modules
        if op.sym_visibility is None or op.sym_visibility.data == "public"
    ]
    if len(public) == 1:
        return public[0]
    raise IrcError(f"name the top module, top=…: one of {', '.join(public or names)}")


def reachable(module: ModuleOp, top: str) -> list[hw.HWModuleOp]:
    """`top` and all that it instantiates, in the order of the IR."""
    by_name = {op.sym_name.data: op for op in module.ops if isinstance(op, hw.HWModuleOp)}
    needed: set[str] = set()
    pending = [top]
    while pending:
        name = pending.pop()
        if name not in needed and name in by_name:
            needed.add(name)
            for op in by_name[name].body.block.ops:
                if isinstance(op, hw.InstanceOp):
                    pending.append(op.module_name.root_reference.data)
    return [op for name, op in by_name.items() if name in needed]


@dataclass(frozen=True)
class VerilogTarget(Target):
    """Prints the design under `top` as one Verilog-2005 text, ROM contents inline."""

    name: ClassVar[str] = "verilog"

    top: str | None = None

    def emit(self, ctx: Context, module: ModuleOp, output: IO[str]) -> None:
        """Print; raises `IrcError` for what has no Verilog form."""
        top = find_top(module, self.top)
        check_level(module)
        files = [print_module(op, inline_roms=True) for op in reachable(module, top)]
        check_design(files)
        output.write("\n".join(file.text for file in files))
