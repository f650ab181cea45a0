// RUN: irc-opt %s -p streamline-pads | filecheck %s

// Zeros around bipolar values make a ternary frame.
// CHECK-LABEL: @ternary
// CHECK-NEXT:   %[[P:.*]] = bnn.pad %x before [1 : i64] after [2 : i64] value 0.000000e+00 : tensor<2x1x!bnn.bipolar> -> tensor<5x1xsi2>
// CHECK-NEXT:   %[[C:.*]] = bnn.cast %[[P]]
// CHECK-NEXT:   bnn.ewise "mul" %[[C]], <tensor<f32>, [0.5]>
func.func @ternary(%x: tensor<2x1x!bnn.bipolar>) -> tensor<5x1xf32> {
  %0 = bnn.cast %x : tensor<2x1x!bnn.bipolar> -> tensor<2x1xf32>
  %1 = bnn.ewise "mul" %0, <tensor<f32>, [0.5]> : tensor<2x1xf32> -> tensor<2x1xf32>
  %2 = bnn.pad %1 before [1 : i64] after [2 : i64] value 0.000000e+00 : tensor<2x1xf32> -> tensor<5x1xf32>
  func.return %2 : tensor<5x1xf32>
}
