"""The `onnx` dialect: any ONNX or QONNX model as SSA.

A model is

    builtin.module attributes {onnx.ir_version, onnx.opset_imports = {"" = 9 : i64}, …} {
      func.func @name(%x: tensor<1x784xf32> {onnx.name = "x"})
          -> (tensor<1x10xf32> {onnx.name = "y"}) {
        %w = onnx.Constant #onnx.tensor<tensor<10x784xf32>, "0x…">
        %t = onnx.Transpose(%w) {perm = array<i64: 1, 0>} : (…) -> tensor<784x10xf32>
        %y = onnx.MatMul(%x, %t) : (…) -> tensor<1x10xf32>
        func.return %y : tensor<1x10xf32>
      }
    }

Names that passes need:

- `op_class("MatMul")`, or the static classes `MatMulOp`, `ConvOp`, `QuantOp`, …; all are
  `OnnxOp`s, with `op.op_type`, `op.domain`, `op.label` (the node's name), `op.operands`,
  `op.input(index or "formal name")` (None if omitted), `op.attr(name[, default])` and
  `int_attr`, `float_attr`, `str_attr`, `ints_attr`. `OnnxOp.build(inputs, result_types, attrs)`.
- `ConstantOp` is every initializer and every `Constant` node: `.value` (`TensorAttr`), `.numpy()`.
  `constant_value(ssa_value)` gives the array, or None.
- `NoValueOp` stands for an omitted optional input, `YieldOp` ends the regions of If, Loop, Scan.
- `TensorAttr` (`#onnx.tensor<type, data>`): `.numpy()`, `.from_numpy(array)`.
- `opset_of(op)`: the opset version that gives the operation its meaning.

Names of nodes are `NameLoc` locations (`node_location(name)`, `location_name(location)`).
Importing this module does not import onnx; making, parsing or verifying operations does.
"""

from __future__ import annotations

from collections.abc import Mapping

from xdsl.dialects.builtin import DictionaryAttr, IntegerAttr, i64
from xdsl.ir import Dialect

from irc.dialects.locations import location_name
from irc.dialects.onnx_attributes import from_attribute, to_attribute
from irc.dialects.onnx_op import (
    DOMAIN,
    OPSETS,
    OnnxOp,
    node_location,
    op_class,
    opset_of,
)
from irc.dialects.onnx_ops import (
    AbsOp,
    AddOp,
    ArgMaxOp,
    AveragePoolOp,
    BatchNormalizationOp,
    BipolarQuantOp,
    CastOp,
    CeilOp,
    ClipOp,
    ConcatOp,
    ConvIntegerOp,
    ConvOp,
    DequantizeLinearOp,
    DivOp,
    DropoutOp,
    DynamicQuantizeLinearOp,
    EqualOp,
    ExpOp,
    FlattenOp,
    FloorOp,
    GatherOp,
    GemmOp,
    GlobalAveragePoolOp,
    GreaterOp,
    GreaterOrEqualOp,
    HardSigmoidOp,
    IdentityOp,
    IntQuantOp,
    LeakyReluOp,
    LessOp,
    LessOrEqualOp,
    MatMulIntegerOp,
    MatMulOp,
    MaxOp,
    MaxPoolOp,
    MinOp,
    MulOp,
    MultiThresholdOp,
    NegOp,
    NotOp,
    PadOp,
    PowOp,
    PReluOp,
    QLinearMatMulOp,
    QuantizeLinearOp,
    QuantOp,
    ReciprocalOp,
    ReduceMeanOp,
    ReduceSumOp,
    ReluOp,
    ReshapeOp,
    RoundOp,
    ShapeOp,
    SigmoidOp,
    SignOp,
    SoftmaxOp,
    SqrtOp,
    SqueezeOp,
    SubOp,
    TanhOp,
    TopKOp,
    TransposeOp,
    TruncOp,
    UnsqueezeOp,
    WhereOp,
)
from irc.dialects.onnx_structure import (
    ConstantOp,
    NoValueOp,
    YieldOp,
    constant_value,
    find_nonfinite,
)
from irc.dialects.onnx_tensor import SparseTensorAttr, TensorAttr
from irc.dialects.onnx_types import (
    MapType,
    OptionalType,
    SequenceType,
    SparseTensorType,
    StringType,
    UnknownType,
)


def opset_imports(versions: Mapping[str, int]) -> DictionaryAttr:
    """The value of the module attribute `OPSETS`: opset versions by domain."""
    return DictionaryAttr({d: IntegerAttr(version, i64) for d, version in versions.items()})


def get_dialect() -> Dialect:
    """The whole dialect, one class per operator of the installed schemas (imports onnx)."""
    from irc.dialects.onnx_schema import op_specs

    return Dialect(
        "onnx",
        [NoValueOp, YieldOp, *(op_class(op_type) for op_type in op_specs())],
        [
            TensorAttr,
            SparseTensorAttr,
            StringType,
            UnknownType,
            SequenceType,
            OptionalType,
            MapType,
            SparseTensorType,
        ],
    )


__all__ = [
    "DOMAIN",
    "OPSETS",
    "AbsOp",
    "AddOp",
    "ArgMaxOp",
    "AveragePoolOp",
    "BatchNormalizationOp",
    "BipolarQuantOp",
    "CastOp",
    "CeilOp",
    "ClipOp",
    "ConcatOp",
    "ConstantOp",
    "ConvIntegerOp",
    "ConvOp",
    "DequantizeLinearOp",
    "DivOp",
    "DropoutOp",
    "DynamicQuantizeLinearOp",
    "EqualOp",
    "ExpOp",
    "FlattenOp",
    "FloorOp",
    "GatherOp",
    "GemmOp",
    "GlobalAveragePoolOp",
    "GreaterOp",
    "GreaterOrEqualOp",
    "HardSigmoidOp",
    "IdentityOp",
    "IntQuantOp",
    "LeakyReluOp",
    "LessOp",
    "LessOrEqualOp",
    "MapType",
    "MatMulIntegerOp",
    "MatMulOp",
    "MaxOp",
    "MaxPoolOp",
    "MinOp",
    "MulOp",
    "MultiThresholdOp",
    "NegOp",
    "NoValueOp",
    "NotOp",
    "OnnxOp",
    "OptionalType",
    "PReluOp",
    "PadOp",
    "PowOp",
    "QLinearMatMulOp",
    "QuantOp",
    "QuantizeLinearOp",
    "ReciprocalOp",
    "ReduceMeanOp",
    "ReduceSumOp",
    "ReluOp",
    "ReshapeOp",
    "RoundOp",
    "SequenceType",
    "ShapeOp",
    "SigmoidOp",
    "SignOp",
    "SoftmaxOp",
    "SparseTensorAttr",
    "SparseTensorType",
    "SqrtOp",
    "SqueezeOp",
    "StringType",
    "SubOp",
    "TanhOp",
    "TensorAttr",
    "TopKOp",
    "TransposeOp",
    "TruncOp",
    "UnknownType",
    "UnsqueezeOp",
    "WhereOp",
    "YieldOp",
    "constant_value",
    "find_nonfinite",
    "from_attribute",
    "get_dialect",
    "location_name",
    "node_location",
    "op_class",
    "opset_imports",
    "opset_of",
    "to_attribute",
]
