"""The cores that C is profiled on: how compilers and the emulator call them."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from irc.errors import UsageError


@dataclass(frozen=True)
class Core:
    """A core without operating system, little-endian, with 32-bit addresses.

    Floats are computed by library calls on all of them: code that runs on every member of a
    family cannot rely on the optional floating-point unit.
    """

    name: str
    description: str
    zig: tuple[str, ...]
    """Arguments of `zig cc` that select it."""
    gcc: tuple[str, ...]
    """Names of GCC that can compile for it, the first found is taken."""
    gcc_flags: tuple[str, ...]
    gcc_link_flags: tuple[str, ...]
    """The same without extensions that GCC's own library is not built for."""
    unicorn_model: str
    """The name of the model in `unicorn.arm_const` or `unicorn.riscv_const`."""
    popcount: str = "tree"
    """How the pass `choose-kernels` should count bits for it."""
    unroll: int = 1280
    """Bytes of straight code that one kernel should take at most."""
    lanes: bool = False
    """Whether it has vectors, in which several rows are counted at once."""
    board: str = ""
    """The board on which QEMU emulates it, for the emulator in the process does not know it."""

    @property
    def gcc_package(self) -> str:
        """Debian's package with a GCC for it."""
        return "gcc-arm-none-eabi" if self.is_arm else "gcc-riscv64-unknown-elf"

    @property
    def qemu_cpu(self) -> str | None:
        """The core that QEMU runs processes on which executes the same instructions, if any.

        It runs none on a Cortex-M; Thumb code is the same on a Cortex-A, but for vectors.
        """
        if not self.is_arm:
            return "rv32"
        return None if self.lanes else "cortex-a15"

    @property
    def is_arm(self) -> bool:
        """Whether its instructions are Thumb; RISC-V otherwise."""
        return self.unicorn_model.startswith("UC_CPU_ARM")


def _arm(name: str, description: str, zig: str, model: str, unroll: int = 1280) -> Core:
    return Core(
        name,
        description,
        ("-target", "thumb-freestanding-eabi", f"-mcpu={zig}"),
        ("arm-none-eabi-gcc",),
        ("-mthumb", f"-mcpu={name}", "-mfloat-abi=soft"),
        ("-mthumb", f"-mcpu={name}", "-mfloat-abi=soft"),
        f"UC_CPU_ARM_{model}",
        unroll=unroll,
    )


def _riscv(name: str, description: str, zig: str, arch: str, popcount: str = "tree") -> Core:
    return Core(
        name,
        description,
        ("-target", "riscv32-freestanding-none", f"-mcpu={zig}", "-mabi=ilp32"),
        ("riscv32-unknown-elf-gcc", "riscv64-unknown-elf-gcc", "riscv-none-elf-gcc"),
        (f"-march={arch}", "-mabi=ilp32"),
        ("-march=rv32imc", "-mabi=ilp32"),
        "UC_CPU_RISCV32_ANY",
        popcount,
    )


CORES = (
    # Its loads reach 32 words.
    _arm("cortex-m0plus", "ARMv6-M: RP2040, STM32L0, SAMD21", "cortex_m0plus", "CORTEX_M0", 1024),
    _arm("cortex-m3", "ARMv7-M: STM32F1, LPC17xx", "cortex_m3", "CORTEX_M3"),
    _arm("cortex-m4", "ARMv7E-M: nRF52, STM32F4", "cortex_m4", "CORTEX_M4"),
    _arm("cortex-m7", "ARMv7E-M, dual issue: STM32H7, i.MX RT", "cortex_m7", "CORTEX_M7"),
    Core(
        "cortex-m55",
        "ARMv8.1-M with Helium vectors: Alif Ensemble, STM32N6 (takes QEMU)",
        ("-target", "thumb-freestanding-eabihf", "-mcpu=cortex_m55+mve"),
        ("arm-none-eabi-gcc",),
        ("-mthumb", "-mcpu=cortex-m55", "-mfloat-abi=hard"),
        ("-mthumb", "-mcpu=cortex-m55", "-mfloat-abi=hard"),
        "UC_CPU_ARM_CORTEX_M55",
        lanes=True,
        board="mps3-an547",
    ),
    _riscv("rv32imc", "RISC-V: ESP32-C3, CH32V203", "generic_rv32+i+m+c", "rv32imc"),
    _riscv(
        "rv32imc-zbb",
        "RISC-V with bit counting: RP2350, newer cores",
        "generic_rv32+i+m+c+zbb",
        "rv32imc_zbb",
        "builtin",
    ),
)
"""Every core that `irc profile` knows."""


def core_named(name: str) -> Core:
    """The core of that name; raises `UsageError` that lists them."""
    for core in CORES:
        if core.name == name:
            return core
    names = [core.name for core in CORES]
    parts = [known for known in names if known.endswith(f"-{name.lower()}")]
    close = parts or get_close_matches(name.lower(), names, 1, 0.6)
    meant = f"did you mean {close[0]}? " if close else ""
    raise UsageError(f"unknown core '{name}'; {meant}expected {', '.join(names)}")
