// RUN: irc-opt %s -p lift-onnx-to-bnn | filecheck %s

// A frame has no batch; quantized weights become bits and a scale, activations quantize, cast, mul.
// CHECK:      func.func @quantizers(%x: tensor<3xf32> {bnn.name = "x"}) -> (tensor<2xf32> {bnn.name = "y"}) {
// CHECK-NEXT:   %[[Q:.*]] = bnn.quantize "bipolar" %x : tensor<3xf32> -> tensor<3x!bnn.bipolar>
// CHECK-NEXT:   %[[F:.*]] = bnn.cast %[[Q]]
// CHECK-NEXT:   %[[M:.*]] = bnn.ewise "mul" %[[F]], <tensor<f32>, [0.25]>
// CHECK-NEXT:   %[[L:.*]] = bnn.linear %[[M]], <tensor<2x3x!bnn.bipolar>, [1, -1, -1, 1, 1, 1]> scales <tensor<1xf32>, [0.5]> : tensor<3xf32> -> tensor<2xf32>
// CHECK-NEXT:   %[[D:.*]] = bnn.ewise "div" %[[L]], <tensor<f32>, [0.25]>
// CHECK-NEXT:   %[[Z:.*]] = bnn.ewise "add" %[[D]], <tensor<f32>, [1.0]>
// CHECK-NEXT:   %[[R:.*]] = bnn.quantize "floor" %[[Z]] min -3 max 3 : tensor<2xf32> -> tensor<2xsi3>
// CHECK-NEXT:   %[[C:.*]] = bnn.cast %[[R]]
// CHECK-NEXT:   %[[S:.*]] = bnn.ewise "sub" %[[C]], <tensor<f32>, [1.0]>
// CHECK-NEXT:   bnn.ewise "mul" %[[S]], <tensor<f32>, [0.25]>
builtin.module attributes {onnx.ir_version = 8 : i64, onnx.opset_imports = {"" = 17 : i64, "onnx.brevitas" = 1 : i64}} {
  func.func @quantizers(%x: tensor<1x3xf32> {onnx.name = "x"}) -> (tensor<1x2xf32> {onnx.name = "y"}) {
    %quarter = onnx.Constant #onnx.tensor<tensor<f32>, [0.25]>
    %half = onnx.Constant #onnx.tensor<tensor<f32>, [0.5]>
    %one = onnx.Constant #onnx.tensor<tensor<f32>, [1.0]>
    %bits = onnx.Constant #onnx.tensor<tensor<f32>, [3.0]>
    %w = onnx.Constant #onnx.tensor<tensor<3x2xf32>, [0.1, 0.0, -2.0, 7.0, -0.5, 0.5]>
    %a = onnx.BipolarQuant(%x, %quarter) {onnx.domain = "onnx.brevitas"} : (tensor<1x3xf32>, tensor<f32>) -> tensor<1x3xf32>
    %q = onnx.BipolarQuant(%w, %half) {onnx.domain = "onnx.brevitas"} : (tensor<3x2xf32>, tensor<f32>) -> tensor<3x2xf32>
    %m = onnx.MatMul(%a, %q) : (tensor<1x3xf32>, tensor<3x2xf32>) -> tensor<1x2xf32>
    %y = onnx.Quant(%m, %quarter, %one, %bits) {narrow = 1 : i64, rounding_mode = "FLOOR", signed = 1 : i64, onnx.domain = "onnx.brevitas"} : (tensor<1x2xf32>, tensor<f32>, tensor<f32>, tensor<f32>) -> tensor<1x2xf32>
    func.return %y : tensor<1x2xf32>
  }
}
