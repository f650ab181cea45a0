"""Counters of a heap plan in hardware, and the registers between their levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from xdsl.dialects import hw
from xdsl.ir import SSAValue

from irc.dialects.bit_heap import Counter, HeapPlan
from irc.dialects.unrolled_layer import stage_of
from irc.passes.hardware.hw_builder import HwBuilder, Port
from irc.passes.hardware.hw_core import constant_of
from irc.passes.hardware.units.lookup_logic import at_least, bit_sum

_Kind = tuple[tuple[int, ...], int, int, int]
"""Exponents of the inputs, columns dropped, constant, bits of the result."""


@dataclass(frozen=True)
class Signal:
    """A bit of a value, there at a level."""

    value: SSAValue
    bit: int
    level: int


@dataclass
class CounterPipeline:
    """Builds counters and registers of one unit, all registers under one enable."""

    b: HwBuilder
    unit: str
    enable: SSAValue
    modules: dict[_Kind, hw.HWModuleOp] = field(default_factory=dict[_Kind, hw.HWModuleOp])
    _held: dict[tuple[int, int], SSAValue] = field(default_factory=dict[tuple[int, int], SSAValue])

    def at(self, signal: Signal, level: int) -> SSAValue:
        """The bit at a level, through as many registers as lie before it."""
        return self.b.bit(self.held(signal.value, signal.level, level), signal.bit)

    def held(self, value: SSAValue, level: int, later: int) -> SSAValue:
        """A value of one level at a later one. Constants need no register."""
        for stage in range(stage_of(level), stage_of(later)):
            if constant_of(value) is not None:
                break
            key = id(value), stage
            if key not in self._held:
                name = f"{value.name_hint or 'bits'}_q"
                self._held[key] = self.b.delay(name, value, None, self.enable)
            value = self._held[key]
        return value

    def run(
        self, name: str, plan: HeapPlan, bits: Sequence[Signal], threshold: int = 0
    ) -> list[tuple[Signal, int]]:
        """The bits that a plan leaves, with their exponents. Where it drops columns, these are at
        least `ceil(threshold / 2^dropped)` just if the sum is at least `threshold`."""
        signals: dict[int, Signal] = dict(enumerate(bits))
        for index, counter in enumerate(plan.counters):
            constant = -_halved(threshold, counter.column) % (1 << counter.dropped)
            value = self._counter(f"{name}_count{index}", counter, signals, constant)
            for place, number in enumerate(counter.outputs):
                signals[number] = Signal(value, place, counter.level)
        return [(signals[number], exponent) for number, exponent in plan.left]

    def reached(
        self, name: str, plan: HeapPlan, bits: Sequence[Signal], threshold: int, level: int
    ) -> SSAValue:
        """Whether the sum of bits is at least a constant, by a plan that leaves a table of them."""
        left = self.run(name, plan, bits, threshold)
        lowest = min((exponent for _, exponent in left), default=0)
        rest = [(self.at(signal, level), exponent - lowest) for signal, exponent in left]
        return at_least(self.b, bit_sum(self.b, rest), _halved(threshold, lowest))

    def total(
        self, name: str, plan: HeapPlan, bits: Sequence[Signal], width: int, level: int
    ) -> SSAValue:
        """The sum of bits in `width` bits, by a plan that leaves at most two of each exponent."""
        columns: dict[int, list[SSAValue]] = {}
        for signal, exponent in self.run(name, plan, bits):
            columns.setdefault(exponent, []).append(self.at(signal, level))
        zero = self.b.const(0, 1)
        rows = [
            self.b.concat(
                *(
                    column[which] if which < len(column := columns.get(place, [])) else zero
                    for place in reversed(range(width))
                )
            )
            for which in range(2)
        ]
        return self.b.add(*rows)

    def _counter(
        self, name: str, counter: Counter, signals: Mapping[int, Signal], constant: int
    ) -> SSAValue:
        inputs = [self.at(signals[number], counter.level) for number in counter.inputs]
        if all(constant_of(bit) == 0 for bit in inputs) and not constant:
            return self.b.const(0, len(counter.outputs))
        instance = self.b.instance(
            name, self._module(counter, constant), {"bits": self.b.concat(*reversed(inputs))}
        )
        return instance["sum"]

    def _module(self, counter: Counter, constant: int) -> hw.HWModuleOp:
        """The module that all counters share that count alike."""
        kind = counter.exponents, counter.dropped, constant, len(counter.outputs)
        if kind not in self.modules:
            self.modules[kind] = _counter_module(self.unit, *kind)
        return self.modules[kind]


def _halved(number: int, times: int) -> int:
    """`ceil(number / 2^times)`"""
    return -(-number >> times)


def _counter_module(
    unit: str, exponents: tuple[int, ...], dropped: int, constant: int, outputs: int
) -> hw.HWModuleOp:
    heights = [exponents.count(place) for place in range(max(exponents) + 1)]
    name = f"{unit}_count_{'_'.join(map(str, reversed(heights)))}"
    name += f"_drop{dropped}_plus{constant}" if dropped else ""
    b = HwBuilder(name, [Port.input("bits", len(exponents)), Port.output("sum", outputs)])
    bits = [(b.bit(b.input("bits"), place), e) for place, e in enumerate(exponents)]
    number = bit_sum(b, bits, constant)[dropped:]
    number += [b.const(0, 1)] * (outputs - len(number))
    b.output("sum", b.concat(*reversed(number[:outputs])))
    return b.finish()
