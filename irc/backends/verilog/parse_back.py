"""Reads printed Verilog back and checks what can be seen within one module.

The grammar `verilog.lark` is exactly the subset that the printer writes, so text outside of it is a
bug in the printer. The parser computes widths while it reads: every name must be declared before it
is used, and every operator must have operands of one width. `check.py` checks what takes several
modules: instances, drivers and memory files.
"""

# Methods are named after the rules of the grammar, one line each where that says it all.
# ruff: noqa: D102

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib import resources

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedInput, VisitError

from irc.dialects.rtl import address_width
from irc.errors import IrcError


class VerilogError(IrcError):
    """Printed Verilog is not what it should be; always a bug in irc."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")


class Net(int):
    """The width of an expression; `name` where the expression is a plain signal."""

    name: str | None = None


@dataclass
class Signal:
    """A declared signal; `kind` is input, output, wire or reg."""

    kind: str
    width: int
    line: int
    drivers: int = 0


@dataclass
class Memory:
    """A declared memory; `file` is the hex file that initialises it."""

    width: int
    depth: int
    line: int
    drivers: int = 0
    file: str | None = None


@dataclass
class Instance:
    """An instance and what is connected to each of its ports."""

    module: str
    name: str
    connections: dict[str, Net]
    line: int


@dataclass
class VerilogModule:
    """What `check.py` needs to know of a module."""

    name: str = ""
    signals: dict[str, Signal] = field(default_factory=dict[str, Signal])
    memories: dict[str, Memory] = field(default_factory=dict[str, Memory])
    functions: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    instances: list[Instance] = field(default_factory=list[Instance])
    ports: dict[str, Signal] = field(default_factory=dict[str, Signal])


@cache
def _parser(transformer_type: type[_Checker]) -> tuple[Lark, _Checker]:
    grammar = (resources.files("irc.backends.verilog") / "verilog.lark").read_text("utf-8")
    transformer = transformer_type()
    return Lark(grammar, parser="lalr", transformer=transformer), transformer


def parse_verilog(text: str) -> list[VerilogModule]:
    """The modules of a text; raises `VerilogError` with the line of what is wrong."""
    parser, checker = _parser(_Checker)
    checker.reset()
    try:
        parser.parse(text)
    except UnexpectedInput as error:
        shown = text.splitlines()[error.line - 1][:80] if error.line > 0 else "end of text"
        raise VerilogError(error.line, f"not in the printed subset: {shown}") from None
    except VisitError as error:
        raise error.orig_exc from None
    return checker.modules


@v_args(inline=True)
class _Checker(Transformer[Token, None]):
    """Called by the parser for each rule as soon as it is complete."""

    def __init__(self) -> None:
        super().__init__()
        self.reset()

    def reset(self) -> None:
        self.modules: list[VerilogModule] = []
        self.here = VerilogModule()
        self.locals: dict[str, int] = {}
        self.targets: set[str] = set()
        self.line = 0

    # Helpers

    def fail(self, message: str) -> VerilogError:
        return VerilogError(self.line, message)

    def expect(self, what: str, got: int, wanted: int) -> None:
        if got != wanted:
            raise self.fail(f"{what} has {got} bits, expected {wanted}")

    def declare(self, name: Token, item: Signal | Memory) -> None:
        if name in self.here.signals or name in self.here.memories or name in self.here.functions:
            raise self.fail(f"'{name}' is declared twice")
        table = self.here.signals if isinstance(item, Signal) else self.here.memories
        table[str(name)] = item  # type: ignore[assignment]

    def signal(self, name: str) -> Signal:
        found = self.here.signals.get(name)
        if found is None:
            raise self.fail(f"'{name}' is not declared here as a signal")
        return found

    def width(self, name: str) -> int:
        return self.locals[name] if name in self.locals else self.signal(name).width

    def same(self, widths: tuple[int, ...]) -> int:
        if len(set(widths)) != 1:
            raise self.fail(f"operands have different widths: {', '.join(map(str, widths))}")
        return widths[0]

    # Tokens

    def NAME(self, token: Token) -> Token:  # noqa: N802
        assert token.line is not None
        self.line = token.line
        return token

    # Declarations

    def module(self, name: Token, *_: object) -> None:
        self.here.name = str(name)
        self.modules.append(self.here)
        self.here = VerilogModule()

    def range(self, high: Token) -> int:
        return int(high) + 1

    def int(self, digits: Token) -> int:
        return int(digits)

    def port(self, direction: Token, width: int | None, name: Token) -> None:
        signal = Signal(direction.strip(), width or 1, self.line)
        self.declare(name, signal)
        self.here.ports[str(name)] = signal

    def function_head(self, width: int | None, name: Token, input: int | None, x: Token) -> Token:
        self.declare(name, Signal("function", width or 1, self.line, drivers=1))
        self.here.functions[str(name)] = (input or 1, width or 1)
        self.locals = {str(x): input or 1}
        return name

    def function(self, head: Token, name: Token, value: int) -> None:
        if head != name:
            raise self.fail(f"function '{head}' assigns '{name}'")
        self.expect(f"the value of '{name}'", value, self.here.functions[str(name)][1])
        self.locals = {}

    def register(self, width: int | None, name: Token, initial: int | None) -> None:
        if initial is not None:
            self.expect(f"the initial value of '{name}'", initial, width or 1)
        self.declare(name, Signal("reg", width or 1, self.line))

    def memory(self, _: object, width: int | None, name: Token, last: int) -> None:
        self.declare(name, Memory(width or 1, last + 1, self.line))

    def wire(self, width: int | None, name: Token, value: int | None) -> None:
        if value is not None:
            self.expect(f"the value of '{name}'", value, width or 1)
        self.declare(name, Signal("wire", width or 1, self.line, drivers=value is not None))

    # Memory contents

    def word(self, name: Token, position: int, literal: Token) -> tuple[str, int]:
        memory = self.here.memories.get(name)
        if memory is None:
            raise self.fail(f"'{name}' is not declared as a memory")
        self.expect(f"a word of '{name}'", self.literal(literal), memory.width)
        return str(name), position

    def contents(self, *words: tuple[str, int]) -> None:
        name = words[0][0]
        memory = self.here.memories[name]
        if words != tuple((name, i) for i in range(memory.depth)):
            raise self.fail(f"the {memory.depth} words of '{name}' are not given one by one")
        memory.drivers += 1

    def contents_file(self, file: Token, name: Token) -> None:
        memory = self.here.memories.get(name)
        if memory is None:
            raise self.fail(f"'{name}' is not declared as a memory")
        memory.drivers += 1
        memory.file = file[1:-1]

    # Drivers

    def assign(self, name: Token, value: int) -> None:
        signal = self.signal(name)
        if signal.kind != "output":
            raise self.fail(f"'{name}' is assigned, but it is not an output")
        self.expect(f"the value of '{name}'", value, signal.width)
        signal.drivers += 1

    def update(self, name: Token, value: int) -> None:
        signal = self.signal(name)
        if signal.kind != "reg":
            raise self.fail(f"'{name}' is set at a clock edge, but it is not a reg")
        self.expect(f"the next value of '{name}'", value, signal.width)
        self.targets.add(str(name))

    def write(self, name: Token, address: int, value: int) -> None:
        self.expect(f"the word written to '{name}'", value, self.element(name, address))
        self.targets.add(str(name))

    def always(self, clock: Token, *_: object) -> None:
        self.expect(f"the clock '{clock}'", self.signal(clock).width, 1)
        for name in self.targets:
            item = self.here.memories.get(name) or self.here.signals[name]
            item.drivers += 1
        self.targets = set()

    def if_(self, condition: int, *_: object) -> None:
        self.expect("a condition", condition, 1)

    def connection(self, port: Token, value: Net) -> tuple[str, Net]:
        return str(port), value

    def instance(self, module: Token, name: Token, *connections: tuple[str, Net]) -> None:
        if len(dict(connections)) != len(connections):
            raise self.fail(f"a port of '{name}' is connected twice")
        self.declare(name, Signal("instance", 0, self.line, drivers=1))
        self.here.instances.append(
            Instance(str(module), str(name), dict(connections), self.line)
        )

    # Expressions: their widths

    def literal(self, token: Token) -> int:
        size, _, digits = token.partition("'")
        base = {"d": 10, "h": 16, "b": 2}[digits.lstrip("s")[0]]
        width, value = abs(int(size)), int(digits.lstrip("s")[1:], base)
        if value >> width:
            raise self.fail(f"{token} does not fit its width")
        return width

    def name(self, name: Token) -> Net:
        net = Net(self.width(name))
        net.name = str(name)
        return net

    def bit(self, name: Token, position: int) -> int:
        return self.bits(name, position, position)

    def bits(self, name: Token, high: int, low: int) -> int:
        width = self.width(name)
        if not low <= high < width or width == 1:
            raise self.fail(f"there are no bits {high} to {low} in '{name}' of {width} bits")
        return high - low + 1

    def element(self, name: Token, position: int) -> int:
        memory = self.here.memories.get(name)
        if memory is None:
            self.width(name)
            return 1
        self.expect(f"the address of '{name}'", position, address_width(memory.depth))
        return memory.width

    def part(self, name: Token, _: int, step: int, width: int) -> int:
        if step != width or self.width(name) % width:
            raise self.fail(f"'{name}' is not an array of {width} bits")
        return width

    def call(self, name: Token, operand: int) -> int:
        function = self.here.functions.get(name)
        if function is None:
            raise self.fail(f"function '{name}' is not declared")
        self.expect(f"the operand of '{name}'", operand, function[0])
        return function[1]

    def same_width(self, *widths: int) -> int:
        return self.same(widths)

    def compare(self, *widths: int) -> int:
        self.same(widths)
        return 1

    def shift(self, width: int, _: int) -> int:
        return width

    def choice(self, condition: int, *widths: int) -> int:
        self.expect("a condition", condition, 1)
        return self.same(widths)

    def invert(self, width: int) -> int:
        return width

    def reduce(self, _: int) -> int:
        return 1

    def concat(self, *widths: int) -> int:
        return sum(widths)

    def replicate(self, count: int, width: int) -> int:
        return count * width

    def unsigned(self, width: int) -> int:
        return width
