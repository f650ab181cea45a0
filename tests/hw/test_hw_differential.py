"""Random logic means the same in the simulator of the hw level and as printed Verilog.

Icarus Verilog and Verilator are two independent readings of the printed text.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hw_tools import (
    parse_hw,
    parse_outputs,
    require_icarus,
    run_icarus,
    run_verilator,
    vector_bench,
    write_files,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from xdsl.dialects import comb
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from irc.backends.verilog.check import check_design
from irc.backends.verilog.lint import lint_icarus, lint_verilator, lint_yosys
from irc.backends.verilog.printer import VerilogFile, print_design
from irc.interp.rtl import HwSimulator
from irc.passes.hardware.hw_builder import CLOCK_RESET, HwBuilder, Port

WIDTHS = (1, 1, 2, 3, 5, 8, 16, 31, 33, 64, 70)


class RandomLogic:
    """A module of random operations on random widths, with some registers in the loop."""

    def __init__(self, seed: int, operations: int) -> None:
        self.rng = random.Random(seed)
        self.inputs = {f"in{i}": self.rng.choice(WIDTHS) for i in range(4)}
        self.outputs: dict[str, int] = {}
        self.pool: list[SSAValue] = []
        ports = [Port.input(name, width) for name, width in self.inputs.items()]
        # Port widths are known at the end only, so the logic is built in a builder of its own.
        b = HwBuilder("dut", [*CLOCK_RESET, *ports])
        self.b = b
        self.pool = [b.input(name) for name in self.inputs]
        registers = [b.reg(f"r{i}x", self.rng.choice(WIDTHS), self.rng.randrange(2))
                     for i in range(4)]  # fmt: skip
        self.pool += [register.value for register in registers]
        for _ in range(operations):
            self.pool.append(self.random_operation())
        for register in registers:
            enable = self.rng.choice([None, self.of_width(1)])
            register.set_next(self.of_width(b.width(register.value)), enable)
        outputs: list[Port] = []
        values = self.pool[-8:] + [register.value for register in registers]
        for index, value in enumerate(values):
            self.outputs[f"out{index}"] = b.width(value)
            outputs.append(Port.output(f"out{index}", b.width(value)))
        b.ports = (*b.ports, *outputs)
        for port, value in zip(outputs, values, strict=True):
            b.output(port.name, value)
        self.module = ModuleOp([b.finish()])

    def pick(self) -> SSAValue:
        return self.rng.choice(self.pool)

    def of_width(self, width: int) -> SSAValue:
        """Some value, brought to a width."""
        b, value = self.b, self.pick()
        if self.rng.random() < 0.15:
            return b.const(self.rng.getrandbits(width), width)
        have = b.width(value)
        if have > width:
            return b.extract(value, self.rng.randrange(have - width + 1), width)
        return self.rng.choice([b.zext, b.sext])(value, width)

    def random_operation(self) -> SSAValue:
        b, rng = self.b, self.rng
        x = self.pick()
        width = b.width(x)
        same: Callable[[], SSAValue] = lambda: self.of_width(width)  # noqa: E731
        choice = rng.randrange(15)
        if choice < 4:
            operation = rng.choice([b.add, b.mul, b.and_, b.or_, b.xor, b.sub, b.xnor])
            return operation(x, same())
        if choice == 4:
            return b.not_(x)
        if choice == 5:
            compare = rng.choice([b.eq, b.ne, b.ult, b.ule, b.ugt, b.uge, b.slt, b.sle, b.sgt,
                                  b.sge])  # fmt: skip
            return compare(x, same())
        if choice == 6:
            amount = b.const(rng.randrange(min(width + 2, 1 << width)), width)
            amount = rng.choice([amount, same()])
            return rng.choice([b.shl, b.shr, b.sar])(x, amount)
        if choice == 7:
            return b.mux(self.of_width(1), x, same())
        if choice == 8 and width < 40:
            return b.concat(x, self.pick(), x)
        if choice == 9 and width < 20:
            return b.replicate(x, rng.randrange(1, 6))
        if choice == 10:
            return b.popcount(x)
        if choice == 11:
            count = rng.choice([2, 4, 8])
            return b.select([same() for _ in range(count)], self.of_width(count.bit_length() - 1))
        # Icarus Verilog 11 divides numbers of more than 64 bits wrongly.
        if choice == 12 and width <= 64:
            divisor = b.or_(same(), 1)  # division by zero is undefined
            op_type = rng.choice([comb.DivUOp, comb.DivSOp, comb.ModUOp, comb.ModSOp])
            op = op_type(x, divisor)
            b.insert(op)
            return op.result
        if choice == 13:
            # A table of a power of two of words, at a sum of inputs that wraps around.
            wide = [name for name, width in self.inputs.items() if width > 1]
            if not wide:
                return b.not_(x)
            bits = min(self.inputs[name] for name in wide)
            bits = min(bits, rng.choice([1, 2, 3]))
            parts = [b.extract(b.input(rng.choice(wide)), 0, bits) for _ in range(2)]
            words = np.random.default_rng(rng.getrandbits(32)).integers(0, 2, (1 << bits, 5))
            return b.rom("words", words, b.add(*parts))
        return b.named("named", b.add(x, same()))

    def vectors(self, count: int) -> list[dict[str, int]]:
        """Random inputs; the first two cycles are a reset."""
        rows: list[dict[str, int]] = []
        for index in range(count):
            row = {"aresetn": int(index > 1 and self.rng.random() > 0.05)}
            for name, width in self.inputs.items():
                row[name] = self.rng.choice(
                    [0, (1 << width) - 1, 1 << (width - 1), self.rng.getrandbits(width)]
                )
            rows.append(row)
        return rows


def compare(
    logic: RandomLogic,
    run: Callable[[Sequence[Path], str], str],
    cycles: int,
    folder: Path,
) -> list[Path]:
    """Compare every output in every cycle; returns the files."""
    files = print_design(logic.module)
    check_design(files)
    paths = write_files(files, folder)
    vectors = logic.vectors(cycles)
    simulator = HwSimulator(logic.module, "dut")
    expected = [simulator.step(vector) for vector in vectors]
    inputs = {"aresetn": 1, **logic.inputs}
    text = run(paths, vector_bench("dut", inputs, logic.outputs, vectors, "aclk"))
    # Before the first clock edge the registers are unknown in Verilog.
    first, _, rest = text.partition("\n")
    assert len(first.split()) == len(logic.outputs)
    for cycle, (got, wanted) in enumerate(
        zip(parse_outputs(rest, logic.outputs), expected[1:], strict=True)
    ):
        assert got == wanted, f"cycle {cycle + 1}"
    return paths


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 1 << 30))
def test_icarus_agrees_with_the_simulator(seed: int) -> None:
    require_icarus()
    logic = RandomLogic(seed, 40)
    with tempfile.TemporaryDirectory() as folder:
        paths = compare(logic, run_icarus, 25, Path(folder))
        assert lint_icarus(paths, "dut") == ""


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_verilator_agrees_with_the_simulator(seed: int, tmp_path: Path) -> None:
    compare(RandomLogic(seed, 150), run_verilator, 100, tmp_path)


@pytest.mark.parametrize("seed", range(6))
def test_random_logic_is_lint_clean(seed: int, tmp_path: Path) -> None:
    logic = RandomLogic(seed, 60)
    paths = write_files(print_design(logic.module), tmp_path)
    assert lint_verilator(paths, "dut") == ""


def test_yosys_takes_random_logic(tmp_path: Path) -> None:
    paths = write_files(print_design(RandomLogic(7, 120).module), tmp_path)
    assert lint_yosys(paths, "dut") == ""


def test_text_round_trip_prints_the_same_verilog() -> None:
    for seed in range(5):
        module = RandomLogic(seed, 60).module
        again = parse_hw(str(module))
        first: list[VerilogFile] = print_design(module)
        assert [f.text for f in print_design(again)] == [f.text for f in first]
