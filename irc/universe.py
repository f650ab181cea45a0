"""What `irc` adds to xDSL: dialects, passes and targets, by name.

The tables are explicit and lazy: a name stands beside the place of its class, and nothing is
imported before it is used, so that `irc-opt` starts fast however many passes there are. xDSL and
`irc-opt` discover `IRC_UNIVERSE` through the entry point group `xdsl.universe`, and other packages
add to it in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import Any, cast

from xdsl.ir import Dialect
from xdsl.passes import ModulePass
from xdsl.universe import XDSL_UNIVERSE, Universe
from xdsl.utils.target import Target

from irc.errors import IrcError

ENTRY_POINT_GROUP = "xdsl.universe"

# The object is a Dialect, or a function that makes it.
DIALECTS = {
    "onnx": "irc.dialects.onnx:get_dialect",
    "bnn": "irc.dialects.bnn:Bnn",
    "dataflow": "irc.dialects.dataflow:Dataflow",
    "rtl": "irc.dialects.rtl:Rtl",
    "packed": "irc.dialects.packed:Packed",
}

TARGETS = {
    "verilog": "irc.backends.verilog.target:VerilogTarget",
    "c": "irc.backends.c.target:CTarget",
}

# One line a pass; the file is named like the pass, its folder is the group that lists show.
PASSES = {
    # lift: from the model to the network that it means
    "onnx-infer-shapes": "irc.passes.lift.onnx_infer_shapes:OnnxInferShapesPass",
    "onnx-fold-constants": "irc.passes.lift.onnx_fold_constants:OnnxFoldConstantsPass",
    "onnx-dce": "irc.passes.lift.onnx_dce:OnnxDcePass",
    "lift-onnx-to-bnn": "irc.passes.lift.lift_onnx_to_bnn:LiftOnnxToBnn",
    # quantize: float networks become networks of few bits, at the bnn level
    "binarize": "irc.passes.quantize.binarize:Binarize",
    "quantize-weights": "irc.passes.quantize.quantize_weights:QuantizeWeights",
    "quantize-activations": "irc.passes.quantize.quantize_activations:QuantizeActivations",
    # streamline: float arithmetic becomes integer arithmetic, at the bnn level
    "declare-inputs": "irc.passes.streamline.declare_inputs:DeclareInputs",
    "fit-affine-chains": "irc.passes.streamline.fit_affine_chains:FitAffineChains",
    "fold-residual-adds": "irc.passes.streamline.fold_residual_adds:FoldResidualAdds",
    "fold-thresholds": "irc.passes.streamline.fold_thresholds:FoldThresholds",
    "merge-thresholds": "irc.passes.streamline.merge_thresholds:MergeThresholds",
    "integer-outputs": "irc.passes.streamline.integer_outputs:IntegerOutputs",
    "narrow-accumulators": "irc.passes.streamline.narrow_accumulators:NarrowAccumulators",
    "recognize-quantizers": "irc.passes.streamline.recognize_quantizers:RecognizeQuantizers",
    "trim-thresholds": "irc.passes.streamline.trim_thresholds:TrimThresholds",
    "remove-redundant-channels": (
        "irc.passes.streamline.remove_redundant_channels:RemoveRedundantChannels"
    ),
    "share-equal-rows": "irc.passes.streamline.share_equal_rows:ShareEqualRows",
    "split-chains": "irc.passes.streamline.split_chains:SplitChains",
    "split-sums": "irc.passes.streamline.split_sums:SplitSums",
    "streamline": "irc.passes.streamline.streamline:Streamline",
    "streamline-branches": "irc.passes.streamline.streamline_branches:StreamlineBranches",
    "streamline-linear": "irc.passes.streamline.streamline_linear:StreamlineLinear",
    "streamline-pads": "irc.passes.streamline.streamline_pads:StreamlinePads",
    "streamline-pools": "irc.passes.streamline.streamline_pools:StreamlinePools",
    "streamline-reshapes": "irc.passes.streamline.streamline_reshapes:StreamlineReshapes",
    "streamline-shuffles": "irc.passes.streamline.streamline_shuffles:StreamlineShuffles",
    "streamline-transposes": "irc.passes.streamline.streamline_transposes:StreamlineTransposes",
    # cleanup: at any level
    "merge-equal-operations": "irc.passes.cleanup.merge_equal_operations:MergeEqualOperations",
    "erase-unused-operations": "irc.passes.cleanup.erase_unused_operations:EraseUnusedOperations",
    # hardware: streams, folding, wires
    "make-reloadable": "irc.passes.hardware.make_reloadable:MakeReloadable",
    "convert-bnn-to-dataflow": "irc.passes.hardware.convert_bnn_to_dataflow:ConvertBnnToDataflow",
    "fold-layers": "irc.passes.hardware.fold_layers:FoldLayers",
    "set-folding": "irc.passes.hardware.set_folding:SetFolding",
    "pipeline-to-clock": "irc.passes.hardware.pipeline_to_clock:PipelineToClock",
    "insert-width-converters": (
        "irc.passes.hardware.insert_width_converters:InsertWidthConverters"
    ),
    "insert-fifos": "irc.passes.hardware.insert_fifos:InsertFifos",
    "convert-dataflow-to-hw": "irc.passes.hardware.convert_dataflow_to_hw:ConvertDataflowToHw",
    # software: words, kernels, an arena
    "choose-interface": "irc.passes.software.choose_interface:ChooseInterface",
    "convert-bnn-to-packed": "irc.passes.software.convert_bnn_to_packed:ConvertBnnToPacked",
    "choose-kernels": "irc.passes.software.choose_kernels:ChooseKernels",
    "choose-placement": "irc.passes.software.choose_placement:ChoosePlacement",
    "plan-arena": "irc.passes.software.plan_arena:PlanArena",
}


def resolve(place: str) -> Any:
    """The object at `module:name`."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


def _dialect(place: str) -> Dialect:
    found = resolve(place)
    return found if isinstance(found, Dialect) else found()


def _lazy(table: Mapping[str, str], load: Callable[[str], Any]) -> dict[str, Callable[[], Any]]:
    return {name: partial(load, place) for name, place in table.items()}


IRC_UNIVERSE = Universe(
    all_dialects=_lazy(DIALECTS, _dialect),
    all_passes=_lazy(PASSES, resolve),
    all_targets=_lazy(TARGETS, resolve),
)


@dataclass
class Registry:
    """Everything that is available, and from where: what `irc-opt` looks names up in.

    `origin` maps a pass name to the name of the universe that brought it: `irc`, `xdsl`, a
    plugin's entry point or a loaded file.
    """

    dialects: dict[str, Callable[[], Dialect]] = field(default_factory=dict[str, Any])
    passes: dict[str, Callable[[], type[ModulePass]]] = field(default_factory=dict[str, Any])
    targets: dict[str, Callable[[], type[Target]]] = field(default_factory=dict[str, Any])
    origin: dict[str, str] = field(default_factory=dict[str, str])
    dialect_origin: dict[str, str] = field(default_factory=dict[str, str])
    target_origin: dict[str, str] = field(default_factory=dict[str, str])
    broken: list[str] = field(default_factory=list[str])
    """One sentence for each plugin that could not be loaded."""

    def add(self, source: str, universe: Universe) -> None:
        """Add a universe; raises `IrcError` where a name is taken, and adds nothing then."""
        tables = (
            ("dialect", universe.all_dialects, self.dialects, self.dialect_origin),
            ("pass", universe.all_passes, self.passes, self.origin),
            ("target", universe.all_targets, self.targets, self.target_origin),
        )
        for kind, new, _, origin in tables:
            for name in new:
                if name in origin:
                    raise IrcError(
                        f"{source}: {kind} '{name}' is already defined by {origin[name]}; "
                        "give it another name"
                    )
        for _, new, table, origin in tables:
            table.update(cast("dict[str, Any]", new))
            origin.update(dict.fromkeys(new, source))


def discover() -> Registry:
    """Our universe, xDSL's, and those of installed packages (entry points `xdsl.universe`).

    A plugin that fails to import, or whose names clash, is left out and noted in `broken`: one
    bad package in the environment must not stop the compiler.
    """
    from importlib.metadata import entry_points

    registry = Registry()
    registry.add("irc", IRC_UNIVERSE)
    registry.add("xdsl", XDSL_UNIVERSE)
    for plugin in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda plugin: plugin.name):
        if plugin.value in ("irc.universe:IRC_UNIVERSE", "xdsl.universe:XDSL_UNIVERSE"):
            continue
        try:
            universe: object = plugin.load()
            if not isinstance(universe, Universe):
                raise TypeError(f"{plugin.value} is not an xdsl.universe.Universe")
            registry.add(f"plugin '{plugin.name}'", universe)
        except IrcError as error:
            registry.broken.append(f"left out: {error}")
        except Exception as error:
            registry.broken.append(
                f"plugin '{plugin.name}' left out: {type(error).__name__}: {error}"
            )
    return registry
