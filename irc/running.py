"""Running passes on a module, verified after each, while others look on."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, nullcontext

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from irc.pass_specs import build_pass as build_pass
from irc.pass_specs import build_passes as build_passes
from irc.stages import StageWatcher, watch_stages
from irc.verifying import verify_module


class Observer:
    """Told about every pass that runs; does nothing by itself.

    For each module: `before_pipeline`, then for each pass `before_pass`, `after_pass`,
    `before_verify`, `after_verify`, and at the end `after_pipeline`. Where a pass raises, or leaves
    IR that is not valid, `pass_failed` is the last that is heard. Of several observers the first is
    told first what is about to be, and last what has been, as if each stood around the next.

    Passes that run others in turn, as `streamline` does, tell of these between `before_pass` and
    `after_pass` with `before_stage` and then `after_stage` or `stage_failed`; stages may themselves
    have stages.

    An observer may itself raise `IrcError`: the pipeline ends there, with a note that names the
    pass. It must not change the module.
    """

    def before_pipeline(self, ctx: Context, module: ModuleOp, passes: Sequence[ModulePass]) -> None:
        """These passes are about to run on the module."""

    def before_pass(self, module_pass: ModulePass, module: ModuleOp) -> None:
        """The pass is about to run."""

    def after_pass(self, module_pass: ModulePass, module: ModuleOp) -> None:
        """The pass has run; the module is not verified yet."""

    def before_stage(self, name: str, module: ModuleOp) -> None:
        """The pass that runs is about to run the pass `name`."""

    def after_stage(self, name: str, module: ModuleOp) -> None:
        """It has run."""

    def stage_failed(self, name: str, module: ModuleOp) -> None:
        """It raised instead; the pass that ran it may go on."""

    def before_verify(self, module_pass: ModulePass, module: ModuleOp) -> None:
        """The module is about to be verified; not called where it is not."""

    def after_verify(self, module_pass: ModulePass, module: ModuleOp) -> None:
        """The module is valid after the pass, or was not to be verified."""

    def pass_failed(self, module_pass: ModulePass, module: ModuleOp, error: BaseException) -> None:
        """The pass raised, was interrupted, or left what `module` now is, which is not valid."""

    def after_pipeline(self, module: ModuleOp) -> None:
        """All passes have run."""


def run_passes(
    ctx: Context,
    module: ModuleOp,
    passes: Iterable[ModulePass],
    *,
    verify: bool = True,
    observers: Sequence[Observer] = (),
) -> None:
    """Apply the passes in order, in place; verify the module after each.

    What a pass raises comes out as it is, with a note that names the pass.
    """
    passes = list(passes)
    for observer in observers:
        observer.before_pipeline(ctx, module, passes)
    for module_pass in passes:
        for observer in observers:
            observer.before_pass(module_pass, module)
        try:
            _run_pass(ctx, module, module_pass, verify=verify, observers=observers)
        except BaseException as error:
            for observer in reversed(observers):
                observer.pass_failed(module_pass, module, error)
            raise
    for observer in reversed(observers):
        observer.after_pipeline(module)


def _run_pass(
    ctx: Context,
    module: ModuleOp,
    module_pass: ModulePass,
    *,
    verify: bool,
    observers: Sequence[Observer],
) -> None:
    with _noting(f"in pass '{module_pass.name}'"):
        with watch_stages(_watcher(observers)) if observers else nullcontext():
            module_pass.apply(ctx, module)
        for observer in reversed(observers):
            observer.after_pass(module_pass, module)
    if verify:
        for observer in observers:
            observer.before_verify(module_pass, module)
        with _noting(f"after pass '{module_pass.name}', which must leave valid IR"):
            verify_module(module)
    with _noting(f"after pass '{module_pass.name}'"):
        for observer in reversed(observers):
            observer.after_verify(module_pass, module)


def _watcher(observers: Sequence[Observer]) -> StageWatcher:
    def before(name: str, module: ModuleOp) -> None:
        for observer in observers:
            observer.before_stage(name, module)

    def after(name: str, module: ModuleOp) -> None:
        for observer in reversed(observers):
            observer.after_stage(name, module)

    def failed(name: str, module: ModuleOp) -> None:
        for observer in reversed(observers):
            observer.stage_failed(name, module)

    return StageWatcher(before, after, failed)


@contextmanager
def _noting(note: str) -> Generator[None]:
    """Add a note to any error that passes through."""
    try:
        yield
    except Exception as error:
        error.add_note(note)
        raise
