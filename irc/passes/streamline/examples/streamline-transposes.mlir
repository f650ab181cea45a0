// RUN: irc-opt %s -p streamline-transposes | filecheck %s

// To channels last and back again is nothing.
// CHECK-LABEL: @cancel
// CHECK-NEXT:   func.return %x
func.func @cancel(%x: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  %0 = bnn.transpose %x perm [1 : i64, 2 : i64, 0 : i64] : tensor<2x3x4xf32> -> tensor<3x4x2xf32>
  %1 = bnn.transpose %0 perm [2 : i64, 0 : i64, 1 : i64] : tensor<3x4x2xf32> -> tensor<2x3x4xf32>
  func.return %1 : tensor<2x3x4xf32>
}
