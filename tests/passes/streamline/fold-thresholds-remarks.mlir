// RUN: irc-opt %s -p fold-thresholds --verify-diagnostics | filecheck %s

// The float sums of the reference may be off by 1: 7 and 8 are in doubt.
// CHECK-LABEL: @in_doubt
// CHECK:        bias 0 {bnn.margin = #bnn.dense<tensor<1x3xui4>, [0, 7, 8]>}
func.func @in_doubt(%x: tensor<1xui4>) -> tensor<1x!bnn.bipolar> {
  %0 = bnn.cast %x : tensor<1xui4> -> tensor<1xf32>
  %1 = bnn.ewise "mul" %0, <tensor<f32>, [1.0]> result_error <tensor<f32>, [1.0]> : tensor<1xf32> -> tensor<1xf32>
  %2 = bnn.ewise "sub" %1, <tensor<f32>, [7.5]> : tensor<1xf32> -> tensor<1xf32>
  // expected-remark@+1 {{float32 rounding in another order could decide at 7 to 8 in channel 0}}
  %3 = bnn.quantize "bipolar" %2 : tensor<1xf32> -> tensor<1x!bnn.bipolar>
  func.return %3 : tensor<1x!bnn.bipolar>
}
