// RUN: irc-opt %s -p split-chains | filecheck %s

// Casts and functions are there once for each reader at the end; sums are not.
// CHECK-LABEL: @copies
// CHECK-NEXT:   bnn.linear %x
// CHECK-NEXT:   %[[A:.*]] = bnn.cast
// CHECK-NEXT:   %[[B:.*]] = bnn.cast
// CHECK-NEXT:   %[[C:.*]] = bnn.ewise "neg" %[[B]]
// CHECK-NEXT:   %[[D:.*]] = bnn.ewise "neg" %[[A]]
// CHECK-NEXT:   %[[Q:.*]] = bnn.quantize "floor" %[[D]]
// CHECK-NEXT:   func.return %[[Q]], %[[C]]
func.func @copies(%x: tensor<1xsi2>) -> (tensor<1xui2>, tensor<1xf32>) {
  %0 = bnn.linear %x, <tensor<1x1x!bnn.bipolar>, [1]> : tensor<1xsi2> -> tensor<1xsi3>
  %1 = bnn.cast %0 : tensor<1xsi3> -> tensor<1xf32>
  %2 = bnn.ewise "neg" %1 : tensor<1xf32> -> tensor<1xf32>
  %3 = bnn.quantize "floor" %2 : tensor<1xf32> -> tensor<1xui2>
  func.return %3, %2 : tensor<1xui2>, tensor<1xf32>
}
