// RUN: irc-opt %s -p streamline-transposes | filecheck %s

// To channels last and back again is nothing.
// CHECK-LABEL: @cancel
// CHECK-NEXT:   func.return %x
func.func @cancel(%x: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  %0 = bnn.transpose %x perm [1 : i64, 2 : i64, 0 : i64] : tensor<2x3x4xf32> -> tensor<3x4x2xf32>
  %1 = bnn.transpose %0 perm [2 : i64, 0 : i64, 1 : i64] : tensor<3x4x2xf32> -> tensor<2x3x4xf32>
  func.return %1 : tensor<2x3x4xf32>
}

// They meet past what is computed element by element, also in one dimension, where one permutation
// is both; constants of one number a channel follow.
// CHECK-LABEL: @meet
// CHECK-NEXT:   bnn.max_pool %x
// CHECK-NEXT:   bnn.ewise "add" %{{.*}}, <tensor<2xf32>, [1.0, 2.0]> : tensor<2x2xf32> -> tensor<2x2xf32>
// CHECK-NEXT:   bnn.max_pool
// CHECK-NEXT:   func.return
func.func @meet(%x: tensor<3x2xf32>) -> tensor<1x2xf32> {
  %0 = bnn.max_pool %x kernel [2 : i64] strides [1 : i64] dilations [1 : i64] : tensor<3x2xf32> -> tensor<2x2xf32>
  %1 = bnn.transpose %0 perm [1 : i64, 0 : i64] : tensor<2x2xf32> -> tensor<2x2xf32>
  %2 = bnn.ewise "add" %1, <tensor<2x1xf32>, [1.0, 2.0]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %3 = bnn.transpose %2 perm [1 : i64, 0 : i64] : tensor<2x2xf32> -> tensor<2x2xf32>
  %4 = bnn.max_pool %3 kernel [2 : i64] strides [1 : i64] dilations [1 : i64] : tensor<2x2xf32> -> tensor<1x2xf32>
  func.return %4 : tensor<1x2xf32>
}

// The constant of one number a channel of an input is one along the last axis in the end.
// CHECK-LABEL: @input
// CHECK-NEXT:   %[[T:.*]] = bnn.transpose %x perm [1 : i64, 2 : i64, 0 : i64]
// CHECK-NEXT:   bnn.cast %[[T]]
// CHECK-NEXT:   bnn.ewise "mul" %{{.*}}, <tensor<2xf32>, [3.0, 4.0]> : tensor<2x2x2xf32>
// CHECK-NEXT:   bnn.max_pool
func.func @input(%x: tensor<2x2x2xui8>) -> tensor<1x1x2xf32> {
  %0 = bnn.cast %x : tensor<2x2x2xui8> -> tensor<2x2x2xf32>
  %1 = bnn.ewise "mul" %0, <tensor<2x1x1xf32>, [3.0, 4.0]> : tensor<2x2x2xf32> -> tensor<2x2x2xf32>
  %2 = bnn.transpose %1 perm [1 : i64, 2 : i64, 0 : i64] : tensor<2x2x2xf32> -> tensor<2x2x2xf32>
  %3 = bnn.max_pool %2 kernel [2 : i64, 2 : i64] strides [1 : i64, 1 : i64] dilations [1 : i64, 1 : i64] : tensor<2x2x2xf32> -> tensor<1x1x2xf32>
  func.return %3 : tensor<1x1x2xf32>
}

// Weights absorb what is in front of a flatten, past a quantizer behind it: column 1 was the
// second pixel of channel 0, and is channel 1 of the first pixel.
// CHECK-LABEL: @absorb
// CHECK-NEXT:   %[[P:.*]] = bnn.max_pool %x
// CHECK-NEXT:   %[[Q:.*]] = bnn.quantize "sign" %[[P]] min -1 max 1 : tensor<2x2xf32> -> tensor<2x2xsi2>
// CHECK-NEXT:   %[[C:.*]] = bnn.cast %[[Q]]
// CHECK-NEXT:   %[[R:.*]] = bnn.reshape %[[C]] : tensor<2x2xf32> -> tensor<4xf32>
// CHECK-NEXT:   bnn.linear %[[R]], <tensor<1x4xui3>, [1, 3, 2, 4]>
func.func @absorb(%x: tensor<2x2xf32>) -> tensor<1xf32> {
  %0 = bnn.max_pool %x kernel [1 : i64] strides [1 : i64] dilations [1 : i64] : tensor<2x2xf32> -> tensor<2x2xf32>
  %1 = bnn.transpose %0 perm [1 : i64, 0 : i64] : tensor<2x2xf32> -> tensor<2x2xf32>
  %2 = bnn.reshape %1 : tensor<2x2xf32> -> tensor<4xf32>
  %3 = bnn.quantize "sign" %2 min -1 max 1 : tensor<4xf32> -> tensor<4xsi2>
  %4 = bnn.cast %3 : tensor<4xsi2> -> tensor<4xf32>
  %5 = bnn.linear %4, <tensor<1x4xui3>, [1, 2, 3, 4]> : tensor<4xf32> -> tensor<1xf32>
  func.return %5 : tensor<1xf32>
}

// A value with two readers is computed once; the transpose goes with each.
// CHECK-LABEL: @two_readers
// CHECK-NEXT:   bnn.max_pool
// CHECK-NEXT:   %[[R:.*]] = bnn.ewise "relu"
// CHECK-NEXT:   %[[T:.*]] = bnn.transpose %[[R]]
// CHECK-NEXT:   %[[P:.*]] = bnn.max_pool %[[R]]
// CHECK-NEXT:   func.return %[[T]], %[[P]]
func.func @two_readers(%x: tensor<2x3xf32>) -> (tensor<3x2xf32>, tensor<1x3xf32>) {
  %0 = bnn.max_pool %x kernel [1 : i64] strides [1 : i64] dilations [1 : i64] : tensor<2x3xf32> -> tensor<2x3xf32>
  %1 = bnn.transpose %0 perm [1 : i64, 0 : i64] : tensor<2x3xf32> -> tensor<3x2xf32>
  %2 = bnn.ewise "relu" %1 : tensor<3x2xf32> -> tensor<3x2xf32>
  %3 = bnn.transpose %2 perm [1 : i64, 0 : i64] : tensor<3x2xf32> -> tensor<2x3xf32>
  %4 = bnn.max_pool %3 kernel [2 : i64] strides [1 : i64] dilations [1 : i64] : tensor<2x3xf32> -> tensor<1x3xf32>
  func.return %2, %4 : tensor<3x2xf32>, tensor<1x3xf32>
}
