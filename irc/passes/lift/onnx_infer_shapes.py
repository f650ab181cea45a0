"""Give every value at the `onnx` level its shape."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import DYNAMIC_INDEX, ArrayAttr, DictionaryAttr, ModuleOp, TensorType
from xdsl.ir import Attribute
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from irc.dialects.onnx_attributes import from_attribute, to_attribute
from irc.dialects.onnx_to_proto import DIMS, entry_function
from irc.dialects.onnx_types import ranked
from irc.errors import UsageError
from irc.interp.onnx_infer import infer_types


@dataclass(frozen=True)
class OnnxInferShapesPass(ModulePass):
    """Infer the shapes of all ONNX values, with a dynamic batch dimension set to `batch`."""

    name = "onnx-infer-shapes"

    batch: int = 1
    """Size for a dynamic first dimension of every input; 0 leaves it dynamic."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.batch < 0:
            raise UsageError(f"onnx-infer-shapes: batch is {self.batch}; expected 0 or more")
        if self.batch:
            set_batch(op, self.batch)
        infer_types(op)


def set_batch(module: ModuleOp, batch: int) -> bool:
    """Fix the first dimension of every input whose first dimension is dynamic.

    Where that dimension has a name (`N`), every other input or output dimension of that name is
    fixed too. Results that depend on it follow by inference. Returns whether anything changed.
    """
    function = entry_function(module)
    arguments = _dim_names(function.arg_attrs, len(function.args))
    fixed: set[str] = set()
    for argument, names in zip(function.args, arguments, strict=True):
        shape = _shape(argument.type)
        if shape and shape[0] == DYNAMIC_INDEX and names and names[0]:
            fixed.add(names[0])
    changed = False
    for argument, names in zip(function.args, arguments, strict=True):
        shape = _shape(argument.type)
        sizes = [
            batch
            if size == DYNAMIC_INDEX and (axis == 0 or (axis < len(names) and names[axis] in fixed))
            else size
            for axis, size in enumerate(shape)
        ]
        if sizes != shape:
            tensor = ranked(argument.type)
            assert tensor is not None
            kind = TensorType(tensor.element_type, sizes)
            Rewriter.replace_value_with_new_type(argument, kind)
            changed = True
    if changed:
        function.update_function_type()
        function.arg_attrs = _without(function.arg_attrs, fixed)
        function.res_attrs = _without(function.res_attrs, fixed)
    return changed


def _shape(kind: Attribute) -> list[int]:
    tensor = ranked(kind)
    return [] if tensor is None else list(tensor.get_shape())


def _dim_names(attributes: ArrayAttr[DictionaryAttr] | None, count: int) -> list[list[str]]:
    if attributes is None:
        return [[] for _ in range(count)]
    return [from_attribute(entry.data[DIMS]) if DIMS in entry.data else [] for entry in attributes]


def _without(
    attributes: ArrayAttr[DictionaryAttr] | None, fixed: set[str]
) -> ArrayAttr[DictionaryAttr] | None:
    """The attributes, less the names of dimensions that are no longer dynamic."""
    if attributes is None:
        return None
    entries: list[DictionaryAttr] = []
    for entry, names in zip(attributes, _dim_names(attributes, 0), strict=True):
        left = ["" if name in fixed else name for name in names]
        data = {key: value for key, value in entry.data.items() if key != DIMS}
        if any(left):
            data[DIMS] = to_attribute(left)
        entries.append(DictionaryAttr(data))
    return ArrayAttr(entries)
