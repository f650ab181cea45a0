// RUN: irc-opt %s -p onnx-fold-constants | filecheck %s

// Arithmetic on constants is done, quantizers of constants stay, and what is dead goes.

// CHECK:      func.func @net
// CHECK-NEXT:   %w = onnx.Constant #onnx.tensor<tensor<2xf32>, [1.0, -3.0]>
// CHECK-NEXT:   %s = onnx.Constant #onnx.tensor<tensor<f32>, [0.5]>
// CHECK-NEXT:   %t = onnx.Constant #onnx.tensor<tensor<f32>, [1.0]>
// CHECK-NEXT:   %q = onnx.BipolarQuant(%w, %t)
// CHECK-NEXT:   %a = onnx.Add(%x, %q)
// CHECK-NEXT:   %y = onnx.Mul(%a, %s)
// CHECK-NEXT:   func.return %y
builtin.module attributes {onnx.ir_version = 8 : i64, onnx.opset_imports = {"" = 17 : i64}} {
  func.func @net(%x: tensor<2xf32> {onnx.name = "x"}) -> (tensor<2xf32> {onnx.name = "y"}) {
    %w = onnx.Constant #onnx.tensor<tensor<2xf32>, [1.0, -3.0]>
    %s = onnx.Constant #onnx.tensor<tensor<f32>, [0.5]>
    %t = onnx.Add(%s, %s) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    %dead = onnx.Relu(%x) : (tensor<2xf32>) -> tensor<2xf32>
    %q = onnx.BipolarQuant(%w, %t) {onnx.domain = "onnx.brevitas"} : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
    %a = onnx.Add(%x, %q) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
    %y = onnx.Mul(%a, %s) : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
    func.return %y : tensor<2xf32>
  }
}
