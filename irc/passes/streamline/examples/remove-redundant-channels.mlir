// RUN: irc-opt %s -p remove-redundant-channels | filecheck %s

// Of four channels the second is always +1 and the fourth always -1; the next thresholds take both:
// 1·(+1) + 1·(-1) = 0 for the first row, 1·(+1) - 1·(-1) = 2 for the second.
// CHECK-LABEL: @constants
// CHECK-NEXT:   bnn.linear %x, <tensor<2x2x!bnn.bipolar>, [1, 1, 1, -1]> {bnn.removed = "2 of 4 channels: 2 constant"}
// CHECK-NEXT:   bnn.threshold %{{.*}} at <tensor<2x1xsi4>, [0, 1]> bias 0 : tensor<2xsi3> -> tensor<2x!bnn.bipolar>
// CHECK-NEXT:   bnn.linear %{{.*}}, <tensor<2x2x!bnn.bipolar>, [1, 1, -1, 1]>
// CHECK-NEXT:   bnn.threshold %{{.*}} at <tensor<2x1xsi2>, [1, -2]>
func.func @constants(%x: tensor<2x!bnn.bipolar>) -> tensor<2x!bnn.bipolar> {
  %0 = bnn.linear %x, <tensor<4x2x!bnn.bipolar>, [1, 1, 1, 1, 1, -1, -1, -1]> : tensor<2x!bnn.bipolar> -> tensor<4xsi3>
  %1 = bnn.threshold %0 at <tensor<4x1xsi4>, [0, -2, 1, 3]> bias 0 : tensor<4xsi3> -> tensor<4x!bnn.bipolar>
  %2 = bnn.linear %1, <tensor<2x4x!bnn.bipolar>, [1, 1, 1, 1, -1, 1, 1, -1]> : tensor<4x!bnn.bipolar> -> tensor<2xsi4>
  %3 = bnn.threshold %2 at <tensor<2x1xsi2>, [1, 0]> bias 0 : tensor<2xsi4> -> tensor<2x!bnn.bipolar>
  func.return %3 : tensor<2x!bnn.bipolar>
}
