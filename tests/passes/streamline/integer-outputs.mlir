// RUN: irc-opt %s -p integer-outputs | filecheck %s

// CHECK:      func.func @unused_cast(%y: tensor<2x!bnn.bipolar>) -> tensor<2x!bnn.bipolar> {
// CHECK-NEXT:   func.return %y
func.func @unused_cast(%y: tensor<2x!bnn.bipolar>) -> tensor<2xf32> {
  %0 = bnn.cast %y : tensor<2x!bnn.bipolar> -> tensor<2xf32>
  func.return %0 : tensor<2xf32>
}
