"""One model at every level: each is made from the one above when it is first asked for."""

from __future__ import annotations

import os
import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import BlockArgument

from irc.backends.c.source import checked_name
from irc.backends.verilog.names import is_identifier
from irc.dialects import bnn
from irc.errors import IrcError, UnsupportedError, UsageError
from irc.flow.lowering import Options, StepObserver, lower_to
from irc.interp.run import entry_function
from irc.loading import load_file, new_context
from irc.passes.layer_names import MAX_IDENTIFIER
from irc.passes.lift.lift_onnx_to_bnn import LiftError
from irc.passes.streamline.declare_inputs import argument_name, parse_declarations
from irc.pipelines import level_of

if TYPE_CHECKING:
    from irc.interp.onnx_reference import OnnxReference

Array = npt.NDArray[Any]


class Ladder:
    """A model file and what becomes of it.

    `inputs` are declarations such as `0=uint8/255`; `options` are for single passes; `observer`
    hears of every pass before it runs.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        inputs: tuple[str, ...] = (),
        options: Options | None = None,
        observer: StepObserver | None = None,
        name: str | None = None,
    ) -> None:
        self.path = os.fspath(path)
        self.name = identifier_of(self.path) if name is None else checked_identifier(name)
        # Whatever is wrong with the declarations is wrong before a file is read.
        parse_declarations(inputs)
        self.inputs = inputs
        self.options: Options = {**(options or {}), "declare-inputs": {"inputs": inputs}}
        self.observer = observer
        self.ctx: Context = new_context()

    @cached_property
    def source(self) -> ModuleOp:
        """The file as it was read, at whatever level it is."""
        return load_file(self.ctx, self.path)

    @cached_property
    def level(self) -> str:
        """The level of the file; raises `IrcError` where it holds no network."""
        level = level_of(self.source)
        if level is None:
            raise IrcError(f"{self.path}: holds no network at any level that irc knows")
        if self.inputs and level != "onnx":
            raise UsageError(
                f"--input {self.inputs[0]}: {self.path} is at level {level}, where inputs have "
                "their types already; only models and text at level onnx need them declared"
            )
        return level

    @cached_property
    def reference(self) -> OnnxReference:
        """The ONNX model, to be run node by node; raises `IrcError` where there is none."""
        from irc.interp.onnx_reference import OnnxReference

        if self.level != "onnx":
            raise IrcError(f"{self.path}: level onnx needs the ONNX model itself")
        return OnnxReference(self.source)

    def _lowered(self, module: ModuleOp, level: str) -> ModuleOp:
        lowered = module.clone()
        try:
            lower_to(self.ctx, lowered, level, self.options, self.observer)
        except LiftError as error:
            raise UnsupportedError("\n".join(map(str, error.obstacles))) from error
        return lowered

    @cached_property
    def bnn(self) -> ModuleOp:
        """The streamlined network."""
        if self.level not in ("onnx", "bnn"):
            raise IrcError(
                f"{self.path}: is at level {self.level}; expected a model, or text at level onnx "
                "or bnn ('irc run' runs the text of any level, irc-opt prints its target)"
            )
        module = self._lowered(self.source, "bnn")
        function = entry_function(module)
        if not function.function_type.outputs.data:
            raise UnsupportedError(f"{self.path}: the model has no outputs")
        if level_of(module) is None:
            raise UnsupportedError(f"{self.path}: the model computes nothing")
        function.sym_name = StringAttr(self.name)
        return module

    @cached_property
    def dataflow(self) -> ModuleOp:
        """Streams between folded nodes."""
        return self.source if self.level == "dataflow" else self._lowered(self.bnn, "dataflow")

    @cached_property
    def hw(self) -> ModuleOp:
        """Registers and wires."""
        return self.source if self.level == "hw" else self._lowered(self.dataflow, "hw")

    @cached_property
    def packed(self) -> ModuleOp:
        """Words in an arena."""
        return self.source if self.level == "packed" else self._lowered(self.bnn, "packed")

    @property
    def function(self) -> FuncOp:
        """The network's function at the bnn level."""
        return entry_function(self.bnn)

    @property
    def input(self) -> BlockArgument:
        """The one input of the network; raises `UnsupportedError` where it has several."""
        arguments = list(self.function.body.block.args)
        if len(arguments) != 1:
            names = ", ".join(argument_name(self.function, argument) for argument in arguments)
            raise UnsupportedError(
                f"{self.path}: has {len(arguments)} inputs ({names}); "
                "networks with one are supported"
            )
        return arguments[0]


def identifier_of(path: str) -> str:
    """The file's name without its extension, made good as an identifier in C and Verilog."""
    stem = os.path.splitext(os.path.basename(path))[0]
    cleaned = re.sub(r"[^A-Za-z0-9]+", "_", stem).strip("_")[:MAX_IDENTIFIER].rstrip("_")
    if cleaned and cleaned[0].isalpha() and is_identifier(cleaned) and is_c_name(cleaned):
        return cleaned
    return f"net_{cleaned}".rstrip("_")


def is_c_name(name: str) -> bool:
    """Whether target c takes the name."""
    try:
        checked_name(name)
    except UsageError:
        return False
    return True


def checked_identifier(name: str) -> str:
    """`name`, if it is an identifier in C and Verilog; else a `UsageError`."""
    if not is_identifier(name) or not name[0].isalpha():
        raise UsageError(
            f"name {name!r}: expected a letter, then letters, digits and underscores, "
            "and no word that C or Verilog reserves"
        )
    return name


def frame_shapes(function: FuncOp) -> list[tuple[int, ...]]:
    """The shapes of the function's inputs, a frame each."""
    return [bnn.frame_type(argument).get_shape() for argument in function.body.block.args]


def classes_of(results: Array) -> Array:
    """Class of each frame from its results [N, …]: the largest logit, or an index as it is.

    The first of equals wins, as in `argmax`.
    """
    flat = results.reshape(len(results), -1)
    return flat[:, 0].astype(np.int64) if flat.shape[1] == 1 else np.argmax(flat, axis=1)
