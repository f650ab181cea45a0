// RUN: irc-opt %s -p narrow-accumulators | filecheck %s

// 2·3 - 1·3 is never more than 6, nor less than -3; the result is returned, so its type follows.
// CHECK-LABEL: @returned(%x: tensor<2xui2>) -> tensor<1xsi4>
// CHECK-NEXT:   bnn.linear %x, <tensor<1x2xsi3>, [2, -1]> : tensor<2xui2> -> tensor<1xsi4>
func.func @returned(%x: tensor<2xui2>) -> tensor<1xsi32> {
  %0 = bnn.linear %x, <tensor<1x2xsi3>, [2, -1]> : tensor<2xui2> -> tensor<1xsi32>
  func.return %0 : tensor<1xsi32>
}
