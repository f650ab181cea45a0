// RUN: irc-opt %s -p streamline-transposes | filecheck %s

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

// A sum, a join, a slice and a repetition do the same to transposed frames; axes get other names.
// CHECK-LABEL: @branches
// CHECK-NEXT:   %[[A:.*]] = bnn.max_pool %x kernel [1 : i64, 1 : i64]
// CHECK-NEXT:   %[[B:.*]] = bnn.max_pool %x kernel [2 : i64, 1 : i64]
// CHECK-NEXT:   %[[S:.*]] = bnn.slice %[[A]] offsets [1 : i64, 0 : i64, 0 : i64] sizes [2 : i64, 3 : i64, 4 : i64] strides [1 : i64, 1 : i64, 1 : i64]
// CHECK-NEXT:   %[[P:.*]] = bnn.add %[[S]], %[[B]] : tensor<2x3x4xf32>
// CHECK-NEXT:   %[[C:.*]] = bnn.concat %[[P]], %[[B]] axis 2 : {{.*}} -> tensor<2x3x8xf32>
// CHECK-NEXT:   %[[U:.*]] = bnn.upsample %[[C]] factors [2 : i64, 5 : i64, 1 : i64] : {{.*}} -> tensor<4x15x8xf32>
// CHECK-NEXT:   func.return %[[U]]
func.func @branches(%x: tensor<3x3x4xf32>) -> tensor<4x15x8xf32> {
  %a = bnn.max_pool %x kernel [1 : i64, 1 : i64] strides [1 : i64, 1 : i64] dilations [1 : i64, 1 : i64] : tensor<3x3x4xf32> -> tensor<3x3x4xf32>
  %b = bnn.max_pool %x kernel [2 : i64, 1 : i64] strides [1 : i64, 1 : i64] dilations [1 : i64, 1 : i64] : tensor<3x3x4xf32> -> tensor<2x3x4xf32>
  %0 = bnn.transpose %a perm [2 : i64, 0 : i64, 1 : i64] : tensor<3x3x4xf32> -> tensor<4x3x3xf32>
  %1 = bnn.transpose %b perm [2 : i64, 0 : i64, 1 : i64] : tensor<2x3x4xf32> -> tensor<4x2x3xf32>
  %2 = bnn.slice %0 offsets [0 : i64, 1 : i64, 0 : i64] sizes [4 : i64, 2 : i64, 3 : i64] strides [1 : i64, 1 : i64, 1 : i64] : tensor<4x3x3xf32> -> tensor<4x2x3xf32>
  %3 = bnn.add %2, %1 : tensor<4x2x3xf32>, tensor<4x2x3xf32> -> tensor<4x2x3xf32>
  %4 = bnn.concat %3, %1 axis 0 : tensor<4x2x3xf32>, tensor<4x2x3xf32> -> tensor<8x2x3xf32>
  %5 = bnn.upsample %4 factors [1 : i64, 2 : i64, 5 : i64] : tensor<8x2x3xf32> -> tensor<8x4x15xf32>
  %6 = bnn.transpose %5 perm [1 : i64, 2 : i64, 0 : i64] : tensor<8x4x15xf32> -> tensor<4x15x8xf32>
  func.return %6 : tensor<4x15x8xf32>
}

// An input that is added to what has its channels last gets them last too, once for both readers.
// CHECK-LABEL: @input_branch
// CHECK-NEXT:   %[[T:.*]] = bnn.transpose %x perm [1 : i64, 0 : i64]
// CHECK-NEXT:   %[[P:.*]] = bnn.max_pool %[[T]]
// CHECK-NEXT:   %[[S:.*]] = bnn.add %[[P]], %[[T]]
// CHECK-NEXT:   bnn.max_pool %[[S]]
// CHECK-NEXT:   func.return
func.func @input_branch(%x: tensor<2x3xf32>) -> tensor<2x2xf32> {
  %0 = bnn.transpose %x perm [1 : i64, 0 : i64] : tensor<2x3xf32> -> tensor<3x2xf32>
  %1 = bnn.max_pool %0 kernel [1 : i64] strides [1 : i64] dilations [1 : i64] : tensor<3x2xf32> -> tensor<3x2xf32>
  %2 = bnn.transpose %1 perm [1 : i64, 0 : i64] : tensor<3x2xf32> -> tensor<2x3xf32>
  %3 = bnn.add %2, %x : tensor<2x3xf32>, tensor<2x3xf32> -> tensor<2x3xf32>
  %4 = bnn.transpose %3 perm [1 : i64, 0 : i64] : tensor<2x3xf32> -> tensor<3x2xf32>
  %5 = bnn.max_pool %4 kernel [2 : i64] strides [1 : i64] dilations [1 : i64] : tensor<3x2xf32> -> tensor<2x2xf32>
  func.return %5 : tensor<2x2xf32>
}

// The rows of a dense layer take the transpose of the image that it gives.
// CHECK-LABEL: @rows
// CHECK-NEXT:   %[[L:.*]] = bnn.linear %x, <tensor<4x1xui3>, [1, 3, 2, 4]>
// CHECK-NEXT:   %[[A:.*]] = bnn.ewise "add" %[[L]], <tensor<4xf32>, [0.5, 2.5, 1.5, 3.5]>
// CHECK-NEXT:   %[[R:.*]] = bnn.reshape %[[A]] : tensor<4xf32> -> tensor<2x2xf32>
// CHECK-NEXT:   bnn.max_pool %[[R]]
func.func @rows(%x: tensor<1xf32>) -> tensor<1x2xf32> {
  %0 = bnn.linear %x, <tensor<4x1xui3>, [1, 2, 3, 4]> : tensor<1xf32> -> tensor<4xf32>
  %1 = bnn.ewise "add" %0, <tensor<4xf32>, [0.5, 1.5, 2.5, 3.5]> : tensor<4xf32> -> tensor<4xf32>
  %2 = bnn.reshape %1 : tensor<4xf32> -> tensor<2x2xf32>
  %3 = bnn.transpose %2 perm [1 : i64, 0 : i64] : tensor<2x2xf32> -> tensor<2x2xf32>
  %4 = bnn.max_pool %3 kernel [2 : i64] strides [1 : i64] dilations [1 : i64] : tensor<2x2xf32> -> tensor<1x2xf32>
  func.return %4 : tensor<1x2xf32>
}
