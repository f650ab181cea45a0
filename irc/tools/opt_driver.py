"""What `irc-opt` does with its arguments: read, run passes, print."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from io import StringIO

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.utils.arg_spec import ArgSpec
from xdsl.utils.target import Target

from irc.diagnostics import Diagnostic, describe_notice, diagnose, print_debug_traceback, report
from irc.errors import IrcError, UsageError
from irc.loading import load_onnx, new_context
from irc.near_misses import did_you_mean
from irc.notices import handle_notices
from irc.parsing import parse_text
from irc.pass_specs import build_passes, configure, parse_one_spec
from irc.pipelines import TARGET_LEVELS, level_of, steps_to
from irc.printing import print_ir
from irc.running import run_passes
from irc.tools import opt_lists
from irc.tools.opt_bisect import bisect, check_alone
from irc.tools.opt_expected import Expectations
from irc.tools.opt_explain import explain
from irc.tools.opt_input import Piece, read_pieces
from irc.tools.opt_load import load_file
from irc.tools.opt_observers import Observers
from irc.tools.opt_output import write_result
from irc.tools.opt_reproducer import take_reproducer
from irc.universe import Registry, discover
from irc.verifying import verify_module

DECLARE_INPUTS = "declare-inputs"


def run(arguments: argparse.Namespace) -> int:
    """Do what the command line says; returns the exit code."""
    registry = discover()
    for sentence in registry.broken:
        print(f"warning: {sentence}", file=sys.stderr)
    for path in arguments.load:
        load_file(registry, path)
    if (text := _lists(arguments, registry)) is not None:
        write_result(text, arguments.output)
        return 0
    if arguments.run_reproducer is not None:
        take_reproducer(arguments)
    return Driver(arguments, registry).run()


def _lists(arguments: argparse.Namespace, registry: Registry) -> str | None:
    parts: list[str] = []
    if arguments.explain is not None:
        parts.append(explain(registry, arguments.explain))
    if arguments.list_passes:
        parts.append(opt_lists.list_passes(registry))
    if arguments.list_pipelines:
        parts.append(opt_lists.list_pipelines())
    if arguments.list_dialects:
        parts.append(opt_lists.list_dialects(registry))
    if arguments.list_targets:
        parts.append(opt_lists.list_targets(registry))
    return "\n".join(parts) if parts else None


class Driver:
    """One run of `irc-opt`. Wrong usage is found before anything is read."""

    def __init__(self, arguments: argparse.Namespace, registry: Registry) -> None:
        self.arguments = arguments
        self.registry = registry
        self.pipeline_text = ",".join(arguments.passes)
        self.settings = self._settings()
        build_passes(registry, self.pipeline_text, self.settings)
        self.target = self._target()
        if arguments.compile_from is not None and arguments.compile_to is None:
            raise UsageError("--compile-from says where --compile-to starts; add --compile-to")
        check_alone(arguments)
        self.observers = Observers(arguments, registry)

    def _settings(self) -> dict[str, ArgSpec]:
        settings: dict[str, ArgSpec] = {}
        for text in self.arguments.settings:
            spec = parse_one_spec(text, "--with")
            build_passes(self.registry, str(spec))
            settings[spec.name] = spec
        if self.arguments.declared_inputs:
            inputs = tuple(self.arguments.declared_inputs)
            settings[DECLARE_INPUTS] = ArgSpec(DECLARE_INPUTS, {"inputs": inputs})
        return settings

    def _target(self) -> Target | None:
        """The target with its options; `None` for plain IR text, which has options of its own."""
        spec = parse_one_spec(self.arguments.target, "target")
        targets = self.registry.targets
        if spec.name not in targets:
            raise UsageError(
                f"unknown target '{spec.name}'{did_you_mean(spec.name, targets)} "
                "(--list-targets names all)"
            )
        if spec.name == "mlir" and not spec.parameters:
            return None
        return configure(targets[spec.name](), spec, "target")

    def run(self) -> int:
        """Process the input, or every piece of it; the output is written at the end."""
        code = 0
        results: list[str] = []
        for piece in read_pieces(self.arguments):
            # The remaining pieces of a split file are still worth checking.
            result, failure = self._checked(piece)
            code = max(code, failure)
            results += [] if result is None else [result]
        if results and (code == 0 or self._keeps_good_pieces()):
            with self._phase("write"):
                write_result("// -----\n".join(results), self.arguments.output)
        self.observers.report()
        return code

    def _keeps_good_pieces(self) -> bool:
        return self.arguments.split_input_file and self.arguments.output is None

    def _checked(self, piece: Piece) -> tuple[str | None, int]:
        """The result of a piece, where there is one, and the exit code."""
        if self.arguments.verify_diagnostics:
            return self._against_expectations(piece)

        def show(notice: Diagnostic) -> None:
            notice.print()

        try:
            with handle_notices(
                lambda notice: show(describe_notice(notice, piece.name, piece.text))
            ):
                return self._process(piece), 0
        except Exception as error:
            return None, report(error, piece.name, piece.text)

    def _against_expectations(self, piece: Piece) -> tuple[str | None, int]:
        """The same for `--verify-diagnostics`: an error that is expected is none."""
        expectations = Expectations(piece.text or "", piece.name)
        result = None
        try:
            with handle_notices(
                lambda notice: expectations.take(describe_notice(notice, piece.name, piece.text))
            ):
                result = self._process(piece)
        except UsageError:
            raise
        except Exception as error:
            print_debug_traceback(error)
            expectations.take(diagnose(error, piece.name, piece.text))
        mismatches = expectations.mismatches()
        for mismatch in mismatches:
            mismatch.print()
        return result, 1 if mismatches else 0

    def _phase(self, name: str) -> nullcontext[None]:
        timing = self.observers.timing
        return timing.phase(name) if timing is not None else nullcontext()  # pyright: ignore[reportReturnType]

    def _process(self, piece: Piece) -> str | None:
        """The result of a piece; `None` where there is nothing to write."""
        ctx = new_context(
            self.registry, allow_unregistered=self.arguments.allow_unregistered_dialect
        )
        verify = not self.arguments.disable_verify
        with self._phase("read"):
            module = self._read(ctx, piece)
        if verify:
            with self._phase("verify input"):
                verify_module(module)
        passes = build_passes(self.registry, self._pipeline(module), self.settings)
        limited = self._limited(passes)
        if self.arguments.bisect is not None:
            bisect(ctx, module, limited, self.arguments.bisect, verify=verify)
            return None
        run_passes(ctx, module, limited, verify=verify, observers=self.observers.all)
        with self._phase("print"):
            return self._emit(ctx, module, is_whole=len(limited) == len(passes))

    def _read(self, ctx: Context, piece: Piece) -> ModuleOp:
        if piece.text is not None:
            return parse_text(ctx, piece.text, piece.name)
        return load_onnx(piece.data if piece.data is not None else piece.name)

    def _pipeline(self, module: ModuleOp) -> str:
        parts: list[str] = []
        if self.arguments.compile_to is not None:
            steps = steps_to(module, self.arguments.compile_to, self.arguments.compile_from)
            parts += [step.spec for step in steps]
        if self.pipeline_text:
            parts.append(self.pipeline_text)
        text = ",".join(parts)
        if self.arguments.declared_inputs:
            names = [module_pass.name for module_pass in build_passes(self.registry, text)]
            if DECLARE_INPUTS not in names:
                if level_of(module) == "onnx":
                    raise UsageError(
                        "--input declares inputs at the bnn level, and this pipeline does not "
                        "get there; add --compile-to=bnn"
                    )
                text = ",".join([DECLARE_INPUTS, *parts])
        return text

    def _limited(self, passes: Sequence[ModulePass]) -> Sequence[ModulePass]:
        """The passes that `--pass-limit` allows; says which is the last."""
        limit: int | None = self.arguments.pass_limit
        if limit is None:
            return passes
        limited = passes[:limit]
        last = f"the last is '{limited[-1]}'" if limited else "none"
        print(f"pass limit: {len(limited)} of {len(passes)} passes; {last}", file=sys.stderr)
        return limited

    def _emit(self, ctx: Context, module: ModuleOp, *, is_whole: bool) -> str:
        if self.target is None:
            return print_ir(
                module,
                elide=self.arguments.elide_large_constants is True,
                generic=self.arguments.print_op_generic,
                locations=self.arguments.print_debuginfo,
            )
        wanted = TARGET_LEVELS.get(self.target.name)
        level = level_of(module)
        if wanted is not None and level is not None and level != wanted:
            mend = f"add --compile-to={wanted}" if is_whole else "leave out -t with --pass-limit"
            raise IrcError(
                f"target {self.target.name} prints level '{wanted}', but the module is at level "
                f"'{level}'; {mend}"
            )
        stream = StringIO()
        self.target.emit(ctx, module, stream)
        return stream.getvalue()
