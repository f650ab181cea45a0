// RUN: irc-opt %s -p streamline-linear | filecheck %s

// 0.5·x + 1 with x from -2 to 1, times weights of ±1: all sums are float32 numbers.
// CHECK-LABEL: @exact
// CHECK-NEXT:   %[[S:.*]] = bnn.linear %x, <tensor<1x3x!bnn.bipolar>, [1, -1, 1]> : tensor<3xsi2> -> tensor<1xsi4>
// CHECK-NEXT:   %[[F:.*]] = bnn.cast %[[S]] : tensor<1xsi4> -> tensor<1xf32>
// CHECK-NEXT:   %[[M:.*]] = bnn.ewise "mul" %[[F]], <tensor<f32>, [0.5]> : tensor<1xf32>
// CHECK-NEXT:   %[[A:.*]] = bnn.ewise "add" %[[M]], <tensor<f32>, [1.0]>
// CHECK-NEXT:   func.return %[[A]]
func.func @exact(%x: tensor<3xsi2>) -> tensor<1xf32> {
  %0 = bnn.cast %x : tensor<3xsi2> -> tensor<3xf32>
  %1 = bnn.ewise "mul" %0, <tensor<f32>, [0.5]> : tensor<3xf32> -> tensor<3xf32>
  %2 = bnn.ewise "add" %1, <tensor<f32>, [1.0]> : tensor<3xf32> -> tensor<3xf32>
  %3 = bnn.linear %2, <tensor<1x3x!bnn.bipolar>, [1, -1, 1]> : tensor<3xf32> -> tensor<1xf32>
  func.return %3 : tensor<1xf32>
}
