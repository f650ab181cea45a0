// RUN: irc-opt %s -p streamline-shuffles | filecheck %s

// CHECK:      func.func @flattened
// CHECK-NEXT: bnn.linear %x, <tensor<1x4xsi4>, [1, 3, 2, 4]>

func.func @flattened(%x: tensor<4xf32>) -> tensor<1xf32> {
  %a = bnn.reshape %x : tensor<4xf32> -> tensor<2x2xf32>
  %b = bnn.transpose %a perm [1 : i64, 0 : i64] : tensor<2x2xf32> -> tensor<2x2xf32>
  %c = bnn.reshape %b : tensor<2x2xf32> -> tensor<4xf32>
  %d = bnn.linear %c, <tensor<1x4xsi4>, [1, 2, 3, 4]> : tensor<4xf32> -> tensor<1xf32>
  func.return %d : tensor<1xf32>
}

// CHECK:      func.func @summed
// CHECK-NEXT: bnn.conv %x, <tensor<4x1x4xui1>, [1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1]>
// CHECK-NEXT: bnn.add
// CHECK-NEXT: bnn.linear

func.func @summed(%x: tensor<2x4xf32>) -> tensor<2x1xf32> {
  %a = bnn.reshape %x : tensor<2x4xf32> -> tensor<2x2x2xf32>
  %b = bnn.transpose %a perm [0 : i64, 2 : i64, 1 : i64] : tensor<2x2x2xf32> -> tensor<2x2x2xf32>
  %c = bnn.reshape %b : tensor<2x2x2xf32> -> tensor<2x4xf32>
  %d = bnn.add %x, %c : tensor<2x4xf32>, tensor<2x4xf32> -> tensor<2x4xf32>
  %e = bnn.linear %d, <tensor<1x4xsi4>, [1, 2, 3, 4]> : tensor<2x4xf32> -> tensor<2x1xf32>
  func.return %e : tensor<2x1xf32>
}

// What only the host reads stays as it is.

// CHECK:      func.func @last
// CHECK-NEXT: bnn.reshape
// CHECK-NEXT: bnn.transpose
// CHECK-NEXT: bnn.reshape
// CHECK-NEXT: func.return

func.func @last(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = bnn.reshape %x : tensor<4xf32> -> tensor<2x2xf32>
  %b = bnn.transpose %a perm [1 : i64, 0 : i64] : tensor<2x2xf32> -> tensor<2x2xf32>
  %c = bnn.reshape %b : tensor<2x2xf32> -> tensor<4xf32>
  func.return %c : tensor<4xf32>
}
