// RUN: irc-opt %s -p streamline-branches | filecheck %s

// Quantizers go in front of a join, each with its channels' constants.
// CHECK-LABEL: @quantizer_first
// CHECK-NEXT:   %[[A:.*]] = bnn.ewise "add" %x, <tensor<2xf32>, [1.0, 2.0]>
// CHECK-NEXT:   %[[B:.*]] = bnn.ewise "add" %y, <tensor<1xf32>, [3.0]>
// CHECK-NEXT:   %[[P:.*]] = bnn.quantize "bipolar" %[[A]]
// CHECK-NEXT:   %[[Q:.*]] = bnn.quantize "bipolar" %[[B]]
// CHECK-NEXT:   bnn.concat %[[P]], %[[Q]] axis 0
func.func @quantizer_first(%x: tensor<2xf32>, %y: tensor<1xf32>) -> tensor<3x!bnn.bipolar> {
  %0 = bnn.concat %x, %y axis 0 : tensor<2xf32>, tensor<1xf32> -> tensor<3xf32>
  %1 = bnn.ewise "add" %0, <tensor<3xf32>, [1.0, 2.0, 3.0]> : tensor<3xf32> -> tensor<3xf32>
  %2 = bnn.quantize "bipolar" %1 : tensor<3xf32> -> tensor<3x!bnn.bipolar>
  func.return %2 : tensor<3x!bnn.bipolar>
}
