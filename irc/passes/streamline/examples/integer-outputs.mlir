// RUN: irc-opt %s -p integer-outputs | filecheck %s

// A cast right before the return goes, and the result is the integer; other results stay.

// CHECK:      func.func @net(%x: tensor<2xsi4>) -> (tensor<2xsi4>, tensor<2xf32>) {
// CHECK-NEXT:   %[[F:.*]] = bnn.cast %x
// CHECK-NEXT:   %[[N:.*]] = bnn.ewise "neg" %[[F]]
// CHECK-NEXT:   func.return %x, %[[N]] : tensor<2xsi4>, tensor<2xf32>
func.func @net(%x: tensor<2xsi4>) -> (tensor<2xf32>, tensor<2xf32>) {
  %0 = bnn.cast %x : tensor<2xsi4> -> tensor<2xf32>
  %1 = bnn.ewise "neg" %0 : tensor<2xf32> -> tensor<2xf32>
  func.return %0, %1 : tensor<2xf32>, tensor<2xf32>
}
