"""Run a module after every pass and hold its answers to those before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from xdsl.context import Context
from xdsl.dialects.builtin import Float32Type, ModuleOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import InterpretationError

from irc.dialects.dense import BipolarType
from irc.errors import IrcError, UsageError
from irc.flow.each_pass.answers import (
    Difference,
    FedHardware,
    HardwareShare,
    Machine,
    differing,
    first_difference,
)
from irc.flow.each_pass.blame import blamed
from irc.flow.each_pass.ports import FrameSource
from irc.flow.each_pass.report import (
    CHANGES_RESULTS,
    DifferenceError,
    frame_words,
    other_ports,
)
from irc.flow.each_pass.shrink import shrink_frame
from irc.interp.data_files import Data
from irc.passes.layer_names import describe
from irc.passes.streamline.declare_inputs import (
    DeclareInputs,
    InputDeclaration,
    parse_declarations,
)
from irc.pipelines import PIPELINES, level_of
from irc.printing import print_ir
from irc.running import Observer, build_passes, run_passes
from irc.universe import discover

Array = npt.NDArray[Any]

FRAMES = 32
"""How many random frames are run unless somebody says otherwise."""

BUDGET = 4000
HARDWARE_BUDGET = 24
"""How many frames the search for a simple one may run."""

MOST_ROUNDS = 10


def reason_to_change(module_pass: ModulePass) -> str | None:
    """Why a pass gives other results on purpose; `None` where it must not."""
    found = getattr(module_pass, CHANGES_RESULTS, None)
    return found if isinstance(found, str) and found else None


class Skipped(NamedTuple):
    """A pass after which nothing was compared, and why."""

    pass_name: str
    reason: str
    is_on_purpose: bool
    """Whether the pass says that it changes results."""


class EachPassChecker(Observer):
    """Holds every pass to the answers before it; raises `DifferenceError` after one that fails.

    Give it to `run_passes` as an observer. `frames` says how many are run: all of `data`, or 32
    random ones, where it is left out; of hardware never more than 2 are simulated. `note` gets a
    sentence for everything that is not compared, and a summary at the end.
    """

    def __init__(
        self,
        data: Data | None = None,
        *,
        frames: int | None = None,
        seed: int = 0,
        note: Callable[[str], None] = lambda text: None,
    ) -> None:
        if frames is None:
            frames = FRAMES if data is None else len(data.x)
        if frames < 1 or seed < 0:
            raise UsageError(f"{frames} frames, seed {seed}: expected at least 1, and at least 0")
        self._source = FrameSource(data, frames, seed, {})
        self._note = note
        self._before: ModuleOp | None = None
        self._clones: dict[SSAValue, SSAValue] = {}
        self._ctx = Context()
        self.compared: list[str] = []
        """Passes that changed the module, but no answer."""
        self.unchanged: list[str] = []
        self.skipped: list[Skipped] = []

    def before_pipeline(self, ctx: Context, module: ModuleOp, passes: Sequence[ModulePass]) -> None:
        """Look what the inputs will be declared as: frames are drawn from that."""
        self._ctx = ctx
        found: dict[str, InputDeclaration] = {}
        for module_pass in passes:
            if isinstance(module_pass, DeclareInputs):
                found.update(parse_declarations(module_pass.inputs))
        source = self._source
        self._source = FrameSource(source.data, source.count, source.seed, found)

    def before_pass(self, module_pass: ModulePass, module: ModuleOp) -> None:
        """Keep the module as it is."""
        self._clones = {}
        self._before = module.clone(self._clones)

    def after_verify(self, module_pass: ModulePass, module: ModuleOp) -> None:
        """Compare."""
        before, clones = self._before, self._clones
        self._before, self._clones = None, {}
        if before is None or _is_unchanged(before, module):
            self.unchanged.append(module_pass.name)
            return
        reason = reason_to_change(module_pass)
        if reason is not None:
            self._skip(module_pass, f"changes results on purpose: {reason}", is_on_purpose=True)
            return
        try:
            machines = self._machines(before, module)
        except IrcError as error:
            self._skip(module_pass, f"not compared: {error}")
            return
        if self._compare(module_pass, *machines, clones):
            self.compared.append(module_pass.name)

    def after_pipeline(self, module: ModuleOp) -> None:
        """Sum up."""
        parts = [f"passes that changed the module, and no answer: {len(self.compared)}"]
        if self.unchanged:
            parts.append(f"that changed nothing: {len(self.unchanged)}")
        if self.skipped:
            parts.append(f"not compared: {len(self.skipped)}")
        self._note(f"{self._source.words()}: {'; '.join(parts)}")

    def _skip(self, module_pass: ModulePass, reason: str, *, is_on_purpose: bool = False) -> None:
        self.skipped.append(Skipped(module_pass.name, reason, is_on_purpose))
        self._note(f"{module_pass.name} {reason}")

    def _machines(self, before: ModuleOp, after: ModuleOp) -> tuple[Machine, Machine]:
        """What both modules run on; raises `IrcError` where one does not run."""
        old = Machine(before)
        new = Machine(after)
        if new.level == "hw" and old.level == "dataflow":
            return HardwareShare(before), FedHardware(after, before)
        if (new.level == "hw") != (old.level == "hw"):
            raise IrcError(f"nothing runs both level {old.level} and level {new.level}")
        return old, new

    def _compare(
        self,
        module_pass: ModulePass,
        before: Machine,
        after: Machine,
        clones: Mapping[SSAValue, SSAValue],
    ) -> bool:
        """Whether something was compared; raises where it differs."""
        if error := other_ports(before.ports, after.ports):
            raise DifferenceError(f"pass '{module_pass.name}' {error}", module_pass.name, "", [])
        count = int(min(self._source.total, before.most_frames, after.most_frames))
        try:
            given = [x[:count] for x in self._source.frames(before.ports)]
            before.run([x[:1] for x in given])
        except InterpretationError as error:
            self._skip(module_pass, f"not compared: {_first_line(error)}")
            return False
        try:
            found = first_difference(before, after, given)
        except InterpretationError as error:
            self._skip(module_pass, f"not compared: {_first_line(error)}")
            return False
        except IrcError as error:
            text = f"pass '{module_pass.name}' left a module that answers otherwise: {error}"
            raise DifferenceError(text, module_pass.name, "", []) from error
        if found is not None:
            raise self._failure(module_pass, before, after, clones, given, found)
        return True

    def _failure(
        self,
        module_pass: ModulePass,
        before: Machine,
        after: Machine,
        clones: Mapping[SSAValue, SSAValue],
        frames: list[Array],
        found: Difference,
    ) -> DifferenceError:
        """What is wrong, in words: the pass, the operation, the answer, the frame."""
        frame = [x[found.frame : found.frame + 1] for x in frames]
        small = self._shrunk(before, after, frame)
        now = first_difference(before, after, small)
        if now is None:
            small, now = frame, found
        blame = blamed(before, after, clones, small)
        step = self._failing_step(module_pass, before, small)
        lines = [
            f"pass '{module_pass.name}' {step}changed what the module answers, on {found.count} of "
            f"{len(frames[0])} frames ({self._source.words()})"
        ]
        if blame is not None:
            lines.append(f"first operation that differs: {blame}")
        lines.append(f"answer: {now}")
        lines += [
            f"input '{port.name}': {frame_words(port.typed(values)[0], self._source.rest(port))}"
            for port, values in zip(before.ports, small, strict=True)
        ]
        operation = "" if blame is None else describe(blame.op)
        place = None if blame is None else blame.op.location
        return DifferenceError("\n  ".join(lines), module_pass.name, operation, small, place)

    def _shrunk(self, before: Machine, after: Machine, frame: list[Array]) -> list[Array]:
        """The same difference on a simpler frame, one array [1, …] for each input."""
        sizes = [x.size for x in frame]
        ports = before.ports

        def split(rows: Array) -> list[Array]:
            parts = np.split(rows, np.cumsum(sizes)[:-1], axis=1)
            return [port.typed(part) for port, part in zip(ports, parts, strict=True)]

        def fails(rows: Array) -> Array:
            inputs = split(rows)
            wrong = differing(before.run(inputs), after.run(inputs))
            for index in np.flatnonzero(wrong):
                one = [x[index : index + 1] for x in inputs]
                # Only what is no matter of rounding counts.
                wrong[index] = first_difference(before, after, one) is not None
                if wrong[index]:
                    break
            return wrong

        flat = np.concatenate([x.reshape(-1).astype(np.float64) for x in frame])
        rest = np.repeat([self._source.rest(port) for port in ports], sizes)
        # Between the two values of a bit there is none.
        exact = [not isinstance(port.element_type, Float32Type | BipolarType) for port in ports]
        budget = HARDWARE_BUDGET if "hw" in (before.level, after.level) else BUDGET
        small = shrink_frame(flat, rest, np.repeat(exact, sizes), fails, budget)
        return split(small[None])

    def _failing_step(self, module_pass: ModulePass, before: Machine, frame: list[Array]) -> str:
        """Which of the passes that a pass repeats changes the answer first, in words."""
        steps = next(
            (s.round for p in PIPELINES for s in p.steps if s.spec == module_pass.name), ()
        )
        if not steps:
            return ""
        passes = build_passes(discover(), ",".join(step.spec for step in steps))
        module = before.module.clone()
        for _ in range(MOST_ROUNDS):
            for inner in passes:
                run_passes(self._ctx, module, [inner])
                if first_difference(before, Machine(module), frame) is not None:
                    return f"(its step '{inner.name}') "
        return ""


def _is_unchanged(before: ModuleOp, after: ModuleOp) -> bool:
    if before.is_structurally_equivalent(after):
        return True
    # xDSL takes values that are used before they are defined, as in hardware, for different ones.
    return level_of(after) == "hw" and print_ir(before) == print_ir(after)


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
