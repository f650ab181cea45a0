"""What hardware is to reach on which device, as options of passes."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.utils.arg_spec import ParameterListType

from irc.devices import figures_of
from irc.errors import UsageError
from irc.flow.lowering import Options


@dataclass(frozen=True)
class HardwareGoal:
    """A device, the clock there in MHz, and at most one of: frames a second, look-up tables, the
    goal `fastest` or `smallest`, or, without any, the folding that there is without a device."""

    device: str | None = None
    clock: float | None = None
    fps: float | None = None
    max_luts: int | None = None
    goal: str | None = None

    def passes(self) -> Options:
        """Options of `fold-layers`, `pipeline-to-clock` and `insert-fifos`; raises `UsageError`
        for an unknown device and a goal without one."""
        if self.device is not None:
            figures_of(self.device)
        elif self != HardwareGoal():
            raise UsageError("a clock or a goal is for a device: give --device")
        given: dict[str, ParameterListType] = {
            name: (value,)
            for name, value in (
                ("device", self.device),
                ("clock", self.clock),
                ("fps", self.fps),
                ("max_luts", self.max_luts),
                ("goal", self.goal),
            )
            if value is not None
        }
        options: Options = {"fold-layers": given} if given else {}
        if self.clock is not None:
            clock: dict[str, ParameterListType] = {"mhz": (self.clock,)}
            options["pipeline-to-clock"] = options["insert-fifos"] = clock
        return options
