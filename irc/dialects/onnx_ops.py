"""Classes for the ONNX operators that passes name; `op_class` makes all others on demand."""

from __future__ import annotations

from irc.dialects.onnx_op import OnnxOp


class QuantOp(OnnxOp):
    """QONNX uniform quantization; see `irc.interp.qonnx` for the meaning.

    Inputs x, scale, zeropt, bitwidth; attributes signed, narrow, rounding_mode.
    """

    name = "onnx.Quant"


class IntQuantOp(QuantOp):
    """The newer name of `Quant`."""

    name = "onnx.IntQuant"


class BipolarQuantOp(OnnxOp):
    """QONNX binarization: `scale` where x >= 0, else `-scale`. Inputs x, scale."""

    name = "onnx.BipolarQuant"


class TruncOp(OnnxOp):
    """QONNX truncation of low-order bits.

    Inputs x, scale, zeropt, input bit width, output bit width (version 1), or x, scale, zeropt,
    input bit width, output scale, output bit width (version 2).
    """

    name = "onnx.Trunc"


class MultiThresholdOp(OnnxOp):
    """QONNX/FINN thresholding: `out_scale * #{t in row of thresholds: x >= t} + out_bias`.

    Inputs x, thresholds [C|1, T]; attributes out_dtype, out_scale, out_bias, data_layout.
    """

    name = "onnx.MultiThreshold"


class MatMulOp(OnnxOp):
    name = "onnx.MatMul"


class GemmOp(OnnxOp):
    name = "onnx.Gemm"


class ConvOp(OnnxOp):
    name = "onnx.Conv"


class MatMulIntegerOp(OnnxOp):
    name = "onnx.MatMulInteger"


class QLinearMatMulOp(OnnxOp):
    name = "onnx.QLinearMatMul"


class ConvIntegerOp(OnnxOp):
    name = "onnx.ConvInteger"


class AddOp(OnnxOp):
    name = "onnx.Add"


class SubOp(OnnxOp):
    name = "onnx.Sub"


class MulOp(OnnxOp):
    name = "onnx.Mul"


class DivOp(OnnxOp):
    name = "onnx.Div"


class PowOp(OnnxOp):
    name = "onnx.Pow"


class NegOp(OnnxOp):
    name = "onnx.Neg"


class AbsOp(OnnxOp):
    name = "onnx.Abs"


class SqrtOp(OnnxOp):
    name = "onnx.Sqrt"


class ExpOp(OnnxOp):
    name = "onnx.Exp"


class ReciprocalOp(OnnxOp):
    name = "onnx.Reciprocal"


class FloorOp(OnnxOp):
    name = "onnx.Floor"


class CeilOp(OnnxOp):
    name = "onnx.Ceil"


class RoundOp(OnnxOp):
    name = "onnx.Round"


class SignOp(OnnxOp):
    name = "onnx.Sign"


class ClipOp(OnnxOp):
    name = "onnx.Clip"


class MinOp(OnnxOp):
    name = "onnx.Min"


class MaxOp(OnnxOp):
    name = "onnx.Max"


class ReluOp(OnnxOp):
    name = "onnx.Relu"


class LeakyReluOp(OnnxOp):
    name = "onnx.LeakyRelu"


class PReluOp(OnnxOp):
    name = "onnx.PRelu"


class SigmoidOp(OnnxOp):
    name = "onnx.Sigmoid"


class TanhOp(OnnxOp):
    name = "onnx.Tanh"


class HardSigmoidOp(OnnxOp):
    name = "onnx.HardSigmoid"


class SoftmaxOp(OnnxOp):
    name = "onnx.Softmax"


class BatchNormalizationOp(OnnxOp):
    name = "onnx.BatchNormalization"


class ReshapeOp(OnnxOp):
    name = "onnx.Reshape"


class FlattenOp(OnnxOp):
    name = "onnx.Flatten"


class TransposeOp(OnnxOp):
    name = "onnx.Transpose"


class SqueezeOp(OnnxOp):
    name = "onnx.Squeeze"


class UnsqueezeOp(OnnxOp):
    name = "onnx.Unsqueeze"


class ConcatOp(OnnxOp):
    name = "onnx.Concat"


class GatherOp(OnnxOp):
    name = "onnx.Gather"


class ShapeOp(OnnxOp):
    name = "onnx.Shape"


class PadOp(OnnxOp):
    name = "onnx.Pad"


class CastOp(OnnxOp):
    name = "onnx.Cast"


class IdentityOp(OnnxOp):
    name = "onnx.Identity"


class DropoutOp(OnnxOp):
    name = "onnx.Dropout"


class MaxPoolOp(OnnxOp):
    name = "onnx.MaxPool"


class AveragePoolOp(OnnxOp):
    name = "onnx.AveragePool"


class GlobalAveragePoolOp(OnnxOp):
    name = "onnx.GlobalAveragePool"


class ReduceMeanOp(OnnxOp):
    name = "onnx.ReduceMean"


class ReduceSumOp(OnnxOp):
    name = "onnx.ReduceSum"


class ArgMaxOp(OnnxOp):
    name = "onnx.ArgMax"


class TopKOp(OnnxOp):
    name = "onnx.TopK"


class WhereOp(OnnxOp):
    name = "onnx.Where"


class GreaterOp(OnnxOp):
    name = "onnx.Greater"


class GreaterOrEqualOp(OnnxOp):
    name = "onnx.GreaterOrEqual"


class LessOp(OnnxOp):
    name = "onnx.Less"


class LessOrEqualOp(OnnxOp):
    name = "onnx.LessOrEqual"


class EqualOp(OnnxOp):
    name = "onnx.Equal"


class NotOp(OnnxOp):
    name = "onnx.Not"


class QuantizeLinearOp(OnnxOp):
    name = "onnx.QuantizeLinear"


class DequantizeLinearOp(OnnxOp):
    name = "onnx.DequantizeLinear"


class DynamicQuantizeLinearOp(OnnxOp):
    name = "onnx.DynamicQuantizeLinear"
