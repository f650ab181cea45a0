// RUN: irc-opt %s -p fold-thresholds | filecheck %s

// sum·0.5 - 1 >= 0 from 2 on; where the slope is negative the row of weights is negated.
// CHECK-LABEL: @flipped
// CHECK-NEXT:   %[[S:.*]] = bnn.linear %x, <tensor<2x4x!bnn.bipolar>, [1, 1, 1, 1, -1, -1, 1, 1]> : tensor<4x!bnn.bipolar> -> tensor<2xsi5>
// CHECK-NEXT:   %[[T:.*]] = bnn.threshold %[[S]] at <tensor<2x1xsi3>, [2, -2]> bias 0 {bnn.margin = "exact"} : tensor<2xsi5> -> tensor<2x!bnn.bipolar>
// CHECK-NEXT:   func.return %[[T]]
func.func @flipped(%x: tensor<4x!bnn.bipolar>) -> tensor<2x!bnn.bipolar> {
  %0 = bnn.linear %x, <tensor<2x4x!bnn.bipolar>, [1, 1, 1, 1, 1, 1, -1, -1]> : tensor<4x!bnn.bipolar> -> tensor<2xsi4>
  %1 = bnn.cast %0 : tensor<2xsi4> -> tensor<2xf32>
  %2 = bnn.ewise "mul" %1, <tensor<2xf32>, [0.5, -1.0]> : tensor<2xf32> -> tensor<2xf32>
  %3 = bnn.ewise "add" %2, <tensor<2xf32>, [-1.0, 3.0]> : tensor<2xf32> -> tensor<2xf32>
  %4 = bnn.quantize "bipolar" %3 : tensor<2xf32> -> tensor<2x!bnn.bipolar>
  func.return %4 : tensor<2x!bnn.bipolar>
}
