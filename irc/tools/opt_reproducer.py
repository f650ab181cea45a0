"""`irc-opt --crash-reproducer FILE`, and `--run-reproducer FILE`: a failing pass and its input.

The file is IR text. Its first line says which pass failed, as `-p` takes it:

    // configuration: -p 'fold-thresholds{limit=3}'

and the comments below it say what the pass said. Nothing else is run from a reproducer: a file
with a pass of one's own is named in a comment only, and has to be given again with `--load`.
"""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from irc.errors import IrcError, UsageError
from irc.loading import decode_text, read_bytes
from irc.printing import print_ir
from irc.running import Observer
from irc.tools.arguments import natural, positive
from irc.tools.opt_output import write_result

CONFIGURATION = re.compile(r"^// configuration: ([^\n]*)$", re.MULTILINE)

LOADED = re.compile(r"^// loaded: ([^\n]*)$", re.MULTILINE)

SWITCHES = ("--allow-unregistered-dialect", "--disable-verify")
"""Switches that decide whether a pass fails, and which a reproducer therefore carries."""

CHECKS = {"--check-each": str, "--check-frames": positive, "--check-seed": natural}
"""So do options with a value: those of holding the pass to earlier answers."""


@dataclass
class Reproducer(Observer):
    """Keeps a copy of what each pass is given, and writes it where the pass fails."""

    path: str
    arguments: argparse.Namespace
    written: str | None = field(default=None, init=False)
    _before: ModuleOp | None = field(default=None, init=False)

    def before_pipeline(self, ctx: Context, module: ModuleOp, passes: Sequence[ModulePass]) -> None:
        """Nothing is kept of an earlier input."""
        self._before = None

    def before_pass(self, module_pass: ModulePass, module: ModuleOp) -> None:
        """Keep a copy."""
        self._before = module.clone()

    def pass_failed(self, module_pass: ModulePass, module: ModuleOp, error: BaseException) -> None:
        """Write the copy; of several failures, in pieces of a split input, the first."""
        if self._before is None or self.written is not None:
            return
        text = reproducer_text(self._before, module_pass, error, self.arguments)
        try:
            write_result(text, self.path)
        except IrcError as failure:
            # What the pass said matters more.
            error.add_note(f"no reproducer: {failure}")
            return
        self.written = self.path
        error.add_note(f"'irc-opt --run-reproducer {shlex.quote(self.path)}' runs it again")


def reproducer_text(
    module: ModuleOp,
    module_pass: ModulePass,
    error: BaseException,
    arguments: argparse.Namespace,
) -> str:
    """The file: how to run the pass, what it said, and the IR that it was given."""
    given = vars(arguments)
    words = ["-p", str(module_pass)]
    words += [switch for switch in SWITCHES if given[_name(switch)]]
    checks = {option: given[_name(option)] for option in CHECKS}
    words += [f"{option}={value}" for option, value in checks.items() if value is not None]
    lines = [f"// configuration: {shlex.join(words)}"]
    lines += [f"// loaded: {path}" for path in arguments.load]
    message = str(error).strip().split("\n\n", 1)[0] or type(error).__name__
    lines += [f"// failed with: {line}" for line in message.splitlines()]
    try:
        text = print_ir(module, locations=True)
    except Exception:
        text = print_ir(module, locations=True, generic=True)
    return "\n".join([*lines, text])


def _name(option: str) -> str:
    return option[2:].replace("-", "_")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ValueError(message)


def read_reproducer(path: str) -> argparse.Namespace:
    """The pipeline and the switches that a reproducer carries: `passes`, and one name for each;
    `loaded` holds the files that were given with `--load`.

    Raises `IrcError` where the file holds no configuration, or one with anything else in it.
    """
    text = decode_text(read_bytes(path), path)
    found = CONFIGURATION.match(text)
    if found is None:
        raise IrcError(
            f"{path}: not a reproducer: expected a first line such as "
            "// configuration: -p 'fold-thresholds'"
        )
    parser = _Parser(add_help=False, allow_abbrev=False)
    parser.add_argument("-p", dest="passes", required=True)
    for switch in SWITCHES:
        parser.add_argument(switch, action="store_true")
    for option, kind in CHECKS.items():
        parser.add_argument(option, type=kind)
    parser.set_defaults(loaded=LOADED.findall(text))
    try:
        configuration, unknown = parser.parse_known_args(shlex.split(found[1]))
    except ValueError as error:
        raise IrcError(f"{path}:1: the configuration cannot be read: {error}") from None
    if unknown:
        raise IrcError(
            f"{path}:1: the configuration holds '{unknown[0]}'; expected only -p and "
            f"{', '.join((*CHECKS, *SWITCHES))}"
        )
    return configuration


def take_reproducer(arguments: argparse.Namespace) -> None:
    """Put the input and the pipeline of `--run-reproducer` in the place of the command line's.

    Raises `UsageError` where the command line names others.
    """
    path: str = arguments.run_reproducer
    others = {
        "an input file": arguments.input,
        "--passes": arguments.passes,
        "--compile-to": arguments.compile_to,
        "--input": arguments.declared_inputs,
        "--split-input-file": arguments.split_input_file,
        "--bisect": arguments.bisect,
    }
    for what, given in others.items():
        if given:
            raise UsageError(f"--run-reproducer brings input and passes; it goes without {what}")
    configuration = read_reproducer(path)
    if configuration.loaded and not arguments.load:
        words = shlex.join(word for file in configuration.loaded for word in ("--load", file))
        print(f"note: {path} was written with {words}", file=sys.stderr)
    arguments.input = path
    arguments.frontend = "mlir"
    arguments.passes = [configuration.passes]
    arguments.allow_unregistered_dialect |= configuration.allow_unregistered_dialect
    arguments.disable_verify |= configuration.disable_verify
    for name in map(_name, CHECKS):
        if getattr(arguments, name) is None:
            setattr(arguments, name, getattr(configuration, name))
