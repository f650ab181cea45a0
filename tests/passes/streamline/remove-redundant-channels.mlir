// RUN: irc-opt %s -p remove-redundant-channels | filecheck %s
// RUN: irc-opt %s -p 'remove-redundant-channels{any-size=true}' | filecheck %s --check-prefix=ANY

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

// Nobody reads the second of three channels, and the third is like the first: 1·x - 2·x = -x.
// CHECK-LABEL: @unread_and_doubled
// CHECK-NEXT:   bnn.linear %x, <tensor<1x2x!bnn.bipolar>, [1, 1]> {bnn.removed = "2 of 3 channels: 1 unread, 1 doubled"}
// CHECK-NEXT:   bnn.threshold
// CHECK-NEXT:   bnn.linear %{{.*}}, <tensor<1x1xsi2>, [-1]>
func.func @unread_and_doubled(%x: tensor<2x!bnn.bipolar>) -> tensor<1xsi4> {
  %0 = bnn.linear %x, <tensor<3x2x!bnn.bipolar>, [1, 1, 1, -1, 1, 1]> : tensor<2x!bnn.bipolar> -> tensor<3xsi3>
  %1 = bnn.threshold %0 at <tensor<1x1xui1>, [1]> bias 0 : tensor<3xsi3> -> tensor<3x!bnn.bipolar>
  %2 = bnn.linear %1, <tensor<1x3xsi2>, [1, 0, -2]> : tensor<3x!bnn.bipolar> -> tensor<1xsi4>
  func.return %2 : tensor<1xsi4>
}

// Four channels, two at once, take two steps; three would take three. All stay, unless told
// otherwise.
// CHECK-LABEL: @awkward
// CHECK-NEXT:   bnn.linear %x, <tensor<4x2x!bnn.bipolar>
// ANY-LABEL: @awkward
// ANY-NEXT:   bnn.linear %x, <tensor<3x2x!bnn.bipolar>, [1, 1, 1, -1, -1, -1]>
func.func @awkward(%x: tensor<2x!bnn.bipolar>) -> tensor<1xsi4> {
  %0 = bnn.linear %x, <tensor<4x2x!bnn.bipolar>, [1, 1, 1, 1, 1, -1, -1, -1]> : tensor<2x!bnn.bipolar> -> tensor<4xsi3>
  %1 = bnn.threshold %0 at <tensor<1x1xui1>, [1]> bias 0 : tensor<4xsi3> -> tensor<4x!bnn.bipolar>
  %2 = bnn.linear %1, <tensor<1x4xsi2>, [1, 0, 1, -1]> : tensor<4x!bnn.bipolar> -> tensor<1xsi4>
  func.return %2 : tensor<1xsi4>
}
