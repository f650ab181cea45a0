// RUN: irc-opt %s -p split-sums | filecheck %s

// Channels of two scales are summed apart.
// CHECK-LABEL: @two_scales
// CHECK:        %[[M:.*]] = bnn.ewise "mul"
// CHECK-NEXT:   %[[A:.*]] = bnn.slice %[[M]] offsets [0 : i64] sizes [2 : i64] strides [1 : i64]
// CHECK-NEXT:   %[[V:.*]] = bnn.linear %[[A]], <tensor<1x2x!bnn.bipolar>, [1, -1]>
// CHECK-NEXT:   %[[B:.*]] = bnn.slice %[[M]] offsets [2 : i64] sizes [1 : i64] strides [1 : i64]
// CHECK-NEXT:   %[[W:.*]] = bnn.linear %[[B]], <tensor<1x1x!bnn.bipolar>, [1]>
// CHECK-NEXT:   %[[S:.*]] = bnn.add %[[V]], %[[W]]
// CHECK-NEXT:   bnn.ewise "mul" %[[S]], <tensor<f32>, [1.0]> result_error
func.func @two_scales(%x: tensor<3xsi4>) -> tensor<1xf32> {
  %0 = bnn.cast %x : tensor<3xsi4> -> tensor<3xf32>
  %1 = bnn.ewise "mul" %0, <tensor<3xf32>, [0.3, 0.3, 0.7]> : tensor<3xf32> -> tensor<3xf32>
  %2 = bnn.linear %1, <tensor<1x3x!bnn.bipolar>, [1, -1, 1]> : tensor<3xf32> -> tensor<1xf32>
  func.return %2 : tensor<1xf32>
}
