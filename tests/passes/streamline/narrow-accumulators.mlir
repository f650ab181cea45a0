// RUN: irc-opt %s -p narrow-accumulators | filecheck %s

// 2·3 - 1·3 is never more than 6, nor less than -3; the result is returned, so its type follows.
// CHECK-LABEL: @returned(%x: tensor<2xui2>) -> tensor<1xsi4>
// CHECK-NEXT:   bnn.linear %x, <tensor<1x2xsi3>, [2, -1]> : tensor<2xui2> -> tensor<1xsi4>
func.func @returned(%x: tensor<2xui2>) -> tensor<1xsi32> {
  %0 = bnn.linear %x, <tensor<1x2xsi3>, [2, -1]> : tensor<2xui2> -> tensor<1xsi32>
  func.return %0 : tensor<1xsi32>
}

// The inputs are 3 in both channels, so that all sums are 0; a partial one is 3 or -3.
// CHECK-LABEL: @partial_sums
// CHECK:        bnn.linear %{{.*}} : tensor<2xui2> -> tensor<1xsi3>
func.func @partial_sums(%x: tensor<2xui2>) -> tensor<ui1> {
  %0 = bnn.threshold %x at <tensor<1x1xui1>, [0]> steps <tensor<1x1xui2>, [3]> bias 0 : tensor<2xui2> -> tensor<2xui2>
  %1 = bnn.linear %0, <tensor<1x2x!bnn.bipolar>, [1, -1]> : tensor<2xui2> -> tensor<1xsi20>
  %2 = bnn.argmax %1 : tensor<1xsi20> -> tensor<ui1>
  func.return %2 : tensor<ui1>
}

// A reshape has the type of its operand: it changes too.
// CHECK-LABEL: @reshaped(%x: tensor<2xui2>) -> tensor<1x1xsi3>
// CHECK-NEXT:   bnn.linear %{{.*}} -> tensor<1xsi3>
// CHECK-NEXT:   bnn.reshape %{{.*}} : tensor<1xsi3> -> tensor<1x1xsi3>
func.func @reshaped(%x: tensor<2xui2>) -> tensor<1x1xsi20> {
  %0 = bnn.linear %x, <tensor<1x2x!bnn.bipolar>, [1, -1]> : tensor<2xui2> -> tensor<1xsi20>
  %1 = bnn.reshape %0 : tensor<1xsi20> -> tensor<1x1xsi20>
  func.return %1 : tensor<1x1xsi20>
}
