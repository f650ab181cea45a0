// RUN: irc-opt %s -p merge-thresholds | filecheck %s

// A quantizer of an input that is quantized so already.
// CHECK-LABEL: @identity
// CHECK-NEXT:   func.return %x
func.func @identity(%x: tensor<4xui2>) -> tensor<4xui2> {
  %0 = bnn.threshold %x at <tensor<1x3xui2>, [1, 2, 3]> bias 0 {bnn.margin = "exact"} : tensor<4xui2> -> tensor<4xui2>
  func.return %0 : tensor<4xui2>
}

// What is in doubt stays in doubt, in terms of the integers that are read now.
// CHECK-LABEL: @margins
// CHECK-NEXT:   bnn.threshold %x at <tensor<1x1xui3>, [5]> bias 0 {bnn.margin = #bnn.dense<tensor<2x3xui3>, [0, 1, 1, 0, 5, 7]>} : tensor<2xui3> -> tensor<2x!bnn.bipolar>
func.func @margins(%x: tensor<2xui3>) -> tensor<2x!bnn.bipolar> {
  %0 = bnn.threshold %x at <tensor<1x2xui3>, [2, 5]> bias 0 {bnn.margin = #bnn.dense<tensor<1x3xui1>, [0, 1, 1]>} : tensor<2xui3> -> tensor<2xui2>
  %1 = bnn.threshold %0 at <tensor<1x1xui2>, [2]> bias 0 {bnn.margin = #bnn.dense<tensor<1x3xui2>, [0, 2, 2]>} : tensor<2xui2> -> tensor<2x!bnn.bipolar>
  func.return %1 : tensor<2x!bnn.bipolar>
}

// Somebody else reads what is in between: both stay.
// CHECK-LABEL: @shared
// CHECK-COUNT-2: bnn.threshold
func.func @shared(%x: tensor<4xsi5>) -> (tensor<4xsi2>, tensor<4x!bnn.bipolar>) {
  %0 = bnn.threshold %x at <tensor<1x2xui1>, [0, 1]> bias -1 : tensor<4xsi5> -> tensor<4xsi2>
  %1 = bnn.threshold %0 at <tensor<1x1xui1>, [0]> bias 0 : tensor<4xsi2> -> tensor<4x!bnn.bipolar>
  func.return %0, %1 : tensor<4xsi2>, tensor<4x!bnn.bipolar>
}

// Two signs make three values; per channel the second counts twice in the other.
// CHECK-LABEL: @sum
// CHECK-NEXT:   %[[T:.*]] = bnn.threshold %x at <tensor<2x6xsi5>, [-8, -3, -3, 3, 3, 8, -3, -3, 3, 3, 3, 3]> bias -3 {bnn.margin = "exact"} : tensor<2xsi4> -> tensor<2xsi3>
// CHECK-NEXT:   func.return %[[T]]
func.func @sum(%x: tensor<2xsi4>) -> tensor<2xsi3> {
  %0 = bnn.threshold %x at <tensor<1x1xsi4>, [-3]> bias 0 {bnn.margin = "exact"} : tensor<2xsi4> -> tensor<2x!bnn.bipolar>
  %1 = bnn.threshold %x at <tensor<1x1xsi4>, [3]> bias 0 {bnn.margin = "exact"} : tensor<2xsi4> -> tensor<2x!bnn.bipolar>
  %2 = bnn.add %0, %1 multipliers <tensor<2x2xui2>, [1, 1, 1, 2]> : tensor<2x!bnn.bipolar>, tensor<2x!bnn.bipolar> -> tensor<2xsi3>
  func.return %2 : tensor<2xsi3>
}

// Of several values, and where others read the thresholds, a sum stays one.
// CHECK-LABEL: @other_sums
// CHECK-COUNT-2: bnn.add
func.func @other_sums(%x: tensor<2xsi4>, %y: tensor<2xsi4>) -> (tensor<2xsi2>, tensor<2xsi3>) {
  %0 = bnn.threshold %x at <tensor<1x1xsi4>, [-3]> bias 0 : tensor<2xsi4> -> tensor<2xui1>
  %1 = bnn.threshold %y at <tensor<1x1xsi4>, [3]> bias 0 : tensor<2xsi4> -> tensor<2xui1>
  %2 = bnn.threshold %y at <tensor<1x1xsi4>, [5]> bias 0 : tensor<2xsi4> -> tensor<2xui1>
  %3 = bnn.add %0, %1 : tensor<2xui1>, tensor<2xui1> -> tensor<2xsi2>
  %4 = bnn.add %1, %2 : tensor<2xui1>, tensor<2xui1> -> tensor<2xsi3>
  func.return %3, %4 : tensor<2xsi2>, tensor<2xsi3>
}
