"""Memories of a unit that a configuration stream fills.

All loaders of a design form a chain, from unit to unit, so that no bus reaches them all: a byte
goes through a register in each loader, which keeps what its memory takes and passes the rest on.

    clear      begin again: the next bytes are for the first word of the first memory
    data       words one after another, each in whole bytes, least significant first
    full       the memory has all its words

Bytes and `clear` move at the same pace, hence a byte never meets the state before its `clear`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from xdsl.dialects import hw
from xdsl.dialects.builtin import ArrayAttr, IntegerType, ModuleOp, StringAttr, SymbolRefAttr
from xdsl.ir import SSAValue

from irc.dialects import rtl
from irc.dialects.dense import DenseAttr
from irc.passes.hardware.hw_builder import CLOCK_RESET, HwBuilder, Port
from irc.passes.hardware.hw_expressions import HwExpressions

BYTE = 8
"""Bits of the configuration stream that come at once."""

CHAIN = {"data": BYTE, "valid": 1, "clear": 1}
"""The signals from one loader to the next, and their bits."""

CONFIG = "cfg"
"""What the ports of units for the chain start with: `cfg_data`, and `cfg_out_data` behind it."""

WORDS = "dataflow.words"
"""Attribute of a loadable memory: its contents, `tensor<DEPTHxWIDTHxui1>`, bit 0 of a word
first. They are those at power-on as well, unless the memory begins without any."""

LoaderOf = Callable[[int, int], hw.HWModuleOp]
"""The loader of a memory of so many bits a word, and so many words."""


def bytes_of_word(width: int) -> int:
    """Bytes of the configuration stream for a word of so many bits."""
    return -(-width // BYTE)


def loader_module(name: str, width: int, depth: int) -> hw.HWModuleOp:
    """The loader of a memory of `depth` words of `width` bits."""
    ports = [*CLOCK_RESET]
    ports += [Port.input(f"in_{signal}", bits) for signal, bits in CHAIN.items()]
    ports += [Port.output(f"out_{signal}", bits) for signal, bits in CHAIN.items()]
    address_bits = rtl.address_width(depth)
    ports += [
        Port.output("full", 1),
        Port.output("write_enable", 1),
        Port.output("write_address", address_bits),
        Port.output("write_data", width),
    ]
    b = HwBuilder(name, ports)
    data, valid, clear = (b.input(f"in_{signal}") for signal in CHAIN)
    full = b.reg("is_full", 1, reset=1)
    taken = b.named("taken", b.and_(valid, b.not_(full.value)))
    word, complete = _word(b, data, taken, clear, bytes_of_word(width))
    write = b.named("write", b.and_(taken, complete))
    address = b.reg("address", address_bits)
    is_last = b.eq(address.value, depth - 1)
    following = b.mux(b.or_(clear, is_last), 0, b.add(address.value, 1))
    if depth > 1:
        address.set_next(following, b.or_(clear, write))
    full.set_next(b.not_(clear), b.or_(clear, b.and_(write, is_last)))
    b.output("out_data", b.delay("data_q", data, None))
    # Nothing may be written between power-on and the first reset.
    passed = b.reg("valid_q", 1, power_on=0)
    passed.set_next(b.and_(valid, full.value))
    b.output("out_valid", passed.value)
    b.output("out_clear", b.delay("clear_q", clear))
    b.output("full", full.value)
    b.output("write_enable", write)
    b.output("write_address", address.value)
    b.output("write_data", b.trunc(word, width))
    return b.finish()


def _word(
    b: HwBuilder, data: SSAValue, taken: SSAValue, clear: SSAValue, count: int
) -> tuple[SSAValue, SSAValue]:
    """The last `count` bytes, the present one at the top, and whether it completes a word."""
    if count == 1:
        return data, b.const(1, 1)
    earlier = b.reg("earlier", BYTE * (count - 1), None)
    word = b.named("word", b.concat(data, earlier.value))
    earlier.set_next(b.extract(word, BYTE, BYTE * (count - 1)), taken)
    place = b.reg("place", rtl.address_width(count))
    complete = b.eq(place.value, count - 1)
    restarts = b.or_(clear, complete)
    place.set_next(b.mux(restarts, 0, b.add(place.value, 1)), b.or_(clear, taken))
    return word, complete


def make_loadable(module: hw.HWModuleOp, loader_of: LoaderOf) -> int:
    """Make RAMs with loaders of all ROMs of a unit, and give the unit the ports of the chain;
    returns how many there are. A unit without any stays as it is."""
    block = module.body.block
    roms = [op for op in block.ops if isinstance(op, rtl.RomOp)]
    if not roms:
        return 0
    end = block.last_op
    assert isinstance(end, hw.OutputOp)
    end.detach()
    ports = list(module.module_type.ports)
    names = [port.port_name.data for port in ports if port.dir.data.is_input_like()]
    inputs = dict(zip(names, block.args, strict=True))
    chain: dict[str, SSAValue] = {}
    for signal, bits in CHAIN.items():
        chain[signal] = block.insert_arg(IntegerType(bits), len(block.args))
        chain[signal].name_hint = f"{CONFIG}_{signal}"
        ports.append(_port(f"{CONFIG}_{signal}", bits, hw.Direction.INPUT))
    b = HwExpressions(block, roms[0].location)
    full = b.const(1, 1)
    for rom in roms:
        loader = _instance(b, rom, loader_of(rom.width, rom.depth), inputs, chain)
        _replace(b, rom, loader)
        chain = {signal: loader[f"out_{signal}"] for signal in CHAIN}
        full = loader["full"]
    outputs = {f"{CONFIG}_out_{signal}": value for signal, value in chain.items()}
    outputs[f"{CONFIG}_full"] = full
    for name, value in outputs.items():
        ports.append(_port(name, b.width(value), hw.Direction.OUTPUT))
    block.add_op(hw.OutputOp([*end.inputs, *outputs.values()]))
    end.erase()
    module.properties["module_type"] = hw.ModuleType(ArrayAttr(ports))
    return len(roms)


def _port(name: str, bits: int, direction: hw.Direction) -> hw.ModulePort:
    return hw.ModulePort(StringAttr(name), IntegerType(bits), hw.DirectionAttr(direction))


def _instance(
    b: HwExpressions,
    rom: rtl.RomOp,
    loader: hw.HWModuleOp,
    inputs: Mapping[str, SSAValue],
    chain: Mapping[str, SSAValue],
) -> Mapping[str, SSAValue]:
    """The loader of a memory; returns its outputs by name."""
    name = f"load_{rom.sym_name.data}"
    given = {**inputs, **{f"in_{signal}": value for signal, value in chain.items()}}
    loader_ports = [(port.port_name.data, port) for port in loader.module_type.ports]
    op = hw.InstanceOp(
        name,
        SymbolRefAttr(loader.sym_name),
        [(n, given[n]) for n, port in loader_ports if port.dir.data.is_input_like()],
        [(n, port.type) for n, port in loader_ports if port.dir.data.is_output_like()],
    )
    b.insert(op)
    outputs = {n.data: value for n, value in zip(op.result_names, op.outputs, strict=True)}
    for port, value in outputs.items():
        value.name_hint = f"{name}_{port}"
    return outputs


def _replace(b: HwExpressions, rom: rtl.RomOp, loader: Mapping[str, SSAValue]) -> None:
    """A RAM in the place of a ROM. The large single-ported one is not read while it is written,
    which happens only while no frame is under way, and has no contents before that."""
    write, write_address = loader["write_enable"], loader["write_address"]
    read, read_address = rom.enable, rom.address
    single = rom.style.data == "huge"
    if single:
        read = b.and_(read, b.not_(write))
        read_address = write_address = b.mux(write, write_address, read_address)
    ram = rtl.RamOp(
        rom.sym_name.data,
        rom.depth,
        rom.clk,
        write,
        write_address,
        loader["write_data"],
        read,
        read_address,
        style=rom.style.data,
        initial=None if single else rom.data,
    )
    ram.attributes[WORDS] = rom.data
    b.insert(ram)
    ram.result.name_hint = rom.result.name_hint
    rom.result.replace_all_uses_with(ram.result)
    rom.detach()
    rom.erase()


@dataclass(frozen=True)
class LoadableMemory:
    """A memory that the configuration stream fills: `words` is its `WORDS`."""

    module: str
    name: str
    words: DenseAttr
    has_contents: bool
    """Whether it has them at power-on."""

    @property
    def depth(self) -> int:
        """How many words there are."""
        return self.words.shape[0]

    @property
    def width(self) -> int:
        """Bits of a word."""
        return self.words.shape[1]

    @property
    def bytes(self) -> int:
        """Bytes of the stream that fill it."""
        return self.depth * bytes_of_word(self.width)


def loadable_memories(module: hw.HWModuleOp) -> list[LoadableMemory]:
    """The memories of a unit in the order in which the chain fills them."""
    return [
        LoadableMemory(module.sym_name.data, op.sym_name.data, words, op.initial is not None)
        for op in module.body.block.ops
        if isinstance(op, rtl.RamOp) and isinstance(words := op.attributes.get(WORDS), DenseAttr)
    ]


def design_memories(module: ModuleOp, top: str) -> list[LoadableMemory]:
    """The memories of a design in the order of its configuration stream."""
    modules = {op.sym_name.data: op for op in module.ops if isinstance(op, hw.HWModuleOp)}
    return [
        memory
        for op in modules[top].body.block.ops
        if isinstance(op, hw.InstanceOp)
        for memory in loadable_memories(modules[op.module_name.root_reference.data])
    ]
