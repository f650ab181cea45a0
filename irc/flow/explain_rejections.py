"""Rejections of passes as they run: for `irc-opt`, and for flows that run pipelines."""

from __future__ import annotations

from contextlib import ExitStack

from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from irc.rejections import Recorder, recording
from irc.running import Observer


class RejectionObserver(Observer):
    """Lets a recorder collect while passes run, and tells it when each ends."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._stack = ExitStack()

    def before_pass(self, module_pass: ModulePass, module: ModuleOp) -> None:
        """Collect from here on."""
        self._stack.enter_context(recording(self._recorder))

    def after_pass(self, module_pass: ModulePass, module: ModuleOp) -> None:
        """Keep what the pass rejected."""
        self._stack.close()
        self._recorder.end_pass(module_pass.name)

    def pass_failed(self, module_pass: ModulePass, module: ModuleOp, error: BaseException) -> None:
        """The same for a pass that failed: what it rejected may be why."""
        self._stack.close()
        self._recorder.end_pass(module_pass.name)
