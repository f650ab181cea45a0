// RUN: irc-opt %s -p merge-equal-operations | filecheck %s

// Two layers of the same weights on the same input are one, and so is what reads them.
// CHECK-LABEL: @twins
// CHECK-NEXT:   %[[S:.*]] = bnn.linear
// CHECK-NEXT:   %[[B:.*]] = bnn.threshold %[[S]]
// CHECK-NEXT:   func.return %[[B]], %[[B]]
func.func @twins(%x: tensor<4x!bnn.bipolar>) -> (tensor<2x!bnn.bipolar>, tensor<2x!bnn.bipolar>) {
  %0 = bnn.linear %x, <tensor<2x4x!bnn.bipolar>, [1, 1, 1, 1, 1, -1, 1, -1]> : tensor<4x!bnn.bipolar> -> tensor<2xsi4>
  %1 = bnn.linear %x, <tensor<2x4x!bnn.bipolar>, [1, 1, 1, 1, 1, -1, 1, -1]> : tensor<4x!bnn.bipolar> -> tensor<2xsi4>
  %2 = bnn.threshold %0 at <tensor<1x1xsi2>, [1]> bias 0 : tensor<2xsi4> -> tensor<2x!bnn.bipolar>
  %3 = bnn.threshold %1 at <tensor<1x1xsi2>, [1]> bias 0 : tensor<2xsi4> -> tensor<2x!bnn.bipolar>
  func.return %2, %3 : tensor<2x!bnn.bipolar>, tensor<2x!bnn.bipolar>
}
