// RUN: irc-opt %s -p 'quantize-activations{bits=2 range=3}' | filecheck %s

// Behind a ReLU without a sign; the float input at 8 bits; scales go behind the sums of integers.
// CHECK-LABEL: @dense
// CHECK:        bnn.ewise "div" %x
// CHECK-NEXT:   %[[Q:.*]] = bnn.quantize "half_even" %{{.*}} : tensor<2xf32> -> tensor<2xsi8>
// CHECK-NEXT:   %[[C:.*]] = bnn.cast %[[Q]]
// CHECK-NEXT:   %[[L:.*]] = bnn.linear %[[C]], <tensor<2x2xsi3>
// CHECK-NEXT:   %[[M:.*]] = bnn.ewise "mul" %[[L]], <tensor<f32>
// CHECK-NEXT:   %[[R:.*]] = bnn.ewise "relu" %[[M]]
// CHECK-NEXT:   %[[D:.*]] = bnn.ewise "div" %[[R]], <tensor<f32>, [0.75]>
// CHECK-NEXT:   %[[P:.*]] = bnn.quantize "half_even" %[[D]] : tensor<2xf32> -> tensor<2xui2>
// CHECK-NEXT:   %[[E:.*]] = bnn.cast %[[P]]
// CHECK-NEXT:   %[[F:.*]] = bnn.linear %[[E]]
// CHECK-NEXT:   bnn.ewise "mul" %[[F]], <tensor<f32>, [0.75]>
// CHECK-NEXT:   func.return

func.func @dense(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = bnn.linear %x, <tensor<2x2xsi3>, [1, 2, -3, 3]> : tensor<2xf32> -> tensor<2xf32>
  %1 = bnn.ewise "relu" %0 : tensor<2xf32> -> tensor<2xf32>
  %2 = bnn.linear %1, <tensor<2x2xsi3>, [1, 2, -3, 3]> : tensor<2xf32> -> tensor<2xf32>
  func.return %2 : tensor<2xf32>
}
