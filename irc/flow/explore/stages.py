"""Every level of a model, and the module after every pass on the way, as text."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import cached_property

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass
from xdsl.utils.arg_spec import ArgSpec

from irc.errors import UnsupportedError
from irc.flow.explore.origins import Origins
from irc.flow.explore.outputs import module_origins
from irc.flow.explore.text import Text, ValueNames, ir_text
from irc.flow.explore.thresholds import ThresholdRecorder
from irc.flow.ladder import Ladder
from irc.flow.lowering import Options, StepObserver
from irc.passes.hardware.design import Design, design_of
from irc.passes.lift.lift_onnx_to_bnn import LiftError
from irc.pipelines import level_of, route
from irc.printing import count_operations
from irc.running import build_passes, run_passes
from irc.universe import discover


@dataclass(frozen=True)
class Stage:
    """The module after a pass, or as it was read where `spec` is empty.

    `level` is the one that its pipeline leads to, `before` the number of the stage that the pass
    began with, and `why` says why the pipeline has it.
    """

    level: str
    spec: str
    why: str
    operations: int
    text: Text
    before: int | None


class RecordedLadder(Ladder):
    """A ladder that keeps the text of the module after every pass, and what the threshold search
    found."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        inputs: tuple[str, ...] = (),
        options: Options | None = None,
        observer: StepObserver | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(path, inputs, options, observer, name)
        self.stages: list[Stage] = []
        self.thresholds = ThresholdRecorder()
        self._names = ValueNames()
        self._reached: dict[str, int] = {}

    @cached_property
    def origins(self) -> Origins:
        """The nodes of the model, numbered."""
        origins = Origins(self.source)
        text = ir_text(self.source, self._names, origins)
        count = count_operations(self.source)
        self.stages.append(Stage(self.level, "", "as it was read", count, text, None))
        self._reached[self.level] = 0
        return origins

    @cached_property
    def bnn(self) -> ModuleOp:
        """The streamlined network."""
        module = super().bnn
        # It goes by the name of the design from here on, which no pass gave it.
        last = self._reached["bnn"]
        text = ir_text(module, self._names, self.origins)
        self.stages[last] = replace(self.stages[last], text=text)
        return module

    def _lowered(self, module: ModuleOp, level: str) -> ModuleOp:
        origins = self.origins
        copies: dict[SSAValue, SSAValue] = {}
        lowered = module.clone(copies)
        self._names.carry(copies)
        settings = {name: ArgSpec(name, dict(given)) for name, given in self.options.items()}
        source = level_of(module) or self.level
        before = self._reached[source]
        for pipeline in route(source, level):
            design = design_of(module) if pipeline.result == "hw" else None
            for step in pipeline.steps:
                for module_pass in build_passes(discover(), step.spec, settings):
                    self._run(lowered, module_pass)
                    text = self._text(lowered, design, origins)
                    count = count_operations(lowered)
                    stage = Stage(pipeline.result, str(module_pass), step.why, count, text, before)
                    before = len(self.stages)
                    self.stages.append(stage)
            self._reached[pipeline.result] = before
        return lowered

    def _text(self, module: ModuleOp, design: Design | None, origins: Origins) -> Text:
        modules = None if design is None else module_origins(design, module, origins)
        return ir_text(module, self._names, origins, modules)

    def _run(self, module: ModuleOp, module_pass: ModulePass) -> None:
        self.thresholds.look(module_pass, module)
        if self.observer is not None:
            self.observer(module_pass.name)
        try:
            run_passes(self.ctx, module, [module_pass])
        except LiftError as error:
            raise UnsupportedError("\n".join(map(str, error.obstacles))) from error
