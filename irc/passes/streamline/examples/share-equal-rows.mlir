// RUN: irc-opt %s -p 'share-equal-rows{least-macs=1}' | filecheck %s
// RUN: irc-opt %s -p share-equal-rows --explain-rejections 2>&1 | filecheck %s --check-prefix=FEW

// Rows 0 and 2 are alike, and so are 1 and 3, with thresholds of their own. Two sums are left; the
// columns of the next layer follow the new order of channels.
// CHECK-LABEL: @twins
// CHECK-NEXT:   %[[S:.*]] = bnn.linear %x, <tensor<2x4x!bnn.bipolar>, [1, 1, 1, 1, 1, -1, 1, -1]>
// CHECK-NEXT:   %[[A:.*]] = bnn.threshold %[[S]] at <tensor<2x1xsi3>, [1, 2]>
// CHECK-NEXT:   %[[B:.*]] = bnn.threshold %[[S]] at <tensor<2x1xsi3>, [3, -3]>
// CHECK-NEXT:   %[[C:.*]] = bnn.concat %[[A]], %[[B]]
// CHECK-NEXT:   bnn.linear %[[C]], <tensor<1x4xsi3>, [0, 1, 2, 3]>
// FEW: share-equal-rows: 2 of 4 rows are like others, which saves 8 multiplications; expected 16 a channel
func.func @twins(%x: tensor<4x!bnn.bipolar>) -> tensor<1xsi6> {
  %0 = bnn.linear %x, <tensor<4x4x!bnn.bipolar>, [1, 1, 1, 1, 1, -1, 1, -1, 1, 1, 1, 1, 1, -1, 1, -1]> : tensor<4x!bnn.bipolar> -> tensor<4xsi4>
  %1 = bnn.threshold %0 at <tensor<4x1xsi3>, [1, 2, 3, -3]> bias 0 : tensor<4xsi4> -> tensor<4x!bnn.bipolar>
  %2 = bnn.linear %1, <tensor<1x4xsi3>, [0, 1, 2, 3]> : tensor<4x!bnn.bipolar> -> tensor<1xsi6>
  func.return %2 : tensor<1xsi6>
}
