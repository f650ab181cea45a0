"""The observers that the options of `irc-opt` ask for, in the order in which they look."""

from __future__ import annotations

import argparse
import sys

from irc.flow.explain_rejections import RejectionObserver
from irc.rejections import Recorder
from irc.running import Observer
from irc.tools.opt_check_each import check_each_observer
from irc.tools.opt_print_ir import IrPrinter, Selection
from irc.tools.opt_reproducer import Reproducer
from irc.tools.opt_statistics import Statistics
from irc.tools.opt_tables import print_table
from irc.tools.opt_timing import Timing
from irc.universe import Registry


class Observers:
    """All observers of a run of `irc-opt`; `report` prints at the end what they have gathered.

    Raises `UsageError` for options that make no sense, before anything is read.
    """

    def __init__(self, arguments: argparse.Namespace, registry: Registry) -> None:
        self.all: list[Observer] = []
        selection = Selection.from_arguments(arguments, registry)
        if selection:
            self.all.append(
                IrPrinter(
                    sys.stderr,
                    selection,
                    elide=arguments.elide_large_constants is not False,
                    generic=arguments.print_op_generic,
                    locations=arguments.print_debuginfo,
                )
            )
        if (checker := check_each_observer(arguments)) is not None:
            self.all.append(checker)
        if arguments.crash_reproducer is not None:
            self.all.append(Reproducer(arguments.crash_reproducer, arguments))
        self.rejections = Recorder() if arguments.explain_rejections else None
        if self.rejections is not None:
            self.all.append(RejectionObserver(self.rejections))
        self.statistics = Statistics() if arguments.pass_statistics else None
        if self.statistics is not None:
            self.all.append(self.statistics)
        # Last: what the others do around a pass is not measured.
        self.timing = Timing() if arguments.timing else None
        if self.timing is not None:
            self.all.append(self.timing)

    def report(self) -> None:
        """Print the tables to standard error."""
        if self.rejections is not None:
            print(f"rejected rewrites\n{self.rejections.text()}", end="", file=sys.stderr)
        if self.statistics is not None and self.statistics.runs:
            print_table(self.statistics.table())
        if self.timing is not None:
            print_table(self.timing.table())
