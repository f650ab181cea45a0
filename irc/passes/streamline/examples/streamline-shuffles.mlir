// RUN: irc-opt %s -p streamline-shuffles | filecheck %s

// The shuffle moves past functions, a border and a depthwise convolution, whose constants and
// weights change their order, into the columns of a convolution; one of two groups becomes one
// over all channels. Before a sum it is multiplied.

// CHECK:      func.func @absorbed
// CHECK-NEXT: bnn.ewise "mul" %x, <tensor<4xf32>, [1.0, 3.0, 2.0, 4.0]>
// CHECK-NEXT: bnn.pad
// CHECK-NEXT: bnn.conv {{.*}}, <tensor<4x1x1x1xsi4>, [1, 3, 2, 4]>
// CHECK-SAME: groups 4
// CHECK-NEXT: bnn.conv {{.*}}, <tensor<2x1x1x4xui3>, [1, 0, 2, 0, 0, 3, 0, 4]>
// CHECK-SAME: groups 1
// CHECK-NEXT: func.return

func.func @absorbed(%x: tensor<2x2x4xf32>) -> tensor<4x4x2xf32> {
  %a = bnn.reshape %x : tensor<2x2x4xf32> -> tensor<2x2x2x2xf32>
  %b = bnn.transpose %a perm [0 : i64, 1 : i64, 3 : i64, 2 : i64] : tensor<2x2x2x2xf32> -> tensor<2x2x2x2xf32>
  %c = bnn.reshape %b : tensor<2x2x2x2xf32> -> tensor<2x2x4xf32>
  %d = bnn.ewise "mul" %c, <tensor<4xf32>, [1.0, 2.0, 3.0, 4.0]> : tensor<2x2x4xf32> -> tensor<2x2x4xf32>
  %e = bnn.pad %d before [1 : i64, 1 : i64] after [1 : i64, 1 : i64] value 0.0 : tensor<2x2x4xf32> -> tensor<4x4x4xf32>
  %f = bnn.conv %e, <tensor<4x1x1x1xsi4>, [1, 2, 3, 4]> strides [1 : i64, 1 : i64] dilations [1 : i64, 1 : i64] groups 4 : tensor<4x4x4xf32> -> tensor<4x4x4xf32>
  %g = bnn.conv %f, <tensor<2x1x1x2xsi4>, [1, 2, 3, 4]> strides [1 : i64, 1 : i64] dilations [1 : i64, 1 : i64] groups 2 : tensor<4x4x4xf32> -> tensor<4x4x2xf32>
  func.return %g : tensor<4x4x2xf32>
}
