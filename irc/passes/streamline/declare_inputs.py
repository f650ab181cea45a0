"""Say what the inputs really are: float inputs of a model are scaled integers in the world."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.context import Context
from xdsl.dialects.builtin import DictionaryAttr, Float32Type, FunctionType, ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, BlockArgument, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from irc.dialects import bnn
from irc.errors import UsageError
from irc.interp.ewise import apply_ewise
from irc.passes.rewriting import functions_to_convert

Array = npt.NDArray[Any]

INPUT_NAME = "bnn.name"
"""Argument and result attribute: the tensor's name in the ONNX model."""

INPUT_DECLARATION = "bnn.declared"
"""Argument attribute: how the model's float input follows from the integer one."""

_NUMBER = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"

_DECLARATION = re.compile(
    r"(?P<type>bipolar|u?int(?P<width>[1-9]|1[0-6]))"
    rf"(?:(?P<op>[/*])(?P<factor>[+-]?{_NUMBER}))?"
    rf"(?P<offset>[+-]{_NUMBER})?"
)

_NUMBERS = (("factor", 1), ("offset", 0))

SYNTAX = (
    "expected TYPE, TYPE/NUMBER or TYPE*NUMBER, with an optional +NUMBER or -NUMBER, "
    "as in 'uint8/255', 'int8*0.0078125' or 'bipolar'"
)


@dataclass(frozen=True)
class InputDeclaration:
    """`float input = integer / divisor` (or `· factor`) `+ offset`, in float32 in that order."""

    text: str
    element_type: Attribute
    fn: str | None
    constant: float
    offset: float

    @staticmethod
    def parse(text: str) -> InputDeclaration:
        """Read `uint8/255` and the like; raises `UsageError` with the syntax."""
        match = _DECLARATION.fullmatch(text.replace(" ", ""))
        if match is None:
            raise UsageError(f"input declaration {text!r}: {SYNTAX}")
        with np.errstate(over="ignore", under="ignore"):
            constant, offset = (float(np.float32(match[g] or d)) for g, d in _NUMBERS)
        if constant == 0 or not math.isfinite(constant) or not math.isfinite(offset):
            raise UsageError(
                f"input declaration {text!r}: the numbers must be finite as float32, "
                "and the factor not 0"
            )
        if match["type"] == "bipolar":
            element_type: Attribute = bnn.bipolar
        else:
            make = bnn.uint if match["type"].startswith("u") else bnn.sint
            element_type = make(int(match["width"]))
        fn = {"/": "div", "*": "mul", None: None}[match["op"]]
        return InputDeclaration(text, element_type, fn, constant, offset)

    def apply(self, value: SSAValue) -> list[bnn.CastOp | bnn.EwiseOp]:
        """The float input as operations on the integer `value`."""
        ops: list[bnn.CastOp | bnn.EwiseOp] = [bnn.CastOp(value)]
        if self.fn is not None:
            constant = bnn.DenseAttr.from_floats(self.constant)
            ops.append(bnn.EwiseOp(self.fn, ops[-1].output, constant))
        if self.offset:
            ops.append(bnn.EwiseOp("add", ops[-1].output, bnn.DenseAttr.from_floats(self.offset)))
        return ops

    def to_float(self, integers: Array) -> Array:
        """The model's float input for integers (bipolar: ±1) of any shape, in float32."""
        values = integers.astype(np.float32)
        if self.fn is not None:
            values = apply_ewise(self.fn, values, np.array(self.constant))
        return apply_ewise("add", values, np.array(self.offset)) if self.offset else values


def parse_declarations(texts: tuple[str, ...]) -> dict[str, InputDeclaration]:
    """`NAME=uint8/255` for each; the name may be left out where a model has one input ("")."""
    found: dict[str, InputDeclaration] = {}
    for text in texts:
        name, equals, declaration = text.rpartition("=")
        if name in found:
            raise UsageError(f"input {name!r} is declared twice")
        found[name] = InputDeclaration.parse(declaration)
        if equals and not name:
            raise UsageError(f"input declaration {text!r} has no name before '='")
    return found


def argument_name(function: FuncOp, argument: BlockArgument) -> str:
    """The model's name for an argument; its index where it has none."""
    if function.arg_attrs is None:
        return str(argument.index)
    name = function.arg_attrs.data[argument.index].data.get(INPUT_NAME)
    return name.data if isinstance(name, StringAttr) else str(argument.index)


@dataclass(frozen=True)
class DeclareInputs(ModulePass):
    """Replace float inputs by the integers they are made from: inputs="0=uint8/255"."""

    name = "declare-inputs"
    changes_results = "the inputs become the integers that were declared"

    inputs: tuple[str, ...] = ()

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        declarations = parse_declarations(self.inputs)
        for function in functions_to_convert(op):
            _declare(function, declarations)


def _declare(function: FuncOp, declarations: dict[str, InputDeclaration]) -> None:
    block = function.body.block
    names = [argument_name(function, argument) for argument in block.args]
    unknown = [name for name in declarations if name and name not in names]
    if unknown or ("" in declarations and (len(names) != 1 or len(declarations) != 1)):
        wrong = f"input {unknown[0]!r}" if unknown else "an input without a name"
        raise UsageError(f"{wrong}: the model's inputs are {', '.join(map(repr, names))}")
    for index, name in enumerate(names):
        argument = block.args[index]
        declaration = declarations.get(name) or declarations.get("")
        if declaration is None:
            continue
        frame = bnn.frame_type(argument)
        if not isinstance(frame.element_type, Float32Type):
            if declaration.fn is None and frame.element_type == declaration.element_type:
                continue
            raise UsageError(
                f"input {name!r} is declared {declaration.text}, but the model takes "
                f"{frame.element_type} there, not a float"
            )
        _retype(argument, declaration)
        _annotate(function, index, declaration)
    types = FunctionType.from_lists(
        [argument.type for argument in block.args], list(function.function_type.outputs)
    )
    function.function_type = types


def _retype(argument: BlockArgument, declaration: InputDeclaration) -> None:
    frame = bnn.frame_type(argument)
    block = argument.block
    fresh = block.insert_arg(
        type(frame)(declaration.element_type, frame.get_shape()), argument.index
    )
    fresh.name_hint = argument.name_hint
    ops = declaration.apply(fresh)
    Rewriter.insert_op(ops, InsertPoint.at_start(block))
    argument.replace_all_uses_with(ops[-1].output)
    block.erase_arg(argument)


def _annotate(function: FuncOp, index: int, declaration: InputDeclaration) -> None:
    if function.arg_attrs is None:
        return
    attributes = list(function.arg_attrs.data)
    declared = {INPUT_DECLARATION: StringAttr(declaration.text)}
    attributes[index] = DictionaryAttr({**attributes[index].data, **declared})
    function.arg_attrs = type(function.arg_attrs)(attributes)
