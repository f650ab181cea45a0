// RUN: irc-opt %s -p recognize-quantizers | filecheck %s

// Rounding and clipping, each written as a function of its own, are one quantizer.

// CHECK-LABEL: @round_then_clip
// CHECK-NEXT:   %[[Q:.*]] = bnn.quantize "half_even" %x min -2 max 1 : tensor<2xf32> -> tensor<2xsi2>
// CHECK-NEXT:   bnn.cast %[[Q]]
// CHECK-NEXT:   func.return
func.func @round_then_clip(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = bnn.ewise "round" %x : tensor<2xf32> -> tensor<2xf32>
  %1 = bnn.ewise "min" %0, <tensor<f32>, [1.0]> : tensor<2xf32> -> tensor<2xf32>
  %2 = bnn.ewise "max" %1, <tensor<f32>, [-2.0]> : tensor<2xf32> -> tensor<2xf32>
  func.return %2 : tensor<2xf32>
}
