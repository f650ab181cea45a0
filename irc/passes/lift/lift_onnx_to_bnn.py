"""Lift ONNX graphs to the `bnn` dialect: one frame a function, quantizers made explicit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import (
    ArrayAttr,
    DictionaryAttr,
    Float32Type,
    FunctionType,
    ModuleOp,
    TensorType,
    i1,
)
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from irc.diagnostics import print_debug_traceback
from irc.dialects import onnx
from irc.dialects.bnn import DenseAttr, ThresholdOp, frame_type, uint
from irc.dialects.dense import is_exact
from irc.dialects.onnx_types import static_shape
from irc.errors import IrcError, UnsupportedError
from irc.passes.lift.lifting import BlockedError, Lifting, Obstacle
from irc.passes.lift.rules import RULES
from irc.passes.rewriting import functions_to_convert
from irc.passes.streamline.fold_thresholds import MARGIN, margin_attribute


class LiftError(UnsupportedError):
    """What stands in the way of lifting a model: every obstacle, not only the first."""

    def __init__(self, obstacles: list[Obstacle]) -> None:
        super().__init__("\n".join(map(str, obstacles)))
        self.obstacles = obstacles


@dataclass(frozen=True)
class LiftOnnxToBnn(ModulePass):
    """Turn ONNX operators into bnn ones, a frame at a time, with explicit quantizers."""

    name = "lift-onnx-to-bnn"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in list(functions_to_convert(op)):
            if not _is_onnx(function):
                continue
            lifted = lift_function(function)
            Rewriter.insert_op(lifted, InsertPoint.before(function))
            function.detach()
            function.erase()
        for name in [name for name in op.attributes if name.startswith("onnx.")]:
            del op.attributes[name]


def _is_onnx(function: FuncOp) -> bool:
    attributes = function.arg_attrs.data if function.arg_attrs else ()
    return any("onnx.name" in a.data for a in attributes) or any(
        op.name.startswith("onnx.") for op in function.body.block.ops
    )


def lift_function(function: FuncOp) -> FuncOp:
    """The `bnn` function of an ONNX one; raises `LiftError` with all obstacles."""
    block = Block()
    _check_inputs(function)
    lifting = Lifting(block, _batch(function))
    for argument in function.body.block.args:
        _lift_argument(lifting, argument)
    for op in function.body.block.ops:
        if isinstance(op, onnx.OnnxOp):
            _lift_node(lifting, op)
    terminator = function.body.block.last_op
    assert isinstance(terminator, ReturnOp)
    missing = [value for value in terminator.arguments if value not in lifting.values]
    if missing and not lifting.obstacles:
        lifting.obstacles.append(Obstacle("return", "output", "the result is a constant"))
    if lifting.obstacles:
        raise LiftError(lifting.obstacles)
    results = [_result(lifting, value) for value in terminator.arguments]
    block.add_op(ReturnOp(*results))
    lifted = FuncOp(
        function.sym_name.data,
        FunctionType.from_lists([a.type for a in block.args], [r.type for r in results]),
        Region(block),
        arg_attrs=_renamed(function.arg_attrs),
        res_attrs=_renamed(function.res_attrs),
    )
    lifted.location = function.location
    return lifted


def _result(lifting: Lifting, value: SSAValue) -> SSAValue:
    """What a function returns for an ONNX value; a boolean is 1 or 0, no sign."""
    lifted = lifting.values[value]
    if getattr(value.type, "element_type", None) != i1:
        return lifted
    one = DenseAttr.from_integers(np.ones((1, 1), np.int64))
    threshold = ThresholdOp(lifted, one, uint(1))
    threshold.attributes[MARGIN] = margin_attribute([])
    lifting.block.add_op(threshold)
    return threshold.output


def _check_inputs(function: FuncOp) -> None:
    """Raise `UnsupportedError` for inputs that give no frames of a fixed size."""
    if not function.body.block.args:
        raise UnsupportedError("the model has no inputs: everything in it is a constant")
    for argument in function.body.block.args:
        where = f"input '{argument.name_hint}'"
        if not isinstance(argument.type, TensorType):
            raise UnsupportedError(f"{where} is {argument.type}; expected a tensor of known shape")
        element_type = frame_type(argument).element_type
        if not isinstance(element_type, Float32Type) and not is_exact(element_type):
            raise UnsupportedError(f"{where} holds {element_type}; expected float32 or integers")
        shape = frame_type(argument).get_shape()
        text = ", ".join("?" if dim < 0 else str(dim) for dim in shape)
        if any(dim < 0 for dim in shape):
            raise UnsupportedError(
                f"{where} has shape [{text}]: only the first dimension, the batch, may be dynamic"
            )
        if 0 in shape:
            raise UnsupportedError(f"{where} has shape [{text}], which holds no elements")


def _batch(function: FuncOp) -> int | None:
    """The leading dimension that all inputs share; `None` where an input is a plain vector."""
    shapes = [frame_type(argument).get_shape() for argument in function.body.block.args]
    if any(len(shape) < 2 for shape in shapes):
        return None
    leading = {shape[0] for shape in shapes}
    if len(leading) != 1:
        raise UnsupportedError(f"the inputs differ in their batch dimension: {sorted(leading)}")
    return leading.pop()


def _lift_argument(lifting: Lifting, argument: SSAValue) -> None:
    shape = frame_type(argument).get_shape()
    frame = shape if lifting.batch is None else shape[1:]
    element_type: Attribute = frame_type(argument).element_type
    fresh = lifting.block.insert_arg(TensorType(element_type, frame), len(lifting.block.args))
    fresh.name_hint = argument.name_hint
    lifting.values[argument] = fresh


def _lift_node(lifting: Lifting, op: onnx.OnnxOp) -> None:
    if isinstance(op, onnx.ConstantOp):
        return
    lifting.node = op
    lift = RULES.get(op.op_type)
    try:
        if op.results and lifting.quantized(op.results[0]) is not None:
            lifting.constant_locations[op.results[0]] = lifting.location_of(op)
            return
        if lift is None:
            raise UnsupportedError("this operator is not supported")
        lifted = lift(lifting, op)
        if 0 in (static_shape(op.results[0].type) or ()):
            raise UnsupportedError("its result holds no elements: a dimension is 0")
        lifting.values[op.results[0]] = lifted
    except BlockedError:
        pass
    except IrcError as error:
        lifting.obstacles.append(Obstacle(op.label, op.op_type, error.message))
    except _MISFITS as error:
        # Rules do not check in full what ONNX demands of a node's inputs. It may be a rule's own
        # mistake, too: IRC_DEBUG=1 shows where.
        print_debug_traceback(error)
        reason = str(error).strip().split("\n", 1)[0]
        text = f"{MISFIT}: {reason}"
        lifting.obstacles.append(Obstacle(op.label, op.op_type, text))


MISFIT = "its inputs and attributes do not fit each other"
"""How such an obstacle begins; there is none in a valid model."""

_MISFITS = (ValueError, IndexError, TypeError, OverflowError, ZeroDivisionError)
"""What arithmetic raises on constants that do not fit each other or the node's attributes."""


def _renamed(attributes: ArrayAttr[DictionaryAttr] | None) -> ArrayAttr[DictionaryAttr] | None:
    """`onnx.name` of arguments and results as `bnn.name`."""
    if attributes is None:
        return None
    return ArrayAttr(
        DictionaryAttr({"bnn.name": a.data["onnx.name"]} if "onnx.name" in a.data else {})
        for a in attributes
    )
