"""The longest combinational paths of a hardware design, through all its modules.

Hierarchy is kept in synthesis, so that tables do not reach across the border of a module; paths do:
`tready` goes from the last unit to the first one that has no register for it. Every instance is
looked at with the arrival times that it has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from xdsl.dialects import comb, hw, seq
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, BlockArgument, OpResult, SSAValue

from irc.dialects import rtl
from irc.passes.hardware.logic_depth import BLOCK_STYLES, Depth, LogicDepth


@dataclass(frozen=True)
class Path:
    """The longest path to a register or memory of an instance, or to a port of the top."""

    instance: str
    """`net` for the top, `net.fc1` for an instance in it."""
    module: str
    end: str
    depth: Depth


def longest_paths(
    module: ModuleOp,
    top: str,
    lut_inputs: int,
    length: Callable[[Depth], float] = lambda depth: depth.length,
) -> list[Path]:
    """The longest path that ends in each instance, below and with the module `top`, longest first;
    those that end at ports of the top are among its own. `length` may be what a device takes."""
    paths = [
        max(ends, key=lambda path: length(path.depth))
        for ends in all_paths(module, top, lut_inputs)
    ]
    return sorted(paths, key=lambda path: -length(path.depth))


def all_paths(module: ModuleOp, top: str, lut_inputs: int) -> Iterator[list[Path]]:
    """For each instance the longest path to every end in it."""
    modules = {op.sym_name.data: op for op in module.ops if isinstance(op, hw.HWModuleOp)}
    root = _Instance(lut_inputs, instance=top, module=modules[top], modules=modules)
    for each in root.all():
        ends = list(each.ends())
        if ends:
            yield ends


@dataclass(kw_only=True, eq=False)
class _Instance(LogicDepth):
    """An instance of a module, and when its inputs arrive."""

    instance: str
    module: hw.HWModuleOp
    modules: dict[str, hw.HWModuleOp]
    parent: _Instance | None = None
    operands: dict[str, SSAValue] = field(default_factory=dict[str, SSAValue])
    """What the parent connects to inputs, by the name of the port."""
    _children: dict[hw.InstanceOp, _Instance] = field(
        default_factory=dict[hw.InstanceOp, "_Instance"]
    )

    @property
    def block(self) -> Block:
        """The body."""
        return self.module.body.block

    def all(self) -> Iterator[_Instance]:
        """This one and all below."""
        yield self
        for op in self.block.ops:
            if isinstance(op, hw.InstanceOp):
                yield from self._child(op).all()

    def ends(self) -> Iterator[Path]:
        """Every path that ends here."""
        for op in self.block.ops:
            for result in op.results:
                self.of(result)
        for end, value in self._ends():
            yield Path(self.instance, self.module.sym_name.data, end, self.of(value))

    def _ends(self) -> Iterator[tuple[str, SSAValue]]:
        for op in self.block.ops:
            match op:
                case seq.CompRegOp():
                    name = op.data.name_hint or "register"
                    for value in _loaded(op):
                        yield name, value
                case rtl.RomOp() | rtl.RamOp():
                    for operand in op.operands:
                        yield op.sym_name.data, operand
                case hw.OutputOp() if self.parent is None:
                    for value in op.operands:
                        yield value.name_hint or "output", value
                case _:
                    pass

    def source(self, value: SSAValue) -> Depth:
        if isinstance(value, BlockArgument):
            if self.parent is None:
                return Depth()
            inputs = [p for p in self.module.module_type.ports if p.dir.data.is_input_like()]
            return self.parent.of(self.operands[inputs[value.index].port_name.data])
        match value.owner:
            case rtl.WireOp() as wire:
                return self.of(wire.input)
            case hw.InstanceOp() as op:
                assert isinstance(value, OpResult)
                child = self._child(op)
                output = child.block.last_op
                assert isinstance(output, hw.OutputOp)
                return child.of(output.operands[value.index])
            case rtl.RomOp() | rtl.RamOp() as memory if memory.style.data in BLOCK_STYLES:
                return Depth(memories=1)
            case _:
                return Depth()

    def _child(self, op: hw.InstanceOp) -> _Instance:
        if op not in self._children:
            name = op.module_name.root_reference.data
            module = self.modules[name]
            names = [port.data for port in op.arg_names]
            self._children[op] = _Instance(
                self.lut_inputs,
                instance=f"{self.instance}.{op.instance_name.data}",
                module=module,
                modules=self.modules,
                parent=self,
                operands=dict(zip(names, op.inputs, strict=True)),
            )
        return self._children[op]


def _loaded(op: seq.CompRegOp) -> list[SSAValue]:
    """What decides the next value of a register: one with an enable has an input for that."""
    following = op.input
    chosen = following.owner
    if isinstance(chosen, comb.MuxOp) and chosen.false_value is op.data:
        return [chosen.cond, chosen.true_value]
    return [following]
