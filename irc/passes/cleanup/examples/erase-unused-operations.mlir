// RUN: irc-opt %s -p erase-unused-operations | filecheck %s

// CHECK-NOT: @helper
func.func private @helper(%x: tensor<4xui2>) -> tensor<4xui2> {
  func.return %x : tensor<4xui2>
}

// A layer that nobody reads goes, and with it the quantizer that it alone read.
// CHECK-LABEL: @layers
// CHECK-NEXT:   %[[S:.*]] = bnn.linear
// CHECK-NEXT:   func.return %[[S]]
func.func @layers(%x: tensor<4x!bnn.bipolar>) -> tensor<1xsi4> {
  %0 = bnn.linear %x, <tensor<1x4x!bnn.bipolar>, [1, 1, 1, 1]> : tensor<4x!bnn.bipolar> -> tensor<1xsi4>
  %1 = bnn.threshold %0 at <tensor<1x1xsi2>, [1]> bias 0 : tensor<1xsi4> -> tensor<1x!bnn.bipolar>
  %2 = bnn.linear %1, <tensor<1x1x!bnn.bipolar>, [1]> : tensor<1x!bnn.bipolar> -> tensor<1xsi2>
  func.return %0 : tensor<1xsi4>
}
