// RUN: irc-opt %s -p streamline-reshapes | filecheck %s

// A flatten moves in front of what is computed element by element.
// CHECK-LABEL: @before_elementwise
// CHECK-NEXT:   %[[R:.*]] = bnn.reshape %x : tensor<1x2x2xui8> -> tensor<4xui8>
// CHECK-NEXT:   %[[F:.*]] = bnn.cast %[[R]] : tensor<4xui8> -> tensor<4xf32>
// CHECK-NEXT:   %[[M:.*]] = bnn.ewise "mul" %[[F]], <tensor<f32>, [2.0]>
// CHECK-NEXT:   %[[Q:.*]] = bnn.quantize "floor" %[[M]] min -3 : tensor<4xf32> -> tensor<4xsi4>
// CHECK-NEXT:   func.return %[[Q]]
func.func @before_elementwise(%x: tensor<1x2x2xui8>) -> tensor<4xsi4> {
  %0 = bnn.cast %x : tensor<1x2x2xui8> -> tensor<1x2x2xf32>
  %1 = bnn.ewise "mul" %0, <tensor<f32>, [2.0]> : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %2 = bnn.quantize "floor" %1 min -3 : tensor<1x2x2xf32> -> tensor<1x2x2xsi4>
  %3 = bnn.reshape %2 : tensor<1x2x2xsi4> -> tensor<4xsi4>
  func.return %3 : tensor<4xsi4>
}
