"""A `packed` module as one C99 file and its header."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from xdsl.dialects.builtin import DictionaryAttr, IntegerAttr, LocationAttr, ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp

from irc.backends.c.files import Segment, source_files
from irc.backends.c.kernels import EMITTERS
from irc.backends.c.kernels.elementwise import emit_copy
from irc.backends.c.kernels.float_chain import is_reproducible
from irc.backends.c.layers import Layer, describe_layer
from irc.backends.c.ports import Port, function_ports, parameter_list
from irc.backends.c.unit import Unit
from irc.backends.node_comments import node_comment
from irc.dialects import packed
from irc.dialects.locations import fused_location
from irc.dialects.packed_placement import Placement
from irc.errors import IrcError, UsageError
from irc.interp.run import entry_function


@dataclass(frozen=True)
class CSource:
    """The text of a C file, with what one needs to call it and to talk about it."""

    name: str
    files: Mapping[str, str]
    """The C files by name: the one to begin with first, an inner header last if there is one."""
    inputs: list[Port]
    outputs: list[Port]
    layers: list[Layer]
    regions: dict[str, int]
    """Elements of each arena region."""
    is_reproducible: bool
    """Whether IEEE 754 fixes every bit of the results; else they may differ by a few ulp."""
    needs_math: bool
    """Whether it uses math.h, so that linking takes -lm."""
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    placement: Placement = field(default_factory=Placement)
    shared_bytes: int = 0
    """Bytes of constants that equal ones stand for as well."""

    @property
    def body(self) -> str:
        """The text of all files, one behind the other."""
        return "\n".join(self.files.values())

    @property
    def c_files(self) -> list[str]:
        """The names of the files to compile."""
        return [name for name in self.files if name.endswith(".c")]

    @property
    def inner_headers(self) -> list[str]:
        """The names of headers that are no business of the caller."""
        return [name for name in self.files if name.endswith(".h")]

    @property
    def arena_bytes(self) -> int:
        """Bytes of the arena, at least one; padded to its widest element."""
        widths = {region: int(region[1:]) // 8 for region in self.regions}
        size = sum(widths[region] * count for region, count in self.regions.items())
        widest = max(widths.values(), default=1)
        return max(1, -(-size // widest) * widest)

    @property
    def flash_bytes(self) -> int:
        """Bytes of constants."""
        return sum(layer.flash for layer in self.layers)

    @property
    def weight_bytes(self) -> int:
        """Bytes of weights."""
        return sum(layer.weights for layer in self.layers)

    @property
    def weight_bits(self) -> int:
        """Bits of information in the weights: as many as their types have."""
        return sum(layer.weight_bits for layer in self.layers)

    @property
    def weight_ratio(self) -> float:
        """How many bits of flash a bit of weight takes; 1 without weights."""
        return 8 * self.weight_bytes / self.weight_bits if self.weight_bits else 1.0

    @property
    def macs(self) -> int:
        """Multiplications with a weight in one frame."""
        return sum(layer.macs for layer in self.layers)

    @property
    def ordered_regions(self) -> list[tuple[str, int]]:
        """Regions from wide to narrow elements, so that no padding lies between them."""
        return sorted(self.regions.items(), key=lambda item: (-int(item[0][1:]), item[0]))

    @property
    def entry(self) -> str:
        """The function that a program calls; with the caller's arena only where it has to be."""
        return f"{self.name}_run{'_arena' if self.placement.arena == 'caller' else ''}"

    def call(self, inputs: list[str]) -> str:
        """A call of the network on these inputs, with `buffers` for the rest."""
        arena = ["&arena"] if self.placement.arena == "caller" else []
        arguments = [*arena, *inputs, *(port.name for port in self.outputs)]
        return f"{self.entry}({', '.join(arguments)})"

    @property
    def buffers(self) -> list[str]:
        """Definitions of the outputs, and of the arena where it is the caller's."""
        lines = [f"static {port.c_type} {port.name}[{port.size}];" for port in self.outputs]
        if self.placement.arena == "caller":
            lines.append(f"static {self.name}_arena arena;")
        return lines

    @property
    def parameters(self) -> str:
        """The parameters of the generated function, after the arena."""
        return parameter_list(self.inputs, self.outputs)


def emit_c(
    module: ModuleOp, name: str | None = None, metadata: Mapping[str, str] | None = None
) -> CSource:
    """Print a `packed` module whose arena is planned.

    `name` prefixes everything; by default it is the function's. Raises `IrcError` where the module
    is at another level and says which pass is missing, and `UsageError` for an impossible name.
    """
    function = entry_function(module)
    name = checked_name(name) if name else c_identifier(function.sym_name.data)
    _regions(function)
    placement = Placement.of(function)
    unit = Unit(name, function)
    # A constant of several layers would have to be seen by several files.
    unit.shares_constants = placement.files != "layers"
    _place_constants(unit, placement)
    layers: list[Layer] = []
    segments: list[Segment] = []
    within: list[LocationAttr] = []
    reproducible = True
    for op in function.body.block.ops:
        if isinstance(op, packed.InputOp | ReturnOp):
            continue
        if isinstance(op, packed.OutputOp):
            _emit_output(unit, op)
            continue
        if not isinstance(op, packed.KernelOp) or type(op) not in EMITTERS:
            raise IrcError(
                f"'{op.name}' cannot be printed as C: the module is not at level packed; run "
                "convert-bnn-to-packed,plan-arena on a streamlined bnn module first",
                op.location,
            )
        first_call = len(unit.calls)
        EMITTERS[type(op)](unit, op)
        layer = describe_layer(
            op, unit.constant_bytes[op.label.data], unit.weight_bytes[op.label.data]
        )
        # What is computed within the loops of a later layer is told of there.
        nodes = fused_location(op.location, *within)
        within = [nodes] if len(unit.calls) == first_call else []
        comment = "\n   ".join([f"{layer.label}: {layer.shape}", *node_comment(nodes)])
        comment = f"/* {comment} */"
        segments.append(Segment(layer.label, comment, first_call, len(unit.calls)))
        layers.append(layer)
        if isinstance(op, packed.FloatOp):
            reproducible &= is_reproducible(op.steps)
        reproducible &= not isinstance(op, packed.SoftmaxOp)
    inputs = function_ports(function, unit.inputs, is_input=True)
    outputs = function_ports(function, unit.outputs, is_input=False)
    return CSource(
        name=name,
        files=source_files(unit, placement, inputs, outputs, segments),
        inputs=inputs,
        outputs=outputs,
        layers=layers,
        regions=_regions(function),
        is_reproducible=reproducible,
        needs_math=unit.needs_math,
        metadata=metadata or {},
        placement=placement,
        shared_bytes=unit.shared_bytes,
    )


def c_identifier(text: str) -> str:
    """A C identifier made from any name."""
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_").lower() or "model"
    return f"net_{name}" if name[0].isdigit() or name in _RESERVED else name


def checked_name(name: str) -> str:
    """`name`, if C accepts it as a prefix; raises `UsageError` otherwise."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) or name in _RESERVED:
        raise UsageError(
            f"target c: name {name!r} is not a C identifier; use letters, digits and underscores, "
            f"such as {c_identifier(name)!r}"
        )
    return name


# Keywords of C and C++, and what the generated code itself calls things.
_RESERVED = set(
    """
    auto bool break case catch char class const const_cast continue default delete do double
    dynamic_cast else enum explicit export extern false float for friend goto if inline int long
    main mutable namespace new operator private protected public register restrict return short
    signed sizeof static struct switch template this throw true try typedef typeid typename union
    unsigned using virtual void volatile while arena in out
    """.split()  # noqa: SIM905
)


def _regions(function: FuncOp) -> dict[str, int]:
    planned = function.attributes.get(packed.ARENA)
    if not isinstance(planned, DictionaryAttr):
        first = function.body.block.first_op
        is_packed = isinstance(first, packed.InputOp)
        missing = "plan-arena" if is_packed else "convert-bnn-to-packed,plan-arena"
        raise IrcError(
            f"function @{function.sym_name.data} is not ready to be printed as C: "
            f"run {missing} first"
        )
    return {
        region: size.value.data
        for region, size in planned.data.items()
        if isinstance(size, IntegerAttr)
    }


def _emit_output(unit: Unit, op: packed.OutputOp) -> None:
    """Copy to each result that does not lie in place already."""
    source = unit.address(op.input)
    for use in op.output.uses:
        if isinstance(use.operation, ReturnOp) and unit.outputs[use.index] != source:
            emit_copy(unit, source, unit.outputs[use.index], packed.array_type(op.input).length)


_PROGRAM_MEMORY = """
/* Constants stay in program memory on AVR, whose data pointers do not reach there. */
#ifndef $upper_FLASH
#if !defined(__AVR__)
#define $upper_FLASH
#elif defined(__FLASH) && !defined(__STRICT_ANSI__)
#define $upper_FLASH __flash
#else
#error "compile as GNU C, such as with -std=gnu99: __flash is no part of standard C"
#define $upper_FLASH
#endif
#endif
"""

_SECTION = """
/* Where the linker finds constants. Define it for a compiler that says so in another way. */
#ifndef $upper_SECTION
#if defined(__GNUC__) || defined(__clang__) || defined(__ICCARM__) || defined(__ARMCC_VERSION)
#define $upper_SECTION __attribute__((section("$section")))
#else
#error "define $upper_SECTION as what puts a constant into section $section"
#endif
#endif
"""


def _place_constants(unit: Unit, placement: Placement) -> None:
    """Say where the constants of `unit` go."""
    if placement.program_memory:
        unit.const = f"const {unit.name.upper()}_FLASH"
        unit.define_once(_PROGRAM_MEMORY.strip("\n"))
    if placement.section:
        unit.section = f" {unit.name.upper()}_SECTION"
        unit.define_once(_SECTION.strip("\n").replace("$section", placement.section))


__all__ = ["CSource", "c_identifier", "checked_name", "emit_c"]
