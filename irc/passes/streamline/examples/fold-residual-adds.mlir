// RUN: irc-opt %s -p fold-residual-adds | filecheck %s

// One scale for both branches: their integers are added as they are.
// CHECK-LABEL: @shared_scale
// CHECK-NEXT:   %[[S:.*]] = bnn.add %x, %y : tensor<2xsi3>, tensor<2xsi3> -> tensor<2xsi4>
// CHECK-NEXT:   bnn.threshold %[[S]] at <tensor<1x3xui3>, [1, 3, 5]> bias 0 {bnn.margin = "exact"} : tensor<2xsi4> -> tensor<2xui2>
func.func @shared_scale(%x: tensor<2xsi3>, %y: tensor<2xsi3>) -> tensor<2xui2> {
  %0 = bnn.cast %x : tensor<2xsi3> -> tensor<2xf32>
  %1 = bnn.ewise "mul" %0, <tensor<f32>, [0.3]> : tensor<2xf32> -> tensor<2xf32>
  %2 = bnn.cast %y : tensor<2xsi3> -> tensor<2xf32>
  %3 = bnn.ewise "mul" %2, <tensor<f32>, [0.3]> : tensor<2xf32> -> tensor<2xf32>
  %4 = bnn.add %1, %3 : tensor<2xf32>, tensor<2xf32> -> tensor<2xf32>
  %5 = bnn.ewise "relu" %4 : tensor<2xf32> -> tensor<2xf32>
  %6 = bnn.ewise "div" %5, <tensor<f32>, [0.55]> : tensor<2xf32> -> tensor<2xf32>
  %7 = bnn.quantize "half_even" %6 : tensor<2xf32> -> tensor<2xui2>
  func.return %7 : tensor<2xui2>
}
