"""Reads printed Verilog back and checks what can be seen within one module.

The grammar `verilog.lark` is exactly the subset that the printer writes, so text outside of it is a
bug in the printer. Widths are computed while reading: every name must be declared before it is
used, and the operands of an operator must have one width. `check.py` checks the rest: drivers,
instances and memory files.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TypeVar, cast

from lark import Lark, Token, Transformer
from lark import v_args as _v_args  # pyright: ignore[reportUnknownVariableType]
from lark.exceptions import UnexpectedInput, VisitError

from irc.backends.verilog.scope import Instance, Memory, Net, Scope, VerilogError
from irc.dialects.rtl import address_width

_BASES = {"d": 10, "h": 16, "b": 2}


def parse_verilog(text: str) -> list[Scope]:
    """The modules of a text; raises `VerilogError` with the line of what is wrong."""
    parser, reader = _parser()
    reader.__init__()
    try:
        parser.parse(text)  # pyright: ignore[reportUnknownMemberType]
    except UnexpectedInput as error:
        line = max(error.line, 1)
        shown = text.splitlines()[line - 1][:80] if text else "no text"
        raise VerilogError(line, f"not in the printed subset: {shown}") from None
    except VisitError as error:
        raise error.orig_exc from None
    return reader.modules


_T = TypeVar("_T")


def _inline(cls: type[_T]) -> type[_T]:
    """Pass the parts of a rule as arguments; lark's own decorator hides the type of the class."""
    return cast("type[_T]", _v_args(inline=True)(cls))


@_inline
class _Reader(Transformer[Token, None]):
    """Called by the parser for each rule as soon as it is complete; named after the rules.

    The value of an expression is its width.
    """

    def __init__(self) -> None:
        super().__init__()
        self.modules: list[Scope] = []
        self.scope = Scope()
        # What the `always` block that is being read drives.
        self.targets: set[str] = set()

    def NAME(self, token: Token) -> Token:  # noqa: N802
        self.scope.line = token.line or 0
        return token

    def module(self, name: Token, *_: object) -> None:
        self.scope.name = str(name)
        self.modules.append(self.scope)
        self.scope = Scope()

    # Declarations

    def number(self, digits: Token) -> int:
        return int(digits)

    def vector(self, high: int) -> int:
        return high + 1

    def port(self, direction: Token, width: int | None, name: Token) -> None:
        self.scope.declare(str(direction), width, str(name), drivers=int(direction == "input"))

    def function_head(
        self, width: int | None, name: Token, _: Token, operand: int | None, argument: Token
    ) -> Token:
        self.scope.functions[self.scope.take(name)] = (operand or 1, width or 1)
        self.scope.arguments = {str(argument): operand or 1}
        return name

    def function(self, head: Token, name: Token, value: int) -> None:
        if head != name:
            raise self.scope.fail(f"function '{head}' assigns '{name}'")
        self.scope.expect(f"the value of '{name}'", value, self.scope.functions[name][1])
        self.scope.arguments = {}

    def register(self, width: int | None, name: Token, initial: int | None) -> None:
        if initial is not None:
            self.scope.expect(f"the initial value of '{name}'", initial, width or 1)
        self.scope.declare("reg", width, str(name))

    def wire(self, width: int | None, name: Token, value: int | None) -> None:
        if value is not None:
            self.scope.expect(f"the value of '{name}'", value, width or 1)
        self.scope.declare("wire", width, str(name), drivers=int(value is not None))

    def memory(self, _: object, width: int | None, name: Token, last: int) -> None:
        self.scope.memories[self.scope.take(name)] = Memory(width or 1, last + 1, self.scope.line)

    def contents(self, *words: Token) -> None:
        name = words[0].partition("[")[0]
        memory = self.scope.memory(name)
        for position, word in enumerate(words):
            self.scope.line = word.line or 0
            target, _, value = word[:-1].partition(" =")
            if target != f"{name}[{position}]":
                raise self.scope.fail(f"expected word {position} of '{name}', not {target}")
            self.scope.expect(
                f"a word of '{name}'", _literal_width(self.scope, value.lstrip()), memory.width
            )
        if len(words) != memory.depth:
            raise self.scope.fail(f"'{name}' has {memory.depth} words, not {len(words)}")
        memory.initials += 1

    def contents_file(self, file: Token, name: Token) -> None:
        memory = self.scope.memory(name)
        memory.initials += 1
        memory.file = file[1:-1]

    # Drivers

    def assign(self, name: Token, value: int) -> None:
        signal = self.scope.signal(name)
        if signal.kind != "output":
            raise self.scope.fail(f"'{name}' is assigned, but it is not an output")
        self.scope.expect(f"the value of '{name}'", value, signal.width)
        signal.drivers += 1

    def update(self, name: Token, value: int) -> None:
        signal = self.scope.signal(name)
        if signal.kind != "reg":
            raise self.scope.fail(f"'{name}' is set at a clock edge, but it is not a reg")
        self.scope.expect(f"the next value of '{name}'", value, signal.width)
        self.targets.add(str(name))

    def write(self, name: Token, address: int, value: int) -> None:
        self.scope.memory(name)
        self.scope.expect(f"the word written to '{name}'", value, self.element(name, address))
        self.targets.add(str(name))

    def branch(self, condition: int, *_: object) -> None:
        self.scope.expect("a condition", condition, 1)

    def always(self, clock: Token, *_: object) -> None:
        self.scope.expect(f"the clock '{clock}'", self.scope.signal(clock).width, 1)
        for name in self.targets:
            item = self.scope.memories.get(name) or self.scope.signals[name]
            item.drivers += 1
        self.targets.clear()

    def connection(self, port: Token, value: int) -> tuple[str, int]:
        return str(port), value

    def instance(self, module: Token, name: Token, *connections: tuple[str, int]) -> None:
        if len(dict(connections)) != len(connections):
            raise self.scope.fail(f"a port of '{name}' is connected twice")
        self.scope.take(name)
        instance = Instance(str(module), str(name), dict(connections), self.scope.line)
        self.scope.instances.append(instance)

    # Expressions

    def literal(self, token: Token) -> int:
        return _literal_width(self.scope, token)

    def name(self, name: Token) -> int:
        net = Net(self.scope.width(name))
        net.name = str(name)
        return net

    def bit(self, name: Token, position: int) -> int:
        return self.bits(name, position, position)

    def bits(self, name: Token, high: int, low: int) -> int:
        width = self.scope.width(name)
        if not low <= high < width or width == 1:
            raise self.scope.fail(f"'{name}' of {width} bits has no bits {high} to {low}")
        return high - low + 1

    def element(self, name: Token, position: int) -> int:
        memory = self.scope.memories.get(name)
        if memory is None:
            self.scope.width(name)
            return 1
        self.scope.expect(f"the address of '{name}'", position, address_width(memory.depth))
        return memory.width

    def part(self, name: Token, _: int, step: int, width: int) -> int:
        if step != width or self.scope.width(name) % width:
            raise self.scope.fail(f"'{name}' is not an array of {width} bits an element")
        return width

    def call(self, name: Token, operand: int) -> int:
        if name not in self.scope.functions:
            raise self.scope.fail(f"function '{name}' is not declared before this line")
        argument, result = self.scope.functions[name]
        self.scope.expect(f"the operand of '{name}'", operand, argument)
        return result

    def same_width(self, *widths: int) -> int:
        return self.scope.same(widths)

    def compare(self, *widths: int) -> int:
        self.scope.same(widths)
        return 1

    def shift(self, width: int, _: int) -> int:
        return int(width)

    def choice(self, condition: int, *widths: int) -> int:
        self.scope.expect("a condition", condition, 1)
        return self.scope.same(widths)

    def invert(self, width: int) -> int:
        return int(width)

    def reduce(self, _: int) -> int:
        return 1

    def concat(self, *widths: int) -> int:
        return sum(widths)

    def replicate(self, count: int, width: int) -> int:
        return count * width


def _literal_width(scope: Scope, text: str) -> int:
    """The width that a literal states; raises `VerilogError` if its value takes more."""
    size, _, digits = text.partition("'")
    digits = digits.lstrip("s")
    width = abs(int(size))
    if int(digits[1:], _BASES[digits[0]]) >> width:
        raise scope.fail(f"{text} does not fit its width")
    return width


@cache
def _parser() -> tuple[Lark, _Reader]:
    grammar = (resources.files("irc.backends.verilog") / "verilog.lark").read_text("utf-8")
    reader = _Reader()
    return Lark(grammar, parser="lalr", transformer=reader, maybe_placeholders=True), reader
