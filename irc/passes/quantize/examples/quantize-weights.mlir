// RUN: irc-opt %s -p 'quantize-weights{bits=3 method=max uncalibrated=true}' | filecheck %s

// First and last at 8 bits, the middle at 3: from -3 to 3, a scale a row.
// CHECK-LABEL: @net
// CHECK:        bnn.conv %x, <tensor<2x2x1xsi8>, [64, 127, -127, 0]>
// CHECK-NEXT:   bnn.ewise "mul" %{{.*}}, <tensor<2xf32>
// CHECK-NEXT:   bnn.reshape
// CHECK-NEXT:   %[[S:.*]] = bnn.linear %{{.*}}, <tensor<2x2xsi3>, [1, -3, 0, 3]>
// CHECK-NEXT:   bnn.ewise "mul" %[[S]], <tensor<2xf32>, [0.5, 2.0]>
// CHECK-NEXT:   bnn.linear %{{.*}}, <tensor<1x2xsi8>, [127, -64]>

func.func @net(%x: tensor<2x1xf32>) -> tensor<1xf32> {
  %0 = bnn.conv %x, <tensor<2x2x1xf32>, [1.0, 2.0, -3.0, 0.0]> strides [1] dilations [1] groups 1 : tensor<2x1xf32> -> tensor<1x2xf32>
  %1 = bnn.reshape %0 : tensor<1x2xf32> -> tensor<2xf32>
  %2 = bnn.linear %1, <tensor<2x2xf32>, [0.5, -1.5, 0.0, 6.0]> : tensor<2xf32> -> tensor<2xf32> loc("middle")
  %3 = bnn.linear %2, <tensor<1x2xf32>, [4.0, -2.0]> : tensor<2xf32> -> tensor<1xf32>
  func.return %3 : tensor<1xf32>
}
