"""Build the hardware: one module a unit, and a top module that connects them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import hw
from xdsl.dialects.builtin import ArrayAttr, LocationAttr, ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.utils.hints import isa

from irc.devices import figures_of
from irc.dialects import dataflow
from irc.dialects.locations import fused_location
from irc.errors import IrcError, UnsupportedError
from irc.passes.hardware.design import Design, design_of
from irc.passes.hardware.units.add import add_module
from irc.passes.hardware.units.concat import concat_module
from irc.passes.hardware.units.fifo import fifo_module
from irc.passes.hardware.units.fork import fork_module
from irc.passes.hardware.units.loader import loadable_memories, loader_module, make_loadable
from irc.passes.hardware.units.mvu import mvu_module
from irc.passes.hardware.units.pad import pad_module
from irc.passes.hardware.units.pool import pool_module
from irc.passes.hardware.units.slice import slice_module
from irc.passes.hardware.units.starts import filling_cycles
from irc.passes.hardware.units.threshold import threshold_module
from irc.passes.hardware.units.top import Instance, top_module
from irc.passes.hardware.units.unrolled import unrolled_modules
from irc.passes.hardware.units.upsample import upsample_module
from irc.passes.hardware.units.width_converter import width_converter_module
from irc.passes.hardware.units.window import window_module
from irc.passes.hardware.units.window_banks import parallel_window_module
from irc.passes.layer_names import UniqueNames, describe, verilog_identifier
from irc.passes.rewriting import functions_to_convert

INPUT_STREAM = "dataflow.input"
"""Attribute of a top module: the type of the stream that its s_axis port takes."""

OUTPUT_STREAM = "dataflow.output"
"""Attribute of a top module: the type of the stream that its m_axis port gives."""

LAYERS = "dataflow.layers"
"""Attribute of the module of a unit: the names of the layers that it computes."""


def layer_modules(module: ModuleOp) -> dict[str, str]:
    """The name of the module that computes each layer, by the name of the layer."""
    found: dict[str, str] = {}
    for op in module.ops:
        names = op.attributes.get(LAYERS)
        if isinstance(op, hw.HWModuleOp) and isa(names, ArrayAttr[StringAttr]):
            found.update((name.data, op.sym_name.data) for name in names)
    return found


def stream_attributes(module: ModuleOp) -> tuple[str, dataflow.StreamType, dataflow.StreamType]:
    """The name of the top module and what its streams carry; `IrcError` where none says so."""
    for op in module.ops:
        source, result = op.attributes.get(INPUT_STREAM), op.attributes.get(OUTPUT_STREAM)
        if (
            isinstance(op, hw.HWModuleOp)
            and isinstance(source, dataflow.StreamType)
            and isinstance(result, dataflow.StreamType)
        ):
            return op.sym_name.data, source, result
    raise IrcError(
        f"no hardware module says with '{INPUT_STREAM}' and '{OUTPUT_STREAM}' what its streams "
        "carry; convert-dataflow-to-hw writes both"
    )


@dataclass(frozen=True)
class ConvertDataflowToHw(ModulePass):
    """Replace a dataflow function by modules; what the host computes before and after is dropped.

    The public module is named like the function. Units that are equal share a module.
    """

    name = "convert-dataflow-to-hw"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in list(functions_to_convert(op)):
            modules = _Modules(verilog_identifier(function.sym_name.data))
            built = modules.build(function)
            function.detach()
            function.erase()
            op.body.block.add_ops(built)


class _Modules:
    """The modules of one design. Their names start with that of the top, so that several designs
    can live in one project."""

    def __init__(self, top: str) -> None:
        self.top = top
        self.names = UniqueNames()
        self.instances = UniqueNames()
        self.names_of_loadable = UniqueNames()
        self.names.unique(top)
        self.built: dict[tuple[object, ...], hw.HWModuleOp] = {}
        self.layers: dict[hw.HWModuleOp, list[StringAttr]] = {}
        self.locations: dict[hw.HWModuleOp, list[LocationAttr]] = {}
        self.lut_inputs = 6

    def build(self, function: FuncOp) -> list[Operation]:
        design = design_of(function)
        if design.device is not None:
            self.lut_inputs = figures_of(design.device).lut_inputs
        instances: list[Instance] = []
        for op in design.units:
            _check_lanes(op)
            unit = _unit_name(op)
            module = self.module_of(op, unit)
            self.locations.setdefault(module, []).append(op.location)
            if isinstance(op, dataflow.FoldedNode | dataflow.AddOp):
                layer = op.layer.data if isinstance(op, dataflow.AddOp) else op.layer_name
                self.layers.setdefault(module, []).append(StringAttr(layer))
            memories = tuple(loadable_memories(module)) if _is_reloadable(op) else ()
            name = self.instances.unique(unit)
            instances.append(Instance(op, name, module, memories, _filling(op)))
        for module, locations in self.locations.items():
            _share_location(module, locations)
        for module, layers in self.layers.items():
            module.attributes[LAYERS] = ArrayAttr(layers)
        top = top_module(self.top, design, instances)
        top.location = function.location
        top.attributes[INPUT_STREAM] = design.source
        top.attributes[OUTPUT_STREAM] = design.result
        return [top, *self.built.values()]

    def module_of(self, op: Operation, unit: str) -> hw.HWModuleOp:
        """The module of a unit, shared with equal units built before."""
        properties = {key: value for key, value in op.properties.items() if key != "layer"}
        key = (op.name, tuple(sorted(properties.items())), *_streams(op))
        if _is_reloadable(op):
            # Layers that are equal now may differ once others are loaded.
            key = (*key, self.names_of_loadable.unique(unit))
        if key not in self.built:
            name = self.names.unique(f"{self.top}_{unit}")
            if isinstance(op, dataflow.MvuOp) and op.is_unrolled:
                self.built[key], *counters = unrolled_modules(op, name)
                for counter in counters:
                    self.locations[counter] = [op.location]
                    self.built[key, counter.sym_name.data] = counter
            else:
                self.built[key] = _module(op, name, self.lut_inputs)
                if _is_reloadable(op):
                    make_loadable(self.built[key], self.loader_of)
        return self.built[key]

    def loader_of(self, width: int, depth: int) -> hw.HWModuleOp:
        """The module that fills memories of so many bits a word, and so many words."""
        key = ("loader", width, depth)
        if key not in self.built:
            name = self.names.unique(f"{self.top}_loader_{width}x{depth}")
            self.built[key] = loader_module(name, width, depth)
        return self.built[key]


def _share_location(module: hw.HWModuleOp, locations: Sequence[LocationAttr]) -> None:
    """Let a module, and all in it, be at the locations of every unit that it is built for."""
    location = fused_location(*locations)
    for op in module.walk():
        op.location = location


def filling_cycles_of(design: Design) -> int:
    """Cycles by which a design takes its first beat later after a reset than others do."""
    return max(map(_filling, design.units), default=0)


def _filling(op: Operation) -> int:
    if not isinstance(op, dataflow.MvuOp) or not op.is_reloadable or op.synapse_folds == 1:
        return 0
    return filling_cycles(op.synapse_folds, op.pe)


def _is_reloadable(op: Operation) -> bool:
    return isinstance(op, dataflow.MvuOp | dataflow.ThresholdOp) and op.is_reloadable


def _streams(op: Operation) -> list[object]:
    """What the hardware of a unit depends on in its streams: for those that only pass beats on,
    how wide these are."""
    values = (*op.operands, *op.results)
    if isinstance(op, dataflow.ForkOp | dataflow.FifoOp | dataflow.WidthConverterOp):
        return [dataflow.stream_type(value).beat_width for value in values]
    return [value.type for value in values]


def _check_lanes(op: Operation) -> None:
    if not isinstance(op, dataflow.FoldedNode | dataflow.SpatialNode | dataflow.BranchNode):
        return
    for operand in op.operands:
        lanes = dataflow.stream_type(operand).lanes
        if lanes != op.input_lanes():
            folded = isinstance(op, dataflow.FoldedNode)
            name = f"layer '{op.layer_name}'" if folded else describe(op)
            raise IrcError(
                f"{name} takes {op.input_lanes()} lanes but gets {lanes}: "
                "run insert-width-converters first",
                op.location,
            )


def _module(op: Operation, name: str, lut_inputs: int) -> hw.HWModuleOp:
    """The module of a unit, to be named `name`, for look-up tables of so many inputs."""
    match op:
        case dataflow.MvuOp():
            return mvu_module(op, name, lut_inputs)
        case dataflow.ThresholdOp():
            return threshold_module(op, name)
        case dataflow.PadOp():
            return pad_module(op, name)
        case dataflow.WindowOp() if op.is_parallel:
            return parallel_window_module(op, name)
        case dataflow.WindowOp():
            return window_module(op, name)
        case dataflow.MaxPoolOp() | dataflow.SumPoolOp():
            return pool_module(op, name)
        case dataflow.ForkOp():
            return fork_module(op, name)
        case dataflow.AddOp():
            return add_module(op, name)
        case dataflow.ConcatOp():
            return concat_module(op, name)
        case dataflow.SliceOp():
            return slice_module(op, name)
        case dataflow.UpsampleOp():
            return upsample_module(op, name)
        case dataflow.WidthConverterOp():
            return width_converter_module(op, name)
        case dataflow.FifoOp():
            return fifo_module(op, name)
        case _:
            raise UnsupportedError(f"{describe(op)}: there is no hardware unit for it", op.location)


def _unit_name(op: Operation) -> str:
    """What a unit is called within its design."""
    match op:
        case dataflow.FoldedNode():
            return verilog_identifier(op.layer_name)
        case dataflow.SpatialNode():
            size = "x".join(map(str, dataflow.stream_type(op.input).shape))
            return f"{op.name.removeprefix('dataflow.')}_{size}"
        case dataflow.AddOp():
            return verilog_identifier(op.layer.data)
        case dataflow.ForkOp():
            return f"fork_{dataflow.stream_type(op.input).beat_width}x{len(op.outputs)}"
        case dataflow.ConcatOp() | dataflow.SliceOp():
            size = "x".join(map(str, dataflow.stream_type(op.output).shape))
            return f"{op.name.removeprefix('dataflow.')}_to_{size}"
        case dataflow.FifoOp():
            return f"fifo_{dataflow.stream_type(op.input).beat_width}x{op.depth}"
        case dataflow.WidthConverterOp():
            widths = (dataflow.stream_type(v).beat_width for v in (op.input, op.output))
            return "width_{}_to_{}".format(*widths)
        case _:
            return verilog_identifier(op.name)
