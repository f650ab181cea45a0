builtin.module attributes {onnx.ir_version = 9 : i64, onnx.opset_imports = {"" = 20 : i64, qonnx.custom_op.general = 1 : i64}} {
  func.func @random_network(%x: tensor<1x3x5x1xf32> {onnx.name = "x"}) -> (tensor<1x2xf32> {onnx.name = "t8"}) {
    %c0 = onnx.Constant #onnx.tensor<tensor<3xf32>, [1.0, 1.0, 1.0]>
    %c1 = onnx.Constant #onnx.tensor<tensor<3xf32>, [0.0, 0.0, 0.0]>
    %c2 = onnx.Constant #onnx.tensor<tensor<3xf32>, [0.5, 0.5, 0.5]>
    %c3 = onnx.Constant #onnx.tensor<tensor<3xf32>, [0.0625, 0.0625, 0.0625]>
    %c4 = onnx.Constant #onnx.tensor<tensor<3xf32>, [0.5, 0.5, 0.5]>
    %c5 = onnx.Constant #onnx.tensor<tensor<3xsi8>, [1, 1, 1]>
    %c6 = onnx.Constant #onnx.tensor<tensor<3xf32>, [1.0, 1.0, 1.0]>
    %c7 = onnx.Constant #onnx.tensor<tensor<3xf32>, [0.5, 0.5, 0.5]>
    %c8 = onnx.Constant #onnx.tensor<tensor<3xf32>, [-0.25, 0.0, -0.0]>
    %c9 = onnx.Constant #onnx.tensor<tensor<3xf32>, [4.0, 4.0, 4.0]>
    %c10 = onnx.Constant #onnx.tensor<tensor<f32>, [0.5]>
    %c11 = onnx.Constant #onnx.tensor<tensor<2x15xf32>, [-1.25, 1.0, -1.25, -1.25, -0.75, 0.5, 1.0, -0.5, 1.75, 0.0, 1.5, 0.5, 0.5, -1.0, -1.5, -2.0, 0.5, 0.25, 1.75, 1.0, 1.5, -1.75, 0.25, 2.0, 0.5, -1.0, -1.0, -1.25, 1.5, 2.0]>
    %c12 = onnx.Constant #onnx.tensor<tensor<f32>, [0.25]>
    %t0 = onnx.BatchNormalization(%x, %c0, %c1, %c2, %c3) {epsilon = 0.000000e+00 : f32} : (tensor<1x3x5x1xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<1x3x5x1xf32>
    %t1 = onnx.QuantizeLinear(%t0, %c4, %c5) {axis = 1 : i64} : (tensor<1x3x5x1xf32>, tensor<3xf32>, tensor<3xsi8>) -> tensor<1x3x5x1xsi8>
    %t2 = onnx.DequantizeLinear(%t1, %c4, %c5) {axis = 1 : i64} : (tensor<1x3x5x1xsi8>, tensor<3xf32>, tensor<3xsi8>) -> tensor<1x3x5x1xf32>
    %t3 = onnx.Add(%t2, %t2) : (tensor<1x3x5x1xf32>, tensor<1x3x5x1xf32>) -> tensor<1x3x5x1xf32>
    %t4 = onnx.BatchNormalization(%t3, %c6, %c7, %c8, %c9) {epsilon = 0.000000e+00 : f32} : (tensor<1x3x5x1xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<1x3x5x1xf32>
    %t5 = onnx.BipolarQuant(%t4, %c10) {onnx.domain = "qonnx.custom_op.general"} : (tensor<1x3x5x1xf32>, tensor<f32>) -> tensor<1x3x5x1xf32>
    %t6 = onnx.Flatten(%t5) {axis = 1 : i64} : (tensor<1x3x5x1xf32>) -> tensor<1x15xf32>
    %t7 = onnx.BipolarQuant(%c11, %c12) {onnx.domain = "qonnx.custom_op.general"} : (tensor<2x15xf32>, tensor<f32>) -> tensor<2x15xf32>
    %t8 = onnx.Gemm(%t6, %t7) {transB = 1 : i64} : (tensor<1x15xf32>, tensor<2x15xf32>) -> tensor<1x2xf32>
    func.return %t8 : tensor<1x2xf32>
  }
}
