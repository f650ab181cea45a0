"""What `irc-reduce` does with its arguments: test, search, write."""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from irc.diagnostics import EXIT_INTERRUPTED, report
from irc.flow.reduce.search import Reducer, Reduction
from irc.flow.reduce.trial import Test
from irc.loading import decode_text, new_context, read_bytes
from irc.tools.opt_load import load_file
from irc.tools.opt_output import check_place, write_result
from irc.tools.step_progress import step_progress
from irc.universe import discover


def run(options: argparse.Namespace) -> int:
    """Do what the command line says; returns the exit code."""
    # The search may take an hour; its result must have a place.
    check_place(options.output)
    text = None
    try:
        registry = discover()
        for path in options.load:
            load_file(registry, path)
        ctx = new_context(registry, allow_unregistered=options.allow_unregistered_dialect)
        text = decode_text(read_bytes(options.file), options.file)
        with tempfile.TemporaryDirectory(prefix="irc-reduce-") as folder:
            search = _Search(options, Path(folder), text)
            reducer = Reducer(
                ctx,
                text,
                search.is_interesting,
                name=options.file,
                most_trials=options.most_tests,
            )
            code = search.run(reducer)
        write_result(reducer.best.text, options.output)
        return code
    except Exception as error:
        return report(error, options.file, text)


class _Search:
    """The test of a run, its files, and what is shown of it."""

    def __init__(self, options: argparse.Namespace, folder: Path, text: str) -> None:
        self._file = folder / Path(options.file).name
        self._name = options.file
        self._text = text
        self._test = Test(options.test, options.match, options.interesting_if_zero, options.timeout)

    def is_interesting(self, text: str) -> bool:
        """Whether the command finds in a text what is sought."""
        self._file.write_text(text, encoding="utf-8")
        return self._test.accepts(self._test.run(self._file))

    def run(self, reducer: Reducer) -> int:
        """Check the test on the file as it is, then search; returns the exit code."""
        self._file.write_text(self._text, encoding="utf-8")
        outcome = self._test.run(self._file)
        self._test.check(outcome, self._name)
        self._test = replace(self._test, code=outcome.code)
        before = reducer.best
        first = before.operations, len(before.text)
        code = 0
        with step_progress() as progress:

            def show(now: Reduction) -> None:
                progress(_words(*_sizes(now)), now.trials)

            reducer.progress = show
            try:
                reducer.reduce()
            except KeyboardInterrupt:
                code = EXIT_INTERRUPTED
        best = reducer.best
        end = "interrupted; the smallest so far" if code else "done"
        print(
            f"{end}: {_words(*first)} → {_words(*_sizes(best))} in {best.trials} tests",
            file=sys.stderr,
        )
        return code


def _sizes(found: Reduction) -> tuple[int, int]:
    return found.operations, len(found.text)


def _words(operations: int, characters: int) -> str:
    return f"{operations:,} operations, {characters:,} characters"
