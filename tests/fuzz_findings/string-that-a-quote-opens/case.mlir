builtin.module attributes {onnx.ir_version = 7 : i64, onnx.opset_imports = {"" = 12 : i64, onnx.brevitas = 1 : i64}} {
  func.func @random_network(%x: tensor<?x11x2xf32> {onnx.name = "x", onnx.dims = ["N", "", ""]}) -> (tensor<?x1x3xf32> {onnx.name = "t18", onnx.dims = ["N", "", ""]}) {
    %c0 = onnx.Constant #onnx.tensor<tensor<2xf32>, [1.0, 1.0]>
    %c1 = onnx.Constant #onnx.tensor<tensor<2xf32>, [0.5, 0.5]>
    %c2 = onnx.Constant #onnx.tensor<tensor<2xf32>, [-0.0, -0.0]>
    %c3 = onnx.Constant #onnx.tensor<tensor<2xf32>, [1.0, 1.0]>
    %c4 = onnx.Constant #onnx.tensor<tensor<f32>, [0.125]>
    %c5 = onnx.Constant #onnx.tensor<tensor<si8>, [-1]>
    %c6 = onnx.Constant #onnx.tensor<tensor<3x2x3xf32>, [-0.5, -0.5, -0.5, 0.0, -0.5, 0.5, -0.5, 0.0, 0.0, 0.5, 0.0, -0.5, -0.5, 0.0, 0.0, 0.0, -0.5, 0.5]>
    %c7 = onnx.Constant #onnx.tensor<tensor<3xf32>, [-0.25, 0.5, 1.75]>
    %c8 = onnx.Constant #onnx.tensor<tensor<2x2x3xf32>, [4.0, -4.0, 3.0, -2.0, 1.0, 3.0, 1.0, -6.0, -8.0, -6.0, 1.0, 6.0]>
    %c9 = onnx.Constant #onnx.tensor<tensor<2xf32>, [-0.5, -1.0]>
    %c10 = onnx.Constant #onnx.tensor<tensor<2x2x3xf32>, [-0.125, -0.125, 0.125, 0.125, -0.125, -0.125, -1.0, -1.0, -1.0, -1.0, -1.0, 1.0]>
    %c11 = onnx.Constant #onnx.tensor<tensor<2xf32>, [2.0, -1.25]>
    %c12 = onnx.Constant #onnx.tensor<tensor<2x1xf32>, [-1.0, 2.0]>
    %c13 = onnx.Constant #onnx.tensor<tensor<f32>, [1.0]>
    %c14 = onnx.Constant #onnx.tensor<tensor<f32>, [0.0]>
    %c15"= onnx.Constant #onnx.tensor<tensor<f32>, [3.0]>
    %c16 = onnx.Constant #onnx.tensor<tensor<1x7x4xf32>, [-1.25, 0.25, -2.0, -1.5, -0.5, -1.75, 0.5, 1.5, 1.25, 1.25, -0.25, -2.0, -1.25, 0.0, 1.75, -0.25, -0.5, -1.5, -1.0, 1.5, 1.75, -1.75, 1.25, 1.0, 1.75, -1.75, -0.75, 1.25]>
    %c17 = onnx.Constant #onnx.tensor<tensor<f32>, [0.25]>
    %c18 = onnx.Constant #onnx.tensor<tensor<1xf32>, [0.0]>
    %c19 = onnx.Constant #onnx.tensor<tensor<1x1xf32>, [-0.5]>
    %c20 = onnx.Constant #onnx.tensor<tensor<1xf32>, [-1.0]>
    %c21 = onnx.Constant #onnx.tensor<tensor<1xf32>, [0.5]>
    %c22 = onnx.Constant #onnx.tensor<tensor<1xf32>, [-0.75]>
}
