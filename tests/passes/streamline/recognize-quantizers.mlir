// RUN: irc-opt %s -p recognize-quantizers | filecheck %s

// As DoReFa exports it: 3 levels above 0.
// CHECK-LABEL: @clip_then_round
// CHECK:        %[[M:.*]] = bnn.ewise "mul"
// CHECK-NEXT:   %[[Q:.*]] = bnn.quantize "half_even" %[[M]] min 0 max 3 : tensor<2xf32> -> tensor<2xui2>
// CHECK-NEXT:   %[[C:.*]] = bnn.cast %[[Q]]
// CHECK-NEXT:   bnn.ewise "div" %[[C]]
func.func @clip_then_round(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = bnn.ewise "max" %x, <tensor<f32>, [0.0]> : tensor<2xf32> -> tensor<2xf32>
  %1 = bnn.ewise "min" %0, <tensor<f32>, [1.0]> : tensor<2xf32> -> tensor<2xf32>
  %2 = bnn.ewise "mul" %1, <tensor<f32>, [3.0]> : tensor<2xf32> -> tensor<2xf32>
  %3 = bnn.ewise "round" %2 : tensor<2xf32> -> tensor<2xf32>
  %4 = bnn.ewise "div" %3, <tensor<f32>, [3.0]> : tensor<2xf32> -> tensor<2xf32>
  func.return %4 : tensor<2xf32>
}

// A slope below 0 bends at 0: the least value, 0, is at neither end.
// CHECK-LABEL: @bent
// CHECK:        bnn.quantize "floor" %{{.*}} min 0 max 2
func.func @bent(%x: tensor<2xsi2>) -> tensor<2xf32> {
  %0 = bnn.cast %x : tensor<2xsi2> -> tensor<2xf32>
  %1 = bnn.ewise "prelu" %0, <tensor<f32>, [-1.0]> : tensor<2xf32> -> tensor<2xf32>
  %2 = bnn.ewise "floor" %1 : tensor<2xf32> -> tensor<2xf32>
  func.return %2 : tensor<2xf32>
}

// Nothing to see in bounds that are no integers, differ between channels, or are none.
// CHECK-LABEL: @none
// CHECK-NOT:    bnn.quantize
func.func @none(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) {
  %0 = bnn.ewise "round" %x : tensor<2xf32> -> tensor<2xf32>
  %1 = bnn.ewise "min" %0, <tensor<f32>, [1.5]> : tensor<2xf32> -> tensor<2xf32>
  %2 = bnn.ewise "max" %1, <tensor<f32>, [-2.0]> : tensor<2xf32> -> tensor<2xf32>
  %3 = bnn.ewise "max" %0, <tensor<2xf32>, [1.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
  %4 = bnn.ewise "min" %3, <tensor<f32>, [7.0]> : tensor<2xf32> -> tensor<2xf32>
  %5 = bnn.ewise "max" %4, <tensor<f32>, [0.0]> : tensor<2xf32> -> tensor<2xf32>
  %6 = bnn.ewise "max" %0, <tensor<f32>, [0.0]> : tensor<2xf32> -> tensor<2xf32>
  func.return %2, %5, %6 : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}
