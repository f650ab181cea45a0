// RUN: irc-opt %s -p split-sums | filecheck %s

// One scale is what streamline-linear moves behind the sum; that of a weight of 0 does not matter.
// CHECK-LABEL: @one_scale
// CHECK:        bnn.ewise "mul"
// CHECK-NEXT:   bnn.linear
// CHECK-NEXT:   func.return
func.func @one_scale(%x: tensor<3xsi4>) -> tensor<1xf32> {
  %0 = bnn.cast %x : tensor<3xsi4> -> tensor<3xf32>
  %1 = bnn.ewise "mul" %0, <tensor<3xf32>, [0.3, 0.3, 0.7]> : tensor<3xf32> -> tensor<3xf32>
  %2 = bnn.linear %1, <tensor<1x3xsi2>, [1, -1, 0]> : tensor<3xf32> -> tensor<1xf32>
  func.return %2 : tensor<1xf32>
}

// CHECK-LABEL: @too_many
// CHECK:        bnn.linear {{.*}} {bnn.reason = "its input channels have 9 scales, which no integer sum can share; quantize its input with one scale"}
func.func @too_many(%x: tensor<9xsi4>) -> tensor<1xf32> {
  %0 = bnn.cast %x : tensor<9xsi4> -> tensor<9xf32>
  %1 = bnn.ewise "mul" %0, <tensor<9xf32>, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]> : tensor<9xf32> -> tensor<9xf32>
  %2 = bnn.linear %1, <tensor<1x9x!bnn.bipolar>, [1, 1, 1, 1, 1, 1, 1, 1, 1]> : tensor<9xf32> -> tensor<1xf32>
  func.return %2 : tensor<1xf32>
}

// The first group reads one scale, the second two: weights of 0 part them, and the groups stay.
// CHECK-LABEL: @grouped
// CHECK:        bnn.conv {{.*}}, <tensor<2x1x2xui2>, [1, 2, 3, 0]>
// CHECK-SAME:   groups 2
// CHECK-NEXT:   bnn.conv {{.*}}, <tensor<2x1x2xui3>, [0, 0, 0, 4]>
// CHECK-SAME:   groups 2
// CHECK-NEXT:   bnn.add
func.func @grouped(%x: tensor<3x4xsi4>) -> tensor<3x2xf32> {
  %0 = bnn.cast %x : tensor<3x4xsi4> -> tensor<3x4xf32>
  %1 = bnn.ewise "mul" %0, <tensor<4xf32>, [2.0, 2.0, 2.0, 0.5]> : tensor<3x4xf32> -> tensor<3x4xf32>
  %2 = bnn.conv %1, <tensor<2x1x2xsi4>, [1, 2, 3, 4]> strides [1 : i64] dilations [1 : i64] groups 2 : tensor<3x4xf32> -> tensor<3x2xf32>
  func.return %2 : tensor<3x2xf32>
}
