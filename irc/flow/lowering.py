"""Run the named pipelines from one level to another, with options for single passes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.utils.arg_spec import ArgSpec, ParameterListType, parse_pipeline

from irc.pipelines import steps_to
from irc.universe import PASSES, resolve

Options = Mapping[str, Mapping[str, ParameterListType]]
"""Options by pass name and option name, beside those that the pipeline itself gives."""

StepObserver = Callable[[str], None]
"""Called with the name of each pass before it runs."""


def lower_to(
    ctx: Context,
    module: ModuleOp,
    level: str,
    options: Options | None = None,
    observer: StepObserver | None = None,
) -> None:
    """Bring `module` to `level` in place, verifying it after every pass."""
    for step in steps_to(module, level):
        for spec in parse_pipeline(step.spec):
            given = {**spec.parameters, **(options or {}).get(spec.name, {})}
            pass_type = resolve(PASSES[spec.name])
            if observer is not None:
                observer(spec.name)
            pass_type.from_spec(ArgSpec(spec.name, given)).apply(ctx, module)
            module.verify()
