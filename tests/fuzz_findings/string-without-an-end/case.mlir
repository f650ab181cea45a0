    %c5 = onnx.Constant #onnx.tensor<tensor<2xf32>, [0.5, 0.5]>
    %c6 = onnx.Constant #onnx.tensor<tensor<2xf32>, [0.3959020972251892, -2.997126817703247]>
    %c7 = onnx.Constant #onnx.tensor<tensor<2xf32>, [0.25, 0.0625]>
    %c8 = onnx.Constant #onnx.tensor<tensor<f32>, [3.5893144607543945]>
    %c9 = onnx.Constant #onnx.tensor<tensor<f32>, [0.0]>
    %c10 = onnx.Constant #onnx.tensor<tensor<f32>, [3.0]>
    %c11 = onnx.Constant #onnx.tensor<tensor<2x2x3x3xf32>, "0xc63b0540014233407a25023f3b89adbf30abc7bfa760c73f63c620c05327803ff1bed53e91278b3fdc4608c0e75253be581290bf5886f2bf8c1090bef9bd023e80a104403aff833f44ca00c0a2dd903f47eeb33e438996bff3fa13c08868563fd210ec3f02d326bf69c0c13d6f810140696e03