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
    """The ONNX operator `MatMul`."""

    name = "onnx.MatMul"


class GemmOp(OnnxOp):
    """The ONNX operator `Gemm`."""

    name = "onnx.Gemm"


class ConvOp(OnnxOp):
    """The ONNX operator `Conv`."""

    name = "onnx.Conv"


class MatMulIntegerOp(OnnxOp):
    """The ONNX operator `MatMulInteger`."""

    name = "onnx.MatMulInteger"


class QLinearMatMulOp(OnnxOp):
    """The ONNX operator `QLinearMatMul`."""

    name = "onnx.QLinearMatMul"


class ConvIntegerOp(OnnxOp):
    """The ONNX operator `ConvInteger`."""

    name = "onnx.ConvInteger"


class AddOp(OnnxOp):
    """The ONNX operator `Add`."""

    name = "onnx.Add"


class SubOp(OnnxOp):
    """The ONNX operator `Sub`."""

    name = "onnx.Sub"


class MulOp(OnnxOp):
    """The ONNX operator `Mul`."""

    name = "onnx.Mul"


class DivOp(OnnxOp):
    """The ONNX operator `Div`."""

    name = "onnx.Div"


class PowOp(OnnxOp):
    """The ONNX operator `Pow`."""

    name = "onnx.Pow"


class NegOp(OnnxOp):
    """The ONNX operator `Neg`."""

    name = "onnx.Neg"


class AbsOp(OnnxOp):
    """The ONNX operator `Abs`."""

    name = "onnx.Abs"


class SqrtOp(OnnxOp):
    """The ONNX operator `Sqrt`."""

    name = "onnx.Sqrt"


class ExpOp(OnnxOp):
    """The ONNX operator `Exp`."""

    name = "onnx.Exp"


class ReciprocalOp(OnnxOp):
    """The ONNX operator `Reciprocal`."""

    name = "onnx.Reciprocal"


class FloorOp(OnnxOp):
    """The ONNX operator `Floor`."""

    name = "onnx.Floor"


class CeilOp(OnnxOp):
    """The ONNX operator `Ceil`."""

    name = "onnx.Ceil"


class RoundOp(OnnxOp):
    """The ONNX operator `Round`."""

    name = "onnx.Round"


class SignOp(OnnxOp):
    """The ONNX operator `Sign`."""

    name = "onnx.Sign"


class ClipOp(OnnxOp):
    """The ONNX operator `Clip`."""

    name = "onnx.Clip"


class MinOp(OnnxOp):
    """The ONNX operator `Min`."""

    name = "onnx.Min"


class MaxOp(OnnxOp):
    """The ONNX operator `Max`."""

    name = "onnx.Max"


class ReluOp(OnnxOp):
    """The ONNX operator `Relu`."""

    name = "onnx.Relu"


class LeakyReluOp(OnnxOp):
    """The ONNX operator `LeakyRelu`."""

    name = "onnx.LeakyRelu"


class PReluOp(OnnxOp):
    """The ONNX operator `PRelu`."""

    name = "onnx.PRelu"


class SigmoidOp(OnnxOp):
    """The ONNX operator `Sigmoid`."""

    name = "onnx.Sigmoid"


class TanhOp(OnnxOp):
    """The ONNX operator `Tanh`."""

    name = "onnx.Tanh"


class HardSigmoidOp(OnnxOp):
    """The ONNX operator `HardSigmoid`."""

    name = "onnx.HardSigmoid"


class SoftmaxOp(OnnxOp):
    """The ONNX operator `Softmax`."""

    name = "onnx.Softmax"


class BatchNormalizationOp(OnnxOp):
    """The ONNX operator `BatchNormalization`."""

    name = "onnx.BatchNormalization"


class ReshapeOp(OnnxOp):
    """The ONNX operator `Reshape`."""

    name = "onnx.Reshape"


class FlattenOp(OnnxOp):
    """The ONNX operator `Flatten`."""

    name = "onnx.Flatten"


class TransposeOp(OnnxOp):
    """The ONNX operator `Transpose`."""

    name = "onnx.Transpose"


class SqueezeOp(OnnxOp):
    """The ONNX operator `Squeeze`."""

    name = "onnx.Squeeze"


class UnsqueezeOp(OnnxOp):
    """The ONNX operator `Unsqueeze`."""

    name = "onnx.Unsqueeze"


class ConcatOp(OnnxOp):
    """The ONNX operator `Concat`."""

    name = "onnx.Concat"


class GatherOp(OnnxOp):
    """The ONNX operator `Gather`."""

    name = "onnx.Gather"


class ShapeOp(OnnxOp):
    """The ONNX operator `Shape`."""

    name = "onnx.Shape"


class PadOp(OnnxOp):
    """The ONNX operator `Pad`."""

    name = "onnx.Pad"


class CastOp(OnnxOp):
    """The ONNX operator `Cast`."""

    name = "onnx.Cast"


class IdentityOp(OnnxOp):
    """The ONNX operator `Identity`."""

    name = "onnx.Identity"


class DropoutOp(OnnxOp):
    """The ONNX operator `Dropout`."""

    name = "onnx.Dropout"


class MaxPoolOp(OnnxOp):
    """The ONNX operator `MaxPool`."""

    name = "onnx.MaxPool"


class AveragePoolOp(OnnxOp):
    """The ONNX operator `AveragePool`."""

    name = "onnx.AveragePool"


class GlobalAveragePoolOp(OnnxOp):
    """The ONNX operator `GlobalAveragePool`."""

    name = "onnx.GlobalAveragePool"


class ReduceMeanOp(OnnxOp):
    """The ONNX operator `ReduceMean`."""

    name = "onnx.ReduceMean"


class ReduceSumOp(OnnxOp):
    """The ONNX operator `ReduceSum`."""

    name = "onnx.ReduceSum"


class ArgMaxOp(OnnxOp):
    """The ONNX operator `ArgMax`."""

    name = "onnx.ArgMax"


class TopKOp(OnnxOp):
    """The ONNX operator `TopK`."""

    name = "onnx.TopK"


class WhereOp(OnnxOp):
    """The ONNX operator `Where`."""

    name = "onnx.Where"


class GreaterOp(OnnxOp):
    """The ONNX operator `Greater`."""

    name = "onnx.Greater"


class GreaterOrEqualOp(OnnxOp):
    """The ONNX operator `GreaterOrEqual`."""

    name = "onnx.GreaterOrEqual"


class LessOp(OnnxOp):
    """The ONNX operator `Less`."""

    name = "onnx.Less"


class LessOrEqualOp(OnnxOp):
    """The ONNX operator `LessOrEqual`."""

    name = "onnx.LessOrEqual"


class EqualOp(OnnxOp):
    """The ONNX operator `Equal`."""

    name = "onnx.Equal"


class NotOp(OnnxOp):
    """The ONNX operator `Not`."""

    name = "onnx.Not"


class QuantizeLinearOp(OnnxOp):
    """The ONNX operator `QuantizeLinear`."""

    name = "onnx.QuantizeLinear"


class DequantizeLinearOp(OnnxOp):
    """The ONNX operator `DequantizeLinear`."""

    name = "onnx.DequantizeLinear"


class DynamicQuantizeLinearOp(OnnxOp):
    """The ONNX operator `DynamicQuantizeLinear`."""

    name = "onnx.DynamicQuantizeLinear"
