"""`irc-opt --bisect COMMAND`: the first pass after which a command fails on the IR."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from irc.errors import IrcError, UsageError
from irc.printing import print_ir
from irc.running import Observer, run_passes
from irc.shell_command import NOT_RUN, on_file
from irc.tools.opt_output import write_result

_WATCHING = (
    *("--print-ir-before", "--print-ir-before-all", "--print-ir-after", "--print-ir-after-all"),
    *("--print-ir-after-change", "--print-ir-diff", "--print-ir-after-failure"),
    *("--timing", "--pass-statistics", "--check-each", "--explain-rejections"),
    "--crash-reproducer",
)


def check_alone(arguments: argparse.Namespace) -> None:
    """Raise `UsageError` where `--bisect` stands beside an option that it would not heed."""
    if arguments.bisect is None:
        return
    if (arguments.target, arguments.output) != ("mlir", None):
        raise UsageError("--bisect gives IR text to its command, and goes without -t and -o")
    given = vars(arguments)
    for option in _WATCHING:
        # An empty text is a value: that of --check-each alone.
        if given[option[2:].replace("-", "_")] not in (None, False, []):
            raise UsageError(
                f"--bisect goes without {option}: find the pass first, then look at it with "
                "--pass-limit"
            )


class _Stages(Observer):
    """A copy of the module after each pass; weights are shared among copies."""

    def __init__(self, module: ModuleOp) -> None:
        self.modules = [module.clone()]

    def after_verify(self, module_pass: ModulePass, module: ModuleOp) -> None:
        self.modules.append(module.clone())


def bisect(
    ctx: Context,
    module: ModuleOp,
    passes: Sequence[ModulePass],
    command: str,
    *,
    verify: bool = True,
) -> None:
    """Find the first of `passes` after which `command` fails; its name goes to standard output.

    The shell runs `command FILE`, or `command` with FILE in the place of `{}`, where FILE holds the
    IR after some of the passes; like with `git bisect run`, it succeeds with exit code 0. Raises
    `IrcError` where the command fails without any pass, or succeeds after all of them, and what a
    pass itself raises.
    """
    stages = _Stages(module)
    run_passes(ctx, module, passes, verify=verify, observers=[stages])
    with tempfile.TemporaryDirectory(prefix="irc-bisect-") as folder:

        def succeeds(count: int) -> bool:
            file = Path(folder) / f"after-{count}-passes.mlir"
            file.write_text(print_ir(stages.modules[count], locations=True), encoding="utf-8")
            good = _succeeds(command, file)
            print(f"after {count} of {len(passes)} passes: {_WORDS[good]}", file=sys.stderr)
            return good

        if not succeeds(0):
            raise IrcError(f"'{command}' fails on the input already: no pass is to blame")
        if succeeds(len(passes)):
            raise IrcError(f"'{command}' succeeds after all {len(passes)} passes: nothing to find")
        good, bad = 0, len(passes)
        while bad - good > 1:
            middle = (good + bad) // 2
            good, bad = (middle, bad) if succeeds(middle) else (good, middle)
    write_result(
        f"the first bad pass is '{passes[bad - 1]}', number {bad} of {len(passes)}: "
        f"look at it with --pass-limit={bad} --print-ir-after-change\n",
        None,
    )


_WORDS = {True: "the command succeeds", False: "the command fails"}


def _succeeds(command: str, file: Path) -> bool:
    run = subprocess.run(
        on_file(command, file),
        shell=True,
        stdin=subprocess.DEVNULL,
        # What the command prints belongs beside ours.
        stdout=sys.stderr if _is_real(sys.stderr) else subprocess.DEVNULL,
        check=False,
    )
    if run.returncode in NOT_RUN:
        raise IrcError(f"'{command}' cannot be run: the shell exits with {run.returncode}")
    return run.returncode == 0


def _is_real(stream: object) -> bool:
    try:
        stream.fileno()  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    except (AttributeError, OSError, ValueError):
        return False
    return True
