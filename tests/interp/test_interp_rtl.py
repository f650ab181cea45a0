"""The cycle-accurate simulator of the hw level."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from xdsl.dialects.builtin import ModuleOp

from irc.errors import IrcError
from irc.interp.rtl import HwSimulator
from irc.passes.hardware.hw_builder import CLOCK_RESET, HwBuilder, Port


def counter(name: str = "counter", *, public: bool = True) -> HwBuilder:
    return HwBuilder(
        name, [*CLOCK_RESET, Port.input("en", 1), Port.output("count", 4)], public=public
    )


def test_register_resets_holds_and_wraps() -> None:
    b = counter()
    count = b.reg("count", 4, reset=13)
    count.set_next(b.add(count.value, 1), enable=b.input("en"))
    b.output("count", count.value)
    simulator = HwSimulator(ModuleOp([b.finish()]), "counter", seed=1)
    simulator.reset()
    seen = [simulator.step({"aresetn": 1, "en": en})["count"] for en in (1, 1, 0, 0, 1, 1, 1)]
    assert seen == [13, 14, 15, 15, 15, 0, 1]
    simulator.step({"aresetn": 0, "en": 1})
    assert simulator.step({"aresetn": 1})["count"] == 13


def test_registers_without_reset_start_at_random_values_of_the_seed() -> None:
    def first_value(seed: int | None) -> int:
        b = HwBuilder("m", [*CLOCK_RESET, Port.output("q", 64)])
        b.output("q", b.reg("q", 64, reset=None).value)
        return HwSimulator(ModuleOp([b.finish()]), "m", seed=seed).step({})["q"]

    assert first_value(None) == 0
    assert first_value(1) == first_value(1) != first_value(2)


def test_two_instances_of_one_module_have_their_own_state() -> None:
    inner = counter(public=False)
    count = inner.reg("count", 4)
    count.set_next(inner.add(count.value, 1), enable=inner.input("en"))
    word = inner.rom("squares", [[i * i >> bit & 1 for bit in range(4)] for i in range(16)],
                     count.value, inner.input("en"))  # fmt: skip
    inner.output("count", word)
    inner_op = inner.finish()
    b = HwBuilder("top", [*CLOCK_RESET, Port.input("en", 2), Port.output("a", 4),
                          Port.output("b", 4)])  # fmt: skip
    for index, port in enumerate("ab"):
        outputs = b.instance(f"c{index}", inner_op, {"en": b.bit(b.input("en"), index)})
        b.output(port, outputs["count"])
    simulator = HwSimulator(ModuleOp([inner_op, b.finish()]), "top")
    simulator.reset()
    for _ in range(3):
        simulator.step({"aresetn": 1, "en": 0b01})
    for _ in range(2):
        simulator.step({"aresetn": 1, "en": 0b10})
    outputs = simulator.step({"aresetn": 1, "en": 0})
    assert outputs == {"a": 2 * 2, "b": 1 * 1}


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4), st.integers(0, 255), st.booleans(),
                          st.integers(0, 4)), max_size=40))  # fmt: skip
def test_ram_reads_the_old_word_and_holds_its_output(
    steps: list[tuple[bool, int, int, bool, int]],
) -> None:
    b = HwBuilder("m", [*CLOCK_RESET, Port.input("we", 1), Port.input("waddr", 3),
                        Port.input("wdata", 8), Port.input("re", 1), Port.input("raddr", 3),
                        Port.output("q", 8)])  # fmt: skip
    b.output("q", b.ram("mem", 5, write_enable=b.input("we"), write_address=b.input("waddr"),
                        write_data=b.input("wdata"), read_enable=b.input("re"),
                        read_address=b.input("raddr")))  # fmt: skip
    simulator = HwSimulator(ModuleOp([b.finish()]), "m")
    memory, shown = [0] * 5, 0
    for we, waddr, wdata, re, raddr in steps:
        got = simulator.step(
            {"we": int(we), "waddr": waddr, "wdata": wdata, "re": int(re), "raddr": raddr}
        )
        assert got["q"] == shown
        shown = memory[raddr] if re else shown
        if we:
            memory[waddr] = wdata
    assert simulator.step({})["q"] == shown


def test_combinational_loop_names_its_signals() -> None:
    b = HwBuilder("m", [Port.input("x", 4), Port.output("y", 4)])
    wire = b.wire("ring", 4)
    wire.drive(b.named("next", b.add(wire.value, b.input("x"))))
    b.output("y", wire.value)
    with pytest.raises(IrcError, match=r"combinational loop: m\.\w+ <- m\.\w+ <- m\.\w+"):
        HwSimulator(ModuleOp([b.finish()]), "m")


def test_combinational_loop_through_instances() -> None:
    inner = HwBuilder("inverter", [Port.input("x", 1), Port.output("y", 1)])
    inner.output("y", inner.not_(inner.input("x")))
    inner_op = inner.finish()
    b = HwBuilder("m", [Port.output("y", 1)])
    wire = b.wire("ring", 1)
    wire.drive(b.instance("i", inner_op, {"x": wire.value})["y"])
    b.output("y", wire.value)
    with pytest.raises(IrcError, match="combinational loop"):
        HwSimulator(ModuleOp([inner_op, b.finish()]), "m")


def test_ready_signals_may_cross_instances_without_being_a_loop() -> None:
    """Two outputs of one instance are two signals: only bits that depend on each other loop."""
    inner = HwBuilder("cross", [Port.input("a", 1), Port.input("b", 1), Port.output("x", 1),
                                Port.output("y", 1)])  # fmt: skip
    inner.output("x", inner.not_(inner.input("a")))
    inner.output("y", inner.input("b"))
    inner_op = inner.finish()
    b = HwBuilder("m", [Port.input("in", 1), Port.output("out", 1)])
    wire = b.wire("w", 1)
    outputs = b.instance("i", inner_op, {"a": wire.value, "b": b.input("in")})
    wire.drive(outputs["y"])
    b.output("out", outputs["x"])
    simulator = HwSimulator(ModuleOp([inner_op, b.finish()]), "m")
    assert [simulator.step({"in": value})["out"] for value in (0, 1)] == [1, 0]


def test_unknown_top_is_named() -> None:
    b = counter()
    b.output("count", 0)
    module = ModuleOp([b.finish()])
    with pytest.raises(IrcError, match=r"there is no hw\.module 'nope'; there are counter"):
        HwSimulator(module, "nope")


def test_rom_bits_are_least_significant_first() -> None:
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2, (7, 70), np.uint8)
    b = HwBuilder("m", [*CLOCK_RESET, Port.input("a", 3), Port.output("q", 70)])
    b.output("q", b.rom("w", bits, b.input("a")))
    simulator = HwSimulator(ModuleOp([b.finish()]), "m")
    for address, row in enumerate(bits):
        simulator.step({"a": address})
        assert simulator.step({})["q"] == sum(int(bit) << i for i, bit in enumerate(row))
