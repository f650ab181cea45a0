"""Run a program on an emulated core and count what it executes.

Unicorn (QEMU's processors without the machines around them) calls back once for each block of
straight code; how many instructions and loads a block holds is read from its bytes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import unicorn as unicorn_module
from unicorn import arm_const, riscv_const

from irc.backends.c.cross.cores import Core
from irc.backends.c.cross.decode import Decoder
from irc.backends.c.cross.program import Program
from irc.backends.c.cross.zbb import execute_zbb
from irc.errors import IrcError

# Its package exports nothing in the sense of type checkers.
unicorn: Any = unicorn_module

PAGE = 0x1000
CODE, CODE_END = 0x10000, 0x20000000
"""Where the linker script puts functions."""
STACK_TOP = 0x30100000
STACK_BYTES = 0x100000
CANARY = b"\xa5\x5a\xc3\x3c"
EXIT = 0x8000
"""Where the program returns to when it ends: in a region that a Cortex-M may execute."""
_ILLEGAL_INSTRUCTION = 2
"""RISC-V's number of that exception (Privileged Architecture, table of mcause)."""


@dataclass(frozen=True)
class Counts:
    """What was executed."""

    instructions: int = 0
    loads: int = 0
    """Instructions that read memory; one that reads several words counts once."""

    def __sub__(self, other: Counts) -> Counts:
        return Counts(self.instructions - other.instructions, self.loads - other.loads)


@dataclass
class Run:
    """What a run showed."""

    frames: list[Counts] = field(default_factory=list[Counts])
    """One entry a call of the model's function."""
    layers: list[list[Counts]] = field(default_factory=list[list[Counts]])
    """For each frame, what each layer executed; empty unless the program marks its layers."""
    stack: int = 0
    """Most bytes of stack below the caller of the model's function: written, or reserved."""
    complaints: int = 0
    """How often the test program printed that a value is wrong."""
    ended: bool = False
    """Whether all frames ran and the program's own verdict is in `verdict`."""
    verdict: int = 0


class Machine:
    """One run of a program on a core."""

    def __init__(self, core: Core, program: Program, function: str, frames: int) -> None:
        self._core = core
        self._symbols = program.symbols
        self._function = function
        self._frames = frames
        self._decoder = Decoder(core.is_arm)
        self._blocks: Counter[tuple[int, int]] = Counter()
        self._costs: dict[tuple[int, int], Counts] = {}
        self._inside: int | None = None
        self._marks: list[Counts] = []
        self._entry_stack = self._lowest = 0
        self._fault = False
        self.run = Run()
        if core.is_arm:
            self._uc: Any = unicorn.Uc(
                unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS
            )
            self._uc.ctl_set_cpu_model(getattr(arm_const, core.unicorn_model))
            self._sp, self._link = arm_const.UC_ARM_REG_SP, arm_const.UC_ARM_REG_LR
            self._result = arm_const.UC_ARM_REG_R0
        else:
            self._uc = unicorn.Uc(unicorn.UC_ARCH_RISCV, unicorn.UC_MODE_RISCV32)
            self._uc.ctl_set_cpu_model(getattr(riscv_const, core.unicorn_model))
            self._sp, self._link = riscv_const.UC_RISCV_REG_SP, riscv_const.UC_RISCV_REG_RA
            self._result = riscv_const.UC_RISCV_REG_A0
        self._load(program)

    def _load(self, program: Program) -> None:
        pages: set[int] = set()
        for segment in program.segments:
            end = segment.address + segment.size
            pages.update(range(segment.address // PAGE, -(-end // PAGE)))
        for page in sorted(pages):
            self._uc.mem_map(page * PAGE, PAGE)
        for segment in program.segments:
            self._uc.mem_write(segment.address, segment.data)
        self._uc.mem_map(STACK_TOP - STACK_BYTES, STACK_BYTES)
        self._uc.mem_map(EXIT, PAGE)
        self._uc.reg_write(self._sp, STACK_TOP)

    def execute(self) -> Run:
        """Run `main` to its end, or until enough frames have run; raises `IrcError` on a fault."""
        self._uc.hook_add(unicorn.UC_HOOK_BLOCK, self._on_block)
        if not self._core.is_arm:
            self._uc.hook_add(unicorn.UC_HOOK_INTR, self._on_exception)
        thumb = 1 if self._core.is_arm else 0
        self._uc.reg_write(self._link, EXIT | thumb)
        try:
            self._uc.emu_start(self._symbols["main"] | thumb, EXIT)
        except unicorn.UcError as error:
            raise self._faulted(str(error)) from None
        if self._fault:
            raise self._faulted("an exception, such as an illegal instruction")
        if self._counter() & ~1 == EXIT:
            self.run.ended = True
            self.run.verdict = int(self._uc.reg_read(self._result))
        return self.run

    def _faulted(self, what: str) -> IrcError:
        at = self._counter()
        return IrcError(
            f"the program faults on {self._core.name} at address {at:#x}{self._near(at)}: {what}"
        )

    def _counter(self) -> int:
        register = arm_const.UC_ARM_REG_PC if self._core.is_arm else riscv_const.UC_RISCV_REG_PC
        return int(self._uc.reg_read(register))

    def _near(self, address: int) -> str:
        below = [
            (at, name) for name, at in self._symbols.items() if CODE <= at <= address < CODE_END
        ]
        return f" in {max(below)[1]}" if below else ""

    def _on_block(self, uc: Any, address: int, size: int, data: object) -> None:
        if self._inside is None:
            if address == self._symbols[self._function]:
                if len(self.run.frames) == self._frames:
                    uc.emu_stop()
                    return
                self._enter()
            elif address == self._symbols.get("printf"):
                self._printed()
                return
            else:
                return
        elif address == self._inside:
            self._leave()
            return
        elif address == self._symbols.get("irc_layer_done"):
            self._marks.append(self._total())
            return
        if (address, size) not in self._blocks:
            # A frame may have room at its end that nobody writes.
            self._lowest = min(self._lowest, int(uc.reg_read(self._sp)))
        self._blocks[address, size] += 1

    def _enter(self) -> None:
        self._inside = int(self._uc.reg_read(self._link)) & ~1
        self._blocks.clear()
        self._marks = []
        self._entry_stack = self._lowest = int(self._uc.reg_read(self._sp))
        free = self._entry_stack - (STACK_TOP - STACK_BYTES)
        self._uc.mem_write(STACK_TOP - STACK_BYTES, CANARY * (free // len(CANARY)))

    def _leave(self) -> None:
        total = self._total()
        self.run.frames.append(total)
        starts = [Counts(), *self._marks]
        self.run.layers.append(
            [end - start for start, end in zip(starts, self._marks, strict=False)]
        )
        bottom = STACK_TOP - STACK_BYTES
        below = bytes(self._uc.mem_read(bottom, self._entry_stack - bottom))
        untouched = CANARY * (len(below) // len(CANARY))
        # The first word that differs from the pattern is the deepest that was written.
        deepest = next((i for i in range(0, len(below), 4) if below[i : i + 4] != CANARY), None)
        used = 0 if below == untouched or deepest is None else len(below) - deepest
        self.run.stack = max(self.run.stack, used, self._entry_stack - self._lowest)
        self._inside = None

    def _printed(self) -> None:
        """The test program prints one line for each wrong value, each beginning `frame`."""
        pointer = int(self._uc.reg_read(self._result))
        if bytes(self._uc.mem_read(pointer, 5)) == b"frame":
            self.run.complaints += 1

    def _total(self) -> Counts:
        instructions = loads = 0
        for block, times in self._blocks.items():
            cost = self._costs.get(block)
            if cost is None:
                address, size = block
                cost = Counts(
                    *self._decoder.count(bytes(self._uc.mem_read(address, size)), address)
                )
                self._costs[block] = cost
            instructions += times * cost.instructions
            loads += times * cost.loads
        return Counts(instructions, loads)

    def _on_exception(self, uc: Any, number: int, data: object) -> None:
        if number != _ILLEGAL_INSTRUCTION or not execute_zbb(uc):
            self._fault = True
            uc.emu_stop()
