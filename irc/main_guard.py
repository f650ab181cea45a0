"""How a command-line tool begins and ends: exit codes, messages, interruption, closed pipes."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from irc.diagnostics import EXIT_FAILURE, TerminatedError, report

if TYPE_CHECKING:
    from types import FrameType


def main_guard(run: Callable[[], int]) -> int:
    """Run a tool: returns its exit code, and reports whatever it raises.

    A reader that closes our output early (`irc-opt … | head`) ends the run quietly.
    """
    # IR lives as long as the tool runs; at Python's own 700, looking through all of it for
    # garbage again and again takes a third of the time of a large network.
    gc.set_threshold(100_000, 20, 100)
    try:
        with _terminable():
            code = run()
        if sys.stdout is not None:  # pyright: ignore[reportUnnecessaryComparison]
            sys.stdout.flush()
        return code
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 0 if error.code is None else 1
    except BrokenPipeError:
        discard_output()
        return EXIT_FAILURE
    except OSError as error:
        code = report(error)
        discard_output()
        return code
    except (Exception, KeyboardInterrupt) as error:
        return report(error)


@contextmanager
def _terminable() -> Generator[None]:
    """SIGTERM raises `TerminatedError`, unless somebody else has a handler for it."""
    is_free = signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if not is_free or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise TerminatedError

    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def discard_output() -> None:
    """Drop what is still buffered for standard output, which Python would write at exit."""
    with suppress(OSError, ValueError, AttributeError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
