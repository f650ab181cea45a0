"""In which form generated C takes its input, and whether it gives numbers or a class."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import FunctionType, IntegerAttr, ModuleOp, StringAttr, i64
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from irc.dialects import bnn
from irc.dialects.bnn_base import like
from irc.dialects.dense import smallest_int
from irc.dialects.packed_interface import BITS, FORM, THRESHOLD, ZERO_POINT, annotate_argument
from irc.errors import UnsupportedError, UsageError
from irc.passes.rewriting import erase_dead, functions_of
from irc.passes.software.buffers import uses
from irc.passes.software.float_order import integers_in_order
from irc.passes.software.shift_input import shift_input

INPUTS = ("model", "uint8", "int8", "bits")
OUTPUTS = ("model", "class")

_BYTES = {"uint8": bnn.uint(8), "int8": bnn.sint(8)}
_BIT_TYPES = (bnn.bipolar, bnn.uint(1))


@dataclass(frozen=True)
class ChooseInterface(ModulePass):
    """Change what a function takes and gives, and nothing of what it computes.

    `input` is `model` (as declared), `uint8` or `int8` (the same bytes around another zero point,
    which moves into thresholds), or `bits` (single bits in words, where the network begins with
    them or with one threshold, which is then the caller's). `output` is `model` or `class`: the
    index of the largest value, the lowest of equals.
    """

    name = "choose-interface"

    input: str = "model"
    output: str = "model"

    @property
    def changes_results(self) -> str | None:
        """Why what goes in and comes out is another thing, where it is."""
        chosen = (self.input, self.output) != (INPUTS[0], OUTPUTS[0])
        return "the function takes or gives something else" if chosen else None

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for what, given, known in (("input", self.input, INPUTS), ("output", self.output, OUTPUTS)):
            if given not in known:
                raise UsageError(
                    f"{self.name}: {what} must be one of {', '.join(known)}, not {given}"
                )
        if (self.input, self.output) == ("model", "model"):
            return
        for function in functions_of(op):
            for index in range(len(function.body.block.args)):
                if self.input in _BYTES:
                    _take_bytes(function, index, self.input)
                elif self.input == "bits":
                    _take_bits(function, index)
            if self.output == "class":
                _give_classes(function)
            erase_dead(function)
            _update_type(function)


def _take_bytes(function: FuncOp, index: int, form: str) -> None:
    """`x' = x − 128` for a signed byte, and back."""
    argument = function.body.block.args[index]
    wanted, given = _BYTES[form], bnn.frame_type(argument).element_type
    if given == wanted:
        return
    if given not in _BYTES.values():
        raise UnsupportedError(
            f"an input of {given} cannot be taken as {form}: only uint8 and int8 stand for each "
            "other; --input says what a float input is made from"
        )
    zero = -128 if form == "int8" else 128
    shift_input(argument, zero, wanted)
    annotate_argument(function, index, {ZERO_POINT: IntegerAttr(zero, i64)})


def _take_bits(function: FuncOp, index: int) -> None:
    """The caller's bits, behind the threshold that the network begins with, if it does."""
    argument: SSAValue = function.body.block.args[index]
    marks: dict[str, Attribute] = {FORM: StringAttr(BITS)}
    if bnn.frame_type(argument).element_type not in _BIT_TYPES:
        kind, threshold = _first_threshold(argument)
        marks[THRESHOLD] = IntegerAttr(threshold, i64)
        for use in list(uses(argument)):
            reader = use.operation
            assert isinstance(reader, bnn.ThresholdOp)
            _retype(reader.input, kind)
            Rewriter.replace_op(reader, [], [reader.input])
    annotate_argument(function, index, marks)


def _retype(value: SSAValue, kind: Attribute) -> None:
    """Give a value and all that it is a reshape of this element type."""
    if isinstance(value.owner, bnn.ReshapeOp):
        _retype(value.owner.input, kind)
    Rewriter.replace_value_with_new_type(value, like(value, kind))


def _first_threshold(argument: SSAValue) -> tuple[Attribute, int]:
    """The type of the bits that all readers make of an input, and where they become 1."""
    found: set[tuple[Attribute, int]] = set()
    for use in uses(argument):
        reader = use.operation
        if not isinstance(reader, bnn.ThresholdOp) or reader.steps is not None:
            raise _not_bits(argument, f"'{reader.name}' reads more of it")
        values = {int(value) for value in reader.thresholds.numpy().flat}
        kind = bnn.frame_type(reader.output).element_type
        if len(values) != 1 or reader.thresholds.shape[1] != 1 or kind not in _BIT_TYPES:
            raise _not_bits(argument, "it is compared with several thresholds")
        found.add((kind, values.pop()))
    if len(found) != 1:
        raise _not_bits(argument, "its readers compare it with different thresholds")
    return found.pop()


def _not_bits(argument: SSAValue, why: str) -> UnsupportedError:
    kind = bnn.frame_type(argument).element_type
    return UnsupportedError(
        f"the input of {kind} cannot be taken as bits: {why}; bits do where a network begins with "
        "one threshold for its whole input, or takes bipolar values"
    )


def _give_classes(function: FuncOp) -> None:
    """An index along the last axis for each result that is not one."""
    terminator = function.body.block.last_op
    assert isinstance(terminator, ReturnOp)
    for number, value in enumerate(terminator.arguments):
        if isinstance(value.owner, bnn.ArgmaxOp):
            continue
        value = integers_in_order(value)
        shape = bnn.frame_type(value).get_shape()
        if not shape or shape[-1] < 2:
            raise UnsupportedError(
                f"result {number} of shape {list(shape)} has no classes: its last axis must have "
                "a value for each, two at least"
            )
        argmax = bnn.ArgmaxOp(value, smallest_int(0, shape[-1] - 1))
        Rewriter.insert_op(argmax, InsertPoint.before(terminator))
        terminator.operands[number] = argmax.output


def _update_type(function: FuncOp) -> None:
    terminator = function.body.block.last_op
    assert isinstance(terminator, ReturnOp)
    function.function_type = FunctionType.from_lists(
        [argument.type for argument in function.body.block.args],
        [value.type for value in terminator.arguments],
    )


__all__ = ["INPUTS", "OUTPUTS", "ChooseInterface"]
