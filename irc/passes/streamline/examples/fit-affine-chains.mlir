// RUN: irc-opt %s -p fit-affine-chains | filecheck %s

// Preprocessing of a byte that is a subtraction in disguise.
// CHECK-LABEL: @disguised
// CHECK-NEXT:   %[[C:.*]] = bnn.cast %x
// CHECK-NEXT:   %[[A:.*]] = bnn.ewise "add" %[[C]], <tensor<f32>, [-128.0]>
// CHECK-NEXT:   bnn.linear %[[A]]
func.func @disguised(%x: tensor<2xui8>) -> tensor<1xf32> {
  %0 = bnn.cast %x : tensor<2xui8> -> tensor<2xf32>
  %1 = bnn.ewise "mul" %0, <tensor<f32>, [2.0]> : tensor<2xf32> -> tensor<2xf32>
  %2 = bnn.ewise "sub" %1, <tensor<f32>, [255.5]> : tensor<2xf32> -> tensor<2xf32>
  %3 = bnn.ewise "mul" %2, <tensor<f32>, [0.5]> : tensor<2xf32> -> tensor<2xf32>
  %4 = bnn.ewise "floor" %3 : tensor<2xf32> -> tensor<2xf32>
  %5 = bnn.linear %4, <tensor<1x2x!bnn.bipolar>, [1, -1]> : tensor<2xf32> -> tensor<1xf32>
  func.return %5 : tensor<1xf32>
}
