"""A cycle-accurate two-state simulator of `hw`, `comb`, `seq` and `rtl`.

The instances under a top module are flattened into one Python function that computes the outputs
and the next state from the inputs and the state; values are unsigned Python integers. State that
nothing has set yet (registers without reset, memory outputs, RAM words) is random where a seed is
given, so that a design that depends on it shows different results, and 0 otherwise.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from xdsl.dialects import hw, seq
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import BlockArgument, Operation, OpResult, SSAValue

from irc.dialects import rtl
from irc.errors import IrcError, UnsupportedError
from irc.interp.rtl_comb import HELPERS, expression, mask, width
from irc.interp.rtl_order import evaluation_order

__all__ = ["HwSimulator"]


class _Instance:
    """A module in its place in the hierarchy."""

    def __init__(
        self, module: hw.HWModuleOp, path: str, parent: _Instance | None, op: hw.InstanceOp | None
    ) -> None:
        self.module = module
        self.path = path
        self.parent = parent
        self.op = op
        self.children: dict[Operation, _Instance] = {}

    @property
    def ports(self) -> tuple[list[str], list[str]]:
        """Names of inputs and of outputs."""
        ports = self.module.module_type.ports
        inputs = [port.port_name.data for port in ports if port.dir.data.is_input_like()]
        return inputs, [p.port_name.data for p in ports if not p.dir.data.is_input_like()]

    @property
    def outputs(self) -> hw.OutputOp:
        """What drives the outputs."""
        terminator = self.module.body.block.last_op
        assert isinstance(terminator, hw.OutputOp)
        return terminator


_Net = tuple[_Instance, SSAValue]


class HwSimulator:
    """Simulates the module `top` of `module`, all of whose registers have one clock.

    Raises `IrcError` for combinational loops, also through instances, and for operations that have
    no meaning here.
    """

    def __init__(self, module: ModuleOp, top: str, *, seed: int | None = None) -> None:
        modules = {op.sym_name.data: op for op in module.ops if isinstance(op, hw.HWModuleOp)}
        if top not in modules:
            raise IrcError(f"there is no hw.module '{top}'; there are {', '.join(modules)}")
        self._modules = modules
        self._random = None if seed is None else random.Random(seed)
        self._variables: dict[tuple[_Instance, SSAValue], str] = {}
        self._globals: dict[str, Any] = dict(HELPERS)
        self._initial: list[int] = []
        self._next: list[str] = []
        self._edge: list[str] = []
        self._top = self._elaborate(modules[top], top, None, None)
        self.inputs, self.outputs = self._top.ports
        """Names of the ports."""
        self._function = self._compile()
        self._state = tuple(self._initial)

    def step(self, values: Mapping[str, int]) -> dict[str, int]:
        """Apply inputs, return the outputs that follow from them, then pass a clock edge.

        Inputs that are left out are 0; clocks need not be given.
        """
        outputs, self._state = self._function(
            self._state, *(values.get(name, 0) for name in self.inputs)
        )
        return dict(zip(self.outputs, outputs, strict=True))

    def reset(self, cycles: int = 2) -> None:
        """Hold `aresetn` at 0 for some cycles, all other inputs at 0."""
        for _ in range(cycles):
            self.step({"aresetn": 0})

    # Hierarchy

    def _elaborate(
        self,
        module: hw.HWModuleOp,
        path: str,
        parent: _Instance | None,
        op: hw.InstanceOp | None,
    ) -> _Instance:
        instance = _Instance(module, path, parent, op)
        for child in module.body.block.ops:
            if isinstance(child, hw.InstanceOp):
                name = child.module_name.root_reference.data
                if name not in self._modules:
                    raise IrcError(f"{path}: there is no hw.module '{name}'", child.location)
                instance.children[child] = self._elaborate(
                    self._modules[name], f"{path}.{child.instance_name.data}", instance, child
                )
        return instance

    def _resolve(self, instance: _Instance, value: SSAValue) -> _Net:
        """The operation's result or the top's input that a value stands for, across ports."""
        seen: set[_Net] = set()
        while (instance, value) not in seen:
            seen.add((instance, value))
            if isinstance(value, BlockArgument) and instance.op is not None:
                assert instance.parent is not None
                names = [name.data for name in instance.op.arg_names]
                position = names.index(instance.ports[0][value.index])
                instance, value = instance.parent, instance.op.inputs[position]
            elif isinstance(value.owner, hw.InstanceOp):
                child = instance.children[value.owner]
                name = value.owner.result_names.data[cast("OpResult[Any]", value).index].data
                instance, value = child, child.outputs.inputs[child.ports[1].index(name)]
            else:
                return instance, value
        raise self._loop([(instance, value)])

    # Translation

    def _compile(self) -> Callable[..., tuple[tuple[int, ...], tuple[int, ...]]]:
        instances = list(self._walk(self._top))
        for instance in instances:
            for op in instance.module.body.block.ops:
                if isinstance(op, seq.CompRegOp | rtl.RomOp | rtl.RamOp):
                    self._declare_state(instance, op)
        state = [f"s{i}" for i in range(len(self._initial))]
        arguments = self._top.module.body.block.args
        for position, argument in enumerate(arguments):
            self._variables[self._top, argument] = f"i{position}"

        stateful: list[tuple[_Instance, Operation]] = [
            (instance, op)
            for instance in instances
            for op in instance.module.body.block.ops
            if isinstance(op, seq.CompRegOp | rtl.RomOp | rtl.RamOp)
        ]
        nets = [net for item in stateful for net in self._dependencies(item)]
        nets += [self._resolve(self._top, value) for value in self._top.outputs.inputs]
        lines = self._logic(nets)
        self._check_clocks(stateful)
        for instance, op in stateful:
            self._transition(instance, op)
        outputs = [self._name(self._top, value) for value in self._top.outputs.inputs]
        source = "\n    ".join(
            [
                f"def step(state, {', '.join(f'i{i}' for i in range(len(arguments)))}):",
                *([f"{_tuple(state)} = state"] if state else []),
                *lines,
                f"outputs = {_tuple(outputs)}",
                *self._edge,
                f"return outputs, {_tuple(self._next)}",
            ]
        )
        exec(source, self._globals)
        return self._globals["step"]

    def _walk(self, instance: _Instance) -> Iterable[_Instance]:
        yield instance
        for child in instance.children.values():
            yield from self._walk(child)

    def _name(self, instance: _Instance, value: SSAValue) -> str:
        return self._variables[self._resolve(instance, value)]

    def _unset(self, bits: int) -> int:
        return 0 if self._random is None else self._random.getrandbits(bits)

    def _declare_state(
        self, instance: _Instance, op: seq.CompRegOp | rtl.RomOp | rtl.RamOp
    ) -> None:
        result = op.results[0]
        self._variables[instance, result] = f"s{len(self._initial)}"
        initial = self._unset(width(result))
        if isinstance(op, seq.CompRegOp) and op.power_on_value is not None:
            owner = op.power_on_value.owner
            if isinstance(owner, hw.ConstantOp):
                initial = owner.value.value.data & mask(width(result))
        self._initial.append(initial)

    def _dependencies(self, item: tuple[_Instance, Operation]) -> list[_Net]:
        instance, op = item
        return [self._resolve(instance, value) for value in op.operands]

    def _logic(self, nets: list[_Net]) -> list[str]:
        """Assignments that compute all of these nets, in order."""

        def dependencies(net: _Net) -> list[_Net]:
            instance, value = net
            if net in self._variables and self._variables[net][0] != "v":
                return []
            assert isinstance(value.owner, Operation)
            return self._dependencies((instance, value.owner))

        lines: list[str] = []
        for net in evaluation_order(nets, dependencies, self._loop):
            if net in self._variables:
                continue
            instance, value = net
            op = value.owner
            assert isinstance(op, Operation)
            text = expression(op, [self._name(instance, operand) for operand in op.operands])
            if text is None:
                raise UnsupportedError(
                    f"{instance.path}: operation '{op.name}' cannot be simulated", op.location
                )
            self._variables[net] = name = f"v{len(self._variables)}"
            lines.append(f"{name} = {text}")
        return lines

    def _loop(self, nets: list[_Net]) -> IrcError:
        names = [
            f"{instance.path}.{value.name_hint or cast('Operation', value.owner).name}"
            for instance, value in nets
        ]
        return IrcError(f"combinational loop: {' <- '.join([*names, names[0]])}")

    def _check_clocks(self, stateful: list[tuple[_Instance, Operation]]) -> None:
        clocks: set[_Net] = set()
        for instance, op in stateful:
            clocks.update(
                self._resolve(instance, value)
                for value in op.operands
                if isinstance(value.type, seq.ClockType)
            )
        if len(clocks) > 1 or any(not isinstance(value, BlockArgument) for _, value in clocks):
            raise UnsupportedError("only designs with one clock, an input, can be simulated")

    def _transition(self, instance: _Instance, op: Operation) -> None:
        """The next state of one register or memory output, and memory writes."""

        def name(value: SSAValue) -> str:
            return self._name(instance, value)

        held = self._variables[instance, op.results[0]]
        match op:
            case seq.CompRegOp():
                text = name(op.input)
                if op.reset is not None and op.reset_value is not None:
                    text = f"{name(op.reset_value)} if {name(op.reset)} else {text}"
            case rtl.RomOp():
                words = self._memory([_number(row.tobytes()) for row in op.bits()])
                text = _read(words, op.depth, name(op.enable), name(op.address), held)
            case rtl.RamOp():
                rows = op.bits()
                unset = (self._unset(op.width) for _ in range(op.depth))
                words = self._memory(
                    [*unset] if rows is None else [_number(row.tobytes()) for row in rows]
                )
                address = name(op.read_address)
                text = _read(words, op.depth, name(op.read_enable), address, held)
                # Reads come first in the generated code, so that they see the old word.
                old = f"r{len(self._next)}"
                write = name(op.write_address)
                self._edge.insert(0, f"{old} = {text}")
                self._edge.append(
                    f"if {name(op.write_enable)} and {write} < {op.depth}: "
                    f"{words}[{write}] = {name(op.write_data)}"
                )
                text = old
            case _:
                raise AssertionError(op.name)
        self._next.append(text)

    def _memory(self, words: list[int]) -> str:
        name = f"m{len(self._globals)}"
        self._globals[name] = words
        return name


def _read(words: str, depth: int, enable: str, address: str, held: str) -> str:
    """The next output of a memory."""
    return f"(({words}[{address}] if {address} < {depth} else 0) if {enable} else {held})"


def _number(bits: bytes) -> int:
    """The number whose bits, least significant first, are the bytes of `bits`."""
    return int(bits[::-1].translate(_DIGITS), 2)


_DIGITS = bytes([48, 49]) + bytes(254)


def _tuple(items: list[str]) -> str:
    return f"({', '.join(items)},)" if items else "()"
