// RUN: irc-opt %s -p merge-thresholds | filecheck %s

// sign(sign(x) + 0.5), as some exporters write a sign: the ternary values in between are gone.
// CHECK-LABEL: @sign_of_sign
// CHECK-NEXT:   %[[T:.*]] = bnn.threshold %x at <tensor<1x1xui1>, [0]> bias 0 {bnn.margin = "exact"} : tensor<4xsi5> -> tensor<4x!bnn.bipolar>
// CHECK-NEXT:   func.return %[[T]]
func.func @sign_of_sign(%x: tensor<4xsi5>) -> tensor<4x!bnn.bipolar> {
  %0 = bnn.threshold %x at <tensor<1x2xui1>, [0, 1]> bias -1 {bnn.margin = "exact"} : tensor<4xsi5> -> tensor<4xsi2>
  %1 = bnn.threshold %0 at <tensor<1x1xui1>, [0]> bias 0 {bnn.margin = "exact"} : tensor<4xsi2> -> tensor<4x!bnn.bipolar>
  func.return %1 : tensor<4x!bnn.bipolar>
}
