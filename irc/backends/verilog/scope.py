"""What is declared in a printed Verilog module, and what is said about it."""

from __future__ import annotations

from dataclasses import dataclass, field

from irc.errors import IrcError


class VerilogError(IrcError):
    """Printed Verilog is not what it should be: a bug in irc."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")


class Net(int):
    """The width of an expression that is a plain signal, with its name."""

    name: str


@dataclass
class Signal:
    """A declared signal; `kind` is input, output, wire or reg."""

    kind: str
    width: int
    line: int
    drivers: int = 0


@dataclass
class Memory:
    """A declared memory: `drivers` write it, `initials` give its contents at the beginning; `file`
    is the hex file that does."""

    width: int
    depth: int
    line: int
    drivers: int = 0
    initials: int = 0
    file: str | None = None


@dataclass
class Instance:
    """An instance and what is connected to each of its ports: widths, or `Net`s."""

    module: str
    name: str
    connections: dict[str, int]
    line: int


@dataclass
class Scope:
    """The declarations of one module; `line` is where reading has got to."""

    name: str = ""
    signals: dict[str, Signal] = field(default_factory=dict[str, Signal])
    memories: dict[str, Memory] = field(default_factory=dict[str, Memory])
    functions: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    """Widths of the operand and of the result."""
    instances: list[Instance] = field(default_factory=list[Instance])
    arguments: dict[str, int] = field(default_factory=dict[str, int])
    """Widths of the arguments of the function that is being read."""
    line: int = 0
    _names: set[str] = field(default_factory=set[str])

    @property
    def ports(self) -> dict[str, Signal]:
        """Inputs and outputs."""
        return {n: s for n, s in self.signals.items() if s.kind in ("input", "output")}

    def fail(self, message: str) -> VerilogError:
        """An error at the present line."""
        return VerilogError(self.line, message)

    def expect(self, what: str, got: int, wanted: int) -> None:
        """Demand a width."""
        if got != wanted:
            raise self.fail(f"{what} has {got} bits, expected {wanted}")

    def take(self, name: str) -> str:
        """Declare a name."""
        if name in self._names:
            raise self.fail(f"'{name}' is declared twice")
        self._names.add(name)
        return name

    def declare(self, kind: str, width: int | None, name: str, drivers: int = 0) -> None:
        """Declare a signal; no width means one bit."""
        self.signals[self.take(name)] = Signal(kind, width or 1, self.line, drivers)

    def signal(self, name: str) -> Signal:
        """A signal declared before."""
        if name not in self.signals:
            raise self.fail(f"'{name}' is not declared as a signal before this line")
        return self.signals[name]

    def memory(self, name: str) -> Memory:
        """A memory declared before."""
        if name not in self.memories:
            raise self.fail(f"'{name}' is not declared as a memory before this line")
        return self.memories[name]

    def width(self, name: str) -> int:
        """Bits of a signal or of a function's argument."""
        return self.arguments[name] if name in self.arguments else self.signal(name).width

    def same(self, widths: tuple[int, ...]) -> int:
        """Demand equal widths; returns that width."""
        if len(set(widths)) != 1:
            raise self.fail(f"operands have different widths: {', '.join(map(str, widths))}")
        return int(widths[0])
