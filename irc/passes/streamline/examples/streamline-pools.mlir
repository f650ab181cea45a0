// RUN: irc-opt %s -p streamline-pools | filecheck %s

// A quantizer and the rising functions before it go in front of the pool.
// CHECK-LABEL: @before_pool
// CHECK-NEXT:   %[[M:.*]] = bnn.ewise "mul" %x, <tensor<2xf32>, [2.0, 0.0]> : tensor<4x2xf32>
// CHECK-NEXT:   %[[Q:.*]] = bnn.quantize "bipolar" %[[M]] : tensor<4x2xf32> -> tensor<4x2x!bnn.bipolar>
// CHECK-NEXT:   bnn.max_pool %[[Q]] {{.*}} : tensor<4x2x!bnn.bipolar> -> tensor<2x2x!bnn.bipolar>
func.func @before_pool(%x: tensor<4x2xf32>) -> tensor<2x2x!bnn.bipolar> {
  %0 = bnn.max_pool %x kernel [2 : i64] strides [2 : i64] dilations [1 : i64] : tensor<4x2xf32> -> tensor<2x2xf32>
  %1 = bnn.ewise "mul" %0, <tensor<2xf32>, [2.0, 0.0]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %2 = bnn.quantize "bipolar" %1 : tensor<2x2xf32> -> tensor<2x2x!bnn.bipolar>
  func.return %2 : tensor<2x2x!bnn.bipolar>
}
