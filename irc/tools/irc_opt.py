"""`irc-opt`: run passes on a model or on IR text."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

# Nothing else is imported here: until `main` runs, Ctrl-C ends in Python's own traceback.


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tool; returns its exit code: 0, 1 for a failure, 2 for wrong usage."""
    try:
        from irc.main_guard import main_guard
        from irc.tools.opt_arguments import parse_arguments

        return main_guard(lambda: _run(parse_arguments(argv)))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _run(arguments: argparse.Namespace) -> int:
    if arguments.version:
        print(_version())
        return 0
    # Here, not above: --help and --version must not wait for xDSL.
    from irc.tools.opt_driver import run

    return run(arguments)


def _version() -> str:
    from importlib.metadata import version

    from irc import __version__

    python = ".".join(map(str, sys.version_info[:3]))
    return f"irc-opt {__version__} (xDSL {version('xdsl')}, Python {python})"


if __name__ == "__main__":
    sys.exit(main())
