"""The kernels of the C backend that count bits give what counting bit by bit gives, for all words.

Whole layers are emitted as they are for a user, compiled to LLVM IR by clang, and run on words of
which nothing is known: inputs, and weights as they lie in memory. The claim is that each result is
`K − 2·Σ_i popcount(x_i ^ w_i)`, popcount being the sum of the bits.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Region

from irc.backends.c.header import header_text
from irc.backends.c.kernels.tree import CarrySave
from irc.backends.c.source import emit_c
from irc.dialects import bnn
from irc.passes.software.choose_kernels import ChooseKernels
from irc.passes.software.convert_bnn_to_packed import ConvertBnnToPacked
from irc.passes.software.plan_arena import PlanArena
from proofs.llvm_ir import Cut, Machine, Memory, compile_to_ir, ones, pointer, words
from proofs.terms import Term, z3
from proofs.theorem import (
    OF_ANSWER,
    OPEN,
    PROVEN,
    REFUTED,
    Outcome,
    Theorem,
    with_wrong_versions,
)

bitwuzla: Any = importlib.import_module("bitwuzla")

FAMILY = "c-kernel"
NAME = "net"
KERNEL = f"{NAME}_xnor_dense"


@dataclass(frozen=True)
class Kernel:
    """How bits are counted, in words of how many bits, and how many words a row has."""

    strategy: str
    word: int
    words: int
    unroll: int = 0

    @property
    def name(self) -> str:
        """As the table has it."""
        form = "-unrolled" if self.unroll and self.strategy != "tree" else ""
        blocks = f"-{self.unroll}-bytes" if self.strategy == "tree" and self.unroll != 4096 else ""
        return f"{self.strategy}{form}{blocks}-{self.word}x{self.words}"

    def source(self) -> tuple[str, str]:
        """The C file and its header for a layer of one row."""
        columns = self.word * self.words
        block = Block(arg_types=[TensorType(bnn.bipolar, [columns])])
        signs = np.where(np.random.default_rng(1).integers(0, 2, (1, columns)) > 0, 1, -1)
        weights = bnn.DenseAttr.from_numpy(signs, bnn.bipolar)
        layer = bnn.LinearOp(block.args[0], weights, bnn.sint(20))
        block.add_ops([layer, ReturnOp(layer.output)])
        types = ([block.args[0].type], [layer.output.type])
        module = ModuleOp([FuncOp(NAME, types, Region(block))])
        for step in (
            ConvertBnnToPacked(word=self.word),
            ChooseKernels(popcount=self.strategy, unroll=self.unroll, least_results=1),
            PlanArena(),
        ):
            step.apply(Context(), module)
        emitted = emit_c(module, NAME)
        return emitted.body, header_text(emitted)


def run(kernel: Kernel, cut: Cut = lambda name, term: term) -> tuple[Term, list[Term]]:
    """What the kernel stores for a row, and the differences of its words from the weights."""
    source, header = kernel.source()
    machine = Machine(compile_to_ir(source, header, NAME), cut)
    x = [z3.BitVec(f"x{i}", kernel.word) for i in range(kernel.words)]
    # Weights differ from the input by d, whatever both are.
    d = [z3.BitVec(f"d{i}", kernel.word) for i in range(kernel.words)]
    w = [a ^ b for a, b in zip(x, d, strict=True)]
    stored = list(w)
    if kernel.strategy == "tree":
        for i in range(1, kernel.words, 2):
            stored[i] = w[i] ^ w[i - 1]
    result = Memory()
    by_name = {
        "x": pointer(words(x, kernel.word)),
        "w": pointer(words(stored, kernel.word)),
        "words": z3.BitVecVal(kernel.words, 32),
        "results": z3.BitVecVal(1, 32),
        "y": pointer(result),
    }
    declared = re.search(rf"{KERNEL}\(([^)]*)\)", source)
    assert declared is not None
    arguments: list[Any] = []
    for parameter in declared[1].split(","):
        *kind, name = parameter.replace("*", " ").split()
        if name == "size":
            width = int(re.sub(r"\D", "", kind[-1]))
            by_name[name] = z3.BitVecVal(kernel.word * kernel.words, width)
        arguments.append(by_name[name])
    machine.call(KERNEL, arguments)
    return result.values[0], d


def prove(kernel: Kernel, seconds: float) -> Outcome:
    """Equal for all words; not equal to one more, nor if a bit is left out."""
    if kernel.strategy == "tree" and kernel.words > 1:
        return prove_tree(kernel, seconds)
    found, d = run(kernel)
    count = z3.BitVecVal(0, 32)
    for word in d:
        count = count + ones(word, 32)
    expected = kernel.word * kernel.words - 2 * count
    top = z3.ZeroExt(31, z3.Extract(kernel.word - 1, kernel.word - 1, d[-1]))
    return _outcome(
        [found == expected], [found == expected + 2, found == expected + 2 * top], seconds
    )


def prove_tree(kernel: Kernel, seconds: float) -> Outcome:
    """The same in three steps, which together say it, the sums being of integers.

    1. Bit by bit, the planes that the adders give weigh as much as the words: for each place j,
       `Σ_l 2^l·plane_l[j] = Σ_i (x_i ^ w_i)[j]`. Hence `Σ_l 2^l·popcount(plane_l) = Σ_i popcount`.
    2. Of each plane, four bits become their number.
    3. With any such numbers in place of those, whose weighted sum in each byte is at most that of
       eight bits of all words, the result is K − 2 times their weighted sum.
    """
    levels = _plane_names(kernel.words)
    fours = _fours_of(kernel.source()[0])
    planes: dict[int, Term] = {}
    counted: dict[int, Term] = {}
    numbers = {level: z3.BitVec(f"n{level}", 32) for level in levels}

    def see(name: str, term: Term) -> Term:
        """Planes are made of each other: here all are of the words."""
        for level, plane in levels.items():
            if name == plane:
                planes[level] = term
        return term

    def cut(name: str, term: Term) -> Term:
        for level, plane in levels.items():
            if name == plane:
                return z3.BitVec(f"p{level}", 32)
            if name == fours[plane]:
                counted[level] = term
                return numbers[level]
        return term

    _, d = run(kernel, see)
    found, _ = run(kernel, cut)
    claims = [_weigh_alike(planes, d, place) for place in range(32)]
    claims += [
        z3.Extract(low + 3, low, counted[level])
        == ones(z3.Extract(low + 3, low, z3.BitVec(f"p{level}", 32)), 4)
        for level in levels
        for low in range(0, 32, 4)
    ]
    bytes_, known = _weighted_bytes(numbers, kernel.words)
    total = z3.BitVecVal(0, 32)
    for byte in bytes_:
        total = total + byte
    expected = 32 * kernel.words - 2 * total
    claims.append(z3.Implies(z3.And(*known), found == expected))
    top = max(levels)
    wrong = [
        _weigh_alike({**planes, top: planes[top] ^ planes[0]}, d, 5),
        z3.Implies(z3.And(*known), found == expected + 2),
        found == expected,
    ]
    return _outcome(claims, wrong[: 2 if 32 * kernel.words <= 255 else 3], seconds)


def _plane_names(count: int) -> dict[int, str]:
    """The variables that hold the planes of so many words, by their levels."""
    tree = CarrySave()
    if count % 2:
        tree.add(0, tree.name("odd"))
    for _ in range(0, count - 1, 2):
        first = tree.name("first")
        tree.add_pair(first, tree.name("differs"))
    return {level: name for level, name in enumerate(tree.planes()) if name is not None}


def _fours_of(source: str) -> dict[str, str]:
    """The variable with the counts of four bits of each plane."""
    pairs = re.findall(r"uint32_t (\w+) = (\w+) - \(\(\2 >> 1\) & 0x55555555u\);", source)
    fours = re.findall(r"uint32_t (\w+) = \((\w+) & 0x33333333u\) \+ \(\(\2 >> 2\)", source)
    plane_of = dict(pairs)
    return {plane_of[pair]: name for name, pair in fours}


def _weigh_alike(planes: dict[int, Term], d: list[Term], place: int) -> Term:
    """Of one place, planes and words weigh the same."""
    width = 9

    def bit(word: Term) -> Term:
        return z3.ZeroExt(width - 1, z3.Extract(place, place, word))

    left = z3.BitVecVal(0, width)
    for level, plane in planes.items():
        left = left + (bit(plane) << level)
    right = z3.BitVecVal(0, width)
    for word in d:
        right = right + bit(word)
    return left == right


def _weighted_bytes(numbers: dict[int, Term], count: int) -> tuple[list[Term], list[Term]]:
    """The weighted sum of the numbers in each byte, and what is known of them."""
    known: list[Term] = []
    bytes_: list[Term] = []
    for low in range(0, 32, 8):
        total = z3.BitVecVal(0, 32)
        for level, word in numbers.items():
            for place in (low, low + 4):
                number = z3.Extract(place + 3, place, word)
                known.append(z3.ULE(number, 4))
                total = total + (z3.ZeroExt(28, number) << level)
        known.append(z3.ULE(total, 8 * count))
        bytes_.append(total)
    return bytes_, known


def _outcome(claims: list[Term], wrong: list[Term], seconds: float) -> Outcome:
    for claim in claims:
        equal = _always(claim, seconds)
        if equal is None:
            return Outcome(OPEN, f"not decided in {seconds:g} s")
        if not equal:
            return Outcome(REFUTED, "there is a counterexample")
    return with_wrong_versions(
        Outcome(PROVEN),
        (
            (f"wrong version {index}", OF_ANSWER[_always(each, seconds)])
            for index, each in enumerate(wrong)
        ),
    )


def _always(claim: Term, seconds: float) -> bool | None:
    solver = z3.Solver()
    solver.add(z3.Not(claim))
    text = solver.to_smt2().replace("(check-sat)", "")
    options = bitwuzla.Options()
    options.set(bitwuzla.Option.TIME_LIMIT_PER, int(seconds * 1000))
    parser = bitwuzla.Parser(bitwuzla.TermManager(), options)
    parser.parse("(set-logic QF_BV)\n" + text, True, False)
    return {"sat": False, "unsat": True}.get(str(parser.bitwuzla().check_sat()))


def kernels() -> Iterator[Kernel]:
    """Every way to count, in every width, and rows of several words."""
    for word in (8, 16, 32):
        for strategy in ("swar", "table", "builtin"):
            yield Kernel(strategy, word, 1)
            yield Kernel(strategy, word, 2)
    yield Kernel("builtin", 32, 2, 1024)
    for count in (1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 24):
        yield Kernel("tree", 32, count, 4096)


def theorems() -> list[Theorem]:
    """One for each kernel."""
    return [
        Theorem(
            FAMILY,
            kernel.name,
            "a row's result is K − 2·popcount(x ^ w)",
            f"all words: {2 * kernel.word * kernel.words} bits",
            partial(prove, kernel),
            kernel in (Kernel("swar", 16, 1), Kernel("table", 8, 1), Kernel("tree", 32, 2, 4096)),
        )
        for kernel in kernels()
    ]
