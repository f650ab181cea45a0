"""What `irc-opt` does with its arguments: read, run passes, print."""

from __future__ import annotations

import argparse
import re
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from io import StringIO

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.utils.arg_spec import ArgSpec
from xdsl.utils.target import Target

from irc.diagnostics import report
from irc.errors import IrcError, UsageError
from irc.loading import STDIN_NAME, decode_text, format_of, load_onnx, new_context, read_bytes
from irc.parsing import parse_text
from irc.pipelines import TARGET_LEVELS, level_of, steps_to
from irc.printing import print_ir
from irc.running import (
    Observer,
    build_passes,
    configure,
    did_you_mean,
    parse_one_spec,
    run_passes,
)
from irc.tools import opt_lists
from irc.tools.opt_load import load_file
from irc.tools.opt_observers import IrPrinter, Timing
from irc.tools.opt_output import write_result
from irc.universe import Registry, discover
from irc.verifying import verify_module

SPLIT_MARK = re.compile(r"^// -----[^\n]*$", re.MULTILINE)

DECLARE_INPUTS = "declare-inputs"


@dataclass
class _Piece:
    """One input: its name for messages, and its text, or `None` for a model."""

    name: str
    text: str | None
    data: bytes | None = None


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
    return Driver(arguments, registry).run()


def _lists(arguments: argparse.Namespace, registry: Registry) -> str | None:
    parts: list[str] = []
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
        self.timing = Timing() if arguments.timing else None

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
        for piece in self._pieces():
            try:
                results.append(self._process(piece))
            except Exception as error:
                # The remaining pieces of a split file are still worth checking.
                code = max(code, report(error, piece.name, piece.text))
        if code == 0 or (self.arguments.split_input_file and self.arguments.output is None):
            with self._phase("write"):
                write_result("// -----\n".join(results), self.arguments.output)
        if self.timing is not None:
            print(self.timing.table(), file=sys.stderr)
        return code

    def _phase(self, name: str) -> nullcontext[None]:
        return self.timing.phase(name) if self.timing is not None else nullcontext()  # pyright: ignore[reportReturnType]

    def _pieces(self) -> list[_Piece]:
        name = self.arguments.input
        if name is None or name == "-":
            return self._stdin_pieces()
        kind = self.arguments.frontend or format_of(
            name, ", or say what the file is with '--frontend onnx|mlir'"
        )
        if kind == "onnx":
            return [_Piece(name, None)]
        return self._split(name, decode_text(read_bytes(name), name))

    def _stdin_pieces(self) -> list[_Piece]:
        if sys.stdin.isatty():
            print("reading IR text from the keyboard; Ctrl-D ends it", file=sys.stderr)
        buffer = getattr(sys.stdin, "buffer", None)
        data = buffer.read() if buffer is not None else sys.stdin.read().encode()
        if self.arguments.frontend == "onnx":
            return [_Piece(STDIN_NAME, None, data)]
        return self._split(STDIN_NAME, decode_text(data, STDIN_NAME))

    def _split(self, name: str, text: str) -> list[_Piece]:
        if not self.arguments.split_input_file:
            return [_Piece(name, text)]
        pieces: list[_Piece] = []
        start = 0
        for end in [*(match.start() for match in SPLIT_MARK.finditer(text)), len(text)]:
            # Blank lines in front keep the line numbers of the whole file.
            pieces.append(_Piece(name, "\n" * text.count("\n", 0, start) + text[start:end]))
            start = text.find("\n", end) + 1 or len(text)
        return pieces

    def _process(self, piece: _Piece) -> str:
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
        run_passes(ctx, module, passes, verify=verify, observers=self._observers())
        with self._phase("print"):
            return self._emit(ctx, module)

    def _read(self, ctx: Context, piece: _Piece) -> ModuleOp:
        if piece.text is not None:
            return parse_text(ctx, piece.text, piece.name)
        return load_onnx(piece.data if piece.data is not None else piece.name)

    def _pipeline(self, module: ModuleOp) -> str:
        parts: list[str] = []
        if self.arguments.compile_to is not None:
            parts += [step.spec for step in steps_to(module, self.arguments.compile_to)]
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

    def _observers(self) -> list[Observer]:
        arguments = self.arguments
        modes = {
            "all": arguments.print_ir_after_all,
            "change": arguments.print_ir_after_change,
            "diff": arguments.print_ir_diff,
        }
        found: list[Observer] = [
            IrPrinter(
                sys.stderr,
                mode,
                elide=arguments.elide_constants,
                generic=arguments.print_op_generic,
                locations=arguments.print_debuginfo,
            )
            for mode, wanted in modes.items()
            if wanted
        ]
        # Last, so that the printing of others is not measured.
        return [*found, self.timing] if self.timing is not None else found

    def _emit(self, ctx: Context, module: ModuleOp) -> str:
        if self.target is None:
            return print_ir(
                module,
                elide=self.arguments.elide_constants,
                generic=self.arguments.print_op_generic,
                locations=self.arguments.print_debuginfo,
            )
        wanted = TARGET_LEVELS.get(self.target.name)
        level = level_of(module)
        if wanted is not None and level is not None and level != wanted:
            raise IrcError(
                f"target {self.target.name} prints level '{wanted}', but the module is at level "
                f"'{level}'; add --compile-to={wanted}"
            )
        stream = StringIO()
        self.target.emit(ctx, module, stream)
        return stream.getvalue()
