"""Run the named pipelines from one level to another, with options for single passes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.utils.arg_spec import ArgSpec, ParameterListType

from irc.flow.explain_rejections import RejectionObserver
from irc.pipelines import steps_to
from irc.rejections import recorder
from irc.running import Observer, build_passes, run_passes
from irc.universe import discover

Options = Mapping[str, Mapping[str, ParameterListType]]
"""Options by pass name and option name, which win over those that the pipeline gives."""

StepObserver = Callable[[str], None]
"""Called with the name of each pass before it runs."""


class _Announcer(Observer):
    def __init__(self, announce: StepObserver) -> None:
        self._announce = announce

    def before_pass(self, module_pass: ModulePass, module: ModuleOp) -> None:
        self._announce(module_pass.name)


def lower_to(
    ctx: Context,
    module: ModuleOp,
    level: str,
    options: Options | None = None,
    observer: StepObserver | None = None,
) -> None:
    """Bring `module` to `level` in place, verifying it after every pass."""
    settings = {name: ArgSpec(name, dict(given)) for name, given in (options or {}).items()}
    text = ",".join(step.spec for step in steps_to(module, level))
    passes = build_passes(discover(), text, settings)
    observers: list[Observer] = [] if observer is None else [_Announcer(observer)]
    if (found := recorder()) is not None:
        observers.append(RejectionObserver(found))
    run_passes(ctx, module, passes, observers=observers)
