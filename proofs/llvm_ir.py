"""Runs LLVM IR, as clang makes it of C without optimization, on terms instead of numbers.

Addresses and conditions of branches must come out as constants; the words that are computed with
may be any. What C says of promotions and conversions is clang's business, so that what is proven is
about the C text that is emitted.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from proofs.terms import Term, z3

TARGET = "thumb-freestanding-eabi"
"""A machine with pointers of 32 bits; without an operating system, so without its headers."""

_FUNCTION = re.compile(
    r"^define [^@]*@(?P<name>[\w.]+)\((?P<arguments>[^)]*)\).*?\{\n(?P<body>.*?)^\}", re.M | re.S
)
_GLOBAL = re.compile(
    r"^@(?P<name>[\w.]+) = .*?(?:constant|global) \[(?P<count>\d+) x i(?P<width>\d+)\] "
    r"(?P<value>\[.*?\]|c\".*?\"|zeroinitializer), ",
    re.M,
)
_INT = re.compile(r"i(\d+)$")


@dataclass
class Memory:
    """An object: elements of one width, or whatever is stored, by their offsets in bytes."""

    values: dict[int, Any] = field(default_factory=dict[int, Any])


@dataclass(frozen=True)
class Pointer:
    """An address: an object, and an offset in bytes that may be a term where a table is read."""

    memory: Memory
    offset: Term


Value = Any
"""A term, or a pointer."""


def compile_to_ir(source: str, header: str, name: str) -> str:
    """The LLVM IR of a C file; the header lies beside it."""
    with TemporaryDirectory(prefix="irc-proof-") as folder:
        path = Path(folder)
        (path / f"{name}.c").write_text(source, "utf-8")
        (path / f"{name}.h").write_text(header, "utf-8")
        # Declarations of what string.h and stdint.h promise, for a machine without a library.
        command = [
            *(sys.executable, "-m", "ziglang", "cc", "-target", TARGET, "-std=c99"),
            *(
                "-S",
                "-emit-llvm",
                "-O0",
                "-g0",
                "-fno-sanitize=undefined",
                "-fno-discard-value-names",
                "-I.",
            ),
            *("-Wno-everything", f"{name}.c", "-o", f"{name}.ll"),
        ]
        (path / "string.h").write_text(
            "#include <stddef.h>\nvoid *memcpy(void *, const void *, size_t);\n"
            "void *memset(void *, int, size_t);\nint memcmp(const void *, const void *, size_t);\n",
            "utf-8",
        )
        done = subprocess.run(command, cwd=path, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return (path / f"{name}.ll").read_text("utf-8")


Cut = Callable[[str, Term], Term]
"""What is stored in a variable of that name instead of a term."""


class Machine:
    """The functions and constants of a file."""

    def __init__(self, text: str, cut: Cut = lambda name, term: term) -> None:
        self.cut = cut
        self.functions = {m["name"]: (m["arguments"], m["body"]) for m in _FUNCTION.finditer(text)}
        self.globals = {m["name"]: _constant(m) for m in _GLOBAL.finditer(text)}

    def call(self, name: str, arguments: Sequence[Value]) -> Value | None:
        """Run a function to its end; what it returns."""
        declared, body = self.functions[name]
        names = [part.split()[-1] for part in declared.split(",") if part.strip()]
        frame = _Frame(self, dict(zip(names, arguments, strict=True)))
        return frame.run(_blocks(body))


def words(values: Sequence[Term], width: int) -> Memory:
    """An array of words."""
    return Memory({index * (width // 8): value for index, value in enumerate(values)})


def pointer(memory: Memory) -> Pointer:
    """To the beginning of an object."""
    return Pointer(memory, z3.BitVecVal(0, 32))


def _constant(match: re.Match[str]) -> Memory:
    count, width = int(match["count"]), int(match["width"])
    text = match["value"]
    if text == "zeroinitializer":
        numbers = [0] * count
    elif text.startswith("c"):
        raw = text[2:-1]
        numbers = [
            int(code, 16) if code else ord(char)
            for code, char in re.findall(r"\\([0-9A-F]{2})|(.)", raw)
        ]
    else:
        numbers = [int(number) for number in re.findall(r"i\d+ (-?\d+)", text)]
    return words([z3.BitVecVal(number, width) for number in numbers], width)


def _blocks(body: str) -> dict[str, list[str]]:
    """Instructions by the label of their block; the first is ''."""
    found: dict[str, list[str]] = {"": []}
    label = ""
    for line in body.splitlines():
        text = line.split(" ;")[0].strip()
        if match := re.match(r"([\w.]+):$", text.split()[0] if text else ""):
            label = match[1]
            found[label] = []
        elif text and not text.startswith(("#dbg", ";")):
            found[label].append(text)
    return found


_Binary = Callable[[Term, Term], Term]

_BINARY: dict[str, _Binary] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "xor": lambda a, b: a ^ b,
    "shl": lambda a, b: a << b,
    "lshr": z3.LShR,
    "ashr": lambda a, b: a >> b,
    "udiv": z3.UDiv,
    "urem": z3.URem,
}

_COMPARISONS: dict[str, _Binary] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "ult": z3.ULT,
    "ule": z3.ULE,
    "ugt": z3.UGT,
    "uge": z3.UGE,
    "slt": lambda a, b: a < b,
    "sle": lambda a, b: a <= b,
    "sgt": lambda a, b: a > b,
    "sge": lambda a, b: a >= b,
}


class _Frame:
    """A call under way."""

    def __init__(self, machine: Machine, values: dict[str, Value]) -> None:
        self.machine, self.values = machine, values

    def run(self, blocks: Mapping[str, list[str]]) -> Value | None:
        label, before = next(name for name, lines in blocks.items() if lines), ""
        while True:
            following: str | None = None
            for text in blocks[label]:
                if text.startswith("ret"):
                    return None if text == "ret void" else self.typed(text[4:])
                if text.startswith("br"):
                    following = self.target(text)
                    break
                if text.startswith("switch"):
                    raise NotImplementedError(text)
                self.execute(text, before)
            assert following is not None, "a block without an end"
            label, before = following, label

    def target(self, text: str) -> str:
        """Where a branch leads."""
        labels = re.findall(r"label %([\w.]+)", text)
        if len(labels) == 1:
            return labels[0]
        condition = z3.simplify(self.typed(text[3:].split(",")[0]))
        if not z3.is_bv_value(condition):
            raise ValueError(f"a branch that depends on data: {text}")
        return labels[0] if condition.as_long() else labels[1]

    def typed(self, text: str) -> Value:
        """`i32 %1`, `ptr noundef %2` and the like."""
        parts = text.split()
        return self.value(parts[0], parts[-1])

    def value(self, kind: str, text: str) -> Value:
        """An operand of a type."""
        if text.startswith("%"):
            return self.values[text]
        if text.startswith("@"):
            return pointer(self.machine.globals[text[1:]])
        match = _INT.match(kind)
        if match is None:
            raise NotImplementedError(f"{kind} {text}")
        number = {"true": 1, "false": 0, "undef": 0, "poison": 0}.get(text)
        return z3.BitVecVal(int(text) if number is None else number, int(match[1]))

    def execute(self, text: str, before: str) -> None:
        """One instruction that does not end a block."""
        result, _, rest = text.partition(" = ") if re.match(r"%[\w.]+ = ", text) else ("", "", text)
        rest = re.sub(r", (!\w+ !\d+|align \d+)", "", rest)
        name, _, arguments = rest.partition(" ")
        if name == "store":
            value, address = arguments.split(", ")
            stored = self.typed(value)
            if not isinstance(stored, Pointer):
                stored = self.machine.cut(address.split()[-1].removeprefix("%"), stored)
            self.store(stored, self.typed(address))
            return
        found = self.computed(name, arguments, before)
        if result and found is not None:
            self.values[result] = z3.simplify(found) if not isinstance(found, Pointer) else found

    def computed(self, name: str, text: str, before: str) -> Value | None:
        """What an instruction gives."""
        if name == "alloca":
            return pointer(Memory())
        if name == "load":
            kind, address = text.split(", ")
            return self.load(kind, self.typed(address))
        if name == "getelementptr":
            return self.moved(re.sub(r"\b(inbounds|nuw|nusw|nsw) ", "", text))
        if name in _BINARY:
            kind, rest = re.sub(r"\b(nuw|nsw|exact|disjoint) ", "", text).split(" ", 1)
            a, b = (self.value(kind, part) for part in rest.split(", "))
            return _BINARY[name](a, b)
        if name in ("zext", "sext", "trunc"):
            source, kind = re.sub(r"\b(nneg|nuw|nsw) ", "", text).split(" to ")
            return _converted(name, self.typed(source), int(kind[1:]))
        if name == "icmp":
            comparison, kind, rest = re.sub(r"\bsamesign ", "", text).split(" ", 2)
            a, b = (self.value(kind, part) for part in rest.split(", "))
            return z3.If(_COMPARISONS[comparison](a, b), z3.BitVecVal(1, 1), z3.BitVecVal(0, 1))
        if name == "select":
            condition, a, b = (self.typed(part) for part in text.split(", "))
            return z3.If(condition == 1, a, b)
        if name == "phi":
            kind = text.split()[0]
            for value, label in re.findall(r"\[ (\S+), %([\w.]+) \]", text):
                if label == before:
                    return self.value(kind, value)
        if name in ("call", "tail"):
            return self.called(text)
        raise NotImplementedError(f"{name} {text}")

    def called(self, text: str) -> Value | None:
        match = re.search(r"@([\w.]+)\((.*)\)", text)
        assert match is not None, text
        name, arguments = match.groups()
        values = [self.typed(part) for part in arguments.split(", ") if part]
        if name.startswith("llvm.ctpop"):
            return ones(values[0], values[0].size())
        return self.machine.call(name, values)

    def moved(self, text: str) -> Pointer:
        """`i32, ptr %1, i32 %2`, or `[256 x i8], ptr @table, i32 0, i32 %2`."""
        match = re.match(r"(?:\[\d+ x i(?P<element>\d+)\]|i(?P<width>\d+)), (?P<rest>.*)", text)
        if match is None:
            raise NotImplementedError(text)
        base, *indices = match["rest"].split(", ")
        return self.offset_by(base, indices[-1], int(match["element"] or match["width"]) // 8)

    def offset_by(self, base: str, index: str, size: int) -> Pointer:
        found, by = self.typed(base), self.typed(index)
        assert isinstance(found, Pointer)
        assert not isinstance(by, Pointer)
        wide = _converted("sext", by, 32)
        return Pointer(found.memory, z3.simplify(found.offset + wide * size))

    def store(self, value: Value, address: Value) -> None:
        assert isinstance(address, Pointer)
        offset = z3.simplify(address.offset)
        if not z3.is_bv_value(offset):
            raise ValueError("a store to an address that depends on data")
        address.memory.values[offset.as_long()] = value

    def load(self, kind: str, address: Value) -> Value:
        assert isinstance(address, Pointer)
        offset, values = z3.simplify(address.offset), address.memory.values
        if z3.is_bv_value(offset):
            found = values[offset.as_long()]
            width = None if isinstance(found, Pointer) else cast(int, found.size())
            if width is not None and width != int(kind[1:]):
                raise ValueError("a load of another width than what was stored")
            return found
        # A table, read at a place that depends on data.
        items = sorted(values.items())
        result = items[-1][1]
        for place, value in items[:-1]:
            result = z3.If(offset == place, value, result)
        return result


def _converted(name: str, value: Value, width: int) -> Term:
    assert not isinstance(value, Pointer)
    have = value.size()
    if width <= have:
        return z3.Extract(width - 1, 0, value)
    if name == "sext":
        return z3.SignExt(width - have, value)
    return z3.ZeroExt(width - have, value)


def ones(word: Term, width: int) -> Term:
    """How many bits of a word are 1, one after the other, in so many bits: the naive count."""
    total = z3.BitVecVal(0, width)
    for bit in range(word.size()):
        total = total + z3.ZeroExt(width - 1, z3.Extract(bit, bit, word))
    return total
