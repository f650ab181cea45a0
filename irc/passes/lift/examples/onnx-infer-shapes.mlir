// RUN: irc-opt %s -p 'onnx-infer-shapes{batch=2}' | filecheck %s

// The batch is set, and types follow, through quantizers as well.

// CHECK:      func.func @net(%x: tensor<2x4xf32> {onnx.name = "x"}) -> (tensor<4x2xf32> {onnx.name = "y"})
// CHECK:      onnx.BipolarQuant(%x, %s) {{.*}} : (tensor<2x4xf32>, tensor<f32>) -> tensor<2x4xf32>
// CHECK:      onnx.Transpose(%q) : (tensor<2x4xf32>) -> tensor<4x2xf32>
builtin.module attributes {onnx.ir_version = 8 : i64, onnx.opset_imports = {"" = 17 : i64}} {
  func.func @net(%x: tensor<?x4xf32> {onnx.name = "x", onnx.dims = ["N", ""]}) -> (!onnx.unknown {onnx.name = "y"}) {
    %s = onnx.Constant #onnx.tensor<tensor<f32>, [1.0]>
    %q = onnx.BipolarQuant(%x, %s) {onnx.domain = "onnx.brevitas"} : (tensor<?x4xf32>, tensor<f32>) -> !onnx.unknown
    %y = onnx.Transpose(%q) : (!onnx.unknown) -> !onnx.unknown
    func.return %y : !onnx.unknown
  }
}
