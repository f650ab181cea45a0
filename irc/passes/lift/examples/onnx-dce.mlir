// RUN: irc-opt %s -p onnx-dce | filecheck %s

// A dead node goes, and with it what it alone uses.

// CHECK:      func.func @net
// CHECK-NEXT:   %y = onnx.Relu(%x)
// CHECK-NEXT:   func.return %y
builtin.module attributes {onnx.ir_version = 8 : i64, onnx.opset_imports = {"" = 17 : i64}} {
  func.func @net(%x: tensor<2xf32> {onnx.name = "x"}) -> (tensor<2xf32> {onnx.name = "y"}) {
    %none = onnx.NoValue
    %w = onnx.Constant #onnx.tensor<tensor<f32>, [1.0]>
    %a = onnx.Clip(%x, %none, %w) : (tensor<2xf32>, none, tensor<f32>) -> tensor<2xf32>
    %y = onnx.Relu(%x) : (tensor<2xf32>) -> tensor<2xf32>
    func.return %y : tensor<2xf32>
  }
}
