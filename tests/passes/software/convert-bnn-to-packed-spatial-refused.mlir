// RUN: not irc-opt %s -p convert-bnn-to-packed 2>&1 | filecheck %s

// CHECK: 'bnn.pad': targets c and host pad and pool integers, not floating-point values
// CHECK: 'bnn.conv': targets c and host need quantized weights and inputs
// CHECK: 'bnn.max_pool': targets c and host pad and pool integers
func.func @net(%x: tensor<4x1xf32>) -> tensor<2x1xf32> {
  %0 = bnn.pad %x before [0 : i64] after [1 : i64] value 0.0 : tensor<4x1xf32> -> tensor<5x1xf32>
  %1 = bnn.conv %0, <tensor<1x2x1xsi2>, [1, -1]> strides [1 : i64] dilations [1 : i64] groups 1
    : tensor<5x1xf32> -> tensor<4x1xf32>
  %2 = bnn.max_pool %1 kernel [2 : i64] strides [2 : i64] dilations [1 : i64]
    : tensor<4x1xf32> -> tensor<2x1xf32>
  func.return %2 : tensor<2x1xf32>
}
